"""Entity tags, and whether a request's conditions hold."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from .datastructures.sets import ETags, generate_etag, quote_etag, unquote_etag
from .dates import as_utc, parse_date
from .ranges import parse_if_range_header
from .syntax import MAX_ENTRIES

__all__ = [
    "evaluate_conditions",
    "generate_etag",
    "is_resource_modified",
    "parse_etags",
    "quote_etag",
    "unquote_etag",
]

# [ W/ ] DQUOTE *etagc DQUOTE, followed by a comma or the end; also without quotes, since such
# tags are sent. Possessive, so that nothing is read twice.      RFC 9110, section 8.8.3
_entry = re.compile(r'[ \t]*+([Ww]/)?+(?:"([^"]*+)"|([^" \t,]++))[ \t]*+(?:,|\Z)', re.ASCII).match


def parse_etags(value: str | None) -> ETags:
    """Parse ``If-Match`` or ``If-None-Match``.

    >>> parse_etags('"a", W/"b"').contains_weak("b")
    True

    :param value: Raw field value; ``None`` means that the field is absent.
    :return: At most 100 tags; what is not one is left out.
    :source: RFC 9110, section 13.1. Werkzeug: the same.
    """
    if not value:
        return ETags()
    if value.strip(" \t") == "*":
        return ETags(star_tag=True)
    strong: list[str] = []
    weak: list[str] = []
    position = 0
    for _ in range(MAX_ENTRIES):
        if found := _entry(value, position):
            tags = weak if found[1] else strong
            tags.append(found[2] if found[2] is not None else found[3])
            position = found.end()
        else:
            position = value.find(",", position) + 1
        if not 0 < position < len(value):
            break
    return ETags(strong, weak)


def _moment(last_modified: datetime | str | None) -> datetime | None:
    """When something was changed, in whole seconds, as precise as a header can be."""
    if isinstance(last_modified, str):
        last_modified = parse_date(last_modified)
    return None if last_modified is None else as_utc(last_modified.replace(microsecond=0))


def is_resource_modified(
    http_range: str | None = None,
    http_if_range: str | None = None,
    http_if_modified_since: str | None = None,
    http_if_none_match: str | None = None,
    http_if_match: str | None = None,
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Whether a response has to be sent in full, under the conditions of a request.

    >>> is_resource_modified(http_if_none_match='"v1"', etag="v1")
    False

    :param http_range: The request's header of that name, as are the four that follow.
    :param etag: The tag of the response, with or without quotes and ``W/``.
    :param data: Or its content, from which the tag is made.
    :param last_modified: When it was last changed; a naive datetime is in UTC.
    :param ignore_if_range: Leave ``If-Range`` to someone else.
    :return: False if the client has it already, or must not have it.
    :raises TypeError: if both a tag and content are given.
    :source: RFC 9110, section 13. Werkzeug: the same.
    """
    if data is not None:
        if etag is not None:
            raise TypeError("Give either 'etag' or 'data', not both.")
        etag = generate_etag(data)
    tag, is_weak = unquote_etag(etag)
    changed = _moment(last_modified)

    if http_range is not None and not ignore_if_range and http_if_range:
        if_range = parse_if_range_header(http_if_range)
        if if_range.date is not None:
            return changed is None or changed > if_range.date
        # Only strong tags are equal to each other here.       RFC 9110, section 13.1.5
        return not tag or bool(is_weak) or if_range.weak or if_range.etag != tag

    unmodified = False
    since = parse_date(http_if_modified_since)
    if since is not None and changed is not None:
        unmodified = changed <= since
    if tag:
        if none_match := parse_etags(http_if_none_match):
            unmodified = none_match.contains_weak(tag)
        if match := parse_etags(http_if_match):
            unmodified = not match.star_tag and (bool(is_weak) or not match.is_strong(tag))
    return not unmodified


def evaluate_conditions(
    method: str,
    *,
    etag: str | None = None,
    last_modified: datetime | str | None = None,
    if_match: str | None = None,
    if_unmodified_since: str | None = None,
    if_none_match: str | None = None,
    if_modified_since: str | None = None,
) -> Literal[200, 304, 412]:
    """What a request's conditions make of a response that would be successful.

    >>> evaluate_conditions("GET", etag="v1", if_none_match='W/"v1"')
    304
    >>> evaluate_conditions("PUT", etag="v2", if_match='"v1"')
    412

    :param method: The request's method.
    :param etag: Current tag, with or without quotes and ``W/``; ``None`` if there is none.
    :param last_modified: When the content was last changed, if known; naive means UTC.
    :param if_match: Header of that name, as are the rest.
    :return: 304 (send no content), 412 (the method must not take effect), or 200.
    :source: RFC 9110, section 13.2.2, whose steps these are.
    """
    tag, is_weak = unquote_etag(etag)
    changed = _moment(last_modified)
    reads = method in ("GET", "HEAD")
    # 1 and 2: is the client's idea of the state still right?
    if if_match is not None:
        wanted = parse_etags(if_match)
        if not (wanted.star_tag or (tag and not is_weak and wanted.is_strong(tag))):
            return 412
    elif changed and (limit := parse_date(if_unmodified_since)) and changed > limit:
        return 412
    # 3 and 4: has the client got it already?
    if if_none_match is not None:
        known = parse_etags(if_none_match)
        if known.star_tag or (tag and known.contains_weak(tag)):
            return 304 if reads else 412
    elif reads and changed and (since := parse_date(if_modified_since)) and changed <= since:
        return 304
    return 200
