"""What a request says in its header fields, each parsed when it is asked for."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any

from ..http.cookies import parse_cookie
from ..http.datastructures import (
    Accept,
    Authorization,
    CharsetAccept,
    ETags,
    Headers,
    HeaderSet,
    IfRange,
    ImmutableList,
    ImmutableMultiDict,
    LanguageAccept,
    MIMEAccept,
    MultiDict,
    Range,
    RequestCacheControl,
    UserAgent,
)
from ..http.dates import parse_date
from ..http.etags import parse_etags
from ..http.headers import (
    parse_accept_header,
    parse_cache_control_header,
    parse_list_header,
    parse_options_header,
    parse_set_header,
)
from ..http.ranges import parse_if_range_header, parse_range_header
from ..local import lazy
from .hosts import get_current_url, get_host
from .inbound import INVALID, announced_length


def is_json_mimetype(mimetype: str) -> bool:
    """Whether a media type is ``application/json`` or ``application/*+json``."""
    return mimetype == "application/json" or (
        mimetype.startswith("application/") and mimetype.endswith("+json")
    )


# Content types that need no parsing.
PLAIN_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded", "text/plain"})


class RequestFields:
    """The part of a request that depends on its scope alone; websockets have it too.

    Every attribute is computed once, and may be assigned to.
    """

    __slots__ = ()

    scope: Any

    #: What a parsed form or query string is made with; any MultiDict class.
    parameter_storage_class: type[MultiDict[str, Any]] = ImmutableMultiDict
    #: What :attr:`cookies` is made with.
    dict_storage_class: type[MultiDict[str, Any]] = ImmutableMultiDict
    #: What :attr:`access_route` is made with.
    list_storage_class: type[list[Any]] = ImmutableList
    #: What :attr:`user_agent` is made with, from the header's text.
    user_agent_class: type[UserAgent] = UserAgent
    #: Hosts that the request may be for, ``.example.org`` with all below it; ``None`` for any.
    trusted_hosts: list[str] | None = None

    # The connection

    @lazy
    def method(self) -> str:
        """The method, such as ``GET``."""
        method: str = self.scope["method"]
        return method

    @lazy
    def path(self) -> str:
        """The path below :attr:`root_path`, decoded, with one slash at its start."""
        return path_of(self.scope)

    @lazy
    def scheme(self) -> str:
        """``http`` or ``https``; ``ws`` or ``wss`` for a websocket."""
        return self.scope.get("scheme") or "http"

    @property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("https", "wss")

    @lazy
    def server(self) -> tuple[str, int | None] | None:
        """The server's ``(host, port)``, or ``(path, None)`` of a Unix socket; ``None`` if it
        is not known.
        """
        server = self.scope.get("server")
        return (server[0], server[1]) if server else None

    @lazy
    def remote_addr(self) -> str | None:
        """The client's address as the server sees it; ``None`` if it is not known."""
        client = self.scope.get("client")
        return client[0] if client else None

    @lazy
    def remote_user(self) -> str | None:
        """The user that the server authenticated, if it does such things."""
        user: str | None = self.scope.get("remote_user")
        if user is None:
            # a2wsgi keeps the environ, from which this has always been taken.
            user = self.scope.get("wsgi_environ", {}).get("REMOTE_USER")
        return user

    @lazy
    def access_route(self) -> list[str]:
        """The addresses from the client to the last proxy as X-Forwarded-For tells them.

        Clients can put anything into that header. Without it only :attr:`remote_addr`.
        """
        forwarded = self.headers.combined("X-Forwarded-For")
        if forwarded is not None:
            return self.list_storage_class(parse_list_header(forwarded))
        return self.list_storage_class([] if self.remote_addr is None else [self.remote_addr])

    # The URL

    @lazy
    def root_path(self) -> str:
        """The path that the application is mounted under, without a slash at its end."""
        root: str = self.scope.get("root_path") or ""
        return root.rstrip("/")

    @property
    def script_root(self) -> str:
        """:attr:`root_path` under its WSGI name."""
        return self.root_path

    @lazy
    def query_string(self) -> bytes:
        """What follows the question mark of the URL, as it came."""
        query: bytes = self.scope.get("query_string") or b""
        return query

    @lazy
    def full_path(self) -> str:
        """:attr:`path` with the query string, and with a question mark in any case."""
        return f"{self.path}?{self.query_string.decode('utf-8', 'replace')}"

    @lazy
    def host(self) -> str:
        """The host, with its port unless that is the scheme's own, that the request is for.

        :raises SecurityError: a 400, if the Host header is malformed, repeated, or not one of
            :attr:`trusted_hosts`.
        """
        return get_host(self.scheme, self.headers.getlist("host"), self.server, self.trusted_hosts)

    @lazy
    def url(self) -> str:
        """The whole URL with its query string, as an IRI."""
        return get_current_url(self.scheme, self.host, self.root_path, self.path, self.query_string)

    @lazy
    def base_url(self) -> str:
        """:attr:`url` without the query string."""
        return get_current_url(self.scheme, self.host, self.root_path, self.path)

    @lazy
    def root_url(self) -> str:
        """Scheme, host and :attr:`root_path`, with a slash at the end."""
        return get_current_url(self.scheme, self.host, self.root_path)

    @property
    def url_root(self) -> str:
        """:attr:`root_url` under its older name."""
        return self.root_url

    @lazy
    def host_url(self) -> str:
        """Scheme and host, with a slash at the end."""
        return get_current_url(self.scheme, self.host)

    # Header fields

    @lazy
    def headers(self) -> Headers:
        """The header fields."""
        return Headers.from_asgi(self.scope["headers"])

    @lazy
    def cookies(self) -> MultiDict[str, str]:
        """The cookies; of several with one name, the first."""
        return self.dict_storage_class(parse_cookie("; ".join(self.headers.getlist("cookie"))))

    @property
    def content_type(self) -> str | None:
        """The media type of the body with its parameters."""
        return self.headers.get("content-type")

    @property
    def content_encoding(self) -> str | None:
        """What the body was encoded with, such as ``gzip``. It is not decoded."""
        return self.headers.get("content-encoding")

    @property
    def content_md5(self) -> str | None:
        """The MD5 digest of the body, as RFC 1864 had it."""
        return self.headers.get("content-md5")

    @property
    def referrer(self) -> str | None:
        """The address from which this one was followed."""
        return self.headers.get("referer")

    @property
    def origin(self) -> str | None:
        """The origin, scheme and host, of the page that makes the request."""
        return self.headers.get("origin")

    @lazy
    def content_length(self) -> int | None:
        """How long the body is said to be; ``None`` if it is not said, or comes in chunks.

        An invalid value gives 0 here, as in Flask, and a 400 where the body is asked for.
        """
        length = announced_length(self.scope)
        if length == INVALID:
            return 0
        return None if length < 0 else length

    @lazy
    def _content_type(self) -> tuple[str, dict[str, str]]:
        headers: Headers | None = self.__dict__.get("headers")
        if headers is not None:
            value = headers.get("content-type")
        else:
            scope: Any = self.scope
            environ = getattr(scope, "environ", None)
            value = None
            # Bodies are asked for more often than headers, which under WSGI need not be made for
            # this. Once they are, somebody may have changed them.
            if environ is not None and not dict.__contains__(scope, "headers"):
                value = environ.get("CONTENT_TYPE")
            else:
                for name, raw in scope["headers"]:
                    if name == b"content-type":
                        value = raw.decode("latin-1")
                        break
        if value in PLAIN_TYPES:
            return value, {}
        mimetype, params = parse_options_header(value)
        return mimetype.lower(), params

    @property
    def mimetype(self) -> str:
        """The media type of the body in lower case, without parameters; ``""`` if unknown."""
        return self._content_type[0]

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the Content-Type, such as ``charset``."""
        return self._content_type[1]

    @property
    def is_json(self) -> bool:
        """Whether the body is said to be JSON: ``application/json`` or ``application/*+json``."""
        return is_json_mimetype(self.mimetype)

    @lazy
    def date(self) -> datetime | None:
        """When the message was made, an aware datetime."""
        return parse_date(self.headers.get("date"))

    @lazy
    def max_forwards(self) -> int | None:
        """How many more proxies may pass on a TRACE or OPTIONS."""
        value = self.headers.get("max-forwards", "")
        return int(value) if value.isdecimal() and value.isascii() and len(value) < 19 else None

    @lazy
    def pragma(self) -> HeaderSet:
        """The Pragma directives."""
        return parse_set_header(self.headers.combined("pragma"))

    @lazy
    def accept_mimetypes(self) -> MIMEAccept:
        """The media types that the client takes, the best first."""
        return parse_accept_header(self.headers.combined("accept"), MIMEAccept)

    @lazy
    def accept_charsets(self) -> CharsetAccept:
        """The charsets that the client takes."""
        return parse_accept_header(self.headers.combined("accept-charset"), CharsetAccept)

    @lazy
    def accept_encodings(self) -> Accept:
        """The content encodings, such as ``gzip``, that the client takes."""
        return parse_accept_header(self.headers.combined("accept-encoding"))

    @lazy
    def accept_languages(self) -> LanguageAccept:
        """The languages that the client's user reads."""
        return parse_accept_header(self.headers.combined("accept-language"), LanguageAccept)

    @lazy
    def cache_control(self) -> RequestCacheControl:
        """What the client tells caches."""
        return parse_cache_control_header(
            self.headers.combined("cache-control"), None, RequestCacheControl
        )

    @lazy
    def if_match(self) -> ETags:
        """Go on only if the resource has one of these entity tags."""
        return parse_etags(self.headers.combined("if-match"))

    @lazy
    def if_none_match(self) -> ETags:
        """Go on only if the resource has none of these entity tags."""
        return parse_etags(self.headers.combined("if-none-match"))

    @lazy
    def if_modified_since(self) -> datetime | None:
        """Go on only if the resource has changed since then."""
        return parse_date(self.headers.get("if-modified-since"))

    @lazy
    def if_unmodified_since(self) -> datetime | None:
        """Go on only if the resource has not changed since then."""
        return parse_date(self.headers.get("if-unmodified-since"))

    @lazy
    def if_range(self) -> IfRange:
        """The state of the resource under which :attr:`range` is wanted."""
        return parse_if_range_header(self.headers.get("if-range"))

    @lazy
    def range(self) -> Range | None:
        """The parts of the resource that are wanted."""
        return parse_range_header(self.headers.get("range"))

    @lazy
    def user_agent(self) -> UserAgent:
        """The program that made the request."""
        return self.user_agent_class(self.headers.get("user-agent", ""))

    @lazy
    def authorization(self) -> Authorization | None:
        """The credentials in the Authorization header."""
        return Authorization.from_header(self.headers.get("authorization"))

    @lazy
    def access_control_request_headers(self) -> HeaderSet | None:
        """The headers that a cross-origin request is going to have."""
        value = self.headers.combined("access-control-request-headers")
        return None if value is None else parse_set_header(value)

    @property
    def access_control_request_method(self) -> str | None:
        """The method that a cross-origin request is going to have."""
        return self.headers.get("access-control-request-method")


def path_of(scope: MutableMapping[str, Any]) -> str:
    """The path of a request below the prefix that the application is mounted under.

    Servers differ in whether they leave the prefix in the path, as ASGI wants it.
    """
    path: str = scope["path"]
    root_path: str = scope.get("root_path") or ""
    if not root_path and path[:1] == "/" and path[1:2] != "/":
        return path
    root = root_path.rstrip("/")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        path = path[len(root) :]
    return "/" + path.lstrip("/")
