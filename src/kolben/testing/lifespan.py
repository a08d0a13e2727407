"""The lifespan of an application, in a test."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

import anyio

from ..gateway.background import BackgroundLoop
from .exchange import spawn

T = TypeVar("T")


class ClientLifespan(Generic[T]):
    """What :meth:`Client.lifespan` returns: a context manager, plain or async.

    :param app: The application that starts up and shuts down.
    :param state: What it leaves for requests; emptied first.
    :param client: What the context manager gives.
    :param background: Gives the event loop for code that has none.
    :source: ASGI's lifespan specification, version 2.0.
    """

    def __init__(
        self,
        app: Any,
        state: dict[str, Any],
        client: T,
        background: Callable[[], BackgroundLoop],
    ) -> None:
        self._app = app
        self._state = state
        self._client = client
        self._background = background
        self._error: BaseException | None = None

    def __enter__(self) -> T:
        self._loop = self._background()
        self._loop.run(self._start())
        return self._client

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._loop.run(self._stop())

    async def __aenter__(self) -> T:
        await self._start()
        return self._client

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        self._started, self._stopping, self._stopped = anyio.Event(), anyio.Event(), anyio.Event()
        self._received = 0
        spawn(self._run)
        await self._started.wait()
        self._raise()

    async def _stop(self) -> None:
        self._stopping.set()
        await self._stopped.wait()
        self._raise()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    async def _run(self) -> None:
        self._state.clear()
        scope: dict[str, Any] = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._state,
        }
        try:
            await self._app(scope, self._receive, self._send)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            self._error = self._error or error
        finally:
            self._started.set()
            self._stopped.set()

    async def _receive(self) -> dict[str, Any]:
        self._received += 1
        if self._received == 1:
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind.endswith(".failed"):
            self._error = RuntimeError(f"{kind}: {message.get('message', '')}")
        if kind.startswith("lifespan.startup."):
            self._started.set()
        else:
            self._stopped.set()
