"""Form bodies: the limits they stand under, and their parsing, whole or while they arrive."""

from __future__ import annotations

import re
from codecs import unicode_escape_decode
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from ..exceptions import BadRequest, HTTPException, RequestEntityTooLarge, UnsupportedMediaType
from ..http.datastructures import FileStorage, Headers, ImmutableMultiDict, MultiDict
from ..http.headers import parse_options_header
from ..http.multipart import MultipartDecoder, MultipartError, MultipartLimitError, Part
from ..local import running_backend

if TYPE_CHECKING:
    from anyio import CapacityLimiter

T = TypeVar("T")

#: A body, and each uploaded file, up to this many bytes stays in memory.
SPOOL_SIZE: Final = 512 * 1024
#: Bytes on their way to temporary files that are collected before a worker thread is asked.
_WRITE_BATCH: Final = 256 * 1024
#: Temporary files that are written to at the same time.
_WRITERS: Final = 8

Pairs = list[tuple[str, str]]
FilePairs = list[tuple[str, FileStorage]]


class Limits:
    """What a request's body may have; a route, a blueprint or the application says so.

    :param max_content_length: The body's length in bytes; ``None`` for any.
    :param max_form_memory_size: The bytes of all fields that are not files; ``None`` for any.
    :param max_form_parts: The number of multipart parts or urlencoded pairs; ``None`` for any.
    """

    __slots__ = ("max_content_length", "max_form_memory_size", "max_form_parts")

    max_content_length: int | None
    max_form_memory_size: int | None
    max_form_parts: int | None

    def __init__(
        self,
        max_content_length: int | None = 16 * 1024 * 1024,
        max_form_memory_size: int | None = 500_000,
        max_form_parts: int | None = 1000,
    ) -> None:
        put = object.__setattr__
        put(self, "max_content_length", max_content_length)
        put(self, "max_form_memory_size", max_form_memory_size)
        put(self, "max_form_parts", max_form_parts)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} objects cannot be changed, make a new one")

    def _key(self) -> tuple[int | None, int | None, int | None]:
        return self.max_content_length, self.max_form_memory_size, self.max_form_parts

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Limits) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return "Limits({}, {}, {})".format(*self._key())


DEFAULT_LIMITS: Final = Limits()


def too_large(what: str) -> RequestEntityTooLarge:
    """The 413 for something that exceeds a limit."""
    return RequestEntityTooLarge(f"{what} larger than the server accepts.")


# Encodings without surprises: one character for each byte, or UTF-8. A client must not choose
# any codec that Python has.
_CHARSETS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}


def find_charset(name: str | None) -> str:
    """Python's name for the charset that a client gave.

    :raises UnsupportedMediaType: if forms in it are not read.
    """
    if not name:
        return "utf-8"
    try:
        return _CHARSETS[name.lower()]
    except KeyError:
        raise UnsupportedMediaType(
            f"The charset {name[:40]!r} is not supported, send UTF-8."
        ) from None


_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def parse_urlencoded(
    body: bytes,
    charset: str | None = None,
    max_memory: int | None = None,
    max_pairs: int | None = None,
) -> dict[str, list[str]]:
    """Split an ``application/x-www-form-urlencoded`` body.

    >>> parse_urlencoded(b"name=Ren%C3%A9&tag=a+b&tag=")
    {'name': ['René'], 'tag': ['a b', '']}

    :param charset: The charset that the Content-Type names, or ``None`` for UTF-8.
    :param max_memory: Bytes allowed; ``None`` for any number. So for ``max_pairs``.
    :raises BadRequest: on a percent sign without two hexadecimal digits, or on bytes that
        are not text in the charset.
    :raises RequestEntityTooLarge: if there are more bytes or pairs than the limits allow.
    :raises UnsupportedMediaType: if the charset is unknown.
    :source: The URL Standard's urlencoded parser, but strict. Flask keeps what is invalid as
        it is.
    """
    encoding = "utf-8" if charset is None else find_charset(charset)
    if max_memory is not None and len(body) > max_memory:
        raise too_large("The form's fields are")
    text = body.decode("latin-1")  # a character for each byte; text is quicker to search
    if max_pairs is not None and body and text.count("&") >= max_pairs:
        raise RequestEntityTooLarge("The form has more fields than the server accepts.")
    if "+" in text:
        text = text.replace("+", " ")
    if "%" in text or not text.isascii():
        try:
            decoded = _decode_whole(text, encoding)
            if decoded is None:
                return _split_and_decode(text.encode("latin-1"), encoding)
        except UnicodeDecodeError:
            raise BadRequest("The form is not valid text in its charset.") from None
        text = decoded
    fields: dict[str, list[str]] = {}
    for field in text.split("&"):
        if field:
            name, _, value = field.partition("=")
            if name in fields:
                fields[name].append(value)
            else:
                fields[name] = [value]
    return fields


def _decode_whole(text: str, encoding: str) -> str | None:
    """Decode all fields before they are divided; ``None`` if what divides them is escaped, too.

    Python's own escapes differ in the sign before the two digits, and are decoded in C.
    """
    if "%" in text:
        if "%26" in text or "%3D" in text or "%3d" in text or "\\" in text or not text.isascii():
            return None
        try:
            text, _ = unicode_escape_decode(text.replace("%", "\\x"))
        except UnicodeDecodeError:
            return None
    return text if text.isascii() else text.encode("latin-1").decode(encoding)


def _split_and_decode(body: bytes, encoding: str) -> dict[str, list[str]]:
    if _BAD_ESCAPE.search(body):
        raise BadRequest("The form has a percent sign that is not followed by two hex digits.")
    fields: dict[str, list[str]] = {}
    for raw in body.split(b"&"):
        if raw:
            name, _, value = raw.partition(b"=")
            text = unquote_to_bytes(value).decode(encoding)
            fields.setdefault(unquote_to_bytes(name).decode(encoding), []).append(text)
    return fields


class _Field:
    __slots__ = ("chunks", "encoding", "name")

    def __init__(self, part: Part) -> None:
        self.name = part.name
        # A part's own charset: what is unknown is read as UTF-8, as browsers send no other.
        charset = parse_options_header(part.content_type)[1].get("charset", "utf-8")
        self.encoding = _CHARSETS.get(charset.lower(), "utf-8")
        self.chunks: list[bytes] = []

    def text(self) -> str:
        return b"".join(self.chunks).decode(self.encoding, "replace")


class _File:
    __slots__ = ("on_disk", "part", "size", "stream")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.stream: IO[bytes] = BytesIO()
        self.size = 0
        self.on_disk = False

    def move_to_disk(self) -> None:
        # Imports random, shutil and others, which an application without uploads need not pay.
        from tempfile import TemporaryFile

        memory = self.stream
        self.stream = TemporaryFile("rb+")  # noqa: SIM115 - closed with the request
        self.on_disk = True
        self.stream.write(memory.getvalue())  # type: ignore[attr-defined]
        memory.close()


class FormBuilder:
    """Makes fields and files of a multipart body that is fed to it.

    What belongs into temporary files is not written at once: when :meth:`feed` or
    :meth:`finish` returns true, call :meth:`write_out`, in a worker thread if the body comes
    in on an event loop, for it blocks.

    :raises BadRequest: (also by :meth:`feed` and :meth:`finish`) if the body is malformed.
    :raises RequestEntityTooLarge: if it exceeds a limit.
    """

    def __init__(self, boundary: str, limits: Limits, spool_size: int = SPOOL_SIZE) -> None:
        self.fields: Pairs = []
        self._files: list[_File] = []
        self._current: _Field | _File | None = None
        self._memory = 0
        self._most = limits.max_form_memory_size
        self._spool_size = spool_size
        self._waiting: list[tuple[_File, bytes]] = []
        self._waiting_bytes = 0
        try:
            self._decoder = MultipartDecoder(boundary, max_parts=limits.max_form_parts)
        except MultipartError as error:
            raise _refusal(error) from error

    def feed(self, data: bytes) -> bool:
        """Take the next piece of the body. True: call :meth:`write_out` before the next one."""
        try:
            for event in self._decoder.feed(data):
                if event is None:
                    self._end_part()
                elif isinstance(event, Part):
                    self._begin_part(event)
                else:
                    self._add(event)
        except MultipartError as error:
            raise _refusal(error) from error
        return self._waiting_bytes >= _WRITE_BATCH

    def finish(self) -> bool:
        """Say that the body has ended. True: call :meth:`write_out` before :meth:`files`."""
        try:
            self._decoder.finish()
        except MultipartError as error:
            raise _refusal(error) from error
        return bool(self._waiting)

    def write_out(self) -> None:
        """Write what waits to the temporary files. Blocks on the disk."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for file, data in waiting:
            if not file.on_disk:
                file.move_to_disk()
            if data:
                file.stream.write(data)
            else:  # The part is complete; going back to its start also flushes it, here and now.
                file.stream.seek(0)

    def files(self, file_class: type[FileStorage] = FileStorage) -> FilePairs:
        """The uploaded files with their fields' names, in their order."""
        return [
            (
                file.part.name,
                file_class(
                    file.stream,
                    file.part.filename,
                    file.part.name,
                    content_type=file.part.content_type,
                    headers=Headers(file.part.headers),
                ),
            )
            for file in self._files
        ]

    def close(self) -> None:
        """Close all files, for a body that nobody will get."""
        for file in self._files:
            file.stream.close()
        self._waiting = []

    def _begin_part(self, part: Part) -> None:
        if part.filename is None:
            self._current = _Field(part)
        else:
            self._current = file = _File(part)
            self._files.append(file)

    def _add(self, data: bytes) -> None:
        current = self._current
        if isinstance(current, _Field):
            self._memory += len(data)
            if self._most is not None and self._memory > self._most:
                raise too_large("The form's fields are")
            current.chunks.append(data)
        elif current is not None:
            current.size += len(data)
            if current.size <= self._spool_size:
                current.stream.write(data)
            else:
                self._waiting.append((current, data))
                self._waiting_bytes += len(data)

    def _end_part(self) -> None:
        current, self._current = self._current, None
        if isinstance(current, _Field):
            self.fields.append((current.name, current.text()))
        elif current is not None:
            if current.size > self._spool_size:
                self._waiting.append((current, b""))
            else:
                current.stream.seek(0)


def _refusal(error: MultipartError) -> HTTPException:
    if isinstance(error, MultipartLimitError):
        return RequestEntityTooLarge(str(error))
    return BadRequest(str(error))


def parse_multipart(
    body: bytes,
    params: Mapping[str, str],
    limits: Limits,
    file_class: type[FileStorage] = FileStorage,
) -> tuple[Pairs, FilePairs]:
    """Split a whole ``multipart/form-data`` body into its fields and files.

    :param params: The parameters of the Content-Type header; ``boundary`` is needed.
    :raises BadRequest: if the body is malformed.
    :raises RequestEntityTooLarge: if it exceeds a limit.
    """
    builder = FormBuilder(params.get("boundary", ""), limits)
    try:
        builder.feed(body)
        if builder.finish():
            builder.write_out()
    except BaseException:
        builder.close()
        raise
    return builder.fields, builder.files(file_class)


class MissingUploadError(KeyError, AssertionError):
    """In debug mode: a file was asked for, but the form was sent without its files."""

    def __str__(self) -> str:
        return str(self.args[0])


class _ExplainingFiles(ImmutableMultiDict[str, FileStorage]):
    explanation = ""

    def __getitem__(self, key: str) -> FileStorage:
        raise MissingUploadError(f"There is no file {key!r} in request.files{self.explanation}")


def explaining_files(mimetype: str, form: MultiDict[str, str]) -> MultiDict[str, FileStorage]:
    """No files, and whoever asks for one is told why. For debug mode."""
    files = _ExplainingFiles()
    files.explanation = (
        f", because the request was sent as {mimetype or 'no particular media type'!r}. A form"
        ' uploads files only with enctype="multipart/form-data".'
    )
    if form:
        files.explanation += f" It sent these fields as text: {', '.join(map(repr, form))}."
    return files


async def in_file_lane(func: Callable[[], T]) -> T:
    """Call a function that blocks on a disk in a worker thread, on asyncio or trio.

    Its lane is its own, so that uploads wait for each other and never for views. Once begun it
    is waited for, also when the caller is cancelled.
    """
    if running_backend() is None:  # a thread that may block drives this
        return func()
    # anyio's threads cost milliseconds to import; only a large upload needs them.
    from anyio import to_thread

    return await to_thread.run_sync(func, limiter=_file_lane())


_lanes: list[Any] = []


def _file_lane() -> CapacityLimiter:
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

    if not _lanes:
        _lanes.append(RunVar("kolben_file_lane"))
    var: RunVar[CapacityLimiter] = _lanes[0]
    try:
        return var.get()
    except LookupError:
        limiter = CapacityLimiter(_WRITERS)
        var.set(limiter)
        return limiter
