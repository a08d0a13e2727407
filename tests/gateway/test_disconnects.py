"""A client that leaves, and a server that cancels."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import anyio
import pytest

from kolben import Kolben, Response, stream_with_context
from kolben.gateway.disconnects import until_gone

pytestmark = pytest.mark.anyio


@pytest.fixture
def app() -> Kolben:
    return Kolben("leaving")


def cancelled(error: Any) -> bool:
    return isinstance(error, anyio.get_cancelled_exc_class())


async def test_a_waiting_view_is_cancelled(
    app: Kolben, wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[Any] = []
    one = wire("/")

    @app.get("/")
    async def view() -> str:
        one.leave()
        try:
            await anyio.sleep(10)
        except BaseException as error:
            log.append(("view", cancelled(error)))
            raise
        finally:
            log.append("finally")
        return "never"

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        await anyio.sleep(0.001)
        log.append(("teardown", cancelled(error)))

    @app.teardown_appcontext
    def teardown_app(error: BaseException | None) -> None:
        log.append(("app", cancelled(error)))

    @app.errorhandler(Exception)
    async def handle(error: Exception) -> str:
        log.append("handled")
        return ""

    await one.run(app)
    assert log == [("view", True), "finally", ("teardown", True), ("app", True)]
    assert one.sent == []
    assert caplog.records == []


async def test_the_connection_can_be_used_again(app: Kolben, wire: Any) -> None:
    one = wire("/")

    @app.get("/")
    async def view() -> str:
        one.leave()
        await anyio.sleep(10)
        return ""

    @app.get("/next")
    async def following() -> str:
        await anyio.sleep(0.001)
        return "next"

    await one.run(app)
    two = wire("/next")
    await two.run(app)
    assert two.body == b"next"
    await anyio.sleep(0.001)  # no cancellation is left behind in this task


async def test_hooks_are_cancelled_too(app: Kolben, wire: Any) -> None:
    one = wire("/")
    seen: list[Any] = []

    @app.before_request
    async def before() -> None:
        one.leave()
        await anyio.sleep(10)

    @app.get("/")
    async def view() -> str:
        seen.append("view")
        return ""

    app.teardown_request(lambda error: seen.append(cancelled_name(error)))
    await one.run(app)
    assert seen == ["Cancelled"]


def cancelled_name(error: Any) -> str:
    return "Cancelled" if "Cancelled" in type(error).__name__ else repr(error)


async def test_a_client_that_leaves_during_teardown_does_not_stop_it(
    app: Kolben, wire: Any
) -> None:
    one = wire("/")
    log: list[str] = []

    @app.get("/")
    async def view() -> str:
        await anyio.sleep(0)
        return "done"

    @app.teardown_appcontext
    async def last(error: BaseException | None) -> None:
        await anyio.sleep(0.001)
        log.append("last")

    @app.teardown_request
    async def second(error: BaseException | None) -> None:
        await anyio.sleep(0.001)
        log.append("second")

    @app.teardown_request
    async def first(error: BaseException | None) -> None:
        log.append("first")
        one.leave()
        await anyio.sleep(10)

    await one.run(app)
    assert log == ["first", "second", "last"]


async def test_a_view_that_does_not_wait_is_not_watched(app: Kolben, wire: Any) -> None:
    @app.get("/")
    async def view() -> str:
        return "at once"

    one = wire("/")
    await one.run(app)
    assert one.received == 0


async def test_a_view_that_waits_and_is_not_left_answers(app: Kolben, wire: Any) -> None:
    @app.get("/")
    async def view() -> str:
        await anyio.sleep(0.001)
        return "answer"

    one = wire("/")
    await one.run(app)
    assert one.body == b"answer"


async def test_a_server_that_repeats_itself_is_not_asked_forever(app: Kolben, wire: Any) -> None:
    calls = 0

    async def receive() -> Any:
        nonlocal calls
        calls += 1
        return {"type": "http.request", "body": b"", "more_body": False}

    assert await until_gone(receive) is False
    assert calls == 2

    @app.get("/")
    async def view() -> str:
        await anyio.sleep(0.01)
        return "answer"

    one = wire("/")
    one.receive = receive
    await one.run(app)
    assert one.body == b"answer"
    assert calls <= 4


async def test_a_cancellation_from_outside_is_passed_on(app: Kolben, wire: Any) -> None:
    seen: list[str] = []
    app.teardown_request(lambda error: seen.append(cancelled_name(error)))

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        await anyio.sleep(0.001)
        seen.append("awaited")

    @app.get("/")
    async def view() -> str:
        await anyio.sleep(10)
        return ""

    one = wire("/")
    with anyio.move_on_after(0.01) as scope:
        await one.run(app)
    assert scope.cancelled_caught
    assert seen == ["awaited", "Cancelled"]
    assert one.sent == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_cancelled_from_outside_ends_cancelled(app: Kolben, wire: Any) -> None:
    one = wire("/")
    started = asyncio.Event()

    @app.get("/")
    async def view() -> str:
        started.set()
        await asyncio.sleep(10)
        return ""

    task = asyncio.create_task(one.run(app))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_view_that_swallows_its_cancellation_ends_the_request(
    app: Kolben, wire: Any
) -> None:
    one = wire("/")
    task = asyncio.current_task()
    assert task is not None

    @app.get("/")
    async def view() -> str:
        one.leave()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "swallowed"
        return ""

    await one.run(app)
    assert task.cancelling() == 0


async def test_a_client_that_leaves_while_a_whole_answer_is_sent_is_no_error(
    app: Kolben, wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    async def view() -> str:
        await anyio.sleep(0.001)  # so that somebody watches for the client
        return "answer"

    class Slow(wire):  # type: ignore[misc]
        async def send(self, message: Any) -> None:
            self.leave()
            await anyio.sleep(0.005)
            await super().send(message)

    one = Slow("/")
    await one.run(app)
    assert caplog.records == []
    await anyio.sleep(0.001)


async def test_a_timeout_inside_a_view_is_its_own(app: Kolben, wire: Any) -> None:
    @app.get("/")
    async def view() -> str:
        with anyio.move_on_after(0.001) as scope:
            await anyio.sleep(10)
        return f"{scope.cancelled_caught}"

    one = wire("/")
    await one.run(app)
    assert one.body == b"True"


async def test_an_error_of_a_waiting_view_is_a_500(
    app: Kolben, wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    async def view() -> str:
        await anyio.sleep(0.001)
        raise ZeroDivisionError

    one = wire("/")
    await one.run(app)
    assert one.status == 500
    assert len(caplog.records) == 1
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        await wire("/").run(app)


async def test_a_def_view_is_finished_and_its_thread_waited_for(app: Kolben, wire: Any) -> None:
    release = threading.Event()
    started = threading.Event()
    log: list[str] = []

    @app.get("/")
    def view() -> str:
        started.set()
        release.wait(10)
        log.append("view")
        return ""

    app.teardown_request(lambda error: log.append("teardown"))
    one = wire("/")
    async with anyio.create_task_group() as group:
        group.start_soon(one.run, app)
        while not started.is_set():
            await anyio.sleep(0.001)
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.01)
            assert log == []
            release.set()
    assert log == ["view", "teardown"]


# While the body comes --------------------------------------------------------------------------


@pytest.mark.parametrize("async_view", [True, False])
async def test_a_client_that_leaves_while_sending_calls_no_view(
    app: Kolben, wire: Any, async_view: bool, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[str] = []

    def view() -> str:
        called.append("view")
        return ""

    async def view_async() -> str:
        return view()

    app.before_request(lambda: called.append("before"))
    app.add_url_rule("/", "view", view_async if async_view else view, methods=["POST"])
    messages = [{"type": "http.request", "body": b"ab", "more_body": True}]
    one = wire("/", "POST", messages, headers=[(b"content-length", b"4")])
    one.leave()
    await one.run(app)
    assert called == []
    assert one.sent == []
    assert caplog.records == []


@pytest.mark.parametrize("async_view", [True, False])
async def test_a_client_that_leaves_a_streaming_route(
    app: Kolben, wire: Any, async_view: bool, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    app.teardown_request(lambda error: seen.append(type(error).__name__))

    if async_view:

        @app.post("/", stream=True)
        async def in_loop() -> str:
            return str([chunk async for chunk in request_stream()])
    else:

        @app.post("/", stream=True)
        def in_thread() -> str:
            return str(list(request_stream()))

    messages = [{"type": "http.request", "body": b"ab", "more_body": True}]
    one = wire("/", "POST", messages, headers=[(b"content-length", b"4")])
    one.leave()
    await one.run(app)
    assert seen == ["NoneType"]  # an HTTP error like others, and handled
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []


def request_stream() -> Any:
    from kolben import request

    return request.stream


# While the answer goes --------------------------------------------------------------------------


@pytest.mark.parametrize("async_view", [True, False])
@pytest.mark.parametrize("with_context", [True, False])
async def test_an_async_generator_is_closed_once(
    app: Kolben,
    wire: Any,
    async_view: bool,
    with_context: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = wire("/")
    log: list[str] = []

    async def generate() -> Any:
        try:
            yield "first"
            one.leave()
            await anyio.sleep(10)
            yield "never"
        finally:
            log.append("closed")

    def view() -> Any:
        return stream_with_context(generate()) if with_context else generate()

    async def view_async() -> Any:
        return view()

    app.add_url_rule("/", "view", view_async if async_view else view)
    app.teardown_request(lambda error: log.append("teardown"))
    await one.run(app)
    assert log == (["closed", "teardown"] if with_context else ["teardown", "closed"])
    assert one.body == b"first"
    assert not one.complete
    assert caplog.records == []


@pytest.mark.parametrize("with_context", [True, False])
async def test_a_plain_generator_is_closed_once(app: Kolben, wire: Any, with_context: bool) -> None:
    one = wire("/")
    log: list[str] = []

    def generate() -> Any:
        try:
            for _ in range(1_000_000):
                yield "x"
        finally:
            log.append("closed")

    @app.get("/")
    def view() -> Any:
        return stream_with_context(generate()) if with_context else generate()

    app.teardown_request(lambda error: log.append("teardown"))
    one.on_send = lambda message: one.leave() if len(one.sent) > 2 else None
    await one.run(app)
    assert log == (["closed", "teardown"] if with_context else ["teardown", "closed"])
    assert len(one.sent) < 1000
    assert not one.complete


async def test_a_server_that_refuses_to_send_closes_the_body(
    app: Kolben, wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []

    async def generate() -> Any:
        try:
            while True:
                yield "x"
        finally:
            log.append("closed")

    @app.get("/")
    async def view() -> Any:
        return stream_with_context(generate())

    app.teardown_request(lambda error: log.append("teardown"))
    one = wire("/")

    def refuse(message: Any) -> None:
        if len(one.sent) > 2:
            raise OSError("client disconnected")

    one.on_send = refuse
    try:
        await one.run(app)
    except OSError:
        pass  # a server takes either
    assert log == ["closed", "teardown"]
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []


async def test_call_on_close_runs_when_the_client_leaves(app: Kolben, wire: Any) -> None:
    one = wire("/")
    log: list[str] = []

    async def generate() -> Any:
        yield "first"
        one.leave()
        await anyio.sleep(10)

    @app.get("/")
    async def view() -> Response:
        response = Response(generate())
        response.call_on_close(lambda: log.append("closed"))
        return response

    await one.run(app)
    assert log == ["closed"]
