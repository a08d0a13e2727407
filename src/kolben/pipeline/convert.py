"""What a view may return, made a response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .._types import RawHeader
from ..context import current
from ..exceptions import HTTPException
from ..helpers.places import place_of
from ..http.datastructures import Headers
from ..json import DefaultJSONProvider
from ..wrappers import Response

if TYPE_CHECKING:
    from ..context import Kolben


#: A body and its content type field, of an answer that needs no response object.
SimpleAnswer: TypeAlias = tuple[bytes, RawHeader]


class ApplicationResponse(Response):
    """A view's answer that another ASGI application gives.

    Headers that are set on this response are added to those that the application sends.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        super().__init__()
        self.headers.clear()
        self._body = self.application = application


def is_asgi_application(value: Any) -> bool:
    """Whether a value can be called as ``await value(scope, receive, send)``."""
    return iscoroutinefunction(value) or iscoroutinefunction(getattr(value, "__call__", None))  # noqa: B004


def response_makers(
    app: Kolben,
) -> tuple[Callable[[Any], Response], Callable[[Any], SimpleAnswer | None]]:
    """The functions that make a view's return value a response of ``app``.

    The first makes a response of whatever a view may return. The second makes less of text and
    JSON, where that is all there will be to the answer: a body and its type.

    Made once, when registration closes, so that what can be known of the application's
    response class and JSON provider is not asked for each request.

    :source: Flask's documented ``Flask.make_response``; async iterators and ASGI applications
        are Kolben's.
    """
    response_class: type[Response] = app.response_class
    # A response class with a constructor of its own expects that it is called.
    is_plain = response_class.__init__ is Response.__init__ and response_class.default_status == 200
    text_type = response_class("")._content_type if is_plain else None
    provider = app.json
    json_body = None
    json_type = (b"content-type", b"application/json")
    if isinstance(provider, DefaultJSONProvider) and is_default(provider, "response"):
        json_body = provider.response_body
        json_type = (b"content-type", provider.mimetype.encode("latin-1"))

    def make_simple(rv: Any) -> SimpleAnswer | None:
        kind = type(rv)
        if text_type is not None:
            if kind is str:
                return rv.encode(), text_type
            if (kind is dict or kind is list) and json_body is not None:
                return json_body(rv), json_type
        return None

    def make(rv: Any) -> Response:
        simple = make_simple(rv)
        if simple is not None:
            return response_class.plain(*simple)
        if type(rv) is tuple:
            return with_status_and_headers(rv)
        return convert(rv)

    def convert(rv: Any) -> Response:
        if isinstance(rv, response_class):
            return rv
        if isinstance(rv, (str, bytes, bytearray, Iterator, AsyncIterator)):
            return response_class(rv)
        if isinstance(rv, (dict, list)):
            return cast("Response", provider.response(rv))
        if isinstance(rv, HTTPException):
            return convert(rv.get_response())
        if isinstance(rv, Response):
            return response_class.force_type(rv)
        if is_asgi_application(rv):
            return ApplicationResponse(rv)
        raise invalid(rv)

    def with_status_and_headers(rv: tuple[Any, ...]) -> Response:
        status = headers = None
        if len(rv) == 3:
            body, status, headers = rv
        elif len(rv) == 2 and isinstance(rv[1], (Headers, Mapping, tuple, list)):
            body, headers = rv
        elif len(rv) == 2:
            body, status = rv
        else:
            raise TypeError(
                f"{view_name()} returned a tuple of {len(rv)} items. It must be (body, status,"
                " headers), (body, status) or (body, headers)."
            )
        if body is None or isinstance(body, tuple):
            raise invalid(body)
        if headers and isinstance(body, (str, bytes, bytearray, Iterator, AsyncIterator)):
            # Not by update, which would keep one of several cookies.
            response = response_class(body, headers=headers)
            headers = None
        else:
            response = make(body)
        if status is not None:
            if isinstance(status, int):
                response.status_code = status
            else:
                response.status = status
        if headers:
            response.headers.update(headers)
        return response

    return make, make_simple


def is_default(provider: DefaultJSONProvider, name: str) -> bool:
    """Whether neither a subclass nor the instance has replaced a method of the provider."""
    return name not in vars(provider) and getattr(type(provider), name) is getattr(
        DefaultJSONProvider, name
    )


def invalid(rv: Any) -> TypeError:
    """The error for what no response can be made of; it names the view."""
    if rv is None:
        what = "None; it may have ended without a return statement"
    else:
        what = f"a {type(rv).__name__}"
    return TypeError(
        f"{view_name()} did not return a valid response. The return type must be a string, bytes,"
        " dict, list, tuple with status or headers, response object, iterator or ASGI"
        f" application, but it was {what}."
    )


def view_name() -> str:
    """The view that is at work, with its place in the user's code, for error messages."""
    ctx = current.get(None)
    request = None if ctx is None else ctx.request
    if ctx is None or request is None or request.endpoint is None:
        return "The function"
    view = ctx.app.view_functions.get(request.endpoint)
    place = "" if view is None else f" ({place_of(view)})"
    return f"The view function for {request.endpoint!r}{place}"
