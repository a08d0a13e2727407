"""A client that leaves: seen while its request is at work, at no cost while nothing waits.

ASGI tells of a disconnect by a message that somebody must be waiting for. A task that waits
beside every request would cost more than most requests; so a request is first driven by hand,
and only when it has to wait for something is a watcher put beside it. Most of those that never
wait are over by then.
"""

from __future__ import annotations

from asyncio import CancelledError, Task, _get_running_loop, current_task, get_running_loop
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import coroutine
from typing import TYPE_CHECKING, Any

from ..exceptions import ClientDisconnected
from ..local import running_backend
from ..pipeline.run import TEARDOWN_SECONDS

if TYPE_CHECKING:
    from .._types import Message, Receive, Send
    from ..context import Context


class Gone(ClientDisconnected):
    """The client has left; the work for it was cancelled."""


async def deliver(send: Send, message: Message) -> None:
    """Send a message of a response that may take its time.

    :raises Gone: if the server says that the client has left, which it does by
        :exc:`OSError` since ASGI's version 2.4.
    """
    try:
        if _get_running_loop() is None and ends_response(message) and running_backend():
            from anyio import CancelScope  # as in watched_on_trio

            # Within this a server closes the connection, and tells of that while it does.
            with CancelScope(shield=True):
                await send(message)
        else:
            await send(message)
    except OSError as error:
        raise Gone from error


async def undisturbed(close: Callable[[], Awaitable[None]]) -> None:
    """Close something that may have to wait, also in a request that is being cancelled."""
    if running_backend() != "trio":  # elsewhere a cancellation comes once
        return await close()
    from anyio import move_on_after  # as in watched_on_trio

    with move_on_after(TEARDOWN_SECONDS, shield=True):
        await close()


def ends_response(message: Message) -> bool:
    """Whether a message is the last of its response."""
    return message["type"] == "http.response.body" and not message.get("more_body", False)


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
    """Waits for the client to leave, in one task for the whole request.

    :param task: Is cancelled when the client leaves; ``None`` where :attr:`gone` is asked for.
    """

    __slots__ = ("gone", "task", "watch")

    def __init__(self, receive: Receive, task: Task[Any] | None) -> None:
        self.gone = False
        self.task = task
        self.watch = get_running_loop().create_task(self.cancel_when_gone(receive))

    async def cancel_when_gone(self, receive: Receive) -> None:
        """Wait for the client to leave, and cancel the task then."""
        if await until_gone(receive):
            self.gone = True
            if self.task is not None:
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
def watched(coro: Coroutine[Any, Any, None], ctx: Context) -> Generator[Any, Any, None]:
    """Run a coroutine to its end, cancelled if the client leaves while it waits.

    A generator, because only that can see the coroutine wait: what it then yields is passed on
    to the event loop from here. Iterating, rather than ``send``, costs no exception where the
    coroutine ends without having waited.

    :raises Gone: if it was cancelled for that.
    """
    if ctx.watcher is not None and ctx.watcher.gone:
        coro.close()
        raise Gone
    for pending in coro.__await__():
        if ctx.watcher is None:
            ctx.watcher = Watcher(ctx.receive, current_task())  # type: ignore[arg-type]
        else:
            ctx.watcher.task = current_task()
        try:
            yield from _resume(coro, pending)
            ctx.watcher.cancelled_alone()  # by a view that went on all the same
        except CancelledError:
            if ctx.watcher.cancelled_alone():
                raise Gone from None
            raise
        finally:
            ctx.watcher.task = None  # what is awaited after this is not to be cancelled
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
    # Not needed on asyncio, and dear to import.
    from anyio import create_task_group, get_cancelled_exc_class

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
        except get_cancelled_exc_class():
            raise
        except BaseException as raised:  # a task group would wrap it
            error = raised
        group.cancel_scope.cancel()
    try:
        if error is not None:
            raise error
        if gone and not done:
            raise Gone
    finally:
        del error


class TrioWatcher:
    """A :class:`Watcher` on trio, that only says whether the client is gone.

    A system task, since this one begins inside a request and nothing there waits for its end.
    """

    def __init__(self, receive: Receive) -> None:
        from trio import CancelScope, lowlevel  # it runs already

        self.gone = False
        self.scope = CancelScope()
        lowlevel.spawn_system_task(self.watch, receive)

    async def watch(self, receive: Receive) -> None:
        """Wait for the client to leave."""
        with self.scope:
            try:
                self.gone = await until_gone(receive)
            except Exception:  # it would end the whole run; who reads or sends will see it too
                self.gone = True

    def stop(self) -> None:
        """Stop watching: the request is over."""
        self.scope.cancel()


async def watch_for(ctx: Context) -> Watcher | TrioWatcher:
    """Watch for a worker thread, which asks whether the client is gone."""
    if ctx.watcher is None:
        receive: Receive = ctx.receive  # type: ignore[assignment]
        on_asyncio = _get_running_loop() is not None
        ctx.watcher = Watcher(receive, None) if on_asyncio else TrioWatcher(receive)
    watcher: Watcher | TrioWatcher = ctx.watcher
    return watcher


def watch(coro: Coroutine[Any, Any, None], ctx: Context) -> Awaitable[None]:
    """Run a coroutine to its end, cancelled if the client leaves while it waits.

    :raises Gone: if it was cancelled for that.
    """
    if _get_running_loop() is not None:
        return watched(coro, ctx)
    if running_backend() is None:  # WSGI has its own way to tell
        return coro
    return watched_on_trio(coro, ctx.receive)  # type: ignore[arg-type]
