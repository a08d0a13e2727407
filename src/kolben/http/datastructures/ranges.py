"""Parts of a representation: ``Range``, ``If-Range``, ``Content-Range``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from ..dates import http_date
from .sets import quote_etag

#: Ranges that one request may ask for; more are answered as if it had asked for none.
MAX_RANGES = 10


def is_byte_range_valid(start: int | None, stop: int | None, length: int | None) -> bool:
    """Whether a half-open range can belong to a representation of some length.

    >>> is_byte_range_valid(0, 10, 5), is_byte_range_valid(5, 6, 5)
    (True, False)

    :param start: First byte; ``None``, as is ``stop``, for the range that says only the length.
    :param stop: One after the last byte; may lie beyond the end.
    :param length: Bytes in all; ``None`` if it is not known.
    """
    if start is None or stop is None:
        return start is stop and (length is None or length >= 0)
    return 0 <= start < stop and (length is None or start < length)


class IfRange:
    """The condition of a range request: an entity tag, a date, or neither.

    :param etag: Tag without its quotes.
    :param date: Aware datetime.
    :param weak: The tag was a weak one, which is equal to none here.
    :source: RFC 9110, section 13.1.5. Werkzeug: the same, without ``weak``.
    """

    def __init__(
        self, etag: str | None = None, date: datetime | None = None, *, weak: bool = False
    ) -> None:
        self.etag = etag
        self.date = date
        self.weak = weak

    def to_header(self) -> str:
        """The field's value; empty if there is no condition."""
        if self.date is not None:
            return http_date(self.date)
        return "" if self.etag is None else quote_etag(self.etag.replace('"', ""), self.weak)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


class Range:
    """The parts that a client asked for.

    >>> Range("bytes", [(0, 10)]).to_header(), Range("bytes", [(-5, None)]).range_for_length(100)
    ('bytes=0-9', (95, 100))

    :param units: Almost always ``bytes``.
    :param ranges: ``(start, stop)`` pairs, half open; ``stop`` is ``None`` for "to the end",
        and a negative start counts from there.
    :raises ValueError: if a pair is no range.
    :source: RFC 9110, section 14.2. Werkzeug: the same.
    """

    def __init__(self, units: str, ranges: Sequence[tuple[int, int | None]]) -> None:
        for start, stop in ranges:
            if stop is not None and not 0 <= start < stop:
                raise ValueError(f"{(start, stop)} is not a valid range.")
        self.units = units
        self.ranges = ranges

    def range_for_length(self, length: int | None) -> tuple[int, int] | None:
        """The one range in bytes, cut to a length; ``None`` if there is not exactly one, or it
        cannot be satisfied.
        """
        if len(self.ranges) != 1:
            return None
        parts = self.parts_for_length(length)
        return parts[0] if parts else None

    def parts_for_length(self, length: int | None) -> list[tuple[int, int]] | None:
        """All parts that a representation of some length has to give.

        >>> Range("bytes", [(0, 5), (-5, None)]).parts_for_length(100)
        [(0, 5), (95, 100)]

        :param length: Bytes in all; ``None`` if it is not known.
        :return: ``(start, stop)`` pairs. Empty: none can be satisfied, answer 416. ``None``: the
            header is to be ignored, since its unit is not bytes, the length is not known, or there
            are more than 10 ranges, or some overlap.
        """
        if self.units != "bytes" or length is None or len(self.ranges) > MAX_RANGES:
            return None
        parts: list[tuple[int, int]] = []
        for start, stop in self.ranges:
            if stop is None:
                stop = length
                if start < 0:
                    start = max(0, start + length)
            if is_byte_range_valid(start, stop, length):
                parts.append((start, min(stop, length)))
        ordered = sorted(parts)
        if any(before[1] > after[0] for before, after in pairwise(ordered)):
            return None
        return parts

    def make_content_range(self, length: int | None) -> ContentRange | None:
        """The ``Content-Range`` of the answer, if :meth:`range_for_length` gives one."""
        found = self.range_for_length(length)
        return None if found is None else ContentRange(self.units, *found, length)

    def to_content_range_header(self, length: int | None) -> str | None:
        """As :meth:`make_content_range`, written as the header's value."""
        found = self.make_content_range(length)
        return None if found is None else found.to_header()

    def to_header(self) -> str:
        """The field's value."""
        parts = [
            f"{start}-{stop - 1}" if stop is not None else f"{start}-" if start >= 0 else str(start)
            for start, stop in self.ranges
        ]
        return f"{self.units}={','.join(parts)}"

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def _observed(name: str, doc: str) -> Any:
    def write(self: ContentRange, value: Any) -> None:
        setattr(self, name, value)
        self._changed()

    return property(lambda self: getattr(self, name), write, doc=doc)


class ContentRange:
    """The part of a representation that a response carries.

    >>> ContentRange("bytes", 0, 10, 100).to_header()
    'bytes 0-9/100'

    :param units: Almost always ``bytes``; ``None`` means that there is no such header.
    :param start: First byte, or ``None``.
    :param stop: One after the last byte, or ``None``.
    :param length: Bytes of the whole, or ``None`` if it is not known.
    :param on_update: Called with the object whenever it has been changed.
    :source: RFC 9110, section 14.4. Werkzeug: the same.
    """

    def __init__(
        self,
        units: str | None,
        start: int | None,
        stop: int | None,
        length: int | None = None,
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        self.on_update = on_update
        self.set(start, stop, length, units)

    units: str | None = _observed("_units", "The unit, or None if there is no header.")
    start: int | None = _observed("_start", "First byte, or None.")
    stop: int | None = _observed("_stop", "One after the last byte, or None.")
    length: int | None = _observed("_length", "Bytes of the whole, or None.")

    def _changed(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def set(
        self,
        start: int | None,
        stop: int | None,
        length: int | None = None,
        units: str | None = "bytes",
    ) -> None:
        """Change everything at once.

        :raises ValueError: if that is no valid range.
        """
        if not is_byte_range_valid(start, stop, length):
            raise ValueError(f"{start}-{stop} is not a valid range of {length} bytes.")
        self._units = units
        self._start = start
        self._stop = stop
        self._length = length
        self._changed()

    def unset(self) -> None:
        """Say that there is no such header."""
        self.set(None, None, units=None)

    def to_header(self) -> str:
        """The field's value; empty if there is no header."""
        if self._units is None:
            return ""
        length = "*" if self._length is None else self._length
        if self._start is None or self._stop is None:
            return f"{self._units} */{length}"
        return f"{self._units} {self._start}-{self._stop - 1}/{length}"

    def __bool__(self) -> bool:
        return self._units is not None

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"
