"""A limit to the time that a response may take to begin."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from kolben import Kolben, Response, request
from kolben.middleware import Timeout

pytestmark = pytest.mark.anyio
#: So short that it is over when the first thing has been waited for.
SOON = 0.01
#: So long that no test gets there.
NEVER = 1000.0


def scope_of(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": None,
        "server": None,
    }


async def call(app: Kolben, path: str = "/", on_send: Callable[[], Any] = lambda: None) -> Any:
    """Make a request, wait for the whole of its end, and give what was sent."""
    messages: list[Any] = []

    async def receive() -> Any:
        return await anyio.sleep_forever()

    async def send(message: Any) -> None:
        messages.append(message)
        on_send()

    await app(scope_of(path), receive, send)
    return messages


def limited(app: Kolben, seconds: float | None) -> Kolben:
    app.asgi_app = Timeout(app.asgi_app, seconds=seconds)  # type: ignore[attr-defined]
    return app


@pytest.fixture
def app() -> Kolben:
    return Kolben(__name__)


async def test_an_async_view_is_cancelled_at_its_await(
    app: Kolben, caplog: pytest.LogCaptureFixture
) -> None:
    steps = []

    @app.get("/slow é")
    async def slow() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            steps.append("cancelled")
        return "never"

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        await anyio.sleep(0)
        steps.append("torn down")

    head, body = await call(limited(app, SOON), "/slow é")
    assert head["status"] == 503
    assert b"<h1>Service Unavailable</h1>" in body["body"]
    assert steps == ["cancelled", "torn down"]
    (record,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert record.getMessage() == (
        "GET /slow%20%C3%A9 had no response after 0.01 seconds; the client was answered 503"
    )


async def test_a_def_view_does_not_hold_up_the_answer(app: Kolben) -> None:
    go_on = threading.Event()
    done = anyio.Event()
    results = []

    @app.get("/")
    def slow() -> str:
        go_on.wait(30)
        return "late"

    @app.after_request
    def after(response: Response) -> Response:
        results.append(response.get_data())
        return response

    sent = []

    async def make_request() -> None:
        sent.extend(await call(limited(app, SOON), on_send=done.set))

    async with anyio.create_task_group() as group:
        group.start_soon(make_request)
        await done.wait()  # while the view is still at work
        assert results == []
        go_on.set()
    assert results == [b"late"]
    assert [message.get("status") for message in sent] == [503, None], "the late one is dropped"


async def test_a_def_view_that_streams_too_late_is_dropped(app: Kolben) -> None:
    go_on = threading.Event()
    closed = []

    @app.get("/")
    def slow() -> Iterator[str]:
        go_on.wait(30)

        def generate() -> Iterator[str]:
            try:
                while True:
                    yield "x"
            finally:
                closed.append(True)

        generator = generate()
        next(generator)
        return generator

    sent = await call(limited(app, SOON), on_send=go_on.set)
    assert [message.get("status") for message in sent] == [503, None]
    assert closed == [True]


async def test_a_stream_that_has_begun_may_take_its_time(app: Kolben) -> None:
    @app.get("/")
    async def stream() -> AsyncIterator[str]:
        deadline = request.scope["kolben.deadline"]

        async def generate() -> AsyncIterator[str]:
            yield "a"
            deadline.limit(SOON)
            await anyio.sleep(2 * SOON)
            yield "b"

        return generate()

    head, *pieces = await call(limited(app, NEVER))
    assert (head["status"], b"".join(piece["body"] for piece in pieces)) == (200, b"ab")


@pytest.mark.parametrize("seconds", [None, NEVER])
async def test_what_is_in_time_is_left_alone(app: Kolben, seconds: float | None) -> None:
    @app.get("/")
    async def index() -> str:
        await anyio.sleep(0)
        return "in time"

    @app.get("/def")
    def plain() -> str:
        return "in time"

    client = limited(app, seconds).test_client()
    assert (await client.get("/")).text == "in time"
    assert (await client.get("/def")).text == "in time"
    assert (await client.get("/missing")).status_code == 404


async def test_errors_pass_through(app: Kolben) -> None:
    app.testing = True

    @app.get("/")
    async def broken() -> str:
        await anyio.sleep(0)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await limited(app, NEVER).test_client().get("/")


async def test_head_gets_no_body(app: Kolben) -> None:
    @app.get("/")
    async def slow() -> str:
        await anyio.sleep_forever()
        return "never"

    response = await limited(app, SOON).test_client().head("/")
    assert (response.status_code, response.data) == (503, b"")


async def test_a_view_that_will_not_be_cancelled_is_dropped(app: Kolben) -> None:
    @app.get("/")
    async def stubborn() -> str:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            return "late"
        return "never"

    async with anyio.create_task_group():  # which would be told of a cancellation that is left
        response = await limited(app, SOON).test_client().get("/")
        await anyio.sleep(0)
    assert response.status_code == 503


async def test_an_async_view_sets_its_own_limit(app: Kolben) -> None:
    @app.get("/")
    async def slow() -> str:
        request.scope["kolben.deadline"].limit(SOON)
        await anyio.sleep_forever()
        return "never"

    assert (await call(limited(app, NEVER)))[0]["status"] == 503


@pytest.mark.parametrize("seconds", [None, NEVER])
async def test_a_worker_thread_sets_a_limit(app: Kolben, seconds: float | None) -> None:
    answered = threading.Event()

    @app.get("/")
    def slow() -> str:
        request.scope["kolben.deadline"].limit(SOON)
        answered.wait(30)
        return "late"

    assert (await call(limited(app, seconds), on_send=answered.set))[0]["status"] == 503


async def test_a_route_lifts_the_limit(app: Kolben) -> None:
    @app.get("/")
    async def slow() -> str:
        request.scope["kolben.deadline"].limit(SOON)
        request.scope["kolben.deadline"].limit(None)
        await anyio.sleep(2 * SOON)
        return "done"

    assert (await limited(app, NEVER).test_client().get("/")).text == "done"


async def test_a_limit_that_has_passed_already_ends_the_request(app: Kolben) -> None:
    @app.get("/")
    async def slow() -> str:
        await anyio.sleep(2 * SOON)
        request.scope["kolben.deadline"].limit(SOON)
        await anyio.sleep_forever()
        return "never"

    assert (await limited(app, None).test_client().get("/")).status_code == 503


async def test_a_request_that_is_cancelled_from_outside_stays_cancelled(app: Kolben) -> None:
    cancelled = []

    @app.get("/")
    async def slow() -> str:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            cancelled.append(True)
            raise
        return "never"

    sent = []
    with anyio.move_on_after(SOON) as scope:
        await call(limited(app, NEVER), on_send=lambda: sent.append(True))
    assert scope.cancelled_caught
    assert (cancelled, sent) == ([True], [])


async def test_a_client_that_has_left_is_no_error(app: Kolben) -> None:
    @app.get("/")
    async def slow() -> str:
        await anyio.sleep_forever()
        return "never"

    def refuse() -> None:
        raise OSError("gone")

    sent = await call(limited(app, SOON), on_send=refuse)
    assert len(sent) == 1, "nothing after the refusal"


async def test_websockets_and_lifespans_have_no_limit() -> None:
    seen = []

    async def app(*args: Any) -> None:
        seen.append(args)

    args: Any = ({"type": "websocket"}, object(), object())
    await Timeout(app, seconds=SOON)(*args)
    assert seen == [args]
    assert "kolben.deadline" not in args[0]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
async def test_a_limit_that_leaves_no_time(app: Kolben, seconds: float) -> None:
    with pytest.raises(ValueError, match="None means no limit"):
        Timeout(app, seconds=seconds)


async def test_setting() -> None:
    assert Timeout.settings == {"seconds": "REQUEST_TIMEOUT"}
    assert not Timeout.runs_inline


# As it is added to an application


async def test_the_example(example: Any, anyio_backend: str) -> None:
    if anyio_backend == "trio":
        pytest.skip("the example sleeps as asyncio does")
    response = await example("careful").test_client().get("/slow")
    assert response.status_code == 503
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_route_has_a_limit_of_its_own() -> None:
    app = Kolben(__name__)
    app.config["REQUEST_TIMEOUT"] = 0.4
    app.add_middleware(Timeout)

    @app.get("/short", timeout=SOON)
    async def short() -> str:
        await anyio.sleep_forever()
        return "never"

    @app.get("/none", timeout=None)
    async def unlimited() -> str:
        await anyio.sleep(0.6)
        return "done"

    @app.get("/")
    async def index() -> str:
        await anyio.sleep_forever()
        return "never"

    client = app.test_client()
    for path, status in (("/short", 503), ("/none", 200), ("/", 503)):
        assert (await client.get(path)).status_code == status


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_under_either_protocol(reach: Any, colour: str) -> None:
    app = Kolben(__name__)
    app.add_middleware(Timeout, seconds=NEVER)
    app.add_middleware(Marked)
    answered = threading.Event()

    if colour == "def":

        @app.get("/slow", timeout=SOON)
        def slow() -> str:
            answered.wait(30)
            return "late"
    else:

        @app.get("/slow", timeout=SOON)
        async def slow() -> str:
            await anyio.sleep_forever()
            return "never"

    @app.get("/")
    def index() -> str:
        return "in time"

    Marked.answered = answered
    assert reach(app, "/slow").status == 503
    assert reach(app, "/").body == b"in time"


class Marked:
    """Lets a view go on when it has been answered for."""

    answered: threading.Event

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noted(message: Any) -> None:
            await send(message)
            self.answered.set()

        await self.app(scope, receive, noted)


async def test_what_an_application_makes_of_its_lateness_is_no_error() -> None:
    late = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            try:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            except OSError as error:  # as it would do if the client had left
                late.append(str(error))
                raise LookupError("the client has left") from error

    sent = await call(Timeout(app, seconds=SOON))  # type: ignore[arg-type]
    assert [message.get("status") for message in sent] == [503, None]
    assert late == ["The response came too late; the client was answered 503."]


async def test_other_errors_of_the_application_are_told() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise LookupError("cleaning up failed")

    with pytest.raises(LookupError, match="cleaning up failed"):
        await call(Timeout(app, seconds=SOON))  # type: ignore[arg-type]
