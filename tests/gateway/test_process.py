"""What a process that serves WSGI has once, and when it gets and leaves it."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kolben import Kolben, g
from kolben.gateway.process import worker_process
from kolben.local import process, wait


@pytest.fixture
def app(colour: Any) -> Kolben:
    app = Kolben(__name__)

    @app.get("/")
    @colour
    def view() -> Any:
        return "x"

    return app


def loops() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "kolben-loop"]


def run_script(script: str, *arguments: str) -> list[str]:
    """Run a program that makes WSGI requests, and give the lines that it prints."""
    head = f"""
        import asyncio, os, sys, threading
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from conftest import Exchange
        from kolben import Kolben
        from kolben.gateway.process import worker_process

        def say(*words):
            os.write(1, (" ".join(map(str, words)) + "\\n").encode())

        def ask(app, path="/"):
            return Exchange(app, path).begin().finish().body.decode()
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(head) + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_loop_is_made_when_something_first_wants_it(exchange: Any) -> None:
    app = Kolben(__name__)

    @app.get("/def")
    def view() -> Any:
        return "def"

    @app.get("/async")
    async def view_async() -> Any:
        return str(threading.current_thread().name)

    assert loops() == []
    exchange(app, "/def").begin().finish()
    assert loops() == [] and worker_process().loop is None
    for _ in range(2):
        assert exchange(app, "/async").begin().finish().body == b"kolben-loop"
        assert len(loops()) == 1
    worker_process().end()
    assert loops() == [] and worker_process().loop is None and process.portal is None
    worker_process().end()


def test_requests_of_several_threads_share_the_loop(exchange: Any) -> None:
    apps = [Kolben("one"), Kolben("two")]
    barrier = asyncio.Barrier(8)
    found: set[Any] = set()

    for app in apps:

        @app.get("/")
        async def view() -> Any:
            await barrier.wait()  # nobody goes on before all are here
            found.add(asyncio.get_running_loop())
            return "x"

    def one(number: int) -> bytes:
        return exchange(apps[number % 2]).begin().finish().body  # type: ignore[no-any-return]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(8))) == [b"x"] * 8
    assert len(found) == 1 and len(loops()) == 1


def test_requests_of_several_threads_do_not_mix(exchange: Any) -> None:
    app = Kolben(__name__)
    own: contextvars.ContextVar[str] = contextvars.ContextVar("own")
    threads_of: dict[str, set[int]] = {}

    @app.before_request
    async def before() -> None:
        await asyncio.sleep(0)

    @app.url_value_preprocessor
    def note(endpoint: Any, values: Any) -> None:
        g.name = values["name"]
        own.set(g.name)
        threads_of.setdefault(g.name, set()).add(threading.get_ident())

    @app.get("/async/<name>")
    async def on_loop(name: str) -> Any:
        await asyncio.sleep(0.0001)
        return f"{name} {g.name} {own.get()}"

    @app.get("/def/<name>")
    def in_thread(name: str) -> Any:
        return f"{name} {g.name} {own.get()}"

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        threads_of[g.name].add(threading.get_ident())
        assert own.get() == g.name

    def some(number: int) -> None:
        for index in range(50):
            name = f"{number}-{index}"
            body = exchange(app, f"/{('async', 'def')[index % 2]}/{name}").begin().finish().body
            assert body.decode() == f"{name} {name} {name}"
            assert threads_of[name] == {threading.get_ident()}

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(some, range(8)))


def test_the_lifespan_begins_once_before_the_first_of_many_requests(
    app: Kolben, exchange: Any, colour: Any
) -> None:
    began: list[Any] = []
    ready = threading.Event()
    barrier = threading.Barrier(8)

    @app.before_serving
    @colour
    def start() -> None:
        began.append("start")
        ready.wait(0.05)  # gives the others time to overtake, if they could
        began.append("started")

    @app.before_request
    def hook() -> None:
        began.append("request")

    def one(number: int) -> None:
        barrier.wait()
        assert exchange(app).begin().finish().body == b"x"

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(8)))
    assert began == ["start", "started", *["request"] * 8]


def test_a_start_that_fails_is_tried_again(app: Kolben, exchange: Any, colour: Any) -> None:
    seen: list[str] = []

    @app.while_serving
    def first() -> Iterator[None]:
        seen.append("first")
        yield
        seen.append("undone")

    @app.before_serving
    @colour
    def start() -> None:
        seen.append("start")
        if seen.count("start") < 3:
            raise LookupError("not yet")

    for _ in range(2):
        one = exchange(app)
        with pytest.raises(LookupError, match="not yet"):
            one.begin()
        assert one.started == []
    for _ in range(2):
        assert exchange(app).begin().finish().body == b"x"
    assert seen.count("start") == 3
    assert seen.count("first") == seen.count("undone") + (seen.count("first") > 0)


def test_what_ends_is_undone_in_reverse_whatever_fails(
    exchange: Any, colour: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[str] = []

    def make(name: str) -> Kolben:
        app = Kolben(name)

        @app.get("/")
        @colour
        def view() -> Any:
            return name

        @app.after_serving
        @colour
        def stop() -> None:
            ended.append(name)
            if name == "two":
                raise LookupError(name)

        return app

    for app in [make("one"), make("two"), make("three")]:
        exchange(app).begin().finish()
    worker_process().end()
    assert ended == ["three", "two", "one"]
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["two"]


def test_what_begins_does_not_belong_to_the_first_request(exchange: Any, app: Kolben) -> None:
    own: contextvars.ContextVar[str] = contextvars.ContextVar("own", default="unset")

    @app.before_serving
    async def start() -> None:
        own.set("by the lifespan")

    @app.before_request
    def hook() -> Any:
        return own.get()

    assert exchange(app).begin().finish().body == b"unset"
    assert own.get() == "unset"


def test_synchronous_code_waits_by_the_same_loop(exchange: Any) -> None:
    app = Kolben(__name__)
    found: list[Any] = []

    async def note() -> None:
        await asyncio.sleep(0)
        found.append(asyncio.get_running_loop())

    @app.get("/def")
    def view() -> Any:
        wait(note())
        app.ensure_sync(note)()
        return "x"

    @app.get("/async")
    async def view_async() -> Any:
        await note()
        return "x"

    @app.get("/stream")
    def stream() -> Any:
        def pieces() -> Iterator[str]:
            wait(note())
            yield "x"

        return pieces()

    for path in ("/def", "/async", "/stream"):
        assert exchange(app, path).begin().finish().body == b"x"
    assert len(found) == 4 and len(set(found)) == 1


def test_a_process_that_ends_leaves_no_request_waiting(exchange: Any) -> None:
    app = Kolben(__name__)
    here = threading.Event()

    @app.get("/")
    async def view() -> Any:
        here.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        pending = threads.submit(exchange(app, validated=False).begin)
        assert here.wait(20)
        worker_process().end()
        with pytest.raises(RuntimeError, match="no response"):
            pending.result(20)


def test_the_end_of_the_interpreter_undoes_the_lifespan() -> None:
    assert run_script("""
        def make(name):
            app = Kolben(name)

            @app.while_serving
            async def serving():
                say(name, "begins")
                yield
                say(name, "ends", threading.current_thread().name)

            @app.after_serving
            def stop():
                say(name, "stops")

            @app.get("/")
            def view():
                return name

            return app

        one, two = make("one"), make("two")
        say(ask(one))
        say(ask(two))
        say(ask(one))
    """) == [
        *("one begins", "one", "two begins", "two", "one"),
        *("two ends kolben-loop", "two stops", "one ends kolben-loop", "one stops"),
    ]


def test_importing_and_preparing_an_application_starts_nothing() -> None:
    assert run_script("""
        app = Kolben("app")

        @app.before_serving
        async def start():
            say("start")

        @app.get("/")
        async def view():
            return "x"

        app.test_client(), app.url_map
        say(threading.active_count(), worker_process().loop)
    """) == ["1 None"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_fork_begins_anew(colour: str) -> None:
    """Also where the parent has served a request before: ``--preload`` and a look at itself."""
    lines = run_script(f"""
        app = Kolben("app")

        @app.while_serving
        async def serving():
            say(os.getpid() == parent, "begins")
            yield
            say(os.getpid() == parent, "ends")

        @app.before_request
        async def hook():
            await asyncio.sleep(0)

        @app.get("/")
        {colour} view():
            return f"{{os.getpid() == parent}}"

        parent = os.getpid()
        say("parent", ask(app))
        say(threading.active_count())
        for number in range(2):
            pid = os.fork()
            if not pid:
                say(worker_process().loop)
                threads = [
                    threading.Thread(target=lambda: say("child", ask(app))) for _ in range(2)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                sys.exit()
            assert os.waitpid(pid, 0)[1] == 0
        say("parent", ask(app))
    """)
    child = ["None", "False begins", "child False", "child False", "False ends"]
    assert lines == ["True begins", "parent True", "2", *child * 2, "parent True", "True ends"]
