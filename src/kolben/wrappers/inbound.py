"""A body on its way in: received, counted, and handed on piece by piece."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from typing import Any, Protocol, TypeVar, cast

from ..exceptions import ClientDisconnected
from ..local import drive, process, running_backend, thread, wait
from .forms import FormBuilder, too_large

T = TypeVar("T")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

#: Instead of a length: none is announced and so there is no body; the body ends when it ends;
#: the Content-Length is not a number, or there are two that differ; the body comes in chunks, and
#: a WSGI server does not say that it can tell where they end.
NO_BODY, UNKNOWN, INVALID, ENDLESS = -1, -2, -3, -4


def announced_length(scope: MutableMapping[str, Any]) -> int:
    """How long a request says that its body is, in bytes, or one of the constants above."""
    length = NO_BODY
    for name, value in scope["headers"]:
        if name == b"content-length":
            # More than 19 digits are no file on earth, but work for int().
            if not value.isdigit() or len(value) > 19 or length not in (NO_BODY, int(value)):
                return INVALID
            length = int(value)
        elif name == b"transfer-encoding":
            environ = scope.get("wsgi_environ")
            if environ is None or environ.get("wsgi.input_terminated"):
                return UNKNOWN
            if not environ.get("CONTENT_LENGTH"):
                return ENDLESS
    if (
        length == NO_BODY
        # In HTTP/2 and 3 nothing need announce a body.
        and scope.get("http_version", "1.1")[:1] not in ("0", "1")
        and scope.get("method") not in ("GET", "HEAD", "OPTIONS", "TRACE", "DELETE")
    ):
        return UNKNOWN
    return length


def wait_for_body(reading: Coroutine[Any, Any, T]) -> T:
    """Wait for a body in code that may block.

    Where the body comes by an event loop, that is waited for. Under WSGI reading it blocks, and
    belongs into the thread that the server gave to the request.
    """
    blocks = thread.portal is None and process.portal is not None
    return drive(reading) if blocks else wait(reading)


class BodyReader:
    """Receives the pieces of a body and counts them.

    :ivar count: Bytes that have arrived, those held back included.
    :ivar ended: Whether the last piece has arrived.
    """

    __slots__ = ("_held", "_receive", "count", "ended")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._held: bytes | None = None
        self.count = 0
        self.ended = False

    def take(self, message: Message) -> bytes:
        """Count a message that was received."""
        if message["type"] != "http.request":
            self.ended = True
            raise ClientDisconnected("The client went away before its request was complete.")
        data = message.get("body") or b""
        self.count += len(data)
        self.ended = not message.get("more_body", False)
        return data if data.__class__ is bytes else bytes(data)

    def hold(self, data: bytes) -> None:
        """Keep a piece for the next call of :meth:`next`."""
        self._held = data

    @property
    def holds_back(self) -> bool:
        """Whether a piece was received that has not been given."""
        return self._held is not None

    async def next(self, limit: int | None) -> bytes:
        """The next piece; ``b""`` at the end, and only there.

        :param limit: The bytes that the body may have in all. If it has more, the piece that
            is too much is kept, and a later call with a higher limit gives it.
        :raises ClientDisconnected: if the client went away.
        :raises RequestEntityTooLarge: if the body is longer than the limit.
        """
        while True:
            data, self._held = self._held, None
            if data is None:
                if self.ended:
                    return b""
                data = self.take(await self._receive())
            if limit is not None and self.count > limit:
                self._held = data
                raise too_large("The request's body is")
            if data:
                return data


class PartialBody:
    """What of a body has been loaded so far: pieces, or fields and files."""

    __slots__ = ("builder", "chunks", "size")

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0
        self.builder: FormBuilder | None = None

    def close(self) -> None:
        """Close the temporary files, if there are any."""
        if self.builder is not None:
            self.builder.close()


class AwaitableBytes(bytes):
    """Bytes that may also be awaited, for reads that need not wait."""

    def __await__(self) -> Generator[Any, None, bytes]:
        return bytes(self)
        yield  # makes this a generator, which is what await wants


class Limited(Protocol):
    """What a stream has to know of its request."""

    @property
    def max_content_length(self) -> int | None:
        """The most bytes that the body may have."""


class BodyStream:
    """A request's body as it arrives, each piece once, with backpressure.

    In an ``async def`` view: ``async for chunk in request.stream``, or
    ``await request.stream.read(1024)``. In a ``def`` view the same without ``async`` and
    ``await``. A body that is loaded already is given from memory, and then the plain calls
    work in both.

    :source: Flask: ``request.stream`` is a file object; iterating over it gives lines there, and
        pieces of any size here.
    """

    def __init__(self, request: Limited, body: bytes | None, reader: BodyReader | None) -> None:
        self._request = request
        self._loaded = body is not None
        self._rest = body or b""
        self._at = 0
        self._reader = reader

    def __aiter__(self) -> BodyStream:
        return self

    async def __anext__(self) -> bytes:
        if chunk := await self._next_chunk():
            return chunk
        raise StopAsyncIteration

    def __iter__(self) -> BodyStream:
        return self

    def __next__(self) -> bytes:
        if not self._can_wait():
            raise RuntimeError(
                "The body of this request has not arrived yet, and an event loop cannot wait for"
                " it in a plain loop. Write 'async for chunk in request.stream'."
            )
        if chunk := self._finish(self._next_chunk()):
            return chunk
        raise StopIteration

    def read(self, size: int | None = -1) -> AwaitableBytes:
        """Up to ``size`` bytes, or all that is left.

        In an ``async def`` view on a ``stream=True`` route the result has to be awaited;
        elsewhere it may be.

        :return: Fewer bytes than asked for only at the end of the body.
        :raises ClientDisconnected: a 400, if the client went away.
        :raises RequestEntityTooLarge: if the body exceeds ``request.max_content_length``.
        """
        reading = self._read(-1 if size is None else size)
        if self._can_wait():
            return AwaitableBytes(self._finish(reading))
        return cast("AwaitableBytes", reading)

    def readline(self, size: int | None = -1) -> AwaitableBytes:
        """The next line with its line feed; ``b""`` at the end. To be awaited as :meth:`read`."""
        reading = self._read_line(-1 if size is None else size)
        if self._can_wait():
            return AwaitableBytes(self._finish(reading))
        return cast("AwaitableBytes", reading)

    def readable(self) -> bool:
        """True, as for every file that can be read."""
        return True

    def give_back(self) -> bytes:
        """What was received and not read, which is then not given any more."""
        rest, self._rest, self._at = self._rest[self._at :], b"", 0
        return rest

    def _can_wait(self) -> bool:
        return self._loaded or thread.portal is not None or running_backend() is None

    def _finish(self, reading: Any) -> bytes:
        return drive(reading) if self._loaded else cast("bytes", wait_for_body(reading))

    async def _fill(self) -> bool:
        if self._at < len(self._rest):
            return True
        self._at = 0
        self._rest = b""
        if self._reader is not None:
            self._rest = await self._reader.next(self._request.max_content_length)
        return bool(self._rest)

    async def _next_chunk(self) -> bytes:
        return await self._read(len(self._rest) - self._at) if await self._fill() else b""

    async def _read(self, size: int) -> bytes:
        chunks: list[bytes] = []
        while size and await self._fill():
            start, end = self._at, len(self._rest)
            if size > 0:
                end = min(end, start + size)
                size -= end - start
            chunks.append(self._rest[start:end])
            self._at = end
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _read_line(self, size: int) -> bytes:
        chunks: list[bytes] = []
        while size and await self._fill():
            start = self._at
            end = self._rest.find(b"\n", start) + 1 or len(self._rest)
            if size > 0:
                end = min(end, start + size)
                size -= end - start
            chunks.append(self._rest[start:end])
            self._at = end
            if self._rest[end - 1] == 10:
                break
        return b"".join(chunks)
