"""Where things are: a package, an instance folder, a function in the user's code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from inspect import unwrap
from typing import Any


def get_root_path(import_name: str) -> str:
    """The folder of a package, or of the file that holds a module.

    :param import_name: As given to the application, usually ``__name__``.
    :return: An absolute path; the working directory for a name without a file, such as
        ``__main__`` in an interactive session.
    :raises RuntimeError: for a namespace package, which has no single folder.
    :source: Flask: the same.
    """
    module = sys.modules.get(import_name)
    filename = getattr(module, "__file__", None)
    if filename is None:
        import importlib.util  # an application's own module is nearly always loaded already

        try:
            spec = importlib.util.find_spec(import_name)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            return os.getcwd()
        filename = spec.origin if spec.has_location else None
    if filename is None:
        raise RuntimeError(
            f"The module {import_name!r} has no file, so its folder is not known; it may be a"
            " namespace package. Pass 'root_path' or 'instance_path' and the folders yourself."
        )
    return os.path.dirname(os.path.abspath(filename))


def _import_folder(import_name: str) -> str:
    """The folder on the import path that a top-level module or package was found in."""
    import importlib.util  # as above

    root = import_name.partition(".")[0]
    try:
        spec = importlib.util.find_spec(root)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return os.getcwd()
    if spec.submodule_search_locations is None:
        return os.path.dirname(os.path.abspath(spec.origin)) if spec.origin else os.getcwd()
    if spec.has_location and spec.origin is not None:
        return os.path.dirname(os.path.dirname(os.path.abspath(spec.origin)))
    # A namespace package has several folders: the one that holds the package at hand.
    folders = [os.path.abspath(folder) for folder in spec.submodule_search_locations]
    inner = importlib.util.find_spec(import_name)
    inside = list(inner.submodule_search_locations or ()) if inner is not None else []
    if inside:
        first = os.path.abspath(inside[0])
        folders.sort(key=lambda folder: not first.startswith(os.path.join(folder, "")))
    return os.path.dirname(folders[0])


def find_package(import_name: str) -> tuple[str | None, str]:
    """Where a package is installed.

    :param import_name: The module or package.
    :return: The prefix of the installation (``sys.prefix``, or that of a virtual environment),
        ``None`` for code that is not installed; and the folder that it is imported from.
    :source: Flask: the same.
    """
    folder = _import_folder(import_name)
    prefix = os.path.abspath(sys.prefix)
    if os.path.join(folder, "").startswith(os.path.join(prefix, "")):
        return prefix, folder
    parent, name = os.path.split(folder)
    if name.lower() != "site-packages":
        return None, folder
    above, name = os.path.split(parent)
    if name.lower() == "lib":  # Windows: prefix/lib/site-packages
        return above, folder
    if os.path.basename(above).lower() == "lib":  # prefix/lib/pythonX.Y/site-packages
        return os.path.dirname(above), folder
    return parent, folder


def find_instance_path(import_name: str) -> str:
    """Where the instance folder of an application is that was not told.

    :param import_name: The application's.
    :return: ``instance`` beside the package or module, or, for one that is installed,
        ``var/<name>-instance`` under its prefix.
    :source: Flask: the same.
    """
    prefix, folder = find_package(import_name)
    if prefix is None:
        return os.path.join(folder, "instance")
    return os.path.join(prefix, "var", f"{import_name}-instance")


def place_of(function: Callable[..., Any]) -> str:
    """Where a function is defined, for an error message: its file and line.

    Sees through decorators; of a class-based view it is the class's name that tells.
    """
    view_class = getattr(function, "view_class", None)
    if view_class is not None:
        return f"{view_class.__module__}.{view_class.__qualname__}"
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(unwrap(function), "__code__", None)
    if code is None:
        function = type(function).__call__
        code = getattr(function, "__code__", None)
    return repr(function) if code is None else f"{code.co_filename}, line {code.co_firstlineno}"


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def calling_place() -> str:
    """The line outside Kolben that is being run, for an error message."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"
