"""Makes plans of what was registered, once, when the first request closes registration."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import isawaitable, iscoroutinefunction
from opcode import opmap
from typing import TYPE_CHECKING, Any, TypeVar

from ..context import current, require_request
from ..pipeline import run
from ..pipeline.convert import response_makers
from ..pipeline.drivers import error_step, is_async, loop_driver, middleware_step, thread_driver
from ..pipeline.plan import Driver, Plan, Step
from ..sessions import SecureCookieSessionInterface
from ..wrappers.forms import Limits
from .blueprints import BODY_OPTIONS

if TYPE_CHECKING:
    from ..context import Context, Kolben
    from ..routing import Rule


#: The instructions of ``await``, ``async for`` and ``async with``.
WAITS = frozenset(opmap[name] for name in ("GET_AWAITABLE", "GET_ANEXT"))

#: The stages around steps. An ``async def`` method in the place of one wants the event loop, and
#: so the steps inside it cannot have their thread to themselves.
STAGES = (
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
    "process_response",
    "finalize_request",
    "handle_exception",
    "handle_user_exception",
    "handle_http_exception",
)

F = TypeVar("F", bound=Callable[..., Any])


def blueprint_names(endpoint: str) -> tuple[str, ...]:
    """The blueprints of an endpoint, innermost first.

    >>> blueprint_names("admin.users.edit")
    ('admin.users', 'admin')
    """
    names = []
    name = endpoint.rpartition(".")[0]
    while name:
        names.append(name)
        name = name.rpartition(".")[0]
    return tuple(names)


class Compiler:
    """Makes the plans of one application, to which it holds no reference.

    A plan is made when its rule is first matched and kept on the rule, so that an application
    of many routes does not start more slowly.
    """

    def __init__(self, app: Kolben) -> None:
        self.on_loop: Driver = loop_driver(app.view_lane)
        self.make_response, self.make_simple = response_makers(app)
        self.unmatched = self.plan_for(app, None, None, raise_routing_exception, {})

    def plan_of(self, app: Kolben, rule: Rule) -> Plan:
        """The plan of a rule's endpoint.

        :raises LookupError: if the endpoint has no view.
        """
        view = app.view_functions.get(rule.endpoint)
        if view is None:
            raise LookupError(
                f"The rule {rule.rule!r} has the endpoint {rule.endpoint!r}, but no view was"
                f" registered for it. Decorate one with @app.endpoint({rule.endpoint!r})."
            )
        options = app.route_options.get(rule, {})
        plan = self.plan_for(app, rule.endpoint, view, view, options)
        if answers_options(rule):
            plan.options = self.plan_for(app, rule.endpoint, None, answer_options, options)
            plan.options.rule = rule
        rule.plan = plan
        plan.rule = rule
        return plan

    def plan_by_hand(self, app: Kolben, ctx: Context, driver: Driver) -> Plan:
        """A plan for a context that was pushed by hand, by code that wants this driver."""
        rule = None if ctx.request is None else ctx.request.url_rule
        if rule is None:
            return self.plan_for(app, None, None, raise_routing_exception, {}, driver)
        if answers_options(rule) and ctx.request.method == "OPTIONS":  # type: ignore[union-attr]
            return self.plan_for(app, rule.endpoint, None, answer_options, {}, driver)
        view = app.view_functions[rule.endpoint]
        return self.plan_for(app, rule.endpoint, view, view, {}, driver)

    def plan_for(
        self,
        app: Kolben,
        endpoint: str | None,
        view: Callable[..., Any] | None,
        step: Callable[..., Any],
        options: dict[str, Any],
        driver: Driver | None = None,
    ) -> Plan:
        """Gather the steps of an endpoint.

        :param view: The view; ``None`` where none answers.
        :param step: What is called: the view, or what stands in its place.
        :param options: What the route said of request bodies.
        :param driver: The driver to use; by default the one that suits the view.
        """
        plan = Plan()
        names = () if endpoint is None else blueprint_names(endpoint)
        inward: tuple[str | None, ...] = (None, *reversed(names))
        outward: tuple[str | None, ...] = (*names, None)
        plan.blueprints = names
        interface = app.session_interface

        url_value = gather(app.url_value_preprocessors, inward)
        before = gather(app.before_request_funcs, inward)
        after = gather(app.after_request_funcs, outward, backwards=True)
        teardown = gather(app.teardown_request_funcs, outward, backwards=True)
        teardown_app = app.teardown_appcontext_funcs[::-1]
        middleware = [
            *gather(app.middleware_funcs, inward, backwards=True),
            *options.get("middleware", ()),
        ]
        if driver is not None:
            plan.hops = driver is thread_driver
        elif view is not None:
            plan.hops = not (is_async(view) or any(is_async(getattr(app, name)) for name in STAGES))
        else:
            steps = (*url_value, *before, *after, *teardown, *teardown_app)
            plan.hops = bool(steps) and not any(map(is_async, steps))
        drive = plan.driver = thread_driver if plan.hops else self.on_loop
        if plan.hops or view is not None:
            plan.inline = plan if plan.hops else None
        else:
            plan.inline = self.plan_for(app, endpoint, None, step, options, thread_driver)

        # What stands in a view's place does no slow work: it is called where it is.
        in_place = view is None and not plan.hops
        plan.view = plan.dispatched = direct(step) if in_place else drive(step)
        plan.call = step if plan.hops else None
        plan.rule = plan.options = plan.twin = None
        plan.url_value_preprocessors = tuple(map(drive, url_value))
        plan.before = tuple(map(drive, before))
        plan.after = tuple(map(drive, after))
        plan.teardown = tuple(map(drive, teardown))
        plan.teardown_app = tuple(map(drive, teardown_app))
        plan.error_handlers = error_handlers(app, outward, drive)
        plan.waits = (
            any(map(may_wait, (*url_value, *before, *after, *teardown, *teardown_app)))
            or (view is not None and may_wait(view))
            or not all(getattr(f, "runs_inline", False) for f in middleware)
            or bool(app.error_handler_spec)
            or type(interface) is not SecureCookieSessionInterface
        )
        # A session interface does no slow work unless it is async: it is called where it is.
        eager = is_async(interface.open_session) or not interface.lazy
        plan.open_session = direct(interface.open_session) if eager else None
        plan.save_session = direct(interface.save_session)
        plan.refreshes_session = bool(
            interface.lazy
            and app.config["SECRET_KEY"]
            and app.config["SESSION_REFRESH_EACH_REQUEST"]
        )
        if plan.hops:
            plan.open_session = drive(interface.open_session) if eager else None
            plan.save_session = drive(interface.save_session)
        plan.tears_down = bool(teardown or teardown_app)
        plan.stream = bool(options.get("stream"))
        plan.limits = Limits(
            *(options.get(name, app.config[name.upper()]) for name in BODY_OPTIONS)
        )
        plan.middleware = tuple(middleware_step(f, drive, app.view_lane) for f in middleware)
        self.stages(app, plan)
        if middleware:
            plan.run = run.run_middleware
        if "timeout" in options:
            plan.run = limited(plan.run, options["timeout"])
        return plan

    def stages(self, app: Kolben, plan: Plan) -> None:
        """The stages, by the application's own methods where it has replaced them."""
        plan.make_response = self.make_response
        plan.full_dispatch = stage(app, plan, "full_dispatch_request", run.full_dispatch)
        plan.finalize_request = stage(app, plan, "finalize_request", run.finalize_value)
        replaced = is_replaced(app, "full_dispatch_request") or is_replaced(app, "finalize_request")
        plan.run = run.run_replaced if replaced else run.run
        plan.process_response = stage(app, plan, "process_response", run.process_response)
        plan.make_simple = self.make_simple
        replaced = plan.process_response is not run.process_response
        plan.finishes = bool(plan.after or plan.refreshes_session or plan.open_session or replaced)
        plan.handle_exception = stage(app, plan, "handle_exception", run.handle_exception)
        plan.handle_user_exception = stage(
            app, plan, "handle_user_exception", run.handle_user_exception
        )
        plan.handle_http_exception = stage(
            app, plan, "handle_http_exception", run.handle_http_exception
        )
        needed = plan.open_session or plan.url_value_preprocessors or plan.before
        preprocess = stage(app, plan, "preprocess_request", run.preprocess)
        plan.preprocess = preprocess if needed or preprocess is not run.preprocess else None
        plan.bare = not (
            plan.finishes
            or plan.tears_down
            or plan.preprocess is not None
            or is_replaced(app, "make_response")
        )
        if is_replaced(app, "make_response"):
            plan.make_response = lambda rv: current.get().app.make_response(rv)
        if is_replaced(app, "dispatch_request"):
            plan.view, plan.call = dispatcher(plan.driver), None


def teardown_plan(app: Kolben, ctx: Context, drive: Driver) -> Plan:
    """A plan for the end alone of a context that was pushed by hand."""
    plan = Plan()
    plan.driver = drive
    names = () if ctx.request is None else (*ctx.request.blueprints, None)
    teardown = gather(app.teardown_request_funcs, names, backwards=True)
    plan.teardown = tuple(map(drive, teardown))
    plan.teardown_app = tuple(map(drive, reversed(app.teardown_appcontext_funcs)))
    return plan


def stage(app: Kolben, plan: Plan, name: str, default: Callable[..., Any]) -> Callable[..., Any]:
    """A stage of the pipeline, or the application's own method in its place."""
    if not is_replaced(app, name):
        return default
    drive = plan.driver
    of_error = name.startswith("handle_")

    async def replaced(ctx: Context, *args: Any) -> Any:
        # Looked up when it is called: a plan must not keep its application alive.
        method = getattr(ctx.app, name)
        return await (error_step(method, drive) if of_error else drive(method))(*args)

    return replaced


def error_handlers(
    app: Kolben, names: tuple[str | None, ...], drive: Driver
) -> dict[int | None, tuple[dict[type[BaseException], Step], ...]]:
    """The handlers of some scopes by code, those of the nearest scope first."""
    spec = app.error_handler_spec
    found: dict[int | None, list[dict[type[BaseException], Step]]] = {}
    for name in names:
        if name not in spec:
            continue
        for code, handlers in spec[name].items():
            steps: dict[type[BaseException], Step] = {
                cls: error_step(handler, drive) for cls, handler in handlers.items()
            }
            found.setdefault(code, []).append(steps)
    return {code: tuple(handlers) for code, handlers in found.items()}


def gather(
    functions: dict[str | None, list[Callable[..., Any]]],
    names: tuple[str | None, ...],
    backwards: bool = False,
) -> list[Callable[..., Any]]:
    """The functions of some scopes, in the order in which they run."""
    step = -1 if backwards else 1
    return [f for name in names if name in functions for f in functions[name][::step]]


def may_wait(func: Callable[..., Any]) -> bool:
    """Whether calling a step on the event loop may suspend: whether there is an ``await`` in it.

    A coroutine function without one runs through like a plain function, so that a client has
    no time to leave meanwhile.
    """
    code = getattr(func, "__code__", None)
    return code is None or not iscoroutinefunction(func) or not WAITS.isdisjoint(code.co_code[::2])


def answers_options(rule: Rule) -> bool:
    """Whether ``OPTIONS`` is left to Kolben."""
    return bool(rule.provide_automatic_options and "OPTIONS" in (rule.methods or ()))


def limited(
    run: Callable[[Context], Coroutine[Any, Any, None]], seconds: float | None
) -> Callable[[Context], Coroutine[Any, Any, None]]:
    """A run under a time limit of its route's, which the Timeout middleware keeps."""

    def run_limited(ctx: Context) -> Coroutine[Any, Any, None]:
        deadline = (ctx.scope or {}).get("kolben.deadline")
        if deadline is not None:
            deadline.limit(seconds)
        return run(ctx)

    return run_limited


def direct(func: Callable[..., Any]) -> Step:
    """A step that is called on the loop whatever its colour."""

    async def call(*args: Any, **kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        return await result if isawaitable(result) else result

    return func if is_async(func) else call


def default_stage(method: F) -> F:
    """Mark a method of the application as the stage that the pipeline has anyway.

    Such a method is for calling by hand and through ``super()``; a request does without it.
    """
    method.is_default_stage = True  # type: ignore[attr-defined]
    return method


def is_replaced(app: Kolben, name: str) -> bool:
    """Whether a subclass or the instance has put a method of its own in a stage's place."""
    return not getattr(getattr(app, name), "is_default_stage", False)


def dispatcher(drive: Driver) -> Step:
    """A view that calls the application's own dispatcher, which looks at the request itself."""

    async def dispatch(**view_args: Any) -> Any:
        return await drive(current.get().app.dispatch_request)()

    return dispatch


def raise_routing_exception(**view_args: Any) -> Any:
    """What stands in the place of a view where no rule matched."""
    ctx = require_request()
    return ctx.app.raise_routing_exception(ctx.request)  # type: ignore[arg-type]


def answer_options(**view_args: Any) -> Any:
    """What stands in the place of a view for an ``OPTIONS`` that it does not answer itself."""
    return current.get().app.make_default_options_response()
