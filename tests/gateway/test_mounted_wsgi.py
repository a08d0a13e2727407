"""Plain WSGI applications below a Kolben application, served by ASGI and by WSGI."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from kolben import Kolben
from kolben.testing import RequestBuilder

TEXT = [("Content-Type", "text/plain")]
Ask = Callable[[Any], tuple[int, bytes]]


def by_asgi(application: Any) -> tuple[int, bytes]:
    outer = Kolben("outer")
    outer.mount("/inner", application, wsgi=True)
    response = outer.test_client().get("/inner/", buffered=True)
    return response.status_code, response.get_data()


def by_wsgi(application: Any) -> tuple[int, bytes]:
    outer = Kolben("outer")
    outer.mount("/inner", application, wsgi=True)
    environ = RequestBuilder(outer, "/inner/").get_environ()
    body, status, _ = outer.test_client().run_wsgi_app(environ, buffered=True)
    return int(status[:3]), b"".join(body)


@pytest.fixture(params=[by_asgi, by_wsgi])
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.param
    return found


def fail(start_response: Any, headers: Any = TEXT) -> None:
    try:
        raise ZeroDivisionError("late")
    except ZeroDivisionError:
        start_response("500 Internal Server Error", headers, sys.exc_info())


def test_an_error_before_the_body_replaces_the_head(ask: Ask) -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [*TEXT, ("Content-Length", "99")])
        fail(start_response)
        return [b"", b"error page"]

    assert ask(application) == (500, b"error page")


def test_an_error_in_a_generator_before_its_first_part_does_too(ask: Ask) -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        yield b""
        fail(start_response)
        yield b"error page"

    assert ask(application) == (500, b"error page")


def test_an_error_after_the_head_comes_back(ask: Ask) -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        yield b"part"
        fail(start_response)
        yield b"never"

    with pytest.raises(ZeroDivisionError, match="late"):
        ask(application)


def test_a_body_may_be_written(ask: Ask) -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        write = start_response("201 Created", TEXT)
        write(b"written ")
        return [b"and returned"]

    assert ask(application) == (201, b"written and returned")


def test_a_response_may_have_no_body(ask: Ask) -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("204 No Content", [])
        return []

    assert ask(application) == (204, b"")


def test_who_never_begins_a_response_is_told() -> None:
    with pytest.raises(AssertionError, match="has not called start_response"):
        by_asgi(lambda environ, start_response: [b"body"])


def test_who_begins_a_second_one_is_told() -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        start_response("200 OK", TEXT)
        return [b"body"]

    with pytest.raises(AssertionError, match="a second time"):
        by_asgi(application)
