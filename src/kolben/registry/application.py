"""What an application is made of, and what is registered on it."""

from __future__ import annotations

import logging
import os
import sys
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from types import MethodType
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from .. import helpers, templating
from .._types import ASGIApp, Receive, Scope, Send
from ..config import Config, ConfigAttribute
from ..context import _AppCtxGlobals
from ..exceptions import Aborter
from ..globals import g
from ..helpers.places import find_instance_path, place_of
from ..http.datastructures import ImmutableDict
from ..json import DefaultJSONProvider, JSONProvider
from ..local import lazy, wait
from ..logging import create_logger
from ..pipeline.lanes import Lane
from ..routing import Map, Rule
from ..sessions import SecureCookieSessionInterface, SessionInterface
from ..typing import RouteCallable
from ..wrappers import Request, Response
from .blueprints import BODY_OPTIONS, ROUTE_OPTIONS, Blueprint
from .mounts import MountRecord, add_mount, check_rule
from .mounts import make_record as make_mount_record
from .scaffold import Scaffold, check_methods, endpoint_from_view_func
from .stack import MiddlewareRecord
from .stack import make_record as make_middleware_record

if TYPE_CHECKING:
    from ..context import Kolben

F = TypeVar("F", bound=Callable[..., Any])


async def _call(app: Kolben, scope: Scope, receive: Receive, send: Send) -> None:
    """An application in the form by which servers tell ASGI from WSGI."""
    await app(scope, receive, send)


def _make_timedelta(value: timedelta | int | None) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    return timedelta(seconds=value)


class Application(Scaffold):
    """The part of :class:`kolben.Kolben` that is there before the first request.

    It knows nothing of how requests are served.
    """

    aborter_class: type[Aborter] = Aborter
    app_ctx_globals_class: type[Any] = _AppCtxGlobals
    config_class: type[Config] = Config
    jinja_environment: type[templating.Environment] = templating.Environment
    jinja_options: dict[str, Any] = {}
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    request_class: type[Request] = Request
    response_class: type[Response] = Response
    url_map_class: type[Map] = Map
    url_rule_class: type[Rule] = Rule
    #: Whether requests have been served.
    _got_first_request = False
    #: The middleware around the application, once a server has started it.
    _stack: ASGIApp | None = None
    jinja_env: templating.Environment | lazy[templating.Environment]
    #: Opens and saves sessions.
    session_interface: SessionInterface = SecureCookieSessionInterface()

    #: Tests show errors instead of turning them into a 500.
    testing = ConfigAttribute[bool]("TESTING")
    #: Signs sessions and messages; long, random and secret.
    secret_key = ConfigAttribute[str | bytes | None]("SECRET_KEY")
    #: How long a permanent session lives.
    permanent_session_lifetime = ConfigAttribute[timedelta](
        "PERMANENT_SESSION_LIFETIME",
        get_converter=_make_timedelta,  # type: ignore[arg-type]
    )

    default_config: ClassVar[Mapping[str, Any]] = ImmutableDict(
        {
            "DEBUG": None,
            "TESTING": False,
            "PROPAGATE_EXCEPTIONS": None,
            "SECRET_KEY": None,
            "SECRET_KEY_FALLBACKS": None,
            "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
            "USE_X_SENDFILE": False,
            "TRUSTED_HOSTS": None,
            "SERVER_NAME": None,
            "APPLICATION_ROOT": "/",
            "SESSION_COOKIE_NAME": "session",
            "SESSION_COOKIE_DOMAIN": None,
            "SESSION_COOKIE_PATH": None,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SECURE": None,
            "SESSION_COOKIE_PARTITIONED": False,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_DIGEST": "sha1",
            "SESSION_DIGEST_FALLBACKS": ("sha1",),
            "SESSION_REFRESH_EACH_REQUEST": True,
            "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 500_000,
            "MAX_FORM_PARTS": 1_000,
            "SEND_FILE_MAX_AGE_DEFAULT": None,
            "STATIC_FOLLOW_SYMLINKS": False,
            "TRAP_BAD_REQUEST_ERRORS": None,
            "TRAP_HTTP_EXCEPTIONS": False,
            "EXPLAIN_TEMPLATE_LOADING": False,
            "PREFERRED_URL_SCHEME": "http",
            "TEMPLATES_AUTO_RELOAD": None,
            "MAX_COOKIE_SIZE": 4093,
            "PROVIDE_AUTOMATIC_OPTIONS": True,
            "WORKER_THREADS": 40,
        }
    )

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
    ) -> None:
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(
                "If an instance path is provided it must be absolute. A relative path was given"
                " instead."
            )
        #: The folder of what belongs to one deployment; nothing creates it.
        self.instance_path = instance_path
        self.config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        self.json: JSONProvider = self.json_provider_class(self._whole)
        self.url_build_error_handlers: list[Callable[..., Any]] = []
        self.teardown_appcontext_funcs: list[Callable[..., Any]] = []
        self.shell_context_processors: list[Callable[[], Any]] = []
        self.blueprints: dict[str, Blueprint] = {}
        #: The applications that are mounted, in the order of their registration.
        self.mounts: list[MountRecord] = []
        self.extensions: dict[str, Any] = {}
        self.url_map: Map = self.url_map_class(host_matching=host_matching)
        self.subdomain_matching = subdomain_matching
        #: What routes have said beside their rules.
        self.route_options: weakref.WeakKeyDictionary[Rule, dict[str, Any]] = (
            weakref.WeakKeyDictionary()
        )
        self.before_serving_funcs: list[Callable[[], Any]] = []
        self.while_serving_gens: list[Callable[[], Any]] = []
        self.after_serving_funcs: list[Callable[[], Any]] = []
        self._middleware: list[MiddlewareRecord] = []
        # Servers look at the attribute; a call goes to the class's method.
        self.__dict__["__call__"] = MethodType(_call, weakref.proxy(self))
        self.template_context_processors[None].append(templating.default_template_context)
        if self.has_static_folder:
            self._add_static_route(static_host, host_matching)

    def _add_static_route(self, static_host: str | None, host_matching: bool) -> None:
        if bool(static_host) != host_matching:
            raise AssertionError("Invalid static_host/host_matching combination")
        self_ref = weakref.ref(self)  # the view must not keep the application alive

        def static(**kwargs: Any) -> Response:
            return self_ref().send_static_file(**kwargs)  # type: ignore[union-attr]

        self.add_url_rule(
            f"{self.static_url_path}/<path:filename>",
            endpoint="static",
            host=static_host,
            view_func=static,
        )

    @property
    def _whole(self) -> Kolben:
        return cast("Kolben", self)

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request:
            raise AssertionError(
                f"The setup method '{f_name}' can no longer be called on the application. It has"
                " already handled its first request, any changes will not be applied"
                " consistently.\nMake sure all imports, decorators, functions, etc. needed to"
                " set up the application are done before running it."
            )

    # What an application is made of ------------------------------------------------------

    @lazy
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The application's name: its module's, or the file's when that is the main one."""
        if self.import_name == "__main__":
            path: str | None = getattr(sys.modules["__main__"], "__file__", None)
            if path is None:
                return "__main__"
            return os.path.splitext(os.path.basename(path))[0]
        return self.import_name

    @lazy
    def logger(self) -> logging.Logger:
        """The logger of the application, named as it is.

        :source: Flask: the same.
        """
        return create_logger(self._whole)

    @property
    def debug(self) -> bool:
        """Debug mode: errors are shown, templates are reloaded."""
        return bool(self.config["DEBUG"])

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        if self.config["TEMPLATES_AUTO_RELOAD"] is None and "jinja_env" in self.__dict__:
            self.jinja_env.auto_reload = value

    @lazy
    def view_lane(self) -> Lane:
        """The worker threads of ``def`` views and hooks; ``WORKER_THREADS`` says how many."""
        return Lane(f"kolben-view-{self.name}", self.config["WORKER_THREADS"])

    @lazy
    def file_lane(self) -> Lane:
        """The worker threads that read files which are sent, and synchronous bodies."""
        return Lane(f"kolben-file-{self.name}", self.config["WORKER_THREADS"])

    def make_config(self, instance_relative: bool = False) -> Config:
        """The configuration of a new application.

        :param instance_relative: Whether its files are read from the instance folder.
        """
        root_path = self.instance_path if instance_relative else self.root_path
        defaults = dict(self.default_config)
        defaults["DEBUG"] = helpers.get_debug_flag()
        return self.config_class(root_path, defaults)

    def make_aborter(self) -> Aborter:
        """What :func:`abort` uses."""
        return self.aborter_class()

    def auto_find_instance_path(self) -> str:
        """Where the instance folder is, if the constructor was not told."""
        return find_instance_path(self.import_name)

    def open_instance_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = "utf-8"
    ) -> IO[Any]:
        """Open a file of the instance folder, also for writing.

        :param encoding: For text.
        """
        path = os.path.join(self.instance_path, resource)
        return open(path, mode, encoding=None if "b" in mode else encoding)

    # Registration ------------------------------------------------------------------------

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a URL rule; see :meth:`Scaffold.add_url_rule`."""
        self._check_setup_finished("add_url_rule")
        if endpoint is None:
            if view_func is None:
                raise TypeError(f"The rule {rule!r} needs an endpoint or a view.")
            endpoint = endpoint_from_view_func(view_func)
        methods = check_methods(options.pop("methods", None))
        if methods is None:
            methods = check_methods(getattr(view_func, "methods", None)) or {"GET"}
        required = check_methods(getattr(view_func, "required_methods", None)) or set()
        if provide_automatic_options is None:
            provide_automatic_options = getattr(view_func, "provide_automatic_options", None)
        if provide_automatic_options is None:
            provide_automatic_options = (
                "OPTIONS" not in methods and self.config["PROVIDE_AUTOMATIC_OPTIONS"]
            )
        if provide_automatic_options:
            required.add("OPTIONS")
        route_options = {
            name: options.pop(name) for name in (*ROUTE_OPTIONS, *BODY_OPTIONS) if name in options
        }
        record = self.url_rule_class(rule, methods=methods | required, endpoint=endpoint, **options)
        record.provide_automatic_options = provide_automatic_options
        if view_func is not None:
            old_func = self.view_functions.get(endpoint)
            if old_func is not None and old_func != view_func:
                raise AssertionError(
                    "View function mapping is overwriting an existing endpoint function:"
                    f" {endpoint} ({place_of(old_func)}, now"
                    f" {place_of(view_func)}). Give one of them another endpoint."
                )
            self.view_functions[endpoint] = view_func
        self.url_map.add(record)
        if self.mounts:
            check_rule(self._whole, record)
        if route_options:
            self.route_options[record] = route_options

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register a blueprint.

        :param options: ``url_prefix``, ``subdomain``, ``url_defaults``, ``name``, ``cli_group``,
            in place of what the blueprint says.
        :raises ValueError: if its name is taken; ``name=`` gives it another.
        """
        self._check_setup_finished("register_blueprint")
        blueprint.register(self._whole, options)

    def iter_blueprints(self) -> Iterator[Blueprint]:
        """The blueprints in the order of their registration."""
        yield from self.blueprints.values()

    def mount(
        self, prefix: str, other: Any, name: str | None = None, *, wsgi: bool | None = None
    ) -> None:
        """Hand all requests below a prefix to another application.

        .. code-block:: python

            app.mount("/api", fastapi_app)
            app.mount("/shop", shop)  # a Kolben application
            url_for("shop.cart")      # "/shop/cart"

        The other application answers alone: hooks, error handlers and limits of this one do not
        apply, its middleware does. Where several prefixes fit, the longest wins. The prefix
        ``"/"`` is different: it gets what neither a route nor another mount is for.

        :param prefix: Begins with a slash; whole segments are compared.
        :param other: A Kolben application, an ASGI application or a WSGI application.
        :param name: What stands before its endpoints in :func:`kolben.url_for`; by default the
            name of the mounted Kolben application.
        :param wsgi: Whether it is a WSGI application, where that cannot be seen.
        :raises ValueError: if the prefix or the name is taken, or cannot be one.
        :raises TypeError: for what is no application.
        :raises AssertionError: if a route could no longer be reached.
        """
        self._check_setup_finished("mount")
        add_mount(self._whole, make_mount_record(prefix, other, name, wsgi))

    def teardown_appcontext(self, f: F) -> F:
        """Register a function to run when an application context ends.

        A request is one; so are a command and ``with app.app_context()``. It takes the error
        that ended it, or ``None``.

        :param f: ``def`` or ``async def``.
        :source: Flask: the same.
        """
        self._check_setup_finished("teardown_appcontext")
        self.teardown_appcontext_funcs.append(f)
        return f

    def shell_context_processor(self, f: F) -> F:
        """Register a function that returns names for ``kolben shell``."""
        self._check_setup_finished("shell_context_processor")
        self.shell_context_processors.append(f)
        return f

    def make_shell_context(self) -> dict[str, Any]:
        """The names that ``kolben shell`` starts with."""
        names: dict[str, Any] = {"app": self, "g": g}
        for processor in self.shell_context_processors:
            found = processor()
            names.update(wait(found) if isinstance(found, Awaitable) else found)
        return names

    def _template_decorator(self, kind: str, name: str | None) -> Callable[[F], F]:
        def decorator(f: F) -> F:
            getattr(self, f"add_template_{kind}")(f, name=name)
            return f

        return decorator

    def template_filter(self, name: str | None = None) -> Callable[[F], F]:
        """Register the decorated function, ``def`` or ``async def``, as a template filter.

        :param name: Its name in templates; by default its own.
        :source: Flask: the same.
        """
        return self._template_decorator("filter", name)

    def add_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        """:meth:`template_filter` as a function."""
        self._check_setup_finished("add_template_filter")
        self.jinja_env.filters[name or f.__name__] = f

    def template_test(self, name: str | None = None) -> Callable[[F], F]:
        """Register the decorated function, ``def`` or ``async def``, as a template test."""
        return self._template_decorator("test", name)

    def add_template_test(self, f: Callable[..., bool], name: str | None = None) -> None:
        """:meth:`template_test` as a function."""
        self._check_setup_finished("add_template_test")
        self.jinja_env.tests[name or f.__name__] = f

    def template_global(self, name: str | None = None) -> Callable[[F], F]:
        """Register the decorated function, ``def`` or ``async def``, as a template global."""
        return self._template_decorator("global", name)

    def add_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        """:meth:`template_global` as a function."""
        self._check_setup_finished("add_template_global")
        self.jinja_env.globals[name or f.__name__] = f

    # Middleware and lifespan -------------------------------------------------------------

    def add_middleware(self, middleware: Callable[..., ASGIApp], **options: Any) -> None:
        """Put ASGI middleware around the application, mounts and websockets included.

        .. code-block:: python

            app.add_middleware(CORSMiddleware, allow_origins=["https://example.org"])

        Any pure ASGI middleware will do. The one that is added last is the outermost. Under WSGI
        it works, too; a class that says ``runs_inline = True`` does without an event loop there.

        :param middleware: The class; called with the application that it goes around.
        :param options: What else it is called with.
        :raises TypeError: for what cannot be called.
        :source: Starlette: the same.
        """
        self._check_setup_finished("add_middleware")
        if self._stack is not None:
            raise AssertionError(
                "add_middleware can no longer be called: the server has started the application."
            )
        self._middleware.append(make_middleware_record(middleware, options))

    def before_serving(self, f: F) -> F:
        """Register a function to run before the first request, in an application context.

        :param f: ``def`` or ``async def``.
        :source: Quart: the same.
        """
        self._check_setup_finished("before_serving")
        self.before_serving_funcs.append(f)
        return f

    def while_serving(self, f: F) -> F:
        """Register a generator whose first part runs before the first request, and whose second
        part after the last.

        :param f: A generator function, plain or asynchronous, with one ``yield``.
        :source: Quart: the same.
        """
        self._check_setup_finished("while_serving")
        self.while_serving_gens.append(f)
        return f

    def after_serving(self, f: F) -> F:
        """Register a function to run after the last request, in an application context.

        :param f: ``def`` or ``async def``.
        :source: Quart: the same.
        """
        self._check_setup_finished("after_serving")
        self.after_serving_funcs.append(f)
        return f
