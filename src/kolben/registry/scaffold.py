"""The registration API that the application and its blueprints share.

What is registered here is only recorded, in the dictionaries that Flask documents, keyed by
blueprint name (``None`` for the application's own). :mod:`.compile` makes plans of them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..context import current
from ..exceptions import HTTPException, default_exceptions
from ..helpers import get_root_path
from ..local import lazy
from ..sending import send_from_directory
from ..typing import ErrorHandlerCallable, RouteCallable
from ..wrappers import Response

if TYPE_CHECKING:
    from jinja2.loaders import BaseLoader

    from ..commands import AppGroup

F = TypeVar("F", bound=Callable[..., Any])
#: Blueprint name, or ``None`` for the application, to functions in the order of registration.
Functions: TypeAlias = "defaultdict[str | None, list[Callable[..., Any]]]"


def endpoint_from_view_func(view_func: Callable[..., Any]) -> str:
    """The endpoint of a view that was given none: its name."""
    return view_func.__name__


class Scaffold:
    """What can be registered on an application as on a blueprint.

    :param import_name: The module that the object belongs to, usually ``__name__``; templates,
        static files and resources are found from there.
    :param static_folder: The folder of the static files, relative to the root path.
    :param static_url_path: The URL prefix of the static files.
    :param template_folder: The folder of the templates, relative to the root path.
    :param root_path: The folder of ``import_name`` where it cannot be found out.
    :source: Flask's documented ``Scaffold``.
    """

    name: str

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        root_path: str | None = None,
    ) -> None:
        self.import_name = import_name
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        self.template_folder = template_folder
        self.root_path = get_root_path(import_name) if root_path is None else root_path
        self.view_functions: dict[str, RouteCallable] = {}
        self.error_handler_spec: dict[
            str | None, dict[int | None, dict[type[Exception], ErrorHandlerCallable]]
        ] = defaultdict(lambda: defaultdict(dict))
        self.middleware_funcs: Functions = defaultdict(list)
        self.before_request_funcs: Functions = defaultdict(list)
        self.after_request_funcs: Functions = defaultdict(list)
        self.teardown_request_funcs: Functions = defaultdict(list)
        self.template_context_processors: Functions = defaultdict(list)
        self.url_value_preprocessors: Functions = defaultdict(list)
        self.url_default_functions: Functions = defaultdict(list)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @lazy
    def cli(self) -> AppGroup:
        """The group of the object's own commands."""
        from ..commands import AppGroup  # click is dear to import, and most never ask

        return AppGroup(self.name)

    def _check_setup_finished(self, f_name: str) -> None:
        """Raise if it is too late to register anything.

        :param f_name: What was called, for the message.
        """
        raise TypeError(f"{type(self).__name__} does not say when its setup is finished")

    # Routes ------------------------------------------------------------------------------

    def route(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register the decorated view for a URL rule.

        .. code-block:: python

            @app.route("/user/<name>", methods=["GET", "POST"])
            async def user(name): ...

        :param rule: The rule, as ``"/user/<int:id>"``.
        :param options: ``endpoint``, ``methods``, and what :meth:`add_url_rule` takes.
        """

        def decorator(f: F) -> F:
            endpoint = options.pop("endpoint", None)
            self.add_url_rule(rule, endpoint, f, **options)
            return f

        return decorator

    def _method_route(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[F], F]:
        if "methods" in options:
            raise TypeError("Use the 'route' decorator to use the 'methods' argument.")
        return self.route(rule, methods=[method], **options)

    def get(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["GET"]``."""
        return self._method_route("GET", rule, options)

    def post(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["POST"]``."""
        return self._method_route("POST", rule, options)

    def put(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["PUT"]``."""
        return self._method_route("PUT", rule, options)

    def delete(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["DELETE"]``."""
        return self._method_route("DELETE", rule, options)

    def patch(self, rule: str, **options: Any) -> Callable[[F], F]:
        """:meth:`route` with ``methods=["PATCH"]``."""
        return self._method_route("PATCH", rule, options)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a URL rule; :meth:`route` as a function.

        :param rule: The rule, as ``"/user/<int:id>"``.
        :param endpoint: The name to build the URL by; by default the view's name.
        :param view_func: The view, ``def`` or ``async def``.
        :param provide_automatic_options: Whether ``OPTIONS`` is answered by Kolben. By default
            it is, unless the view names that method.
        :param options: For the rule: ``methods``, ``defaults``, ``subdomain``, ``host``,
            ``strict_slashes``, ``merge_slashes``, ``redirect_to``, ``alias``, ``build_only``.
            For the request's body: ``stream=True`` leaves it unread; ``max_content_length``,
            ``max_form_memory_size`` (bytes) and ``max_form_parts`` are limits of this route.
            ``middleware``, a list as for :meth:`middleware`, the first outermost; ``timeout``,
            in seconds or ``None``, in place of what the Timeout middleware says.
        :raises AssertionError: if the endpoint has another view already, or requests have been
            served.
        :source: Flask: the same, without the options for the body.
        """
        raise TypeError(f"{type(self).__name__} does not register URL rules")

    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Register the decorated view for an endpoint whose rule was added without one."""
        self._check_setup_finished("endpoint")

        def decorator(f: F) -> F:
            self.view_functions[endpoint] = f
            return f

        return decorator

    # Middleware --------------------------------------------------------------------------

    def middleware(self, f: F) -> F:
        """Register a function to run around each request.

        .. code-block:: python

            @app.middleware
            async def measure(request, call_next):
                start = time.perf_counter()
                response = await call_next(request)
                response.headers["Server-Timing"] = f"app;dur={time.perf_counter() - start:.3f}"
                return response

        What ``call_next`` gives is the response as it will be sent, also of an error: hooks and
        error handlers have run. A body that is streamed has not been touched. The function may
        return another response, or one without calling ``call_next``. The one that is
        registered last is the outermost; those of the application are around those of its blueprints.

        :param f: ``def`` or ``async def``; takes the request and ``call_next``, which is
            awaited in the latter, and returns what a view may return.
        :source: Starlette: the same, but there the request's body and context variables do not
            pass through.
        """
        self._check_setup_finished("middleware")
        self.middleware_funcs[None].append(f)
        return f

    # Hooks -------------------------------------------------------------------------------

    def before_request(self, f: F) -> F:
        """Register a function to run before each request's view.

        It takes nothing. What it returns, unless ``None``, becomes the response, and the view
        is not called.

        :param f: ``def`` or ``async def``.
        :source: Flask: the same.
        """
        self._check_setup_finished("before_request")
        self.before_request_funcs[None].append(f)
        return f

    def after_request(self, f: F) -> F:
        """Register a function to run on each request's response.

        It takes the response and returns it or another one. The last registered runs first.

        :param f: ``def`` or ``async def``.
        :source: Flask: the same.
        """
        self._check_setup_finished("after_request")
        self.after_request_funcs[None].append(f)
        return f

    def teardown_request(self, f: F) -> F:
        """Register a function to run at the end of each request, whatever happened.

        It takes the error that ended the request, or ``None``. What it returns is ignored;
        what it raises is logged.

        :param f: ``def`` or ``async def``.
        :source: Flask: the same.
        """
        self._check_setup_finished("teardown_request")
        self.teardown_request_funcs[None].append(f)
        return f

    def context_processor(self, f: F) -> F:
        """Register a function that gives every template more variables.

        It takes nothing and returns a dictionary.

        :param f: ``def`` or ``async def``; an ``async def`` one that has to wait needs an
            asynchronous render where the view is on the event loop.
        :source: Flask: the same.
        """
        self._check_setup_finished("context_processor")
        self.template_context_processors[None].append(f)
        return f

    def url_value_preprocessor(self, f: F) -> F:
        """Register a function to change what a URL's variables are before the hooks see them.

        It takes the endpoint and the dictionary of values.

        :param f: ``def`` or ``async def``.
        :source: Flask: the same.
        """
        self._check_setup_finished("url_value_preprocessor")
        self.url_value_preprocessors[None].append(f)
        return f

    def url_defaults(self, f: F) -> F:
        """Register a function to add values to each URL that is built.

        It takes the endpoint and the dictionary of values.

        :param f: ``def`` or ``async def``, where it does not have to wait.
        :source: Flask: the same.
        """
        self._check_setup_finished("url_defaults")
        self.url_default_functions[None].append(f)
        return f

    # Errors ------------------------------------------------------------------------------

    def errorhandler(self, code_or_exception: type[Exception] | int) -> Callable[[F], F]:
        """Register the decorated function as the handler of an HTTP status or exception class.

        :param code_or_exception: A status code, as ``404``, or an exception class.
        :source: Flask: the same.
        """
        self._check_setup_finished("errorhandler")

        def decorator(f: F) -> F:
            self.register_error_handler(code_or_exception, f)
            return f

        return decorator

    def register_error_handler(
        self, code_or_exception: type[Exception] | int, f: ErrorHandlerCallable
    ) -> None:
        """:meth:`errorhandler` as a function.

        :param f: Takes the error; returns what a view may return. ``def`` or ``async def``.
        """
        self._check_setup_finished("register_error_handler")
        cls, code = self._get_exc_class_and_code(code_or_exception)
        self.error_handler_spec[None][code][cls] = f

    @staticmethod
    def _get_exc_class_and_code(
        exc_class_or_code: type[Exception] | int,
    ) -> tuple[type[Exception], int | None]:
        if isinstance(exc_class_or_code, int):
            try:
                cls: Any = default_exceptions[exc_class_or_code]
            except KeyError:
                raise ValueError(
                    f"'{exc_class_or_code}' is not a recognized HTTP error code. Register the"
                    " handler for HTTPException and look at the code, or for a class of your own"
                    " with that code."
                ) from None
        else:
            cls = exc_class_or_code
        if isinstance(cls, Exception):
            raise TypeError(
                f"{cls!r} is an instance, not a class. Handlers can only be registered for"
                " exception classes or HTTP error codes."
            )
        if not (isinstance(cls, type) and issubclass(cls, Exception)):
            raise ValueError(
                f"{cls!r} is not a subclass of Exception. Handlers can only be registered for"
                " exception classes or HTTP error codes."
            )
        return cls, cls.code if issubclass(cls, HTTPException) else None

    # Files -------------------------------------------------------------------------------

    @property
    def static_folder(self) -> str | None:
        """The absolute path of the folder of static files, or ``None``."""
        if self._static_folder is None:
            return None
        return os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: str | os.PathLike[str] | None) -> None:
        self._static_folder = None if value is None else os.fspath(value).rstrip(r"\/")

    @property
    def has_static_folder(self) -> bool:
        """Whether a folder of static files is set."""
        return self._static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """The URL prefix of the static files; by default ``/`` and the folder's name."""
        if self._static_url_path is not None:
            return self._static_url_path
        if self.static_folder is None:
            return None
        return f"/{os.path.basename(self.static_folder)}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = None if value is None else value.rstrip("/")

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """How many seconds a browser may use a sent file without asking again.

        :param filename: The file's name.
        :return: ``SEND_FILE_MAX_AGE_DEFAULT``, or ``None``: the browser asks each time.
        """
        ctx = current.get(None)
        value = None if ctx is None else ctx.app.config["SEND_FILE_MAX_AGE_DEFAULT"]
        if isinstance(value, timedelta):
            return int(value.total_seconds())
        return value

    def send_static_file(self, filename: str) -> Response:
        """Answer with a file from the static folder.

        :raises RuntimeError: if there is no static folder.
        :raises NotFound: if there is no such file.
        """
        if self.static_folder is None:
            raise RuntimeError("'static_folder' must be set to serve static_files.")
        max_age = self.get_send_file_max_age(filename)
        return send_from_directory(self.static_folder, filename, max_age=max_age)

    @lazy
    def jinja_loader(self) -> BaseLoader | None:
        """Finds templates in this object's template folder; ``None`` without one."""
        if self.template_folder is None:
            return None
        from jinja2 import FileSystemLoader

        return FileSystemLoader(os.path.join(self.root_path, self.template_folder))

    def open_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = None
    ) -> IO[Any]:
        """Open a file below the root path for reading.

        :param resource: Its path, relative to :attr:`root_path`.
        :param mode: ``"r"``, ``"rt"`` or ``"rb"``.
        :param encoding: For text; UTF-8 by default.
        :raises ValueError: for a mode that is not for reading.
        """
        if mode not in {"r", "rt", "rb"}:
            raise ValueError("Resources can only be opened for reading.")
        path = os.path.join(self.root_path, resource)
        if mode == "rb":
            return open(path, mode)
        return open(path, mode, encoding=encoding or "utf-8")


def check_methods(methods: Iterable[str] | str | None) -> set[str] | None:
    """The methods of a rule in capitals.

    :raises TypeError: for a string, which would be taken letter by letter.
    """
    if methods is None:
        return None
    if isinstance(methods, str):
        raise TypeError(
            "Allowed methods must be a list of strings, for example:"
            ' @app.route(..., methods=["POST"])'
        )
    return {item.upper() for item in methods}
