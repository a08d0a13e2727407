"""One HTTP request."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Literal, overload

from .. import json as json_functions
from ..exceptions import (
    BadRequest,
    ClientDisconnected,
    HTTPException,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from ..http.datastructures import CombinedMultiDict, FileStorage, ImmutableMultiDict, MultiDict
from ..http.urls import TooManyPairs, parse_query, query_args
from ..local import drive, lazy, running_backend, thread, wait
from .forms import (
    DEFAULT_LIMITS,
    SPOOL_SIZE,
    FormBuilder,
    Limits,
    explaining_files,
    in_file_lane,
    parse_multipart,
    parse_urlencoded,
    too_large,
)
from .inbound import (
    INVALID,
    NO_BODY,
    BodyReader,
    BodyStream,
    PartialBody,
    Receive,
    announced_length,
)
from .request_fields import RequestFields

if TYPE_CHECKING:
    from ..routing import Rule

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

_unset: Any = object()


class Request(RequestFields):
    """What a client asked for.

    Everything is a plain attribute in ``def`` and ``async def`` views alike, for the body is
    loaded before the first hook; what is wrong with it is raised where it is first asked for.
    Nothing is parsed before that. Subclass it to change what the class attributes say, and
    assign the subclass to ``app.request_class``.

    >>> request = Request({"method": "GET", "path": "/", "headers": [], "query_string": b"n=3"})
    >>> request.args.get("n", type=int)
    3

    :param scope: The ASGI scope.
    :param receive: The ASGI callable that the body comes from; ``None``: there is no body.
    :source: Flask and Werkzeug: the same names and meanings, without the WSGI environ.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_body",
        "_receive",
        "method",
        "path",
        "routing_exception",
        "scope",
        "url_rule",
        "view_args",
    )

    #: The method, such as ``GET``.
    method: str
    #: The path below :attr:`root_path`, decoded, with one slash at its start.
    path: str
    #: The rule that matched; ``None`` if none did, or before matching.
    url_rule: Rule | None
    #: The values that the rule found in the path.
    view_args: dict[str, Any] | None
    #: What the matching raised, if it did.
    routing_exception: HTTPException | None
    _body: bytes | None

    #: Has ``loads(text)`` for :meth:`get_json`.
    json_module: Any = json_functions
    #: What each uploaded file is made with.
    file_storage_class: type[FileStorage] = FileStorage

    _debug: bool = False
    _limits: Limits = DEFAULT_LIMITS
    _reader: BodyReader | None = None
    _partial: PartialBody | None = None
    _error: HTTPException | None = None
    # The limit under which the body was too long; while it stands, asking again gives _error.
    _refused_under: int | None = None
    _keep_body: bool = False
    # For (silent=False, silent=True).
    _parsed_json: tuple[Any, Any] = (_unset, _unset)

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive | None = None) -> None:
        self.scope = scope
        self._receive = receive
        self.method = scope["method"]
        path = scope["path"]
        if scope.get("root_path") or path[:1] != "/" or path[1:2] == "/":
            path = _path_below(scope.get("root_path") or "", path)
        self.path = path
        self.url_rule = self.view_args = self.routing_exception = self._body = None

    def __repr__(self) -> str:
        try:
            url = repr(self.url)
        except HTTPException as error:
            url = f"(invalid URL: {error.description})"
        return f"<{type(self).__name__} {url} [{self.method}]>"

    # What matched

    @property
    def endpoint(self) -> str | None:
        """The endpoint of the rule that matched."""
        return None if self.url_rule is None else self.url_rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The name, with those of its parents, of the blueprint that the endpoint is on."""
        return (self.endpoint or "").rpartition(".")[0] or None

    @property
    def blueprints(self) -> list[str]:
        """:attr:`blueprint` and its parents, innermost first."""
        names = []
        name = self.blueprint or ""
        while name:
            names.append(name)
            name = name.rpartition(".")[0]
        return names

    # Query string

    @lazy
    def args(self) -> MultiDict[str, str]:
        """The parameters in the URL's query string.

        :raises RequestEntityTooLarge: a 413, if there are more than :attr:`max_form_parts`.
        """
        query = self.scope.get("query_string") or b""
        make = self.parameter_storage_class
        try:
            if make is ImmutableMultiDict:
                args: MultiDict[str, str] = query_args(query, self.max_form_parts)
                return args
            return make(parse_query(query, self.max_form_parts))
        except TooManyPairs:
            raise RequestEntityTooLarge(
                "The URL has more parameters than the server accepts."
            ) from None

    @lazy
    def values(self) -> CombinedMultiDict[str, str]:
        """:attr:`args` and, unless the method is GET, :attr:`form` together."""
        sources = [self.args]
        if self.method != "GET":
            sources.append(self.form)
        return CombinedMultiDict(sources)

    # Limits

    @property
    def max_content_length(self) -> int | None:
        """The most bytes that the body may have; ``None`` for any number.

        It may be set on a request. If the body was refused before, ``await request.load()``
        loads it under the new limit; a ``def`` view need not say so.
        """
        return self.__dict__.get("_max_content_length", self._limits.max_content_length)

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self.__dict__["_max_content_length"] = value

    @property
    def max_form_memory_size(self) -> int | None:
        """The most bytes that all form fields but files may have; ``None`` for any number."""
        return self.__dict__.get("_max_form_memory_size", self._limits.max_form_memory_size)

    @max_form_memory_size.setter
    def max_form_memory_size(self, value: int | None) -> None:
        self.__dict__["_max_form_memory_size"] = value

    @property
    def max_form_parts(self) -> int | None:
        """The most parts of a multipart form, or pairs of an urlencoded form or a query string;
        ``None`` for any number.
        """
        return self.__dict__.get("_max_form_parts", self._limits.max_form_parts)

    @max_form_parts.setter
    def max_form_parts(self, value: int | None) -> None:
        self.__dict__["_max_form_parts"] = value

    def _form_limits(self) -> Limits:
        return Limits(self.max_content_length, self.max_form_memory_size, self.max_form_parts)

    # Loading

    def announces_body(self) -> bool:
        """Whether the request has a body, as far as its head can tell."""
        return announced_length(self.scope) not in (0, NO_BODY)

    def set_body(self, body: bytes) -> None:
        """Give the request its body, as if it had been loaded."""
        self._body = body

    async def load(self) -> None:
        """Receive the body, under the limits of this request.

        The gateway does it before the first hook, unless the route says ``stream=True``. What
        is wrong with the body is not raised here, but where the body is asked for. Loading a
        second time does nothing, or, if :attr:`max_content_length` was raised since, goes on.

        :raises ClientDisconnected: if the client went away before the body was complete.
        """
        if self._body is not None or (self._error is not None and not self._may_retry()):
            return
        receive = self._receive
        if receive is None:
            self._body = b""
            return
        limit = self.max_content_length
        if not self._admit(limit):
            return
        reader = self._reader
        if reader is None:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                body = message.get("body", b"")
                if body.__class__ is bytes and (limit is None or len(body) <= limit):
                    self._body = body
                    return
            self._reader = reader = BodyReader(receive)
            reader.hold(reader.take(message))
        await self._load_rest(reader)

    def _admit(self, limit: int | None) -> bool:
        length = announced_length(self.scope)
        self._error = None
        if length == INVALID:
            self._error = BadRequest("The Content-Length is not a valid number.")
        elif limit is not None and length > limit:
            self._error = too_large("The request's body is")
            self._refused_under = limit
        return self._error is None

    def _may_retry(self) -> bool:
        refused, limit = self._refused_under, self.max_content_length
        return refused is not None and (limit is None or limit > refused)

    async def _load_rest(self, reader: BodyReader) -> None:
        partial = self._partial
        if partial is None:
            self._partial = partial = PartialBody()
        self._refused_under = None
        stream: BodyStream | None = self.__dict__.get("stream")
        if stream is not None and (rest := stream.give_back()):
            reader.hold(rest)
        try:
            while data := await reader.next(self.max_content_length):
                partial.size += len(data)
                if partial.builder is None:
                    partial.chunks.append(data)
                    if partial.size <= SPOOL_SIZE or self.mimetype != MULTIPART:
                        continue
                    partial.builder = FormBuilder(
                        self.mimetype_params.get("boundary", ""), self._form_limits()
                    )
                    data = b"".join(partial.chunks)
                    partial.chunks.clear()
                if partial.builder.feed(data):
                    await in_file_lane(partial.builder.write_out)
            if partial.builder is not None:
                if partial.builder.finish():
                    await in_file_lane(partial.builder.write_out)
                self._store_form(
                    partial.builder.fields, partial.builder.files(self.file_storage_class)
                )
        except ClientDisconnected:
            partial.close()
            raise
        except HTTPException as error:
            self._error = error
            if isinstance(error, RequestEntityTooLarge) and reader.holds_back:
                self._refused_under = self.max_content_length
            else:
                partial.close()
            return
        except BaseException:
            partial.close()
            raise
        self._body = b"".join(partial.chunks)
        self._partial = None

    def _loaded(self) -> bytes:
        """The whole body, or the error that it deserves."""
        body = self._body
        if body is None:
            return self._load_late()
        limit = self.max_content_length
        if limit is not None and len(body) > limit:
            raise too_large("The request's body is")
        return body

    def _load_late(self) -> bytes:
        if self._error is None or self._may_retry():
            if self._receive is None or not self.announces_body():
                self._body = b""
                return b""
            if self._reader is not None and self._reader.ended and not self._reader.holds_back:
                drive(self.load())
            elif thread.portal is None and running_backend() is not None:
                raise RuntimeError(self._not_loaded())
            else:
                wait(self.load())
            if self._body is not None:
                return self._body
        assert self._error is not None
        raise self._error.with_traceback(None)

    def _not_loaded(self) -> str:
        if self._error is not None:
            return (
                "The body of this request was longer than max_content_length was, so that it was"
                " not loaded. After raising the limit, 'await request.load()' before asking for"
                " the body."
            )
        return (
            "The body of this request is not loaded, because its route has 'stream=True'. Iterate"
            " over it with 'async for chunk in request.stream', or 'await request.load()' first,"
            " or remove 'stream=True' from the route."
        )

    # The body

    @lazy
    def stream(self) -> BodyStream:
        """The body as it arrives, on a route with ``stream=True``; elsewhere from memory.

        It can be read once. Pieces that were read are not in :attr:`data` any more.

        :raises BadRequest: if the Content-Length is invalid.
        :raises RequestEntityTooLarge: if the body is announced as longer than
            :attr:`max_content_length`.
        """
        if self._body is not None or self._error is not None:
            return BodyStream(self, self._loaded(), None)
        if self._receive is None or not self.announces_body():
            return BodyStream(self, b"", None)
        if not self._admit(self.max_content_length):
            assert self._error is not None
            raise self._error
        if self._reader is None:
            self._reader = BodyReader(self._receive)
        return BodyStream(self, None, self._reader)

    @property
    def data(self) -> bytes:
        """The body as bytes; empty if it is a form, which :attr:`form` and :attr:`files` have."""
        return self.get_data(parse_form_data=True)

    @overload
    def get_data(
        self, cache: bool = True, as_text: Literal[False] = False, parse_form_data: bool = False
    ) -> bytes: ...
    @overload
    def get_data(
        self, cache: bool = True, *, as_text: Literal[True], parse_form_data: bool = False
    ) -> str: ...
    @overload
    def get_data(
        self, cache: bool, as_text: Literal[True], parse_form_data: bool = False
    ) -> str: ...
    @overload
    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> bytes | str: ...
    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> bytes | str:
        """The body, whatever it is.

        After :attr:`form` or :attr:`files` have been asked for, a form's body is gone and this
        is empty; asked for first, it is there for both.

        :param cache: ``False`` forgets the body.
        :param as_text: Decode as UTF-8; what is not valid becomes ``U+FFFD``.
        :param parse_form_data: Parse a form first, so that its body is not given.
        :raises RuntimeError: in an ``async def`` view on a ``stream=True`` route; the message
            says what to do instead.
        """
        if parse_form_data and not self._keep_body:
            self._parse_form()
        body = self._loaded()
        if cache:
            self._keep_body = True
        elif not self._keep_body:
            self._body = b""
        return body.decode("utf-8", "replace") if as_text else body

    @lazy
    def form(self) -> MultiDict[str, str]:
        """The form's fields, without files.

        :raises BadRequest: if the form is malformed.
        :raises RequestEntityTooLarge: if it exceeds a limit.
        """
        self._parse_form()
        fields: MultiDict[str, str] = self.__dict__["form"]
        return fields

    @lazy
    def files(self) -> MultiDict[str, FileStorage]:
        """The uploaded files, by the names of their fields.

        Only a form with ``enctype="multipart/form-data"`` has any. What is larger than 512 KiB is in a
        temporary file, which is gone after the request.
        """
        self._parse_form()
        files: MultiDict[str, FileStorage] = self.__dict__["files"]
        return files

    def _parse_form(self) -> None:
        if "form" in self.__dict__:
            return
        body = self._loaded()
        mimetype = self.mimetype
        if mimetype == URLENCODED:
            charset = self.mimetype_params.get("charset")
            self._store_form(parse_urlencoded(body, charset, self._form_limits()), [])
        elif mimetype == MULTIPART:
            if not body and ("stream" in self.__dict__ or not self.announces_body()):
                self._store_form([], [])
                return
            self._store_form(
                *parse_multipart(
                    body, self.mimetype_params, self._form_limits(), self.file_storage_class
                )
            )
        else:
            self._store_form([], [])
            return
        if not self._keep_body:
            self._body = b""

    def _store_form(
        self, fields: list[tuple[str, str]], files: list[tuple[str, FileStorage]]
    ) -> None:
        store = self.__dict__
        store["form"] = self.parameter_storage_class(fields)
        if self._debug and not files and self.mimetype != MULTIPART:
            store["files"] = explaining_files(self.mimetype, store["form"])
        else:
            store["files"] = self.parameter_storage_class(files)

    def close(self) -> None:
        """Close the uploaded files. The gateway does it when the response is sent."""
        if self._partial is not None:
            self._partial.close()
        files = self.__dict__.get("files")
        if files:
            for _, values in files.lists():
                for value in values:
                    value.close()

    def __enter__(self) -> Request:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # JSON

    @property
    def json(self) -> Any:
        """The body's JSON; :meth:`get_json` without arguments.

        :raises UnsupportedMediaType: a 415, if the body is not said to be JSON.
        """
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Parse the body as JSON, which is UTF-8.

        :param force: Whatever the Content-Type says.
        :param silent: ``None`` instead of an error.
        :param cache: Keep the result for the next call.
        :return: What :meth:`on_json_loading_failed` returns, if that returns.
        :raises BadRequest: if the body is not valid JSON.
        :raises UnsupportedMediaType: a 415, if the Content-Type is not that of JSON.
        :source: RFC 8259. Flask: the same, but it takes NaN and UTF-16 too.
        """
        if cache and (found := self._parsed_json[silent]) is not _unset:
            return found
        if not force and not self.is_json:
            return None if silent else self.on_json_loading_failed(None)
        body = self._loaded()
        self._keep_body = True
        try:
            value = self.json_module.loads(body.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            if silent:
                value = None
            else:
                if not isinstance(error, ValueError):
                    error = ValueError("The JSON is nested too deeply.")
                value = self.on_json_loading_failed(error)
            if cache:
                first, second = self._parsed_json
                self._parsed_json = (first, None) if silent else (value, second)
        else:
            if cache:
                self._parsed_json = (value, value)
        return value

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Called by :meth:`get_json` for a body that is not JSON.

        Override it to return something else in its place.

        :param e: What is wrong with the body; ``None`` if its Content-Type is not JSON's.
        """
        if e is None:
            raise UnsupportedMediaType(
                "The request's body was not read as JSON, because its Content-Type is not"
                " 'application/json'."
            )
        if self._debug:
            raise BadRequest(f"Failed to decode JSON object: {e}") from e
        raise BadRequest() from e


def _path_below(root_path: str, path: str) -> str:
    """The path without the prefix that the application is mounted under.

    Servers differ in whether they leave the prefix in the path, as ASGI wants it.
    """
    root = root_path.rstrip("/")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        path = path[len(root) :]
    return "/" + path.lstrip("/")
