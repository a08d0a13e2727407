"""Types for user code: what a view may return, what hooks look like.

:source: Flask's documented ``flask.typing``, without WSGI.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ._types import ASGIApp

#: What a response can be made of. A response object itself is one too.
ResponseValue: TypeAlias = (
    str
    | bytes
    | Mapping[str, Any]
    | Sequence[Any]
    | Iterable[str]
    | Iterable[bytes]
    | AsyncIterable[str]
    | AsyncIterable[bytes]
    | ASGIApp
    | Any
)
HeaderValue: TypeAlias = str | Sequence[str]
HeadersValue: TypeAlias = Mapping[str, HeaderValue] | Sequence[tuple[str, HeaderValue]]
StatusCode: TypeAlias = int
#: What a view may return.
ResponseReturnValue: TypeAlias = (
    ResponseValue
    | tuple[ResponseValue, HeadersValue]
    | tuple[ResponseValue, StatusCode]
    | tuple[ResponseValue, StatusCode, HeadersValue]
)

RouteCallable: TypeAlias = Callable[..., Any]
BeforeRequestCallable: TypeAlias = Callable[[], Any] | Callable[[], Awaitable[Any]]
AfterRequestCallable: TypeAlias = Callable[[Any], Any] | Callable[[Any], Awaitable[Any]]
TeardownCallable: TypeAlias = (
    Callable[[BaseException | None], None] | Callable[[BaseException | None], Awaitable[None]]
)
ErrorHandlerCallable: TypeAlias = Callable[[Any], Any] | Callable[[Any], Awaitable[Any]]
TemplateContextProcessorCallable: TypeAlias = (
    Callable[[], dict[str, Any]] | Callable[[], Awaitable[dict[str, Any]]]
)
TemplateFilterCallable: TypeAlias = Callable[..., Any]
TemplateGlobalCallable: TypeAlias = Callable[..., Any]
TemplateTestCallable: TypeAlias = Callable[..., bool] | Callable[..., Awaitable[bool]]
URLDefaultCallable: TypeAlias = Callable[[str, dict[str, Any]], Any]
URLValuePreprocessorCallable: TypeAlias = Callable[[str | None, dict[str, Any] | None], Any]
