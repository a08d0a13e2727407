"""What a request was before proxies handed it on.

A proxy makes a request of its own: it comes from the proxy's address, often without TLS, to a
host inside. What the client had asked for the proxy writes into header fields.

There are two drivers, for ASGI and for WSGI. Both gather header fields, let :class:`Trust` read
them, and write what it found where their protocol keeps it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, overload
from urllib.parse import quote

from ..wrappers.request_fields import path_of
from .forwarded import Found, Trust, parse_port

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from .._types import Receive, Scope, Send

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]

_not_given: Any = object()
_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}
_SAFE_IN_PATH = "!$&'()*+,/:;=@~"


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
    without an IP address, another scheme than HTTP's, a malformed host) changes nothing. If
    something changed, the scope or environ as it came is kept in it as ``kolben.proxy_fix.orig``.

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
        self._trust = Trust(
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
    def __call__(self, scope: Any, receive: Any, send: Any = _not_given, /) -> Any:
        """Serve a connection (ASGI, three arguments) or a request (WSGI, two)."""
        if send is _not_given:
            self._fix_environ(scope)
            return self.app(scope, receive)
        if scope["type"] in ("http", "websocket"):
            fields = self._fields
            for pair in scope["headers"]:
                if pair[0] in fields:
                    scope = self._fixed_scope(scope)
                    break
        return self.app(scope, receive, send)

    def _fixed_scope(self, scope: Scope) -> Scope:
        """A copy of a scope as the proxies say that it was; itself if they say nothing."""
        values: dict[str, str] = {}
        fields = self._fields
        for raw_name, raw_value in scope["headers"]:
            if (name := fields.get(raw_name)) is not None:
                value = raw_value.decode("latin-1")
                values[name] = f"{values[name]},{value}" if name in values else value
        found = self._trust.read(values)
        if found is None:
            return scope
        fixed = {**scope, "kolben.proxy_fix.orig": scope}
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
            fixed["wsgi_environ"] = environ = {**scope["wsgi_environ"]}
            self._fix_environ(environ)
        return fixed

    def _fix_environ(self, environ: Environ) -> None:
        """Make an environ what the proxies say that it was, in place as WSGI has it."""
        values = {
            name: environ[key] for key, name in self._trust.environ_keys.items() if key in environ
        }
        found = self._trust.read(values)
        if found is None:
            return
        environ["kolben.proxy_fix.orig"] = dict(environ)
        if found.client is not None:
            environ["REMOTE_ADDR"], port = found.client
            for key in ("REMOTE_HOST", "REMOTE_PORT"):  # they are the proxy's
                environ.pop(key, None)
            if port:
                environ["REMOTE_PORT"] = str(port)
        if found.scheme is not None:
            environ["wsgi.url_scheme"] = found.scheme
        if found.host is not None or found.port is not None:
            host, name, number = found.address(
                environ.get("HTTP_HOST") or None,
                environ.get("SERVER_NAME"),
                parse_port(environ.get("SERVER_PORT") or ""),
                environ["wsgi.url_scheme"],
            )
            environ["SERVER_PORT"] = str(number)
            if name is not None:
                environ["SERVER_NAME"] = name
            if host is not None:
                environ["HTTP_HOST"] = host
        if found.prefix is not None:
            environ["SCRIPT_NAME"] = found.prefix.encode().decode("latin-1")


if sys.version_info >= (3, 12):
    # Servers ask, before they call it with three arguments.
    inspect.markcoroutinefunction(ProxyFix.__call__)


def _own_host(scope: Scope) -> str | None:
    """The value of the Host field; ``None`` if there is none, or more than one."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 else None


def _fix_address(scope: dict[str, Any], found: Found) -> None:
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
