"""Applications made of messages, and requests to them without an event loop."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kolben.http.datastructures import Headers
from kolben.local import drive
from kolben.testing import Client, RequestBuilder


def scope_of(method: str, headers: Iterable[tuple[str, str]], **more: Any) -> dict[str, Any]:
    """A request's scope, as a server makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("testserver", 80),
        **more,
    }


@dataclass
class Answer:
    """What an application has sent."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> int:
        (status,) = [m["status"] for m in self.messages if m["type"] == "http.response.start"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        (fields,) = [m["headers"] for m in self.messages if m["type"] == "http.response.start"]
        names = [name.decode() for name, _ in fields]
        assert len(set(names)) == len(names), f"a header is there twice: {names}"
        return {name.decode(): value.decode("latin-1") for name, value in fields}

    @property
    def pieces(self) -> list[bytes]:
        return [m.get("body", b"") for m in self.messages if m["type"] == "http.response.body"]

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


class Ask:
    """Makes requests of applications that must answer without ever waiting."""

    scope_of = staticmethod(scope_of)

    def __call__(self, app: Any, method: str = "GET", **headers: str) -> Answer:
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return self.with_scope(app, scope_of(method, named))

    def with_scope(self, app: Any, scope: dict[str, Any]) -> Answer:
        answer = Answer()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            answer.messages.append(message)

        drive(app(scope, receive, send))
        return answer

    @staticmethod
    def app(*pieces: bytes, status: int = 200, **headers: str) -> Any:
        """An application that answers with these pieces, and announces no length by itself."""
        fields = [(n.replace("_", "-").encode(), v.encode("latin-1")) for n, v in headers.items()]

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": status, "headers": fields})
            for piece in pieces[:-1]:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": pieces[-1] if pieces else b""})

        return answer


@pytest.fixture
def ask() -> Ask:
    """``ask(application, method, **headers)`` gives what the application sends."""
    return Ask()


@dataclass
class Reply:
    """A response as the client has it."""

    status: int
    headers: Headers
    body: bytes


class Reach:
    """Makes requests to whole applications by one of the two protocols."""

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol

    def __call__(self, app: Any, path: str, method: str = "GET", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client = Client(app)
        if self.protocol == "asgi":
            response = client.open(path, method=method, headers=named)
            return Reply(response.status_code, response.headers, response.data)
        environ = RequestBuilder(app, path, method=method, headers=named).get_environ()
        body, status, fields = client.run_wsgi_app(environ, buffered=True)
        return Reply(int(status[:3]), fields, b"".join(body))


@pytest.fixture(params=["asgi", "wsgi"])
def reach(request: pytest.FixtureRequest) -> Reach:
    """``reach(application, path, method, **headers)``, once by ASGI and once by WSGI."""
    return Reach(request.param)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import an example of the documentation anew, and give its application."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs" / "examples"))
    loaded = []

    def load(name: str) -> Any:
        loaded.append(name)
        return importlib.import_module(name).app

    yield load
    for name in loaded:
        sys.modules.pop(name, None)
