"""The application for gevent where it is loaded before the fork: Gunicorn itself patches later."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

from matrix import app  # noqa: E402

__all__ = ["app"]
