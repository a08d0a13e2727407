"""The application that every server runs: a view for each thing that is checked."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import anyio

from kolben import (
    Kolben,
    Response,
    abort,
    after_this_request,
    g,
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

#: What happened, by the names that the tests give to their requests.
happened: defaultdict[str, list[str]] = defaultdict(list)
#: Names whose requests may go on.
released: set[str] = set()
variable: ContextVar[str] = ContextVar("variable", default="unset")


def note(line: str) -> None:
    """Leave something behind that outlives the process."""
    with (folder / "notes").open("a") as notes:
        notes.write(f"{line}\n")


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
        happened[g.name].append(f"teardown: {how}")


# What the tests ask about the server ---------------------------------------------------------


@app.get("/ready")
async def ready() -> dict[str, Any]:
    extensions = sorted(request.scope.get("extensions") or {})
    return {"token": token, "pid": os.getpid(), "extensions": extensions}


@app.get("/happened/<name>")
async def what_happened(name: str) -> list[str]:
    return list(happened[name])


@app.post("/release/<name>")
async def release(name: str) -> str:
    released.add(name)
    return "released"


async def until_released(name: str) -> None:
    with anyio.fail_after(PATIENCE):
        while name not in released:
            await anyio.sleep(0.01)


def block_until_released(name: str) -> None:
    waiter = threading.Event()
    for _ in range(PATIENCE * 100):
        if name in released:
            return
        waiter.wait(0.01)
    raise TimeoutError(name)


# Text, JSON, forms ---------------------------------------------------------------------------


@app.get("/text")
async def text() -> str:
    return "Grüße"


@app.get("/text/def")
def text_in_thread() -> str:
    return f"{threading.current_thread() is threading.main_thread()}"


@app.route("/echo/<int:number>", methods=["GET", "POST"])
async def echo(number: int) -> dict[str, Any]:
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


@app.get("/segment/<name>")
async def segment(name: str) -> dict[str, str]:
    return {"name": name, "url": url_for("segment", name=name)}


@app.post("/json")
async def json() -> Any:
    return {"got": request.get_json()}


@app.post("/form")
async def form() -> dict[str, Any]:
    return request.form.to_dict(flat=False)


@app.post("/form/def")
def form_in_thread() -> dict[str, Any]:
    return request.form.to_dict(flat=False)


def described(upload: Any) -> dict[str, Any]:
    size = total = 0
    while chunk := upload.read(64 * 1024):
        size += len(chunk)
        total += sum(chunk)
    return {"name": upload.filename, "type": upload.content_type, "size": size, "sum": total}


@app.post("/upload")
async def upload() -> dict[str, Any]:
    return {"fields": request.form.to_dict(), **described(request.files["file"])}


@app.post("/upload/def")
def upload_in_thread() -> dict[str, Any]:
    return {"fields": request.form.to_dict(), **described(request.files["file"])}


@app.post("/body")
async def body() -> dict[str, Any]:
    data = request.data
    return {"size": len(data), "sum": sum(data), "length": request.content_length}


@app.post("/unread")
async def unread() -> str:
    return "not read"


@app.post("/stream/unread", stream=True)
async def stream_unread() -> str:
    return "not read"


@app.post("/stream/in", stream=True, max_content_length=None)
async def stream_in() -> dict[str, int]:
    size = total = 0
    async for chunk in request.stream:
        size += len(chunk)
        total += chunk[0]
    return {"size": size}


@app.post("/stream/in/def", stream=True, max_content_length=None)
def stream_in_thread() -> dict[str, int]:
    return {"size": sum(map(len, request.stream))}


@app.post("/stream/in/<name>", stream=True)
async def stream_in_noted(name: str) -> str:
    g.name = name
    happened[name].append("started")
    try:
        async for _ in request.stream:
            happened[name].append("chunk")
        return "all of it"
    except BaseException as error:
        happened[name].append(type(error).__name__)
        raise
    finally:
        happened[name].append("finally")


# Bodies that are sent bit by bit -------------------------------------------------------------


@app.get("/stream/async/<name>")
async def stream_async(name: str) -> AsyncIterator[bytes]:
    async def generate() -> AsyncIterator[bytes]:
        try:
            yield b"first "
            await until_released(f"{name} 1")
            yield b"second "
            await until_released(f"{name} 2")
            yield b"third"
        finally:
            happened[name].append("closed")

    return generate()


@app.get("/stream/sync/<name>")
def stream_sync(name: str) -> Iterator[bytes]:
    def generate() -> Iterator[bytes]:
        try:
            yield b"first "
            block_until_released(f"{name} 1")
            yield b"second "
            block_until_released(f"{name} 2")
            yield b"third"
        finally:
            happened[name].append("closed")

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
            happened[name].append("closed")

    return generate()


@app.get("/stream/endless/def/<name>")
def stream_endless_sync(name: str) -> Iterator[bytes]:
    def generate() -> Iterator[bytes]:
        waiter = threading.Event()
        try:
            while True:
                yield name.encode() * 100
                waiter.wait(0.01)
        finally:
            happened[name].append("closed")

    return generate()


@app.get("/stream/silent/<name>")
async def stream_silent(name: str) -> AsyncIterator[bytes]:
    async def generate() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await anyio.sleep_forever()
        finally:
            happened[name].append("closed")

    return generate()


@app.get("/stream/broken")
async def stream_broken() -> AsyncIterator[bytes]:
    async def generate() -> AsyncIterator[bytes]:
        yield b"first"
        raise LookupError("expected of the stream")

    return generate()


# Waiting -------------------------------------------------------------------------------------


@app.route("/sleep/<name>", methods=["GET", "POST"])
async def sleep(name: str) -> str:
    g.name = name
    happened[name].append("started")
    try:
        await anyio.sleep_forever()
    except BaseException as error:
        happened[name].append("cancelled" if not isinstance(error, Exception) else repr(error))
        raise
    finally:
        happened[name].append("finally")
    return "never"


@app.get("/sleep/def/<name>")
def sleep_in_thread(name: str) -> str:
    g.name = name
    happened[name].append("started")
    block_until_released(name)
    happened[name].append("ended")
    return "ended"


@app.get("/wait/<name>")
async def wait_for_release(name: str) -> str:
    happened[name].append("started")
    await until_released(name)
    return "ended"


@app.get("/wait/file/<name>")
async def wait_for_file(name: str) -> str:
    """For what ends when the server takes no new requests any more."""
    happened[name].append("started")
    with anyio.fail_after(PATIENCE):
        while not (folder / name).exists():
            await anyio.sleep(0.01)
    return "ended"


# Cookies, redirects, errors, statuses --------------------------------------------------------


@app.get("/cookie")
async def cookie() -> Response:
    response = Response(request.cookies.get("taste", "none"))
    response.set_cookie("taste", "süß; sweet", httponly=True, samesite="Strict")
    return response


@app.route("/session", methods=["GET", "POST"])
async def session_view() -> dict[str, Any]:
    if request.method == "POST":
        session["name"] = request.form["name"]
    return {"name": session.get("name")}


@app.route("/folder/", methods=["GET", "POST"])
async def with_slash() -> dict[str, Any]:
    return {"method": request.method, "query": request.query_string.decode()}


@app.get("/away")
async def away() -> Response:
    return redirect(url_for("echo", number=7, q="ä b"))


@app.get("/broken")
async def broken() -> str:
    raise LookupError("expected of the view: secret")


@app.get("/broken/def")
def broken_in_thread() -> str:
    raise LookupError("expected of the thread: secret")


@app.get("/teapot")
async def teapot() -> str:
    abort(418)


@app.get("/empty")
async def empty() -> tuple[str, int]:
    return "", 204


@app.get("/tagged")
async def tagged() -> Response:
    response = Response("the same text as before")
    response.add_etag()
    return response.make_conditional(request)


@app.get("/headers")
async def headers() -> Response:
    response = Response("two of each")
    response.headers.add("X-Same", "one")
    response.headers.add("X-Same", "two")
    return response


# Contexts ------------------------------------------------------------------------------------


@app.before_request
async def set_variable() -> None:
    if (value := request.args.get("variable")) is not None:
        variable.set(value)
        g.variable = value


@app.after_request
def show_variable(response: Response) -> Response:
    if "variable" in g:
        response.headers["X-Variable"] = variable.get()
    return response


@app.get("/mixed/<int:number>")
async def mixed(number: int) -> dict[str, Any]:
    return await answer_mixed(number)


@app.get("/mixed/def/<int:number>")
def mixed_in_thread(number: int) -> dict[str, Any]:
    session["number"] = number
    g.number = number
    before = variable.get()
    threading.Event().wait(0.001)
    variable.set(f"{before} seen")

    @after_this_request
    async def add(response: Response) -> Response:
        response.headers["X-Number"] = f"{g.number}"
        return response

    return {"number": g.number, "session": session["number"], "variable": before}


async def answer_mixed(number: int) -> dict[str, Any]:
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
