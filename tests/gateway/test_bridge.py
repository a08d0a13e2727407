"""One request, between the thread that a server gave to it and the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from kolben import Kolben, copy_current_request_context, g, request
from kolben.gateway.bridge import UNREAD
from kolben.gateway.process import worker_process
from kolben.local import wait

LARGE = bytes(UNREAD)


@pytest.fixture
def app() -> Kolben:
    return Kolben(__name__)


async def start(send: Any, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})


async def part(send: Any, body: bytes, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def mount(app: Kolben, other: Any) -> None:
    """Mount an application that has no lifespan, and says so."""

    async def http_alone(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        await other(scope, receive, send)

    app.mount("/other", http_alone)


def test_any_asgi_application_answers(app: Kolben, ask: Any) -> None:
    seen: list[Any] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        seen.append((type(scope), scope["type"], scope["path"], scope["root_path"]))
        seen.append(await receive())
        await asyncio.sleep(0)
        await start(send, 207)
        await part(send, bytearray(b"some"), more=True)  # type: ignore[arg-type]
        await part(send, memoryview(b"thing"))  # type: ignore[arg-type]

    mount(app, other)
    answer = ask(app, "/other/path", "POST", b"body", validated=False)
    assert answer.status == 207 and answer.body == b"something"
    assert seen == [
        (dict, "http", "/other/path", "/other"),
        {"type": "http.request", "body": b"body", "more_body": False},
    ]


def test_a_body_is_read_when_it_is_asked_for_in_the_servers_thread(
    app: Kolben, exchange: Any
) -> None:
    read: list[int] = []

    class Slow:
        left = 3

        def read(self, size: int) -> bytes:
            read.append(threading.get_ident())
            self.left -= 1
            return b"piece" if self.left >= 0 else b""

    async def other(scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        while (message := await receive())["more_body"]:
            await part(send, message["body"] + b" %d " % len(read), more=True)
        await part(send, b"end")

    mount(app, other)
    environ = {"wsgi_input": Slow(), "HTTP_TRANSFER_ENCODING": "chunked"}
    one = exchange(app, "/other", "POST", wsgi_input_terminated=True, validated=False, **environ)
    assert one.begin().finish().body == b"piece 1 piece 2 piece 3 end"
    assert read == [threading.get_ident()] * 4


def test_without_a_body_nothing_is_read(app: Kolben, ask: Any) -> None:
    seen: list[Any] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        seen.append(await receive())
        await start(send)
        await part(send, b"x")

    mount(app, other)
    ask(app, "/other", wsgi_input=object(), validated=False)
    assert seen == [{"type": "http.request", "body": b"", "more_body": False}]


def test_a_broken_body_is_a_disconnect_each_time(app: Kolben, ask: Any) -> None:
    seen: list[Any] = []

    class Broken:
        def read(self, size: int) -> bytes:
            raise OSError

    async def other(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([await receive(), await receive()])

    mount(app, other)
    answer = ask(app, "/other", "POST", wsgi_input=Broken(), CONTENT_LENGTH="3", validated=False)
    assert seen == [{"type": "http.disconnect"}] * 2 and answer.status == 400


def test_an_application_is_ahead_by_a_little_and_no_more(app: Kolben, exchange: Any) -> None:
    sent: list[int] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        for number in range(10):
            await part(send, LARGE, more=True)
            sent.append(number)
        await part(send, b"")

    mount(app, other)
    one = exchange(app, "/other", validated=False).begin()
    for number in range(10):
        assert one.take() == LARGE
        assert len(sent) <= number + 3
    assert one.take() == b""
    one.close()


@pytest.mark.parametrize("late", [False, True])
def test_an_application_that_does_not_finish(app: Kolben, exchange: Any, late: bool) -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        if late:
            await start(send)
            await part(send, b"x", more=True)

    mount(app, other)
    one = exchange(app, "/other", validated=False)
    with pytest.raises(RuntimeError, match="before its response did" if late else "no response"):
        one.begin().finish()


def test_an_application_that_goes_on_after_its_response(app: Kolben, exchange: Any) -> None:
    done: list[str] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        await part(send, b"x")
        await asyncio.sleep(0.01)
        done.append("done")

    mount(app, other)
    one = exchange(app, "/other", validated=False).begin()
    assert one.take() == b"x"
    one.close()
    assert done == ["done"]


def test_both_colours_nested(app: Kolben, ask: Any) -> None:
    seen: list[bool] = []
    here = threading.get_ident()

    def note(on_loop: bool) -> None:
        seen.append((threading.get_ident() == here) is not on_loop)

    @app.before_request
    def hook() -> None:
        async def inner() -> None:
            note(on_loop=True)

            def innermost() -> None:
                note(on_loop=False)

                async def last() -> None:
                    note(on_loop=True)

                wait(last())

            step = copy_current_request_context(innermost)
            await app.view_lane.run(step, worker=request.scope["kolben.worker"])
            note(on_loop=True)

        note(on_loop=False)
        wait(inner())
        note(on_loop=False)

    @app.get("/")
    async def view() -> str:
        note(on_loop=True)
        return "x"

    assert ask(app).body == b"x"
    assert seen == [True] * 7


def test_a_view_that_is_cancelled_by_itself(app: Kolben, exchange: Any) -> None:
    ended: list[Any] = []

    @app.get("/")
    async def view() -> str:
        g.name = "Ada"
        raise asyncio.CancelledError

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        ended.append((g.name, type(error).__name__, threading.get_ident()))

    with pytest.raises(RuntimeError, match="no response"):
        exchange(app, validated=False).begin()
    assert ended == [("Ada", "CancelledError", threading.get_ident())]


def test_nothing_of_a_request_stays_on_the_loop(app: Kolben, exchange: Any, until: Any) -> None:
    @app.get("/")
    async def view() -> Any:
        async def pieces() -> Any:
            yield LARGE
            await asyncio.Event().wait()

        await asyncio.sleep(0)
        return pieces()

    for _ in range(5):
        one = exchange(app, validated=False).begin()
        one.take()
        one.close()
    loop = worker_process().home().loop
    until(lambda: len(asyncio.all_tasks(loop)) == 1)  # the one that waits for the end
    timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    assert timers == []
