"""Query strings, and the conversion between what is read and what is sent of a URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, unquote_to_bytes

from .datastructures.multidict import ImmutableMultiDict, MultiDict, iter_multi_items

#: Pairs that a query string or an urlencoded form may have.
MAX_PAIRS = 1000

AnyMultiDict = TypeVar("AnyMultiDict", bound=MultiDict[str, str])

# Characters that need no encoding, from the WHATWG URL standard; the percent sign is among them
# where the text may be encoded already.
_PATH_SAFE = "%!$&'()*+,/:;=@"
_QUERY_SAFE = "%!$&'()*+,/:;=?@"
_FRAGMENT_SAFE = "%!#$&'()*+,/:;=?@"
_USER_SAFE = "%!$&'()*+,;="


class TooManyPairs(ValueError):
    """A query string or form has more pairs than allowed.

    :param limit: The number that is allowed.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"More than {limit} 'name=value' pairs.")
        self.limit = limit


# What "surrogateescape" makes of the bytes that are not UTF-8.
_ESCAPES = {0xDC00 + byte: f"%{byte:02X}" for byte in range(0x80, 0x100)}


def _utf8(data: bytes) -> str:
    """Decode, keeping bytes that are not UTF-8 percent-encoded, so that nothing is lost."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        # An error handler of our own would be called for each of a million bad bytes.
        return data.decode("utf-8", "surrogateescape").translate(_ESCAPES)


def _decode(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" in text:
        return _utf8(unquote_to_bytes(text))
    return text


def parse_query(query: str | bytes, limit: int | None = MAX_PAIRS) -> list[tuple[str, str]]:
    """Parse a query string or an urlencoded form.

    >>> parse_query(b"q=caf%C3%A9+au+lait&page=&sort")
    [('q', 'café au lait'), ('page', ''), ('sort', '')]

    :param query: What stands behind the question mark.
    :param limit: Pairs allowed; ``None`` for any number.
    :return: The decoded pairs in their order. Bytes that are not UTF-8 stay percent-encoded.
    :raises TooManyPairs: before anything is decoded, if there are more.
    :source: WHATWG URL, section 5.1. Werkzeug: the same, without a limit.
    """
    if not query:
        return []
    text = _utf8(query) if isinstance(query, bytes) else query
    if limit is not None and text.count("&") >= limit:
        raise TooManyPairs(limit)
    plain = "%" not in text and "+" not in text
    pairs = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((name, value) if plain else (_decode(name), _decode(value)))
    return pairs


_append: Any = dict.setdefault
_new: Any = dict.__new__
_set: Any = dict.__setitem__


def query_args(
    query: str | bytes,
    limit: int | None = MAX_PAIRS,
    cls: type[Any] = ImmutableMultiDict,
) -> Any:
    """As :func:`parse_query`, in a :class:`~.MultiDict`: what ``request.args`` is.

    >>> query_args(b"limit=10").get("limit", 20, type=int)
    10

    :param cls: The class; one that changes how it is made must not be given.
    :raises TooManyPairs: if there are more pairs than ``limit``.
    """
    args = _new(cls)
    if query:
        # One pair, nothing encoded: nearly every query string there is.
        text = _utf8(query) if isinstance(query, bytes) else query
        if "&" not in text and "%" not in text and "+" not in text and limit != 0:
            name, _, value = text.partition("=")
            _set(args, name, [value])
            return args
        for name, value in parse_query(text, limit):
            _append(args, name, []).append(value)
    return args


def build_query(query: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    """Write a query string; the inverse of :func:`parse_query`.

    >>> build_query({"q": "a b", "tag": ["x", "y"], "unset": None})
    'q=a+b&tag=x&tag=y'

    :param query: Pairs, a mapping (lists give several pairs) or a MultiDict; ``None`` values are
        left out.
    :source: Werkzeug: the same.
    """
    safe = "!$'()*,/:;?@"
    return "&".join(
        f"{quote_plus(_plain(name), safe=safe)}={quote_plus(_plain(value), safe=safe)}"
        for name, value in iter_multi_items(query)
        if value is not None
    )


def _plain(value: Any) -> str | bytes:
    return value if isinstance(value, (str, bytes)) else str(value)


def quote_path(path: str) -> str:
    """Percent-encode a path; what is encoded already stays.

    >>> quote_path("/a b/%2F")
    '/a%20b/%2F'
    """
    return quote(path, safe=_PATH_SAFE)


def _unquoter(keep: str) -> Callable[[str], str]:
    """A function that decodes everything in a part of a URL but the given characters."""
    kept = "|".join(f"{ord(char):02X}" for char in sorted(keep))
    # Pieces with odd numbers are the runs that stay.
    split = re.compile(f"((?:%(?:{kept}))+)", re.IGNORECASE).split

    def unquote_part(text: str) -> str:
        if "%" not in text:
            return text
        return "".join(
            piece if number % 2 else _utf8(unquote_to_bytes(piece))
            for number, piece in enumerate(split(text))
        )

    return unquote_part


# Controls, the space and the percent sign would change the meaning anywhere.
_CONTROLS = "".join(map(chr, (*range(0x21), 0x25, 0x7F)))
_unquote_path = _unquoter(_CONTROLS + "/?#")
_unquote_query = _unquoter(_CONTROLS + "&=+#")
_unquote_fragment = _unquoter(_CONTROLS)
_unquote_user = _unquoter(_CONTROLS + ":@/?#")


# The parts of any URL or relative reference; every text matches.   RFC 3986, appendix B
_split_url = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.\-]*+):)?(//[^/?#]*+)?([^?#]*+)(\?[^#]*+)?(#.*)?", re.DOTALL
).fullmatch


def _split_host(netloc: str) -> tuple[str, str]:
    """Host (without brackets) and port; either may be empty."""
    if netloc.startswith("["):
        host, bracket, rest = netloc[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        if not bracket or colon not in ("", ":"):
            raise ValueError(f"{netloc!r} is not a valid IPv6 host.")
    else:
        host, _, port = netloc.partition(":")
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise ValueError(f"{port!r} is not a valid port.")
    return host.lower(), port


def _convert(
    url: str,
    host: Callable[[str], str],
    user: Callable[[str], str],
    path: Callable[[str], str],
    query: Callable[[str], str],
    fragment: Callable[[str], str],
) -> str:
    """Convert each part of a URL on its own; the marks between the parts stay as they are.

    The standard library's way of splitting and joining turns ``////host`` into ``//host``.
    """
    parts = _split_url(url)
    assert parts is not None
    scheme, authority, path_text, query_text, fragment_text = parts.groups()
    result = f"{scheme.lower()}:" if scheme else ""
    if authority is not None:
        credentials, at, netloc = authority[2:].rpartition("@")
        name, port = _split_host(netloc)
        name = host(name)
        result += "//"
        if at:
            username, colon, password = credentials.partition(":")
            result += f"{user(username)}{colon}{user(password)}@"
        result += f"[{name}]" if ":" in name else name
        if port:
            result += f":{port}"
    result += path(path_text)
    if query_text is not None:
        result += f"?{query(query_text[1:])}"
    if fragment_text is not None:
        result += f"#{fragment(fragment_text[1:])}"
    return result


def _host_to_ascii(host: str) -> str:
    if host.isascii():
        return host
    name = host.encode("idna").decode("ascii")
    # Some letters are spelled out with a slash or a question mark, which would end the host.
    if not set(name).isdisjoint("/?#@:\\%"):
        raise ValueError(f"{host!r} is not a valid host.")
    return name


def _host_to_text(host: str) -> str:
    if "xn--" not in host or not host.isascii():
        return host
    labels = []
    for label in host.split("."):
        try:
            labels.append(label.encode("ascii").decode("idna"))
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)


def iri_to_uri(iri: str) -> str:
    """Encode a URL as it is sent: ASCII only, the host in Punycode.

    >>> iri_to_uri("http://☃.net/påth?q=èry%DF")
    'http://xn--n3h.net/p%C3%A5th?q=%C3%A8ry%DF'

    :raises ValueError: if the text is no URL.
    :source: RFC 3987, section 3.1. Werkzeug: the same.
    """
    return _convert(
        iri,
        _host_to_ascii,
        lambda text: quote(text, safe=_USER_SAFE),
        quote_path,
        lambda text: quote(text, safe=_QUERY_SAFE),
        lambda text: quote(text, safe=_FRAGMENT_SAFE),
    )


def uri_to_iri(uri: str) -> str:
    """Decode a URL for people to read: reserved and invalid characters stay encoded.

    >>> uri_to_iri("http://xn--n3h.net/p%C3%A5th?q=%C3%A8ry%DF")
    'http://☃.net/påth?q=èry%DF'

    :raises ValueError: if the text is no URL.
    :source: RFC 3987, section 3.2. Werkzeug: the same.
    """
    return _convert(
        uri, _host_to_text, _unquote_user, _unquote_path, _unquote_query, _unquote_fragment
    )


_scheme = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match
_controls_or_backslash = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_http_prefix = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE).match


def is_safe_redirect(target: str | None, host: str | None = None) -> bool:
    r"""Whether redirecting to a target that a client gave stays on this host.

    For the ``next=`` parameter of a login page. Everything that a browser could take for another
    host is refused: ``//evil``, ``/\evil``, ``https:evil``, control characters, leading spaces.

    >>> is_safe_redirect("/account?tab=1"), is_safe_redirect("//evil.example/")
    (True, False)
    >>> is_safe_redirect("https://shop.example/cart", "shop.example")
    True

    :param target: The URL or path.
    :param host: The request's host, with its port if it has one; absolute URLs to it are
        safe then. Without it only paths are.
    :source: OWASP, unvalidated redirects; WHATWG URL, section 4.4.
    """
    if not target or _controls_or_backslash.search(target):
        return False
    if absolute := _http_prefix(target):
        return bool(host) and absolute[2].lower() == str(host).lower()
    return not target.startswith("//") and not _scheme(target)


def encode_location(location: str) -> str:
    r"""Make a redirect's target fit for the ``Location`` header.

    A relative one stays relative; control characters, spaces and backslashes are
    percent-encoded, so that no browser reads a host into a path.

    >>> encode_location("/\\evil.example"), encode_location("/straße")
    ('/%5Cevil.example', '/stra%C3%9Fe')

    :raises ValueError: if the text is no URL.
    :source: RFC 9110, section 10.2.2; RFC 3987, section 3.1.
    """
    return iri_to_uri(_controls_or_backslash.sub(lambda found: quote(found[0], safe=""), location))
