"""The application that every server runs: a view for each thing that is checked."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio

from kolben import (
    Blueprint,
    Kolben,
    Response,
    abort,
    after_this_request,
    current_app,
    flash,
    g,
    get_flashed_messages,
    redirect,
    request,
    session,
    stream_with_context,
    url_for,
)

PATIENCE = 60
token = os.environ["KOLBEN_TEST_TOKEN"]
folder = Path(os.environ["KOLBEN_TEST_FOLDER"])

app = Kolben(__name__, static_folder=folder / "static", instance_path=str(folder / "instance"))
app.secret_key = "only for these tests"
for name in ("happened", "released"):
    (folder / name).mkdir(exist_ok=True)

mixed = Blueprint("mixed", __name__, url_prefix="/mixed")
variable: ContextVar[str] = ContextVar("variable", default="unset")

# What happened, and what may go on, is in files, by the names that the tests give to their
# requests: a server may have many processes, or one that does one thing at a time.


def happened(name: str, event: str) -> None:
    with (folder / "happened" / quote(name, safe="")).open("a") as events:
        events.write(f"{event}\n")


def is_released(name: str) -> bool:
    return (folder / "released" / quote(name, safe="")).exists()


async def until_released(name: str) -> None:
    with anyio.fail_after(PATIENCE):
        while not is_released(name):
            await anyio.sleep(0.01)


def block_until_released(name: str) -> None:
    for _ in range(PATIENCE * 100):
        if is_released(name):
            return
        time.sleep(0.01)  # which greenlets know to be a pause
    raise TimeoutError(name)


def note(line: str) -> None:
    """Leave something behind that outlives the process."""
    with (folder / "notes").open("a") as notes:
        notes.write(f"{os.getpid()} {line}\n")


def both(path: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Serve a view twice: as an ``async def`` one, and below ``/def`` as it is."""

    def add(view: Callable[..., Any]) -> Callable[..., Any]:
        async def in_async(**values: Any) -> Any:
            return view(**values)

        app.add_url_rule(path, view.__name__, in_async, **options)
        app.add_url_rule(f"/def{path}", f"{view.__name__}_def", view, **options)
        return view

    return add


@app.before_serving
async def before() -> None:
    await anyio.sleep(0)
    note("before_serving")


@app.while_serving
async def during() -> AsyncIterator[None]:
    note("while_serving begins")
    yield
    note("while_serving ends")


@app.after_serving
def after() -> None:
    note("after_serving")


@app.teardown_request
def teardown(error: BaseException | None) -> None:
    if "name" in g:
        is_cancelled = error is not None and not isinstance(error, Exception)
        how = "cancelled" if is_cancelled else "none" if error is None else type(error).__name__
        happened(g.name, f"teardown: {how}")


# What the tests ask about the server ---------------------------------------------------------


@app.get("/ready")
def ready() -> dict[str, Any]:
    extensions = sorted(request.scope.get("extensions") or {})
    return {"token": token, "pid": os.getpid(), "extensions": extensions}


@app.get("/thread")
def thread() -> dict[str, bool]:
    return {"main": threading.current_thread() is threading.main_thread()}


# Text, JSON, forms ---------------------------------------------------------------------------


@both("/text")
def text() -> str:
    return "Grüße"


@both("/echo/<int:number>", methods=["GET", "POST"])
def echo(number: int) -> dict[str, Any]:
    return {
        "number": number,
        "method": request.method,
        "path": request.path,
        "query": request.args.to_dict(flat=False),
        "header": request.headers.get("X-Tester"),
        "url": request.url,
        "root_path": request.root_path,
        "client": request.remote_addr,
    }


@both("/segment/<name>")
def segment(name: str) -> dict[str, str]:
    return {"name": name, "url": url_for(str(request.endpoint), name=name)}


@both("/json", methods=["POST"])
def json() -> Any:
    return {"got": request.get_json()}


@both("/form", methods=["POST"])
def form() -> dict[str, Any]:
    return request.form.to_dict(flat=False)


@both("/upload", methods=["POST"], max_content_length=32 * 1024 * 1024)
def upload() -> dict[str, Any]:
    file = request.files["file"]
    size = total = 0
    while chunk := file.read(64 * 1024):
        size += len(chunk)
        total += sum(chunk)
    described = {"name": file.filename, "type": file.content_type, "size": size, "sum": total}
    return {"fields": request.form.to_dict(), **described}


@both("/body", methods=["POST"])
def body() -> dict[str, Any]:
    data = request.data
    return {"size": len(data), "sum": sum(data), "length": request.content_length}


@both("/unread", methods=["POST"])
def unread() -> str:
    return "not read"


@both("/stream/unread", methods=["POST"], stream=True)
def stream_unread() -> str:
    return "not read"


@app.post("/stream/in", stream=True, max_content_length=None)
async def stream_in() -> dict[str, int]:
    size = total = 0
    async for chunk in request.stream:
        size += len(chunk)
        total += chunk[0]
    return {"size": size}


@app.post("/def/stream/in", stream=True, max_content_length=None)
def stream_in_thread() -> dict[str, int]:
    return {"size": sum(map(len, request.stream))}


@app.post("/stream/in/<name>", stream=True)
async def stream_in_noted(name: str) -> str:
    g.name = name
    happened(name, "started")
    try:
        async for _ in request.stream:
            happened(name, "chunk")
        return "all of it"
    except BaseException as error:
        happened(name, type(error).__name__)
        raise
    finally:
        happened(name, "finally")


# Bodies that are sent bit by bit -------------------------------------------------------------


@app.get("/stream/pieces/<name>")
async def stream_async(name: str) -> AsyncIterator[bytes]:
    async def generate() -> AsyncIterator[bytes]:
        try:
            yield b"first "
            await until_released(f"{name} 1")
            yield b"second "
            await until_released(f"{name} 2")
            yield b"third"
        finally:
            happened(name, "closed")

    return generate()


@app.get("/def/stream/pieces/<name>")
def stream_sync(name: str) -> Iterator[bytes]:
    def generate() -> Iterator[bytes]:
        try:
            yield b"first "
            block_until_released(f"{name} 1")
            yield b"second "
            block_until_released(f"{name} 2")
            yield b"third"
        finally:
            happened(name, "closed")

    return generate()


@app.get("/stream/endless/<name>")
async def stream_endless(name: str) -> AsyncIterator[bytes]:
    g.name = name

    @stream_with_context
    async def generate() -> AsyncIterator[bytes]:
        try:
            while True:
                yield g.name.encode() * 100
                await anyio.sleep(0.01)
        finally:
            happened(name, "closed")

    return generate()


@app.get("/def/stream/endless/<name>")
def stream_endless_sync(name: str) -> Iterator[bytes]:
    def generate() -> Iterator[bytes]:
        try:
            while True:
                yield name.encode() * 100
                time.sleep(0.01)
        finally:
            happened(name, "closed")

    return generate()


@app.get("/stream/silent/<name>")
async def stream_silent(name: str) -> AsyncIterator[bytes]:
    async def generate() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await anyio.sleep_forever()
        finally:
            happened(name, "closed")

    return generate()


@app.get("/stream/broken")
async def stream_broken() -> AsyncIterator[bytes]:
    async def generate() -> AsyncIterator[bytes]:
        yield b"first"
        raise LookupError("expected of the stream")

    return generate()


@app.get("/def/stream/broken")
def stream_broken_sync() -> Iterator[bytes]:
    yield b"first"
    raise LookupError("expected of the stream")


# Waiting -------------------------------------------------------------------------------------


@app.route("/sleep/<name>", methods=["GET", "POST"])
async def sleep(name: str) -> str:
    g.name = name
    happened(name, "started")
    try:
        await anyio.sleep_forever()
    except BaseException as error:
        happened(name, "cancelled" if not isinstance(error, Exception) else repr(error))
        raise
    finally:
        happened(name, "finally")
    return "never"


@app.get("/def/sleep/<name>")
def sleep_in_thread(name: str) -> str:
    g.name = name
    happened(name, "started")
    block_until_released(name)
    happened(name, "ended")
    return "ended"


@app.get("/wait/<name>")
async def wait_for_release(name: str) -> str:
    happened(name, "started")
    await until_released(name)
    return "ended"


# Cookies, redirects, errors, statuses --------------------------------------------------------


@both("/cookie")
def cookie() -> Response:
    response = Response(request.cookies.get("taste", "none"))
    response.set_cookie("taste", "süß; sweet", httponly=True, samesite="Strict")
    response.set_cookie("colour", "red")
    return response


@both("/session", methods=["GET", "POST"])
def session_view() -> dict[str, Any]:
    if request.method == "POST":
        session["name"] = request.form["name"]
        flash(f"Hello {session['name']}")
        return {"name": session["name"]}
    return {"name": session.get("name"), "flashed": get_flashed_messages()}


@both("/folder/", methods=["GET", "POST"])
def with_slash() -> dict[str, Any]:
    return {"method": request.method, "query": request.query_string.decode()}


@both("/away")
def away() -> Response:
    return redirect(url_for("echo", number=7, q="ä b"))


@both("/broken")
def broken() -> str:
    raise LookupError("expected of the view: secret")


@both("/teapot")
def teapot() -> str:
    abort(418)


@both("/empty")
def empty() -> tuple[str, int]:
    return "", 204


@both("/tagged")
def tagged() -> Response:
    response = Response("the same text as before")
    response.add_etag()
    return response.make_conditional(request)


@both("/headers")
def headers() -> Response:
    response = Response("two of each")
    response.headers.add("X-Same", "one")
    response.headers.add("X-Same", "two")
    response.headers["X-Latin"] = request.headers.get("X-Latin", "café")
    return response


# Contexts ------------------------------------------------------------------------------------


@mixed.before_request
async def set_variable() -> None:
    if (value := request.args.get("variable")) is not None:
        variable.set(value)
        g.variable = value


@mixed.after_request
def show_variable(response: Response) -> Response:
    if "variable" in g:
        response.headers["X-Variable"] = variable.get()
    return response


@mixed.get("/<int:number>")
async def mixed_async(number: int) -> dict[str, Any]:
    session["number"] = number
    g.number = number
    before = variable.get()
    await anyio.sleep(0.001)
    variable.set(f"{before} seen")

    @after_this_request
    def add(response: Response) -> Response:
        response.headers["X-Number"] = f"{g.number}"
        return response

    return {"number": g.number, "session": session["number"], "variable": before}


@mixed.get("/def/<int:number>")
def mixed_def(number: int) -> dict[str, Any]:
    session["number"] = number
    g.number = number
    before = variable.get()
    time.sleep(0.001)
    variable.set(f"{before} seen")

    @after_this_request
    async def add(response: Response) -> Response:
        response.headers["X-Number"] = f"{g.number}"
        return response

    return {"number": g.number, "session": session["number"], "variable": before}


@app.get("/def/context/<int:number>")
def context(number: int) -> dict[str, Any]:
    """Nothing here is async: other requests of the thread, or of the hub, come in between."""
    session["number"] = number
    g.number = number
    variable.set(f"v{number}")
    time.sleep(0.01)
    return {
        "number": [number, g.number, session["number"]],
        "variable": variable.get(),
        "query": request.args["number"],
        "app": current_app.name,
    }


@app.get("/loop")
async def loop() -> dict[str, int]:
    """Which event loop this is, of which process."""
    await anyio.sleep(0.001)
    return {"pid": os.getpid(), "loop": id(asyncio.get_running_loop())}


app.register_blueprint(mixed)


async def talk() -> None:
    """What no WSGI server can serve."""


app.add_url_rule("/ws", view_func=talk, websocket=True)


# Under WSGI ----------------------------------------------------------------------------------


@app.get("/def/environ")
def environ() -> dict[str, Any]:
    found = request.scope["wsgi_environ"]
    return {"has_port": "REMOTE_PORT" in found, "client": request.remote_addr}


inner_wsgi_app = app.wsgi_app


def odd_server(environ: dict[str, Any], start_response: Any) -> Any:
    """Change what the server says, where a test asks for it; and see what becomes of a file."""
    if "HTTP_X_WITHOUT_PORT" in environ:
        environ.pop("REMOTE_PORT", None)
    name = environ.get("HTTP_X_FILE_WRAPPER")
    wrapper = environ.get("wsgi.file_wrapper")
    if name and wrapper is not None and not isinstance(wrapper, type):  # uWSGI's is a function

        def noted(*args: Any) -> Any:
            happened(name, "wrapped")
            return wrapper(*args)

        environ["wsgi.file_wrapper"] = noted
    body = inner_wsgi_app(environ, start_response)
    if name and isinstance(wrapper, type) and isinstance(body, wrapper):
        happened(name, "wrapped")
    return body


app.wsgi_app = odd_server  # type: ignore[method-assign]
