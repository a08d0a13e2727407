"""The lifespan protocol: what runs before the first request and after the last.

:source: ASGI specification 3.0, Lifespan protocol 2.0.
"""

from __future__ import annotations

import os
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..context import current
from ..helpers.places import place_of
from ..local import running_backend
from ..pipeline.plan import Driver
from ..registry.mounts import MountRecord
from .mounted_wsgi import check_backend

if TYPE_CHECKING:
    from .._types import Message, Receive, Scope, Send
    from ..context import Kolben


_end: Any = object()


class Lifespan:
    """The functions of an application's lifespan, run in the order of registration."""

    def __init__(self) -> None:
        self._stack: AsyncExitStack | None = None
        self._process = 0

    def is_due(self, app: Kolben) -> bool:
        """Whether there is anything to start, and nobody has done so in this process.

        What mounts an application starts it too.
        """
        has_begun = self._stack is not None and self._process == os.getpid()
        return not has_begun and bool(
            app.before_serving_funcs
            or app.while_serving_gens
            or app.after_serving_funcs
            or any(mount.has_lifespan for mount in app.mounts)
        )

    async def startup(self, app: Kolben, driver: Driver) -> None:
        """Run the start functions, then start what is mounted, in the order of registration.

        What one of them raises undoes those before it.
        """
        async with app.app_context(), AsyncExitStack() as stack:
            for func in app.after_serving_funcs:
                stack.push_async_callback(driver(func))
            for func in app.before_serving_funcs:
                await driver(func)()
            for func in app.while_serving_gens:
                await stack.enter_async_context(_context_of(func, driver))
            for mounts in _by_application(app.mounts):
                await stack.enter_async_context(MountedLifespan(mounts))
            self._stack, self._process = stack.pop_all(), os.getpid()

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
            text = str(error) if isinstance(error, MountFailure) else repr(error)
            await send({"type": f"lifespan.{stage}.failed", "message": text})
            return
        await send({"type": f"lifespan.{stage}.complete"})
        if stage == "shutdown":
            return


def _by_application(mounts: Iterable[MountRecord]) -> list[list[MountRecord]]:
    """The mounts, those of one application together: it is started once."""
    together: dict[int, list[MountRecord]] = {}
    for mount in mounts:
        together.setdefault(id(mount.app), []).append(mount)
    return list(together.values())


class MountFailure(RuntimeError):
    """A mounted application could not start or stop; says which, and what it said."""


class MountedLifespan:
    """The lifespan of a mounted application, as a context manager around it.

    The application gets the protocol's messages, whatever framework it is made with. It runs in
    a task that belongs to nobody, since it lives as long as the server does, and what starts it
    and what stops it need not be one task.

    :param mounts: Where the application is mounted; their requests get its state.
    :source: ASGI specification 3.0, Lifespan protocol 2.0: an application that raises on the
        scope does not know the protocol.
    """

    def __init__(self, mounts: list[MountRecord]) -> None:
        self._mount = mounts[0]
        self._mounts = mounts
        self._state: dict[str, Any] = {}
        self._asked = False
        self._unknown = False
        self._failure: str | None = None
        self._error: BaseException | None = None

    async def __aenter__(self) -> None:
        """Start the application.

        :raises MountFailure: if that fails.
        """
        if self._mount.wsgi:
            return check_backend()
        from anyio import Event  # only what has mounts needs it, and it is dear to import

        self._started, self._stopping, self._stopped = Event(), Event(), Event()
        self._cancel = _spawn(self._run)
        try:
            await self._started.wait()
            self._check("startup")
        except BaseException:
            self._cancel()
            raise
        for mount in self._mounts:
            mount.state.update(self._state)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Stop the application.

        :param exc: What has failed before, and is shown together with a failure of this one.

        :raises MountFailure: if that fails, or if it ended with an error before.
        """
        if self._mount.wsgi:
            return
        self._stopping.set()
        try:
            await self._stopped.wait()
        except BaseException:
            self._cancel()
            raise
        for mount in self._mounts:
            mount.state.clear()
        self._check("shutdown", exc)

    def _check(self, stage: str, earlier: BaseException | None = None) -> None:
        if self._failure is not None:
            failure = MountFailure(
                f"The application at {self._mount} failed at its {stage}: {self._failure}"
            )
            failure.__context__ = last = self._error
            while last is not None and last.__context__ is not None:
                last = last.__context__
            (last or failure).__context__ = earlier
            raise failure

    async def _run(self) -> None:
        from anyio import get_cancelled_exc_class

        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._state,
        }
        try:
            await self._mount.app(scope, self._receive, self._send)
        except get_cancelled_exc_class():
            raise
        except BaseException as error:  # who waits for it gets it, and must not wait for ever
            if self._asked and not self._unknown:
                self._error = error
                self._failure = self._failure or repr(error)
        finally:
            self._started.set()
            self._stopped.set()

    async def _receive(self) -> Message:
        from anyio import sleep_forever

        if not self._asked:
            self._asked = True
            return {"type": "lifespan.startup"}
        if self._stopped.is_set():  # nothing will come; no task is left to wait for it
            self._cancel()
            await sleep_forever()
        await self._stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind: str = message["type"]
        if not kind.startswith("lifespan."):
            self._unknown = True
            raise RuntimeError(f"The lifespan protocol has no message {kind!r}.")
        if kind.endswith(".failed"):
            self._failure = message.get("message") or "it does not say why"
        if kind.startswith("lifespan.startup."):
            self._started.set()
        else:
            self._stopped.set()


def _spawn(main: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
    """Start a task that nobody waits for; what is returned cancels it, and keeps it alive."""
    if running_backend() == "trio":
        from trio import CancelScope, lowlevel  # it runs already

        scope = CancelScope()

        async def run() -> None:
            with scope:
                await main()

        lowlevel.spawn_system_task(run)
        return scope.cancel
    context = copy_context()
    context.run(current.set, None)  # type: ignore[arg-type]
    return get_running_loop().create_task(main(), context=context).cancel


async def refuse_websocket(app: Kolben, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a connection of a kind that the application has no routes for.

    :raises ValueError: for a scope that is not a websocket's.
    """
    if scope["type"] != "websocket":
        raise ValueError(f"{app!r} cannot serve a scope of type {scope['type']!r}.")
    await receive()
    await send({"type": "websocket.close", "code": 1000})
