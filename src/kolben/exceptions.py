"""HTTP errors, to be raised anywhere during a request.

An error is data: a status code, a text, some headers. It becomes a response at the edge of the
application, by way of the error handlers, or where someone calls ``get_response()``. All of
them derive from :exc:`HTTPException`::

    HTTPException
    ├── RequestRedirect (308)
    ├── BadRequest (400)
    │   ├── BadRequestKeyError, also a KeyError
    │   ├── BadHost
    │   ├── ClientDisconnected
    │   └── SecurityError
    ├── Unauthorized (401)
    ├── Forbidden (403)
    ├── NotFound (404)
    ├── MethodNotAllowed (405)
    ├── NotAcceptable (406)
    ├── RequestTimeout (408)
    ├── Conflict (409)
    ├── Gone (410)
    ├── LengthRequired (411)
    ├── PreconditionFailed (412)
    ├── RequestEntityTooLarge (413)
    ├── RequestURITooLarge (414)
    ├── UnsupportedMediaType (415)
    ├── RequestedRangeNotSatisfiable (416)
    ├── ExpectationFailed (417)
    ├── ImATeapot (418)
    ├── MisdirectedRequest (421)
    ├── UnprocessableEntity (422)
    ├── Locked (423)
    ├── FailedDependency (424)
    ├── UpgradeRequired (426)
    ├── PreconditionRequired (428)
    ├── TooManyRequests (429)
    ├── RequestHeaderFieldsTooLarge (431)
    ├── UnavailableForLegalReasons (451)
    ├── InternalServerError (500)
    ├── NotImplemented (501)
    ├── BadGateway (502)
    ├── ServiceUnavailable (503)
    ├── GatewayTimeout (504)
    └── HTTPVersionNotSupported (505)

:func:`abort` raises them by their code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, NoReturn
from urllib.parse import quote

from markupsafe import Markup, escape

from .http.datastructures import Headers, MultiDict, WWWAuthenticate
from .http.dates import http_date
from .http.status import HTTP_STATUS_CODES
from .http.urls import encode_location


class HTTPException(Exception):
    """An error that has a status code, or stands for a response.

    >>> error = HTTPException("No tea today.")
    >>> error.code = 418
    >>> str(error)
    "418 I'm a teapot: No tea today."

    :param description: Text for the error page; the class's own if it is left out.
    :param response: A response to send as it is; everything else is ignored then.
    :source: Werkzeug: the same.
    """

    #: The status code.
    code: int | None = None
    #: Text for the error page.
    description: str | None = None
    #: What :meth:`get_response` makes: called with body, status code and headers. The floor that
    #: knows of responses fills it in.
    response_class: ClassVar[Any] = None

    def __init__(self, description: str | None = None, response: Any = None) -> None:
        super().__init__()
        if description is not None:
            self.description = description
        self.response = response

    @classmethod
    def wrap(cls, exception: type[BaseException], name: str | None = None) -> type[HTTPException]:
        """A class that is both this error and another exception, so that either catches it.

        >>> issubclass(NotFound.wrap(LookupError), LookupError)
        True

        :param exception: The other class.
        :param name: The name of the new one.
        """

        def init(self: Any, arg: Any = None, *args: Any, **kwargs: Any) -> None:
            cls.__init__(self, *args, **kwargs)
            self.args = () if arg is None else (arg,)

        return type(name or exception.__name__, (cls, exception), {"__init__": init})

    @property
    def name(self) -> str:
        """The reason phrase of the status code."""
        return HTTP_STATUS_CODES.get(self.code or 0, "Unknown Error")

    def get_description(self, environ: Any = None, scope: Any = None) -> str:
        """The description as HTML, escaped, with its line breaks.

        :param environ: Ignored, as is ``scope``; Werkzeug passes them.
        """
        text = "" if self.description is None else self.description
        return f"<p>{escape(text).replace(chr(10), Markup('<br>'))}</p>"

    def get_body(self, environ: Any = None, scope: Any = None) -> str:
        """The error page: a small HTML document without anything from inside the application."""
        name = escape(self.name)
        return (
            f"<!doctype html>\n<html lang=en>\n<title>{self.code} {name}</title>\n"
            f"<h1>{name}</h1>\n{self.get_description(environ, scope)}\n"
        )

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """The header fields of the error page."""
        return [("Content-Type", "text/html; charset=utf-8")]

    def get_response(self, environ: Any = None, scope: Any = None) -> Any:
        """The response that this error stands for, or a new one with the error page."""
        if self.response is not None:
            return self.response
        if self.response_class is None:
            raise RuntimeError("Import kolben.wrappers before asking an error for its response.")
        body = self.get_body(environ, scope)
        return self.response_class(body, self.code, self.get_headers(environ, scope))

    def __str__(self) -> str:
        code = "???" if self.code is None else self.code
        return f"{code} {self.name}: {self.description}"

    def __repr__(self) -> str:
        code = "???" if self.code is None else self.code
        return f"<{type(self).__name__} '{code}: {self.name}'>"


class RequestRedirect(HTTPException):
    """308: the URL is right but for its form; the client should use another with the same method.

    Routing raises it for a missing slash.

    :param new_url: Where to go; made fit for the header.
    """

    code = 308

    def __init__(self, new_url: str) -> None:
        super().__init__()
        self.args = (new_url,)
        self.new_url = new_url

    def _location(self) -> str:
        try:
            return encode_location(self.new_url)
        except ValueError:
            return quote(self.new_url, safe="%/:?&=")

    def get_description(self, environ: Any = None, scope: Any = None) -> str:
        """A link to where it is found."""
        url = escape(self._location())
        return f'<p>This page is found at <a href="{url}">{url}</a>.</p>'

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """The header fields of the error page, with the ``Location``."""
        return [*super().get_headers(environ, scope), ("Location", self._location())]


class BadRequest(HTTPException):
    """400: the request is malformed, or lacks something that it needs."""

    code = 400
    description: str | None = "The server could not understand what the browser or a proxy sent."


class BadRequestKeyError(BadRequest, KeyError):
    """400: a key is missing in the request's data; also a :exc:`KeyError`.

    Reading ``request.form["name"]`` without catching the error thus answers with a 400.

    :param arg: The key.
    """

    _description = BadRequest.description
    #: Name the key in the description. For development only: it says what the code expects.
    show_exception = False

    def __init__(self, arg: object | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.args = () if arg is None else (arg,)

    @property
    def description(self) -> str | None:
        """Text for the error page; with the key, if :attr:`show_exception` is set."""
        if self.show_exception:
            return f"{self._description}\nKeyError: {KeyError.__str__(self)}"
        return self._description

    @description.setter
    def description(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, value: str | None
    ) -> None:
        self._description = value


class ClientDisconnected(BadRequest):
    """400: the client went away while it was sending; nobody will read the response."""


class SecurityError(BadRequest):
    """400: the request looks like an attack, such as a host that is not trusted."""


class BadHost(BadRequest):
    """400: the ``Host`` header is malformed."""


class Unauthorized(HTTPException):
    """401: the client has to log in, or its credentials are wrong.

    :param www_authenticate: The challenge, or several, each a header of its own.
    """

    code = 401
    description = (
        "You are not logged in, or the credentials that you sent are wrong. Your browser may also"
        " not know how to send the kind of credentials that this page needs."
    )

    def __init__(
        self,
        description: str | None = None,
        response: Any = None,
        www_authenticate: WWWAuthenticate | Iterable[WWWAuthenticate] | None = None,
    ) -> None:
        super().__init__(description, response)
        if isinstance(www_authenticate, WWWAuthenticate):
            www_authenticate = (www_authenticate,)
        self.www_authenticate = None if www_authenticate is None else tuple(www_authenticate)

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """The header fields of the error page, with one ``WWW-Authenticate`` for each challenge."""
        challenges = [("WWW-Authenticate", str(each)) for each in self.www_authenticate or ()]
        return super().get_headers(environ, scope) + challenges


class Forbidden(HTTPException):
    """403: the client is known, and may not do this."""

    code = 403
    description = "You are not allowed to see or change this."


class NotFound(HTTPException):
    """404: there is nothing at this URL."""

    code = 404
    description = (
        "There is nothing at this URL. If you typed it, have a look at its spelling and try again."
    )


class MethodNotAllowed(HTTPException):
    """405: there is something at this URL, but not for this method.

    :param valid_methods: The methods that are there, for the ``Allow`` header.
    """

    code = 405
    description = "This URL does not answer to the method of the request."

    def __init__(
        self,
        valid_methods: Iterable[str] | None = None,
        description: str | None = None,
        response: Any = None,
    ) -> None:
        super().__init__(description, response)
        self.valid_methods = None if valid_methods is None else list(valid_methods)

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """The header fields of the error page, with ``Allow``, if the methods are known."""
        headers = super().get_headers(environ, scope)
        if self.valid_methods:
            headers.append(("Allow", ", ".join(self.valid_methods)))
        return headers


class NotAcceptable(HTTPException):
    """406: nothing that the server has satisfies the ``Accept`` headers."""

    code = 406
    description = "The server has this in no form that the browser says it accepts."


class RequestTimeout(HTTPException):
    """408: the client took too long to send the request."""

    code = 408
    description = "The browser took too long to send its request, so the server stopped waiting."


class Conflict(HTTPException):
    """409: the request does not fit the present state, such as an edit by someone else."""

    code = 409
    description = (
        "The request conflicts with the present state of this page. Someone may have changed it"
        " in the meantime."
    )


class Gone(HTTPException):
    """410: there was something at this URL, and it will not come back."""

    code = 410
    description = "What was at this URL is gone, and has not moved to another one."


class LengthRequired(HTTPException):
    """411: the request needs a ``Content-Length``."""

    code = 411
    description = "A request with this method needs a valid Content-Length header."


class PreconditionFailed(HTTPException):
    """412: ``If-Match``, ``If-None-Match`` or ``If-Unmodified-Since`` does not hold."""

    code = 412
    description = "A condition that the request depends on is not true any more."


class RequestEntityTooLarge(HTTPException):
    """413: the body is larger than allowed."""

    code = 413
    description = "The request carries more data than the server takes."


class RequestURITooLarge(HTTPException):
    """414: the URL is longer than allowed."""

    code = 414
    description = "The URL is longer than the server takes."


class UnsupportedMediaType(HTTPException):
    """415: the body is of a type that is not supported here."""

    code = 415
    description = "The server does not take data of the type that was sent."


class RequestedRangeNotSatisfiable(HTTPException):
    """416: the part that was asked for does not exist.

    :param length: Length of the whole, for the ``Content-Range`` header.
    :param units: Unit of the length.
    """

    code = 416
    description = "The server does not have the part that was asked for."

    def __init__(
        self,
        length: int | None = None,
        units: str = "bytes",
        description: str | None = None,
        response: Any = None,
    ) -> None:
        super().__init__(description, response)
        self.length = length
        self.units = units

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """The header fields of the error page, with ``Content-Range``, if the length is known."""
        headers = super().get_headers(environ, scope)
        if self.length is not None:
            headers.append(("Content-Range", f"{self.units} */{self.length}"))
        return headers


class ExpectationFailed(HTTPException):
    """417: the ``Expect`` header asks for something that the server cannot do."""

    code = 417
    description = "The server cannot do what the Expect header asks for."


class ImATeapot(HTTPException):
    """418: someone tries to brew coffee in a teapot."""

    code = 418
    description = "This is a teapot. It does not make coffee."


class MisdirectedRequest(HTTPException):
    """421: the request reached a server that is not responsible for it."""

    code = 421
    description = "This server is not the one that answers for this URL."


class UnprocessableEntity(HTTPException):
    """422: the request is well-formed, but what it says makes no sense."""

    code = 422
    description = "The data is well-formed, but something that it says is wrong."


class Locked(HTTPException):
    """423: what the request is about is locked."""

    code = 423
    description = "What you want to use is locked."


class FailedDependency(HTTPException):
    """424: the request depends on another one, which failed."""

    code = 424
    description = "This could not be done because something before it failed."


class UpgradeRequired(HTTPException):
    """426: the server answers this in another protocol only.

    :param protocol: Its name, for the ``Upgrade`` header.
    :source: RFC 9110, section 15.5.22.
    """

    code = 426
    description = "What is at this URL needs another protocol than plain HTTP."

    def __init__(
        self, protocol: str = "websocket", description: str | None = None, response: Any = None
    ) -> None:
        super().__init__(description, response)
        self.protocol = protocol

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """The header fields of the error page, with ``Upgrade``."""
        return [*super().get_headers(environ, scope), ("Upgrade", self.protocol)]


class PreconditionRequired(HTTPException):
    """428: the request has to be conditional, so that no one's changes are lost."""

    code = 428
    description = (
        "This request has to say which version it is meant for, by an If-Match or an"
        " If-Unmodified-Since header."
    )


class _RetryAfter(HTTPException):
    """An error that may say when to try again.

    :param retry_after: Seconds, or a datetime (naive means UTC).
    """

    def __init__(
        self,
        description: str | None = None,
        response: Any = None,
        retry_after: datetime | int | None = None,
    ) -> None:
        super().__init__(description, response)
        self.retry_after = retry_after

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """The header fields of the error page, with ``Retry-After``, if that was given."""
        headers = super().get_headers(environ, scope)
        if self.retry_after is not None:
            when = self.retry_after
            text = http_date(when) if isinstance(when, datetime) else str(when)
            headers.append(("Retry-After", text))
        return headers


class TooManyRequests(_RetryAfter):
    """429: the client sends more requests than it may.

    :param retry_after: Seconds, or a datetime, for the ``Retry-After`` header.
    """

    code = 429
    description = "You have sent too many requests. Wait a while, then try again."


class RequestHeaderFieldsTooLarge(HTTPException):
    """431: a header field, or all of them together, is larger than allowed."""

    code = 431
    description = "The headers of the request are larger than the server takes."


class UnavailableForLegalReasons(HTTPException):
    """451: the law forbids showing this."""

    code = 451
    description = "This cannot be shown for legal reasons."


class InternalServerError(HTTPException):
    """500: something went wrong inside the application.

    :param original_exception: What went wrong; never shown to the client.
    """

    code = 500
    description = (
        "Something went wrong on the server, so it could not answer. It may be overloaded, or"
        " there is an error in the application."
    )

    def __init__(
        self,
        description: str | None = None,
        response: Any = None,
        original_exception: BaseException | None = None,
    ) -> None:
        super().__init__(description, response)
        #: The error that no handler took care of.
        self.original_exception = original_exception


class NotImplemented(HTTPException):
    """501: the server does not know how to do this."""

    code = 501
    description = "The server does not know how to do what the browser asks for."


class BadGateway(HTTPException):
    """502: a server behind this one gave an invalid answer."""

    code = 502
    description = "Another server, which this one asked, gave an answer that makes no sense."


class ServiceUnavailable(_RetryAfter):
    """503: the service is not available for now.

    :param retry_after: Seconds, or a datetime, for the ``Retry-After`` header.
    """

    code = 503
    description = (
        "The server cannot answer for now, because it is overloaded or under maintenance. Try"
        " again later."
    )


class GatewayTimeout(HTTPException):
    """504: a server behind this one did not answer in time."""

    code = 504
    description = "Another server, which this one asked, did not answer in time."


class HTTPVersionNotSupported(HTTPException):
    """505: the request uses a version of HTTP that is not supported."""

    code = 505
    description = "The server does not speak the version of HTTP that the browser used."


def _by_code() -> dict[int, type[HTTPException]]:
    found: dict[int, type[HTTPException]] = {}
    for each in globals().values():
        if isinstance(each, type) and issubclass(each, HTTPException) and "code" in vars(each):
            if each.code is not None and each.code >= 400:
                found[each.code] = each
    return found


#: The error of each code that :func:`abort` knows.
default_exceptions: dict[int, type[HTTPException]] = _by_code()


class Aborter:
    """Raises errors by their code.

    >>> aborter = Aborter(extra={402: Forbidden})
    >>> aborter.mapping[402]
    <class 'kolben.exceptions.Forbidden'>

    :param mapping: The error of each code; :data:`default_exceptions` if it is left out.
    :param extra: More of them, or others.
    """

    def __init__(
        self,
        mapping: Mapping[int, type[HTTPException]] | None = None,
        extra: Mapping[int, type[HTTPException]] | None = None,
    ) -> None:
        self.mapping: dict[int, type[HTTPException]] = {
            **(default_exceptions if mapping is None else mapping),
            **(extra or {}),
        }

    def __call__(self, code: int | Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise the error of a code, or one that stands for a response.

        :param code: Status code, or a response.
        :param args: For the error's constructor, as are ``kwargs``.
        :raises LookupError: if the code has no error.
        """
        if isinstance(code, int):
            if code in self.mapping:
                raise self.mapping[code](*args, **kwargs)
        elif hasattr(code, "status_code"):
            raise HTTPException(response=code)
        raise LookupError(
            f"There is no error for {code!r}. Use a code from 400 on that HTTP defines, a response,"
            " or add your own code to the mapping of the application's aborter."
        )


_aborter = Aborter()


def abort(code: int | Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the :exc:`HTTPException` of a status code, or one that stands for a response.

    >>> abort(404)
    Traceback (most recent call last):
    kolben.exceptions.NotFound: 404 Not Found: There is nothing at this URL. ...

    :param code: Status code, or a response to send as it is.
    :param args: For the error's constructor, as are ``kwargs``: mostly a description.
    :raises LookupError: if the code has no error.
    :source: Werkzeug: the same.
    """
    _aborter(code, *args, **kwargs)


# A missing key of the request's data is the client's mistake.
MultiDict.key_error = BadRequestKeyError
Headers.key_error = BadRequestKeyError
