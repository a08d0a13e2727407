"""What a process that serves WSGI has once: an event loop, and the lifespan of its applications.

All of it is made when the first request wants it, and so after a server has forked its workers.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from ..local import process, thread
from ..pipeline.lanes import run_on_loop
from .background import BackgroundLoop

if TYPE_CHECKING:
    from ..context import Kolben

T = TypeVar("T")


class WorkerProcess:
    """The state of this process; a fork begins anew."""

    def __init__(self) -> None:
        self.loop: BackgroundLoop | None = None
        self.serving: list[Kolben] = []
        self.started: weakref.WeakSet[Kolben] = weakref.WeakSet()

    @property
    def lock(self) -> Any:
        """Held while something is waited for, and so gevent's, which may have come after a fork."""
        return self.__dict__.setdefault("own_lock", threading.RLock())

    def home(self) -> BackgroundLoop:
        """The one event loop that all asynchronous code of the process shares."""
        loop = self.loop
        if loop is None:
            with self.lock:
                loop = self.loop
                if loop is None:
                    loop = self.loop = BackgroundLoop("kolben-loop")
                    atexit.register(self.end)
                    # Granian's workers, made by multiprocessing, end without atexit's functions.
                    if (util := sys.modules.get("multiprocessing.util")) is not None:
                        util.Finalize(None, self.end, exitpriority=1)
        return loop

    def wait(self, coro: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on that loop, and wait for it; see :func:`kolben.local.wait`."""
        return run_on_loop(self.home().loop, coro)

    def begin(self, app: Kolben) -> None:
        """Run what an application wants to run before its first request in this process.

        Whoever comes second waits for the first. After a failure the next one tries again.
        """
        process.portal = self.wait
        thread.renew()
        if app in self.started:
            return
        with self.lock:
            if app not in self.started:
                if app.has_lifespan:
                    # In variables of its own: it does not belong to the request that came first.
                    copy_context().run(self.wait, app.startup())
                    self.serving.append(app)
                self.started.add(app)

    def end(self) -> None:
        """Undo what :meth:`begin` has done, last first, and end the loop."""
        atexit.unregister(self.end)
        try:
            while self.serving:
                app = self.serving.pop()
                try:
                    self.wait(app.shutdown())
                except Exception:
                    app.logger.exception("The application failed at its shutdown")
        finally:
            loop, self.loop = self.loop, None
            if processes[-1] is self:  # what comes after this begins anew
                process.portal = None
                processes[-1] = WorkerProcess()
            if loop is not None:
                loop.close()


#: The last is this process's; the others its parents', whose loops it must not free.
processes = [WorkerProcess()]


def worker_process() -> WorkerProcess:
    """What this process has."""
    return processes[-1]


def begin_serving(app: Kolben) -> WorkerProcess:
    """Have an application ready for its requests in this process."""
    found = processes[-1]
    found.begin(app)
    return found


def _forked() -> None:
    atexit.unregister(processes[-1].end)
    process.portal = None
    processes.append(WorkerProcess())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
