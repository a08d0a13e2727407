"""Threads, and mailboxes between them, that are what they say also under gevent.

gevent replaces the standard library's threads by greenlets, and its queues by such as only the
greenlets of one thread may share. An event loop needs a thread of the operating system, and
whoever waits for that thread must not stop the other greenlets of his own.
"""

from __future__ import annotations

import sys
from _queue import SimpleQueue as SimpleQueue  # what gevent leaves as it is
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from ..local import thread


class Mailbox(Protocol):
    """Where one thread waits for what others put in."""

    def put(self, item: Any) -> None:
        """Put something in, from any thread."""

    def get(self, *, timeout: float | None = None) -> Any:
        """Wait for the next thing."""

    def close(self) -> None:
        """Done with it, says the owner; what is put in after this is lost."""


class ThreadMailbox(SimpleQueue[Any]):
    """A mailbox whose owner is a thread."""

    def close(self) -> None:
        """Nothing to do."""


def greenlets() -> bool:
    """Whether gevent has taken the place of threads in this process."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("threading")


def mailbox() -> Mailbox:
    """A mailbox for the thread, or greenlet, that calls this."""
    return GreenletMailbox() if greenlets() else ThreadMailbox()


class GreenletMailbox:
    """A mailbox whose owner is a greenlet: others of its thread run while it waits."""

    def __init__(self) -> None:
        from gevent import get_hub  # type: ignore[import-untyped]  # it is loaded already
        from gevent.event import Event  # type: ignore[import-untyped]

        self.items: deque[Any] = deque()
        self.event = Event()
        #: The one thing of gevent's that another thread may touch.
        self.watcher: Any = get_hub().loop.async_()
        self.watcher.start(self.event.set)

    def put(self, item: Any) -> None:
        """Put something in, from any thread."""
        self.items.append(item)
        if (watcher := self.watcher) is not None:
            watcher.send()

    def get(self, *, timeout: float | None = None) -> Any:
        """Wait for the next thing, however long that takes."""
        while not self.items:
            self.event.clear()
            if not self.items:
                self.event.wait()
        return self.items.popleft()

    def close(self) -> None:
        """Stop watching."""
        watcher, self.watcher = self.watcher, None
        watcher.stop()
        watcher.close()


class Box:
    """Where a thread waits for something, and where others put jobs for it to do meanwhile.

    Waits of one thread may be nested: a job may wait for something itself. There is one box for
    all of them, so that whoever has a job for the thread need not know how deep it is.
    """

    def __init__(self) -> None:
        self._mail = mailbox()
        self._kept: deque[Any] = deque()
        self.put = self._mail.put
        self.close = self._mail.close

    def wait_for(self, wanted: Callable[[Any], bool], timeout: float | None = None) -> Any:
        """Do jobs until what is wanted comes; other things are kept for the waits around.

        :param timeout: The seconds that may pass between two things; not for a greenlet's.
        :raises queue.Empty: if they have passed.
        """
        above, thread.box = thread.box, self
        try:
            while True:
                # Each time: a job may have waited itself, and kept what is wanted here.
                for index, item in enumerate(self._kept):
                    if wanted(item):
                        del self._kept[index]
                        return item
                item = self._mail.get() if timeout is None else self._mail.get(timeout=timeout)
                if callable(item):
                    item()
                else:
                    self._kept.append(item)
                del item  # what it holds must not wait for the next
        finally:
            thread.box = above


class waiting:  # noqa: N801 - used in a with statement alone
    """The box of this thread: the one that it is waiting at already, or one for now."""

    def __enter__(self) -> Box:
        box: Box | None = thread.box
        self.made = None
        if box is None:
            box = self.made = thread.box = Box()
        return box

    def __exit__(self, *exc: object) -> None:
        if self.made is not None:
            thread.box = None
            self.made.close()


def start_thread(target: Callable[..., object], name: str, *args: Any) -> Callable[[], object]:
    """Start a thread that the interpreter does not wait for at its end.

    :return: Waits until the thread has ended.
    """
    if not greenlets():
        from threading import Thread

        thread = Thread(target=target, args=args, name=name, daemon=True)
        thread.start()
        return thread.join
    from gevent.monkey import get_original  # type: ignore[import-untyped]

    ended: SimpleQueue[None] = SimpleQueue()

    def run() -> None:
        try:
            target(*args)
        finally:
            ended.put(None)

    get_original("_thread", "start_new_thread")(run, ())
    return ended.get


def make_lock() -> Any:
    """A reentrant lock between threads."""
    if greenlets():
        from gevent.monkey import get_original

        return get_original("threading", "RLock")()
    from threading import RLock

    return RLock()
