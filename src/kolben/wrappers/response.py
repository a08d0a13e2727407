"""One HTTP response."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

from .. import json as json_functions
from ..exceptions import HTTPException
from ..http.datastructures import Headers
from ..http.headers import HTTP_STATUS_CODES, validate_header
from ..http.urls import encode_location
from .body import FileBody
from .conditional import apply_conditions
from .response_body import WITHOUT_BODY, ResponseBody
from .response_fields import add_charset

if TYPE_CHECKING:
    from .request import Request

Pair = tuple[bytes, bytes]
Content = (
    str
    | bytes
    | bytearray
    | FileBody
    | Iterable[str]
    | Iterable[bytes]
    | AsyncIterable[str]
    | AsyncIterable[bytes]
)
HeadersArgument = (
    Mapping[str, str | int | Iterable[str | int]] | Iterable[tuple[str, str | int]] | Headers
)

# Headers that would speak of a body that is not there.
_OF_THE_BODY = frozenset((b"content-type", b"content-length"))
# For 304 more: it updates what a cache holds, and must not change what that is.
_OF_THE_CONTENT = _OF_THE_BODY | {
    b"content-encoding",
    b"content-language",
    b"content-md5",
    b"content-range",
}

# The Content-Length fields of short bodies, made once.
LENGTHS: tuple[Pair, ...] = tuple((b"content-length", b"%d" % n) for n in range(1024))

_content_types: dict[tuple[str | None, str | None], Pair] = {}


def _content_type_pair(mimetype: str | None, content_type: str | None) -> Pair | None:
    """The Content-Type field for the arguments of a response; few are used, so they are kept."""
    key = mimetype, content_type
    try:
        return _content_types[key]
    except KeyError:
        pass
    value = content_type
    if value is None:
        if mimetype is None:
            return None
        value = add_charset(mimetype)
    validate_header("Content-Type", value)
    pair = b"content-type", value.encode("latin-1")
    if len(_content_types) < 256:
        _content_types[key] = pair
    return pair


class Response(ResponseBody):
    """What is sent back to the client.

    >>> response = Response("Not here", status=404)
    >>> response.status, response.headers["Content-Type"], response.get_data()
    ('404 NOT FOUND', 'text/html; charset=utf-8', b'Not here')

    :param response: The body: text (sent as UTF-8) or bytes; a list or tuple of these; any other
        iterable or async iterable of these, sent as it comes; or a :class:`.FileBody`.
    :param status: The status code, or code and phrase as ``"404 Not Found"``.
    :param headers: Header fields, a mapping or pairs. A :class:`.Headers` is used as it is.
    :param mimetype: The media type; a charset is added if it is one of text.
    :param content_type: The whole Content-Type, which ``mimetype`` does not change.
    :param direct_passthrough: The body must not be read into memory by accident.
    :raises ValueError: if the status or a header cannot be sent.
    :source: Flask and Werkzeug: the same names and meanings, without WSGI.
    """

    __slots__ = ("_content_type",)

    #: The status of a response that is made without one.
    default_status: int | str = 200
    #: The media type of a response that is made without one.
    default_mimetype: str | None = "text/html"
    #: Make a relative ``Location`` absolute when the response is sent.
    autocorrect_location_header = False
    #: Has ``loads(text)`` for :meth:`get_json`.
    json_module: Any = json_functions

    _content_type: Pair | None

    def __init__(
        self,
        response: Content | None = None,
        status: int | str | HTTPStatus | None = None,
        headers: HeadersArgument | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        if isinstance(response, str):
            self._body = response.encode()
        elif response is None:
            self._body = []
        elif isinstance(response, (bytearray, memoryview)):
            self._body = bytes(response)
        elif hasattr(response, "__iter__") or hasattr(response, "__aiter__"):
            self._body = response
        else:
            raise TypeError(
                "The body of a response must be text, bytes, or an iterable or async iterable of"
                f" these, not {type(response).__name__!r}."
            )
        if status is None:
            status = self.default_status
        if type(status) is int and 100 <= status <= 999:
            self.status_code = status
        else:
            self.status = status
        if headers is None:
            if mimetype is None and content_type is None:
                mimetype = self.default_mimetype
            self._headers = None
            self._content_type = _content_type_pair(mimetype, content_type)
        else:
            self._set_headers(headers, mimetype, content_type)
        if direct_passthrough:
            self.direct_passthrough = True

    @classmethod
    def plain(cls, body: bytes, content_type: Pair | None) -> Self:
        """A 200 response made in the cheapest way; nothing is checked.

        :param body: The whole body.
        :param content_type: The pair ``(b"content-type", value)``, best made once and for all.
        """
        self = cls.__new__(cls)
        self._body = body
        self._content_type = content_type
        self._headers = None
        self.status_code = 200
        return self

    def __repr__(self) -> str:
        length = self.body_length()
        what = "streamed" if length is None else f"{length} bytes"
        return f"<{type(self).__name__} {what} [{self.status}]>"

    # Status and headers

    @property
    def status(self) -> str:
        """Code and phrase, such as ``"404 NOT FOUND"``. It takes a code, or both."""
        code = self.status_code
        custom: tuple[int, str] | None = self.__dict__.get("_status")
        if custom is not None and custom[0] == code:
            return custom[1]
        return f"{code:d} {HTTP_STATUS_CODES.get(code, 'Unknown').upper()}"

    @status.setter
    def status(self, value: int | str | HTTPStatus) -> None:
        text = value.strip() if isinstance(value, str) else str(int(value))
        digits, _, phrase = text.partition(" ")
        if not (digits.isascii() and digits.isdigit() and len(digits) == 3 and digits >= "100"):
            raise ValueError(
                f"{value!r} is not a status: it must begin with a code from 100 to 999, as in"
                " '404 Not Found'."
            )
        self.status_code = int(digits)
        if phrase:
            validate_header("Status", phrase)
            self.__dict__["_status"] = (self.status_code, text)
        else:
            self.__dict__.pop("_status", None)

    @property
    def headers(self) -> Headers:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The header fields."""
        headers = self._headers
        return self._make_headers() if headers is None else headers

    @headers.setter
    def headers(self, value: HeadersArgument) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._headers = value if isinstance(value, Headers) else Headers(value)

    def _make_headers(self) -> Headers:
        self._headers = headers = Headers()
        # Both are known to be fit for a header, so that nothing need check them.
        fields = headers._list
        if self._content_type is not None:
            fields.append(("Content-Type", self._content_type[1].decode("latin-1")))
        body = self._body
        if body.__class__ is bytes and self.automatically_set_content_length:
            fields.append(("Content-Length", str(len(body))))
        return headers

    def _set_headers(
        self, headers: HeadersArgument, mimetype: str | None, content_type: str | None
    ) -> None:
        if not isinstance(headers, Headers):
            headers = Headers(headers)
        self._headers = headers
        self._content_type = None
        if mimetype is None and content_type is None and "content-type" not in headers:
            mimetype = self.default_mimetype
        pair = _content_type_pair(mimetype, content_type)
        if pair is not None:
            headers["Content-Type"] = pair[1].decode("latin-1")
        body = self._body
        if body.__class__ is bytes and self.automatically_set_content_length:
            headers["Content-Length"] = str(len(body))

    @property
    def content_type(self) -> str | None:
        """The media type of the body with its parameters."""
        headers = self._headers
        if headers is None:
            pair = self._content_type
            return None if pair is None else pair[1].decode("latin-1")
        return headers.get("Content-Type")

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        if self._headers is None:
            self._content_type = _content_type_pair(None, value)
        elif value is None:
            self._headers.remove("Content-Type")
        else:
            self._headers["Content-Type"] = value

    @content_type.deleter
    def content_type(self) -> None:
        self.content_type = None

    def asgi_headers(self, request: Request | None = None) -> list[Pair]:
        """The header fields as they are sent, for GET and HEAD alike.

        With the length of a body that is known, without what does not fit the status, and with
        redirects encoded.

        :param request: Needed to make ``Location`` absolute, where
            :attr:`autocorrect_location_header` asks for it.
        :raises ValueError: if a header has characters that cannot be sent.
        """
        headers = self.headers
        try:
            fields = headers.to_asgi()
        except ValueError:
            # Only redirects may go to any address that a person can write.
            for name in ("Location", "Content-Location"):
                if name in headers:
                    headers[name] = encode_location(headers[name])
            fields = headers.to_asgi()
        return self._finish_headers(fields, self.status_code, request)

    def to_asgi(self) -> tuple[list[Pair], bytes | None]:
        """What is sent: :meth:`asgi_headers` and :meth:`complete_body`, in one step."""
        body = self._body
        if (
            self._headers is None
            and body.__class__ is bytes
            and self.status_code not in WITHOUT_BODY
        ):
            length = len(body)
            pair = LENGTHS[length] if length < 1024 else (b"content-length", b"%d" % length)
            content_type = self._content_type
            return ([pair] if content_type is None else [content_type, pair]), body
        return self.asgi_headers(), self.complete_body()

    def _finish_headers(
        self, fields: list[Pair], status: int, request: Request | None
    ) -> list[Pair]:
        announced = None
        for index, (name, value) in enumerate(fields):
            if name == b"content-length":
                announced = value
            elif name in (b"location", b"content-location"):
                fields[index] = name, self._location(name, value, request)
        if status in WITHOUT_BODY:
            drop = _OF_THE_CONTENT if status == 304 else _OF_THE_BODY
            fields = [field for field in fields if field[0] not in drop]
            if status == 205:
                fields.append((b"content-length", b"0"))
            return fields
        length = self.body_length()
        if length is None or (length == 0 and announced is not None):
            # A stream's length is what its maker says; an empty body with a length answers HEAD.
            return fields
        if announced is None:
            if self.automatically_set_content_length:
                fields.append((b"content-length", b"%d" % length))
        elif announced != b"%d" % length:
            fields = [field for field in fields if field[0] != b"content-length"]
            fields.append((b"content-length", b"%d" % length))
        return fields

    def _location(self, name: bytes, value: bytes, request: Request | None) -> bytes:
        location = encode_location(value.decode("latin-1"))
        if name == b"location" and self.autocorrect_location_header and request is not None:
            location = urljoin(encode_location(request.base_url), location)
        return location.encode("latin-1")

    @classmethod
    def force_type(cls, response: Response, environ: Any = None) -> Self:
        """Make a response one of this class, in place.

        :param environ: Without a meaning; Werkzeug has it for WSGI applications.
        :raises TypeError: if it is no response.
        """
        if not isinstance(response, Response):
            raise TypeError(
                f"A {cls.__name__} can be made of another response, not of"
                f" {type(response).__name__!r}."
            )
        response.__class__ = cls
        return response  # type: ignore[return-value]

    # Conditional requests

    def make_conditional(
        self,
        request_or_environ: Request,
        accept_ranges: bool | str = False,
        complete_length: int | None = None,
    ) -> Self:
        """Send less, if the client has the content already or wants a part of it.

        Set :attr:`last_modified` or an entity tag first (:meth:`add_etag`). Only successful
        answers to GET and HEAD change, to 304, 412 or 206.

        :param request_or_environ: The request; there is no environ.
        :param accept_ranges: Answer range requests; ``True``, or the name of the unit.
        :param complete_length: The length of a streamed body, which range requests need.
        :return: The same response.
        :raises RequestedRangeNotSatisfiable: if the client wants what is not there.
        :source: RFC 9110, sections 13 and 14. Flask: the same, but one range at a time.
        """
        apply_conditions(self, request_or_environ, accept_ranges, complete_length)
        return self

    # JSON

    @property
    def json(self) -> Any:
        """The body's JSON; :meth:`get_json` without arguments."""
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Parse the body as JSON, for tests above all.

        :param force: Whatever the Content-Type says.
        :param silent: ``None`` instead of an error.
        :return: ``None`` if the Content-Type is not that of JSON.
        :raises ValueError: if the body is not JSON.
        """
        if not force and not self.is_json:
            return None
        data = self.get_data()
        try:
            return self.json_module.loads(data)
        except ValueError:
            if not silent:
                raise
            return None


HTTPException.response_class = Response
