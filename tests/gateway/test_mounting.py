"""Kolben mounted in other frameworks, on its own and with mounts of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest
from fastapi import FastAPI
from litestar import Litestar, asgi
from starlette.applications import Starlette
from starlette.routing import Mount
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from kolben import Blueprint, Kolben, redirect, request, session, url_for

from .django_project import get_asgi_application

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

HOST = "http://localhost"


def make_kolben(tmp_path: Path) -> Kolben:
    static = tmp_path / "static"
    static.mkdir()
    (static / "style.css").write_text("body { color: teal }")
    app = Kolben("inner", static_folder=static)
    app.secret_key = "only for these tests"
    pages = Blueprint("pages", __name__, url_prefix="/pages")

    @app.get("/")
    async def index() -> str:
        return "index"

    @app.get("/where/<path:rest>")
    def where(rest: str) -> dict[str, Any]:
        return {
            "rest": rest,
            "path": request.path,
            "root": request.root_path,
            "url": request.base_url,
            "page": url_for("pages.page", name="ü/x"),
            "static": url_for("static", filename="style.css"),
            "external": url_for("index", _external=True),
        }

    @pages.get("/<name>")
    async def page(name: str) -> str:
        session["name"] = name
        return name

    @app.get("/folder/")
    async def folder() -> str:
        return "folder"

    @app.get("/away")
    def away() -> Any:
        return redirect(url_for("pages.page", name="target"))

    app.register_blueprint(pages)
    app.register_error_handler(404, lambda error: ("Kolben's own 404", 404))
    return app


def in_kolben(app: Kolben) -> Any:
    outer = Kolben("outer")
    outer.mount("/mounted", app)
    return outer


def in_starlette(app: Kolben) -> Any:
    return Starlette(routes=[Mount("/mounted", app)])


def in_fastapi(app: Kolben) -> Any:
    outer = FastAPI()
    outer.mount("/mounted", app)
    return outer


def in_litestar(app: Kolben) -> Any:
    return Litestar([asgi("/mounted", is_mount=True, copy_scope=True)(app)])


def in_django(app: Kolben) -> Any:
    """As Django's documentation has it: a function before its ASGI application."""
    django_app = get_asgi_application()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/mounted/"):
            root_path = scope.get("root_path", "") + "/mounted"
            await app({**scope, "root_path": root_path}, receive, send)
        else:
            await django_app(scope, receive, send)

    return application


def in_werkzeug(app: Kolben) -> Any:
    return DispatcherMiddleware(Kolben("outer"), {"/mounted": app})


Get = Callable[[str], Any]
HOSTS = (in_kolben, in_starlette, in_fastapi, in_litestar, in_django, in_werkzeug)


@pytest.fixture(params=HOSTS, ids=lambda host: host.__name__[3:])
def host(request: pytest.FixtureRequest) -> Any:
    """What mounts an application at ``/mounted``."""
    return request.param


@pytest.fixture(params=["", "/deep"], ids=["alone", "with a mount"])
def below(request: pytest.FixtureRequest) -> str:
    """Where in the application that is mounted there is the one that answers."""
    return str(request.param)


@pytest.fixture
def app(tmp_path: Path) -> Kolben:
    return make_kolben(tmp_path)


@pytest.fixture
def get(host: Any, below: str, app: Kolben) -> Get:
    """Makes a request to the application, from outside of what mounts it."""
    mounted = app
    if below:
        mounted = Kolben("between")
        mounted.mount(below, app)
    outer = host(mounted)
    if host is in_werkzeug:
        client = Client(outer)

        async def get_by_wsgi(path: str) -> Any:
            ask = partial(client.get, path, buffered=True)
            answer = await anyio.to_thread.run_sync(ask)  # where no event loop runs
            return httpx.Response(
                answer.status_code, headers=[*answer.headers], content=answer.data
            )

        return get_by_wsgi

    async def get_by_asgi(path: str) -> Any:
        transport = httpx.ASGITransport(outer)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            return await client.get(path)

    return get_by_asgi


async def test_urls(get: Get, below: str) -> None:
    prefix = f"/mounted{below}"
    found = (await get(f"{prefix}/where/%C3%A4/x?q=1")).json()
    assert found == {
        "rest": "ä/x",
        "path": "/where/ä/x",
        "root": prefix,
        "url": f"{HOST}{prefix}/where/ä/x",
        "page": f"{prefix}/pages/%C3%BC%2Fx",
        "static": f"{prefix}/static/style.css",
        "external": f"{HOST}{prefix}/",
    }
    assert (await get(f"{prefix}/")).text == "index"
    assert (await get(found["static"])).text == "body { color: teal }"


async def test_an_encoded_slash_is_data(get: Get, below: str, host: Any) -> None:
    answer = await get(f"/mounted{below}/pages/%C3%BC%2Fx")
    assert answer.text == "ü/x"


async def test_redirects(get: Get, below: str) -> None:
    prefix = f"/mounted{below}"
    answer = await get(f"{prefix}/away")
    assert (answer.status_code, answer.headers["location"]) == (302, f"{prefix}/pages/target")
    answer = await get(f"{prefix}/folder?a=1")
    assert (answer.status_code, answer.headers["location"]) == (308, f"{HOST}{prefix}/folder/?a=1")


async def test_the_path_of_cookies(get: Get, below: str, app: Kolben) -> None:
    cookie = (await get(f"/mounted{below}/pages/x")).headers["set-cookie"]
    assert "; Path=/;" in f"{cookie};"
    app.config["APPLICATION_ROOT"] = "/mounted"
    cookie = (await get(f"/mounted{below}/pages/x")).headers["set-cookie"]
    assert "; Path=/mounted;" in f"{cookie};"


async def test_error_pages(get: Get, below: str) -> None:
    answer = await get(f"/mounted{below}/nowhere")
    assert (answer.status_code, answer.text) == (404, "Kolben's own 404")
    answer = await get("/nowhere")
    assert answer.status_code == 404
    assert answer.text != "Kolben's own 404"
