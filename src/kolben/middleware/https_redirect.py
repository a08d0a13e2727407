"""Requests that came over plain HTTP are sent to HTTPS."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, ClassVar

from ..exceptions import SecurityError
from ..helpers.responses import build_redirect
from ..routing.paths import quote_path, route_path
from ..wrappers.hosts import get_host, split_host
from ..wrappers.request_fields import path_of
from .answers import answer

if TYPE_CHECKING:
    from .._types import ASGIApp, Receive, Scope, Send
    from ..wrappers import Response

_SECURE = {"http": "https", "websocket": "wss"}


class HTTPSRedirect:
    """Redirect requests from ``http`` to ``https``, and websockets from ``ws`` to ``wss``.

    The host of the new URL is that of the request, so a malformed or missing Host is a 400, and
    so is one that is not in ``hosts``. A websocket is refused with the redirect where the server
    can send one, otherwise closed. Behind a proxy that ends TLS, :class:`ProxyFix` has to be
    added after this one, so that it is further out: else every request seems to be plain.

    .. code-block:: python

        app.add_middleware(HTTPSRedirect, exempt=["/health", "/.well-known/acme-challenge/"])

    What makes browsers use HTTPS from the start, ``Strict-Transport-Security``, is
    :class:`SecurityHeaders`'s.

    :param app: The ASGI application.
    :param status: 308 (permanent) or 307 (temporary) keep the method of the request; 301 and
        302 let browsers turn a ``POST`` into a ``GET``.
    :param port: The port that HTTPS is served on; ``None`` for its own, 443.
    :param exempt: Paths that are served over plain HTTP too; those that end with a slash with
        all below them.
    :param hosts: The hosts to redirect to, as for :class:`TrustedHosts`; ``None`` for any.
    :raises ValueError: for another status or a port that there is not.
    :source: RFC 9110, section 15.4.9.
    """

    settings: ClassVar[Mapping[str, str]] = {
        "status": "HTTPS_REDIRECT_STATUS",
        "port": "HTTPS_REDIRECT_PORT",
        "exempt": "HTTPS_REDIRECT_EXEMPT",
        "hosts": "TRUSTED_HOSTS",
    }
    runs_inline: ClassVar[bool] = True

    def __init__(
        self,
        app: ASGIApp,
        status: int = 308,
        port: int | None = None,
        exempt: Collection[str] | str = (),
        hosts: Collection[str] | str | None = None,
    ) -> None:
        if status not in (301, 302, 307, 308):
            raise ValueError(f"HTTPSRedirect cannot use status {status}: 308, 307, 301 or 302.")
        if port is not None and not 0 < port <= 65535:
            raise ValueError(f"HTTPSRedirect cannot use port {port}: it is 1 to 65535, or None.")
        self.app = app
        self._status = status
        self._port = "" if port in (None, 443) else f":{port}"
        paths = {exempt} if isinstance(exempt, str) else set(exempt)
        self._exempt = frozenset(paths)
        self._exempt_below = tuple(path for path in paths if path.endswith("/"))
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if (
            scope["type"] not in _SECURE
            or scope.get("scheme") in ("https", "wss")
            or self._is_exempt(path_of(scope))
        ):
            return await self.app(scope, receive, send)
        try:
            response = self._redirect(scope)
        except SecurityError as error:
            response = error.get_response()
        await answer(response, scope, receive, send)

    def _is_exempt(self, path: str) -> bool:
        return path in self._exempt or path.startswith(self._exempt_below)

    def _redirect(self, scope: Scope) -> Response:
        fields = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        host = split_host(get_host("", fields, None, self._hosts))
        if host is None:
            raise SecurityError("The request has no Host header, so it cannot be redirected.")
        root: str = (scope.get("root_path") or "").rstrip("/")
        path = quote_path(root) + quote_path(
            route_path(path_of(scope), scope.get("raw_path"), root)
        )
        if query := scope.get("query_string"):
            path += f"?{query.decode('latin-1')}"
        scheme = _SECURE[scope["type"]]
        return build_redirect(f"{scheme}://{host[0]}{self._port}{path}", self._status)
