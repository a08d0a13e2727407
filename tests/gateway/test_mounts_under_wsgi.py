"""Mounted applications where the outer one is served by WSGI."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import fastapi
import flask
import pytest

from kolben import Kolben, url_for
from kolben.gateway.process import worker_process
from kolben.testing import RequestBuilder


@pytest.fixture(autouse=True)
def worker() -> Iterator[None]:
    """A server's worker process; what it holds is undone."""
    yield
    worker_process().end()


@pytest.fixture
def log() -> list[str]:
    return []


class Passing:
    """Middleware that needs no event loop."""

    runs_inline: ClassVar[bool] = True

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-marked", b"1")]}
            await send(message)

        await self.app(scope, receive, send_marked)


class PassingOnTheLoop(Passing):
    """The same, said to need one."""

    runs_inline = False


def make_flask() -> Any:
    app = flask.Flask("legacy")

    @app.route("/where/<name>", methods=["GET", "POST"])
    def where(name: str) -> Any:
        return {
            "name": name,
            "root": flask.request.script_root,
            "body": flask.request.get_data(as_text=True),
            "page": flask.url_for("where", name="x"),
            "thread": threading.current_thread().name,
        }

    return app


def make_fastapi(log: list[str]) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, str]]:
        log.append("fastapi up")
        yield {"left": "by the lifespan"}
        log.append("fastapi down")

    app = fastapi.FastAPI(lifespan=lifespan)

    @app.post("/where/{name}")
    async def where(request: fastapi.Request, name: str) -> Any:
        return {
            "name": name,
            "root": request.scope["root_path"],
            "body": (await request.body()).decode(),
            "left": request.state.left,
        }

    return app


def make_kolben(log: list[str]) -> Kolben:
    app = Kolben("inner", static_folder=None)
    app.before_serving(lambda: log.append("inner up"))
    app.after_serving(lambda: log.append("inner down"))

    @app.get("/def/<name>")
    def plain(name: str) -> Any:
        return {"page": url_for("plain", name=name), "thread": threading.current_thread().name}

    @app.get("/async/<name>")
    async def on_loop(name: str) -> Any:
        return {"page": url_for("on_loop", name=name), "thread": threading.current_thread().name}

    app.register_error_handler(404, lambda error: ("inner's 404", 404))
    return app


@pytest.fixture(params=[None, Passing, PassingOnTheLoop])
def outer(request: pytest.FixtureRequest, log: list[str]) -> Kolben:
    """An application that mounts one of each, without and with middleware."""
    app = Kolben("outer", static_folder=None)
    app.add_url_rule("/", "index", lambda: "outer's index")
    app.register_error_handler(404, lambda error: ("outer's 404", 404))
    app.mount("/flask", make_flask())
    app.mount("/künste/inner", make_kolben(log))
    app.mount("/fastapi", make_fastapi(log))
    if request.param is not None:
        app.add_middleware(request.param)
    return app


def ask(app: Kolben, path: str, **options: Any) -> tuple[Any, dict[str, str]]:
    """What a WSGI server gets: JSON, or the text and the status; and the headers."""
    environ = RequestBuilder(app, path, **options).get_environ()
    body, status, headers = app.test_client().run_wsgi_app(environ, buffered=True)
    text = b"".join(body).decode()
    is_json = headers["Content-Type"] == "application/json"
    return json.loads(text) if is_json else (text, int(status[:3])), dict(headers)


def test_each_is_below_its_prefix(outer: Kolben) -> None:
    found, _ = ask(outer, "/flask/where/%C3%A4", method="POST", data=b"hello")
    assert {**found, "thread": None} == {
        "name": "ä",
        "root": "/flask",
        "body": "hello",
        "page": "/flask/where/x",
        "thread": None,
    }
    found, _ = ask(outer, "/fastapi/where/%C3%A4", method="POST", data=b"hello")
    left = "by the lifespan"
    assert found == {"name": "ä", "root": "/fastapi", "body": "hello", "left": left}
    for path in ("/def/x", "/async/x"):
        found, _ = ask(outer, f"/k%C3%BCnste/inner{path}")
        assert found["page"] == f"/k%C3%BCnste/inner{path}"
    assert ask(outer, "/k%C3%BCnste/inner/nowhere")[0] == ("inner's 404", 404)
    assert ask(outer, "/k%C3%BCnste/innerer")[0] == ("outer's 404", 404)
    assert ask(outer, "/flask%2Fwhere/x")[0] == ("outer's 404", 404)
    assert ask(outer, "/")[0] == ("outer's index", 200)


def test_middleware_goes_around_mounts(outer: Kolben) -> None:
    marked = bool(outer._middleware)
    for path in ("/", "/flask/where/x", "/k%C3%BCnste/inner/def/x", "/fastapi/nowhere"):
        assert ("x-marked" in {name.lower() for name in ask(outer, path)[1]}) is marked


def test_nothing_but_what_is_asynchronous_leaves_the_servers_thread(outer: Kolben) -> None:
    here = threading.current_thread().name
    assert ask(outer, "/k%C3%BCnste/inner/def/x")[0]["thread"] == here
    assert ask(outer, "/k%C3%BCnste/inner/async/x")[0]["thread"] != here
    if not outer._middleware:
        assert ask(outer, "/flask/where/x")[0]["thread"] == here


def test_lifespans_run_once_and_are_undone(outer: Kolben, log: list[str]) -> None:
    for path in ("/k%C3%BCnste/inner/def/x", "/k%C3%BCnste/inner/async/x", "/fastapi/nowhere"):
        ask(outer, path)
        assert log == ["inner up", "fastapi up"]
    worker_process().end()
    assert log[2:] == ["fastapi down", "inner down"]


def test_mounting_what_needs_no_loop_makes_none() -> None:
    outer = Kolben("outer")
    outer.mount("/flask", make_flask())
    inner = Kolben("inner")
    inner.add_url_rule("/", "index", lambda: "inner's index")
    outer.mount("/inner", inner)
    assert ask(outer, "/flask/where/x")[0]["name"] == "x"
    assert ask(outer, "/inner/")[0] == ("inner's index", 200)
    assert worker_process().loop is None


@pytest.mark.parametrize("middleware", [None, Passing, PassingOnTheLoop])
def test_the_mount_at_the_root_gets_what_is_left(middleware: Any) -> None:
    outer = Kolben("outer", static_folder=None)
    outer.add_url_rule("/where/new", "new", lambda: "new")
    outer.mount("/", make_flask())
    if middleware is not None:
        outer.add_middleware(middleware)
    assert ask(outer, "/where/new")[0] == ("new", 200)
    found, _ = ask(outer, "/where/old", base_url="http://localhost/app")
    assert (found["name"], found["root"]) == ("old", "/app")


@pytest.mark.parametrize("middleware", [Passing, PassingOnTheLoop])
def test_the_mounted_application_keeps_its_own_middleware(log: list[str], middleware: Any) -> None:
    outer, inner = Kolben("outer", static_folder=None), make_kolben(log)
    inner.add_middleware(middleware)
    outer.add_middleware(Passing)
    outer.mount("/inner", inner)
    environ = RequestBuilder(outer, "/inner/def/x").get_environ()
    _, _, headers = outer.test_client().run_wsgi_app(environ, buffered=True)
    assert headers.getlist("x-marked") == ["1", "1"]
