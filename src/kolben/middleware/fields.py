"""Header fields as ASGI has them: lists of lower-case names and values, in bytes."""

from __future__ import annotations

from collections.abc import Iterable

from .._types import RawHeader


def find_field(headers: Iterable[RawHeader], name: bytes) -> bytes | None:
    """The value of a field, its several lines joined as one list; ``None`` if it is absent.

    >>> find_field([(b"vary", b"origin"), (b"vary", b"cookie")], b"vary")
    b'origin, cookie'

    :param name: In lower case.
    :source: RFC 9110, section 5.3.
    """
    found = None
    for each, value in headers:
        if each == name:
            found = value if found is None else b"%b, %b" % (found, value)
    return found


def with_vary(headers: Iterable[RawHeader], *names: bytes) -> list[RawHeader]:
    """The fields with ``names`` in ``Vary``, which keeps those that it has.

    >>> with_vary([(b"vary", b"Cookie")], b"Origin", b"cookie")
    [(b'vary', b'Cookie, Origin')]

    :source: RFC 9110, section 12.5.5.
    """
    headers = list(headers)
    present = find_field(headers, b"vary")
    if present is None:
        headers.append((b"vary", b", ".join(names)))
        return headers
    there = {name.strip(b" \t").lower() for name in present.split(b",")}
    missing = [name for name in names if name.lower() not in there]
    if not missing or b"*" in there:
        return headers
    value = b", ".join((present, *missing)) if present.strip(b" \t,") else b", ".join(missing)
    return [*(field for field in headers if field[0] != b"vary"), (b"vary", value)]
