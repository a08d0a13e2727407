"""The way of a request, from the first hook to teardown: one coroutine.

The order of the functions is the order of a request. Each takes the context; the steps that
they call are in its plan, already made fit for the thread or loop that all of this runs on.
"""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from .. import signals
from ..exceptions import BadRequestKeyError, HTTPException, InternalServerError, RequestRedirect
from ..helpers.places import place_of
from ..local import wait
from ..signals import request_path as listening
from ..wrappers import Response
from .drivers import PLAIN, thread_driver

if TYPE_CHECKING:
    from ..context import Context
    from .plan import Plan, Step


#: Seconds that the teardown of a cancelled request may take.
TEARDOWN_SECONDS = 30.0


async def run(ctx: Context, whole: bool = True) -> Any:
    """Take a matched request to its response, ``ctx.answer``.

    Teardown has run when this returns, unless the body still needs the context.

    :param whole: False for :func:`full_dispatch`: errors that nothing handles and teardown are
        left to the caller. It is a part of this function, and not the other way round, since a
        coroutine more would be a tenth of what a small request costs.
    :return: The response where it is not the whole.
    :raises Exception: what the application does not handle, where
        ``PROPAGATE_EXCEPTIONS`` says so.
    """
    plan: Plan = ctx.plan
    quiet = plan.bare and whole and not listening.used
    try:
        try:
            rv = None
            view_args = ctx.view_args
            if not quiet:
                if whole or not plan.bare or listening.used:
                    rv = await begin(ctx, whole)
                if ctx._request is not None:  # a hook may have given it other values
                    view_args = ctx._request.view_args
            if rv is None:
                call = plan.call
                if call is None:
                    view = plan.view  # in a variable: CPython calls what is in a slot more slowly
                    rv = await (view(**view_args) if view_args else view())
                else:
                    rv = call(**view_args) if view_args else call()
                    if rv.__class__ not in PLAIN and isawaitable(rv):
                        rv = wait(rv)
            if quiet and not ctx.unfinished:
                make_simple = plan.make_simple
                if (simple := make_simple(rv)) is not None:
                    ctx.answer = simple
                    return None
            response = plan.make_response(rv)
        except Exception as error:
            rv = await plan.handle_user_exception(ctx, error)
            response = plan.make_response(rv)
        if plan.finishes or ctx.unfinished or listening.used:
            response = await finalize(ctx, response)
        if not whole:
            return response
        ctx.answer = response
    except BaseException as error:
        if not whole:
            raise
        return await fail(ctx, error)
    if (plan.tears_down or listening.used) and not ctx.held:
        await teardown(ctx, None)
    return None


async def run_replaced(ctx: Context) -> None:
    """:func:`run` for an application with a ``full_dispatch_request`` of its own."""
    try:
        if listening.used and ctx.base is ctx:
            await notify(ctx, signals.appcontext_pushed)
        ctx.answer = await ctx.plan.full_dispatch(ctx)
    except BaseException as error:
        return await fail(ctx, error)
    if not ctx.held:
        await teardown(ctx, None)


async def run_middleware(ctx: Context) -> None:
    """:func:`run` with middleware around the hooks, the view and what answers their errors."""
    plan: Plan = ctx.plan
    ctx.depth = 0
    ctx.failed = None
    try:
        if listening.used and ctx.base is ctx:
            await notify(ctx, signals.appcontext_pushed)
        response = await call_next(ctx, 0, ctx.request)
        failed, ctx.failed = ctx.failed, None  # its traceback leads to the context
        if ctx.unfinished and ctx.depth <= len(plan.middleware) and failed is None:
            # The view was not reached: what middleware has put into the session is all there is.
            response = await run_after_functions(ctx, response)
            await save_session(ctx, response)
        ctx.answer = response
    except BaseException as error:
        answered, ctx.failed = error is ctx.failed, None
        return await fail(ctx, error, answered)
    try:
        if (plan.tears_down or listening.used) and not ctx.held:
            await teardown(ctx, failed)
    finally:
        del failed  # its traceback may lead to this frame


async def call_next(ctx: Context, index: int, request: Any) -> Response:
    """What is inside the middleware before ``index``: the next one, or hooks and view.

    :return: The response, also where there was an error.
    :raises Exception: what the application does not handle, where
        ``PROPAGATE_EXCEPTIONS`` says so.
    """
    plan: Plan = ctx.plan
    if ctx.depth != index:
        func = plan.middleware[index - 1]
        raise RuntimeError(
            f"The middleware {name_of(func)} called 'call_next' a second time. A request is"
            " answered once."
        )
    ctx.depth = index + 1
    try:
        if index == len(plan.middleware):
            return await plan.full_dispatch(ctx)
        step = plan.middleware[index]
        rv = await step(request, partial(call_next, ctx, index + 1))
        return rv if isinstance(rv, Response) else response_of(ctx, step, rv)
    except Exception as error:
        if error is ctx.failed:
            raise
        try:
            if index < len(plan.middleware):
                return plan.make_response(await plan.handle_user_exception(ctx, error))
        except Exception as unhandled:
            error = unhandled
        ctx.failed = error
        try:
            return await answer_error(ctx, error)
        except Exception as passing:
            ctx.failed = passing
            raise


def name_of(func: Any) -> str:
    """A function as messages name it."""
    return f"{getattr(func, '__name__', func)!r} ({place_of(func)})"


def response_of(ctx: Context, func: Any, rv: Any) -> Response:
    """What a middleware returned, made a response.

    :raises TypeError: naming the middleware, if that cannot be done.
    """
    if rv is None or isawaitable(rv):
        what = "nothing" if rv is None else "what must be awaited"
        if isinstance(rv, Coroutine):
            rv.close()
        raise TypeError(
            f"The middleware {name_of(func)} returned {what}. It must return a response: the one"
            " that 'await call_next(request)' gives, or another."
        )
    try:
        response: Response = ctx.plan.make_response(rv)
    except TypeError as error:
        error.add_note(f"The middleware {name_of(func)} returned it.")
        raise
    return response


def full_dispatch(ctx: Context) -> Coroutine[Any, Any, Response]:
    """Hooks, view, and the response made of what came back."""
    if ctx.plan.finalize_request is finalize_value:
        return run(ctx, whole=False)
    return dispatch_and_finalize(ctx)


async def dispatch_and_finalize(ctx: Context) -> Response:
    """:func:`full_dispatch` for an application with a ``finalize_request`` of its own."""
    plan: Plan = ctx.plan
    try:
        rv = await begin(ctx, False)
        if rv is None:
            rv = await plan.view(**(ctx.request.view_args or {}))  # type: ignore[union-attr]
    except Exception as error:
        rv = await plan.handle_user_exception(ctx, error)
    return await plan.finalize_request(ctx, rv, False)


async def fail(ctx: Context, error: BaseException, answered: bool = False) -> None:
    """Answer an error that came through everything, or let it pass; then teardown.

    :param answered: Was that tried already, so that it has to pass?
    """
    try:
        if answered:
            raise error
        ctx.answer = await answer_error(ctx, error)
    finally:
        try:
            if not ctx.held:
                ending = teardown(ctx, error)
                is_cancelled = not isinstance(error, (Exception, GeneratorExit))
                await (shielded(ctx, ending) if is_cancelled else ending)
        finally:
            del error  # a traceback leads to this frame; so below, wherever one may


async def answer_error(ctx: Context, error: BaseException) -> Response:
    """Answer an error that came through everything.

    :raises BaseException: the error, where it is to pass.
    """
    plan: Plan = ctx.plan
    if ctx.held and "kolben.preserve" not in ctx.request.scope:  # type: ignore[union-attr]
        ctx.held = False  # the body that wanted the context will not be sent
    try:
        if not isinstance(error, Exception):
            raise error
        return await plan.handle_exception(ctx, error)
    finally:
        del error


async def begin(ctx: Context, pushed: bool) -> Any:
    """Say that the request has started, and run the hooks before the view.

    :param pushed: The context has just become current.
    """
    if pushed and listening.used and ctx.base is ctx:
        await notify(ctx, signals.appcontext_pushed)
    if listening.used:
        await notify(ctx, signals.request_started)
    plan: Plan = ctx.plan
    return None if plan.preprocess is None else await plan.preprocess(ctx)


async def dispatch(ctx: Context) -> Any:
    """Call the view."""
    return await ctx.plan.dispatched(**(ctx.request.view_args or {}))  # type: ignore[union-attr]


async def preprocess(ctx: Context) -> Any:
    """Open the session where it cannot wait, then run the hooks before the view.

    :return: What the first hook returned that did not return ``None``; the view is not called
        then.
    """
    plan: Plan = ctx.plan
    request = ctx.request
    assert request is not None
    if plan.open_session is not None and ctx.opened_session is None:
        ctx.keep_session(await plan.open_session(ctx.app, request))
    for url_value_preprocessor in plan.url_value_preprocessors:
        await url_value_preprocessor(request.endpoint, request.view_args)
    for hook in plan.before:
        rv = await hook()
        if rv is not None:
            return rv
    return None


async def finalize(ctx: Context, response: Response) -> Response:
    """Run the after hooks, save the session, say that the request is finished."""
    response = await ctx.plan.process_response(ctx, response)
    if listening.used:
        await notify(ctx, signals.request_finished, response=response)
    return response


async def process_response(ctx: Context, response: Response) -> Response:
    """What is done with every response, before it is sent."""
    plan: Plan = ctx.plan
    if ctx.after_functions:
        response = await run_after_functions(ctx, response)
    for hook in plan.after:
        response = checked(await hook(response), hook)
    await save_session(ctx, response)
    return response


async def run_after_functions(ctx: Context, response: Response) -> Response:
    """Run the functions of :func:`after_this_request`."""
    # They are kept: if a hook fails, they run on the answer to that error, too.
    for function in ctx.after_functions or ():
        response = checked(await ctx.plan.driver(function)(response), function)
    return response


async def save_session(ctx: Context, response: Response) -> None:
    """Save the session, if there is anything to save."""
    plan: Plan = ctx.plan
    session = ctx.opened_session
    if session is None and plan.refreshes_session:
        interface: Any = ctx.app.session_interface
        if interface.needs_save_unopened(ctx.app, ctx.request):
            ctx.keep_session(interface.open_session(ctx.app, ctx.request))
            session = ctx.opened_session
    if session is not None and not ctx.app.session_interface.is_null_session(session):
        await plan.save_session(ctx.app, session, response)


def checked(response: Any, hook: Any) -> Response:
    """What an after hook returned, if it is a response.

    :raises TypeError: naming the hook, if it is not.
    """
    if isinstance(response, Response):
        return response
    raise TypeError(
        f"The after_request function {getattr(hook, '__name__', hook)!r} ({place_of(hook)}) must"
        f" return a response, but it returned {response!r}."
    )


# Errors -------------------------------------------------------------------------------------


def find_handler(plan: Plan, error: BaseException) -> Step | None:
    """The handler for an error: by code before by class, the nearest blueprint first, the most
    specific class first.
    """
    code = error.code if isinstance(error, HTTPException) else None
    for key in (code, None) if code is not None else (None,):
        for handlers in plan.error_handlers.get(key, ()):
            for cls in type(error).__mro__:
                if (handler := handlers.get(cls)) is not None:
                    return handler
    return None


async def handle_user_exception(ctx: Context, error: Exception) -> Any:
    """Answer an error that a view or hook raised, or raise it again if nothing handles it."""
    app = ctx.app
    if isinstance(error, BadRequestKeyError) and (
        app.debug or app.config["TRAP_BAD_REQUEST_ERRORS"]
    ):
        error.show_exception = True
    if isinstance(error, HTTPException) and not app.trap_http_exception(error):
        try:
            return await ctx.plan.handle_http_exception(ctx, error)
        finally:
            del error
    handler = find_handler(ctx.plan, error)
    try:
        if handler is None:
            raise error
        return await handler(error)
    finally:
        del error


async def handle_http_exception(ctx: Context, error: HTTPException) -> Any:
    """Answer an HTTP error: by its handler, or by what it says of itself."""
    if error.code is None or isinstance(error, RequestRedirect):
        return error
    handler = find_handler(ctx.plan, error)
    try:
        return error if handler is None else await handler(error)
    finally:
        if error is ctx.request.routing_exception:  # type: ignore[union-attr]
            error.__traceback__ = None  # the request keeps it
        del error


async def handle_exception(ctx: Context, error: Exception) -> Response:
    """Answer an error that nothing handled: log it, and give a 500 that shows nothing of it.

    :raises Exception: the error itself where ``PROPAGATE_EXCEPTIONS`` says so, which it does by
        default in debug and testing mode.
    """
    app = ctx.app
    if listening.used:
        await notify(ctx, signals.got_request_exception, exception=error)
    if app.propagates_exceptions:
        try:
            raise error
        finally:
            del error
    app.log_exception((type(error), error, error.__traceback__))
    server_error = InternalServerError(original_exception=error)
    handler = find_handler(ctx.plan, server_error)
    rv = server_error if handler is None else await handler(server_error)
    plan: Plan = ctx.plan
    return await plan.finalize_request(ctx, rv, True)


async def finalize_value(ctx: Context, rv: Any, from_error_handler: bool = False) -> Response:
    """Make a response of a return value and finalize it.

    :param from_error_handler: An error of an after hook is logged; the response is sent as it is.
    """
    response: Response = ctx.plan.make_response(rv)
    try:
        return await finalize(ctx, response)
    except Exception:
        if not from_error_handler:
            raise
        ctx.app.logger.exception("An after_request function failed on the answer to an error")
        return response


# The end ------------------------------------------------------------------------------------


async def teardown(ctx: Context, error: BaseException | None) -> None:
    """Run the teardown functions, each of them, whatever the others do.

    :raises Exception: the first error of theirs, where ``PROPAGATE_EXCEPTIONS`` says so.
    """
    failed: list[Exception] = []
    try:
        if ctx.owns_request:
            await teardown_steps(ctx, ctx.plan.teardown, error, failed)
            if listening.used:
                await notify(ctx, signals.request_tearing_down, exc=error)
    except BaseException:
        await shielded(ctx, teardown_app(ctx, error, failed))
        raise
    await teardown_app(ctx, error, failed)
    first = failed[0] if failed else None
    failed.clear()  # what they raised leads back to this frame
    if first is not None and error is None and ctx.app.propagates_exceptions:
        try:
            raise first
        finally:
            del first


async def teardown_app(ctx: Context, error: BaseException | None, failed: list[Exception]) -> None:
    """The part of :func:`teardown` that a context inside another one leaves to that."""
    if ctx.base is ctx:
        await teardown_steps(ctx, ctx.plan.teardown_app, error, failed)
        if listening.used:
            await notify(ctx, signals.appcontext_tearing_down, exc=error)
            await notify(ctx, signals.appcontext_popped)


async def teardown_steps(
    ctx: Context, steps: tuple[Step, ...], error: BaseException | None, failed: list[Exception]
) -> None:
    """Run some teardown functions; log what they raise, since nobody is left to answer."""
    for index, step in enumerate(steps):
        try:
            await step(error)
        except Exception as raised:
            failed.append(raised)
            ctx.app.logger.exception(
                "The teardown function %s failed", getattr(step, "__name__", step)
            )
        except BaseException:  # cancelled while it waited; the others have to run all the same
            await shielded(ctx, teardown_steps(ctx, steps[index + 1 :], error, failed))
            raise


async def shielded(ctx: Context, coro: Coroutine[Any, Any, None]) -> None:
    """Run what has to be done even in a task that is being cancelled, within a time."""
    if ctx.plan.driver is thread_driver:  # no event loop here that could cancel anything
        return await coro
    from anyio import move_on_after  # only who is cancelled comes here

    with move_on_after(TEARDOWN_SECONDS, shield=True):
        await coro


async def notify(ctx: Context, signal: signals.Signal, **values: Any) -> None:
    """Send a signal, and wait for its receivers in the way of the thread that this runs on."""
    if ctx.plan.driver is thread_driver:
        signals.send(signal, ctx.app, **values)
    else:
        await signals.send_async(signal, ctx.app, **values)
