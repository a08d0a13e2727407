"""The cookies that a test client keeps between its requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..http.cookies import dump_cookie, parse_cookie
from ..http.dates import parse_date


@dataclass
class Cookie:
    """One cookie of a test client, as :meth:`Client.get_cookie` gives it.

    :source: Werkzeug's documented ``werkzeug.test.Cookie``; ``partitioned`` is new.
    """

    key: str
    """The name, as it stands in a header."""
    value: str
    """The value, as it stands in a header."""
    decoded_key: str
    """The name, as the application set it and sees it."""
    decoded_value: str
    """The value, as the application set it and sees it."""
    expires: datetime | None
    """When the cookie ends, in UTC."""
    max_age: int | None
    """Seconds until the cookie ends, from when it was set."""
    domain: str
    """The domain that the cookie is for; the request's host if it named none."""
    origin_only: bool
    """Whether the cookie is for exactly that host, because it named no domain."""
    path: str
    """The path that the cookie is for, with all below it."""
    secure: bool
    """Whether the cookie has the attribute ``Secure``."""
    http_only: bool
    """Whether the cookie has the attribute ``HttpOnly``."""
    same_site: str | None
    """The attribute ``SameSite``."""
    partitioned: bool = False
    """Whether the cookie has the attribute ``Partitioned``."""

    def matches(self, host: str, path: str) -> bool:
        """Whether the cookie is sent to this host, with a request for this path.

        :source: RFC 6265, sections 5.1.3 and 5.1.4.
        """
        if host != self.domain and (self.origin_only or not host.endswith("." + self.domain)):
            return False
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")

    @property
    def expired(self) -> bool:
        """Whether the header that set the cookie in truth deletes it."""
        if self.max_age is not None:
            return self.max_age <= 0
        return self.expires is not None and self.expires <= datetime.now(UTC)

    @classmethod
    def from_header(cls, header: str, host: str, path: str) -> Cookie | None:
        """Read a ``Set-Cookie`` header.

        :param header: The header's value.
        :param host: The host that answered.
        :param path: The path of the request that was answered.
        :return: ``None`` if a browser would ignore the header.
        :source: RFC 6265, section 5.2.
        """
        pair, *attributes = header.split(";")
        key, _, value = pair.partition("=")
        decoded = next(iter(parse_cookie(pair).items(multi=True)), None)
        if decoded is None:
            return None
        found: dict[str, str | None] = {}
        for attribute in attributes:
            name, sep, text = attribute.partition("=")
            found[name.strip().lower()] = text.strip() if sep else None
        domain = (found.get("domain") or "").lstrip(".").lower()
        own_path = found.get("path") or ""
        if not own_path.startswith("/"):
            own_path = path.rpartition("/")[0] or "/"
        return cls(
            key=key.strip(),
            value=value.strip(),
            decoded_key=decoded[0],
            decoded_value=decoded[1],
            expires=parse_date(found.get("expires")),
            max_age=_parse_seconds(found.get("max-age")),
            domain=domain or host,
            origin_only=not domain,
            path=own_path,
            secure="secure" in found,
            http_only="httponly" in found,
            same_site=found.get("samesite"),
            partitioned="partitioned" in found,
        )


class CookieJar:
    """Cookies by domain, path and name."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def get(self, key: str, domain: str, path: str) -> Cookie | None:
        """The one cookie with this name, domain and path."""
        return self._cookies.get((domain.lstrip("."), path, key))

    def set(
        self, key: str, value: str, domain: str, origin_only: bool, path: str, **attributes: Any
    ) -> None:
        """Keep a cookie as if a response had set it."""
        domain = domain.lstrip(".").lower()
        header = dump_cookie(key, value, path=path, **attributes)
        cookie = Cookie.from_header(header, domain, path)
        if cookie is not None:
            cookie.origin_only = origin_only
            self._keep(cookie)

    def delete(self, key: str, domain: str, path: str) -> None:
        """Forget a cookie, if it is there."""
        self._cookies.pop((domain.lstrip("."), path, key), None)

    def header(self, host: str, path: str) -> str:
        """The ``Cookie`` header of a request; empty if no cookie is for it."""
        return "; ".join(
            f"{cookie.key}={cookie.value}"
            for cookie in self._cookies.values()
            if cookie.matches(host, path)
        )

    def update(self, host: str, path: str, headers: Iterable[str]) -> None:
        """Take the ``Set-Cookie`` headers of a response."""
        for header in headers:
            cookie = Cookie.from_header(header, host, path)
            if cookie is not None:
                self._keep(cookie)

    def _keep(self, cookie: Cookie) -> None:
        place = (cookie.domain, cookie.path, cookie.decoded_key)
        if cookie.expired:
            self._cookies.pop(place, None)
        else:
            self._cookies[place] = cookie


def _parse_seconds(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None
