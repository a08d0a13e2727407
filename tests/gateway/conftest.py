"""Raw ASGI and raw WSGI, for what a test client hides."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from typing import Any
from wsgiref.validate import validator

import anyio
import pytest

from kolben.gateway.process import worker_process


class Wire:
    """A server's side of one request: what it gives and what it got.

    :param path: The path, with a query after ``?``.
    :param messages: What ``receive`` gives, in order; then it waits until :meth:`leave`.
    """

    def __init__(self, path: str = "/", method: str = "GET", messages: Any = None, **scope: Any):
        path, _, query = path.partition("?")
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
            **scope,
        }
        if messages is None:
            messages = [{"type": "http.request", "body": b"", "more_body": False}]
        self.messages = list(messages)
        self.sent: list[dict[str, Any]] = []
        self.received = 0
        self.gone = anyio.Event()
        #: Is called with each message that the application sends.
        self.on_send: Callable[[dict[str, Any]], Any] = lambda message: None

    async def receive(self) -> dict[str, Any]:
        self.received += 1
        if self.messages:
            return self.messages.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self.on_send(message)
        await anyio.lowlevel.checkpoint()

    def leave(self) -> None:
        self.gone.set()

    async def run(self, app: Any) -> None:
        await app(self.scope, self.receive, self.send)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.sent[1:])

    @property
    def complete(self) -> bool:
        """Whether the last message of the body was sent."""
        last = self.sent[-1] if self.sent else {"type": ""}
        return last["type"] == "http.response.body" and not last.get("more_body", False)


@pytest.fixture
def wire() -> type[Wire]:
    return Wire


class ExactInput(BytesIO):
    """A body that ends with its connection: who reads past it would wait for ever."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = len(self.getbuffer()) - self.tell()
        assert size is not None and 0 <= size <= left, f"read({size}) of {left} bytes"
        return super().read(size)


class Exchange:
    """A WSGI server's side of one request.

    :param path: The path below ``SCRIPT_NAME``, as text, with a query after ``?``.
    :param body: The request's body. It is announced by its length, unless ``environ`` announces it.
    :param validated: Have the standard library look at everything that is said.
    :param environ: What is different in the environ; ``None`` takes a name out.
    """

    def __init__(
        self,
        app: Any,
        path: str = "/",
        method: str = "GET",
        body: bytes | None = None,
        validated: bool = True,
        **environ: Any,
    ) -> None:
        self.app = validator(app) if validated else app
        path, _, query = path.partition("?")
        self.environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": ExactInput(body or b""),
            "wsgi.errors": StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if body is not None:
            self.environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in environ.items():
            name = name.replace("wsgi_", "wsgi.")
            self.environ[name] = value
            if value is None:
                del self.environ[name]
        self.started: list[tuple[str, list[tuple[str, str]]]] = []
        self.pieces: list[bytes] = []

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        assert not self.started, "started twice"
        self.started.append((status, headers))
        return self.pieces.append

    def begin(self) -> Exchange:
        """Call the application."""
        self.returned = self.app(self.environ, self.start_response)
        self._pieces = iter(self.returned)
        return self

    def take(self) -> bytes:
        """Take the next part of the body that is not empty."""
        piece = next((piece for piece in self._pieces if piece), b"")
        assert isinstance(piece, bytes)
        self.pieces.append(piece)
        return piece

    def finish(self) -> Exchange:
        """Take all the rest, and close."""
        try:
            while self.take():
                pass
        finally:
            self.close()
        return self

    def close(self) -> None:
        """What a server does at the end, or when the client leaves."""
        if hasattr(self.returned, "close"):
            self.returned.close()

    @property
    def line(self) -> str:
        return self.started[0][0]

    @property
    def status(self) -> int:
        return int(self.line[:3])

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.started[0][1]}

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


@pytest.fixture
def exchange() -> Iterator[type[Exchange]]:
    """A request over WSGI; what the process has begun for it is ended after the test."""
    before = set(threading.enumerate())
    yield Exchange
    worker_process().end()
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert "kolben-loop" not in left, "the event loop is still there"


@pytest.fixture
def ask(exchange: type[Exchange]) -> Callable[..., Exchange]:
    """``ask(app, path, method, body, **environ)``: a whole request over WSGI."""

    def ask(*args: Any, **kwargs: Any) -> Exchange:
        return exchange(*args, **kwargs).begin().finish()

    return ask


def as_async(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        return func(*args, **kwargs)

    return waiting


@pytest.fixture(params=["def", "async def"])
def colour(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a function a ``def``, which it is, or an ``async def`` that really waits."""
    return as_async if request.param == "async def" else lambda func: func


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """``until(condition)`` waits for what another thread is about to do."""

    def until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return until
