"""One object that servers of either protocol take for theirs."""

from __future__ import annotations

import inspect
import logging
from typing import Any

import pytest

from kolben import Kolben
from kolben.middleware import ProxyFix


@pytest.fixture
def app() -> Kolben:
    app = Kolben("protocols")
    app.add_url_rule("/", "index", lambda: "Hello")
    return app


def test_who_asks_for_a_coroutine_function_gets_one(app: Kolben) -> None:
    assert inspect.iscoroutinefunction(app.__call__)


def test_daphne_takes_it_for_an_application_of_one_call(app: Kolben) -> None:
    compatibility = pytest.importorskip("asgiref.compatibility")
    assert not compatibility.is_double_callable(app)
    assert compatibility.guarantee_single_callable(app) is app


def test_hypercorn_takes_it_for_asgi(app: Kolben) -> None:
    utils = pytest.importorskip("hypercorn.utils")
    assert utils.is_asgi(app)


def test_a_call_with_two_arguments_is_wsgi(app: Kolben) -> None:
    body, status, _ = app.test_client().run_wsgi_app(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http"}, buffered=True
    )
    assert status == "200 OK" and b"".join(body) == b"Hello"


def wrapped(app: Kolben) -> Any:
    inner = app.wsgi_app
    return lambda environ, start_response: inner(environ, start_response)


def test_what_is_around_wsgi_app_is_missed_once_under_asgi(
    app: Kolben, caplog: pytest.LogCaptureFixture
) -> None:
    app.wsgi_app = wrapped(app)  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        with app.test_client().lifespan() as client:
            assert client.get("/").text == client.get("/").text == "Hello"
    (record,) = caplog.records
    assert "'wsgi_app' is not used" in record.message and "add_middleware" in record.message


@pytest.mark.parametrize("other", ["asgi_app", "add_middleware", "wsgi"])
def test_who_has_thought_of_both_is_not_told(
    app: Kolben, caplog: pytest.LogCaptureFixture, other: str
) -> None:
    app.wsgi_app = wrapped(app)  # type: ignore[method-assign]
    if other == "asgi_app":
        app.asgi_app = ProxyFix(app.asgi_app)  # type: ignore[method-assign]
    elif other == "add_middleware":
        app.add_middleware(ProxyFix)
    if other == "wsgi":
        test_a_call_with_two_arguments_is_wsgi(app)
    else:
        assert app.test_client().get("/").text == "Hello"
    assert not caplog.records


def test_a_websocket_route_under_wsgi_says_what_it_needs(
    app: Kolben, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_url_rule("/live", "live", lambda: "never", websocket=True)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/live",
        "HTTP_HOST": "localhost",
        "HTTP_CONNECTION": "Upgrade",
        "HTTP_UPGRADE": "websocket",
        "wsgi.url_scheme": "http",
    }
    for _ in range(3):
        body, status, _ = app.test_client().run_wsgi_app(environ, buffered=True)
        assert status == "426 Upgrade Required" and b"another protocol" in b"".join(body)
    (record,) = caplog.records
    assert record.levelname == "WARNING" and "ASGI server, such as uvicorn" in record.message
