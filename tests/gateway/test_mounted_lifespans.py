"""The lifespans of mounted applications: in order, undone in reverse, and failures named."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from kolben import Kolben, has_app_context

from .test_lifespan import life

pytestmark = pytest.mark.anyio
on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def app(log: list[str]) -> Kolben:
    return kolben("outer", log)


def kolben(name: str, log: list[str]) -> Kolben:
    app = Kolben(name)

    @app.while_serving
    async def during() -> AsyncIterator[None]:
        log.append(f"{name} up")
        yield
        log.append(f"{name} down")

    return app


def asgi(name: str, log: list[str], fails_at: str = "", says: bool = True) -> Any:
    """An application of no framework, that fails at a stage and says so, or only raises."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            log.append(f"{name} {scope['state']}")
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        for stage in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{stage}"
            await anyio.sleep(0)
            if stage == fails_at:
                log.append(f"{name} fails")
                if says:
                    message = {"type": f"lifespan.{stage}.failed", "message": f"no {stage}"}
                    return await send(message)
                raise ZeroDivisionError(f"no {stage}")
            log.append(f"{name} {'up' if stage == 'startup' else 'down'}")
            scope["state"]["name"] = name
            await send({"type": f"lifespan.{stage}.complete"})

    return app


async def test_all_start_in_order_and_stop_in_reverse(app: Kolben, log: list[str]) -> None:
    inner = kolben("inner", log)
    inner.mount("/deep", asgi("deep", log))
    app.mount("/first", asgi("first", log))
    app.mount("/inner", inner)
    app.mount("/last", kolben("last", log))
    app.before_serving(lambda: log.append("outer before"))
    app.after_serving(lambda: log.append("outer after"))
    assert await life(app) == ["startup.complete", "shutdown.complete"]
    up = ["outer before", "outer up", "first up", "inner up", "deep up", "last up"]
    down = ["last down", "deep down", "inner down", "first down", "outer down", "outer after"]
    assert log == up + down


async def test_started_and_stopped_by_hand_and_again(app: Kolben, log: list[str]) -> None:
    app.mount("/first", asgi("first", log))
    for _ in range(2):
        await app.startup()
        async with anyio.create_task_group() as group:  # a server may stop it in another task
            group.start_soon(app.shutdown)
    assert log == ["outer up", "first up", "first down", "outer down"] * 2


@pytest.mark.parametrize("says", [True, False])
async def test_a_failing_startup_names_the_mount_and_undoes_the_others(
    app: Kolben, log: list[str], says: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app.mount("/first", kolben("first", log))
    app.mount("/broken", asgi("broken", log, "startup", says))
    app.mount("/last", asgi("last", log))
    answer, message = await life(app)
    assert answer == "startup.failed"
    assert "The application at '/broken' (" in message
    assert f"mounted at {__file__}, line " in message
    assert "failed at its startup: " in message
    assert ("no startup" if says else "ZeroDivisionError('no startup')") in message
    assert log == ["outer up", "first up", "broken fails", "first down", "outer down"]
    assert len(caplog.records) == 1


async def test_a_failure_far_below_names_all_mounts(app: Kolben, log: list[str]) -> None:
    inner = kolben("inner", log)
    inner.mount("/deep", asgi("deep", log, "startup"))
    app.mount("/inner", inner)
    _, message = await life(app)
    assert message.index("'/inner' (<Kolben 'inner'>") < message.index("'/deep' (")
    assert log == ["outer up", "inner up", "deep fails", "inner down", "outer down"]


@pytest.mark.parametrize("says", [True, False])
async def test_a_failing_shutdown_does_not_stop_the_others(
    app: Kolben, log: list[str], says: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app.mount("/first", asgi("first", log, "shutdown", says))
    app.mount("/second", asgi("second", log, "shutdown", says))
    app.mount("/last", asgi("last", log))
    started, stopped, message = await life(app)
    assert (started, stopped) == ("startup.complete", "shutdown.failed")
    assert "The application at '/first' (" in message
    assert "failed at its shutdown: " in message
    up = ["outer up", "first up", "second up", "last up"]
    assert log == [*up, "last down", "second fails", "first fails", "outer down"]
    assert "The application at '/second' (" in caplog.text


async def test_an_error_keeps_what_it_came_of(app: Kolben, log: list[str]) -> None:
    app.mount("/broken", asgi("broken", log, "startup", says=False))
    with pytest.raises(RuntimeError) as caught:
        await app.startup()
    assert isinstance(caught.value.__context__, ZeroDivisionError)


async def test_one_that_wants_to_exit_does_not_end_the_program(app: Kolben, log: list[str]) -> None:
    async def leaves(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        sys.exit("no database")

    app.mount("/leaves", leaves)
    with pytest.raises(RuntimeError, match="no database"):
        await app.startup()


async def raises(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError(f"unknown scope {scope['type']}")


async def returns(scope: Any, receive: Any, send: Any) -> None:
    pass


async def takes_all_for_http(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return []


@pytest.mark.parametrize("other", [raises, returns, takes_all_for_http])
async def test_one_that_does_not_know_lifespans_is_left_alone(
    app: Kolben, log: list[str], other: Any
) -> None:
    app.mount("/simple", other)
    app.mount("/last", asgi("last", log))
    assert await life(app) == ["startup.complete", "shutdown.complete"]
    assert log == ["outer up", "last up", "last down", "outer down"]


@on_asyncio
async def test_a_wsgi_application_has_none(app: Kolben, log: list[str]) -> None:
    app.mount("/wsgi", wsgi)
    assert await life(app) == ["startup.complete", "shutdown.complete"]


async def test_one_application_mounted_twice_starts_once(
    app: Kolben, log: list[str], wire: Any
) -> None:
    twice = asgi("twice", log)
    app.mount("/one", twice)
    app.mount("/two", twice)
    await app.startup()
    assert log == ["outer up", "twice up"]
    await wire("/one").run(app)
    await wire("/two").run(app)
    assert log[2:] == ["twice {'name': 'twice'}"] * 2
    await app.shutdown()
    assert log[4:] == ["twice down", "outer down"]


async def test_each_mount_has_the_state_that_it_left(
    app: Kolben, log: list[str], wire: Any
) -> None:
    app.mount("/one", asgi("one", log))
    app.mount("/two", asgi("two", log))
    await app.startup()
    del log[:]
    await wire("/one", state={"name": "server", "more": 1}).run(app)
    await wire("/two").run(app)
    assert log == ["one {'name': 'one', 'more': 1}", "two {'name': 'two'}"]
    await app.shutdown()
    await wire("/one", state={}).run(app)
    assert log[-1] == "one {}"


async def test_one_that_ends_early_is_told_at_the_end(app: Kolben, log: list[str]) -> None:
    async def ends(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await over.wait()
        raise ZeroDivisionError("while serving")

    over = anyio.Event()
    app.mount("/ends", ends)
    await app.startup()
    over.set()
    await anyio.wait_all_tasks_blocked()
    with pytest.raises(RuntimeError, match=r"'/ends'.*while serving"):
        await app.shutdown()
    assert log == ["outer up", "outer down"]


async def test_a_startup_that_is_cancelled_leaves_nothing_behind(
    app: Kolben, log: list[str]
) -> None:
    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        try:
            await anyio.sleep_forever()
        finally:
            log.append("cancelled")

    app.mount("/hangs", hangs)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(app.startup)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    await anyio.wait_all_tasks_blocked()
    assert sorted(log) == ["cancelled", "outer down", "outer up"]


async def test_a_shutdown_that_is_cancelled_leaves_nothing_behind(
    app: Kolben, log: list[str]
) -> None:
    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await anyio.sleep_forever()
        finally:
            log.append("cancelled")

    app.mount("/hangs", hangs)
    await app.startup()
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(app.shutdown)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    await anyio.wait_all_tasks_blocked()
    assert sorted(log) == ["cancelled", "outer down", "outer up"]


async def test_one_that_asks_for_more_messages_ends(app: Kolben, log: list[str]) -> None:
    async def asks(scope: Any, receive: Any, send: Any) -> None:
        try:
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
        finally:
            log.append("asks no more")

    app.mount("/asks", asks)
    assert await life(app) == ["startup.complete", "shutdown.complete"]
    await anyio.wait_all_tasks_blocked()
    assert sorted(log) == ["asks no more", "outer down", "outer up"]


async def test_the_context_of_the_outer_application_is_not_seen(app: Kolben) -> None:
    seen: list[Any] = []
    variable: ContextVar[int] = ContextVar("variable", default=0)

    async def looks(scope: Any, receive: Any, send: Any) -> None:
        for stage in ("startup", "shutdown"):
            await receive()
            seen.append((has_app_context(), variable.get()))
            variable.set(1)
            await send({"type": f"lifespan.{stage}.complete"})

    app.mount("/looks", looks)
    await app.startup()
    await app.shutdown()
    assert seen == [(False, 0), (False, 1)]
    assert variable.get() == 0


async def test_no_task_is_left(app: Kolben, log: list[str]) -> None:
    app.mount("/one", asgi("one", log))
    app.mount("/inner", kolben("inner", log))
    await life(app)
    await anyio.wait_all_tasks_blocked()
    names = [task.name for task in anyio.get_running_tasks()]
    assert not any("MountedLifespan" in str(name) for name in names)


# Of frameworks ----------------------------------------------------------------------------------


@contextlib.contextmanager
def failing(stage: str, wanted: str) -> Iterator[None]:
    if stage == wanted:
        raise ZeroDivisionError(f"no {stage}")
    yield


def starlette(log: list[str], fails_at: str) -> Any:
    from starlette.applications import Starlette

    return Starlette(lifespan=of_starlette("starlette", log, fails_at))


def fastapi(log: list[str], fails_at: str) -> Any:
    from fastapi import FastAPI

    return FastAPI(lifespan=of_starlette("fastapi", log, fails_at))


def of_starlette(name: str, log: list[str], fails_at: str) -> Any:
    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        with failing("startup", fails_at):
            log.append(f"{name} up")
        yield {"name": name}
        with failing("shutdown", fails_at):
            log.append(f"{name} down")

    return lifespan


def litestar(log: list[str], fails_at: str) -> Any:
    from litestar import Litestar

    def up() -> None:
        with failing("startup", fails_at):
            log.append("litestar up")

    def down() -> None:
        with failing("shutdown", fails_at):
            log.append("litestar down")

    return Litestar(on_startup=[up], on_shutdown=[down])


frameworks = pytest.mark.parametrize("make", [starlette, fastapi, litestar])


@on_asyncio
@frameworks
async def test_lifespans_of_frameworks(
    app: Kolben, log: list[str], make: Callable[[list[str], str], Any]
) -> None:
    name = make.__name__
    app.mount("/other", make(log, ""))
    app.mount("/last", asgi("last", log))
    assert await life(app) == ["startup.complete", "shutdown.complete"]
    up, down = ["outer up", f"{name} up", "last up"], ["last down", f"{name} down", "outer down"]
    assert log == up + down


@on_asyncio
@frameworks
async def test_failures_of_frameworks(
    app: Kolben, log: list[str], make: Callable[[list[str], str], Any]
) -> None:
    app.mount("/first", asgi("first", log))
    app.mount("/other", make(log, "startup"))
    stage, message = await life(app)
    assert stage == "startup.failed"
    assert "The application at '/other' (" in message
    assert "ZeroDivisionError" in message
    assert [line for line in log if "litestar" not in line] == [
        "outer up",
        "first up",
        "first down",
        "outer down",
    ]
