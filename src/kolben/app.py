"""``Kolben``: the application object; wiring and dispatch."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import copy_context
from functools import partial
from inspect import iscoroutinefunction
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import helpers, templating
from ._types import ASGIApp, Receive, Scope, Send
from .context import Context, current, require_app, require_request
from .exceptions import BadRequestKeyError, HTTPException
from .gateway import wsgi
from .gateway.asgi import Gateway
from .gateway.bridge import over_loop
from .gateway.environ import Environ
from .gateway.lifespan import Lifespan, refuse_websocket, serve_lifespan
from .gateway.mounts import Mounts
from .gateway.process import begin_serving, processes
from .gateway.wsgi import StartResponse
from .helpers.binding import bind_url_map
from .local import drive, lazy, running_backend, thread, wait
from .pipeline import run as pipeline
from .pipeline.convert import response_makers
from .pipeline.drivers import loop_driver, thread_driver
from .pipeline.plan import Driver, Plan
from .registry.application import Application
from .registry.compile import default_stage, teardown_plan
from .registry.stack import build_stack, runs_inline
from .routing import BuildError, MapAdapter
from .serving import run_app
from .signals import appcontext_pushed
from .signals import request_path as listening
from .wrappers import Request, Response

if TYPE_CHECKING:
    from jinja2.loaders import BaseLoader

    from .testing import Client, CliRunner

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_unset: Any = object()
#: The first requests of a server with threads may come at the same time.
_opening = RLock()


class Kolben(Application):
    """A web application: an ASGI application with Flask's programming model.

    .. code-block:: python

        from kolben import Kolben

        app = Kolben(__name__)

        @app.get("/")
        async def index():
            return "Hello"

    :param import_name: The module or package of the application, usually ``__name__``.
    :param static_url_path: The URL prefix of the static files; by default ``/`` and the name
        of the static folder.
    :param static_folder: The folder of the static files, relative to the root path; ``None``
        for none.
    :param static_host: The host of the static files, where hosts are matched.
    :param host_matching: Match rules by their ``host``; excludes ``subdomain_matching``.
    :param subdomain_matching: Match rules by their ``subdomain`` below ``SERVER_NAME``.
    :param template_folder: The folder of the templates, relative to the root path.
    :param instance_path: The folder of what belongs to one deployment; by default found beside
        the package or module.
    :param instance_relative_config: Read configuration files relative to the instance folder.
    :param root_path: The folder of the application where it cannot be found out.
    :source: Flask's documented ``Flask``.
    """

    test_client_class: type[Client] | None = None
    test_cli_runner_class: type[CliRunner] | None = None
    #: What answers requests, once registration has closed.
    _gateway: Gateway | None = None
    #: The same, where nothing is around it: no middleware, no mounts, no wrapper.
    _direct: Gateway | None = None
    _direct_wsgi: Gateway | None = None
    #: The mounts, where nothing else is around the routes.
    _direct_mounts: Mounts | None = None
    _has_warned = False

    @lazy
    def _lifespan(self) -> Lifespan:
        return Lifespan()

    # Templates ---------------------------------------------------------------------------

    @lazy
    def jinja_env(self) -> templating.Environment:
        """The Jinja environment; made when it is first used."""
        return self.create_jinja_environment()

    def create_jinja_environment(self) -> templating.Environment:
        """Make the Jinja environment of :attr:`jinja_options` and the configuration."""
        return templating.create_jinja_environment(self)

    def create_global_jinja_loader(self) -> BaseLoader:
        """The loader that looks in the application's folder and in the blueprints'."""
        return templating.DispatchingJinjaLoader(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Whether values are escaped in a template of this name: in HTML, XML, SVG, strings."""
        if filename is None:
            return True
        return filename.endswith((".html", ".htm", ".xml", ".xhtml", ".svg"))

    def update_template_context(self, context: dict[str, Any]) -> None:
        """Add what context processors give to a template's variables."""
        templating.update_template_context(self, context)

    # URLs --------------------------------------------------------------------------------

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the URL map to a request, or to the configuration where there is none.

        :return: ``None`` without a request and without ``SERVER_NAME``.
        """
        return bind_url_map(self, request)

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Build the URL of an endpoint; see :func:`kolben.url_for`."""
        return helpers.build_url(
            self,
            current.get(None),
            endpoint,
            values,
            anchor=_anchor,
            method=_method,
            scheme=_scheme,
            external=_external,
        )

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Run the ``url_defaults`` functions on the values of a URL."""
        helpers.inject_url_defaults(self, endpoint, values)

    def handle_url_build_error(
        self, error: BuildError, endpoint: str, values: dict[str, Any]
    ) -> str:
        """Ask :attr:`url_build_error_handlers` for a URL that cannot be built."""
        return helpers.handle_url_build_error(self, error, endpoint, values)

    def redirect(self, location: str, code: int = 302) -> Response:
        """A redirect of this application's response class; :func:`kolben.redirect` calls it."""
        return helpers.build_redirect(location, code, self.response_class)

    # The stages of a request, for calling by hand and for replacing ----------------------

    def _stage(self, stage: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> Any:
        """What a stage comes to: its value in a thread, something to await on the loop."""
        ctx = require_request()
        on_loop = running_backend() is not None and thread.portal is None
        coro = self._in_plan(ctx, self._plan_by_hand(ctx, on_loop), stage, args)
        return coro if on_loop else drive(coro)

    async def _in_plan(
        self,
        ctx: Context,
        plan: Plan,
        stage: Callable[..., Coroutine[Any, Any, T]],
        args: tuple[Any, ...],
    ) -> T:
        above, ctx.plan = ctx.plan, plan
        try:
            return await stage(ctx, *args)
        finally:
            ctx.plan = plan if above is None else above

    def _plan_by_hand(self, ctx: Context, on_loop: bool) -> Plan:
        """The plan for who calls a stage by hand, on the event loop or in a thread.

        That may be another than the request's: a ``def`` method that replaces a stage is in a
        worker thread, where it can neither await what the original gives nor, without taking
        one thread more, let it wait for another.
        """
        plan: Plan | None = ctx.plan
        if plan is not None and (plan.driver is thread_driver) is not on_loop:
            return plan
        if plan is not None and plan.twin is not None:
            return plan.twin
        compiler = self._open().compiler
        driver = compiler.on_loop if on_loop else thread_driver
        made = compiler.plan_by_hand(self, ctx, driver)
        if plan is not None:
            plan.twin = made
        return made

    @default_stage
    def full_dispatch_request(self) -> Any:
        """Hooks, view and response of the current request."""
        return self._stage(pipeline.full_dispatch)

    @default_stage
    def preprocess_request(self) -> Any:
        """Run the hooks before the view; what one returns is the response."""
        return self._stage(pipeline.preprocess)

    @default_stage
    def dispatch_request(self) -> Any:
        """Call the view of the current request."""
        return self._stage(pipeline.dispatch)

    @default_stage
    def process_response(self, response: Response) -> Any:
        """Run the after hooks on a response and save the session."""
        return self._stage(pipeline.process_response, response)

    @default_stage
    def handle_http_exception(self, e: HTTPException) -> Any:
        """Answer an HTTP error by its handler, or by itself."""
        return self._stage(pipeline.handle_http_exception, e)

    @default_stage
    def handle_user_exception(self, e: Exception) -> Any:
        """Answer an error of a view or hook; raises it again if nothing handles it."""
        return self._stage(pipeline.handle_user_exception, e)

    @default_stage
    def handle_exception(self, e: Exception) -> Any:
        """Answer an error that nothing handled with a 500."""
        return self._stage(pipeline.handle_exception, e)

    @default_stage
    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Any:
        """Make a response of a return value, run the after hooks, save the session.

        :param from_error_handler: Log errors instead of raising them.
        """
        return self._stage(pipeline.finalize_value, rv, from_error_handler)

    @default_stage
    def make_response(self, rv: Any) -> Response:
        """Make what a view may return a response.

        :raises TypeError: for what no response can be made of, naming the view.
        """
        gateway = self._gateway
        make = response_makers(self)[0] if gateway is None else gateway.compiler.make_response
        return make(rv)

    def make_default_options_response(self) -> Any:
        """The answer to ``OPTIONS`` that Kolben gives by itself: ``Allow``."""
        adapter = require_request().url_adapter
        response = self.response_class()
        if adapter is not None:
            response.allow.update(adapter.allowed_methods())
        return response

    def raise_routing_exception(self, request: Request) -> Any:
        """Raise what routing made of a request without a rule."""
        assert request.routing_exception is not None
        raise request.routing_exception

    @property
    def propagates_exceptions(self) -> bool:
        """Whether errors that nothing handles are raised instead of answered with a 500."""
        propagate = self.config["PROPAGATE_EXCEPTIONS"]
        return self.testing or self.debug if propagate is None else bool(propagate)

    def trap_http_exception(self, e: Exception) -> bool:
        """Whether an HTTP error is to be treated like any error.

        ``TRAP_HTTP_EXCEPTIONS`` says so of all, ``TRAP_BAD_REQUEST_ERRORS`` of bad requests; in
        debug mode a missing form key is trapped.
        """
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        trap_bad_request = self.config["TRAP_BAD_REQUEST_ERRORS"]
        if trap_bad_request is None:
            return self.debug and isinstance(e, BadRequestKeyError)
        return bool(trap_bad_request) and getattr(e, "code", None) == 400

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Kept for subclasses that ask; an error never keeps a context from ending."""
        return False

    def log_exception(
        self,
        exc_info: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> None:
        """Log an error that nothing handled, with the line of its request."""
        request = require_request().request
        assert request is not None
        self.logger.error("Exception on %s [%s]", request.path, request.method, exc_info=exc_info)

    # Colours -----------------------------------------------------------------------------

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """A function for synchronous code to call, whatever the colour of ``func``."""
        return self.async_to_sync(func) if iscoroutinefunction(func) else func

    def async_to_sync(self, func: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
        """A ``def`` function that runs an ``async def`` one to its end.

        In a worker thread it runs on the request's event loop; see :func:`kolben.local.wait`.
        """

        def call(*args: Any, **kwargs: Any) -> T:
            return wait(func(*args, **kwargs))

        return call

    # Contexts ----------------------------------------------------------------------------

    def app_context(self) -> Context:
        """A context without a request: ``with app.app_context():``, or ``async with``."""
        return Context(self)

    def request_context(self, environ: Request | dict[str, Any]) -> Context:
        """A context for a request that was made by hand.

        :param environ: The request, the ASGI scope of one, or a WSGI environ.
        :source: Flask: the same, for a WSGI environ alone.
        """
        if isinstance(environ, dict):
            if "REQUEST_METHOD" in environ:
                from .testing import RequestBuilder  # tests alone pay for it

                environ = RequestBuilder.from_environ(self, environ).request()
            else:
                environ = self.request_class(environ)
        return Context(self, environ)

    def test_request_context(self, *args: Any, **kwargs: Any) -> Context:
        """A context for a request that no client sent.

        :param args: As for :meth:`kolben.testing.Client.open`: the path and more.
        :source: Flask: the same.
        """
        from .testing import RequestBuilder  # tests alone pay for it

        return self.request_context(RequestBuilder(self, *args, **kwargs).request())

    def signal_pushed(self) -> None:
        """Say that a context which was pushed by hand is active."""
        if listening.used:
            appcontext_pushed.send(self)

    async def teardown_context_async(self, ctx: Context, exc: BaseException | None = None) -> None:
        """Run the teardown functions for a context that was pushed by hand."""
        await self._end_by_hand(ctx, loop_driver(self.view_lane), exc)

    def teardown_context(self, ctx: Context, exc: BaseException | None = None) -> None:
        """:meth:`teardown_context_async` for synchronous code."""
        drive(self._end_by_hand(ctx, thread_driver, exc))

    async def _end_by_hand(self, ctx: Context, driver: Driver, exc: BaseException | None) -> None:
        ctx.plan = teardown_plan(self, ctx, driver)
        try:
            await pipeline.teardown(ctx, exc)
        finally:
            if ctx.owns_request:
                ctx.request.close()  # type: ignore[union-attr]

    def do_teardown_request(self, exc: BaseException | None = _unset) -> None:
        """Run the teardown functions of the current request, as a context does at its end.

        :param exc: The error that ended it; left out, the one being handled, if any.
        """
        self._teardown_by_hand("teardown", exc)

    def do_teardown_appcontext(self, exc: BaseException | None = _unset) -> None:
        """Run the teardown functions of the application, as a context does at its end.

        :param exc: The error that ended it; left out, the one being handled, if any.
        """
        self._teardown_by_hand("teardown_app", exc)

    def _teardown_by_hand(self, which: str, exc: BaseException | None) -> None:
        exc = sys.exc_info()[1] if exc is _unset else exc
        ctx = require_app()
        steps = getattr(teardown_plan(self, ctx, thread_driver), which)
        drive(pipeline.teardown_steps(ctx, steps, exc, []))

    # Serving -----------------------------------------------------------------------------

    async def startup(self) -> None:
        """Run what is to run before the first request; a server does."""
        if self._middleware:
            self._serve_stack()  # a wrong option is to be seen before the first request
        await self._lifespan.startup(self, loop_driver(self.view_lane))

    async def shutdown(self) -> None:
        """Run what is to run after the last request; a server does."""
        await self._lifespan.shutdown(self)

    def _open(self) -> Gateway:
        """Close registration, and make the plans of what was registered."""
        with _opening:
            if self._gateway is not None:
                return self._gateway
            self._got_first_request = True
            gateway = Gateway(self)
            if not self._middleware:
                wraps_asgi, wraps_wsgi = self._is_wrapped("asgi_app"), self._is_wrapped("wsgi_app")
                if gateway.mounts is not None:
                    self._direct_mounts = None if wraps_asgi else gateway.mounts
                else:
                    self._direct = None if wraps_asgi else gateway
                    self._direct_wsgi = gateway if wraps_wsgi or not wraps_asgi else None
            self._gateway = gateway
        return gateway

    def _is_wrapped(self, name: str) -> bool:
        """Whether something was put around ``asgi_app`` or ``wsgi_app``."""
        return name in self.__dict__ or getattr(type(self), name) is not getattr(Kolben, name)

    @property
    def runs_inline(self) -> bool:
        """Whether nothing around the routes and mounts needs an event loop under WSGI."""
        return not self._is_wrapped("asgi_app") and runs_inline(self._middleware)

    def _warn_of_wsgi_wrapper(self) -> None:
        if self._has_warned or self._is_wrapped("asgi_app") or self._middleware:
            return
        if self._is_wrapped("wsgi_app"):
            self._has_warned = True
            self.logger.warning(
                "What was put around 'wsgi_app' is not used, since this is an ASGI server. Use"
                " 'app.add_middleware', which serves both, or wrap 'asgi_app', too."
            )

    @property
    def has_lifespan(self) -> bool:
        """Whether there is anything to run before the first request that has not been run."""
        return self._lifespan.is_due(self)

    def _serve_stack(self) -> ASGIApp:
        """The middleware around :meth:`serve`."""
        if self._stack is not None:
            return self._stack
        app = weakref.ref(self)  # the stack is the application's own

        async def inner(scope: Scope, receive: Receive, send: Send) -> None:
            await app().serve(scope, receive, send)  # type: ignore[union-attr]

        with _opening:
            if self._stack is None:
                self._stack = build_stack(self._middleware, inner, self.config)
        return self._stack

    def serve(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """What is inside the middleware: mounts, then routes.

        Where no event loop runs, under WSGI, the thread that drives this may block.
        """
        kind = scope["type"]
        if self._gateway is None:
            self._warn_of_wsgi_wrapper()
        if kind == "lifespan":
            return serve_lifespan(self, receive, send)
        gateway = self._gateway or self._open()
        inline = running_backend() is None
        mounts = gateway.mounts
        if mounts is not None and (mount := mounts.find(self, scope)) is not None:
            return (mount.serve_inline if inline else mount)(scope, receive, send)
        if kind == "http":
            return gateway.http(self, scope, receive, send, inline)
        return refuse_websocket(self, scope, receive, send)

    def asgi_app(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """The ASGI application inside; wrap it to add middleware.

        .. code-block:: python

            app.asgi_app = Middleware(app.asgi_app)

        As all that sets an application up, that must be done before the first request. Under
        WSGI what is put around this is used as well, unless something is put around
        :meth:`wsgi_app`.
        """
        serve: ASGIApp = self.serve
        if self._middleware:
            try:
                serve = self._serve_stack()
            except Exception:
                if scope["type"] != "lifespan":  # there, startup tells the server
                    raise
        return serve(scope, receive, send)

    def wsgi_app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application inside; wrap it to add WSGI middleware.

        .. code-block:: python

            app.wsgi_app = ProxyFix(app.wsgi_app)

        What is put around this is of no use under ASGI; :meth:`add_middleware` serves both.
        """
        gateway = self._gateway or self._open()
        if gateway.process is not processes[-1]:
            gateway.process = begin_serving(self)
        if gateway is self._direct_wsgi:
            return copy_context().run(wsgi.answer, gateway, self, environ, start_response)
        application: ASGIApp | None = None
        if self._is_wrapped("asgi_app") and not self._is_wrapped("wsgi_app"):
            application = partial(over_loop, self.asgi_app)
        elif self._middleware:
            stack = self._serve_stack()
            application = stack if runs_inline(self._middleware) else partial(over_loop, stack)
        return wsgi.serve_outer(gateway, self, application, environ, start_response)

    @overload
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]: ...
    @overload
    def __call__(self, environ: Environ, start_response: StartResponse, /) -> Iterable[bytes]: ...
    def __call__(self, scope: Any, receive: Any, send: Any = None) -> Any:
        """Serve one connection, or the application's lifespan.

        With three arguments this is an ASGI application, with two a WSGI application.

        :source: ASGI specification 3.0; PEP 3333.
        """
        if send is None:
            return self.wsgi_app(scope, receive)
        gateway = self._direct
        if gateway is not None and scope["type"] == "http":
            return gateway.http(self, scope, receive, send)
        mounts = self._direct_mounts
        if mounts is not None and scope["type"] == "http":
            mount = mounts.find(self, scope)
            if mount is not None:
                return mount(scope, receive, send)
            return self._gateway.http(self, scope, receive, send)  # type: ignore[union-attr]
        return self.asgi_app(scope, receive, send)

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        load_dotenv: bool = True,
        **options: Any,
    ) -> None:
        """Serve the application on this machine until Ctrl-C; for development.

        :param host: The address to listen on; by default that of ``SERVER_NAME`` or
            ``127.0.0.1``.
        :param port: The port; by default that of ``SERVER_NAME`` or 5000.
        :param debug: Set :attr:`debug`.
        :param load_dotenv: Read ``.env`` and ``.kolbenenv``.
        :param options: For uvicorn; and ``use_reloader``.
        :source: Flask: the same.
        """
        run_app(self, host, port, debug, load_dotenv, **options)

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> Client:
        """A client that calls the application without a server.

        In a synchronous test a call returns the response; where an event loop is running the
        same call is awaited: ``await client.get("/")``.

        :param use_cookies: Keep cookies between requests.
        :param kwargs: For :attr:`test_client_class`.
        """
        from .testing import Client  # tests alone pay for it

        cls = self.test_client_class or Client
        return cls(self, self.response_class, use_cookies=use_cookies, **kwargs)

    def test_cli_runner(self, **kwargs: Any) -> CliRunner:
        """A runner for the application's commands.

        :param kwargs: For :attr:`test_cli_runner_class`.
        """
        from .testing import CliRunner  # tests alone pay for it

        cls = self.test_cli_runner_class or CliRunner
        return cls(self, **kwargs)
