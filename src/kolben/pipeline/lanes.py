"""Worker threads, and the way there and back.

A lane is a bounded set of threads for one kind of work: views, or file I/O. Lanes are
separate so that slow work of one kind never delays another. Threads start when there is work
and end after a while without any.

Going to a thread takes the caller's context variables along and brings back what changed;
code in the thread can have a coroutine run on the event loop that it came from, and wait.
"""

from __future__ import annotations

import os
import weakref
from asyncio import AbstractEventLoop, CancelledError, Future, Task, _get_running_loop
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context as Variables
from contextvars import copy_context
from queue import Empty
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..local import running_backend, thread
from .native import SimpleQueue, make_lock, start_thread, waiting

if TYPE_CHECKING:
    from anyio import CapacityLimiter

T = TypeVar("T")
Job = Callable[[], None]
Submit = Callable[[Job], None]

_unset: Any = object()
#: Seconds that a thread waits for more work before it ends.
IDLE_SECONDS = 10.0


def write_back(variables: Variables) -> None:
    """Set in the current context what ``variables`` holds and this context does not."""
    for var, value in variables.items():
        if var.get(_unset) is not value:
            var.set(value)


class _Threads:
    """The part of a lane that its threads hold on to, so that a lane itself can be freed."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size = name, size
        self.reset()

    def reset(self) -> None:
        self.jobs: SimpleQueue[tuple[Job, Job] | None] = SimpleQueue()
        # Reentrant: the lane that owns this may be freed in a thread that holds it.
        self.lock = make_lock()
        self.alive = 0
        #: Jobs given and not finished: more of them than threads means that one must wait.
        self.open = 0
        self.pid = os.getpid()

    def submit(self, job: Job, after: Job) -> None:
        """Have a job done, and say so when its thread is free again.

        :param after: Says so; whoever hears of it and has another job finds the thread free.
        """
        if self.pid != os.getpid():  # a fork takes none of the threads along
            self.reset()
        with self.lock:
            self.open += 1
            grow = self.open > self.alive and self.alive < self.size
            self.alive += grow
        self.jobs.put((job, after))
        if grow:
            try:
                start_thread(self.work, self.name)
            except RuntimeError:  # Python 3.12 starts none while it ends: it is done here
                with self.lock:
                    self.alive -= 1
                self.work_once()

    def work(self) -> None:
        jobs, lock = self.jobs, self.lock
        while True:
            try:
                entry = jobs.get(timeout=IDLE_SECONDS)
            except Empty:
                with lock:
                    # A job may have come between the timeout and this lock.
                    if jobs.empty():
                        self.alive -= 1
                        return
                continue
            if entry is None:  # one for each thread that is to end, already counted out
                return
            job, after = entry
            job()
            with lock:
                self.open -= 1
            after()
            del entry, job, after  # what they hold must not wait for the next job

    def work_once(self) -> None:
        """Do one job, in the thread that wants it done."""
        try:
            entry = self.jobs.get_nowait()
        except Empty:
            return
        if entry is not None:
            job, after = entry
            job()
            with self.lock:
                self.open -= 1
            after()

    def stop(self) -> None:
        with self.lock:
            ending, self.alive = self.alive, 0
        for _ in range(ending):
            self.jobs.put(None)


class _Outcome(Generic[T]):
    """What a job came to, and the future of the task that waits for it."""

    __slots__ = ("done", "error", "future", "loop", "result")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.future: Future[None] = loop.create_future()
        self.done = False
        self.error: BaseException | None = None
        self.result: T

    def arrive(self) -> None:
        self.done = True
        if not self.future.done():
            self.future.set_result(None)

    def take(self) -> T:
        """What the job returned; or what it raised is raised."""
        error, self.error = self.error, None  # its traceback will lead to whoever holds this
        if error is None:
            return self.result
        try:
            raise error
        finally:
            del error

    async def wait(self, when_cancelled: Callable[[], object] | None) -> None:
        """Wait for the job even when the waiting task is cancelled, then pass that on."""
        try:
            return await self.future
        except CancelledError as error:
            cancelled = error
        if when_cancelled is not None:
            when_cancelled()
        while not self.done:
            self.future = self.loop.create_future()
            try:
                await self.future
            except CancelledError as error:
                cancelled = error
        try:
            raise cancelled
        finally:
            del cancelled  # its traceback leads to this frame


class _Inbox:
    """Outcomes on their way to one event loop; one wake-up serves all that have come."""

    def __init__(self) -> None:
        self.outcomes: deque[_Outcome[Any]] = deque()
        self.woken = False

    def put(self, outcome: _Outcome[Any]) -> None:
        self.outcomes.append(outcome)
        if not self.woken:
            self.woken = True
            try:
                outcome.loop.call_soon_threadsafe(self.flush)
            except RuntimeError:  # the loop was closed: nobody waits any more
                self.outcomes.clear()

    def flush(self) -> None:
        self.woken = False
        while self.outcomes:
            self.outcomes.popleft().arrive()


class Lane:
    """A bounded set of worker threads.

    :param name: What the threads are called.
    :param size: How many jobs run at the same time; the rest waits in order.
    """

    def __init__(self, name: str, size: int) -> None:
        self.size = size
        self._threads = _Threads(name, size)
        self._inboxes: weakref.WeakKeyDictionary[AbstractEventLoop, _Inbox] = (
            weakref.WeakKeyDictionary()
        )
        self._limiter: CapacityLimiter | None = None
        weakref.finalize(self, self._threads.stop)

    @property
    def waiting(self) -> int:
        """How many jobs wait for a thread at this moment."""
        if self._limiter is not None:
            return self._limiter.statistics().tasks_waiting
        return max(0, self._threads.open - self._threads.alive)

    def close(self) -> None:
        """Let the threads end when they have finished what they do."""
        self._threads.stop()

    async def run(
        self,
        func: Callable[..., T],
        *args: Any,
        worker: Submit | None = None,
        when_cancelled: Callable[[], object] | None = None,
    ) -> T:
        """Call ``func`` in a thread and wait for what it returns or raises.

        Context variables go along and come back. A cancellation waits until the thread has
        finished, since a thread cannot be stopped. Where no event loop runs, under WSGI, the
        thread that calls this is one that may block, and there is nothing to wait for.

        :param worker: Takes the job instead of this lane's threads; a test client passes the
            calling thread.
        :param when_cancelled: Is called on a cancellation, before the thread has finished. On
            trio the thread is told by itself, when it waits for the loop.
        """
        loop = _get_running_loop()
        if loop is None:
            if running_backend() is None:
                return func(*args)
            return await self._run_on_trio(func, args, worker)
        inbox = self._inboxes.get(loop)
        if inbox is None:
            inbox = self._inboxes[loop] = _Inbox()
        variables = copy_context()
        outcome: _Outcome[T] = _Outcome(loop)

        def job() -> None:
            above, thread.portal = thread.portal, portal
            try:
                outcome.result = variables.run(func, *args)
            except BaseException as error:
                outcome.error = error
            finally:
                thread.portal = above

        def portal(coro: Coroutine[Any, Any, Any]) -> Any:
            return run_on_loop(loop, coro)

        def after() -> None:
            inbox.put(outcome)

        def whole() -> None:
            job()
            after()

        if worker is None:
            self._threads.submit(job, after)
        else:
            worker(whole)
        try:
            await outcome.wait(when_cancelled)
        finally:
            write_back(variables)
        return outcome.take()

    async def _run_on_trio(
        self, func: Callable[..., T], args: tuple[Any, ...], worker: Submit | None
    ) -> T:
        # anyio brings its own threads here; only trio knows how to wake a trio task.
        from anyio import CapacityLimiter, from_thread, to_thread

        if self._limiter is None:
            self._limiter = CapacityLimiter(self.size)
        variables = copy_context()

        def portal(coro: Coroutine[Any, Any, Any]) -> Any:
            before = copy_context()
            after: list[Variables] = []

            async def on_loop() -> Any:
                write_back(before)
                try:
                    return await coro
                finally:
                    after.append(copy_context())

            try:
                return from_thread.run(on_loop)
            finally:
                if after:
                    write_back(after[0])

        def job() -> T:
            above, thread.portal = thread.portal, portal
            try:
                return variables.run(func, *args)
            finally:
                thread.portal = above

        # A thread that waits for trio cannot do a job meanwhile. The one that does it in its place
        # is not counted, or threads that wait could take up all that there may be.
        limiter = self._limiter if worker is None else CapacityLimiter(1)
        try:
            return await to_thread.run_sync(job, limiter=limiter)
        finally:
            write_back(variables)


def run_on_loop(loop: AbstractEventLoop, coro: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of another thread, and wait for what it returns or raises."""
    variables = copy_context()
    with waiting() as box:

        def start() -> None:
            task = loop.create_task(coro, context=variables)
            tasks.append(task)
            task.add_done_callback(box.put)

        tasks: list[Task[T]] = []
        loop.call_soon_threadsafe(start)
        task = box.wait_for(tasks.__contains__)
    write_back(variables)
    try:
        result: T = task.result()
        return result
    finally:
        tasks.clear()
        del task  # an error's traceback leads to this frame
