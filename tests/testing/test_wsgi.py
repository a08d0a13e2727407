"""Requests as WSGI servers make them, and the runner for commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kolben.testing import Client, IllegalResponse, RequestBuilder

StartResponse = Callable[..., Callable[[bytes], object]]


class Body:
    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.closed = chunks, False

    def __iter__(self) -> Any:
        return iter(self.chunks)

    def close(self) -> None:
        self.closed = True


def answering(body: Any, *headers: tuple[str, str], status: str = "200 OK") -> Any:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        start_response(status, list(headers))
        return body

    return app


def call(app: Any, buffered: bool = True, **kwargs: Any) -> Any:
    environ = RequestBuilder(app, **kwargs).get_environ()
    return Client(app).run_wsgi_app(environ, buffered)


def test_body_status_and_headers() -> None:
    body = Body(b"a", b"b")
    chunks, status, headers = call(answering(body, ("X-A", "1")))
    assert chunks == [b"a", b"b"] and status == "200 OK" and headers["x-a"] == "1"
    assert body.closed


def test_a_body_that_is_not_buffered_is_closed_by_the_caller() -> None:
    body = Body(b"a", b"b")
    chunks, _, _ = call(answering(body), buffered=False)
    assert list(chunks) == [b"a", b"b"] and not body.closed
    chunks.close()
    assert body.closed


def test_late_starts_and_written_chunks() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        write = start_response("200 OK", [])
        write(b"written ")
        yield b"yielded"

    assert b"".join(call(app)[0]) == b"written yielded"


@pytest.mark.parametrize(
    ("app", "complaint"),
    [
        (answering([b"abc"], ("Content-Length", "2")), "longer"),
        (answering([b"abc"], ("Content-Length", "4")), "shorter"),
        (answering([b"abc"], status="204 NO CONTENT"), "must not have a body"),
        (answering([b""], ("X-A", "a\nb")), "header value"),
        (lambda environ, start_response: [b"x"], "without starting"),
    ],
)
def test_illegal_responses(app: Any, complaint: str) -> None:
    with pytest.raises(IllegalResponse, match=complaint):
        call(app)


def test_cookies_are_kept() -> None:
    seen: list[Any] = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        seen.append(environ.get("HTTP_COOKIE"))
        start_response("200 OK", [("Set-Cookie", "a=1; Path=/")])
        return []

    client = Client(app)
    for _ in range(2):
        client.run_wsgi_app(RequestBuilder(app).get_environ(), buffered=True)
    assert seen == [None, "a=1"]


def test_errors_pass() -> None:
    body = Body()

    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(app)
    with pytest.raises(IllegalResponse):
        call(answering(body, ("Content-Length", "1")))
    assert body.closed
