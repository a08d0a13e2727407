"""Where the steps of a request run."""

from __future__ import annotations

import functools
import threading
from typing import Any

import anyio
import pytest

from kolben import Kolben, Response, g, request
from kolben.pipeline.drivers import is_async

pytestmark = pytest.mark.anyio


def test_what_is_async() -> None:
    async def function() -> None: ...

    class Views:
        async def method(self) -> None: ...
        def plain(self) -> None: ...
        async def __call__(self) -> None: ...

    assert is_async(function)
    assert is_async(functools.partial(functools.partial(function)))
    assert is_async(Views().method)
    assert is_async(Views())
    assert not is_async(Views().plain)
    assert not is_async(lambda: function())
    assert not is_async(functools.partial(print))


def note(log: list[Any], name: str, result: Any = None, error: Any = None) -> Any:
    """A def step that writes the thread it runs on."""

    def step(*args: Any) -> Any:
        log.append((name, threading.current_thread()))
        if error is not None:
            raise error
        return args[0] if result is response_of else result

    return step


def note_async(log: list[Any], name: str, result: Any = None, error: Any = None) -> Any:
    """The same as an async def step."""
    step = note(log, name, result, error)

    async def step_async(*args: Any) -> Any:
        await anyio.sleep(0)
        return step(*args)

    return step_async


response_of = object()


def register(app: Kolben, make: Any, log: list[Any]) -> None:
    app.url_value_preprocessor(make(log, "values"))
    app.before_request(make(log, "before"))
    app.register_error_handler(KeyError, make(log, "handler", "handled"))
    app.after_request(make(log, "after", response_of))
    app.teardown_request(make(log, "teardown"))
    app.teardown_appcontext(make(log, "teardown app"))


STEPS = ["values", "before", "view", "handler", "after", "teardown", "teardown app"]


async def test_a_def_chain_runs_on_one_worker_thread() -> None:
    app, log = Kolben("drivers"), []
    register(app, note, log)
    app.add_url_rule("/", "view", note(log, "view", error=KeyError()))
    assert (await app.test_client().get("/")).text == "handled"
    assert [name for name, _ in log] == STEPS
    (thread,) = {thread for _, thread in log}
    assert thread is not threading.current_thread()


async def test_async_steps_of_a_def_chain_run_on_the_loop() -> None:
    app, log = Kolben("drivers"), []
    register(app, note_async, log)
    app.add_url_rule("/", "view", note(log, "view", error=KeyError()))
    assert (await app.test_client().get("/")).text == "handled"
    assert [name for name, _ in log] == STEPS
    here = threading.current_thread()
    assert {name for name, thread in log if thread is not here} == {"view"}


async def test_def_steps_of_an_async_chain_run_in_worker_threads() -> None:
    app, log = Kolben("drivers"), []
    register(app, note, log)
    app.add_url_rule("/", "view", note_async(log, "view", error=KeyError()))
    assert (await app.test_client().get("/")).text == "handled"
    assert [name for name, _ in log] == STEPS
    here = threading.current_thread()
    assert {name for name, thread in log if thread is here} == {"view"}


async def test_an_async_chain_runs_on_the_loop() -> None:
    app, log = Kolben("drivers"), []
    register(app, note_async, log)
    app.add_url_rule("/", "view", note_async(log, "view", error=KeyError()))
    await app.test_client().get("/")
    assert {thread for _, thread in log} == {threading.current_thread()}


def test_a_synchronous_test_sees_the_def_chain_in_its_own_thread() -> None:
    app, log = Kolben("drivers"), []
    register(app, note, log)
    app.add_url_rule("/", "view", note(log, "view", error=KeyError()))
    app.test_client().get("/")
    assert {thread for _, thread in log} == {threading.current_thread()}


async def test_objects_bound_to_a_thread_work_in_g() -> None:
    import sqlite3

    app = Kolben("drivers")

    @app.before_request
    def connect() -> None:
        g.db = sqlite3.connect(":memory:")

    @app.teardown_appcontext
    def close(error: BaseException | None) -> None:
        g.pop("db").close()

    @app.get("/")
    def view() -> str:
        return str(g.db.execute("select 1").fetchone()[0])

    app.testing = True
    for _ in range(3):
        assert (await app.test_client().get("/")).text == "1"


async def test_a_def_view_that_waits_does_not_delay_async_views() -> None:
    app = Kolben("drivers")
    gate, started = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow() -> str:
        started.set()
        gate.wait(10)
        return "slow"

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    found: list[str] = []

    async def ask(path: str) -> None:
        found.append((await app.test_client().get(path)).text)

    async with anyio.create_task_group() as group:
        group.start_soon(ask, "/slow")
        while not started.is_set():
            await anyio.sleep(0.001)
        await ask("/quick")
        gate.set()
    assert found == ["quick", "slow"]


async def test_worker_threads_bounds_the_def_views() -> None:
    app = Kolben("drivers")
    app.config["WORKER_THREADS"] = 2
    gate = threading.Event()
    lock = threading.Lock()
    running: list[str] = []

    @app.get("/<name>")
    def view(name: str) -> str:
        with lock:
            running.append(name)
        gate.wait(10)
        return name

    found: list[str] = []

    async def ask(name: str) -> None:
        found.append((await app.test_client().get(f"/{name}")).text)

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(ask, f"n{number}")
        while len(running) < 2 or app.view_lane.waiting < 3:
            await anyio.sleep(0.001)
        assert len(running) == 2
        gate.set()
    assert sorted(found) == [f"n{number}" for number in range(5)]


async def test_more_def_views_with_async_hooks_than_threads() -> None:
    """Each holds its thread while a hook waits on the loop; none may need a second one."""
    app = Kolben("drivers")
    app.config["WORKER_THREADS"] = 1

    @app.before_request
    async def before() -> None:
        await anyio.sleep(0.001)

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        await anyio.sleep(0)

    @app.get("/<name>")
    def view(name: str) -> str:
        return request.path

    found: list[str] = []

    async def ask(name: str) -> None:
        found.append((await app.test_client().get(f"/{name}")).text)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(ask, f"n{number}")
    assert sorted(found) == [f"/n{number}" for number in range(5)]


@pytest.mark.parametrize("stage", ["full_dispatch_request", "handle_user_exception"])
async def test_a_replaced_stage_needs_one_thread_only(stage: str) -> None:
    app = Kolben("drivers")
    app.config["WORKER_THREADS"] = 1
    original = getattr(app, stage)
    setattr(app, stage, lambda *args: original(*args))
    app.before_request(lambda: None)
    app.register_error_handler(KeyError, lambda error: "handled")

    @app.get("/<name>")
    async def view(name: str) -> str:
        await anyio.sleep(0.001)
        raise KeyError

    found: list[str] = []

    async def ask(name: str) -> None:
        found.append((await app.test_client().get(f"/{name}")).text)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(ask, f"n{number}")
    assert found == ["handled"] * 4


async def test_tracebacks_cross_threads() -> None:
    app = Kolben("drivers")
    app.testing = True

    async def deep() -> None:
        raise ZeroDivisionError

    @app.before_request
    async def before() -> None:
        if request.path == "/hook":
            await deep()

    @app.get("/")
    def view() -> str:
        raise ZeroDivisionError

    @app.get("/hook")
    def hooked() -> str:
        return ""

    for path, name in (("/", "view"), ("/hook", "deep")):
        with pytest.raises(ZeroDivisionError) as caught:
            await app.test_client().get(path)
        assert name in [entry.name for entry in caught.traceback]


async def test_a_def_view_may_wait_for_async_code() -> None:
    app = Kolben("drivers")
    loop_thread = threading.current_thread()

    async def fetch(value: int) -> tuple[int, bool, str]:
        await anyio.sleep(0)
        return value, threading.current_thread() is loop_thread, request.path

    @app.get("/")
    def view() -> Any:
        return list(app.ensure_sync(fetch)(1))

    assert (await app.test_client().get("/")).json == [1, True, "/"]


async def test_functions_registered_during_a_request_are_of_either_colour() -> None:
    from kolben import after_this_request

    app, log = Kolben("drivers"), []

    def view() -> str:
        after_this_request(note(log, "def", response_of))
        after_this_request(note_async(log, "async", response_of))
        return ""

    async def view_async() -> str:
        return view()

    app.add_url_rule("/def", "def", view)
    app.add_url_rule("/async", "async", view_async)
    here = threading.current_thread()
    for path in ("/def", "/async"):
        log.clear()
        assert isinstance(await app.test_client().get(path), Response)
        assert [(name, thread is here) for name, thread in log] == [
            ("def", False),
            ("async", True),
        ]
