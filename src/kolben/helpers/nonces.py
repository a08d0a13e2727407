"""Nonces: what tells a browser which inline scripts and styles are the page's own."""

from __future__ import annotations

import secrets

from ..context import require_request

#: In the scope: the request's :class:`Nonce`.
SCOPE_KEY = "kolben.csp_nonce"

_NO_NONCE = """\
There is no nonce, because no middleware sends a Content-Security-Policy.

Add it to the application: app.add_middleware(SecurityHeaders,
content_security_policy={"script-src": "'self' 'nonce'"})."""

_NO_PLACE = """\
The Content-Security-Policy has no place for a nonce, so that a browser would not run what has one.

Put the word 'nonce', in its single quotes, among the sources of script-src or style-src."""

_TOO_LATE = """\
The nonce of this request was first asked for after its headers had been sent without it.

Call csp_nonce() before the response begins."""


class Nonce:
    """The nonce of one request, made when something asks for it.

    :param has_place: The policy says where a nonce goes.
    """

    __slots__ = ("closed", "has_place", "value")

    def __init__(self, has_place: bool) -> None:
        self.value: str | None = None
        self.has_place = has_place
        #: The headers have been sent, with the nonce or without.
        self.closed = False

    def ask(self) -> str:
        """The nonce, 128 random bits in base64.

        :raises RuntimeError: if it would have no effect.
        """
        if self.value is None:
            if not self.has_place:
                raise RuntimeError(_NO_PLACE)
            if self.closed:
                raise RuntimeError(_TOO_LATE)
            self.value = secrets.token_urlsafe(16)
        return self.value


def csp_nonce() -> str:
    """The nonce of the current request, for inline scripts and styles.

    The same for the whole request. The :class:`.SecurityHeaders` middleware puts it into the
    ``Content-Security-Policy``. Templates have the function too:

    .. code-block:: html+jinja

        <script nonce="{{ csp_nonce() }}">start()</script>

    :raises RuntimeError: outside a request; without the middleware; if the policy has no place
        for a nonce; if the headers have been sent already.
    :source: W3C, Content Security Policy Level 3, section 2.3.1.
    """
    nonce: Nonce | None = require_request().request.scope.get(SCOPE_KEY)  # type: ignore[union-attr]
    if nonce is None:
        raise RuntimeError(_NO_NONCE)
    return nonce.ask()
