"""What a response says in its header fields, each as an attribute that reads and writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar, overload

from ..http.cookies import dump_cookie
from ..http.datastructures import (
    CallbackDict,
    ContentRange,
    ContentSecurityPolicy,
    Headers,
    HeaderSet,
    ResponseCacheControl,
    WWWAuthenticate,
)
from ..http.dates import dump_age, http_date, parse_age, parse_date
from ..http.etags import quote_etag, unquote_etag
from ..http.headers import (
    dump_header,
    dump_options_header,
    parse_cache_control_header,
    parse_csp_header,
    parse_options_header,
    parse_set_header,
)
from ..http.ranges import parse_content_range_header
from ..http.syntax import plain_int
from .request_fields import is_json_mimetype

T = TypeVar("T")
W = TypeVar("W")


class COEP(Enum):
    """Values of Cross-Origin-Embedder-Policy."""

    UNSAFE_NONE = "unsafe-none"
    REQUIRE_CORP = "require-corp"


class COOP(Enum):
    """Values of Cross-Origin-Opener-Policy."""

    UNSAFE_NONE = "unsafe-none"
    SAME_ORIGIN_ALLOW_POPUPS = "same-origin-allow-popups"
    SAME_ORIGIN = "same-origin"


class header_field(Generic[T, W]):  # noqa: N801 - used like property
    """An attribute that reads and writes one header field.

    Assigning ``None`` or deleting removes the field. A value that cannot be parsed reads as
    the default.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[str], T],
        dump: Callable[[W], str | None],
        doc: str,
        default: T | None = None,
    ) -> None:
        self.name = name
        self.load = load
        self.dump = dump
        self.default = default
        self.__doc__ = doc

    @overload
    def __get__(self, instance: None, owner: type) -> header_field[T, W]: ...
    @overload
    def __get__(self, instance: ResponseFields, owner: type) -> T | None: ...
    def __get__(
        self, instance: ResponseFields | None, owner: type
    ) -> header_field[T, W] | T | None:
        if instance is None:
            return self
        value = instance.headers.get(self.name)
        if value is None:
            return self.default
        try:
            return self.load(value)
        except ValueError:
            return self.default

    def __set__(self, instance: ResponseFields, value: W | None) -> None:
        text = None if value is None else self.dump(value)
        if text is None:
            instance.headers.remove(self.name)
        else:
            instance.headers[self.name] = text

    def __delete__(self, instance: ResponseFields) -> None:
        instance.headers.remove(self.name)


def _text_field(name: str, doc: str) -> header_field[str, str]:
    return header_field(name, str, str, doc)


def _date_field(name: str, doc: str) -> header_field[datetime, datetime | float]:
    return header_field(name, _load_date, http_date, doc)


def _load_date(value: str) -> datetime:
    date = parse_date(value)
    if date is None:
        raise ValueError(value)
    return date


def _load_age(value: str) -> timedelta:
    age = parse_age(value)
    if age is None:
        raise ValueError(value)
    return age


def _set_field(name: str, doc: str) -> Any:
    """An attribute that is a set of names, written back whenever it changes."""

    def fget(self: ResponseFields) -> HeaderSet:
        def write(names: HeaderSet) -> None:
            if names:
                self.headers[name] = names.to_header()
            else:
                self.headers.remove(name)

        return parse_set_header(self.headers.combined(name), write)

    def fset(self: ResponseFields, value: str | Iterable[str] | Mapping[str, Any] | None) -> None:
        if not value:
            self.headers.remove(name)
        else:
            self.headers[name] = value if isinstance(value, str) else dump_header(value)

    def fdel(self: ResponseFields) -> None:
        self.headers.remove(name)

    return property(fget, fset, fdel, doc)


def _csp_field(name: str, doc: str) -> Any:
    def fget(self: ResponseFields) -> ContentSecurityPolicy:
        def write(policy: ContentSecurityPolicy) -> None:
            if policy:
                self.headers[name] = policy.to_header()
            else:
                self.headers.remove(name)

        return parse_csp_header(self.headers.get(name), write)

    def fset(self: ResponseFields, value: ContentSecurityPolicy | str | None) -> None:
        if not value:
            self.headers.remove(name)
        else:
            self.headers[name] = value if isinstance(value, str) else value.to_header()

    def fdel(self: ResponseFields) -> None:
        self.headers.remove(name)

    return property(fget, fset, fdel, doc)


def add_charset(mimetype: str) -> str:
    """A media type as Content-Type, with the charset if it is one of text.

    >>> add_charset("text/css"), add_charset("application/json")
    ('text/css; charset=utf-8', 'application/json')
    """
    if (
        mimetype.startswith("text/")
        or mimetype in _TEXT_TYPES
        or (mimetype.startswith("application/") and mimetype.endswith("+xml"))
    ):
        return f"{mimetype}; charset=utf-8"
    return mimetype


_TEXT_TYPES = frozenset(
    f"application/{name}"
    for name in "ecmascript javascript sql xml xml-dtd xml-external-parsed-entity".split()
)


def _not_configured() -> int | None:
    return None


class ResponseFields:
    """The part of a response that depends on its headers alone."""

    __slots__ = ()

    headers: Headers

    #: Gives the application's ``MAX_COOKIE_SIZE``, or ``None``; the floor that knows the
    #: application sets it.
    configured_cookie_size: ClassVar[Any] = staticmethod(_not_configured)

    @property
    def max_cookie_size(self) -> int:
        """The bytes from which on :meth:`set_cookie` warns; 0 for never.

        What ``MAX_COOKIE_SIZE`` says, or 4093 where no application is active. A subclass may
        have a number in its place.
        """
        size: int | None = type(self).configured_cookie_size()
        return 4093 if size is None else size

    location = _text_field("Location", "Where to go instead, or where the new thing is.")
    content_encoding = _text_field("Content-Encoding", "What the body is encoded with.")
    content_location = _text_field("Content-Location", "Another address of the same content.")
    content_md5 = _text_field("Content-MD5", "The MD5 digest of the body, as RFC 1864 had it.")
    accept_ranges = _text_field("Accept-Ranges", "The unit of ranges that may be asked for.")
    access_control_allow_origin = _text_field(
        "Access-Control-Allow-Origin", "The origin that may use the response, or ``*``."
    )
    content_length: header_field[int, int] = header_field(
        "Content-Length", plain_int, lambda value: str(int(value)), "The length of the body."
    )
    access_control_max_age: header_field[int, int] = header_field(
        "Access-Control-Max-Age",
        plain_int,
        lambda value: str(int(value)),
        "The seconds for which the answer to a preflight request holds.",
    )
    age = header_field("Age", _load_age, dump_age, "The time since the response was made.")
    date = _date_field("Date", "When the message was made. Most servers add it themselves.")
    expires = _date_field("Expires", "When the response becomes stale.")
    last_modified = _date_field("Last-Modified", "When the content last changed.")
    cross_origin_opener_policy: header_field[COOP, COOP | str] = header_field(
        "Cross-Origin-Opener-Policy",
        COOP,
        lambda value: COOP(value).value,
        "Which documents share a browsing context group with this one, a :class:`COOP`.",
        COOP.UNSAFE_NONE,
    )
    cross_origin_embedder_policy: header_field[COEP, COEP | str] = header_field(
        "Cross-Origin-Embedder-Policy",
        COEP,
        lambda value: COEP(value).value,
        "What the document may load from other origins, a :class:`COEP`.",
        COEP.UNSAFE_NONE,
    )
    content_language: HeaderSet = _set_field("Content-Language", "The languages of the content.")
    vary: HeaderSet = _set_field("Vary", "The request headers that the response depends on.")
    allow: HeaderSet = _set_field("Allow", "The methods that the resource knows.")
    access_control_allow_headers: HeaderSet = _set_field(
        "Access-Control-Allow-Headers", "The headers that a cross-origin request may have."
    )
    access_control_allow_methods: HeaderSet = _set_field(
        "Access-Control-Allow-Methods", "The methods that a cross-origin request may have."
    )
    access_control_expose_headers: HeaderSet = _set_field(
        "Access-Control-Expose-Headers", "The headers that a script of another origin may read."
    )
    content_security_policy: ContentSecurityPolicy = _csp_field(
        "Content-Security-Policy", "What the page may load and do."
    )
    content_security_policy_report_only: ContentSecurityPolicy = _csp_field(
        "Content-Security-Policy-Report-Only", "What is reported, but not refused."
    )

    # Content type

    @property
    def content_type(self) -> str | None:
        """The media type of the body with its parameters."""
        return self.headers.get("Content-Type")

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        if value is None:
            self.headers.remove("Content-Type")
        else:
            self.headers["Content-Type"] = value

    @content_type.deleter
    def content_type(self) -> None:
        self.headers.remove("Content-Type")

    @property
    def mimetype(self) -> str | None:
        """The media type of the body without parameters. Set, it gets the charset if it is text."""
        value = self.content_type
        return value.partition(";")[0].strip() if value else None

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        self.content_type = add_charset(value)

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the media type; changing them changes the header."""

        def write(params: CallbackDict[str, str]) -> None:
            self.content_type = dump_options_header(self.mimetype, params)

        return CallbackDict(parse_options_header(self.content_type)[1], write)

    @property
    def is_json(self) -> bool:
        """Whether the body is said to be JSON."""
        return is_json_mimetype(self.mimetype or "")

    # Caching

    @property
    def cache_control(self) -> ResponseCacheControl:
        """What caches may do with the response; changing it changes the header."""

        def write(control: ResponseCacheControl) -> None:
            if control:
                self.headers["Cache-Control"] = control.to_header()
            else:
                self.headers.remove("Cache-Control")

        return parse_cache_control_header(
            self.headers.combined("Cache-Control"), write, ResponseCacheControl
        )

    def set_etag(self, etag: str, weak: bool = False) -> None:
        """Set the entity tag, given without its quotes."""
        self.headers["ETag"] = quote_etag(etag, weak)

    def get_etag(self) -> tuple[str, bool] | tuple[None, None]:
        """The entity tag without its quotes, and whether it is weak; twice ``None`` if unset."""
        return unquote_etag(self.headers.get("ETag"))

    @property
    def retry_after(self) -> datetime | None:
        """When to try again. Set from seconds or a date."""
        value = self.headers.get("Retry-After")
        if value is None:
            return None
        seconds = parse_age(value)
        return parse_date(value) if seconds is None else datetime.now(UTC) + seconds

    @retry_after.setter
    def retry_after(self, value: datetime | int | str | None) -> None:
        if value is None:
            self.headers.remove("Retry-After")
        elif isinstance(value, datetime):
            self.headers["Retry-After"] = http_date(value)
        else:
            self.headers["Retry-After"] = str(value)

    # Ranges

    @property
    def content_range(self) -> ContentRange:
        """Which part of the content this is; changing it changes the header."""

        def write(range_: ContentRange) -> None:
            if range_:
                self.headers["Content-Range"] = range_.to_header()
            else:
                self.headers.remove("Content-Range")

        found = parse_content_range_header(self.headers.get("Content-Range"), write)
        return ContentRange(None, None, None, on_update=write) if found is None else found

    @content_range.setter
    def content_range(self, value: ContentRange | str | None) -> None:
        if not value:
            self.headers.remove("Content-Range")
        else:
            self.headers["Content-Range"] = value if isinstance(value, str) else value.to_header()

    @content_range.deleter
    def content_range(self) -> None:
        self.headers.remove("Content-Range")

    # Access

    @property
    def access_control_allow_credentials(self) -> bool:
        """Whether a script of another origin may see the response to a request with cookies."""
        return "Access-Control-Allow-Credentials" in self.headers

    @access_control_allow_credentials.setter
    def access_control_allow_credentials(self, value: bool | None) -> None:
        if value is True:
            self.headers["Access-Control-Allow-Credentials"] = "true"
        else:
            self.headers.remove("Access-Control-Allow-Credentials")

    @property
    def www_authenticate(self) -> WWWAuthenticate:
        """The first challenge; changing it changes the header. Set from one, a list, or None."""
        value = WWWAuthenticate.from_header(self.headers.get("WWW-Authenticate"))
        if value is None:
            value = WWWAuthenticate("basic")
        value._on_update = self._write_challenge
        return value

    @www_authenticate.setter
    def www_authenticate(self, value: WWWAuthenticate | list[WWWAuthenticate] | None) -> None:
        if isinstance(value, WWWAuthenticate):
            self._write_challenge(value)
            value._on_update = self._write_challenge
        else:
            self.headers.setlist("WWW-Authenticate", [each.to_header() for each in value or ()])

    @www_authenticate.deleter
    def www_authenticate(self) -> None:
        self.headers.remove("WWW-Authenticate")

    def _write_challenge(self, value: WWWAuthenticate) -> None:
        self.headers["WWW-Authenticate"] = value.to_header()

    # Cookies

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: timedelta | int | None = None,
        expires: str | datetime | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Have the browser keep a cookie; see :func:`kolben.http.cookies.dump_cookie`.

        :param max_age: Seconds that it is kept; by default until the browser is closed.
        :param expires: The moment until which it is kept, for very old browsers.
        :param domain: Also send it to all hosts below this one.
        :param secure: Send it over HTTPS only.
        :param httponly: Hide it from scripts.
        :param samesite: ``"Lax"``, ``"Strict"`` or ``"None"``.
        :param partitioned: Keep it apart for each page that embeds this one.
        :raises ValueError: if browsers would refuse the cookie, such as a ``__Host-`` cookie
            with a domain.
        """
        self.headers.add(
            "Set-Cookie",
            dump_cookie(
                key,
                value,
                max_age=max_age,
                expires=expires,
                path=path,
                domain=domain,
                secure=secure,
                httponly=httponly,
                max_size=self.max_cookie_size,
                samesite=samesite,
                partitioned=partitioned,
            ),
        )

    def delete_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Have the browser forget a cookie, which it finds by its name, path and domain."""
        self.set_cookie(
            key,
            expires=0,
            max_age=0,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )
