"""What a request was before a proxy handed it on.

A proxy makes a request of its own: it comes from the proxy's address, often without TLS, to a
host inside. What the client had asked for the proxy writes into header fields. Each proxy on the
way adds its value at the right end of the list, and everything to the left of the values that
trusted proxies have added may come from the client. So values are counted from the right, and read
from the right: nothing that stands further left can change how a trusted value is read.

There are two drivers, for ASGI and for WSGI. Both gather header fields, let :class:`_Trust` read
them, and write what it found where their protocol keeps it.
"""

from __future__ import annotations

import inspect
import re
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias, overload
from urllib.parse import quote, unquote

from ..http.syntax import unquote_header_value
from ..wrappers.hosts import split_host
from ..wrappers.request_fields import path_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from .._types import Receive, Scope, Send

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]

_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}
_STANDARD_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SAFE_IN_PATH = "!$&'()*+,/:;=@~"

# A list's item, read backwards. A quoted string begins at a quote that no backslash stands
# before, as one always does before a quote inside of it; RFC 9110, section 5.6.4.
_reversed_item = re.compile(r'(?:[^",]++|"(?:[^"]++|"\\)*+")*+', re.DOTALL)

# forwarded-pair = token "=" value; value = token / quoted-string.     RFC 7239, section 4
# Hosts with ports, and addresses with them, are often sent without the quotes that they need.
_forwarded_pair = re.compile(
    r'[ \t]*+(?:([!#$%&\'*+\-.^_`|~0-9A-Za-z]++)=("(?:[^"\\]++|\\.)*+"|[^";,\s]++)[ \t]*+)?(?:;|\Z)',
    re.DOTALL,
)

# node = nodename [ ":" node-port ]                                    RFC 7239, section 6
_node = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]++)\]|(?P<four>[0-9.]++))(?::(?:(?P<port>[0-9]{1,5})|_[\w.\-]++))?",
    re.ASCII,
)
_port = re.compile(r"[0-9]{1,5}", re.ASCII)
# No segment is empty, so that no prefix can be taken for a host: //example.org
_prefix = re.compile(r"(?:/[^/\\?#\x00-\x20\x7f]++)*+/?")


def nth_from_right(value: str, count: int) -> str | None:
    """An item of a comma-separated list, counted from its right end.

    Quoted strings are read from the right too, so that no quote further left, where a client
    may have put it, changes what the item is. Empty items count.

    >>> nth_from_right("198.51.100.7, 203.0.113.9", 1)
    '203.0.113.9'
    >>> nth_from_right('for="[', 1), nth_from_right("a", 2)
    (None, None)

    :param value: Raw field value; several fields of one name joined with commas.
    :param count: 1 for the last item.
    :return: ``None`` if there are fewer items, or if a quoted string on the way has no
        beginning.
    """
    if '"' not in value:
        items = value.rsplit(",", count)
        return items[-count].strip(" \t") if len(items) >= count else None
    backwards = value[::-1]
    start = end = -1
    for _ in range(count):
        if end == len(backwards):
            return None
        start = end + 1
        item = _reversed_item.match(backwards, start)
        end = start if item is None else item.end()
        if backwards.startswith('"', end):
            return None
    return backwards[start:end][::-1].strip(" \t")


def parse_forwarded(element: str) -> dict[str, str]:
    """The parameters of one element of a ``Forwarded`` field.

    >>> parse_forwarded('for="[2001:db8::1]:4711";proto=https')
    {'for': '[2001:db8::1]:4711', 'proto': 'https'}

    :return: Values without their quotes, names in lower case. Nothing at all if the element is
        malformed or a parameter occurs twice: part of it may have been smuggled in.
    :source: RFC 7239, section 4.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(element):
        pair = _forwarded_pair.match(element, position)
        if pair is None:
            return {}
        position = pair.end()
        if pair[1] is not None:
            name = pair[1].lower()
            if name in found:
                return {}
            found[name] = unquote_header_value(pair[2])
    return found


def _parse_node(node: str) -> tuple[str, int] | None:
    """Address and port (0 if it is not known) of a client; ``None`` if it gives no address."""
    match = _node.fullmatch(node)
    if match is None:
        address, port, family = node, None, socket.AF_INET6  # X-Forwarded-For has no brackets
    elif match["six"] is not None:
        address, port, family = match["six"], match["port"], socket.AF_INET6
    else:
        address, port, family = match["four"], match["port"], socket.AF_INET
    number = int(port) if port else 0
    if number > 65535:
        return None
    try:
        socket.inet_pton(family, address)
    except (OSError, ValueError):  # "unknown", "_hidden", a name, or anything else
        return None
    return address, number


def _parse_scheme(value: str) -> str | None:
    return _SCHEMES.get(value.lower())


def _parse_host(value: str) -> str | None:
    return value if split_host(value) is not None else None


def _parse_port(value: str) -> int | None:
    if _port.fullmatch(value) is None:
        return None
    return int(value) if 0 < int(value) <= 65535 else None


def _parse_prefix(value: str) -> str | None:
    if not value.isascii():
        return None
    try:
        decoded = unquote(value, errors="strict")
    except UnicodeDecodeError:
        return None
    if not decoded or _prefix.fullmatch(decoded) is None:
        return None
    return decoded.rstrip("/")


class _Found(NamedTuple):
    """What trusted proxies say of a request; ``None`` is what they say nothing of."""

    client: tuple[str, int] | None = None
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    prefix: str | None = None

    def address(
        self, host: str | None, name: str | None, port: int | None, scheme: str
    ) -> tuple[str | None, str | None, int]:
        """The Host field, and the server's name and port, as the client knows them.

        :param host: What the request's own Host field says.
        :param name: The server's name.
        :param port: The server's port; ``None`` if it has none.
        :param scheme: Of the request, as the client made it.
        """
        if self.host is not None:
            host = self.host
            name, own_port = split_host(host) or (name, None)
            port = own_port or port
        if self.port is not None:
            port = self.port
            if host is not None and (parts := split_host(host)) is not None:
                host = f"{parts[0]}:{port}"
        return host, name, port or _STANDARD_PORTS[scheme]


_NOTHING = _Found()


class _Trust:
    """How many values of each field are trusted, and what they say."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            if count < 0:
                raise ValueError(
                    f"ProxyFix was given {count} as the number of proxies that set {name}; it is"
                    " 0 or more."
                )
        self._counts = {name: count for name, count in counts.items() if count}
        self.fields = frozenset(name.encode() for name in self._counts)
        self.environ_keys = {
            f"HTTP_{name.upper().replace('-', '_')}": name for name in self._counts
        }

    def read(self, values: Mapping[str, str]) -> _Found:
        """What the trusted values of some fields say.

        :param values: The whole value of each field that there is, by lower-case name.
        """
        trusted = {
            name: item
            for name, value in values.items()
            if (item := nth_from_right(value, self._counts[name])) is not None
        }
        said = parse_forwarded(trusted["forwarded"]) if "forwarded" in trusted else {}

        def first(parse: Callable[[str], Any], field: str, parameter: str | None = None) -> Any:
            found = parse(said[parameter]) if parameter in said else None
            if found is None and field in trusted:
                found = parse(unquote_header_value(trusted[field]))
            return found

        return _Found(
            first(_parse_node, "x-forwarded-for", "for"),
            first(_parse_scheme, "x-forwarded-proto", "proto"),
            first(_parse_host, "x-forwarded-host", "host"),
            first(_parse_port, "x-forwarded-port"),
            first(_parse_prefix, "x-forwarded-prefix"),
        )


class ProxyFix:
    """Make a request what it was before trusted proxies handed it on.

    Tell it how many proxies set each field. With fewer than there are, the address of a proxy
    is taken for the client's; with more, a client can pretend anything. A field whose number is
    0 is not looked at. What a trusted value says replaces, in the scope:

    ==================  ============================================
    X-Forwarded-For     ``client``
    X-Forwarded-Proto   ``scheme``
    X-Forwarded-Host    the Host field, ``server``
    X-Forwarded-Port    the port in the Host field and in ``server``
    X-Forwarded-Prefix  ``root_path``, ``path``, ``raw_path``
    Forwarded           the first three
    ==================  ============================================

    A field that is missing, has fewer values than the number, or says what cannot be (a client
    without an IP address, another scheme than HTTP's, a malformed host) changes nothing. What
    was there before is kept under ``kolben.proxy_fix.orig`` in the scope if something changed.

    It wraps WSGI applications as well, with the same effects on the environ:

    .. code-block:: python

        app.add_middleware(ProxyFix, x_for=1, x_proto=1, x_host=1)
        flask_app.wsgi_app = ProxyFix(flask_app.wsgi_app, x_for=1)

    :param app: The application, ASGI or WSGI.
    :param x_for: Number of values to trust in X-Forwarded-For. By default 1, but 0 if
        ``forwarded`` is given: a proxy that sets one hands the other on as the client sent it.
    :param x_proto: The same for X-Forwarded-Proto, with the same default.
    :param x_host: The same for X-Forwarded-Host.
    :param x_port: The same for X-Forwarded-Port.
    :param x_prefix: The same for X-Forwarded-Prefix, from a proxy that takes the prefix off.
    :param forwarded: Number of elements to trust in Forwarded. What it says goes before what
        the X-Forwarded fields say.
    :raises ValueError: if a number is negative.
    :source: Werkzeug: the same, without ``forwarded``, and with any value believed. RFC 7239.
    """

    settings: ClassVar[Mapping[str, str]] = {
        "x_for": "PROXY_FIX_FOR",
        "x_proto": "PROXY_FIX_PROTO",
        "x_host": "PROXY_FIX_HOST",
        "x_port": "PROXY_FIX_PORT",
        "x_prefix": "PROXY_FIX_PREFIX",
        "forwarded": "PROXY_FIX_FORWARDED",
    }
    runs_inline: ClassVar[bool] = True

    def __init__(
        self,
        app: Any,
        x_for: int | None = None,
        x_proto: int | None = None,
        x_host: int = 0,
        x_port: int = 0,
        x_prefix: int = 0,
        forwarded: int = 0,
    ) -> None:
        default = 0 if forwarded else 1
        self.app = app
        self._trust = _Trust(
            {
                "x-forwarded-for": default if x_for is None else x_for,
                "x-forwarded-proto": default if x_proto is None else x_proto,
                "x-forwarded-host": x_host,
                "x-forwarded-port": x_port,
                "x-forwarded-prefix": x_prefix,
                "forwarded": forwarded,
            }
        )
        self._fields = self._trust.fields

    @overload
    def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> Awaitable[None]: ...
    @overload
    def __call__(self, environ: Environ, start_response: StartResponse, /) -> Iterable[bytes]: ...
    def __call__(self, scope: Any, receive: Any, send: Any = None, /) -> Any:
        """Serve a connection (ASGI, three arguments) or a request (WSGI, two)."""
        if send is None:
            environ = scope
            return self.app(self._fixed_environ(environ) or environ, receive)
        if scope["type"] in ("http", "websocket"):
            fields = self._fields
            pairs = [pair for pair in scope["headers"] if pair[0] in fields]
            if pairs:
                scope = self._fixed_scope(scope, pairs)
        return self.app(scope, receive, send)

    def _fixed_scope(self, scope: Scope, pairs: Iterable[tuple[bytes, bytes]]) -> Scope:
        values: dict[str, str] = {}
        for raw_name, raw_value in pairs:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            values[name] = f"{values[name]},{value}" if name in values else value
        found = self._trust.read(values)
        if found == _NOTHING:
            return scope
        fixed = {**scope, "kolben.proxy_fix.orig": _originals(scope)}
        if found.client is not None:
            fixed["client"] = found.client
        if found.scheme is not None:
            websocket = scope["type"] == "websocket"
            fixed["scheme"] = _WEBSOCKET_SCHEMES[found.scheme] if websocket else found.scheme
        if found.host is not None or found.port is not None:
            _fix_address(fixed, found)
        if found.prefix is not None:
            _fix_prefix(fixed, found.prefix)
        if "wsgi_environ" in scope:
            environ = scope["wsgi_environ"]
            fixed["wsgi_environ"] = self._fixed_environ(environ) or environ
        return fixed

    def _fixed_environ(self, environ: Environ) -> Environ | None:
        """A copy of an environ as the proxies say that it was; ``None`` if they say nothing."""
        values = {
            name: environ[key] for key, name in self._trust.environ_keys.items() if key in environ
        }
        found = self._trust.read(values) if values else _NOTHING
        if found == _NOTHING:
            return None
        fixed = {
            **environ,
            "kolben.proxy_fix.orig": {key: environ.get(key) for key in _FIXED_IN_ENVIRON},
        }
        if found.client is not None:
            fixed["REMOTE_ADDR"], port = found.client
            for key in ("REMOTE_HOST", "REMOTE_PORT"):  # they are the proxy's
                fixed.pop(key, None)
            if port:
                fixed["REMOTE_PORT"] = str(port)
        if found.scheme is not None:
            fixed["wsgi.url_scheme"] = found.scheme
        if found.host is not None or found.port is not None:
            host, name, number = found.address(
                environ.get("HTTP_HOST") or None,
                environ.get("SERVER_NAME"),
                _parse_port(environ.get("SERVER_PORT") or ""),
                found.scheme or environ["wsgi.url_scheme"],
            )
            fixed["SERVER_PORT"] = str(number)
            if name is not None:
                fixed["SERVER_NAME"] = name
            if host is not None:
                fixed["HTTP_HOST"] = host
        if found.prefix is not None:
            fixed["SCRIPT_NAME"] = found.prefix.encode().decode("latin-1")
        return fixed


if sys.version_info >= (3, 12):
    # Servers ask, before they call it with three arguments.
    inspect.markcoroutinefunction(ProxyFix.__call__)

_FIXED_IN_ENVIRON = (
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "REMOTE_PORT",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
)


def _originals(scope: Scope) -> dict[str, Any]:
    kept = {
        key: scope.get(key)
        for key in ("client", "scheme", "server", "root_path", "path", "raw_path")
    }
    return {**kept, "host": _own_host(scope)}


def _own_host(scope: Scope) -> str | None:
    """The value of the Host field; ``None`` if there is none, or more than one."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 else None


def _fix_address(scope: dict[str, Any], found: _Found) -> None:
    own = _own_host(scope)
    name, port = scope.get("server") or (None, None)
    if port is None:  # the path of a Unix socket is no name
        name = None
    scheme = scope.get("scheme") or ("ws" if scope["type"] == "websocket" else "http")
    host, name, port = found.address(own, name, port, scheme)
    if name is not None:
        scope["server"] = (name, port)
    if host is not None and host != own:
        rest = [pair for pair in scope["headers"] if pair[0] != b"host"]
        scope["headers"] = [(b"host", host.encode("latin-1")), *rest]


def _fix_prefix(scope: dict[str, Any], prefix: str) -> None:
    """Put a prefix, that a proxy has taken off, in the place of the one that was there."""
    old: str = (scope.get("root_path") or "").rstrip("/")
    raw: bytes | None = scope.get("raw_path")
    scope["root_path"] = prefix
    path = path_of({**scope, "root_path": old}) if old else scope["path"]
    scope["path"] = prefix + path
    if raw is not None:
        raw_old = quote(old, safe=_SAFE_IN_PATH).encode()
        if old and raw.startswith(raw_old) and raw[len(raw_old) : len(raw_old) + 1] in (b"", b"/"):
            raw = raw[len(raw_old) :]
        scope["raw_path"] = quote(prefix, safe=_SAFE_IN_PATH).encode() + raw
