"""Which mounted application answers, and what it gets."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from typing import Any

import anyio
import anyio.to_thread
import pytest

from kolben import Blueprint, Kolben, abort, redirect, request, session, url_for
from kolben.gateway.mounts import Mounts

pytestmark = pytest.mark.anyio
on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # as a2wsgi
on_trio = pytest.mark.parametrize("anyio_backend", ["trio"])


class Recorder:
    """An ASGI application that answers with its name, and keeps the scopes that it got."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.scopes: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            self.scopes.append(scope)
            await receive()
            await send({"type": "websocket.accept"})
            text = (await receive())["text"]
            await send({"type": "websocket.send", "text": f"{self.name} {text}"})
            return
        assert scope["type"] == "http"
        self.scopes.append(scope)
        body = b"" if scope["method"] == "HEAD" else self.name.encode()
        headers = [(b"content-type", b"text/plain"), (b"X-Name", self.name.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    @property
    def scope(self) -> dict[str, Any]:
        return self.scopes[-1]


@pytest.fixture
def outer() -> Kolben:
    app = Kolben("outer", static_folder=None)

    @app.get("/own/<path:rest>")
    async def own(rest: str) -> str:
        return f"own {rest}"

    return app


@pytest.fixture
def admin(outer: Kolben) -> Recorder:
    outer.mount("/admin", admin := Recorder("admin"))
    return admin


def make_inner() -> Kolben:
    app = Kolben("inner", static_folder=None)
    app.secret_key = "only for these tests"

    @app.get("/")
    async def index() -> str:
        return "index"

    @app.get("/where/<path:rest>")
    def where(rest: str) -> dict[str, Any]:
        return {
            "rest": rest,
            "path": request.path,
            "root_path": request.root_path,
            "url": request.url,
            "built": url_for("where", rest="ü/x"),
        }

    @app.get("/tags/<name>")
    async def tag(name: str) -> str:
        return name

    @app.get("/folder/")
    async def folder() -> str:
        return "folder"

    @app.get("/away")
    async def away() -> Any:
        return redirect(url_for("index"))

    @app.get("/log-in")
    def log_in() -> str:
        session["user"] = "ada"
        return "in"

    @app.get("/teapot")
    async def teapot() -> str:
        abort(418)

    return app


@pytest.fixture
def inner(outer: Kolben) -> Kolben:
    outer.mount("/inner", inner := make_inner())
    return inner


# Which one -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/admin", "admin"),
        ("/admin/", "admin"),
        ("/admin/users", "users"),
        ("/admin/users/7", "users"),
        ("/admin/usersfile", "admin"),
        ("/admin/a/b/c/d", "admin"),
        ("/admin/a/b/c", "deep"),
        ("/admin/a/b", "admin"),
        ("/adm", None),
        ("/administrator", None),
        ("/administrator/x", None),
        ("/Admin/x", None),
        ("/admin%2Fx", None),
        ("/admin%2fusers", None),
        ("/admin/users%2F7", "admin"),
        ("/admin/a%2Fb/c", "admin"),
        ("/admin/x%2Fy", "admin"),
        ("/%61dmin/x", "admin"),
        ("//admin/x", None),
        ("/x/admin", None),
        ("/", None),
    ],
)
def test_the_longest_prefix_of_whole_segments_wins(
    outer: Kolben, admin: Recorder, path: str, answer: str | None
) -> None:
    outer.mount("/admin/users", Recorder("users"))
    outer.mount("/admin/a/b/c", Recorder("deep"))
    outer.mount("/admin/a/b/c/d", admin)
    got = outer.test_client().get(path)
    assert (got.text if got.status_code == 200 else None) == answer


def test_own_routes_go_on(outer: Kolben, admin: Recorder) -> None:
    assert outer.test_client().get("/own/admin").text == "own admin"
    assert admin.scopes == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PROPFIND"])
def test_all_methods_are_handed_on(outer: Kolben, admin: Recorder, method: str) -> None:
    outer.test_client().open("/admin/x", method=method)
    assert admin.scope["method"] == method


def test_the_scope_says_where_the_application_is(outer: Kolben, admin: Recorder) -> None:
    outer.test_client().get("/admin/a%20b?q=1")
    scope = admin.scope
    assert (scope["root_path"], scope["path"]) == ("/admin", "/admin/a b")
    assert (scope["raw_path"], scope["query_string"]) == (b"/admin/a%20b", b"q=1")


@pytest.mark.parametrize(
    ("path", "raw_path"),
    [
        ("/root/admin/x", b"/root/admin/x"),
        ("/admin/x", b"/admin/x"),  # a server that takes the prefix off
        ("/root/admin/x", None),
    ],
)
async def test_below_the_servers_own_prefix(
    outer: Kolben, admin: Recorder, wire: Any, path: str, raw_path: bytes | None
) -> None:
    request = wire(path, root_path="/root", raw_path=raw_path)
    given = dict(request.scope)
    await request.run(outer)
    assert request.body == b"admin"
    assert (admin.scope["root_path"], admin.scope["path"]) == ("/root/admin", "/root/admin/x")
    assert request.scope == given


async def test_an_encoded_slash_below_the_servers_prefix(
    outer: Kolben, admin: Recorder, wire: Any
) -> None:
    request = wire("/root/admin/x", root_path="/root", raw_path=b"/root/admin%2Fx")
    await request.run(outer)
    assert request.status == 404


def test_a_name_that_is_not_ascii(outer: Kolben) -> None:
    outer.mount("/künstler", make_inner())
    client = outer.test_client()
    found = client.get("/k%C3%BCnstler/where/%C3%A4").json
    assert found == {
        "rest": "ä",
        "path": "/where/ä",
        "root_path": "/künstler",
        "url": "http://localhost/künstler/where/ä",
        "built": "/k%C3%BCnstler/where/%C3%BC/x",
    }
    assert client.get(found["built"]).json["rest"] == "ü/x"


def test_blueprints_mount(outer: Kolben) -> None:
    bp = Blueprint("bp", __name__, url_prefix="/bp")
    bp.mount("/inner", make_inner())
    outer.register_blueprint(bp)
    assert outer.test_client().get("/bp/inner/away").location == "/bp/inner/"


# What nothing else is there for ---------------------------------------------------------------


@pytest.fixture
def rest(outer: Kolben) -> Recorder:
    outer.mount("/", rest := Recorder("rest"))

    @outer.post("/only-post/<path:name>")
    async def only_post(name: str) -> str:
        return f"posted {name}"

    @outer.get("/folder/")
    async def folder() -> str:
        return "folder"

    return rest


@pytest.mark.parametrize(
    ("path", "status", "answer"),
    [
        ("/", 200, "rest"),
        ("/x/y", 200, "rest"),
        ("/own", 200, "rest"),
        ("/own/x", 200, "own x"),
        ("/own%2Fx", 200, "rest"),
        ("/admin/x", 200, "admin"),
        ("/only-post/x", 405, None),
        ("/folder", 308, None),
    ],
)
def test_the_mount_at_the_root_gets_what_is_left(
    outer: Kolben, admin: Recorder, rest: Recorder, path: str, status: int, answer: str | None
) -> None:
    got = outer.test_client().get(path)
    assert got.status_code == status
    assert answer is None or got.text == answer


async def test_the_mount_at_the_root_keeps_the_servers_prefix(
    outer: Kolben, rest: Recorder, wire: Any
) -> None:
    request = wire("/root/x", root_path="/root")
    await request.run(outer)
    assert request.body == b"rest"
    assert rest.scope["root_path"] == "/root"
    request = wire("/root/own/x", root_path="/root")
    await request.run(outer)
    assert request.body == b"own x"


def test_the_mount_at_the_root_gets_hosts_without_routes(rest: Recorder) -> None:
    outer = Kolben("outer", subdomain_matching=True, static_folder=None)
    outer.config["SERVER_NAME"] = "example.org"
    outer.add_url_rule("/x", "api", lambda: "api", subdomain="api")
    outer.mount("/", rest)
    client = outer.test_client()
    assert client.get("/x", base_url="http://api.example.org").text == "api"
    assert client.get("/x", base_url="http://example.org").text == "rest"
    assert client.get("/x", base_url="http://other.example").text == "rest"


# What the application does with it --------------------------------------------------------------


@pytest.mark.parametrize("levels", [1, 2])
def test_kolben_in_kolben(levels: int) -> None:
    app, prefix = make_inner(), ""
    for level in range(levels):
        above = Kolben(f"level {level}", static_folder=None)
        above.mount(f"/{level}", app)
        app, prefix = above, f"/{level}{prefix}"
    client = app.test_client()
    assert client.get(prefix).text == client.get(f"{prefix}/").text == "index"
    assert client.get(f"{prefix}/where/a/b?q=1").json == {
        "rest": "a/b",
        "path": "/where/a/b",
        "root_path": prefix,
        "url": f"http://localhost{prefix}/where/a/b?q=1",
        "built": f"{prefix}/where/%C3%BC/x",
    }
    assert client.get(f"{prefix}/tags/a%2Fb").text == "a/b"
    assert client.get(f"{prefix}/folder?q=1").location == f"http://localhost{prefix}/folder/?q=1"
    assert client.get(f"{prefix}/away").location == f"{prefix}/"


def test_a_session_cookie_can_be_for_the_mount_alone(outer: Kolben, inner: Kolben) -> None:
    client = outer.test_client()
    assert "Path=/;" in f"{client.get('/inner/log-in').headers['Set-Cookie']};"
    inner.config["APPLICATION_ROOT"] = "/inner"
    assert "Path=/inner;" in f"{client.get('/inner/log-in').headers['Set-Cookie']};"


def test_hooks_and_handlers_of_each_application_stay_its_own(outer: Kolben, inner: Kolben) -> None:
    seen: list[str] = []
    for app in (outer, inner):
        name = app.name
        app.before_request(lambda name=name: seen.append(f"before {name}"))
        app.teardown_request(lambda error, name=name: seen.append(f"teardown {name}"))
        app.teardown_appcontext(lambda error, name=name: seen.append(f"end {name}"))
    outer.register_error_handler(404, lambda error: ("outer's 404", 404))
    outer.register_error_handler(418, lambda error: ("outer's 418", 418))
    inner.register_error_handler(404, lambda error: ("inner's 404", 404))
    client = outer.test_client()
    assert client.get("/nowhere").text == "outer's 404"
    assert seen == ["before outer", "teardown outer", "end outer"]
    assert client.get("/inner/nowhere").text == "inner's 404"
    assert seen[3:] == ["before inner", "teardown inner", "end inner"]
    assert "<h1>I&#39;m a teapot</h1>" in client.get("/inner/teapot").text


async def test_an_error_is_raised_to_the_server(outer: Kolben, wire: Any) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    outer.mount("/broken", broken)
    outer.register_error_handler(500, lambda error: ("outer's 500", 500))
    request = wire("/broken")
    with pytest.raises(ZeroDivisionError):
        await request.run(outer)
    assert request.sent == []


def test_bodies_and_streams_are_not_touched(outer: Kolben) -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send({**message, "type": "http.response.body"})

    outer.config["MAX_CONTENT_LENGTH"] = 1  # its limit is for its own routes
    outer.mount("/echo", echo)
    body = b"x" * 200_000
    assert outer.test_client().post("/echo", data=body).data == body


def test_header_names_are_made_lower_case(outer: Kolben, admin: Recorder) -> None:
    # Django writes them as WSGI has them. The test client refuses that, as some servers do.
    assert outer.test_client().get("/admin").headers["X-Name"] == "admin"


async def test_websockets_pass(outer: Kolben, admin: Recorder, wire: Any) -> None:
    messages = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]
    request = wire("/admin/live", type="websocket", scheme="ws", messages=messages)
    del request.scope["method"]
    await request.run(outer)
    assert request.sent == [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "admin hello"},
    ]
    assert admin.scope["root_path"] == "/admin"


async def test_websockets_pass_to_the_mount_at_the_root(
    outer: Kolben, rest: Recorder, wire: Any
) -> None:
    messages = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]
    request = wire("/live", type="websocket", scheme="ws", messages=messages)
    del request.scope["method"]
    await request.run(outer)
    assert request.sent[1]["text"] == "rest hello"


def test_what_is_put_around_the_application_is_around_its_mounts(
    outer: Kolben, admin: Recorder
) -> None:
    seen: list[str] = []

    def around(app: Any) -> Any:
        async def wrapper(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["path"])
            await app(scope, receive, send)

        return wrapper

    outer.add_middleware(around)
    outer.asgi_app = around(outer.asgi_app)  # type: ignore[method-assign]
    assert outer.test_client().get("/admin/x").text == "admin"
    assert seen == ["/admin/x", "/admin/x"]


def test_a_mounted_application_keeps_what_is_around_it(outer: Kolben, inner: Kolben) -> None:
    class Renaming:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app({**scope, "path": "/inner/tags/renamed"}, receive, send)

    inner.add_middleware(Renaming)
    assert outer.test_client().get("/inner/").text == "renamed"


def test_a_mounted_application_may_have_mounts_at_its_root(outer: Kolben, inner: Kolben) -> None:
    inner.mount("/", Recorder("rest"))
    client = outer.test_client()
    assert client.get("/inner/tags/x").text == "x"
    assert client.get("/inner/nowhere").text == "rest"


# Litestar's scopes ------------------------------------------------------------------------------


async def test_below_litestar(outer: Kolben, inner: Kolben, wire: Any) -> None:
    scope = {"route_handler": object(), "raw_path": b"/lite/inner/where/x"}
    request = wire("/inner/where/x/", **scope)
    await request.run(outer)
    assert b'"root_path":"/lite/inner"' in request.body
    assert b'"rest":"x"' in request.body


# State ------------------------------------------------------------------------------------------


async def test_requests_see_the_state_of_both(outer: Kolben, admin: Recorder, wire: Any) -> None:
    given = {"ours": 1}
    request = wire("/admin", state=given)
    await request.run(outer)
    assert admin.scope["state"] is given  # what middleware leaves there is seen by both
    outer.mounts[0].state["theirs"] = 2
    await wire("/admin", state=given).run(outer)
    assert admin.scope["state"] == {"ours": 1, "theirs": 2}
    await wire("/admin").run(outer)
    assert admin.scope["state"] == {"theirs": 2}
    admin.scope["state"]["theirs"] = 3
    await wire("/admin").run(outer)
    assert admin.scope["state"] == {"theirs": 2}
    assert given == {"ours": 1}


# WSGI -------------------------------------------------------------------------------------------


def wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-One", "1"), ("X-One", "2")])
    said = (
        environ["SCRIPT_NAME"],
        environ["PATH_INFO"],
        environ["QUERY_STRING"],
        environ.get("HTTP_COOKIE", ""),
        environ.get("HTTP_X_USER", ""),
        body.decode(),
    )
    return [repr(said).encode()]


@pytest.fixture
def legacy(outer: Kolben) -> Kolben:
    outer.mount("/legacy", wsgi_app)
    return outer


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/legacy", ("/legacy", "", "")),
        ("/legacy/", ("/legacy", "/", "")),
        ("/legacy/a/b?q=1", ("/legacy", "/a/b", "q=1")),
        ("/legacy/%C3%BC", ("/legacy", "/Ã¼", "")),
        ("/legacy/a%2Fb", ("/legacy", "/a/b", "")),
    ],
)
def test_a_wsgi_application_is_told_its_prefix(
    legacy: Kolben, monkeypatch: pytest.MonkeyPatch, path: str, said: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SCRIPT_NAME", "/of-the-process")
    assert legacy.test_client().get(path).text == repr((*said, "", "", ""))


def test_a_wsgi_application_gets_its_request_whole(legacy: Kolben) -> None:
    headers = [("Cookie", "a=1"), ("X-User", "ada"), ("X_User", "root")]
    answer = legacy.test_client().post("/legacy", data=b"hello", headers=headers)
    assert answer.text == repr(("/legacy", "", "", "a=1", "ada", "hello"))
    assert answer.headers.getlist("X-One") == ["1", "2"]


@on_asyncio
async def test_cookies_of_http_2_are_joined_as_cookies(legacy: Kolben, wire: Any) -> None:
    request = wire("/legacy", http_version="2", headers=[(b"cookie", b"a=1"), (b"cookie", b"b=2")])
    await request.run(legacy)
    assert b"'a=1; b=2'" in request.body


@on_trio
async def test_on_trio_it_says_that_it_cannot(legacy: Kolben, wire: Any) -> None:
    with pytest.raises(RuntimeError, match="under asyncio alone"):
        await wire("/legacy").run(legacy)
    with pytest.raises(RuntimeError, match="under asyncio alone"):
        await legacy.startup()


def test_the_body_can_be_read_in_every_way(outer: Kolben) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        body = environ["wsgi.input"]
        said = [body.read(3), body.readline(4), body.readline(), body.readlines(1), list(body)]
        return [repr([*said, body.read(), environ.get("wsgi.input_terminated")]).encode()]

    def pieces() -> Iterator[bytes]:
        yield b"12"
        yield b"3li"
        yield b"ne\nsecond"
        yield b"\nthird\nfo"
        yield b"urth\nfifth"

    outer.mount("/read", app)
    answer = outer.test_client().post("/read", data=pieces())
    parts = [b"123", b"line", b"\n", [b"second\n"], [b"third\n", b"fourth\n", b"fifth"], b"", True]
    assert answer.text == repr(parts)


@on_asyncio
async def test_input_that_is_read_late_is_at_its_end(outer: Kolben, wire: Any) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first "
        yield repr(environ["wsgi.input"].read()).encode()

    outer.mount("/late", app)
    request = wire("/late")
    await request.run(outer)
    assert request.body == b"first b''"


@on_asyncio
async def test_a_client_that_leaves_while_it_sends_is_the_end_of_the_input(
    outer: Kolben, wire: Any
) -> None:
    read: list[bytes] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        read.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"nobody reads this"]

    outer.mount("/partial", app)
    messages = [
        {"type": "http.request", "body": b"part", "more_body": True},
        {"type": "http.disconnect"},
    ]
    request = wire("/partial", "POST", messages, headers=[(b"content-length", b"9")])
    await request.run(outer)
    assert (read, request.sent) == ([b"part"], [])


class Endless:
    """The body of a WSGI response that ends when it is closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"more"

    def close(self) -> None:
        self.closed.set()


@on_asyncio
@pytest.mark.parametrize("how", ["message", "error"])
async def test_a_wsgi_application_ends_when_the_client_leaves(
    outer: Kolben, wire: Any, how: str
) -> None:
    body = Endless()

    def app(environ: dict[str, Any], start_response: Any) -> Endless:
        start_response("200 OK", [])
        return body

    outer.mount("/endless", app)
    request = wire("/endless")

    def leave(message: Any) -> None:
        if len(request.sent) == 3:
            if how == "error":
                raise OSError("the client is gone")
            request.leave()

    request.on_send = leave
    with anyio.fail_after(30):
        await request.run(outer)
    assert body.closed.is_set()


@on_asyncio
async def test_a_wsgi_application_ends_when_its_request_is_cancelled(
    outer: Kolben, wire: Any
) -> None:
    body = Endless()

    def app(environ: dict[str, Any], start_response: Any) -> Endless:
        start_response("200 OK", [])
        return body

    async def slow(message: Any) -> None:  # so that its thread waits for the client, too
        request.sent.append(message)
        if len(request.sent) > 1:
            scope.cancel()
            await anyio.sleep(0.1)

    outer.mount("/endless", app)
    request = wire("/endless")
    request.send = slow
    with anyio.CancelScope() as scope:
        await request.run(outer)
    assert scope.cancelled_caught
    assert await anyio.to_thread.run_sync(body.closed.wait, 30)


@on_asyncio
async def test_a_websocket_to_a_wsgi_application_is_refused(legacy: Kolben, wire: Any) -> None:
    request = wire("/legacy", type="websocket", messages=[{"type": "websocket.connect"}])
    await request.run(legacy)
    assert [message["type"] for message in request.sent] == ["websocket.close"]


def test_under_wsgi_only_what_speaks_it_is_called_directly(outer: Kolben) -> None:
    outer.mount("/asgi", Recorder("asgi"))
    outer.mount("/wsgi", wsgi_app)
    outer.mount("/kolben", make_inner())
    mounts = Mounts(outer).by_prefix
    assert mounts["/asgi"].wsgi is None
    assert mounts["/kolben"].wsgi is not None
    assert mounts["/wsgi"].wsgi is not None


def test_under_wsgi_the_environ_is_shifted(outer: Kolben) -> None:
    outer.mount("/künstler", wsgi_app)
    mount = Mounts(outer).by_prefix["/künstler"]
    environ = {
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/kÃ¼nstler/x",
        "QUERY_STRING": "",
        "wsgi.input": BytesIO(),
    }
    given = dict(environ)
    said: Any = mount.wsgi(environ, lambda status, headers: None)  # type: ignore[misc]
    assert said == [repr(("/app/kÃ¼nstler", "/x", "", "", "", "")).encode()]
    assert environ == given


async def test_messages_pass_in_their_order(outer: Kolben, wire: Any) -> None:
    async def ticks() -> AsyncIterator[bytes]:
        for tick in range(3):
            yield b"%d" % tick

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for tick in ticks():
            await send({"type": "http.response.body", "body": tick, "more_body": True})
        await send({"type": "http.response.body"})

    outer.mount("/stream", stream)
    request = wire("/stream")
    await request.run(outer)
    assert [message.get("body") for message in request.sent] == [None, b"0", b"1", b"2", None]
