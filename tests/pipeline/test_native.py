"""Mailboxes and threads, as they are and as gevent makes them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from importlib.util import find_spec
from queue import Empty
from typing import Any

import pytest

from kolben.local import thread
from kolben.pipeline.native import Box, start_thread, waiting


def test_a_box_gives_what_is_wanted_and_keeps_the_rest() -> None:
    box = Box()
    for item in ("a", "b", "c"):
        box.put(item)
    assert box.wait_for(lambda item: item == "b") == "b"
    assert box.wait_for(lambda item: True) == "a"
    assert box.wait_for(lambda item: True) == "c"
    with pytest.raises(Empty):
        box.wait_for(lambda item: True, timeout=0)


def test_jobs_are_done_while_something_is_waited_for() -> None:
    box = Box()
    done: list[Any] = []
    box.put(lambda: done.append(thread.box))
    box.put("end")
    assert box.wait_for("end".__eq__) == "end"
    assert done == [box] and thread.box is None


def test_a_job_may_wait_itself() -> None:
    with waiting() as box:

        def job() -> None:
            with waiting() as inner:
                assert inner is box
                assert inner.wait_for("inner".__eq__) == "inner"

        # What the wait outside wants comes while the one inside waits.
        for item in (job, "outer", "inner"):
            box.put(item)
        assert box.wait_for("outer".__eq__) == "outer"
    assert thread.box is None


def test_a_job_that_raises_ends_the_wait() -> None:
    box = Box()

    def job() -> None:
        raise LookupError("of the job")

    box.put(job)
    with pytest.raises(LookupError, match="of the job"):
        box.wait_for(lambda item: False)
    assert thread.box is None


def test_a_thread_can_be_waited_for() -> None:
    seen: list[Any] = []
    end = start_thread(lambda word: seen.append((word, threading.current_thread().name)), "t", "x")
    end()
    assert seen == [("x", "t")]


HEAD = """
    from gevent import monkey
    monkey.patch_all()
    import asyncio, sys, gevent
    from gevent.monkey import get_original
    from kolben import Kolben, g, request
    from kolben.gateway.process import worker_process
    from kolben.pipeline.native import Box, GreenletMailbox, greenlets, start_thread, waiting

    get_ident = get_original("_thread", "get_ident")
    main = get_ident()
    assert greenlets()

    def ask(app, path="/", **environ):
        heads = []
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost",
            "wsgi.url_scheme": "http", "wsgi.input": None, **environ,
        }
        body = app(environ, lambda status, headers: heads.append(status))
        try:
            return heads[0][:3] + " " + b"".join(body).decode()
        finally:
            getattr(body, "close", lambda: None)()
"""


def under_gevent(script: str) -> list[str]:
    """Run a program whose threads are greenlets, and give what it prints."""
    if find_spec("gevent") is None:
        if os.environ.get("CI"):
            pytest.fail("not installed: gevent")
        pytest.skip("not installed: gevent")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(HEAD) + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_other_greenlets_run_while_one_waits() -> None:
    assert under_gevent("""
        def waits(name, seconds):
            with waiting() as box:
                def put():
                    get_original("time", "sleep")(seconds)
                    box.put(lambda: print(name, "job", get_ident() == main))
                    box.put(name)
                start_thread(put, name)
                print(name, "waits")
                print(box.wait_for(name.__eq__), "ends")

        both = [gevent.spawn(waits, "one", 0.3), gevent.spawn(waits, "two", 0.05)]
        gevent.spawn(print, "meanwhile")
        gevent.joinall(both, raise_error=True)
    """) == [
        *("one waits", "two waits", "meanwhile"),
        *("two job True", "two ends", "one job True", "one ends"),
    ]


def test_what_came_before_the_wait_is_there() -> None:
    assert under_gevent("""
        box = Box()
        for number in range(3):
            box.put(number)
        print(*(box.wait_for(number.__eq__) for number in (2, 0, 1)))
        box.close()
        box.put("lost")
    """) == ["2 0 1"]


def test_a_thread_is_one_of_the_operating_system() -> None:
    assert under_gevent("""
        found = []
        end = start_thread(lambda: found.append(get_ident()), "name")
        end()
        print(found[0] != main)
    """) == ["True"]


def test_requests_in_greenlets_share_the_loop_and_keep_to_themselves() -> None:
    assert under_gevent("""
        app = Kolben("app")
        barrier = asyncio.Barrier(20)
        began = []

        @app.while_serving
        async def serving():
            began.append("began")
            await asyncio.sleep(0.01)
            yield
            print("ended")

        @app.before_request
        def hook():
            g.name = request.path
            assert get_ident() == main
            gevent.sleep(0.001)

        @app.get("/async/<int:number>")
        async def on_loop(number):
            assert get_ident() != main
            await barrier.wait()  # nobody goes on before all are here
            return g.name

        @app.get("/def/<int:number>")
        def in_greenlet(number):
            gevent.sleep(0.001)
            return g.name

        @app.get("/stream/<int:number>")
        async def stream(number):
            async def pieces(name=g.name):
                for piece in name:
                    await asyncio.sleep(0)
                    yield piece
            return pieces()

        @app.teardown_request
        def teardown(error):
            gevent.sleep(0.001)
            assert get_ident() == main and g.name == request.path

        for kind in ("def", "async", "stream"):
            paths = [f"/{kind}/{number}" for number in range(20)]
            jobs = [gevent.spawn(ask, app, path) for path in paths]
            gevent.joinall(jobs, raise_error=True)
            print(kind, [job.value for job in jobs] == ["200 " + path for path in paths])
        print(began)
    """) == ["def True", "async True", "stream True", "['began']", "ended"]


def test_a_slow_async_view_does_not_stop_the_other_greenlets() -> None:
    assert under_gevent("""
        app = Kolben("app")
        go_on = asyncio.Event()

        @app.get("/slow")
        async def slow():
            await go_on.wait()
            return "slow"

        @app.get("/def")
        def view():
            return "def"

        @app.get("/go")
        async def go():
            go_on.set()
            return "go"

        waits = gevent.spawn(ask, app, "/slow")
        gevent.sleep(0.01)
        print(ask(app, "/def"), ask(app, "/go"))
        waits.join()
        print(waits.value)
    """) == ["200 def 200 go", "200 slow"]


def test_a_greenlet_that_is_killed_hangs_up() -> None:
    assert under_gevent("""
        app = Kolben("app")

        @app.get("/")
        async def view():
            try:
                await asyncio.Event().wait()
            finally:
                print("cancelled")

        waits = gevent.spawn(ask, app)
        gevent.sleep(0.05)
        waits.kill()
        print(ask(app, "/missing")[:3])
    """) == ["cancelled", "404"]
