"""WSGI applications below an ASGI one: a2wsgi, and what it leaves open.

:source: PEP 3333; ASGI specification 3.0, WSGI compatibility.
"""

from __future__ import annotations

import sys
from asyncio import Task, get_running_loop, shield
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any

from ..local import running_backend
from ..wrappers.inbound import NO_BODY, UNKNOWN, announced_length
from .disconnects import Watcher
from .environ import Environ

if TYPE_CHECKING:
    from .._types import ASGIApp, Message, Receive, Scope, Send

#: An event loop refers to its tasks weakly.
_running: set[Task[None]] = set()

WSGIApp = Callable[[Environ, Any], Iterable[bytes]]


def check_backend() -> None:
    """Refuse to go on where a2wsgi cannot.

    :raises RuntimeError: on trio.
    """
    if running_backend() != "asyncio":
        raise RuntimeError("A WSGI application can be mounted under asyncio alone, not trio.")


def serve_wsgi(app: WSGIApp, threads: int) -> ASGIApp:
    """An ASGI application that runs a WSGI application in threads of its own.

    :param threads: How many requests it answers at once; others wait.
    """
    from a2wsgi import WSGIMiddleware  # only who mounts a WSGI application pays for it

    bridge: Any = WSGIMiddleware(_completed(app), workers=threads)  # type: ignore[arg-type]

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        check_backend()
        if scope["type"] != "http":
            await bridge(scope, receive, send)
            return
        # To WSGI a name with an underscore looks like one with a hyphen, which a proxy may have
        # removed because it trusts it.
        headers = [pair for pair in scope["headers"] if b"_" not in pair[0]]
        client = Client(scope, receive, send)
        scope = {**scope, "headers": headers, "kolben.client": client}
        # In a task of its own, which is not cancelled: the thread waits for what it does.
        work = get_running_loop().create_task(bridge(scope, client.receive, client.send))
        _running.add(work)
        work.add_done_callback(_running.discard)
        try:
            await shield(work)
        finally:
            client.stop()

    return serve


class Client:
    """Who has made a request, as seen by a thread that cannot be cancelled.

    What is sent to a client which has gone is dropped: an error would end the task that sends,
    and the thread would wait for it for ever. It asks for :attr:`gone` instead.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._gone = False
        #: Whether what is received next can tell only that the client is gone.
        self._complete = announced_length(scope) == NO_BODY
        self._watcher: Watcher | None = None

    @property
    def gone(self) -> bool:
        """Whether nobody waits for the response any more."""
        return self._gone or (self._watcher is not None and self._watcher.gone)

    async def receive(self) -> Message:
        """A part of the request's body."""
        if self._gone:
            return {"type": "http.disconnect"}
        if self._watcher is not None:
            return {"type": "http.request", "body": b"", "more_body": False}
        message = await self._receive()
        self._complete = not message.get("more_body", False)
        self._gone = message["type"] == "http.disconnect"
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the response."""
        if self._complete and self._watcher is None and not self._gone:
            self._watcher = Watcher(self._receive, None)
        if self.gone:
            return
        try:
            await self._send(message)
        except OSError:
            self._gone = True

    def stop(self) -> None:
        """The request is over; what still refers to this one does not keep the server's side."""
        self._gone = True
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
        del self._receive, self._send


def _completed(app: WSGIApp) -> WSGIApp:
    """The application, with an environ that holds what a2wsgi does not put there, or puts wrong."""

    def call(environ: Environ, start_response: Any) -> Iterable[bytes]:
        scope: Scope = environ["asgi.scope"]
        # A variable of the process, if there is one, has taken its place.
        environ["SCRIPT_NAME"] = scope["root_path"].encode().decode("latin-1")
        environ["wsgi.input"] = BufferedReader(Input(environ["wsgi.input"]))
        environ["wsgi.errors"] = sys.stderr
        if announced_length(scope) == UNKNOWN:
            environ["wsgi.input_terminated"] = True
        cookies = [value for name, value in scope["headers"] if name == b"cookie"]
        if len(cookies) > 1:  # RFC 9113, section 8.2.3
            environ["HTTP_COOKIE"] = b"; ".join(cookies).decode("latin-1")
        head = Head(start_response)
        return Body(app(environ, head), head, scope["kolben.client"])

    return call


class Head:
    """``start_response`` for an application, which may think better of it until there is a body.

    :source: PEP 3333, "The start_response() Callable".
    """

    def __init__(self, start_response: Any) -> None:
        self._start_response = start_response
        self._said: tuple[str, list[tuple[str, str]]] | None = None
        self._write: Callable[[bytes], object] | None = None

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Take status and headers; with ``exc_info`` in place of others, if it is not too late."""
        if exc_info is not None:
            try:
                if self._write is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # its traceback leads to this frame
        elif self._said is not None:
            raise AssertionError("start_response was called a second time, without 'exc_info'.")
        self._said = status, list(headers)
        return self.write

    def send(self) -> Callable[[bytes], object]:
        """Send the head, unless that has been done.

        :return: Sends a part of the body.
        """
        write = self._write
        if write is None:
            if self._said is None:
                raise AssertionError("The WSGI application has not called start_response.")
            write = self._write = self._start_response(*self._said)
        return write

    def write(self, data: bytes) -> None:
        """Send a part of the body, as applications did before they returned iterables."""
        self.send()(data)


class Input(RawIOBase):
    """The body of a request, for a reader with all the methods that PEP 3333 asks for.

    :param body: The one of a2wsgi, whose ``readline`` stops early and whose ``readlines`` is
        not Python's.
    """

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has arrived; wait for one byte if there is nothing."""
        data = self._body.read(min(len(buffer), max(1, len(self._body.buffer))))
        buffer[: len(data)] = data
        return len(data)


class Body:
    """The body of a WSGI response, that ends when the client leaves."""

    def __init__(self, chunks: Iterable[bytes], head: Head, client: Client) -> None:
        self._chunks = chunks
        self._head = head
        self._client = client

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if chunk:
                self._head.send()
                yield chunk
            if self._client.gone:
                return
        self._head.send()

    def close(self) -> None:
        """Close what the application returned."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
