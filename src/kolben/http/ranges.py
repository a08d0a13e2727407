"""Parsing of ``Range``, ``If-Range`` and ``Content-Range``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .datastructures.ranges import MAX_RANGES, ContentRange, IfRange, Range, is_byte_range_valid
from .datastructures.sets import unquote_etag
from .dates import parse_date
from .syntax import plain_int

__all__ = [
    "MAX_RANGES",
    "is_byte_range_valid",
    "parse_content_range_header",
    "parse_if_range_header",
    "parse_range_header",
]


def parse_range_header(value: str | None, make_inclusive: bool = True) -> Range | None:
    """Parse ``Range``.

    >>> parse_range_header("bytes=0-99, 200-").ranges
    [(0, 100), (200, None)]

    :param value: Raw field value; ``None`` means that the field is absent.
    :param make_inclusive: Without a meaning; Werkzeug has it.
    :return: ``None`` if the field is absent or malformed, if its ranges are not in ascending order
        or overlap, or if there are more than 10: the whole is sent then.
    :source: RFC 9110, section 14.2. Werkzeug: the same, without a limit.
    """
    if not value or "=" not in value:
        return None
    units, _, rest = value.partition("=")
    items = rest.split(",", MAX_RANGES)
    if len(items) > MAX_RANGES:
        return None
    ranges: list[tuple[int, int | None]] = []
    end = 0
    try:
        for item in items:
            # A range to the end, or from the end, can only be the last.
            if end < 0:
                return None
            start, stop = _parse_range(item.strip(" \t"))
            if 0 <= start < end:
                return None
            end = -1 if stop is None else stop
            ranges.append((start, stop))
        return Range(units.strip(" \t").lower(), ranges)
    except ValueError:
        return None


def _parse_range(item: str) -> tuple[int, int | None]:
    first, dash, last = item.partition("-")
    if not dash or "-" in last:
        raise ValueError(item)
    if not first:
        start = -plain_int(last)
        if start == 0 or last[0] not in "0123456789":
            raise ValueError(item)
        return start, None
    return plain_int(first), plain_int(last) + 1 if last.strip(" \t") else None


def parse_if_range_header(value: str | None) -> IfRange:
    """Parse ``If-Range``: a date or an entity tag.

    >>> parse_if_range_header('"v1"').etag
    'v1'

    :return: An object without tag and date if the field is absent.
    :source: RFC 9110, section 13.1.5. Werkzeug: the same.
    """
    if not value:
        return IfRange()
    date = parse_date(value)
    if date is not None:
        return IfRange(date=date)
    etag, weak = unquote_etag(value.strip(" \t"))
    return IfRange(etag, weak=bool(weak))


def parse_content_range_header(
    value: str | None, on_update: Callable[[Any], None] | None = None
) -> ContentRange | None:
    """Parse ``Content-Range``.

    >>> parse_content_range_header("bytes 0-9/100").stop
    10

    :param on_update: Called with the object whenever it has been changed.
    :return: ``None`` if the field is absent or not valid.
    :source: RFC 9110, section 14.4. Werkzeug: the same.
    """
    if value is None:
        return None
    units, _, definition = value.strip(" \t").partition(" ")
    part, slash, total = definition.partition("/")
    if not units or not slash:
        return None
    start: int | None = None
    stop: int | None = None
    try:
        length = None if total == "*" else plain_int(total)
        if part != "*":
            first, _, last = part.partition("-")
            start, stop = plain_int(first), plain_int(last) + 1
        return ContentRange(units, start, stop, length, on_update=on_update)
    except ValueError:
        return None
