"""What runs before the first request and after the last."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from kolben import Kolben, current_app

pytestmark = pytest.mark.anyio


@pytest.fixture
def app() -> Kolben:
    return Kolben("lifespan")


async def life(app: Kolben, shutdown: bool = True) -> list[str]:
    """What the application answers to a server's startup and shutdown."""
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await anyio.sleep_forever()

    async def send(message: Any) -> None:
        sent.append(message["type"].removeprefix("lifespan."))
        if "message" in message:
            sent.append(message["message"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    return sent


def register(app: Kolben, log: list[str]) -> None:
    @app.before_serving
    def before() -> None:
        assert current_app == app
        log.append("before")

    @app.before_serving
    async def before_async() -> None:
        await anyio.sleep(0)
        log.append("before async")

    @app.while_serving
    def during() -> Iterator[None]:
        log.append("during up")
        yield
        log.append("during down")

    @app.while_serving
    async def during_async() -> AsyncIterator[None]:
        log.append("during async up")
        yield
        await anyio.sleep(0)
        log.append("during async down")

    @app.after_serving
    def after() -> None:
        log.append("after")

    @app.after_serving
    async def after_async() -> None:
        assert current_app == app
        await anyio.sleep(0)
        log.append("after async")


async def test_all_run_in_order(app: Kolben) -> None:
    log: list[str] = []
    register(app, log)
    assert await life(app) == ["startup.complete", "shutdown.complete"]
    assert log == [
        "before",
        "before async",
        "during up",
        "during async up",
        "during async down",
        "during down",
        "after async",
        "after",
    ]


async def test_without_functions_it_is_answered_all_the_same(app: Kolben) -> None:
    assert await life(app) == ["startup.complete", "shutdown.complete"]


async def test_a_failing_startup_undoes_what_was_done(
    app: Kolben, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    register(app, log)

    @app.while_serving
    async def broken() -> AsyncIterator[None]:
        raise ZeroDivisionError("at startup")
        yield

    assert await life(app) == ["startup.failed", "ZeroDivisionError('at startup')"]
    assert log[4:6] == ["during async down", "during down"]
    assert len(caplog.records) == 1


async def test_a_failing_shutdown_does_not_stop_the_rest(
    app: Kolben, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    register(app, log)

    @app.while_serving
    async def broken() -> AsyncIterator[None]:
        yield
        raise ZeroDivisionError("at shutdown")

    assert await life(app) == [
        "startup.complete",
        "shutdown.failed",
        "ZeroDivisionError('at shutdown')",
    ]
    assert log[4:] == ["during async down", "during down", "after async", "after"]
    assert len(caplog.records) == 1


async def test_def_functions_run_in_a_worker_thread(app: Kolben) -> None:
    threads: list[Any] = []
    app.before_serving(lambda: threads.append(threading.current_thread()))
    await life(app)
    assert threads != [threading.current_thread()]


async def test_no_context_is_left_in_between(app: Kolben) -> None:
    from kolben import has_app_context

    seen: list[Any] = []
    app.teardown_appcontext(lambda error: seen.append("teardown"))
    await app.startup()
    assert not has_app_context()
    assert seen == ["teardown"]
    await app.shutdown()
    assert seen == ["teardown", "teardown"]


async def test_started_and_shut_down_again(app: Kolben) -> None:
    log: list[str] = []
    register(app, log)
    for _ in range(2):
        await app.startup()
        await app.shutdown()
    assert len(log) == 16


async def test_a_generator_that_yields_twice_is_an_error(app: Kolben) -> None:
    @app.while_serving
    def twice() -> Iterator[None]:
        yield
        yield

    await app.startup()
    with pytest.raises(RuntimeError):
        await app.shutdown()


async def test_a_function_that_is_no_generator_is_refused(app: Kolben) -> None:
    app.while_serving(lambda: None)
    with pytest.raises(TypeError, match="while_serving"):
        await app.startup()


async def test_what_is_set_at_startup_is_there_for_requests(app: Kolben) -> None:
    @app.before_serving
    async def connect() -> None:
        app.extensions["db"] = "connected"

    app.add_url_rule("/", "index", lambda: current_app.extensions["db"])
    await app.startup()
    assert (await app.test_client().get("/")).text == "connected"
    await app.shutdown()


async def test_it_is_due_until_somebody_has_started_it(
    app: Kolben, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not app.has_lifespan
    app.before_serving(lambda: None)
    assert app.has_lifespan
    await app.startup()
    assert not app.has_lifespan
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 0)  # as in a process that was forked after that
        assert app.has_lifespan
    await app.shutdown()
    assert app.has_lifespan
