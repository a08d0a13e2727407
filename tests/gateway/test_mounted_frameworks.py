"""Applications of other frameworks mounted in Kolben: real ones, by test client and on uvicorn."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import fastapi
import flask
import pytest
import uvicorn
from litestar import Litestar
from litestar import get as litestar_get
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, TextMessage
from wsproto.events import Request as Upgrade

from kolben import Kolben, url_for

from .django_project import get_asgi_application, get_wsgi_application

# Each of them has an index, a page that says where it is, one that takes a form, a redirect, a
# cookie, and handlers of its own for 404 and 500.


def make_flask() -> Any:
    app = flask.Flask("legacy")
    app.secret_key = "only for these tests"
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/")
    def index() -> str:
        return "index"

    @app.get("/where/<path:name>")
    def where(name: str) -> Any:
        return {
            "name": name,
            "page": flask.url_for("where", name="ü x"),
            "url": flask.url_for("index", _external=True),
            "path": flask.request.script_root + flask.request.path,
        }

    @app.post("/form")
    def form() -> Any:
        flask.session["name"] = flask.request.form["name"]
        return flask.redirect(flask.url_for("who"))

    @app.get("/who")
    def who() -> str:
        return str(flask.session["name"])

    @app.get("/stream")
    def stream() -> Any:
        return app.response_class((f"{number} " for number in range(1000)), mimetype="text/plain")

    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError

    app.register_error_handler(404, lambda error: ("its own 404", 404))
    app.register_error_handler(500, lambda error: ("its own 500", 500))
    return app


def make_starlette(cls: Any = Starlette) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        yield {"name": "nobody"}

    async def index(request: Request) -> Any:
        return PlainTextResponse("index")

    async def where(request: Request) -> Any:
        where_at = urlsplit(str(request.url_for("where", name="ü x"))).path
        return JSONResponse(
            {
                "name": request.path_params["name"],
                "page": where_at,
                "url": str(request.url_for("index")),
                "path": request.url.path,
            }
        )

    async def form(request: Request) -> Any:
        # Without the form's parser, which would be one dependency more.
        name = (await request.body()).decode().removeprefix("name=")
        response = RedirectResponse(request.url_for("who"), status_code=302)
        response.set_cookie("name", name)
        return response

    async def who(request: Request) -> Any:
        return PlainTextResponse(request.cookies.get("name") or request.state.name)

    async def stream(request: Request) -> Any:
        from starlette.responses import StreamingResponse

        async def numbers() -> AsyncIterator[str]:
            for number in range(1000):
                yield f"{number} "

        return StreamingResponse(numbers(), media_type="text/plain")

    async def broken(request: Request) -> Any:
        raise fastapi.HTTPException(500)

    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        text = await websocket.receive_text()
        await websocket.send_text(f"{text} from {websocket.url.path}, {websocket.state.name}")
        await websocket.close()

    async def not_found(request: Request, error: Exception) -> Any:
        return PlainTextResponse("its own 404", 404)

    async def server_error(request: Request, error: Exception) -> Any:
        return PlainTextResponse("its own 500", 500)

    return cls(
        routes=[
            Route("/", index, name="index"),
            Route("/where/{name:path}", where, name="where"),
            Route("/form", form, methods=["POST"]),
            Route("/who", who, name="who"),
            Route("/stream", stream),
            Route("/broken", broken),
            WebSocketRoute("/live", live),
        ],
        exception_handlers={404: not_found, fastapi.HTTPException: server_error},
        lifespan=lifespan,
    )


def make_fastapi() -> Any:
    return make_starlette(fastapi.FastAPI)


def make_django() -> Any:
    return get_asgi_application()


def make_django_wsgi() -> Any:
    return get_wsgi_application()


MAKERS = (make_flask, make_starlette, make_fastapi, make_django, make_django_wsgi)
by_framework = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__[5:])


def mounted(make: Callable[[], Any]) -> Kolben:
    app = Kolben("outer", static_folder=None)
    app.mount("/künste/other", make())
    app.register_error_handler(404, lambda error: ("outer's 404", 404))
    app.register_error_handler(500, lambda error: ("outer's 500", 500))
    return app


PREFIX = "/k%C3%BCnste/other"


@by_framework
def test_urls_are_below_the_prefix(make: Callable[[], Any]) -> None:
    client = mounted(make).test_client()
    found = client.get(f"{PREFIX}/where/%C3%A4/x").json
    assert found["name"] == "ä/x"
    assert unquote(found["page"]) == "/künste/other/where/ü x"
    assert unquote(found["url"]) == "http://localhost/künste/other/"
    assert unquote(found["path"]) == "/künste/other/where/ä/x"
    assert client.get(found["page"]).json["name"] == "ü x"


@by_framework
def test_the_prefix_alone_leads_to_the_index(make: Callable[[], Any]) -> None:
    client = mounted(make).test_client()
    assert client.get(f"{PREFIX}/").text == "index"
    assert client.get(PREFIX, follow_redirects=True).text == "index"


@by_framework
def test_forms_cookies_and_redirects(make: Callable[[], Any]) -> None:
    client = mounted(make).test_client()
    answer = client.post(f"{PREFIX}/form", data={"name": "ada"})
    assert answer.status_code == 302
    assert unquote(urlsplit(answer.location).path) == "/künste/other/who"
    assert client.get(answer.location).text == "ada"


@by_framework
def test_its_error_pages_are_its_own(make: Callable[[], Any]) -> None:
    client = mounted(make).test_client()
    assert client.get(f"{PREFIX}/nowhere").text == "its own 404"
    assert client.get(f"{PREFIX}/broken").text == "its own 500"
    assert client.get("/nowhere").text == "outer's 404"


def test_fastapi_documents_itself() -> None:
    api = fastapi.FastAPI()

    @api.get("/items/{number}")
    async def item(number: int) -> int:
        return number

    app = Kolben("outer")
    app.mount("/api", api)
    client = app.test_client()
    assert client.get("/api/items/7").json == 7
    assert client.get("/api/items/x").status_code == 422
    assert client.get("/api/openapi.json").json["servers"] == [{"url": "/api"}]
    assert "/api/openapi.json" in client.get("/api/docs").text


def test_litestar() -> None:
    @litestar_get("/items")
    async def items() -> list[int]:
        return [7]

    app = Kolben("outer")
    app.mount("/lite", Litestar([items]))
    client = app.test_client()
    assert client.get("/lite/items").json == [7]
    assert client.get("/lite/nowhere").status_code == 404


def test_static_files_of_starlette(tmp_path: Any) -> None:
    (tmp_path / "style.css").write_text("body { color: teal }")
    app = Kolben("outer")
    app.mount("/static", StaticFiles(directory=tmp_path))
    answer = app.test_client().get("/static/style.css")
    assert answer.text == "body { color: teal }"
    assert answer.mimetype == "text/css"


# On a server ------------------------------------------------------------------------------------


class Served:
    """An application on a uvicorn in a thread of its own."""

    def __init__(self, app: Any) -> None:
        config = uvicorn.Config(
            app, port=0, lifespan="on", ws="wsproto", log_level="warning", log_config=None
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> Served:
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.should_exit = True
        self.thread.join()

    def ask(
        self, method: str, target: str, body: Any = None, headers: Any = ()
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, fields, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """All of them in one application, at prefixes of their names."""
    app = Kolben("outer", static_folder=None)
    for make in MAKERS:
        app.mount(f"/{make.__name__[5:]}", make())
    shop = Kolben("shop")
    shop.mount("/inside", make_starlette())

    @app.get("/")
    async def index() -> str:
        return url_for("shop.static", filename="x")

    app.mount("/shop", shop)
    with Served(app) as server:
        yield server


@by_framework
def test_on_uvicorn(served: Served, make: Callable[[], Any]) -> None:
    prefix = f"/{make.__name__[5:]}"
    _, _, body = served.ask("GET", f"{prefix}/where/%C3%A4")
    found = json.loads(body)
    assert (found["name"], unquote(found["page"])) == ("ä", f"{prefix}/where/ü x")
    assert found["url"] == f"http://127.0.0.1:{served.port}{prefix}/"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, fields, _ = served.ask("POST", f"{prefix}/form", b"name=ada", form)
    assert (status, urlsplit(fields["location"]).path) == (302, f"{prefix}/who")
    cookie = {"Cookie": fields["set-cookie"].partition(";")[0]}
    assert served.ask("GET", f"{prefix}/who", headers=cookie)[2] == b"ada"
    body = " ".join(map(str, range(1000))).encode() + b" "
    assert served.ask("GET", f"{prefix}/stream")[2] == body
    assert served.ask("GET", f"{prefix}/nowhere")[2] == b"its own 404"


def test_chunked_bodies_arrive_on_uvicorn(served: Served) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    for prefix in ("/flask", "/starlette"):
        chunks = iter([b"6\r\nname=a\r\n", b"2\r\nda\r\n", b"0\r\n\r\n"])
        status, fields, _ = served.ask("POST", f"{prefix}/form", chunks, form)
        assert status == 302
        cookie = {"Cookie": fields["set-cookie"].partition(";")[0]}
        assert served.ask("GET", f"{prefix}/who", headers=cookie)[2] == b"ada"


def test_the_state_of_a_lifespan_arrives_on_uvicorn(served: Served) -> None:
    assert served.ask("GET", "/starlette/who")[2] == b"nobody"
    assert served.ask("GET", "/shop/inside/who")[2] == b"nobody"
    assert served.ask("GET", "/")[2] == b"/shop/static/x"


@pytest.mark.parametrize("prefix", ["/starlette", "/fastapi", "/shop/inside"])
def test_websockets_on_uvicorn(served: Served, prefix: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as sock:
        client = WSConnection(ConnectionType.CLIENT)
        sock.sendall(client.send(Upgrade(host="localhost", target=f"{prefix}/live")))

        def event() -> Any:
            while True:
                for found in client.events():
                    return found
                client.receive_data(sock.recv(65536))

        assert isinstance(event(), AcceptConnection)
        sock.sendall(client.send(TextMessage("hello")))
        assert event().data == f"hello from {prefix}/live, nobody"
