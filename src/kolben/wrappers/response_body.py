"""The body of a response: whole, streamed or a file, and what ends with it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from typing import Any, Literal, Self, TypeVar, overload

from ..http.datastructures import Headers
from ..http.etags import generate_etag
from ..local import lazy
from .body import FileBody, collect, iter_encoded
from .response_fields import ResponseFields

F = TypeVar("F", bound=Callable[[], Any])

# RFC 9110, sections 15.2, 15.3.5, 15.3.6, 15.4.5: statuses whose responses have no content.
WITHOUT_BODY = frozenset((*range(100, 200), 204, 205, 304))


class ResponseBody(ResponseFields):
    """The part of a response that depends on its body."""

    __slots__ = ("__dict__", "__weakref__", "_body", "_headers", "status_code")

    #: Let ``Content-Length`` follow the body where that is known.
    automatically_set_content_length = True
    #: Let :meth:`get_data` and others read a streamed body into memory.
    implicit_sequence_conversion = True
    #: The body must not be read into memory by accident.
    direct_passthrough: bool = False

    #: The status code. Its phrase is in :attr:`~.Response.status`.
    status_code: int
    _body: Any
    _headers: Headers | None
    _on_close: list[Callable[[], Any]] | None = None

    def complete_body(self) -> bytes | None:
        """The whole body as it is sent, ``b""`` for statuses that have none; ``None`` if it is
        streamed or a file.
        """
        if self.status_code in WITHOUT_BODY:
            return b""
        body = self._body
        if body.__class__ is bytes:
            return body
        return b"".join(iter_encoded(body)) if isinstance(body, (list, tuple)) else None

    def body_length(self) -> int | None:
        """The length of the body in bytes; ``None`` if it is streamed."""
        body = self._body
        if isinstance(body, bytes):
            return len(body)
        if isinstance(body, FileBody):
            return body.length
        return sum(map(len, iter_encoded(body))) if isinstance(body, (list, tuple)) else None

    def raw_body(self) -> Any:
        """The body as it is kept: bytes if it is complete, else a :class:`.FileBody` or an
        iterable or async iterable.
        """
        body = self._body
        return b"".join(iter_encoded(body)) if isinstance(body, (list, tuple)) else body

    def wrap_body(self, body: Any) -> None:
        """Put an iterable around the body. What it had to close is closed with the response."""
        close = getattr(self._body, "close", None)
        if close is not None:
            self.call_on_close(close)
        self._body = body

    def replace_body(self, body: bytes) -> None:
        """Drop the body for another one; its length follows."""
        self.wrap_body(body)
        self.headers.remove("Content-Length")
        if self.automatically_set_content_length:
            self.headers["Content-Length"] = str(len(body))

    def append_data(self, value: str | bytes) -> None:
        """Add to a body, which is read into memory first if it is streamed."""
        self._ensure_sequence()
        self._body = b"".join(iter_encoded([*self.response, value]))
        self.headers.remove("Content-Length")

    @property
    def response(self) -> Any:
        """The body as an iterable: a list or tuple if it is complete."""
        body = self._body
        if body.__class__ is bytes:
            # Whoever changes this list shall change the response.
            self._body = body = [body]
        return body

    @response.setter
    def response(self, value: Any) -> None:
        if isinstance(value, str):
            value = value.encode()
        self._body = value
        if self._headers is not None:
            self._headers.remove("Content-Length")

    @overload
    def get_data(self, as_text: Literal[False] = False) -> bytes: ...
    @overload
    def get_data(self, as_text: Literal[True]) -> str: ...
    @overload
    def get_data(self, as_text: bool) -> bytes | str: ...
    def get_data(self, as_text: bool = False) -> bytes | str:
        """The whole body; a streamed one is read into memory.

        :param as_text: Decode it as UTF-8.
        :raises RuntimeError: if :attr:`direct_passthrough` or
            :attr:`implicit_sequence_conversion` forbid reading, or if an async iterable has to
            be waited for on an event loop.
        """
        body = self._body
        if body.__class__ is not bytes:
            self._ensure_sequence()
            body = b"".join(self.iter_encoded())
        return body.decode() if as_text else body

    def set_data(self, value: bytes | str) -> None:
        """Replace the body."""
        self._body = value.encode() if isinstance(value, str) else bytes(value)
        if self._headers is not None and self.automatically_set_content_length:
            self._headers["Content-Length"] = str(len(self._body))

    @property
    def data(self) -> bytes:
        """The whole body: :meth:`get_data` and :meth:`set_data` as an attribute."""
        return self.get_data()

    @data.setter
    def data(self, value: bytes | str) -> None:
        self.set_data(value)

    def calculate_content_length(self) -> int | None:
        """The length of the body; a streamed one is read into memory, where that is allowed."""
        try:
            self._ensure_sequence()
        except RuntimeError:
            return None
        return self.body_length()

    def _ensure_sequence(self) -> None:
        if self.is_sequence:
            return
        if self.direct_passthrough:
            raise RuntimeError(
                "The body would have to be read into memory, but the response is in direct"
                " passthrough mode. Set 'response.direct_passthrough = False' first."
            )
        if not self.implicit_sequence_conversion:
            raise RuntimeError(
                "The body would have to be read into memory, which"
                " 'implicit_sequence_conversion = False' forbids. Call make_sequence() first."
            )
        self.make_sequence()

    def make_sequence(self) -> None:
        """Read a streamed body into memory."""
        if not self.is_sequence:
            self.wrap_body(list(self.iter_encoded()))

    async def load(self) -> None:
        """Read an async body into memory, so that :meth:`get_data` and others work on an event
        loop; other bodies stay as they are.
        """
        if isinstance(self._body, AsyncIterable):
            self.wrap_body(await collect(self._body))

    def iter_encoded(self) -> Iterator[bytes]:
        """Iterate over the body, text encoded as UTF-8."""
        body = self._body
        return iter_encoded([body] if isinstance(body, bytes) else body)

    @property
    def is_streamed(self) -> bool:
        """Whether nobody knows how many pieces the body has."""
        return not hasattr(self._body, "__len__")

    @property
    def is_sequence(self) -> bool:
        """Whether the body is complete in memory."""
        return isinstance(self._body, (bytes, list, tuple))

    @lazy
    def stream(self) -> ResponseStream:
        """The body as a file that can be written to."""
        return ResponseStream(self)

    def freeze(self) -> None:
        """Read the body into memory whatever forbids it, and set its length and entity tag, so
        that the response can be pickled.
        """
        self.wrap_body(list(self.iter_encoded()))
        self.headers["Content-Length"] = str(self.body_length())
        self.__dict__.pop("_on_close", None)
        self.add_etag()

    def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Set an entity tag made of the body, unless there is one."""
        if overwrite or "etag" not in self.headers:
            self.set_etag(generate_etag(self.get_data()), weak)

    # The end

    def call_on_close(self, func: F) -> F:
        """Call a function, without arguments, when the response has been sent or given up.

        :return: The function, so that this may be used as a decorator.
        """
        if self._on_close is None:
            self._on_close = []
        self._on_close.append(func)
        return func

    def must_be_closed(self) -> bool:
        """Whether :meth:`close` has anything to do."""
        body = self._body
        return self._on_close is not None or (
            body.__class__ is not bytes and hasattr(body, "close")
        )

    def close(self) -> None:
        """Close the body and call what :meth:`call_on_close` was given; all of it, even if
        something fails.

        An async generator is not closed here: that has to be awaited.

        :raises Exception: the first error of those functions.
        """
        error: BaseException | None = None
        functions, self._on_close = self._on_close or [], None
        close = getattr(self._body, "close", None)
        for func in functions if close is None else [close, *functions]:
            try:
                func()
            except Exception as exc:
                error = error or exc
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class ResponseStream:
    """A response's body as a file that can be written to."""

    mode = "wb+"
    encoding = "utf-8"

    def __init__(self, response: ResponseBody) -> None:
        self.response = response
        self.closed = False

    def _check(self) -> None:
        if self.closed:
            raise ValueError("The response's stream is closed, nothing can be written to it.")

    def write(self, value: str | bytes) -> int:
        """Append to the body."""
        self._check()
        self.response.append_data(value)
        return len(value)

    def writelines(self, seq: Iterable[str | bytes]) -> None:
        """Append several pieces to the body."""
        for item in seq:
            self.write(item)

    def tell(self) -> int:
        """The length of the body so far."""
        return len(self.response.get_data())

    def close(self) -> None:
        """Refuse further writing."""
        self.closed = True

    def flush(self) -> None:
        """Nothing; there is no buffer."""
        self._check()

    def isatty(self) -> bool:
        """False."""
        self._check()
        return False
