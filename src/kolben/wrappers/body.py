"""Bodies that are not simply bytes: files, parts of files, parts of iterables."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from io import TextIOBase
from typing import IO, Any, Final, Self

from ..local import running_backend, thread, wait

#: Bytes that are read from a file at once.
CHUNK_SIZE: Final = 64 * 1024

Segment = bytes | tuple[int, int]


class FileBody:
    """A file, or parts of one, as a response's body.

    At most one chunk of it is in memory. All methods block on the disk and belong into a
    worker thread. Reading opens the file if need be.

    >>> import io
    >>> body = FileBody(io.BytesIO(b"0123456789"))
    >>> body.segments = [(2, 3), b"-", (8, 2)]
    >>> body.length, b"".join(body)
    (6, b'234-89')

    :param source: A path, or a binary file object, which is sent from its position on and is
        closed at the end.
    :param size: How many bytes that are, if it is known already. For a path, and a file
        object that can seek, it is found out.
    :param chunk_size: The most bytes that :meth:`read` gives.
    :raises OSError: if there is no such file.
    :raises ValueError: if the file object is in text mode.
    """

    __slots__ = (
        "_at",
        "_file",
        "_index",
        "_path",
        "_segments",
        "_start",
        "_taken",
        "chunk_size",
        "size",
    )

    def __init__(
        self,
        source: str | os.PathLike[str] | IO[bytes],
        size: int | None = None,
        *,
        chunk_size: int = CHUNK_SIZE,
    ) -> None:
        self.chunk_size = chunk_size
        self._path: str | None = None
        self._file: IO[bytes] | None = None
        self._start = 0
        self._segments: list[Segment] | None = None
        # The segment that is being sent, what of it (or of the whole) is sent, and the position
        # in the file relative to _start.
        self._index = self._taken = self._at = 0
        if isinstance(source, (str, os.PathLike)):
            self._path = os.path.abspath(source)
            self.size: int | None = os.stat(self._path).st_size if size is None else size
        else:
            if isinstance(source, TextIOBase):
                raise ValueError(
                    f"The file {source!r} is open in text mode. Open it in binary mode, 'rb'."
                )
            self._file = source
            self._start, remaining = _measure(source)
            self.size = remaining if size is None else size

    @property
    def path(self) -> str | None:
        """The absolute path, if the whole file is to be sent, so that a server may do it
        alone (ASGI's ``http.response.pathsend``).
        """
        return self._path if self._segments is None else None

    @property
    def segments(self) -> list[Segment] | None:
        """What is sent, in order: ``(offset, length)`` of the file, or bytes put in between.

        ``None`` for the whole file. Must be set before anything is read.
        """
        return self._segments

    @segments.setter
    def segments(self, value: Sequence[Segment] | None) -> None:
        self._segments = None if value is None else list(value)

    @property
    def length(self) -> int | None:
        """The bytes that are sent in all; ``None`` if that is not known before the end."""
        if self._segments is None:
            return self.size
        return sum(len(part) if isinstance(part, bytes) else part[1] for part in self._segments)

    def open(self) -> None:
        """Open the file, if it is not open.

        :raises OSError: if that fails.
        """
        if self._file is None and self._path is not None:
            self._file = open(self._path, "rb", buffering=0)  # noqa: SIM115 - close() closes it

    def read(self) -> bytes:
        """The next chunk; ``b""`` at the end.

        :raises OSError: if reading fails, or the file has become shorter in the meantime, so
            that what was promised to the client cannot be sent.
        """
        self.open()
        if self._segments is None:
            return self._read_on(self.size)
        while self._index < len(self._segments):
            segment = self._segments[self._index]
            if isinstance(segment, bytes):
                self._index += 1
                if segment:
                    return segment
                continue
            offset, length = segment
            if self._taken == 0:
                self._seek(offset)
            if chunk := self._read_on(length):
                return chunk
            self._index += 1
            self._taken = 0
        return b""

    def _seek(self, offset: int) -> None:
        assert self._file is not None
        if self._at != offset:
            self._file.seek(self._start + offset)
            self._at = offset

    def _read_on(self, length: int | None) -> bytes:
        assert self._file is not None
        wanted = self.chunk_size
        if length is not None:
            wanted = min(wanted, length - self._taken)
        if wanted <= 0:
            return b""
        chunk = self._file.read(wanted)
        if not chunk and length is not None:
            raise OSError(
                f"The file {self._path or self._file!r} became shorter while it was sent:"
                f" {length - self._taken} of {length} bytes are missing."
            )
        self._taken += len(chunk)
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path or self._file!r}, {self.length} bytes>"


def _measure(file: IO[bytes]) -> tuple[int, int | None]:
    """A file object's position, and the bytes from there to its end, if it can seek."""
    try:
        start = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(start)
    except (OSError, AttributeError):
        return 0, None
    return start, max(end - start, 0)


def iter_encoded(body: Any) -> Iterator[bytes]:
    """The items of an iterable, text encoded as UTF-8.

    An async one is read to its end before the first item is given.

    :raises RuntimeError: for an async one, on an event loop.
    """
    if isinstance(body, AsyncIterable):
        if thread.portal is None and running_backend() is not None:
            raise RuntimeError(
                "The body of this response comes from an async iterable, which plain code on an"
                " event loop cannot wait for. Call 'await response.load()' first."
            )
        body = wait(collect(body))
    for item in body:
        yield item.encode() if isinstance(item, str) else item


async def collect(body: AsyncIterable[str | bytes]) -> list[bytes]:
    """All items of an async iterable, text encoded as UTF-8. It is closed then."""
    try:
        return [item.encode() if isinstance(item, str) else item async for item in body]
    finally:
        await _close(body)


def _cut(item: str | bytes, skip: int, length: int) -> tuple[bytes, int, int]:
    data = item.encode() if isinstance(item, str) else item
    part = data[skip : skip + length]
    return part, max(skip - len(data), 0), length - len(part)


def slice_iterable(body: Iterable[str | bytes], start: int, length: int) -> Iterator[bytes]:
    """A part, counted in bytes, of what an iterable gives."""
    for item in body:
        part, start, length = _cut(item, start, length)
        if part:
            yield part
        if not length:
            return


async def slice_async_iterable(
    body: AsyncIterable[str | bytes], start: int, length: int
) -> AsyncIterator[bytes]:
    """As :func:`slice_iterable`, for an async iterable, which is closed at the end."""
    try:
        async for item in body:
            part, start, length = _cut(item, start, length)
            if part:
                yield part
            if not length:
                return
    finally:
        await _close(body)


async def _close(body: Any) -> None:
    aclose = getattr(body, "aclose", None)
    if aclose is not None:
        await aclose()
