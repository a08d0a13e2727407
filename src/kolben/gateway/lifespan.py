"""The lifespan protocol: what runs before the first request and after the last.

:source: ASGI specification 3.0, Lifespan protocol 2.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from inspect import isasyncgenfunction
from typing import TYPE_CHECKING, Any

from ..pipeline.plan import Driver

if TYPE_CHECKING:
    from .._types import Receive, Scope, Send
    from ..context import Kolben


class Lifespan:
    """The functions of an application's lifespan, in the order of registration."""

    def __init__(self) -> None:
        self.before: list[Callable[[], Any]] = []
        self.during: list[Callable[[], Any]] = []
        self.after: list[Callable[[], Any]] = []
        self._stack: AsyncExitStack | None = None

    async def startup(self, app: Kolben, driver: Driver) -> None:
        """Run the start functions; what one of them raises undoes those before it."""
        async with AsyncExitStack() as stack:
            for func in self.after:
                stack.push_async_callback(driver(func))
            async with app.app_context():
                for func in self.before:
                    await driver(func)()
                for func in self.during:
                    await stack.enter_async_context(_context_of(func, driver))
            self._stack = stack.pop_all()

    async def shutdown(self, app: Kolben) -> None:
        """Undo the startup, last first."""
        stack, self._stack = self._stack, None
        if stack is not None:
            async with app.app_context():
                await stack.aclose()


def _context_of(func: Callable[[], Any], driver: Driver) -> Any:
    if isasyncgenfunction(func):
        return asynccontextmanager(func)()

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        generator: Iterator[Any] = func()
        await driver(next)(generator, None)
        yield
        await driver(next)(generator, None)

    return run()


async def serve_lifespan(app: Kolben, receive: Receive, send: Send) -> None:
    """Answer the server's startup and shutdown messages."""
    while True:
        message = await receive()
        stage = message["type"].removeprefix("lifespan.")
        try:
            if stage == "startup":
                await app.startup()
            else:
                await app.shutdown()
        except Exception as error:
            app.logger.exception("The application failed at its %s", stage)
            await send({"type": f"lifespan.{stage}.failed", "message": repr(error)})
            return
        await send({"type": f"lifespan.{stage}.complete"})
        if stage == "shutdown":
            return


async def refuse_websocket(app: Kolben, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a connection of a kind that the application has no routes for.

    :raises ValueError: for a scope that is not a websocket's.
    """
    if scope["type"] != "websocket":
        raise ValueError(f"{app!r} cannot serve a scope of type {scope['type']!r}.")
    await receive()
    await send({"type": "websocket.close", "code": 1000})
