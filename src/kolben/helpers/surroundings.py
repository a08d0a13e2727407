"""What the environment asks of an application."""

from __future__ import annotations

import os

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
