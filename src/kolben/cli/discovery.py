"""From an import path to the application that it means."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal, overload

from ..app import Kolben
from ..commands import NoAppException, ScriptInfo

#: Files in the working directory that are looked into when no application is named.
DEFAULT_FILES = ("wsgi.py", "asgi.py", "app.py")


def find_best_app(module: ModuleType) -> Kolben:
    """The application that a module most probably means.

    In this order: what is called ``app`` or ``application``, the only application there is, what
    ``create_app`` or ``make_app`` returns when it is called without arguments.

    :raises NoAppException: if there is none, or more than one.
    :source: Flask: the same.
    """
    for name in ("app", "application"):
        app = getattr(module, name, None)
        if isinstance(app, Kolben):
            return app
    found = {id(value): value for value in vars(module).values() if isinstance(value, Kolben)}
    if len(found) == 1:
        return next(iter(found.values()))
    where = module.__name__
    if found:
        raise NoAppException(
            f"Detected multiple Kolben applications in module {where!r}. Use '{where}:name' to"
            " specify the correct one."
        )
    for name in ("create_app", "make_app"):
        factory = getattr(module, name, None)
        if inspect.isfunction(factory):
            app = _call_factory(
                factory,
                f"Detected factory {name!r} in module {where!r}, but could not call it without"
                f" arguments. Use '{where}:{name}(args)' to specify arguments.",
            )
            if isinstance(app, Kolben):
                return app
    raise NoAppException(
        f"Failed to find Kolben application or factory in module {where!r}. Use '{where}:name' to"
        " specify one."
    )


def find_app_by_string(module: ModuleType, app_name: str) -> Kolben:
    """The application that a name, or a call with literal arguments, means in a module.

    :param module: The module.
    :param app_name: For example ``app``, ``create_app`` or ``create_app('dev', debug=True)``.
    :raises NoAppException: saying what is wrong with the name or with what it means.
    :source: Flask: the same.
    """
    name, args, kwargs = _parse_app_name(app_name)
    try:
        app = getattr(module, name)
    except AttributeError as error:
        raise NoAppException(
            f"Failed to find attribute {name!r} in {module.__name__!r}."
        ) from error
    if inspect.isfunction(app):
        app = _call_factory(
            app,
            f"The factory {app_name!r} in module {module.__name__!r} could not be called with the"
            " specified arguments.",
            *args,
            **kwargs,
        )
    if isinstance(app, Kolben):
        return app
    raise NoAppException(
        f"A valid Kolben application was not obtained from '{module.__name__}:{app_name}'."
    )


def _parse_app_name(app_name: str) -> tuple[str, list[Any], dict[str, Any]]:
    failed = f"Failed to parse {app_name!r} as an attribute name or function call."
    try:
        expression = ast.parse(app_name.strip(), mode="eval").body
    except SyntaxError:
        raise NoAppException(failed) from None
    if isinstance(expression, ast.Name):
        return expression.id, [], {}
    if not isinstance(expression, ast.Call):
        raise NoAppException(failed)
    if not isinstance(expression.func, ast.Name):
        raise NoAppException(f"Function reference must be a simple name: {app_name!r}.")
    try:
        args = [ast.literal_eval(value) for value in expression.args]
        kwargs = {
            keyword.arg: ast.literal_eval(keyword.value)
            for keyword in expression.keywords
            if keyword.arg is not None
        }
    except ValueError:
        raise NoAppException(
            f"Failed to parse arguments as literal values: {app_name!r}."
        ) from None
    return expression.func.id, args, kwargs


def _call_factory(factory: Callable[..., Any], complaint: str, *args: Any, **kwargs: Any) -> Any:
    """Call a factory; a :exc:`TypeError` from the call itself becomes the complaint."""
    try:
        return factory(*args, **kwargs)
    except TypeError as error:
        if _was_entered(factory, error):
            raise
        raise NoAppException(complaint) from error


def _was_entered(factory: Callable[..., Any], error: BaseException) -> bool:
    tb = error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code is getattr(factory, "__code__", None):
            return True
        tb = tb.tb_next
    return False


def prepare_import(path: str) -> str:
    """Make a file, package folder or dotted name importable.

    The folder above the outermost package goes to the front of :data:`sys.path`.

    :param path: For example ``hello``, ``hello.py``, ``src/shop/web.py``, ``shop.web``.
    :return: The name under which it can be imported.
    :source: Flask: the same.
    """
    path = os.path.realpath(path)
    stem, extension = os.path.splitext(path)
    if extension == ".py":
        path = stem
    if os.path.basename(path) == "__init__":
        path = os.path.dirname(path)
    names: list[str] = []
    while True:
        path, name = os.path.split(path)
        names.insert(0, name)
        if not os.path.exists(os.path.join(path, "__init__.py")):
            break
    if sys.path[0] != path:
        sys.path.insert(0, path)
    return ".".join(names)


@overload
def locate_app(
    module_name: str, app_name: str | None, raise_if_not_found: Literal[True] = True
) -> Kolben: ...
@overload
def locate_app(
    module_name: str, app_name: str | None, raise_if_not_found: bool
) -> Kolben | None: ...
def locate_app(
    module_name: str, app_name: str | None, raise_if_not_found: bool = True
) -> Kolben | None:
    """Import a module and find the application in it.

    :param module_name: The module.
    :param app_name: As for :func:`find_app_by_string`; ``None`` for :func:`find_best_app`.
    :param raise_if_not_found: Whether it is an error that there is no such module.
    :return: ``None`` if there is no such module and that is no error.
    :raises NoAppException: if there is no application; with the traceback if the module could
        not import something itself.
    :source: Flask: the same.
    """
    try:
        __import__(module_name)
    except ImportError as error:
        # Below the frame of this function there is one of the module if it was found.
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise NoAppException(
                f"While importing {module_name!r}, an ImportError was raised:\n\n"
                f"{traceback.format_exc()}"
            ) from None
        if raise_if_not_found:
            raise NoAppException(f"Could not import {module_name!r}.") from None
        return None
    module = sys.modules[module_name]
    return find_best_app(module) if app_name is None else find_app_by_string(module, app_name)


def find_app(import_path: str | None) -> Kolben | None:
    """The application that an import path means.

    :param import_path: ``module``, ``module:name``, ``path/to/file.py:factory()`` and so on;
        ``None`` looks into the files of :data:`DEFAULT_FILES`.
    :return: ``None`` if there is no import path and none of those files.
    :raises NoAppException: if the path leads nowhere.
    """
    if import_path:
        # Not the colon of a Windows drive.
        path, *name = re.split(r":(?![\\/])", import_path, maxsplit=1)
        return locate_app(prepare_import(path), name[0] if name else None)
    for file in DEFAULT_FILES:
        if not os.path.isfile(file):
            continue
        app = locate_app(prepare_import(file), None, raise_if_not_found=False)
        if app is not None:
            return app
    return None


ScriptInfo.find_app = staticmethod(find_app)
