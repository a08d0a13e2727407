"""The body of a request: loading it under its limits, and its forms, files and bytes."""

from __future__ import annotations

from typing import Any, Literal, Self, overload

from ..exceptions import (
    BadRequest,
    ClientDisconnected,
    HTTPException,
    LengthRequired,
    RequestEntityTooLarge,
)
from ..http.datastructures import FileStorage, ImmutableMultiDict, MultiDict
from ..local import drive, lazy, running_backend, thread
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
    ENDLESS,
    INVALID,
    NO_BODY,
    BodyReader,
    BodyStream,
    PartialBody,
    Receive,
    announced_length,
    wait_for_body,
)
from .request_fields import RequestFields

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

LIMITS = frozenset(("max_content_length", "max_form_memory_size", "max_form_parts"))
_unset: Any = object()
_update: Any = dict.update
_new: Any = dict.__new__


class RequestBody(RequestFields):
    """The part of a request that depends on its body."""

    __slots__ = ("__dict__", "__weakref__", "_receive")

    #: What each uploaded file is made with.
    file_storage_class: type[FileStorage] = FileStorage

    _receive: Receive | None
    _body: bytes | None = None
    # What the head says of the body's length, once somebody has asked.
    _announced: int | None = None

    #: Whether errors may tell more; set from the floor that knows applications.
    _debug: Any = staticmethod(lambda: False)
    _limits: Limits = DEFAULT_LIMITS
    _max_content_length: int | None = _unset
    _max_form_memory_size: int | None = _unset
    _max_form_parts: int | None = _unset
    _reader: BodyReader | None = None
    _partial: PartialBody | None = None
    _error: HTTPException | None = None
    # The limit under which the body was too long; while it stands, asking again gives _error.
    _refused_under: int | None = None
    _keep_body: bool = False

    # Limits

    # Whether they are others than the route's: of this request, or of a subclass.
    _has_own_limits = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not LIMITS.isdisjoint(vars(cls)):
            cls._has_own_limits = True

    @property
    def max_content_length(self) -> int | None:
        """The most bytes that the body may have; ``None`` for any number.

        It may be set on a request. If the body was refused before, ``await request.load()``
        loads it under the new limit; a ``def`` view need not say so.
        """
        limit = self._max_content_length
        return self._limits.max_content_length if limit is _unset else limit

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value
        self._has_own_limits = True

    @property
    def max_form_memory_size(self) -> int | None:
        """The most bytes that all form fields but files may have; ``None`` for any number."""
        limit = self._max_form_memory_size
        return self._limits.max_form_memory_size if limit is _unset else limit

    @max_form_memory_size.setter
    def max_form_memory_size(self, value: int | None) -> None:
        self._max_form_memory_size = value
        self._has_own_limits = True

    @property
    def max_form_parts(self) -> int | None:
        """The most parts of a multipart form, or pairs of an urlencoded form or a query string;
        ``None`` for any number.
        """
        limit = self._max_form_parts
        return self._limits.max_form_parts if limit is _unset else limit

    @max_form_parts.setter
    def max_form_parts(self, value: int | None) -> None:
        self._max_form_parts = value
        self._has_own_limits = True

    def _form_limits(self) -> Limits:
        return Limits(self.max_content_length, self.max_form_memory_size, self.max_form_parts)

    # Loading

    def announces_body(self) -> bool:
        """Whether the request has a body, as far as its head can tell."""
        length = self._announced
        if length is None:
            self._announced = length = announced_length(self.scope)
        return length not in (0, NO_BODY)

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
            if message["type"] == "http.request" and not message.get("more_body"):
                body = message.get("body", b"")
                if body.__class__ is bytes and (limit is None or len(body) <= limit):
                    self._body = body
                    return
            self._reader = reader = BodyReader(receive)
            reader.hold(reader.take(message))
        await self._load_rest(reader)

    def _admit(self, limit: int | None) -> bool:
        length = self._announced
        if length is None:
            self._announced = length = announced_length(self.scope)
        if length == INVALID:
            self._error = BadRequest("The Content-Length is not a valid number.")
            return False
        if length == ENDLESS:
            self._error = LengthRequired("This server cannot read a body without Content-Length.")
            return False
        if limit is not None and length > limit:
            self._error = too_large("The request's body is")
            self._refused_under = limit
            return False
        if self._error is not None:
            self._error = None
        return True

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
                self.__dict__["form"] = self.parameter_storage_class(partial.builder.fields)
                if files := partial.builder.files(self.file_storage_class):
                    self.__dict__["files"] = self.parameter_storage_class(files)
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
                wait_for_body(self.load())
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
        :raises LengthRequired: if the body comes in chunks that a WSGI server does not decode.
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
            self.form  # noqa: B018 - parsing leaves nothing of the body
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
        body = self._body
        limits = self._form_limits() if self._has_own_limits else self._limits
        limit = limits.max_content_length
        if body is None or (limit is not None and len(body) > limit):
            body = self._loaded()
        mimetype, params = self._content_type
        fields: Any
        if mimetype == URLENCODED:
            charset = params.get("charset") if params else None
            fields = parse_urlencoded(
                body, charset, limits.max_form_memory_size, limits.max_form_parts
            )
        elif mimetype != MULTIPART or (
            not body and ("stream" in self.__dict__ or not self.announces_body())
        ):
            return self.parameter_storage_class()
        else:
            fields, files = parse_multipart(body, params, limits, self.file_storage_class)
            if files:
                self.__dict__["files"] = self.parameter_storage_class(files)
        if not self._keep_body:
            self._body = b""
        make = self.parameter_storage_class
        if make is not ImmutableMultiDict or fields.__class__ is list:
            return make(fields)
        form: Any = _new(make)  # its constructor would have to find out what it was given
        _update(form, fields)
        return form  # type: ignore[no-any-return]

    @lazy
    def files(self) -> MultiDict[str, FileStorage]:
        """The uploaded files, by the names of their fields.

        Only a form with ``enctype="multipart/form-data"`` has any. What is larger than 512 KiB is in a
        temporary file, which is gone after the request.
        """
        self.form  # noqa: B018 - parsing it finds the files
        files: MultiDict[str, FileStorage] | None = self.__dict__.get("files")
        if files is not None:
            return files
        if self._debug() and self.mimetype != MULTIPART:
            return explaining_files(self.mimetype, self.form)
        return self.parameter_storage_class()

    def has_files(self) -> bool:
        """Whether :meth:`close` has anything to do."""
        return self._partial is not None or "files" in self.__dict__

    def close(self) -> None:
        """Close the uploaded files. The gateway does it when the response is sent."""
        if self._partial is not None:
            self._partial.close()
        files = self.__dict__.get("files")
        if files:
            for _, values in files.lists():
                for value in values:
                    value.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
