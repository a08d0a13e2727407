"""A client that leaves: seen while its request is at work, at no cost while nothing waits.

ASGI tells of a disconnect by a message that somebody must be waiting for. A task that waits
beside every request would cost more than most requests; so a request is first driven by hand,
and only when it has to wait for something is a watcher put beside it. Most of those that never
wait are over by then.
"""

from __future__ import annotations

from asyncio import CancelledError, _get_running_loop, current_task
from collections.abc import Awaitable, Coroutine, Generator
from types import coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._types import Receive


class Gone(Exception):
    """The client has left; the work for it was cancelled."""


async def until_gone(receive: Receive) -> bool:
    """Wait for the client to leave; false if the server will not tell."""
    ended = False
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return True
        if ended:  # a server that repeats itself would keep this loop busy
            return False
        ended = not message.get("more_body", False)


class Watcher:
    """Cancels the task that made it when the client leaves."""

    __slots__ = ("gone", "task", "watch")

    def __init__(self, receive: Receive) -> None:
        self.gone = False
        task = self.task = current_task()
        assert task is not None  # the caller's
        self.watch = task.get_loop().create_task(self.cancel_when_gone(receive))

    async def cancel_when_gone(self, receive: Receive) -> None:
        """Wait for the client to leave, and cancel the task then."""
        if await until_gone(receive) and self.task is not None:
            self.gone = True
            self.task.cancel()

    def cancelled_alone(self) -> bool:
        """Whether nobody else wanted to cancel the task, so that it may go on."""
        return self.gone and self.task is not None and self.task.uncancel() == 0

    def stop(self) -> None:
        """Stop watching: the request is over."""
        self.task = None
        self.watch.cancel()
        del self.watch  # which will keep its error, and by the traceback this object


@coroutine
def watched(coro: Coroutine[Any, Any, None], receive: Receive) -> Generator[Any, Any, None]:
    """Run a coroutine to its end, cancelled if the client leaves while it waits.

    A generator, because only that can see the coroutine wait: what it then yields is passed on
    to the event loop from here. Iterating, rather than ``send``, costs no exception where the
    coroutine ends without having waited.

    :raises Gone: if it was cancelled for that.
    """
    for pending in coro.__await__():
        watcher = Watcher(receive)
        try:
            yield from _resume(coro, pending)
        except CancelledError:
            if watcher.cancelled_alone():
                raise Gone from None
            raise
        finally:
            watcher.stop()
        return


def _resume(coro: Coroutine[Any, Any, None], pending: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was driven by hand until it first had to wait."""
    try:
        while True:
            try:
                value = yield pending
            except GeneratorExit:
                coro.close()
                raise
            except BaseException as error:
                pending = coro.throw(error)
            else:
                pending = coro.send(value)
    except StopIteration:
        return


async def watched_on_trio(coro: Coroutine[Any, Any, None], receive: Receive) -> None:
    """The same where anyio's cancel scopes are needed, which must stand around the whole.

    :raises Gone: if the client left.
    """
    from anyio import create_task_group  # not needed on asyncio, and dear to import

    error: BaseException | None = None
    gone = done = False

    async def watch() -> None:
        nonlocal gone
        if await until_gone(receive):
            gone = True
            group.cancel_scope.cancel()

    async with create_task_group() as group:
        group.start_soon(watch)
        try:
            await coro
            done = True
        except Exception as raised:  # a task group would wrap it
            error = raised
        group.cancel_scope.cancel()
    try:
        if error is not None:
            raise error
        if gone and not done:
            raise Gone
    finally:
        del error


def watch(coro: Coroutine[Any, Any, None], receive: Receive) -> Awaitable[None]:
    """Run a coroutine to its end, cancelled if the client leaves while it waits.

    :raises Gone: if it was cancelled for that.
    """
    if _get_running_loop() is not None:
        return watched(coro, receive)
    return watched_on_trio(coro, receive)
