"""Which request a redirect asks for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

from .request_builder import RequestBuilder
from .response import TestResponse

_REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})


class ClientRedirectError(Exception):
    """Redirects that were to be followed go in a circle."""


class Redirects:
    """The redirects that a client follows for one request.

    :param app: The application.
    :param allow_subdomains: Whether a redirect may lead to a subdomain of the host.
    """

    def __init__(self, app: Any, allow_subdomains: bool) -> None:
        self.app = app
        self.allow_subdomains = allow_subdomains
        self.history: tuple[TestResponse, ...] = ()
        self._seen: set[tuple[str | None, int]] = set()

    def next(self, response: TestResponse) -> RequestBuilder | None:
        """The request to be made after this response; ``None`` if it is no redirect.

        :raises ClientRedirectError: if the same redirect was followed before.
        """
        if response.status_code not in _REDIRECTS or "Location" not in response.headers:
            return None
        entry = (response.headers["Location"], response.status_code)
        if entry in self._seen:
            raise ClientRedirectError(
                f"Loop detected: A {entry[1]} redirect to {entry[0]} was already made."
            )
        self._seen.add(entry)
        response.history = self.history
        self.history = (*self.history, response)
        return self.follow(response)

    def follow(self, response: TestResponse) -> RequestBuilder:
        """The request that a redirecting response asks for.

        :raises RuntimeError: if it leads to another site.
        :source: RFC 9110, section 15.4.
        """
        request = response.request
        builder = RequestBuilder.from_scope(self.app, request.scope, request._body or None)
        builder.headers.remove("Cookie")  # the client adds those that it keeps by now
        here = f"{builder.base_url.rstrip('/')}{builder.path}"
        url = urlsplit(urljoin(here, response.headers["Location"]))
        self._check_host(url.hostname or "", builder.server_name)
        builder.url_scheme, builder.host = url.scheme, url.netloc
        path = url.path
        root = builder.script_root
        if root and path != root and not path.startswith(root + "/"):
            builder.script_root = root = ""  # it leads out of where the application is mounted
        builder.path, builder.query_string = path[len(root) :] or "/", url.query
        if response.status_code not in (307, 308):
            builder.method = "HEAD" if builder.method == "HEAD" else "GET"
            builder.drop_body()
        elif builder.body is None and "Transfer-Encoding" in builder.headers:
            raise RuntimeError(
                f"The redirect {response.status_code} wants the body again, but it was sent from"
                " an iterator."
            )
        return builder

    def _check_host(self, to: str, origin: str) -> None:
        if to == origin:
            return
        if not to.endswith(f".{origin}"):
            raise RuntimeError("Following external redirects is not supported.")
        if not self.allow_subdomains:
            raise RuntimeError("Following subdomain redirects is not enabled.")
