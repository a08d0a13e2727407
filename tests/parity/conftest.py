"""One scenario, played on Flask and on Kolben, must give the same answers.

A scenario is a function that builds an application of the framework it is given, and what is
asked of that application. It is played on Flask, on Kolben with ``def`` functions, and on
Kolben with ``async def`` functions that really wait; on the latter two over ASGI and over WSGI. What is different on purpose is left out of
the comparison here, in one place, or asserted by a test of its own.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any
from wsgiref.validate import WSGIWarning, validator

import anyio.lowlevel
import flask
import flask.config
import flask.json
import flask.sessions
import flask.views
import pytest
import werkzeug.datastructures
import werkzeug.exceptions
import werkzeug.routing

import kolben
import kolben.config
import kolben.exceptions
import kolben.http.datastructures
import kolben.json
import kolben.json.provider
import kolben.routing
import kolben.sessions
import kolben.testing
import kolben.views
from kolben.http.datastructures import Headers
from kolben.testing.wsgi import make_environ, run_wsgi_app

#: What a client or a cache looks at. ``Date`` and the like are the server's.
RELEVANT = (
    (
        "Content-Type Content-Length Content-Encoding Content-Language Content-Disposition"
        " Content-Range Content-Location Accept-Ranges Location Allow Vary ETag Last-Modified Expires"
        " Cache-Control WWW-Authenticate Retry-After Set-Cookie X-A X-B X-Order"
    )
    .lower()
    .split()
)
NOT_WITHOUT_CONTENT = ("Content-Type", "Last-Modified")

Request = str | tuple[Any, ...] | Callable[[Any, Any], Any]


def as_async(f: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(f)
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        return f(*args, **kwargs)

    return waiting


class WSGIClient(kolben.testing.Client):
    """The test client, but over WSGI, with the standard library's checks of what is said there."""

    def _send(self, builder: Any, buffered: bool) -> Any:
        scope, body = self._prepare(builder)
        scope.pop("state")
        sent = body if isinstance(body, bytes) else b"".join(body)
        environ = make_environ(scope, sent)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Unknown REQUEST_METHOD", WSGIWarning)
            chunks, status, fields = run_wsgi_app(validator(self.application), environ, True)
        headers = Headers(fields)
        self._update_cookies(scope, headers)
        request = self.application.request_class(scope)
        request.set_body(sent)
        response = self.response_wrapper(chunks, status, headers, request)
        response.json_module = self.application.json
        return response


class Through:
    """Middleware through which everything passes, in the thread that the server gave to it."""

    runs_inline = True

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Framework:
    """The names of one framework, and the colour of the functions that are registered.

    :param over_wsgi: Whether its test client makes requests as a WSGI server does.
    :param middleware: What is put around its applications.
    """

    def __init__(
        self,
        name: str,
        package: ModuleType,
        colour: Callable[[Any], Any],
        over_wsgi: bool = False,
        middleware: Any = None,
    ) -> None:
        self.name = name
        self.colour = colour
        self.over_wsgi = over_wsgi
        self.middleware = middleware
        self.is_flask = package is flask
        self.App: Any = getattr(package, "Flask", None) or kolben.Kolben
        self.exceptions: Any = werkzeug.exceptions if self.is_flask else kolben.exceptions
        self.routing: Any = werkzeug.routing if self.is_flask else kolben.routing
        self.datastructures: Any = (
            werkzeug.datastructures if self.is_flask else kolben.http.datastructures
        )
        self.package: Any = package

    def __repr__(self) -> str:
        return self.name

    def __getattr__(self, name: str) -> Any:
        return getattr(self.package, name)

    def app(self, **config: Any) -> Any:
        arguments = {key: config.pop(key) for key in list(config) if key.islower()}
        app = self.App("parity", **arguments)
        if self.over_wsgi:
            app.test_client_class = WSGIClient
        if self.middleware is not None:
            app.add_middleware(self.middleware)
        app.config.update({"SECRET_KEY": "a key of more than sixteen bytes", **config})
        # The defaults that differ on purpose; docs/migrating-from-flask.md says why.
        app.config.setdefault("SESSION_COOKIE_SAMESITE", "Lax")
        if app.config["SESSION_COOKIE_SAMESITE"] is None:
            app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
        if app.config["SESSION_COOKIE_SECURE"] is None:
            app.config["SESSION_COOKIE_SECURE"] = False
        return app


FLASK = Framework("Flask", flask, lambda f: f)
KOLBEN = Framework("Kolben", kolben, lambda f: f)
ASYNC = Framework("Kolben, async def", kolben, as_async)
#: Flask is the first: what the others are compared with.
ALL = (FLASK, KOLBEN, ASYNC)
#: The same over WSGI, as Flask.
OVER_WSGI = (
    Framework("Kolben, WSGI", kolben, lambda f: f, over_wsgi=True),
    Framework("Kolben, WSGI, async def", kolben, as_async, over_wsgi=True),
    Framework("Kolben, WSGI, middleware", kolben, lambda f: f, over_wsgi=True, middleware=Through),
)


def is_page(body: bytes) -> bool:
    """Whether a body is one of the pages that a framework writes itself."""
    return body[:15].lower() == b"<!doctype html>" and b"<title>" in body[:60]


def answer(response: Any) -> Any:
    """What there is to compare in a response.

    Without the wording of error pages, and the reason phrase, which ASGI does not carry.
    """
    body = response.get_data()
    headers = [
        (name.title(), value)
        for name, value in response.headers.items()
        if name.lower() in RELEVANT
    ]
    if is_page(body) or (not body and response.status_code >= 300):  # the answer to HEAD, too
        body = body and b"(a page)"
        headers = [(name, value) for name, value in headers if name != "Content-Length"]
    if response.headers.get("Cache-Control") == "private" and "session=" in str(headers):
        # Kolben forbids shared caches to keep what sets a session.
        headers = [(name, value) for name, value in headers if name != "Cache-Control"]
    if response.status_code in (204, 304):
        # Kolben describes no content where there is none, and keeps Last-Modified.
        headers = [(name, value) for name, value in headers if name not in NOT_WITHOUT_CONTENT]
    cookies = sorted(_cookie(value) for name, value in headers if name == "Set-Cookie")
    rest = sorted((name, _field(name, value)) for name, value in headers if name != "Set-Cookie")
    return {"status": response.status_code, "headers": rest, "cookies": cookies, "body": body}


def _cookie(value: str) -> str:
    """A cookie without the order of its attributes, and a session without its time stamp.

    Beside ``Max-Age`` the moment of ``Expires`` is the clock's.
    """
    first, *attributes = value.split("; ")
    if "Max-Age=" in value:
        attributes = [a.split("=")[0] if a.startswith("Expires=") else a for a in attributes]
    name, _, content = first.partition("=")
    if name == "session":
        first = f"session={content.partition('.')[0]}"
    return "; ".join([first, *sorted(attributes)])


def _field(name: str, value: str) -> Any:
    if name in ("Allow", "Vary", "Cache-Control"):
        return sorted(item.strip() for item in value.split(","))
    if name == "Expires":
        return "some moment"
    return value


def play(framework: Framework, build: Callable[[Framework], Any], requests: Any) -> list[Any]:
    client = build(framework).test_client()
    found: list[Any] = []
    for request in requests:
        if callable(request):
            result = request(framework, client)
        elif isinstance(request, str):
            result = client.get(request)
        else:
            method, path, *rest = request
            result = client.open(path, method=method, **(rest[0] if rest else {}))
        found.append(answer(result) if hasattr(result, "status_code") else result)
        if hasattr(result, "close") and hasattr(result, "status_code"):
            result.close()
    return found


Compare = Callable[..., list[Any]]


@pytest.fixture
def compare() -> Compare:
    """Play a scenario on every framework, and compare.

    Requests are paths to get, ``(method, path, arguments of the client)``, or functions of
    the framework and the client. The answers, which are the same, are returned.
    ``over_wsgi=False`` is for what the test client does with contexts, which it does not there.
    """

    def compare(
        build: Callable[[Framework], Any], *requests: Request, over_wsgi: bool = True
    ) -> list[Any]:
        expected = play(FLASK, build, requests)
        for framework in (KOLBEN, ASYNC, *(OVER_WSGI if over_wsgi else ())):
            found = play(framework, build, requests)
            for request, theirs, ours in zip(requests, expected, found, strict=True):
                assert (framework, request, ours) == (framework, request, theirs)
        return expected

    return compare


@pytest.fixture(params=ALL + OVER_WSGI, ids=repr)
def framework(request: pytest.FixtureRequest) -> Framework:
    """Each framework in turn, for what is asserted rather than compared."""
    found: Framework = request.param
    return found
