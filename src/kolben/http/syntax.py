"""The grammar that header fields share: tokens, quoted strings, lists, parameters.

Every parser here reads its input once from left to right, takes at most :data:`MAX_ENTRIES`
entries, and leaves out what it cannot read; none of them raises for what a client sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

#: Entries that a list or parameter parser reads from one field; the rest is ignored.
MAX_ENTRIES = 100

# token = 1*tchar                                            RFC 9110, section 5.6.2
_TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_is_token = re.compile(f"{_TCHAR}+").fullmatch

# DQUOTE ( qdtext / "\" any )* DQUOTE: the two alternatives begin with different characters, so
# there is one way only to read any text.                    RFC 9110, section 5.6.4
_quoted = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_escaped = re.compile(r"\\(.)", re.ASCII | re.DOTALL)

_parameter_name = re.compile(f"({_TCHAR}+)=")
_parameter_token = re.compile(f"{_TCHAR}+")
_delimiter = re.compile(r";[ \t]*+").search

# charset "'" [ language ] "'" value-chars                     RFC 8187, section 3.2.1
_ATTR = _TCHAR.replace("'", "")
_extended_value = re.compile(f"({_ATTR}*+)'{_ATTR}*+'({_TCHAR}++)").fullmatch
_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})

_plain_int = re.compile(r"-?[0-9]{1,4000}").fullmatch


def is_token(text: str) -> bool:
    """Whether a text is an RFC 9110 token, so that it needs no quotes in a header.

    >>> is_token("max-age"), is_token("two words"), is_token("")
    (True, False, False)
    """
    return _is_token(text) is not None


def plain_int(text: str) -> int:
    """The whole number that a text of ASCII digits, with an optional minus, stands for.

    Unlike :class:`int` it takes no plus sign, underscore or digit of another script, none of
    which is a number in a header. Surrounding spaces and tabs are ignored.

    :raises ValueError: if the text is anything else.
    """
    text = text.strip(" \t")
    if _plain_int(text) is None:
        raise ValueError(f"{text[:40]!r} is not a plain integer")
    return int(text)


@lru_cache(512)
def _check_name(name: str) -> None:
    if _is_token(name) is None:
        raise ValueError(
            f"{name!r} is not a valid header name: use letters, digits and the characters"
            " !#$%&'*+-.^_`|~ only."
        )


def validate_header(name: str, value: str) -> None:
    """Refuse a header that could not be sent as one field.

    :param name: Field name; an RFC 9110 token.
    :param value: Field value without CR, LF and NUL.
    :raises ValueError: naming the header, if either is not so.
    :source: RFC 9110, sections 5.1 and 5.5.
    """
    _check_name(name)
    if "\n" in value or "\r" in value or "\0" in value:
        raise ValueError(
            f"The value of the header {name!r} contains a line break or a NUL character, which"
            " would end the header early. Remove or encode it before setting the header."
        )


def quote_header_value(value: Any, allow_token: bool = True) -> str:
    r"""Put a value in double quotes where a header needs them.

    >>> quote_header_value("abc"), quote_header_value('a "b"')
    ('abc', '"a \\"b\\""')

    :param value: Anything; its ``str`` is used.
    :param allow_token: Leave a token as it is; ``False`` quotes always.
    :source: RFC 9110, section 5.6.4. Werkzeug: the same.
    """
    text = str(value)
    if allow_token and _is_token(text) is not None:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote_header_value(value: str) -> str:
    r"""Undo :func:`quote_header_value`; a value without quotes comes back unchanged.

    >>> unquote_header_value('"a \\"b\\""')
    'a "b"'
    """
    if len(value) >= 2 and value[0] == '"' == value[-1]:
        value = value[1:-1]
        if "\\" in value:
            value = _escaped.sub(r"\1", value)
    return value


def split_list_header(value: str) -> list[str]:
    """The raw items of a comma-separated list; none at all if a quoted string never ends."""
    if '"' not in value:
        return [item.strip(" \t") for item in value.split(",", MAX_ENTRIES)[:MAX_ENTRIES]]
    items: list[str] = []
    start = position = 0
    while len(items) < MAX_ENTRIES:
        quote = value.find('"', position)
        comma = value.find(",", position, quote if quote >= 0 else len(value))
        if comma >= 0:
            items.append(value[start:comma].strip(" \t"))
            start = position = comma + 1
        elif quote < 0:
            items.append(value[start:].strip(" \t"))
            return items
        elif (string := _quoted.match(value, quote)) is None:
            return []
        else:
            position = string.end()
    return items


def parse_list_header(value: str) -> list[str]:
    """Split a comma-separated list; quotes around a whole item are removed.

    >>> parse_list_header('token, "quoted, value"')
    ['token', 'quoted, value']

    :return: The items in their order, without empty ones, at most 100; an empty list if a
        quoted string is not closed.
    :source: RFC 9110, section 5.6.1. Werkzeug: the same.
    """
    return [unquote_header_value(item) for item in split_list_header(value) if item]


def _split_extended(value: str) -> tuple[str | None, str]:
    """Read ``charset'language'percent-encoded``; the charset is ``None`` where there is none."""
    found = _extended_value(value)
    return (found[1].lower(), found[2]) if found else (None, value)


def parse_dict_header(value: str) -> dict[str, str | None]:
    """Parse a comma-separated list of ``key=value`` items; a bare key has the value ``None``.

    >>> parse_dict_header('a=b, c="d, e", f')
    {'a': 'b', 'c': 'd, e', 'f': None}

    A ``key*=charset''value`` item is decoded if its charset is ASCII, UTF-8 or ISO-8859-1.

    :return: The last value of each key; items without a key are left out.
    :source: RFC 9110, section 5.6.1; RFC 2231, section 3. Werkzeug: the same.
    """
    result: dict[str, str | None] = {}
    for item in parse_list_header(value):
        key, equals, text = item.partition("=")
        key = key.strip(" \t")
        if not key:
            continue
        if not equals:
            result[key] = None
            continue
        text = text.strip(" \t")
        if key.endswith("*"):
            key = key[:-1]
            charset, text = _split_extended(text)
            if charset in _CHARSETS:
                text = unquote(text, charset)
        result[key] = unquote_header_value(text)
    return result


def _dump_pair(key: str, value: Any) -> str:
    # An extended value is percent-encoded already; quotes would change its meaning.
    return f"{key}={value}" if key.endswith("*") else f"{key}={quote_header_value(value)}"


def dump_header(iterable: Mapping[str, Any] | Iterable[Any]) -> str:
    """Join items, or the pairs of a mapping, to a comma-separated list.

    >>> dump_header(["foo", "bar baz"]), dump_header({"a": "b c", "flag": None})
    ('foo, "bar baz"', 'a="b c", flag')

    :param iterable: Items, or a mapping; a key whose value is ``None`` stands alone.
    :source: Werkzeug: the same.
    """
    if isinstance(iterable, Mapping):
        return ", ".join(
            key if value is None else _dump_pair(key, value) for key, value in iterable.items()
        )
    return ", ".join(quote_header_value(item) for item in iterable)


def dump_options_header(header: str | None, options: Mapping[str, Any]) -> str:
    """Join a value and its parameters with semicolons; ``None`` parameters are left out.

    >>> dump_options_header("text/html", {"charset": "utf-8"})
    'text/html; charset=utf-8'

    :source: RFC 9110, section 5.6.6. Werkzeug: the same.
    """
    parts = [] if header is None else [header]
    parts += [_dump_pair(key, value) for key, value in options.items() if value is not None]
    return "; ".join(parts)


def _raw_parameters(text: str) -> list[tuple[str, str]]:
    """The well-formed ``name=value`` parts after a header's first semicolon, values raw."""
    found: list[tuple[str, str]] = []
    position = 0
    for _ in range(MAX_ENTRIES):
        if name := _parameter_name.match(text, position):
            position = name.end()
            if value := _parameter_token.match(text, position):
                found.append((name[1].lower(), value[0]))
            elif text.startswith('"', position):
                value = _quoted.match(text, position)
                if value is None:
                    break
                found.append((name[1].lower(), value[0]))
                position = value.end()
        delimiter = _delimiter(text, position)
        if delimiter is None:
            break
        position = delimiter.end()
    return found


def parse_options_header(value: str | None) -> tuple[str, dict[str, str]]:
    """Split a header value from its ``key=value`` parameters.

    RFC 2231 continuations and charsets are understood; of the charsets only ASCII, UTF-8 and
    ISO-8859-1 are decoded. ``%22`` in a quoted value is a double quote, as browsers write it
    in the names of uploaded files.

    >>> parse_options_header("text/html; Charset=utf-8")
    ('text/html', {'charset': 'utf-8'})

    :param value: Raw field value; ``None`` means that the field is absent.
    :return: The value, and its parameters with lower-cased names; parts that are not
        well-formed are left out.
    :source: RFC 9110, section 5.6.6; RFC 2231. Werkzeug: the same.
    """
    if value is None:
        return "", {}
    value, _, rest = value.partition(";")
    value = value.strip(" \t")
    rest = rest.strip(" \t")
    if not value or not rest:
        return value, {}

    options: dict[str, str] = {}
    sections: dict[str, list[str]] = {}
    charsets: dict[str, str] = {}
    for name, text in _raw_parameters(rest):
        if "*" not in name:
            options[name] = unquote_header_value(text).replace("%22", '"')
            sections.pop(name, None)
            continue
        _add_extended(name, text, options, sections, charsets)
    for name, texts in sections.items():
        options[name] = "".join(texts)
    return value, options


def _add_extended(
    name: str,
    text: str,
    options: dict[str, str],
    sections: dict[str, list[str]],
    charsets: dict[str, str],
) -> None:
    """Take in one parameter whose name bears RFC 2231's asterisk: ``name*``, ``name*0``, ``name*0*``."""
    extended = name.endswith("*")
    name = name.removesuffix("*")
    head, star, section = name.rpartition("*")
    has_sections = bool(star) and section.isascii() and section.isdigit()
    if has_sections:
        name = head
    charset: str | None = None
    if extended:
        charset, text = _split_extended(text)
        if not charset and has_sections:
            charset = charsets.get(name)
        if charset in _CHARSETS:
            text = unquote(text, charset)
    else:
        text = unquote_header_value(text).replace("%22", '"')
    if not has_sections:
        sections.pop(name, None)
        charsets.pop(name, None)
        options[name] = text
        return
    options.pop(name, None)
    sections.setdefault(name, []).append(text)
    if charset:
        charsets[name] = charset
