"""The lifespan in tests."""

from __future__ import annotations

from typing import Any

import pytest

from kolben import Kolben
from kolben.testing import Client

pytestmark = pytest.mark.anyio


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def app(log: list[str]) -> Kolben:
    app = Kolben("app", root_path=".")

    @app.before_serving
    async def start() -> None:
        log.append("start")

    @app.after_serving
    def stop() -> None:
        log.append("stop")

    app.add_url_rule("/", "index", lambda: ",".join(log))
    return app


def test_requests_alone_start_nothing(app: Kolben, log: list[str]) -> None:
    assert app.test_client().get("/").text == ""


def test_with_lifespan(app: Kolben, log: list[str]) -> None:
    client = app.test_client()
    with client.lifespan() as same:
        assert same is client
        assert client.get("/").text == "start"
    assert log == ["start", "stop"]


async def test_async_with_lifespan(app: Kolben, log: list[str]) -> None:
    client = app.test_client()
    async with client.lifespan():
        assert (await client.get("/")).text == "start"
    assert log == ["start", "stop"]


async def _lifespan_app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["pool"] = "shared"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "too bad"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["state"]["pool"].encode()})


def test_requests_see_the_state_and_failures_are_raised() -> None:
    client = Client(_lifespan_app)
    with pytest.raises(RuntimeError, match="too bad"), client.lifespan():
        assert client.get("/").text == "shared"


def test_an_application_that_fails_to_start() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Client(app).lifespan():
        pass
