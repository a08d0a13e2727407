"""Responses as a test sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, overload

from ..local import lazy
from ..wrappers import Request, Response
from .exchange import TaskExchange, ThreadExchange


class ChunkIterator:
    """A body that is read while the application sends it, by a thread without an event loop.

    Freed before its end, it hangs up.
    """

    def __init__(self, exchange: ThreadExchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._exchange.next_chunk()
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Hang up, and wait until the application has noticed."""
        self._exchange.close()

    def __del__(self) -> None:
        self._exchange.abandon()


class AsyncChunkIterator:
    """A body that is read while the application sends it, by a task of the same event loop.

    Freed before its end, it hangs up.
    """

    def __init__(self, exchange: TaskExchange) -> None:
        self._exchange = exchange

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._exchange.next_chunk()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Hang up, and wait until the application has noticed."""
        await self._exchange.close()

    def close(self) -> None:
        """Hang up without waiting."""
        self._exchange.abandon()

    def __del__(self) -> None:
        self._exchange.abandon()


class TestResponse(Response):
    """The response to a request of a test client.

    All of :class:`Response`, and what belongs to a test. Where the application streams its
    body and the request was not ``buffered``, the parts are fetched one by one while they are
    read: :attr:`data`, :attr:`text` and :attr:`json` read all of them. In asynchronous code,
    where an attribute cannot wait, iterate :meth:`iter_chunks` with ``async for``, or
    ``await response.load()`` first.

    :source: Werkzeug's documented ``TestResponse``.
    """

    __test__ = False  # for pytest, which would take the name for a collection of tests

    default_mimetype = None

    request: Request
    """The request that this is the response to."""
    history: tuple[TestResponse, ...]
    """The responses that redirected here, oldest first."""

    def __init__(
        self,
        response: Iterable[bytes] | AsyncIterator[bytes],
        status: int | str,
        headers: Any,
        request: Request,
        history: tuple[TestResponse, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(response, status, headers, **kwargs)
        self.request = request
        self.history = history
        self._chunks = (
            response if isinstance(response, (ChunkIterator, AsyncChunkIterator)) else None
        )

    def __await__(self) -> Generator[Any, None, TestResponse]:
        """Give the response itself: what a client's methods return may be awaited or not."""
        return self
        yield

    @lazy
    def text(self) -> str:
        """The body as text."""
        return self.get_data(as_text=True)

    @property
    def is_streamed(self) -> bool:
        """Whether the body has not been read to its end."""
        return self._chunks is not None

    def iter_chunks(self) -> Any:
        """The parts of the body as the application sends them.

        :return: An iterator of bytes. In asynchronous code, an async iterator.
        """
        return iter([self.get_data()]) if self._chunks is None else self._chunks

    @overload
    def get_data(self, as_text: Literal[False] = False) -> bytes: ...
    @overload
    def get_data(self, as_text: Literal[True]) -> str: ...
    @overload
    def get_data(self, as_text: bool) -> bytes | str: ...
    def get_data(self, as_text: bool = False) -> bytes | str:
        """The whole body.

        :param as_text: Decode it as UTF-8.
        :raises RuntimeError: in asynchronous code, while the body has not been read.
        """
        chunks = self._chunks
        if isinstance(chunks, AsyncChunkIterator):
            raise RuntimeError(
                "This response is still being streamed, and reading the rest of it has to wait."
                " Write 'await response.load()' first, iterate 'async for chunk in"
                " response.iter_chunks()', or pass 'buffered=True' with the request."
            )
        if chunks is not None:
            self._keep(list(chunks))
        return super().get_data(as_text)

    async def load(self) -> None:
        """Read a streamed body to its end, so that :attr:`data` has it."""
        if isinstance(self._chunks, AsyncChunkIterator):
            self._keep([chunk async for chunk in self._chunks])
        else:
            self.get_data()

    def _keep(self, chunks: list[bytes]) -> None:
        # Not through `response`, which takes the length that came with the body away.
        self._body = b"".join(chunks)
        self._chunks = None

    def close(self) -> None:
        """Hang up if the body has not been read to its end; the application notices.

        In asynchronous code it does so a little later; see :meth:`aclose`.
        """
        chunks, self._chunks = self._chunks, None
        if chunks is not None:
            chunks.close()
        super().close()

    async def aclose(self) -> None:
        """Hang up, and wait until the application has noticed."""
        if isinstance(self._chunks, AsyncChunkIterator):
            chunks, self._chunks = self._chunks, None
            await chunks.aclose()
        self.close()

    async def __aenter__(self) -> TestResponse:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.aclose()


class Pending:
    """What a client's method returns where an event loop runs: a response to be awaited.

    Anything but awaiting it is an error that says so.
    """

    def __init__(self, call: str, send: Any) -> None:
        self._call = call
        self._send = send
        self._told = False

    def __await__(self) -> Generator[Any, None, TestResponse]:
        self._told = True
        response: TestResponse = yield from self._send().__await__()
        return response

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self._complain(f"has no {name!r} before it is awaited")

    def __getitem__(self, key: object) -> Any:
        raise self._complain("is not a response before it is awaited")

    def __enter__(self) -> Any:
        raise self._complain("is not a response before it is awaited")

    def __exit__(self, *exc: object) -> None:
        raise AssertionError("never entered")

    def _complain(self, what: str) -> RuntimeError:
        self._told = True
        return RuntimeError(
            f"An event loop is running here, so client.{self._call} {what}. Write"
            f" 'response = await client.{self._call}'."
        )

    def __del__(self) -> None:
        if not self._told:
            import warnings  # only where something is wrong

            warnings.warn(
                f"client.{self._call} was never awaited, so the request was never made.",
                RuntimeWarning,
                stacklevel=2,
                source=self,
            )
