"""A client that leaves: seen while its request is at work, at no cost while nothing waits.

ASGI tells of a disconnect by a message that somebody must be waiting for. A task that waits
beside every request would cost more than most requests; so a request is first driven by hand,
and only when it has to wait for something is a watcher put beside it. Most of those that never
wait are over by then.
"""

from __future__ import annotations

from asyncio import CancelledError, Task, current_task, get_running_loop
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .._types import Receive

T = TypeVar("T")


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


@coroutine
def _resume(coro: Coroutine[Any, Any, T], pending: Any) -> Generator[Any, Any, T]:
    """Go on with a coroutine that was driven by hand until it first had to wait."""
    while True:
        try:
            value = yield pending
        except GeneratorExit:
            coro.close()
            raise
        except BaseException as error:
            try:
                pending = coro.throw(error)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
        else:
            try:
                pending = coro.send(value)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]


class Watcher:
    """Cancels the task that made it when the client leaves."""

    __slots__ = ("gone", "task", "watch")

    def __init__(self, receive: Receive) -> None:
        self.gone = False
        self.task: Task[Any] | None = current_task()
        self.watch = get_running_loop().create_task(self.cancel_when_gone(receive))

    async def cancel_when_gone(self, receive: Receive) -> None:
        if await until_gone(receive) and self.task is not None:
            self.gone = True
            self.task.cancel()

    def stop(self) -> None:
        self.task = None
        self.watch.cancel()


async def watched(coro: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Run a coroutine to its end, cancelled if the client leaves while it waits.

    :raises Gone: if it was.
    """
    try:
        pending = coro.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    watcher = Watcher(receive)
    task = watcher.task
    try:
        return await _resume(coro, pending)
    except CancelledError:
        # Whoever else cancelled this task must not find that it went on.
        if watcher.gone and task is not None and task.uncancel() == 0:
            raise Gone from None
        raise
    finally:
        watcher.stop()


async def watched_on_trio(coro: Coroutine[Any, Any, T], receive: Receive) -> T:
    """The same where anyio's cancel scopes are needed, which must stand around the whole.

    :raises Gone: if the client left.
    """
    from anyio import create_task_group

    result: list[T] = []
    error: BaseException | None = None
    gone = False

    async def watch() -> None:
        nonlocal gone
        if await until_gone(receive):
            gone = True
            group.cancel_scope.cancel()

    async with create_task_group() as group:
        group.start_soon(watch)
        try:
            result.append(await coro)
        except Exception as raised:  # a task group would wrap it
            error = raised
        group.cancel_scope.cancel()
    try:
        if error is not None:
            raise error
        if not result:
            raise Gone
        return result[0]
    finally:
        del error
