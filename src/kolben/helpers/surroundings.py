"""Where an application stands: its folder, and what the environment asks of it."""

from __future__ import annotations

import os
import sys

_NO = frozenset({"0", "false", "no"})


def get_debug_flag() -> bool:
    """Whether the environment asks for debug mode: ``KOLBEN_DEBUG``, not ``0``, ``false``, ``no``.

    :source: Flask: the same, under the prefix ``FLASK_``.
    """
    value = os.environ.get("KOLBEN_DEBUG")
    return bool(value) and value.lower() not in _NO  # type: ignore[union-attr]


def get_load_dotenv(default: bool = True) -> bool:
    """Whether dotenv files are read: not when ``KOLBEN_SKIP_DOTENV`` is set to a true value.

    :param default: The answer where the variable is not set.
    :source: Flask: the same, under the prefix ``FLASK_``.
    """
    value = os.environ.get("KOLBEN_SKIP_DOTENV")
    return value.lower() in _NO if value else default


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
