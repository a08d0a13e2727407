"""An ASGI application on the process's event loop, for a request that a WSGI server's thread has.

The application's task and the thread talk through one mailbox. The thread reads the request's
body when the task asks for it, runs the ``def`` code of the request, and takes the messages of
the response; between two of them it is with the server, and the task is held back when more than
a little has not been taken.
"""

from __future__ import annotations

from asyncio import Event, Task
from collections.abc import Iterator
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..local import drive
from ..pipeline.lanes import Lane
from ..pipeline.native import Box
from ..pipeline.run import TEARDOWN_SECONDS
from .environ import Input
from .process import worker_process

if TYPE_CHECKING:
    from .._types import ASGIApp, Message, Receive, Scope, Send

#: Bytes of a response that wait to be taken before its application has to wait.
UNREAD = 64 * 1024
#: Has no threads: each job is given to the thread that waits.
_borrowed = Lane("kolben-borrowed", 0)


class _Ended:
    """What the mailbox gets last."""

    def __init__(self, task: Task[None]) -> None:
        self.task = task


def _of_a_bridge(item: Any) -> bool:
    return isinstance(item, (tuple, _Ended))


class Bridge:
    """One request on its way over the loop.

    :param application: The ASGI application.
    :param scope: The request's scope; the application gets a plain copy.
    :param receive: Where the request's body comes from; blocks its thread.
    """

    def __init__(self, application: ASGIApp, scope: Scope, receive: Receive) -> None:
        self.application = application
        self.receive_here = receive
        #: Somebody has read the body before.
        self.received = isinstance(receive, Input) and receive.ended and not receive.broken
        #: There is none, so that reading it does not block.
        self.is_empty = isinstance(receive, Input) and receive.left == 0
        self.box = Box()
        self.scope: Scope = {**scope, "kolben.worker": self.box.put}
        self.loop = worker_process().home().loop
        self.unread = 0
        self.head: tuple[Message, ...] = ()
        self.taken, self.gone = Event(), Event()
        self.task: Task[None] | None = None
        self.over = False
        #: What the application got for sending to a client that had left.
        self.refused: OSError | None = None

    # In the server's thread

    def start(self) -> None:
        """Begin, with the caller's context variables."""
        variables = copy_context()

        def begin() -> None:
            self.task = self.loop.create_task(self.run(), context=variables)
            self.task.add_done_callback(lambda task: self.box.put(_Ended(task)))

        self.loop.call_soon_threadsafe(begin)

    def messages(self) -> Iterator[Message]:
        """What the application sends, as it comes.

        :raises Exception: what the application raised.
        """
        while not self.over:
            item = self.box.wait_for(_of_a_bridge)
            if isinstance(item, _Ended):
                self.end(item.task)
                continue
            for message in item:
                if message.get("more_body") and (body := message.get("body")):
                    self.loop.call_soon_threadsafe(self.take, len(body))
                yield message

    def end(self, task: Task[None]) -> None:
        """See the end of the application's task."""
        self.over = True
        self.box.close()
        if not task.cancelled() and (error := task.exception()) is not None:
            refused, self.refused = self.refused, None
            if error is refused:  # what it was told, and need not tell
                return
            try:
                raise error
            finally:
                del error, refused, task

    def read(self) -> Message:
        """The next message of the request."""
        return drive(self.receive_here())  # type: ignore[arg-type]

    def close(self) -> None:
        """Tell the application, if it has not ended, that the client has left, and wait for it."""
        if self.over or self.loop.is_closed():
            return
        self.loop.call_soon_threadsafe(self.leave)
        while not self.over:
            item = self.box.wait_for(_of_a_bridge)
            if isinstance(item, _Ended):
                self.end(item.task)

    # On the loop

    async def run(self) -> None:
        """Run the application to its end."""
        await self.application(self.scope, self.receive, self.send)

    async def receive(self) -> Message:
        """ASGI's ``receive``."""
        if not self.received:
            if self.is_empty:
                message = self.read()
            else:
                message = await _borrowed.run(self.read, worker=self.box.put)
            self.received = message["type"] == "http.request" and not message.get("more_body")
            return message
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """ASGI's ``send``."""
        if self.gone.is_set():
            self.refused = OSError("The client has closed the connection.")
            raise self.refused
        if message["type"] == "http.response.start":
            self.head = (message,)  # goes with what follows, so that the thread wakes once
            return
        self.box.put((*self.head, message))
        self.head = ()
        if not message.get("more_body"):
            return
        self.unread += len(message.get("body") or b"")
        while self.unread > UNREAD and not self.gone.is_set():
            self.taken.clear()
            await self.taken.wait()

    def take(self, count: int) -> None:
        """The thread has taken a part of the response."""
        self.unread -= count
        self.taken.set()

    def leave(self) -> None:
        """The client has left."""
        self.gone.set()
        self.taken.set()
        if self.task is not None:
            timer = self.loop.call_later(TEARDOWN_SECONDS, self.task.cancel)
            self.task.add_done_callback(lambda task: timer.cancel())


async def over_loop(application: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request by an application that runs on the loop.

    To be driven by hand, in the thread that the server gave to the request: it blocks.
    """
    bridge = Bridge(application, scope, receive)
    bridge.start()
    try:
        for message in bridge.messages():
            await send(message)
    finally:
        bridge.close()
