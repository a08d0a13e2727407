"""The application's logger, ``app.logger``.

A program that configures :mod:`logging` itself is left alone: Kolben adds a handler only where
a message would find none.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

from .context import current
from .local import Proxy


def _find_errors_stream() -> TextIO:
    ctx = current.get(None)
    if ctx is not None and ctx.request is not None:
        # Where a WSGI server handles the request, its environ is in the scope.
        environ = ctx.request.scope.get("wsgi_environ")
        if environ and (stream := environ.get("wsgi.errors")) is not None:
            return stream  # type: ignore[no-any-return]
    return sys.stderr


#: Where errors go: the WSGI server's error stream during a request that it handles, otherwise
#: ``sys.stderr`` as it is at that moment. Configuration files name it
#: ``ext://kolben.logging.wsgi_errors_stream``.
wsgi_errors_stream: Any = Proxy(_find_errors_stream)


def has_level_handler(logger: logging.Logger) -> bool:
    """Whether some handler, of this logger or one above it, takes messages of its level.

    :source: Flask: the same.
    """
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


#: The handler that :func:`create_logger` adds; writes to :data:`wsgi_errors_stream`.
default_handler: logging.Handler = logging.StreamHandler(wsgi_errors_stream)
default_handler.setFormatter(
    logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s")
)


def create_logger(app: Any) -> logging.Logger:
    """Get the logger of an application, ready for use.

    It is named like the application. In debug mode its level is ``DEBUG``, unless it has one.
    If nothing handles its messages, :data:`default_handler` does.

    :param app: The application; its ``name`` and ``debug`` are read.
    :source: Flask: the same.
    """
    logger = logging.getLogger(app.name)
    if app.debug and not logger.level:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger
