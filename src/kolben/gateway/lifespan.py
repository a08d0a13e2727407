"""The lifespan protocol: what runs before the first request and after the last.

:source: ASGI specification 3.0, Lifespan protocol 2.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..helpers.places import place_of
from ..pipeline.plan import Driver

if TYPE_CHECKING:
    from .._types import Receive, Scope, Send
    from ..context import Kolben


_end: Any = object()


class Lifespan:
    """The functions of an application's lifespan, in the order of registration."""

    def __init__(self) -> None:
        self.before: list[Callable[[], Any]] = []
        self.during: list[Callable[[], Any]] = []
        self.after: list[Callable[[], Any]] = []
        self._stack: AsyncExitStack | None = None

    async def startup(self, app: Kolben, driver: Driver) -> None:
        """Run the start functions; what one of them raises undoes those before it."""
        async with app.app_context(), AsyncExitStack() as stack:
            for func in self.after:
                stack.push_async_callback(driver(func))
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
    generator = func()
    if not isinstance(generator, (AsyncIterator, Iterator)):
        raise TypeError(
            f"The while_serving function {getattr(func, '__name__', func)!r} ({place_of(func)})"
            " must be a generator with one 'yield', but it returned"
            f" {type(generator).__name__!r}. What needs no 'yield' is for before_serving."
        )

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        # Whatever another function raises, this one goes on after its yield.
        await _step(generator, driver)
        try:
            yield
        finally:
            if await _step(generator, driver) is not _end:
                raise RuntimeError(
                    f"The while_serving function {getattr(func, '__name__', func)!r}"
                    f" ({place_of(func)}) yielded a second time."
                )

    return run()


async def _step(generator: AsyncIterator[Any] | Iterator[Any], driver: Driver) -> Any:
    if isinstance(generator, AsyncIterator):
        return await anext(generator, _end)
    return await driver(next)(generator, _end)


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
