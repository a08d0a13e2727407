"""Commands of applications and blueprints, and the application that they run for.

The ``kolben`` command itself is in :mod:`kolben.cli`. Here is what an application needs to have
commands of its own; click is imported with it, so it is loaded when the first command is
registered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import update_wrapper
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import click

from .context import has_app_context
from .helpers import get_debug_flag, get_load_dotenv
from .local import running_backend, wait

if TYPE_CHECKING:
    from .context import Context

F = TypeVar("F", bound=Callable[..., Any])


class NoAppException(click.UsageError):
    """An application cannot be found or loaded."""


class ScriptInfo:
    """What a command knows of the application that it runs for.

    It is click's context object while commands run. Make one by hand to run commands for an
    application without the ``kolben`` command.

    :param app_import_path: Where the application is, in the form ``module:name``.
    :param create_app: Returns the application; used instead of the import path.
    :param set_debug_flag: Set the application's ``debug`` from the environment.
    :param load_dotenv_defaults: Whether ``.env`` and ``.kolbenenv`` are read. The
        object itself reads nothing.
    :source: Flask: the same.
    """

    #: Finds an application by its import path; :mod:`kolben.cli` sets it when it is imported.
    find_app: ClassVar[Callable[[str | None], Any] | None] = None

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: Callable[..., Any] | None = None,
        set_debug_flag: bool = True,
        load_dotenv_defaults: bool = True,
    ) -> None:
        self.app_import_path = app_import_path
        self.create_app = create_app
        #: For whatever extensions and commands want to share.
        self.data: dict[Any, Any] = {}
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = get_load_dotenv(load_dotenv_defaults)
        self._loaded_app: Any = None

    def load_app(self) -> Any:
        """The application, imported or made at the first call.

        :raises NoAppException: if there is none.
        """
        if self._loaded_app is not None:
            return self._loaded_app
        find_app = type(self).find_app
        if self.create_app is not None:
            app = self.create_app()
        elif find_app is not None:
            app = find_app(self.app_import_path)
        else:
            app = None
        if app is None:
            raise NoAppException(
                "Could not locate a Kolben application. Use the 'kolben --app' option, the"
                " 'KOLBEN_APP' environment variable, or a 'wsgi.py', 'asgi.py' or 'app.py' file"
                " in the current directory."
            )
        if self.set_debug_flag:
            app.debug = get_debug_flag()
        self._loaded_app = app
        return app


pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)


def with_appcontext(f: F) -> F:
    """Let a command's function run with the application context of its script.

    Commands on ``app.cli`` and ``blueprint.cli`` have one without this.

    :param f: ``def`` or ``async def``. An ``async def`` command runs on an event loop of its
        own (asyncio's), with the context visible.
    :source: Flask: the same; ``async def`` is new.
    """

    @click.pass_context
    def decorator(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        if not has_app_context():
            app = ctx.ensure_object(ScriptInfo).load_app()
            ctx.with_resource(cast("Context", app.app_context()))
        return finish(ctx.invoke(f, *args, **kwargs))

    return cast("F", update_wrapper(decorator, f))


def finish(result: Any) -> Any:
    """What a command's function returned; if that is a coroutine, what it returns."""
    if not isawaitable(result):
        return result
    if running_backend() is None:
        return wait(result)
    # A test runner, called where an event loop runs: the command cannot use that loop, because
    # whoever called it does not return to it before the command has ended.
    outcome: list[Any] = []
    context = copy_context()

    def run() -> None:
        try:
            outcome[:] = [wait(result), None]
        except BaseException as error:
            outcome[:] = [None, error]

    thread = threading.Thread(target=context.run, args=(run,), name="kolben-command")
    thread.start()
    thread.join()
    value, error = outcome
    if error is not None:
        raise error
    return value


class AppGroup(click.Group):
    """A :class:`click.Group` whose commands run with an application context.

    Its commands may be ``async def``.

    :source: Flask: the same.
    """

    def command(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> Callable[[Callable[..., Any]], click.Command]:
        """:meth:`click.Group.command`, with an application context.

        :param args: Those of click.
        :param kwargs: Those of click, and ``with_appcontext=False`` to do without a context.
        """
        with_context: bool = kwargs.pop("with_appcontext", True)

        def decorator(f: Callable[..., Any]) -> click.Command:
            wrapped = with_appcontext(f) if with_context else _finishing(f)
            command: click.Command = super(AppGroup, self).command(*args, **kwargs)(wrapped)
            return command

        # '@cli.command' without parentheses.
        if with_context and len(args) == 1 and callable(args[0]):
            function, args = args[0], ()
            return decorator(function)
        return decorator

    def group(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> Callable[[Callable[..., Any]], click.Group]:
        """:meth:`click.Group.group`; the new group is an :class:`AppGroup` as well."""
        kwargs.setdefault("cls", AppGroup)
        decorator: Callable[[Callable[..., Any]], click.Group] = super().group(*args, **kwargs)
        return decorator


def _finishing(f: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return finish(f(*args, **kwargs))

    return update_wrapper(call, f)
