"""Worker threads, and the way there and back."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
import traceback
import weakref
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from kolben.local import wait
from kolben.pipeline import lanes
from kolben.pipeline.lanes import Lane, write_back

var: ContextVar[str] = ContextVar("var", default="unset")


def threads_named(name: str) -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == name]


def until(condition: Any) -> bool:
    """Whether a condition comes true within a second or so."""
    for _ in range(300):
        if condition():
            return True
        threading.Event().wait(0.005)
    return False


@pytest.mark.anyio
async def test_a_job_returns_or_raises() -> None:
    lane = Lane("t-basic", 2)

    def double(value: int) -> int:
        assert threading.current_thread() is not main
        return value * 2

    def fail() -> None:
        raise ZeroDivisionError("in thread")

    main = threading.current_thread()
    assert await lane.run(double, 2) == 4
    with pytest.raises(ZeroDivisionError) as caught:
        await lane.run(fail)
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "fail" in frames
    assert "test_a_job_returns_or_raises" in frames


@pytest.mark.anyio
async def test_context_variables_go_there_and_come_back() -> None:
    lane = Lane("t-vars", 1)

    def change() -> str:
        seen = var.get()
        var.set("from thread")
        return seen

    def fail() -> None:
        var.set("from failure")
        raise ValueError

    var.set("from loop")
    assert await lane.run(change) == "from loop"
    assert var.get() == "from thread"
    with pytest.raises(ValueError):
        await lane.run(fail)
    assert var.get() == "from failure"


@pytest.mark.anyio
async def test_a_thread_can_wait_for_the_loop_it_came_from() -> None:
    lane = Lane("t-portal", 1)
    loop_thread = threading.current_thread()

    async def on_loop(value: int) -> int:
        assert threading.current_thread() is loop_thread
        assert var.get() == "thread"
        await anyio.sleep(0.001)
        var.set("loop")
        return value + 1

    async def fail() -> None:
        var.set("failed")
        raise ZeroDivisionError

    def work() -> int:
        var.set("thread")
        result = wait(on_loop(1))
        assert var.get() == "loop"
        with pytest.raises(ZeroDivisionError):
            wait(fail())
        assert var.get() == "failed"
        return result

    assert await lane.run(work) == 2


@pytest.mark.anyio
async def test_no_more_jobs_at_once_than_the_lane_has_threads() -> None:
    lane = Lane("t-bound", 3)
    lock = threading.Lock()
    running = most = 0
    order: list[int] = []

    def work(number: int) -> None:
        nonlocal running, most
        with lock:
            order.append(number)
            running += 1
            most = max(most, running)
        threading.Event().wait(0.005)
        with lock:
            running -= 1

    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(lane.run, work, number)
            await anyio.sleep(0)
    assert most == 3
    assert sorted(order) == list(range(12))


@pytest.mark.anyio
async def test_the_rest_waits_in_order_and_can_be_counted() -> None:
    lane = Lane("t-order", 1)
    gate, started = threading.Event(), threading.Event()
    order: list[int] = []

    def first() -> None:
        started.set()
        gate.wait(10)

    async with anyio.create_task_group() as group:
        group.start_soon(lane.run, first)
        while not started.is_set():
            await anyio.sleep(0.001)
        for number in range(5):
            group.start_soon(lane.run, order.append, number)
            for _ in range(3):
                await anyio.sleep(0)
        assert lane.waiting == 5
        gate.set()
    assert order == list(range(5))
    assert until(lambda: lane.waiting == 0)


@pytest.mark.anyio
async def test_one_lane_does_not_delay_another() -> None:
    slow, quick = Lane("t-slow", 1), Lane("t-quick", 1)
    gate = threading.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(slow.run, gate.wait, 10)
        assert await quick.run(lambda: "quick") == "quick"
        gate.set()


@pytest.mark.anyio
async def test_a_cancelled_wait_ends_when_the_thread_has_finished() -> None:
    lane = Lane("t-cancel", 1)
    gate, started = threading.Event(), threading.Event()
    finished: list[bool] = []

    def work() -> None:
        started.set()
        gate.wait(10)
        finished.append(True)

    async with anyio.create_task_group() as group:
        group.start_soon(lane.run, work)
        while not started.is_set():
            await anyio.sleep(0.001)
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            for _ in range(5):
                await anyio.sleep(0.001)
            assert finished == []
            gate.set()
    assert finished == [True]


def test_a_wait_cancelled_twice_still_waits() -> None:
    lane = Lane("t-twice", 1)
    gate = threading.Event()
    finished: list[bool] = []

    def work() -> None:
        gate.wait(10)
        finished.append(True)

    async def main() -> None:
        task = asyncio.create_task(lane.run(work))
        for _ in range(2):
            await asyncio.sleep(0.001)
            task.cancel()
        await asyncio.sleep(0.001)
        assert not task.done()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert finished == [True]


def test_threads_are_kept_for_the_next_job() -> None:
    lane = Lane("t-kept", 5)

    async def main() -> set[int]:
        found = set()
        for _ in range(10):
            found.add(await lane.run(threading.get_ident))
            await asyncio.sleep(0.001)
        return found

    assert len(asyncio.run(main())) == 1


def test_threads_without_work_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "IDLE_SECONDS", 0.01)
    lane = Lane("t-idle", 3)

    async def main() -> None:
        await asyncio.gather(*(lane.run(threading.Event().wait, 0.002) for _ in range(3)))

    asyncio.run(main())
    assert until(lambda: not threads_named("t-idle"))
    asyncio.run(main())  # and start again


@pytest.mark.parametrize("how", ["close", "free"])
def test_threads_end_at_once_with_their_lane(how: str) -> None:
    name = f"t-{how}"
    lane: Lane | None = Lane(name, 4)

    async def main(lane: Lane) -> None:
        # None of them goes on before all are there, so that each has a thread of its own.
        together = threading.Barrier(4)
        await asyncio.gather(*(lane.run(together.wait, 20) for _ in range(4)))

    assert lane is not None
    asyncio.run(main(lane))
    assert len(threads_named(name)) == 4
    if how == "close":
        lane.close()
        assert until(lambda: not threads_named(name))
        asyncio.run(main(lane))  # a closed lane works on
        lane.close()
    else:
        lane = None
    assert until(lambda: not threads_named(name))


def test_a_lane_is_freed_with_its_threads_running() -> None:
    gc.collect()
    gc.disable()
    try:
        lane = Lane("t-freed", 1)
        asyncio.run(lane.run(lambda: None))
        ref = weakref.ref(lane)
        del lane
        assert ref() is None
    finally:
        gc.enable()


def test_what_a_job_held_is_freed_with_the_result() -> None:
    class Thing:
        pass

    async def main() -> None:
        thing: Any = Thing()
        ref = weakref.ref(thing)
        await lane.run(lambda thing: None, thing)
        del thing
        assert await anyio.to_thread.run_sync(until, lambda: ref() is None)

    lane = Lane("t-held", 1)
    gc.collect()
    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


def test_one_lane_serves_several_loops() -> None:
    lane = Lane("t-loops", 2)
    results: list[int] = []

    def serve() -> None:
        async def main() -> None:
            for number in range(20):
                results.append(await lane.run(int, number))

        asyncio.run(main())

    threads = [threading.Thread(target=serve) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results) == sorted(list(range(20)) * 4)


def test_another_thread_may_take_the_job() -> None:
    """What a test client does: the job runs where the test waits."""
    lane = Lane("t-worker", 1)
    jobs: list[Any] = []

    async def main() -> str:
        task = asyncio.create_task(lane.run(lambda: "done", worker=jobs.append))
        await asyncio.sleep(0)
        jobs.pop()()
        return await task

    assert asyncio.run(main()) == "done"


def test_a_job_that_ends_after_its_loop_harms_nobody() -> None:
    lane = Lane("t-late", 1)
    gate, done = threading.Event(), threading.Event()

    def work() -> None:
        gate.wait(10)
        done.set()

    loop = asyncio.new_event_loop()
    coro = lane.run(work)
    task = loop.create_task(coro)
    loop.run_until_complete(asyncio.sleep(0.001))
    loop.close()
    gate.set()
    assert done.wait(5)
    assert until(lambda: lane._threads.open == 0)
    # A task that its loop has forgotten complains when it is freed; it is not this test's.
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    coro.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    script = """
        import asyncio, os, sys, warnings
        warnings.simplefilter("ignore")
        from kolben.pipeline.lanes import Lane

        lane = Lane("forked", 2)
        print(asyncio.run(lane.run(lambda: "parent")), flush=True)
        lane._threads.lock.acquire()  # as another thread may hold it at that moment
        pid = os.fork()
        if pid == 0:
            print(asyncio.run(asyncio.wait_for(lane.run(lambda: "child"), 10)), flush=True)
            os._exit(0)
        lane._threads.lock.release()
        _, status = os.waitpid(pid, 0)
        print(asyncio.run(lane.run(lambda: "parent again")), flush=True)
        sys.exit(os.waitstatus_to_exitcode(status))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.splitlines() == ["parent", "child", "parent again"], done.stderr
    assert done.returncode == 0


def test_write_back_sets_what_differs() -> None:
    from contextvars import copy_context

    other = copy_context()
    other.run(var.set, "other")
    here = copy_context()

    def check() -> str:
        write_back(other)
        return var.get()

    assert here.run(check) == "other"
