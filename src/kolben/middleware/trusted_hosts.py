"""Requests for hosts that the application does not serve are refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, ClassVar

from ..exceptions import SecurityError
from ..wrappers.hosts import get_host
from .answers import answer

if TYPE_CHECKING:
    from .._types import ASGIApp, Receive, Scope, Send

#: Spellings (case, ports) of trusted hosts that are remembered, so that they cost one look-up.
_REMEMBERED = 64


class TrustedHosts:
    """Refuse requests whose Host is not one of those given: a 400, for websockets too.

    A request without a Host field, with two of them, or with a malformed one is refused as well.
    ``app.config["TRUSTED_HOSTS"]`` alone makes Kolben check its own routes; this middleware
    checks everything that it wraps, so mounted applications too, and takes the same setting.

    .. code-block:: python

        app.add_middleware(TrustedHosts, hosts=["example.org", ".api.example.org"])

    :param app: The ASGI application.
    :param hosts: Names. ``.example.org``, or ``*.example.org``, means the name and all below
        it. Ports play no part, neither in the names nor in the request.
    :raises ValueError: if no host is given, or an asterisk stands anywhere else.
    :source: RFC 9112, section 3.2. Starlette has the like; Kolben's ``TRUSTED_HOSTS``: the same.
    """

    settings: ClassVar[Mapping[str, str]] = {"hosts": "TRUSTED_HOSTS"}
    runs_inline: ClassVar[bool] = True

    def __init__(self, app: ASGIApp, hosts: Collection[str] | str | None = None) -> None:
        self.app = app
        self._hosts = [hosts] if isinstance(hosts, str) else list(hosts or ())
        if not self._hosts:
            raise ValueError(
                "TrustedHosts was given no hosts. Pass hosts=['example.org'], or set"
                " app.config['TRUSTED_HOSTS']."
            )
        for name in self._hosts:
            if "*" in name.removeprefix("*."):
                raise ValueError(
                    f"TrustedHosts cannot read the host {name!r}: an asterisk may only stand for"
                    " all names below one, as in '*.example.org'. To trust every host, leave the"
                    " middleware out."
                )
        self._known: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        values = [value for name, value in scope["headers"] if name == b"host"]
        if len(values) != 1 or values[0] not in self._known:
            try:
                get_host("", [value.decode("latin-1") for value in values], None, self._hosts)
            except SecurityError as error:
                return await answer(error.get_response(), scope, receive, send)
            if len(self._known) < _REMEMBERED:
                self._known.add(values[0])
        await self.app(scope, receive, send)
