"""Multipart form bodies: bytes in, events out, no input or output of its own.

The grammar is the work of the ``multipart`` library's push parser. This module adds what a server
needs around it: limits on the boundary, the parts and their headers, a first boundary that is
found in the same way however the body was cut, and file names in the older notations.

An event is one of:

- :class:`Part`: a part begins, its headers are known;
- ``bytes``: the next piece of the current part's content, never empty;
- ``None``: the current part is complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from .headers import parse_options_header

#: All header lines of one part together, in bytes.
MAX_PART_HEADERS = 8192
#: Header lines of one part; RFC 7578 knows three.
_MAX_HEADER_LINES = 16

# RFC 2046, section 5.1.1: boundary := 0*69<bchars> bcharsnospace
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


class MultipartError(ValueError):
    """The body is not the multipart message that it claims to be."""


class MultipartLimitError(MultipartError):
    """The body is well-formed so far, but has more parts or longer headers than allowed."""


class Part:
    """The head of one part.

    :ivar name: The form field's name; empty if the client gave none.
    :ivar filename: The file's name as the client tells it, not safe for use as a path; ``None``
        for a field that is not a file, ``""`` for a file input without a chosen file.
    :ivar content_type: The whole Content-Type value, or ``None``.
    :ivar headers: ``(name, value)`` pairs in their order.
    """

    __slots__ = ("content_type", "filename", "headers", "name")

    def __init__(
        self,
        name: str,
        filename: str | None = None,
        content_type: str | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        self.name = name
        self.filename = filename
        self.content_type = content_type
        self.headers = [] if headers is None else headers

    def __repr__(self) -> str:
        return f"<Part {self.name!r} filename={self.filename!r}>"


Event: TypeAlias = "Part | bytes | None"


class MultipartDecoder:
    """Takes a ``multipart/form-data`` body in pieces of any size and tells what is in it.

    The events depend only on the body, never on where it was cut, except that the content of a
    part may come in other pieces. Time is linear in the length of the body, and at most one
    piece and one part's headers are held.

    >>> decoder = MultipartDecoder("x")
    >>> body = b'--x\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n--x--\\r\\n'
    >>> list(decoder.feed(body))
    [<Part 'a' filename=None>, b'1', None]
    >>> decoder.finish()

    :param boundary: The ``boundary`` parameter of the Content-Type header, without quotes.
    :param max_parts: More parts raise :exc:`MultipartLimitError`; ``None`` for any number.
    :raises MultipartError: if the boundary is empty, longer than 70 characters, or has
        characters that are not allowed in one.
    :source: RFC 7578; RFC 2046, section 5.1.
    """

    __slots__ = ("_delimiter", "_library", "_parser", "_tail")

    def __init__(self, boundary: str, *, max_parts: int | None = None) -> None:
        if _BOUNDARY.fullmatch(boundary) is None:
            raise MultipartError("The multipart boundary is missing or malformed.")
        # Costs milliseconds to import, which an application without uploads need not pay.
        import multipart  # type: ignore[import-untyped,unused-ignore]

        limits: dict[str, Any] = {} if max_parts is None else {"max_segment_count": max_parts}
        self._library: Any = multipart
        self._parser: Any = multipart.PushMultipartParser(
            boundary,
            max_header_size=MAX_PART_HEADERS,
            max_header_count=_MAX_HEADER_LINES,
            **limits,
        )
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        # The first boundary stands at the start of the body or of a line; with a line break put
        # before the body the two are one.
        self._tail: bytes | None = b"\r\n"

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take the next piece of the body.

        The events must all be taken before the next call.

        :raises MultipartError: if the body is malformed.
        :raises MultipartLimitError: if it exceeds a limit.
        """
        if self._tail is not None:
            data = self._skip_preamble(self._tail + data)
        if not data or self._parser.closed:
            return
        library = self._library
        try:
            for event in self._parser.parse(data):
                if event is None or event.__class__ is bytes:
                    yield event
                elif isinstance(event, library.MultipartSegment):
                    yield _part(event)
                else:
                    yield bytes(event)
        except library.ParserLimitReached as error:
            raise MultipartLimitError(f"{error}.") from error
        except library.MultipartError as error:
            raise MultipartError(f"{error}.") from error

    def finish(self) -> None:
        """Say that the body has ended.

        :raises MultipartError: if the closing boundary has not come.
        """
        try:
            if not self._parser.closed:
                self._parser.close()
        except self._library.MultipartError as error:
            raise MultipartError("The multipart body ends before its last boundary.") from error

    def _skip_preamble(self, data: bytes) -> bytes:
        index = data.find(self._delimiter)
        if index < 0:
            self._tail = data[-(len(self._delimiter) - 1) :]
            return b""
        self._tail = None
        return data[index + 2 :]


def _part(segment: Any) -> Part:
    headers: list[tuple[str, str]] = segment.headerlist
    if sum(len(name) + len(value) for name, value in headers) > MAX_PART_HEADERS:
        raise MultipartLimitError("The headers of a part are too long.")
    filename: str | None = segment.filename
    content_type: str | None = None
    for name, value in headers:
        if name == "Content-Type":
            content_type = value
        elif name == "Content-Disposition" and filename is None and "*" in value:
            # RFC 7578 forbids this notation, but widespread clients use it for names beyond
            # ASCII; without it their files would become text fields.
            filename = parse_options_header(value)[1].get("filename")
    return Part(segment.name or "", filename, content_type, headers)
