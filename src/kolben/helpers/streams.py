"""Streamed bodies that keep their request."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar, overload

from ..context import Context, current

T = TypeVar("T")


class _Stream(Iterator[T]):
    """An iterator whose every step runs with one request's context.

    The context is set for the length of a step only, so that whoever iterates (a worker
    thread, a test) never keeps it, and its teardown is left to the request.
    """

    __slots__ = ("_closed", "_ctx", "_source")

    def __init__(self, source: Iterator[T], ctx: Context) -> None:
        self._source = source
        self._ctx = ctx
        self._closed = False

    def __next__(self) -> T:
        if self._closed:
            raise StopIteration
        token = current.set(self._ctx)
        try:
            return next(self._source)
        finally:
            current.reset(token)

    def close(self) -> None:
        """Close the source, once, with the context set."""
        if self._closed:
            return
        self._closed = True
        ctx = self._ctx
        del self._ctx  # which leads to the response, and that to here
        close = getattr(self._source, "close", None)
        if close is not None:
            token = current.set(ctx)
            try:
                close()
            finally:
                current.reset(token)


class _AsyncStream(AsyncIterator[T]):
    """The same for an asynchronous iterator."""

    __slots__ = ("_closed", "_ctx", "_source")

    def __init__(self, source: AsyncIterator[T], ctx: Context) -> None:
        self._source = source
        self._ctx = ctx
        self._closed = False

    async def __anext__(self) -> T:
        if self._closed:
            raise StopAsyncIteration
        token = current.set(self._ctx)
        try:
            return await self._source.__anext__()
        finally:
            current.reset(token)

    async def aclose(self) -> None:
        """Close the source, once, with the context set."""
        if self._closed:
            return
        self._closed = True
        ctx = self._ctx
        del self._ctx  # which leads to the response, and that to here
        aclose = getattr(self._source, "aclose", None)
        if aclose is not None:
            token = current.set(ctx)
            try:
                await aclose()
            finally:
                current.reset(token)


@overload
def stream_with_context(generator_or_function: Iterator[T]) -> Iterator[T]: ...
@overload
def stream_with_context(generator_or_function: AsyncIterator[T]) -> AsyncIterator[T]: ...
@overload
def stream_with_context(
    generator_or_function: Callable[..., Iterator[T]],
) -> Callable[..., Iterator[T]]: ...
@overload
def stream_with_context(
    generator_or_function: Callable[..., AsyncIterator[T]],
) -> Callable[..., AsyncIterator[T]]: ...
def stream_with_context(generator_or_function: Any) -> Any:
    """Let a streamed body use ``request``, ``session`` and ``g`` while it is being sent.

    For a generator, plain or asynchronous, or as a decorator of a function that returns one.
    The request's teardown functions run when the body has been sent or given up.

    .. code-block:: python

        @app.get("/stream")
        def stream():
            @stream_with_context
            def generate():
                yield "Hello "
                yield request.args["name"]

            return Response(generate())

    :param generator_or_function: The generator, or the function that makes it.
    :return: An iterator of the same kind, or a function that returns one.
    :raises RuntimeError: outside a request; for a decorated function, when it is called.
    :source: Flask: the same, without asynchronous generators.
    """
    if hasattr(generator_or_function, "__aiter__") or hasattr(generator_or_function, "__iter__"):
        return _hold(generator_or_function)

    @functools.wraps(generator_or_function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return _hold(generator_or_function(*args, **kwargs))

    return wrapper


def _hold(source: Any) -> Any:
    ctx = current.get(None)
    if ctx is None or ctx.request is None:
        raise RuntimeError(
            "stream_with_context keeps the current request for a streamed body, but no request"
            " is active. Call it in a view or, in a test, inside"
            " 'with app.test_request_context():'."
        )
    ctx.held = True
    if hasattr(source, "__aiter__"):
        return _AsyncStream(source.__aiter__(), ctx)
    return _Stream(iter(source), ctx)
