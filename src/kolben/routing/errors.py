"""What routing raises: data that a caller turns into responses, or into better messages.

::

    RoutingException
     +- Redirection          matched, but the client should ask elsewhere
     +- BuildError           (LookupError) no rule builds a URL for these values
    HTTPException
     +- WebsocketMismatch    400: a websocket on an HTTP rule, or the other way round
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exceptions import BadRequest
from .rule import Rule


class RoutingException(Exception):
    """Base of the errors that only routing raises."""


class Redirection(RoutingException):
    """A rule matched, but its URL is not the canonical one.

    Says what to redirect to in the terms of the map, which does not know the host, the scheme
    or the query string of the request; :meth:`MapAdapter.redirect_for` completes it.

    :param rule: The rule that matched; ``None`` where only the slashes of the path are wrong.
    :param values: What the placeholders of ``rule`` matched.
    :param path: The right path: decoded where ``rule`` is ``None``, else percent-encoded.
        ``None`` for aliases and ``redirect_to``, which need the adapter to find it.
    :param domain: Subdomain or host of ``path``; ``None``: that of the request.
    """

    def __init__(
        self,
        rule: Rule | None = None,
        values: Mapping[str, Any] | None = None,
        path: str | None = None,
        domain: str | None = None,
    ) -> None:
        super().__init__(rule, values, path, domain)
        self.rule = rule
        self.values: Mapping[str, Any] = values or {}
        self.path = path
        self.domain = domain


class SlashRequired(Exception):
    """Ends a search: the path lacks only the slash at its end."""


class WebsocketMismatch(BadRequest):
    """The path belongs to websockets and the request is plain HTTP, or the other way round."""


class BuildError(RoutingException, LookupError):
    """No rule of the map builds a URL for an endpoint with these values.

    The message names the nearest endpoint, the missing values or the right methods.

    :ivar endpoint: What was asked for.
    :ivar values: The values that were given, without those that are ``None``.
    :ivar method: The method asked for, or ``None``.
    :ivar adapter: The :class:`MapAdapter` that was asked.
    :source: Werkzeug: the same.
    """

    def __init__(
        self, endpoint: Any, values: Mapping[str, Any], method: str | None, adapter: Any = None
    ) -> None:
        super().__init__(endpoint, values, method)
        self.endpoint = endpoint
        self.values = values
        self.method = method
        self.adapter = adapter

    @property
    def suggested(self) -> Rule | None:
        """The rule that was probably meant; ``None`` if the map is empty."""
        return self.closest_rule(self.adapter)

    def closest_rule(self, adapter: Any) -> Rule | None:
        """The rule of ``adapter``'s map that is most like what was asked for."""
        from difflib import SequenceMatcher  # rarely needed, and not cheap to import

        if adapter is None:
            return None

        def likeness(rule: Rule) -> float:
            names = SequenceMatcher(None, str(rule.endpoint), str(self.endpoint)).ratio()
            fits = set(self.values or ()) <= rule.arguments
            allowed = bool(rule.methods and self.method in rule.methods)
            return 0.98 * names + 0.01 * fits + 0.01 * allowed

        return max(adapter.map.iter_rules(), key=likeness, default=None)

    def __str__(self) -> str:
        message = f"Could not build url for endpoint {self.endpoint!r}"
        if self.method:
            message += f" ({self.method!r})"
        if self.values:
            message += f" with values {sorted(self.values)!r}"
        return f"{message}.{self._hint()}"

    def _hint(self) -> str:
        suggested = self.suggested
        if suggested is None:
            return ""
        if suggested.endpoint != self.endpoint:
            return f" Did you mean {suggested.endpoint!r} instead?"
        hint = ""
        if self.method and suggested.methods is not None and self.method not in suggested.methods:
            hint += f" Did you mean to use methods {sorted(suggested.methods)!r}?"
        missing = suggested.arguments - set(suggested.defaults or ()) - set(self.values)
        if missing:
            hint += f" Did you forget to specify values {sorted(missing)!r}?"
        return hint
