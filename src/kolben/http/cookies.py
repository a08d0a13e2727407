"""Cookies: reading ``Cookie``, writing ``Set-Cookie``."""

from __future__ import annotations

import re
import time
import warnings
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from .datastructures.multidict import MultiDict
from .dates import http_date

#: Cookies read from one request; the rest is ignored.
MAX_COOKIES = 1000

_unescape = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL).sub

# What needs no quotes in a value. RFC 6265 forbids the comma, the semicolon, the double quote,
# the backslash, white space and everything outside ASCII.
_is_plain = re.compile(r"[\w!#$%&'()*+\-./:<=>?@\[\]^`{|}~]*", re.ASCII).fullmatch
_escape = re.compile(rb'[\x00-\x1f",;\\\x7f-\xff]').sub

_bad_name = re.compile(r'[\x00-\x20\x7f;,="]').search
_bad_text = re.compile(r"[\x00-\x1f\x7f;]").search
_domain_name = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?").fullmatch


def _unescaped(match: re.Match[bytes]) -> bytes:
    text = match[1]
    return text if len(text) == 1 else bytes((int(text, 8),))


def _wire_text(header: str | bytes) -> str:
    """The field as text; servers hand it over as bytes, or as latin-1 text that hides UTF-8."""
    if isinstance(header, bytes):
        return header.decode("utf-8", "replace")
    if header.isascii():
        return header
    try:
        return header.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return header


def parse_cookie(
    header: str | bytes | None, cls: type[MultiDict[str, str]] | None = None
) -> MultiDict[str, str]:
    r"""Parse a ``Cookie`` header.

    A semicolon always ends a cookie, as it does for browsers, even inside quotes: otherwise
    a cookie that begins with a quote could swallow its neighbours into its own value.

    >>> parse_cookie('a=1; b="say \\"hi\\""; a=2')
    MultiDict([('a', '1'), ('a', '2'), ('b', 'say "hi"')])

    :param header: Raw field value; ``None`` means that the field is absent.
    :param cls: Class of the result.
    :return: The values of each name in the order sent; a name without ``=`` has an empty value.
        Cookies without a name, and those after the first 1,000, are ignored.
    :source: RFC 6265, section 5.4. Werkzeug: the same but for semicolons in quotes.
    """
    if cls is None:
        cls = MultiDict
    if not header:
        return cls()
    pairs: list[tuple[str, str]] = []
    for part in _wire_text(header).split(";", MAX_COOKIES)[:MAX_COOKIES]:
        name, _, value = part.partition("=")
        name = name.strip(" \t")
        if not name or " " in name or "\t" in name or '"' in name:
            continue
        value = value.strip(" \t")
        if value[:1] == '"' == value[-1:] and len(value) > 1:
            value = value[1:-1]
            if "\\" in value:
                value = _unescape(_unescaped, value.encode()).decode("utf-8", "replace")
        pairs.append((name, value))
    return cls(pairs)


def _escaped(match: re.Match[bytes]) -> bytes:
    char = match[0]
    return b"\\" + char if char in (b'"', b"\\") else b"\\%03o" % char[0]


def _quoted(value: str) -> str:
    if _is_plain(value):
        return value
    # Bytes, since one character may be several of them; octal, as the standard library does it.
    return '"' + _escape(_escaped, value.encode()).decode("ascii") + '"'


def _ascii_domain(key: str, domain: str) -> str:
    name = domain.partition(":")[0].lstrip(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            name = ""
    if _domain_name(name) is None:
        raise ValueError(
            f"{domain!r} is not a domain for the cookie {key!r}: give a host name such as"
            " 'example.com', or None for the host that sets the cookie."
        )
    return name


def _check_prefix(key: str, secure: bool, domain: str | None, path: str | None) -> None:
    """Browsers drop a cookie that breaks the promise of its prefix (RFC 6265bis, 4.1.3)."""
    prefix = key[:9].lower()
    if not secure and prefix.startswith(("__host-", "__secure-")):
        raise ValueError(
            f"Browsers refuse the cookie {key!r} without Secure, because of its prefix: pass"
            " secure=True."
        )
    if prefix.startswith("__host-"):
        if domain:
            raise ValueError(
                f"Browsers refuse the cookie {key!r} with a Domain, because of its prefix: pass"
                " domain=None, or name it '__Secure-…'."
            )
        if path != "/":
            raise ValueError(
                f"Browsers refuse the cookie {key!r} with a Path other than '/', because of its"
                " prefix: pass path='/', or name it '__Secure-…'."
            )


def _same_site(samesite: str | None) -> str | None:
    if samesite is None:
        return None
    name = samesite.title()
    if name not in ("Strict", "Lax", "None"):
        raise ValueError(f"SameSite must be 'Strict', 'Lax' or 'None', not {samesite!r}.")
    return name


def dump_cookie(
    key: str,
    value: str = "",
    max_age: timedelta | int | None = None,
    expires: str | date | datetime | float | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    sync_expires: bool = True,
    max_size: int = 4093,
    samesite: str | None = None,
    partitioned: bool = False,
) -> str:
    """Write the value of a ``Set-Cookie`` header.

    >>> dump_cookie("theme", "dark", secure=True, samesite="Lax")
    'theme=dark; Secure; Path=/; SameSite=Lax'

    :param key: Name of the cookie.
    :param value: Value; anything that a cookie cannot hold is quoted and escaped so that
        :func:`parse_cookie` gives it back.
    :param max_age: Lifetime in seconds, or a timedelta; ``None`` lets it end with the browser.
    :param expires: Moment of its end: datetime (naive means UTC), date, seconds since the epoch, or
        text that is ready.
    :param path: Path under which it is sent; ``None`` for that of the page.
    :param domain: Domain whose hosts it is sent to; ``None`` for this host only.
    :param secure: Sent over HTTPS only.
    :param httponly: Hidden from scripts.
    :param sync_expires: Derive ``expires`` from ``max_age`` for old browsers.
    :param max_size: Bytes above which a warning is given, since browsers drop large cookies
        silently; 0 for never.
    :param samesite: ``"Strict"``, ``"Lax"`` or ``"None"``, in any case.
    :param partitioned: Kept apart for each site that embeds this one; implies ``secure``.
    :return: The value, in latin-1 text. A name outside ASCII is UTF-8 in disguise, which
        browsers send back.
    :raises ValueError: if name, domain, path or an attribute cannot be sent, or break the rules of
        the prefixes ``__Host-`` and ``__Secure-``; the message says what to pass instead.
    :source: RFC 6265bis, section 4.1. Werkzeug: the same, without the checks.
    """
    if not key or _bad_name(key):
        raise ValueError(
            f"{key!r} cannot be the name of a cookie: it must not be empty, nor hold control"
            ' characters, spaces, or any of ; , = ".'
        )
    if not isinstance(value, str):
        raise TypeError(
            f"The value of the cookie {key!r} must be a str, not {type(value).__name__}: convert it."
        )
    secure = secure or partitioned
    _check_prefix(key, secure, domain, path)
    if max_age is not None:
        max_age = int(max_age.total_seconds() if isinstance(max_age, timedelta) else max_age)
    if expires is None:
        if max_age is not None and sync_expires:
            expires = http_date(time.time() + max_age)
    elif not isinstance(expires, str):
        expires = http_date(expires)
    elif _bad_text(expires):
        raise ValueError(f"{expires!r} cannot be the Expires of the cookie {key!r}.")
    attributes: tuple[tuple[str, Any], ...] = (
        ("Domain", _ascii_domain(key, domain) if domain else None),
        ("Expires", expires),
        ("Max-Age", max_age),
        ("Secure", secure),
        ("HttpOnly", httponly),
        # The characters of a URL's path, and the percent sign of what is encoded already.
        ("Path", None if path is None else quote(path, safe="%!$&'()*+,/:=@")),
        ("SameSite", _same_site(samesite)),
        ("Partitioned", partitioned),
    )
    text = _quoted(value)
    parts = [f"{key.encode().decode('latin-1')}={text}"]
    for name, attribute in attributes:
        if attribute is True:
            parts.append(name)
        elif attribute is not None and attribute is not False:
            parts.append(f"{name}={attribute}")
    header = "; ".join(parts)
    if max_size and len(header) > max_size:
        warnings.warn(
            f"The cookie {key!r} is {len(header)} bytes long ({len(text)} of them its value), over"
            f" the limit of {max_size}. Browsers may drop it without a word: keep less in it, or"
            " keep the data on the server.",
            stacklevel=2,
        )
    return header
