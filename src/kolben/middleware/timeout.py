"""A limit to the time that a response may take to begin."""

from __future__ import annotations

import logging
from asyncio import (
    CancelledError,
    Task,
    TimerHandle,
    _get_running_loop,
    current_task,
    get_running_loop,
)
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from math import inf
from threading import get_ident
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from .._types import ASGIApp, Message, Receive, Scope, Send
from ..exceptions import ServiceUnavailable
from .answers import answer

if TYPE_CHECKING:
    import trio

logger = logging.getLogger(__name__)

#: In the scope: the request's :class:`Deadline`.
SCOPE_KEY = "kolben.deadline"


class TooLate(OSError):
    """The client has its 503 already: to whoever sends now, it has left."""


class Timeout:
    """Answers 503 if a response has not begun in time.

    .. code-block:: python

        app.add_middleware(Timeout, seconds=30)

    What worked on the response is cancelled: an ``async def`` view at its ``await``, and its
    teardown functions run. A ``def`` view cannot be stopped. The client is answered all the same,
    and what the view returns in the end is dropped; only under WSGI, where the view has the
    server's own thread, does the answer wait for its end. A response that has begun, such as a
    stream, may take its time; so may websockets. One warning is logged, with method and path.

    The time runs from the beginning of the request, so that reading its body counts.

    :param app: The application.
    :param seconds: The limit; ``None`` for none but those that routes set. Setting
        ``REQUEST_TIMEOUT``.
    :raises ValueError: if the limit is not positive.
    :source: RFC 9110, section 15.6.4. ASGI 2.4: sending to a client that has left.
    """

    settings: ClassVar[Mapping[str, str]] = {"seconds": "REQUEST_TIMEOUT"}
    runs_inline: ClassVar[bool] = False

    def __init__(self, app: ASGIApp, *, seconds: float | None = None) -> None:
        self.app = app
        self.seconds = checked(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer in its place if that takes too long."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        make = _OnTrio if _get_running_loop() is None else _OnAsyncio
        deadline = scope[SCOPE_KEY] = make(scope, receive, send, self.seconds)
        await deadline.run(self.app(scope, receive, deadline.send))


def checked(seconds: float | None) -> float | None:
    """A limit, if it can be one.

    :raises ValueError: if it is not positive.
    """
    if seconds is not None and not seconds > 0:
        raise ValueError(f"A limit of {seconds!r} seconds leaves no time; None means no limit.")
    return seconds


class Deadline:
    """When the response to a request must have begun; ``scope["kolben.deadline"]``."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, seconds: float | None) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._thread = get_ident()
        self._begun = False
        #: The deadline has passed, and the client is given a 503.
        self.passed = False
        #: Something was sent after that.
        self._refused = False

    def limit(self, seconds: float | None) -> None:
        """Replace the limit. It may be called from any thread.

        :param seconds: Counted from the beginning of the request; ``None`` for no limit.
        :raises ValueError: if it is not positive.
        """
        checked(seconds)
        if get_ident() == self._thread:
            self._set(seconds)
        else:
            self._call_soon(lambda: self._set(seconds))

    def _set(self, seconds: float | None) -> None:
        self._seconds = seconds
        if not (self._begun or self.passed):
            self._schedule()

    async def send(self, message: Message) -> None:
        """Send a message of the application's on, if it is in time.

        :raises TooLate: if it is not.
        """
        if self.passed:
            self._refused = True
            raise TooLate("The response came too late; the client was answered 503.")
        if message["type"] == "http.response.start":
            self._end()
        await self._send(message)

    def _end(self) -> None:
        """There is nothing to wait for any more."""
        self._begun = True
        self._stop()

    def _expire(self) -> bool:
        """Decide that the time is over, unless the response has begun."""
        if self._begun:
            return False
        self.passed = True
        logger.warning(
            "%s %s had no response after %g seconds; the client was answered 503",
            self._scope["method"],
            quote(self._scope["path"]),
            self._seconds,
        )
        return True

    async def _answer(self) -> None:
        """Send the 503."""
        try:
            response = ServiceUnavailable().get_response()
            await answer(response, self._scope, self._receive, self._send)
        except OSError:  # the client has left
            pass

    # What each event loop does in its own way

    async def run(self, work: Awaitable[None]) -> None:
        """Await what makes the response, and what was sent in its place.

        :param work: The awaitable.
        """
        raise NotImplementedError

    def _schedule(self) -> None:
        """Set the clock to the limit, or anew."""
        raise NotImplementedError

    def _stop(self) -> None:
        """Stop the clock."""
        raise NotImplementedError

    def _call_soon(self, call: Callable[[], None]) -> None:
        """Call something on the event loop, from another thread."""
        raise NotImplementedError


class _OnAsyncio(Deadline):
    """A timer of the loop's, and a task for the 503 alone."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, seconds: float | None) -> None:
        super().__init__(scope, receive, send, seconds)
        self._loop = get_running_loop()
        self._started = self._loop.time()
        self._timer: TimerHandle | None = None
        self._task = current_task()
        self._answering: Task[None] | None = None
        self._schedule()

    async def run(self, work: Awaitable[None]) -> None:
        assert self._task is not None
        cancelling = self._task.cancelling()
        try:
            await work
        except CancelledError:
            if not self.passed or self._task.uncancel() > cancelling:
                raise
        except Exception:
            if not self._refused:
                raise
            self._task.uncancel()
        else:
            if self.passed:  # what was cancelled went on all the same
                self._task.uncancel()
        finally:
            self._end()
        if self._answering is not None:
            await self._answering

    def _schedule(self) -> None:
        self._stop()
        if self._seconds is not None:
            self._timer = self._loop.call_at(self._started + self._seconds, self._cancel)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel(self) -> None:
        if self._expire():
            assert self._task is not None
            self._answering = self._loop.create_task(self._answer())
            self._task.cancel()

    def _call_soon(self, call: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(call)


class _OnTrio(Deadline):
    """A cancel scope around the work, and a system task that waits and sends the 503.

    A system task, because a task group around each request would wrap the errors of all.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, seconds: float | None) -> None:
        super().__init__(scope, receive, send, seconds)
        import trio  # it runs already

        self._trio = trio
        self._token = trio.lowlevel.current_trio_token()
        self._started = trio.current_time()
        self._work = trio.CancelScope()
        self._clock: trio.CancelScope | None = None
        self._answered = trio.Event()
        self._schedule()

    async def run(self, work: Awaitable[None]) -> None:
        try:
            with self._work:
                await work
        except Exception:
            if not self._refused:
                raise
        finally:
            self._end()
        if self.passed:
            await self._answered.wait()

    def _schedule(self) -> None:
        when = inf if self._seconds is None else self._started + self._seconds
        if self._clock is not None:
            self._clock.deadline = when
        elif when < inf:
            self._clock = self._trio.CancelScope(deadline=when)
            self._trio.lowlevel.spawn_system_task(self._watch, self._clock, context=copy_context())

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()

    async def _watch(self, clock: trio.CancelScope) -> None:
        with clock:
            await self._trio.sleep_forever()
        if self._expire():
            self._work.cancel()
            try:
                await self._answer()
            except Exception:  # it would end the whole run
                logger.exception("The answer 503 could not be sent")
            finally:
                self._answered.set()

    def _call_soon(self, call: Callable[[], None]) -> None:
        self._token.run_sync_soon(call)
