"""Requests leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from kolben import Kolben, after_this_request, g, render_template_string, request, session
from kolben.gateway.process import worker_process
from kolben.local import drive

Message = dict[str, Any]
STATM = Path("/proc/self/statm")
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def make_app() -> Kolben:
    app = Kolben(__name__)
    app.secret_key = "only for this test"

    @app.before_request
    async def before() -> None:
        g.user = "Ada"

    @app.after_request
    async def after(response: Any) -> Any:
        response.headers["X-User"] = g.user
        return response

    @app.get("/async/<int:number>")
    async def on_loop(number: int) -> dict[str, int]:
        return {"number": number, "limit": request.args.get("limit", 0, type=int)}

    @app.post("/form")
    async def form() -> str:
        session["name"] = request.form["name"]
        return render_template_string("Hello {{ request.form.name }}")

    @app.get("/stream/<int:number>")
    async def stream(number: int) -> Any:
        @after_this_request
        def mark(response: Any) -> Any:
            response.headers["X-Stream"] = str(number)
            return response

        async def chunks() -> Any:
            yield b"a"
            yield b"b"

        return chunks()

    @app.get("/broken")
    async def broken() -> str:
        raise LookupError("broken")

    @app.errorhandler(LookupError)
    def handle(error: LookupError) -> tuple[str, int]:
        return str(error), 500

    @app.get("/def/<name>")
    def in_thread(name: str) -> str:
        return name

    return app


async def ask(app: Any, method: str, path: str, query: str = "", body: bytes = b"") -> list[Any]:
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    headers = [(b"host", b"localhost"), (b"accept", b"*/*")]
    if body:
        headers.append((b"content-type", b"application/x-www-form-urlencoded"))
        headers.append((b"content-length", str(len(body)).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    return messages


async def some(app: Kolben, numbers: range) -> None:
    """Requests of every kind; mostly cheap ones, so that 100,000 take seconds."""
    for n in numbers:
        kind = n % 40
        if kind == 0:
            answer = await ask(app, "POST", "/form", body=f"name=user{n}".encode())
            status = 200
        elif kind == 1:
            answer, status = await ask(app, "GET", f"/stream/{n}"), 200
        elif kind == 2:
            answer, status = await ask(app, "GET", "/broken"), 500
        elif kind == 3:
            answer, status = await ask(app, "GET", f"/missing/{n}"), 404
        elif kind == 4:
            answer, status = await ask(app, "GET", f"/def/user{n}"), 200
        else:
            answer, status = await ask(app, "GET", f"/async/{n}", f"limit={n}"), 200
            assert json.loads(answer[1]["body"]) == {"number": n, "limit": n}
        assert answer[0]["status"] == status


def allocated() -> tuple[int, int, int]:
    """Objects that the collector knows, blocks of Python's allocator, resident bytes."""
    gc.collect()
    resident = int(STATM.read_text().split()[1]) * PAGE if STATM.exists() else 0
    return len(gc.get_objects()), sys.getallocatedblocks(), resident


async def growth(work: Callable[[range], Awaitable[None]]) -> list[int]:
    """By how much requests 10,000 to 100,000 grow what is allocated."""
    await work(range(10_000))
    before = allocated()
    await work(range(10_000, 100_000))
    return [now - then for now, then in zip(allocated(), before, strict=True)]


@pytest.mark.timeout(300)
def test_100_000_requests_leave_memory_where_it_was() -> None:
    app = make_app()
    objects, blocks, resident = asyncio.run(growth(lambda numbers: some(app, numbers)))
    # Not an object or a block in a hundred requests: caches that fill, at most.
    assert objects < 900
    assert blocks < 900
    assert resident < 4 * 1024 * 1024


# Over WSGI ----------------------------------------------------------------------------------


def make_wsgi_app() -> Kolben:
    app = Kolben(__name__)
    app.secret_key = "only for this test"

    @app.get("/def/<int:number>")
    def in_thread(number: int) -> dict[str, int]:
        g.number = number
        return {"number": g.number, "limit": request.args.get("limit", 0, type=int)}

    @app.get("/async/<int:number>")
    async def on_loop(number: int) -> dict[str, int]:
        await asyncio.sleep(0)
        return {"number": number}

    @app.post("/form")
    def form() -> str:
        session["name"] = request.form["name"]
        return render_template_string("Hello {{ request.form.name }}")

    @app.get("/stream/<int:number>")
    def stream(number: int) -> Any:
        return iter((b"a", str(number)))

    @app.get("/left/<int:number>")
    async def left(number: int) -> Any:
        async def pieces() -> Any:
            yield bytes(70_000)
            await asyncio.Event().wait()

        return pieces()

    @app.get("/broken")
    def broken() -> str:
        raise LookupError("broken")

    @app.errorhandler(LookupError)
    def handle(error: LookupError) -> tuple[str, int]:
        return str(error), 500

    return app


def ask_over_wsgi(app: Kolben, method: str, path: str, query: str = "", body: bytes = b"") -> Any:
    started: list[Any] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "*/*",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }
    if body:
        environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
        environ["CONTENT_LENGTH"] = str(len(body))
    answer = iter(chunks := app(environ, lambda *args: started.append(args)))
    if path.startswith("/left/"):
        next(answer)  # and no more
    else:
        for _ in answer:
            pass
    if hasattr(chunks, "close"):
        chunks.close()
    ((status, _),) = started
    return status[:3]


async def some_over_wsgi(app: Kolben, numbers: range) -> None:
    """Requests of every kind that a server's thread makes; not to be awaited on a loop."""
    for n in numbers:
        kind = n % 80
        if kind == 0:
            body = f"name=user{n}".encode()
            answer, status = ask_over_wsgi(app, "POST", "/form", body=body), "200"
        elif kind == 1:
            answer, status = ask_over_wsgi(app, "GET", f"/stream/{n}"), "200"
        elif kind == 2:
            answer, status = ask_over_wsgi(app, "GET", "/broken"), "500"
        elif kind == 3:
            answer, status = ask_over_wsgi(app, "GET", f"/missing/{n}"), "404"
        elif kind == 4:
            answer, status = ask_over_wsgi(app, "GET", f"/left/{n}"), "200"
        elif kind < 8:
            answer, status = ask_over_wsgi(app, "GET", f"/async/{n}"), "200"
        else:
            answer, status = ask_over_wsgi(app, "GET", f"/def/{n}", f"limit={n}"), "200"
        assert answer == status


@pytest.mark.timeout(300)
def test_100_000_requests_over_wsgi_leave_memory_where_it_was() -> None:
    app = make_wsgi_app()
    try:
        objects, blocks, resident = drive(growth(lambda numbers: some_over_wsgi(app, numbers)))
    finally:
        worker_process().end()
    assert objects < 900
    assert blocks < 900
    assert resident < 4 * 1024 * 1024
