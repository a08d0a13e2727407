"""Streamed responses over WSGI: sent as they are made, and ended when the client leaves."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import StreamingResponse
from starlette.routing import Route

from kolben import Kolben, Response, g, has_request_context, request, stream_with_context
from kolben.gateway import bridge
from kolben.gateway.process import worker_process
from kolben.middleware import GZip

#: More than the application may be ahead of the server.
LARGE = bytes(100_000)


class Notes(list[Any]):
    """What has happened, by which thread."""

    def add(self, what: Any) -> None:
        self.append(what)
        self.threads = getattr(self, "threads", set()) | {threading.get_ident()}


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def app(notes: Notes) -> Kolben:
    app = Kolben(__name__)

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        notes.add(f"teardown {getattr(g, 'name', '')} {type(error).__name__}")

    return app


def plain(notes: Notes, *pieces: Any) -> Any:
    try:
        for index, piece in enumerate(pieces):
            notes.add(index)
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        notes.add(f"closed {request.path}" if has_request_context() else "closed")


async def waiting(notes: Notes, *pieces: Any) -> Any:
    try:
        for index, piece in enumerate(pieces):
            await asyncio.sleep(0)
            notes.add(index)
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        await asyncio.sleep(0)
        notes.add(f"closed {request.path}" if has_request_context() else "closed")


@pytest.fixture(params=[plain, waiting], ids=["generator", "async generator"])
def stream(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_def_views_generator_is_not_ahead_of_the_server(
    app: Kolben, exchange: Any, notes: Notes
) -> None:
    @app.get("/")
    def view() -> Any:
        return plain(notes, "a", "b", "c")

    one = exchange(app).begin()
    seen = [list(notes)]
    for _ in range(4):
        seen.append([one.take(), *notes])
    torn_down = "teardown  NoneType"
    assert seen == [
        [torn_down, 0],
        [b"a", torn_down, 0],
        [b"b", torn_down, 0, 1],
        [b"c", torn_down, 0, 1, 2],
        [b"", torn_down, 0, 1, 2, "closed"],
    ]
    one.close()
    assert notes.threads == {threading.get_ident()} and worker_process().loop is None


def test_large_pieces_are_not_made_before_they_are_taken(
    app: Kolben, exchange: Any, colour: Any, stream: Any, notes: Notes
) -> None:
    @app.get("/")
    @colour
    def view() -> Any:
        return stream(notes, *[LARGE] * 10)

    one = exchange(app).begin()
    for index in range(10):
        assert len(one.take()) == 100_000
        assert max(number for number in notes if type(number) is int) <= index + 1
    assert one.take() == b""
    one.close()
    assert notes[-1] == "closed"


def test_small_pieces_are_sent_before_the_next_is_made(
    app: Kolben, exchange: Any, colour: Any
) -> None:
    go_on = threading.Event()

    @app.get("/")
    @colour
    def view() -> Any:
        async def pieces() -> Any:
            yield b"first"
            while not go_on.is_set():
                await asyncio.sleep(0.001)
            yield b"second"

        return pieces()

    one = exchange(app).begin()
    assert one.take() == b"first"
    go_on.set()
    assert one.finish().body == b"firstsecond"


def test_a_context_that_is_held_for_the_stream(
    app: Kolben, ask: Any, colour: Any, stream: Any, notes: Notes
) -> None:
    @app.get("/path")
    @colour
    def view() -> Any:
        g.name = "Ada"
        return stream_with_context(stream(notes, "a", "b"))

    assert ask(app, "/path").body == b"ab"
    assert notes == [0, 1, "closed /path", "teardown Ada NoneType"]


def test_an_error_before_the_first_piece(
    app: Kolben,
    exchange: Any,
    colour: Any,
    stream: Any,
    notes: Notes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed: list[str] = []

    @app.get("/")
    @colour
    def view() -> Any:
        g.name = "Ada"
        response = Response(stream_with_context(stream(notes, LookupError("of the stream"))))
        response.call_on_close(lambda: closed.append("closed"))
        return response

    one = exchange(app)
    with pytest.raises(LookupError, match="of the stream"):
        one.begin()
    assert one.started == [] and closed == ["closed"]
    assert notes == [0, "closed /", "teardown Ada LookupError"]
    assert caplog.records == []  # the server logs what it is given


@pytest.mark.parametrize("piece", [1, 0.5, None, ["x"]])
def test_a_piece_that_is_neither_text_nor_bytes(
    app: Kolben, exchange: Any, colour: Any, stream: Any, notes: Notes, piece: Any
) -> None:
    @app.get("/")
    @colour
    def view() -> Any:
        return stream(notes, "first", piece)

    one = exchange(app)
    with pytest.raises(TypeError, match=r"str or bytes|bytes-like|len"):
        one.begin().finish()
    assert notes[-1].startswith(("closed", "teardown"))


def test_an_error_after_the_first_piece(
    app: Kolben,
    exchange: Any,
    colour: Any,
    stream: Any,
    notes: Notes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    @app.get("/")
    @colour
    def view() -> Any:
        return stream_with_context(stream(notes, "first", LookupError("of the stream")))

    one = exchange(app).begin()
    assert one.take() == b"first"
    with pytest.raises(LookupError, match="of the stream"):
        one.take()
    one.close()
    assert notes == [0, 1, "closed /", "teardown  LookupError"]
    assert caplog.records == []


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_a_server_that_closes_early(
    app: Kolben, exchange: Any, colour: Any, stream: Any, notes: Notes, taken: int
) -> None:
    closed: list[int] = []

    @app.get("/")
    @colour
    def view() -> Any:
        g.name = "Ada"
        response = Response(stream_with_context(stream(notes, *[LARGE] * 10)))
        response.call_on_close(lambda: closed.append(threading.get_ident()))
        return response

    one = exchange(app).begin()
    for _ in range(taken):
        one.take()
    one.close()
    one.close()
    assert notes[-2] == "closed /" and notes[-1].startswith("teardown Ada ")
    assert len(notes) <= taken + 4
    assert closed == [threading.get_ident()]


def test_a_client_that_leaves_cancels_an_async_generator_at_its_await(
    app: Kolben, exchange: Any, colour: Any, notes: Notes
) -> None:
    @app.get("/")
    @colour
    def view() -> Any:
        async def pieces() -> Any:
            yield b"first"
            try:
                await asyncio.Event().wait()
            except BaseException as error:
                notes.add(type(error).__name__)
                raise
            finally:
                await asyncio.sleep(0)
                notes.add("finally")

        return pieces()

    one = exchange(app).begin()
    assert one.take() == b"first"
    one.close()
    assert notes[-2:] == ["CancelledError", "finally"]


def test_an_application_that_does_not_look_is_cancelled_in_the_end(
    app: Kolben, exchange: Any, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "TEARDOWN_SECONDS", 0.01)

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        try:
            await asyncio.Event().wait()
        finally:
            notes.add("finally")

    app.mount("/deaf", deaf)
    one = exchange(app, "/deaf", validated=False).begin()
    assert one.take() == b"x"
    one.close()
    assert notes == ["finally"]


def test_sending_to_a_client_that_has_left_is_an_oserror_and_no_more(
    app: Kolben, exchange: Any, notes: Notes
) -> None:
    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": LARGE, "more_body": True})
        except OSError:
            notes.add("OSError")
            raise

    app.mount("/endless", endless)
    one = exchange(app, "/endless", validated=False).begin()
    assert one.take() == LARGE
    one.close()
    assert notes == ["OSError"]


@pytest.mark.parametrize("busy", [False, True])
def test_starlettes_streams_are_ended_like_ones_own(
    exchange: Any, notes: Notes, until: Any, busy: bool
) -> None:
    async def pieces() -> Any:
        try:
            yield LARGE
            while True:
                yield LARGE if busy else await asyncio.Event().wait()
        finally:
            notes.add("closed")

    async def endpoint(request: Any) -> Any:
        return StreamingResponse(pieces())

    app = Kolben(__name__)
    app.mount("/starlette", Starlette(routes=[Route("/", endpoint)]))
    one = exchange(app, "/starlette/", validated=False).begin()
    assert one.take() == LARGE
    one.close()
    gc.collect()
    until(lambda: notes == ["closed"])  # Starlette leaves closing a generator to the loop


def test_what_fails_while_a_client_leaves_is_told(
    app: Kolben, exchange: Any, colour: Any, stream: Any
) -> None:
    @app.get("/")
    @colour
    def view() -> Any:
        async def pieces() -> Any:
            try:
                yield b"x"
                await asyncio.Event().wait()
            finally:
                raise LookupError("of the cleanup")

        def plain_pieces() -> Any:
            try:
                yield b"x"
                yield b"y" * 100_000
                yield b"y"
            finally:
                raise LookupError("of the cleanup")

        return pieces() if stream is waiting else plain_pieces()

    one = exchange(app, validated=False).begin()
    one.take()
    with pytest.raises(LookupError, match="of the cleanup"):
        one.close()


def test_head_does_not_begin_a_stream(
    app: Kolben, ask: Any, colour: Any, stream: Any, notes: Notes
) -> None:
    closed: list[str] = []

    @app.get("/")
    @colour
    def view() -> Any:
        response = Response(stream(notes, "a"), headers={"X-A": "1"})
        response.call_on_close(lambda: closed.append("closed"))
        return response

    answer = ask(app, "/", "HEAD")
    assert answer.body == b"" and answer.headers["x-a"] == "1" and closed == ["closed"]
    assert [note for note in notes if type(note) is int] == []


def test_a_server_that_does_not_take_the_head(
    app: Kolben, exchange: Any, colour: Any, stream: Any, notes: Notes
) -> None:
    @app.get("/")
    @colour
    def view() -> Any:
        return stream_with_context(stream(notes, *[LARGE] * 10))

    class Refusing(exchange):  # type: ignore[misc, valid-type]
        def start_response(self, *args: Any) -> Any:
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        Refusing(app, validated=False).begin()
    assert notes[-2] == "closed /" and notes[-1].startswith("teardown ")


def test_a_field_that_cannot_be_sent(
    app: Kolben, exchange: Any, colour: Any, stream: Any, notes: Notes
) -> None:
    closed: list[str] = []

    @app.get("/")
    @colour
    def view() -> Any:
        g.name = "Ada"
        response = Response(stream_with_context(stream(notes, "a")), headers={"X-A": "\u20ac"})
        response.call_on_close(lambda: closed.append("closed"))
        return response

    one = exchange(app)
    with pytest.raises(ValueError, match="X-A"):
        one.begin()
    assert one.started == [] and closed == ["closed"]
    assert notes == ["teardown Ada ValueError"]


def test_a_server_that_forgets_to_close(app: Kolben, exchange: Any, notes: Notes) -> None:
    @app.get("/")
    def view() -> Any:
        return plain(notes, "a", "b")

    one = exchange(app, validated=False).begin()
    assert one.take() == b"a"
    ref = weakref.ref(one.returned)
    del one
    assert ref() is None and notes[-1].startswith("closed")


# Middleware ---------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [GZip, GZipMiddleware])
def test_streams_pass_through_middleware_as_they_are_made(
    app: Kolben, exchange: Any, colour: Any, notes: Notes, compress: Any
) -> None:
    app.add_middleware(compress)
    app.add_middleware(CORSMiddleware, allow_origins=["https://example.org"])

    @app.get("/")
    @colour
    def view() -> Any:
        return Response(plain(notes, *[LARGE] * 10), mimetype="application/octet-stream")

    one = exchange(app, HTTP_ORIGIN="https://example.org").begin()
    assert one.headers["access-control-allow-origin"] == "https://example.org"
    assert one.take() == LARGE
    assert 9 not in notes
    one.close()
    assert notes[-1].startswith("closed") and 9 not in notes


def test_middleware_of_kolbens_own_needs_no_loop(app: Kolben, ask: Any, notes: Notes) -> None:
    app.add_middleware(GZip, minimum_size=1)

    @app.get("/")
    def view() -> Any:
        return plain(notes, "a" * 1000, "b" * 1000)

    assert ask(app, HTTP_ACCEPT_ENCODING="gzip").headers["content-encoding"] == "gzip"
    assert notes.threads == {threading.get_ident()} and worker_process().loop is None


def test_an_error_page_passes_through_middleware(app: Kolben, ask: Any, colour: Any) -> None:
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    app.log_exception = lambda exc_info: None  # type: ignore[method-assign, assignment]

    @app.get("/")
    @colour
    def view() -> Any:
        raise LookupError

    answer = ask(app, HTTP_ORIGIN="https://example.org")
    assert answer.status == 500 and answer.headers["access-control-allow-origin"] == "*"
