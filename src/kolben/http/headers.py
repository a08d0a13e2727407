"""Parsing and writing of header values.

The plain grammar is that of :mod:`kolben.http.syntax`; the parsers here make the objects of
:mod:`kolben.http.datastructures` of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from .datastructures.accept import Accept
from .datastructures.control import CacheControl, ContentSecurityPolicy, RequestCacheControl
from .datastructures.sets import HeaderSet
from .status import HTTP_STATUS_CODES
from .syntax import (
    MAX_ENTRIES,
    dump_header,
    dump_options_header,
    is_token,
    parse_dict_header,
    parse_list_header,
    parse_options_header,
    plain_int,
    quote_header_value,
    split_list_header,
    unquote_header_value,
    validate_header,
)

__all__ = [
    "HTTP_STATUS_CODES",
    "MAX_ENTRIES",
    "dump_csp_header",
    "dump_header",
    "dump_options_header",
    "is_token",
    "parse_accept_header",
    "parse_cache_control_header",
    "parse_csp_header",
    "parse_dict_header",
    "parse_list_header",
    "parse_options_header",
    "parse_set_header",
    "plain_int",
    "quote_header_value",
    "unquote_header_value",
    "validate_header",
]

AnyAccept = TypeVar("AnyAccept", bound=Accept)
AnyCacheControl = TypeVar("AnyCacheControl", bound=CacheControl)
AnyPolicy = TypeVar("AnyPolicy", bound=ContentSecurityPolicy)

_quality = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?", re.ASCII).fullmatch


def _weighted(item: str) -> tuple[str, float] | None:
    """A list item and its quality; ``None`` if the quality is not a number from 0 to 1."""
    if ";" not in item:
        return unquote_header_value(item), 1
    value, options = parse_options_header(item)
    if not value:
        return None
    quality: float = 1
    if "q" in options:
        text = options.pop("q").strip(" \t")
        if _quality(text) is None or not 0 <= (quality := float(text)) <= 1:
            return None
    return (dump_options_header(value, options) if options else value), quality


@overload
def parse_accept_header(value: str | None) -> Accept: ...
@overload
def parse_accept_header(value: str | None, cls: type[AnyAccept]) -> AnyAccept: ...
def parse_accept_header(value: str | None, cls: type[Any] = Accept) -> Any:
    """Parse ``Accept`` and its siblings.

    >>> parse_accept_header("text/html, text/*;q=0.5").quality("text/html")
    1

    :param value: Raw field value; ``None`` or nothing gives an empty object whose ``provided`` is
        false.
    :param cls: :class:`~.MIMEAccept`, :class:`~.LanguageAccept`, :class:`~.CharsetAccept` or
        :class:`~.Accept`.
    :return: An instance of ``cls``; items with an invalid quality are left out.
    :source: RFC 9110, section 12.5.1. Werkzeug: the same.
    """
    if not value:
        return cls(None)
    pairs = (_weighted(item) for item in split_list_header(value) if item)
    return cls([pair for pair in pairs if pair is not None])


@overload
def parse_cache_control_header(
    value: str | None, on_update: Callable[[Any], None] | None = None
) -> RequestCacheControl: ...
@overload
def parse_cache_control_header(
    value: str | None,
    on_update: Callable[[Any], None] | None = None,
    *,
    cls: type[AnyCacheControl],
) -> AnyCacheControl: ...
@overload
def parse_cache_control_header(
    value: str | None, on_update: Callable[[Any], None] | None, cls: type[AnyCacheControl]
) -> AnyCacheControl: ...
def parse_cache_control_header(
    value: str | None,
    on_update: Callable[[Any], None] | None = None,
    cls: type[Any] = RequestCacheControl,
) -> Any:
    """Parse ``Cache-Control``.

    >>> parse_cache_control_header("max-age=60, no-store").max_age
    60

    :param on_update: Called with the object whenever it has been changed.
    :param cls: :class:`~.RequestCacheControl` or :class:`~.ResponseCacheControl`.
    :source: RFC 9111, section 5.2. Werkzeug: the same.
    """
    if not value:
        return cls((), on_update)
    return cls({key.lower(): text for key, text in parse_dict_header(value).items()}, on_update)


@overload
def parse_csp_header(
    value: str | None, on_update: Callable[[Any], None] | None = None
) -> ContentSecurityPolicy: ...
@overload
def parse_csp_header(
    value: str | None, on_update: Callable[[Any], None] | None = None, *, cls: type[AnyPolicy]
) -> AnyPolicy: ...
@overload
def parse_csp_header(
    value: str | None, on_update: Callable[[Any], None] | None, cls: type[AnyPolicy]
) -> AnyPolicy: ...
def parse_csp_header(
    value: str | None,
    on_update: Callable[[Any], None] | None = None,
    cls: type[Any] = ContentSecurityPolicy,
) -> Any:
    """Parse ``Content-Security-Policy``.

    >>> parse_csp_header("default-src 'self'; img-src *").img_src
    '*'

    :param on_update: Called with the object whenever it has been changed.
    :source: W3C, Content Security Policy Level 3. Werkzeug: the same.
    """
    if value is None:
        return cls((), on_update)
    items: dict[str, str] = {}
    for policy in value.split(";", MAX_ENTRIES)[:MAX_ENTRIES]:
        directive, space, sources = policy.strip(" \t").partition(" ")
        if space:
            items[directive.rstrip("\t")] = sources.strip(" \t")
    return cls(items, on_update)


def dump_csp_header(header: Mapping[str, str]) -> str:
    """Write ``Content-Security-Policy``; the inverse of :func:`parse_csp_header`."""
    return ContentSecurityPolicy(header).to_header()


def parse_set_header(
    value: str | None, on_update: Callable[[Any], None] | None = None
) -> HeaderSet:
    """Parse a list of names such as ``Vary`` or ``Allow``.

    >>> "COOKIE" in parse_set_header("Accept, Cookie")
    True

    :param on_update: Called with the set whenever it has been changed.
    :source: RFC 9110, section 5.6.1. Werkzeug: the same.
    """
    return HeaderSet(parse_list_header(value) if value else None, on_update)
