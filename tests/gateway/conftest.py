"""Raw ASGI, for what a test client hides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest


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
