"""Headers that make a browser careful."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import ClassVar, TypeAlias

from .._types import ASGIApp, Message, RawHeader, Receive, Scope, Send
from ..helpers.nonces import SCOPE_KEY, Nonce
from ..http.headers import dump_csp_header, validate_header
from .fields import find_field

#: A text, or directives with their sources, which may be one text or several.
Policy: TypeAlias = "str | Mapping[str, str | Iterable[str]]"

#: Stands in a policy where the nonce goes.
PLACEHOLDER = "'nonce'"

_YEAR = 31_536_000
# What is no origin in a Permissions-Policy.      W3C, Permissions Policy, section 5.2
_KEYWORDS = frozenset(("*", "self", "src"))


class SecurityHeaders:
    """Adds the headers that make a browser careful with the application's pages.

    .. code-block:: python

        app.add_middleware(
            SecurityHeaders,
            content_security_policy={"default-src": "'self'", "script-src": "'self' 'nonce'"},
        )

    A header that a view sets itself stays. ``None`` leaves a header out. ``X-Content-Type-Options:
    nosniff`` is always sent.

    The word ``'nonce'``, in single quotes, stands in the policy for the nonce of the request. If
    something asks for that (:func:`.csp_nonce`), it goes there; if not, the word is left out. A
    response without a ``Content-Length`` is a stream, which may still ask when its headers are
    sent, and gets a nonce in any case.

    :param app: The application.
    :param content_security_policy: A text, or a mapping of directives to their sources. Setting
        ``CONTENT_SECURITY_POLICY``.
    :param report_only: The policy is tried, not enforced. Setting
        ``CONTENT_SECURITY_POLICY_REPORT_ONLY``.
    :param frame_options: Who may show the pages in a frame: ``DENY`` or ``SAMEORIGIN``. Browsers
        prefer the policy's ``frame-ancestors``. Setting ``FRAME_OPTIONS``.
    :param referrer_policy: What other sites get to know. Setting ``REFERRER_POLICY``.
    :param hsts_max_age: Seconds for which browsers use HTTPS alone; sent over HTTPS only.
        Setting ``HSTS_MAX_AGE``.
    :param hsts_subdomains: Subdomains too. Setting ``HSTS_SUBDOMAINS``.
    :param hsts_preload: The site may be put on the browsers' list. Setting ``HSTS_PRELOAD``.
    :param opener_policy: ``Cross-Origin-Opener-Policy``. Setting ``CROSS_ORIGIN_OPENER_POLICY``.
    :param resource_policy: ``Cross-Origin-Resource-Policy``. Setting
        ``CROSS_ORIGIN_RESOURCE_POLICY``.
    :param permissions_policy: A text, or a mapping of features to those who may use them, as
        ``{"camera": (), "geolocation": ("self", "https://maps.example.com")}``. Setting
        ``PERMISSIONS_POLICY``.
    :raises ValueError: if a header could not be sent, or browsers would ignore it.
    :source: W3C, Content Security Policy Level 3. RFC 6797. Fetch Standard. HTML Standard.
    """

    settings: ClassVar[Mapping[str, str]] = {
        "content_security_policy": "CONTENT_SECURITY_POLICY",
        "report_only": "CONTENT_SECURITY_POLICY_REPORT_ONLY",
        "frame_options": "FRAME_OPTIONS",
        "referrer_policy": "REFERRER_POLICY",
        "hsts_max_age": "HSTS_MAX_AGE",
        "hsts_subdomains": "HSTS_SUBDOMAINS",
        "hsts_preload": "HSTS_PRELOAD",
        "opener_policy": "CROSS_ORIGIN_OPENER_POLICY",
        "resource_policy": "CROSS_ORIGIN_RESOURCE_POLICY",
        "permissions_policy": "PERMISSIONS_POLICY",
    }
    runs_inline: ClassVar[bool] = True

    def __init__(
        self,
        app: ASGIApp,
        *,
        content_security_policy: Policy | None = None,
        report_only: bool = False,
        frame_options: str | None = "DENY",
        referrer_policy: str | None = "strict-origin-when-cross-origin",
        hsts_max_age: int | None = _YEAR,
        hsts_subdomains: bool = False,
        hsts_preload: bool = False,
        opener_policy: str | None = "same-origin",
        resource_policy: str | None = "same-origin",
        permissions_policy: str | Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self.app = app
        if permissions_policy is not None and not isinstance(permissions_policy, str):
            permissions_policy = _permissions(permissions_policy)
        fixed = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": frame_options,
            "Referrer-Policy": referrer_policy,
            "Cross-Origin-Opener-Policy": opener_policy,
            "Cross-Origin-Resource-Policy": resource_policy,
            "Permissions-Policy": permissions_policy,
        }
        name = "Content-Security-Policy" + ("-Report-Only" if report_only else "")
        policy = "" if content_security_policy is None else _policy(content_security_policy)
        #: The policy before, between and after the places of the nonce.
        self.pieces = policy.split(PLACEHOLDER)
        self.policy_name = name.lower().encode("ascii")
        fixed[name] = _without_nonce(policy) or None
        hsts = _strict_transport(hsts_max_age, hsts_subdomains, hsts_preload)
        self.over_http = [_pair(name, value) for name, value in fixed.items() if value]
        self.over_https = [*self.over_http]
        if hsts is not None:
            self.over_https.append(_pair("Strict-Transport-Security", hsts))
        self.names = frozenset(name for name, _ in self.over_https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to the response."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        nonce = scope[SCOPE_KEY] = Nonce(len(self.pieces) > 1 or self.pieces == [""])
        added = self.over_https if scope.get("scheme") == "https" else self.over_http

        def send_with_headers(message: Message) -> Awaitable[None]:  # no coroutine of its own
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                message = {**message, "headers": self.completed(headers, added, nonce)}
            return send(message)

        await self.app(scope, receive, send_with_headers)

    def completed(
        self, headers: Iterable[RawHeader], added: list[RawHeader], nonce: Nonce
    ) -> list[RawHeader]:
        """The headers of a response, with those that it does not have itself."""
        headers = list(headers)
        if len(self.pieces) > 1:
            if nonce.value is None and find_field(headers, b"content-length") is None:
                nonce.ask()
            if nonce.value is not None:
                policy = f"'nonce-{nonce.value}'".join(self.pieces).encode("latin-1")
                added = [field for field in added if field[0] != self.policy_name]
                added.append((self.policy_name, policy))
        nonce.closed = True
        present = [name for name, _ in headers]
        if self.names.isdisjoint(present):
            return headers + added
        return headers + [field for field in added if field[0] not in present]


def _pair(name: str, value: str) -> RawHeader:
    validate_header(name, value)
    return name.lower().encode("ascii"), value.encode("latin-1")


def _policy(policy: Policy) -> str:
    """A content security policy as the header has it."""
    if isinstance(policy, str):
        return policy
    directives: dict[str, str] = {}
    for name, sources in policy.items():
        directives[name] = sources if isinstance(sources, str) else " ".join(sources)
        if ";" in directives[name] or "," in directives[name]:
            raise ValueError(
                f"The sources of {name!r} are separated by spaces: {directives[name]!r} would"
                " begin another directive or policy."
            )
    return dump_csp_header(directives)


def _without_nonce(policy: str) -> str:
    """A policy for pages that have no nonce; a list that had nothing else allows nothing."""
    if PLACEHOLDER not in policy:
        return policy
    directives: list[str] = []
    for directive in policy.split(";"):
        words = directive.split()
        kept = [word for word in words if word != PLACEHOLDER]
        if len(words) > len(kept) == 1:
            kept.append("'none'")
        directives.append(" ".join(kept))
    return "; ".join(directive for directive in directives if directive)


def _permissions(policy: Mapping[str, Iterable[str]]) -> str:
    """A permissions policy as the header has it, a dictionary of RFC 9651."""
    features: list[str] = []
    for feature, allowed in policy.items():
        names = (allowed,) if isinstance(allowed, str) else allowed
        who = (name if name in _KEYWORDS else f'"{name}"' for name in names)
        features.append(f"{feature}=({' '.join(who)})")
    return ", ".join(features)


def _strict_transport(max_age: int | None, subdomains: bool, preload: bool) -> str | None:
    if max_age is None:
        return None
    if preload and not (subdomains and max_age >= _YEAR):
        raise ValueError(
            "Browsers put a site on their list only if hsts_subdomains is true and hsts_max_age is"
            f" at least a year ({_YEAR} seconds)."
        )
    return f"max-age={max_age:d}{'; includeSubDomains' * subdomains}{'; preload' * preload}"
