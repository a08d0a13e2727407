"""One request on its way through an application, and its response on the way back.

The application runs in a task; :class:`Exchange` is what it talks to. Whoever made the request
waits for :attr:`Exchange.ready`, reads what has arrived and asks for more. How the two find
each other, across threads or within one event loop, is in the subclasses.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextvars import copy_context
from functools import partial
from queue import Empty
from typing import Any

import anyio

from ..gateway.background import BackgroundLoop
from ..local import running_backend
from ..pipeline.native import Box
from .wire import IllegalResponse, Wire

#: Bodies go to the application in pieces of this size, as they come from a socket.
_PIECE = 65536
#: Seconds that an application gets to end by itself after its client has gone.
_GRACE = 5.0
#: An event loop refers to its tasks weakly.
_tasks: set[Any] = set()

Body = bytes | Iterator[bytes] | AsyncIterator[bytes]


class Disconnected(OSError):
    """What an application gets that sends to a client which has gone.

    :source: ASGI's HTTP specification, version 2.4, "Disconnected Client".
    """


class Exchange:
    """The two callables that an application gets with a scope, and what came of them.

    :param app: The ASGI application.
    :param scope: The scope of one HTTP request.
    :param body: The request's body: whole, or an iterator of pieces, plain or async. An
        iterator that raises makes the client disappear at that point.
    :param buffered: Let the application send all that it has. Otherwise each part of a
        streamed body is sent when the client asks for it.
    """

    def __init__(
        self,
        app: Any,
        scope: dict[str, Any],
        body: Body,
        buffered: bool,
    ) -> None:
        self.app = app
        self.scope = scope
        self.buffered = buffered
        self.wire = Wire(scope)
        self.chunks: deque[bytes] = deque()
        #: The application has returned or raised.
        self.done = False
        #: The client does not want the rest.
        self.closed = False
        self._body = body
        self._sent = False
        self._error: BaseException | None = None
        self._illegal: IllegalResponse | None = None
        self._lost: Exception | None = None
        self._flushed = False
        self._cancel_scope: anyio.CancelScope | None = None
        self._cancel_called = False

    # For the client ----------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether there is something to read, or nothing more will come."""
        return self.done or (self._flushed and not self.buffered)

    def raise_error(self) -> None:
        """Raise what ended the request, once.

        :raises IllegalResponse: before anything that the application made of it.
        """
        error = self._illegal or self._lost or self._error
        self._illegal = self._lost = self._error = None
        if error is not None and not (self.closed and isinstance(error, Disconnected)):
            try:
                raise error
            finally:
                del error  # the traceback refers to this frame

    def notify(self) -> None:
        """Tell the client, from the application's event loop, that something has changed."""
        raise AssertionError("a subclass knows how")

    def ended(self) -> None:
        """The application's task is about to end."""
        raise AssertionError("a subclass knows what to do")

    # On the application's event loop -----------------------------------------------------

    async def run(self) -> None:
        """Run the application to its end. Only a cancellation comes out of this."""
        self._gone, self._wanted = anyio.Event(), anyio.Event()
        try:
            with anyio.CancelScope() as self._cancel_scope:
                if self._cancel_called:
                    self._cancel_scope.cancel()
                await self._run_app()
                await self._close_body()
        finally:
            self._cancel_scope = None
            self.ended()

    async def _run_app(self) -> None:
        try:
            await self.app(self.scope, self.receive, self.send)
            if not self.closed and self._lost is None:
                self.wire.end()
        except anyio.get_cancelled_exc_class():
            if not self._cancel_called:
                self._error = RuntimeError(
                    f"The application was cancelled while it handled {self.scope['path']}."
                )
            raise
        except IllegalResponse as error:
            self._illegal = self._illegal or error
        except BaseException as error:
            # KeyboardInterrupt and SystemExit too: they belong to the caller of the client.
            self._error = error

    async def receive(self) -> dict[str, Any]:
        """ASGI's ``receive``."""
        if not self._sent and not self._gone.is_set():
            if self.wire.expects_continue:
                self.wire.send_continue()
            try:
                piece, more = await self._next_piece()
            except Exception as error:
                self._lost, self._sent = error, True
                self._gone.set()
            else:
                self._sent = not more
                return {"type": "http.request", "body": piece, "more_body": more}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _next_piece(self) -> tuple[bytes, bool]:
        body = self._body
        if isinstance(body, bytes):
            piece, self._body = body[:_PIECE], body[_PIECE:]
            return piece, bool(self._body)
        if isinstance(body, AsyncIterator):
            following = await anext(body, None)
        else:
            following = next(body, None)
        return (b"", False) if following is None else (following, True)

    async def _close_body(self) -> None:
        if isinstance(self._body, AsyncGenerator):
            await self._body.aclose()
        elif isinstance(self._body, Generator):
            self._body.close()

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI's ``send``."""
        if self._gone.is_set() and not self.wire.complete:
            raise Disconnected("The client has closed the connection.")
        try:
            self.chunks.extend(self.wire.feed(message))
        except IllegalResponse as error:
            # The application may well swallow this; the client will not.
            self._illegal = self._illegal or error
            self._gone.set()
            raise
        if self.wire.complete:
            self._gone.set()
        elif message["type"] == "http.response.body" and not self.buffered:
            self._flushed = True
            self._wanted = anyio.Event()
            self.notify()
            await self._wanted.wait()

    def want(self) -> None:
        """The client asks for the next part of the body."""
        if not self.done:
            self._wanted.set()

    def disconnect(self) -> None:
        """The client has gone."""
        if not self.done:
            self._gone.set()
            self._wanted.set()

    def cancel(self) -> None:
        """Stop an application that does not end by itself."""
        self._cancel_called = True
        if self._cancel_scope is not None:
            self._cancel_scope.cancel()


#: What a waiting thread is told: to look what has changed; that the application's task has ended.
_LOOK, _END = "look", "end"


class ThreadExchange(Exchange):
    """A request made by a thread that has no event loop.

    The application's task runs on a background loop. The thread that waits here does what the
    application wants a worker thread for, so that a ``def`` view runs where the test runs.
    """

    def __init__(
        self, app: Any, scope: dict[str, Any], body: Body, buffered: bool, loop: BackgroundLoop
    ) -> None:
        super().__init__(app, scope, body, buffered)
        self.loop = loop
        self._jobs = Box()
        scope["kolben.worker"] = self._jobs.put

    def notify(self) -> None:
        """Wake the waiting thread."""
        self._jobs.put(_LOOK)

    def ended(self) -> None:
        """Nothing: the loop says so itself, when it has let go of this object."""

    def start(self) -> None:
        """Send the request, and wait until there is something to read."""
        try:
            self.loop.spawn(self.run, copy_context(), partial(self._jobs.put, _END))
            self._wait()
        except BaseException:
            # Ctrl-C while waiting, or a job that lets an error out: the request ends here.
            self._give_up()
            raise

    def next_chunk(self) -> bytes | None:
        """The next part of the body; ``None`` is its end."""
        while not self.chunks:
            if self.done:
                self.raise_error()
                return None
            self._flushed = False
            self.loop.call(self.want)
            self._wait()
        return self.chunks.popleft()

    def close(self) -> None:
        """Hang up, and wait until the application has noticed."""
        if self.done:
            return
        self.closed = True
        self.loop.call(self.disconnect)
        self._wait(_GRACE)
        if not self.done:
            self.loop.call(self.cancel)
            self._wait()
        self.raise_error()

    def abandon(self) -> None:
        """Hang up, from whichever thread, without waiting."""
        if self.done:
            return
        self.closed = True
        self.loop.call(self.disconnect)
        self._finish_elsewhere()

    def _finish_elsewhere(self) -> None:
        # Nobody waits any more, but the application may still want a thread for its cleanup.
        threading.Thread(target=self._finish, name="kolben-test-cleanup", daemon=True).start()

    def _finish(self) -> None:
        while not self.done:
            self._work()

    def _work(self, timeout: float | None = None) -> None:
        self.done = self._jobs.wait_for(lambda item: item in (_END, _LOOK), timeout) == _END

    def _wait(self, timeout: float | None = None) -> None:
        try:
            while not (self.done if self.closed else self.ready):
                self._work(timeout)
        except Empty:
            return
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        self.closed = self._cancel_called = True
        self.loop.call(self.cancel)
        self._finish_elsewhere()


class TaskExchange(Exchange):
    """A request made where an event loop runs; the application's task runs on the same loop."""

    _changed: anyio.Event | None = None
    _call_soon: Callable[[Callable[[], None]], object]

    def notify(self) -> None:
        """Wake the waiting task."""
        if self._changed is not None:
            self._changed.set()

    def ended(self) -> None:
        """Wake the waiting task for the last time."""
        self.done = True
        self.notify()

    async def start(self) -> None:
        """Send the request, and wait until there is something to read."""
        self._call_soon = spawn(self.run)
        await self._wait()

    async def next_chunk(self) -> bytes | None:
        """The next part of the body; ``None`` is its end."""
        while not self.chunks:
            if self.done:
                self.raise_error()
                return None
            self._flushed = False
            self.want()
            await self._wait()
        return self.chunks.popleft()

    async def close(self) -> None:
        """Hang up, and wait until the application has noticed."""
        if self.done:
            return
        self.closed = True
        self.disconnect()
        with anyio.move_on_after(_GRACE):
            await self._wait()
        if not self.done:
            self.cancel()
            await self._wait()
        self.raise_error()

    def abandon(self) -> None:
        """Hang up, from whichever thread, without waiting."""
        if self.done:
            return
        self.closed = True
        try:
            self._call_soon(self.disconnect)
        except RuntimeError:  # the event loop has ended, and the request with it
            return

    async def _wait(self) -> None:
        try:
            while not (self.done if self.closed else self.ready):
                self._changed = anyio.Event()
                await self._changed.wait()
        except BaseException:
            self.closed = True
            self.cancel()
            raise


def spawn(main: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[Callable[[], None]], object]:
    """Start a task on the running event loop that nobody has to wait for.

    :return: Calls a function on that loop, from whichever thread.
    """
    if running_backend() == "trio":
        import trio  # only where it already runs

        trio.lowlevel.spawn_system_task(main, context=copy_context())
        return trio.lowlevel.current_trio_token().run_sync_soon
    loop = asyncio.get_running_loop()
    task = loop.create_task(main())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return loop.call_soon_threadsafe
