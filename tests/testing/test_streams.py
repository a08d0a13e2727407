"""Responses that are read while they are sent."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from kolben import Kolben, Response, request, stream_with_context
from kolben.testing import Client, Disconnected, IllegalResponse

pytestmark = pytest.mark.anyio


class Counter:
    """An endless stream that notes how far it was read and whether it was closed."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.closed = threading.Event()

    def plain(self) -> Any:
        try:
            for number in range(1_000_000):
                self.sent.append(number)
                yield f"{number} "
        finally:
            self.closed.set()

    async def awaited(self) -> Any:
        try:
            for number in range(1_000_000):
                self.sent.append(number)
                yield f"{number} "
        finally:
            self.closed.set()


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def app(counter: Counter) -> Kolben:
    app = Kolben("app", root_path=".")
    app.testing = True
    app.add_url_rule("/plain", "plain", lambda: counter.plain())

    @app.get("/awaited")
    async def awaited() -> Any:
        return counter.awaited()

    @app.get("/three")
    async def three() -> Any:
        async def parts() -> Any:
            for part in ("a", "b", "c"):
                yield part

        return parts()

    @app.get("/broken")
    def broken() -> Any:
        def parts() -> Any:
            yield "a"
            raise ZeroDivisionError

        return parts()

    @app.get("/context")
    def context() -> Any:
        return Response(stream_with_context(request.path + str(n) for n in range(2)))

    return app


@pytest.mark.parametrize("path", ["/plain", "/awaited"])
def test_a_stream_goes_as_far_as_it_is_read(app: Kolben, counter: Counter, path: str) -> None:
    response = app.test_client().get(path)
    assert response.is_streamed and counter.sent == [0]
    chunks = response.iter_chunks()
    assert next(chunks) == b"0 " and counter.sent == [0]
    assert next(chunks) == b"1 " and counter.sent == [0, 1]
    assert not counter.closed.is_set()
    response.close()
    assert counter.closed.is_set() and len(counter.sent) <= 3


@pytest.mark.parametrize("path", ["/plain", "/awaited"])
async def test_a_stream_goes_as_far_as_it_is_awaited(
    app: Kolben, counter: Counter, path: str
) -> None:
    response = await app.test_client().get(path)
    chunks = response.iter_chunks()
    assert await anext(chunks) == b"0 " and counter.sent == [0]
    assert await anext(chunks) == b"1 " and counter.sent == [0, 1]
    await response.aclose()
    assert counter.closed.is_set() and len(counter.sent) <= 3


def test_reading_a_body_reads_it_all(app: Kolben) -> None:
    client = app.test_client()
    response = client.get("/three")
    assert response.is_streamed
    assert response.data == b"abc" and response.text == "abc" and not response.is_streamed
    assert list(response.iter_chunks()) == [b"abc"]
    assert list(client.get("/three").iter_chunks()) == [b"a", b"b", b"c"]
    assert list(client.get("/three").response) == [b"a", b"b", b"c"]
    assert client.get("/context").text == "/context0/context1"


def test_a_buffered_response_has_been_read(app: Kolben) -> None:
    response = app.test_client().get("/three", buffered=True)
    assert not response.is_streamed and response.data == b"abc"


async def test_awaited_streams(app: Kolben) -> None:
    client = app.test_client()
    response = await client.get("/three")
    with pytest.raises(RuntimeError, match=r"await response\.load\(\)"):
        _ = response.data
    with pytest.raises(RuntimeError, match="buffered=True"):
        _ = response.text
    await response.load()
    assert response.data == b"abc"
    await response.load()
    assert [chunk async for chunk in (await client.get("/three")).iter_chunks()] == [
        b"a",
        b"b",
        b"c",
    ]
    assert (await client.get("/three", buffered=True)).text == "abc"
    assert (await client.get("/context", buffered=True)).text == "/context0/context1"


def test_errors_come_up_where_the_stream_breaks(app: Kolben) -> None:
    response = app.test_client().get("/broken")
    assert response.status_code == 200
    chunks = response.iter_chunks()
    assert next(chunks) == b"a"
    with pytest.raises(ZeroDivisionError):
        next(chunks)
    with pytest.raises(StopIteration):
        next(chunks)


async def test_errors_come_up_where_the_awaited_stream_breaks(app: Kolben) -> None:
    response = await app.test_client().get("/broken")
    with pytest.raises(ZeroDivisionError):
        await response.load()


def test_a_stream_that_is_freed_hangs_up(app: Kolben, counter: Counter) -> None:
    client = app.test_client()
    response = client.get("/awaited")
    del response
    gc.collect()
    assert counter.closed.wait(10)
    assert client.get("/three").text == "abc"


def test_a_stream_of_a_worker_thread_that_is_freed_hangs_up(app: Kolben, counter: Counter) -> None:
    response = app.test_client().get("/plain")
    del response
    gc.collect()
    assert counter.closed.wait(10)


def test_closing_the_client_hangs_up(app: Kolben, counter: Counter) -> None:
    client = app.test_client()
    response = client.get("/plain")
    client.close()
    assert counter.closed.is_set()
    response.close()


def test_responses_are_context_managers(app: Kolben, counter: Counter) -> None:
    with app.test_client().get("/plain") as response:
        assert response.status_code == 200
    assert counter.closed.is_set()


async def test_awaited_responses_are_context_managers(app: Kolben, counter: Counter) -> None:
    async with await app.test_client().get("/awaited") as response:
        assert response.status_code == 200
    assert counter.closed.is_set()


START = {"type": "http.response.start", "status": 200, "headers": []}


def test_applications_learn_that_the_client_has_gone() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(START)
        try:
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
            await send({"type": "http.response.body", "body": b"b", "more_body": True})
        except Disconnected:
            seen.append("send")
            seen.append((await receive())["type"])
            raise

    response = Client(app).get("/")
    response.close()
    assert seen == ["send", "http.disconnect"]


def test_after_the_response_receive_says_disconnect() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(START)
        await send({"type": "http.response.body", "body": b"a"})
        seen.append(await receive())

    assert Client(app).get("/").data == b"a"
    assert seen == [{"type": "http.disconnect"}]


def test_an_application_that_stops_early_is_found_out_at_the_end() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"a", "more_body": True})

    response = Client(app).get("/")
    with pytest.raises(IllegalResponse, match="before the end"):
        _ = response.data


def test_large_bodies_come_in_pieces() -> None:
    sizes: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            sizes.append(len(message["body"]))
            more = message["more_body"]
        await send(START)
        await send({"type": "http.response.body", "body": b"x" * sum(sizes)})

    assert len(Client(app).post("/", data=b"x" * 150_000).data) == 150_000
    assert sizes == [65536, 65536, 18928]
