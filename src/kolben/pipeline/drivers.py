"""The drivers: what alone knows how to call a function of the other colour.

The pipeline is one coroutine. Where that coroutine runs decides how it calls a step:

- *loop*: it runs on the event loop. An ``async def`` step is awaited, a ``def`` step goes to a
  worker thread.
- *hop*: it runs, whole, in one worker thread. A ``def`` step is called; an ``async def`` step is
  sent to the loop and waited for.
- *inline*: as *hop*, in a thread that no event loop waits for, when no step is ``async def``.

Under *hop* and *inline* the coroutine never suspends, so that one ``send(None)`` drives it.
"""

from __future__ import annotations

import functools
from asyncio import Task, _get_running_loop, current_task
from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutinefunction
from types import TracebackType
from typing import Any, TypeVar

from ..context import current, require_request
from ..local import drive, wait
from ..wrappers import Response
from .lanes import Lane, Submit
from .native import waiting
from .plan import Driver, Step

T = TypeVar("T")
#: What most steps return, and nobody can await.
PLAIN = frozenset((str, dict, list, tuple, type(None), Response))


def is_async(func: Callable[..., Any]) -> bool:
    """Whether calling ``func`` gives a coroutine.

    Sees through :class:`functools.partial`, bound methods and objects with an
    ``async def __call__``.
    """
    while isinstance(func, functools.partial):
        func = func.func
    return iscoroutinefunction(func) or iscoroutinefunction(getattr(func, "__call__", None))  # noqa: B004


def calling_thread() -> Submit | None:
    """Where the request at hand wants its ``def`` code to run, if not in a lane."""
    ctx = current.get(None)
    if ctx is None or ctx.request is None:
        return None
    worker: Submit | None = ctx.request.scope.get("kolben.worker")
    return worker


def loop_driver(lane: Lane) -> Driver:
    """The driver of a pipeline on the event loop, with ``lane`` for its ``def`` steps."""

    def step(func: Callable[..., Any]) -> Step:
        if is_async(func):
            return func

        @functools.wraps(func)
        async def in_worker(*args: Any, **kwargs: Any) -> Any:
            call = functools.partial(func, *args, **kwargs) if kwargs else func
            result = await lane.run(call, *(() if kwargs else args), worker=calling_thread())
            # A def function may hand out a coroutine, as a decorator around a view does.
            return await result if isawaitable(result) else result

        return in_worker

    return step


def error_step(handler: Callable[..., Any], drive_step: Driver) -> Step:
    """A step that handles an error, called while that error is being handled.

    ``sys.exc_info()``, a bare ``raise`` and ``logging.exception`` belong to the thread or task;
    where the handler runs in another one than the pipeline, the error is raised there first.
    """
    if is_async(handler) is (drive_step is not thread_driver):
        return drive_step(handler)
    if is_async(handler):

        @functools.wraps(handler)
        async def handle_async(error: Exception) -> Any:
            raised, traceback = _original(error)
            try:
                raise raised
            except Exception:
                raised.__traceback__ = traceback
                return await handler(error)
            finally:
                del raised, error

        return drive_step(handle_async)

    @functools.wraps(handler)
    def handle(error: Exception) -> Any:
        raised, traceback = _original(error)
        try:
            raise raised
        except Exception:
            raised.__traceback__ = traceback
            return handler(error)
        finally:
            del raised, error

    return drive_step(handle)


def _original(error: Exception) -> tuple[Exception, TracebackType | None]:
    raised = getattr(error, "original_exception", None) or error
    return raised, raised.__traceback__


def middleware_step(func: Callable[..., Any], drive_step: Driver, lane: Lane) -> Step:
    """A step that calls a function of middleware with the request and ``call_next``.

    :param drive_step: The driver of the pipeline that ``call_next`` goes on with.
    :param lane: Has threads for ``def`` middleware around a pipeline on the loop.
    """
    in_thread = drive_step is thread_driver
    if is_async(func):
        # What awaits nothing but call_next never has to wait where that does not.
        if not in_thread or getattr(func, "runs_inline", False):
            return func

        @functools.wraps(func)
        async def on_loop(request: Any, call_next: Step) -> Any:
            with waiting() as box:
                # What is around the view runs on the loop; the rest comes back to this thread.
                def call_here(request: Any) -> Any:
                    return drive(call_next(request))  # type: ignore[arg-type]

                async def call_next_here(request: Any) -> Any:
                    return await lane.run(call_here, request, worker=box.put)

                return wait(func(request, call_next_here))

        return on_loop

    @functools.wraps(func)
    async def called(request: Any, call_next: Step) -> Any:
        if in_thread:
            return func(request, lambda request: drive(call_next(request)))  # type: ignore[arg-type]
        tasks: list[Task[Any]] = []

        def call_next_there(request: Any) -> Any:
            with waiting() as box:
                return wait(lend(box.put, call_next(request), tasks))

        def cancel() -> None:
            for task in tasks:
                task.cancel()

        return await lane.run(
            func, request, call_next_there, worker=calling_thread(), when_cancelled=cancel
        )

    return called


async def lend(submit: Submit, work: Awaitable[T], tasks: list[Task[Any]]) -> T:
    """Do a part of a request while a thread waits that does the ``def`` code of that part.

    It has to: if each request took one thread to wait and another to work, there might be no
    thread left that works.

    :param submit: Gives the thread a job.
    :param tasks: Gets the task that this runs in, while it does.
    """
    scope = require_request().request.scope  # type: ignore[union-attr]
    above = scope.get("kolben.worker")
    scope["kolben.worker"] = submit
    if _get_running_loop() is not None:
        tasks.append(current_task())  # type: ignore[arg-type]
    try:
        return await work
    finally:
        tasks.clear()
        if above is None:
            del scope["kolben.worker"]
        else:
            scope["kolben.worker"] = above


def thread_driver(func: Callable[..., Any]) -> Step:
    """The driver of a pipeline that has a thread to itself: *hop* and *inline*."""

    @functools.wraps(func)
    async def step(*args: Any, **kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        if result.__class__ in PLAIN:  # which asks less than isawaitable
            return result
        return wait(result) if isawaitable(result) else result

    return step
