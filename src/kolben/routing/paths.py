"""Paths as a server gives them, and as the matcher wants them.

An ASGI server gives the path percent-decoded, so an encoded slash (``%2F``) that belongs to a value
looks like one that separates segments. Where ``raw_path`` shows that there is one,
:func:`route_path` puts :data:`ENCODED_SLASH` in its place, a character that no decoding yields, and
one more in front as a sign. Only :meth:`Map.match` and :class:`MapAdapter` understand such a path.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from .converters import PATH_SAFE

#: A lone surrogate: UTF-8 never decodes to it.
ENCODED_SLASH = "\udc2f"


def route_path(path: str, raw_path: bytes | None, root_path: str = "") -> str:
    """The path to match: ``path``, unless it holds encoded slashes.

    Costs one search for ``%2`` where there are none. A ``raw_path`` that does not decode to
    ``path`` (a middleware rewrote only one of them) is ignored.

    >>> route_path("/posts/1", b"/posts/1")
    '/posts/1'
    >>> route_path("/tags/a/b", b"/tags/a%2Fb") == "\\udc2f/tags/a\\udc2fb"
    True

    :param path: The decoded path below ``root_path``; begins with a slash.
    :param raw_path: The path as it came, with or without ``root_path``, or ``None``.
    :param root_path: Where the application is mounted, decoded.
    :source: RFC 3986, section 2.2: an encoded delimiter is data.
    """
    if raw_path is None or b"%2" not in raw_path:
        return path
    raw = raw_path.partition(b"?")[0].decode("latin-1")
    if "%2F" not in raw and "%2f" not in raw:
        return path
    pieces = raw.replace("%2f", "%2F").split("%2F")
    marked = ENCODED_SLASH.join(unquote(piece) for piece in pieces)
    whole = marked.replace(ENCODED_SLASH, "/")
    if whole == path:
        return ENCODED_SLASH + marked
    if whole == root_path.rstrip("/") + path:
        return ENCODED_SLASH + marked[len(whole) - len(path) :]
    return path


def quote_path(path: str) -> str:
    """Percent-encode a path for a URL; the inverse of decoding it, encoded slashes included.

    >>> quote_path("/a b/ü")
    '/a%20b/%C3%BC'
    """
    pieces = path.removeprefix(ENCODED_SLASH).split(ENCODED_SLASH)
    return "%2F".join(quote(piece, safe=PATH_SAFE, errors="replace") for piece in pieces)


def climbs(text: str) -> bool:
    """Whether a value with decoded slashes leads out of the folder that it is joined to.

    Code that puts a value of one segment into a file's path trusts that it holds no slash.
    """
    return text.startswith("/") or ".." in text.split("/")
