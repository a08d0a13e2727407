from __future__ import annotations

import io
import logging
import sys
from typing import Any
from uuid import uuid4

import pytest

from kolben.context import Context, current
from kolben.logging import create_logger, default_handler, has_level_handler, wsgi_errors_stream
from kolben.wrappers import Request


class App:
    """Its logger is below one that passes nothing on: pytest has handlers on the root.

    Made within the test, because pytest puts handlers on all such loggers before it.
    """

    debug = False

    def __init__(self) -> None:
        self.top = logging.getLogger(f"kolben_test_{uuid4().hex}")
        self.top.propagate = False
        self.name = f"{self.top.name}.app"


def test_the_logger_is_named_like_the_application() -> None:
    app = App()
    logger = create_logger(app)
    assert logger.name == app.name
    assert logger.level == logging.NOTSET
    assert logger.handlers == [default_handler]


def test_the_handler_is_added_once() -> None:
    app = App()
    create_logger(app)
    assert create_logger(app).handlers == [default_handler]


def test_debug_mode_shows_everything_unless_a_level_is_set() -> None:
    app = App()
    app.debug = True
    assert create_logger(app).level == logging.DEBUG
    logging.getLogger(app.name).setLevel(logging.ERROR)
    assert create_logger(app).level == logging.ERROR


def test_a_configured_program_is_left_alone() -> None:
    app = App()
    app.top.addHandler(logging.NullHandler())
    assert create_logger(app).handlers == []


def test_a_handler_must_take_the_level() -> None:
    app = App()
    logger = logging.getLogger(app.name)
    assert not has_level_handler(logger)
    handler = logging.NullHandler()
    app.top.addHandler(handler)
    assert has_level_handler(logger)
    logger.propagate = False
    assert not has_level_handler(logger)
    logger.propagate = True
    handler.setLevel(logging.ERROR)
    assert not has_level_handler(logger)
    logger.setLevel(logging.ERROR)
    assert has_level_handler(logger)


def test_messages_go_to_stderr_as_it_is_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App()
    logger = create_logger(app)
    for _ in range(2):
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        logger.error("Something %s", "happened")
        assert "ERROR in test_logging: Something happened\n" in stream.getvalue()


def test_messages_of_a_wsgi_request_go_to_the_servers_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = App()
    stderr, errors = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    logger = create_logger(app)
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
    owner: Any = app
    token = current.set(Context(owner, Request(scope)))
    try:
        logger.error("first")
        scope["wsgi_environ"] = {"wsgi.errors": errors}
        logger.error("second")
        assert wsgi_errors_stream._get_current_object() is errors
    finally:
        current.reset(token)
    assert "first" in stderr.getvalue()
    assert "second" in errors.getvalue()
    assert "second" not in stderr.getvalue()
