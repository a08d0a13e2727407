"""Where things are: a function in the user's code, an instance folder beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from inspect import unwrap
from typing import Any

from .surroundings import get_root_path


def place_of(func: Callable[..., Any]) -> str:
    """The file and line of a function, for error messages; its name where there is none."""
    inner = unwrap(func)
    code = getattr(inner, "__code__", None) or getattr(
        getattr(inner, "__func__", None), "__code__", None
    )
    if code is None:
        return repr(func)
    return f"{code.co_filename}, line {code.co_firstlineno}"


def find_instance_path(import_name: str) -> str:
    """The instance folder of an application that was not told where it is.

    Beside the package or module; for an installed one below the prefix that it is installed
    in, as ``var/<name>-instance``.

    :source: Flask: the same.
    """
    package = import_name.partition(".")[0]
    root = os.path.abspath(get_root_path(package))
    module = sys.modules.get(package)
    file = getattr(module, "__file__", None) or ""
    if os.path.basename(file).startswith("__init__."):
        root = os.path.dirname(root)
    prefix = os.path.abspath(sys.prefix)
    if os.path.basename(root) in ("site-packages", "dist-packages") and root.startswith(prefix):
        return os.path.join(prefix, "var", f"{package}-instance")
    return os.path.join(root, "instance")
