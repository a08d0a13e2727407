"""What registration compiles to: for each route the steps of its request, frozen.

A plan is made once. Every step in it is a coroutine function already, whatever colour the
user's function had; which driver made it so is settled when the plan is made, and nothing on
the request's path asks again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..wrappers import Response
from ..wrappers.forms import Limits

if TYPE_CHECKING:
    from ..context import Context
    from ..routing import Rule
    from .convert import SimpleAnswer

Step: TypeAlias = Callable[..., Awaitable[Any]]
#: Makes a step of a function of either colour.
Driver: TypeAlias = Callable[[Callable[..., Any]], Step]


class Plan:
    """The steps of one route's requests.

    Tuples are in the order in which they run. A stage without steps is empty or ``None`` and
    costs nothing.
    """

    __slots__ = (
        "after",
        "bare",
        "before",
        "blueprints",
        "call",
        "dispatched",
        "driver",
        "error_handlers",
        "finalize_request",
        "finishes",
        "full_dispatch",
        "handle_exception",
        "handle_http_exception",
        "handle_user_exception",
        "hops",
        "inline",
        "limits",
        "make_response",
        "make_simple",
        "middleware",
        "open_session",
        "options",
        "preprocess",
        "process_response",
        "refreshes_session",
        "rule",
        "run",
        "save_session",
        "stream",
        "teardown",
        "teardown_app",
        "tears_down",
        "twin",
        "url_value_preprocessors",
        "view",
        "waits",
    )

    #: The rule whose plan this is; ``None`` where no rule matched.
    rule: Rule | None
    #: The view, or what answers in its place.
    view: Step
    #: The view as it was registered, where the chain runs in a thread; ``None`` elsewhere.
    call: Callable[..., Any] | None
    #: What a dispatcher calls that the application may have put in the place of the view.
    dispatched: Step
    #: The same steps for the other driver: an application's own method may be of either colour.
    twin: Plan | None
    #: What is done for ``OPTIONS`` where the view leaves it to Kolben.
    options: Plan | None
    #: Something in the chain may have to wait for the event loop.
    waits: bool
    #: The whole chain runs in one worker thread.
    hops: bool
    #: The plan for a thread without an event loop: this one, or the same steps for a thread;
    #: ``None`` where the view needs a loop.
    inline: Plan | None
    #: Makes a step of a function that was registered during the request.
    driver: Driver
    #: Opens the session before the first hook; ``None`` where its first use does.
    open_session: Step | None
    save_session: Step
    #: A permanent session has to be renewed even by a request that does not touch it.
    refreshes_session: bool
    url_value_preprocessors: tuple[Step, ...]
    before: tuple[Step, ...]
    after: tuple[Step, ...]
    #: There is something to do with every response.
    finishes: bool
    teardown: tuple[Step, ...]
    teardown_app: tuple[Step, ...]
    #: There are teardown functions.
    tears_down: bool
    #: Code (``None`` for exceptions by class) to the handlers by class, nearest scope first.
    error_handlers: Mapping[int | None, tuple[Mapping[type[BaseException], Step], ...]]
    #: Nothing is left to do but to call the view, unless the view itself adds something: no
    #: hooks, no session to renew, no teardown.
    bare: bool
    #: The blueprints of the endpoint, innermost first.
    blueprints: tuple[str, ...]
    limits: Limits
    #: The body is left to the view.
    stream: bool
    #: The functions around all this, outermost first.
    middleware: tuple[Callable[..., Any], ...]
    # Stages that an application may replace by a method of its own; each takes the context.
    run: Callable[[Context], Coroutine[Any, Any, None]]
    full_dispatch: Callable[[Context], Awaitable[Response]]
    preprocess: Callable[[Context], Awaitable[Any]] | None
    process_response: Callable[[Context, Response], Awaitable[Response]]
    make_response: Callable[[Any], Response]
    #: Makes of a return value what needs no response object; ``None`` where one is needed.
    make_simple: Callable[[Any], SimpleAnswer | None]
    finalize_request: Callable[[Context, Any, bool], Awaitable[Response]]
    handle_user_exception: Callable[[Context, Exception], Awaitable[Any]]
    handle_http_exception: Callable[[Context, Any], Awaitable[Any]]
    handle_exception: Callable[[Context, Exception], Awaitable[Response]]
