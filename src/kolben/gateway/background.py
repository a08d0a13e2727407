"""Event loops in threads of their own: for WSGI, and for test clients that are called without one."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar, cast

from ..pipeline.native import mailbox, start_thread, waiting

T = TypeVar("T")
#: Seconds that cancelled tasks get to end when a loop is closed.
_GRACE = 5.0


class BackgroundLoop:
    """An asyncio loop that runs in one background thread until nobody needs it any more.

    The thread starts with the object and ends when :meth:`close` is called, when the object
    is freed, or when the interpreter exits. Neither thread nor loop knows the object, so that
    nothing keeps it alive but those who use it.

    :param name: What the thread is called.
    """

    def __init__(self, name: str) -> None:
        stop = asyncio.Event()
        # Made by its own thread: under gevent it waits in that thread's hub, where threads that
        # are greenlets, anyio's for one, run meanwhile.
        made = mailbox()
        join = start_thread(_serve, name, stop, made.put)
        loop = made.get()
        made.close()
        if not isinstance(loop, asyncio.AbstractEventLoop):
            raise loop
        self.loop = loop
        #: Who needs it: clients, and responses that are being streamed.
        self.users: weakref.WeakSet[Any] = weakref.WeakSet()
        self._close = weakref.finalize(self, _stop, loop, stop, join, os.getpid())

    def spawn(
        self,
        main: Callable[[], Coroutine[Any, Any, None]],
        context: Context,
        then: Callable[[], object],
    ) -> None:
        """Start a task on the loop, from any other thread.

        :param main: The task's coroutine function.
        :param context: The task's own context variables.
        :param then: Called on the loop when the task has ended and nothing there refers to
            ``main`` any more.
        """
        if not self._close.alive:
            raise RuntimeError(
                "The event loop has been closed, with the client that it belonged to."
            )
        self.loop.call_soon_threadsafe(_create_task, self.loop, main, context, then)

    @property
    def closed(self) -> bool:
        """Whether the loop has ended."""
        return not self._close.alive

    def run(self, awaitable: Awaitable[T]) -> T:
        """Wait for an awaitable that runs on the loop with the caller's context variables."""
        with waiting() as box:
            answer: list[tuple[T | None, BaseException | None]] = []

            async def main() -> None:
                try:
                    answer.append((await awaitable, None))
                except BaseException as error:
                    answer.append((None, error))
                box.put(answer)

            self.spawn(main, copy_context(), _nothing)
            box.wait_for(lambda item: item is answer)
        ((value, error),) = answer
        answer.clear()
        if error is not None:
            raise error
        return cast("T", value)

    def call(self, func: Callable[..., object], *args: Any) -> None:
        """Call a function on the loop's thread; nothing happens where the loop has ended."""
        if self._close.alive:
            self.loop.call_soon_threadsafe(func, *args)

    def close(self) -> None:
        """Cancel what still runs on the loop, and wait until thread and loop have ended."""
        self._close()


def _create_task(
    loop: asyncio.AbstractEventLoop,
    main: Callable[[], Coroutine[Any, Any, None]],
    context: Context,
    then: Callable[[], object],
) -> None:
    task = loop.create_task(main(), context=context)
    _running.add(task)

    def ended(task: asyncio.Task[None]) -> None:
        _running.discard(task)
        then()

    task.add_done_callback(ended)


def _nothing() -> None:
    """What follows a task that was waited for."""


#: A loop refers to its tasks weakly.
_running: set[asyncio.Task[None]] = set()


def _serve(stop: asyncio.Event, made: Callable[[object], None]) -> None:
    try:
        loop = asyncio.new_event_loop()
    except Exception as error:
        return made(error)
    made(loop)

    async def stopped() -> None:
        await stop.wait()

    root = loop.create_task(stopped())
    _drive(loop, root)
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    _drive(loop, loop.create_task(_ended(tasks)))
    _drive(loop, loop.create_task(loop.shutdown_asyncgens()))
    _drive(loop, loop.create_task(loop.shutdown_default_executor()))
    loop.close()


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=_GRACE)


def _drive(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    while not task.done():
        try:
            loop.run_until_complete(task)
        except (KeyboardInterrupt, SystemExit):
            # asyncio lets these two out of the loop as well as storing them in the task. The
            # caller of the client gets them from there.
            continue


def _stop(
    loop: asyncio.AbstractEventLoop, stop: asyncio.Event, join: Callable[[], object], pid: int
) -> None:
    if loop.is_closed() or pid != os.getpid():  # a fork has no part of it
        return
    try:
        running = asyncio._get_running_loop()
        loop.call_soon_threadsafe(stop.set)
    except RuntimeError:  # closed in between
        return
    if running is not loop:
        join()
