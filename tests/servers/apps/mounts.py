"""One application, inside others of several frameworks."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kolben import Blueprint, Kolben, Response, redirect, request, session, url_for
from kolben.middleware import ProxyFix

token = os.environ["KOLBEN_TEST_TOKEN"]
folder = Path(os.environ["KOLBEN_TEST_FOLDER"])

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

inner = Kolben(__name__, static_folder=folder / "static", instance_path=str(folder / "instance"))
inner.secret_key = "only for these tests"
pages = Blueprint("pages", __name__, url_prefix="/pages")


@inner.get("/")
async def index() -> str:
    return "index"


@inner.get("/ready")
async def ready() -> dict[str, Any]:
    return {"token": token, "pid": os.getpid(), "extensions": []}


@inner.get("/where/<path:rest>")
async def where(rest: str) -> dict[str, Any]:
    return {
        "rest": rest,
        "path": request.path,
        "root_path": request.root_path,
        "script_root": request.script_root,
        "url": request.url,
        "base_url": request.base_url,
        "root_url": request.root_url,
        "index": url_for("index"),
        "static": url_for("static", filename="style.css"),
        "page": url_for("pages.page", name="ä/b"),
        "external": url_for("pages.page", name="x", _external=True),
    }


@inner.get("/def/<name>")
def in_thread(name: str) -> dict[str, Any]:
    return {"path": request.path, "index": url_for("index"), "name": name}


@pages.get("/<name>")
async def page(name: str) -> str:
    return name


@inner.route("/folder/", methods=["GET", "POST"])
async def with_slash() -> str:
    return f"{request.method} {request.query_string.decode()}"


@inner.get("/away")
async def away() -> Response:
    return redirect(url_for("pages.page", name="target"))


@inner.get("/session")
async def count() -> dict[str, int]:
    session["count"] = session.get("count", 0) + 1
    return {"count": session["count"]}


inner.register_blueprint(pages)


def make_proxied() -> Kolben:
    """The same behind a proxy that says what the client has asked for."""
    app = Kolben(__name__, static_folder=folder / "static", instance_path=str(folder / "instance"))
    app.secret_key = "only for these tests"
    app.add_middleware(ProxyFix, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1)
    for rule, endpoint, view, methods in RULES:
        app.add_url_rule(rule, endpoint, view, methods=methods)
    app.register_blueprint(pages)

    @app.get("/client")
    async def client() -> dict[str, Any]:
        return {
            "address": request.remote_addr,
            "scheme": request.scheme,
            "host": request.host,
            "url": request.url,
            "external": url_for("index", _external=True),
            "secure": request.is_secure,
        }

    @app.get("/def/client")
    def client_in_thread() -> dict[str, Any]:
        return {"address": request.remote_addr, "url": request.url}

    return app


RULES = (
    ("/", "index", index, ["GET"]),
    ("/ready", "ready", ready, ["GET"]),
    ("/where/<path:rest>", "where", where, ["GET"]),
    ("/def/<name>", "in_thread", in_thread, ["GET"]),
    ("/folder/", "with_slash", with_slash, ["GET", "POST"]),
    ("/away", "away", away, ["GET"]),
    ("/session", "count", count, ["GET"]),
)
proxied = make_proxied()


def dispatcher(mounts: dict[str, App]) -> App:
    """The least that mounts applications: it says what is below which prefix."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await inner(scope, receive, send)
        root = scope.get("root_path", "")
        for prefix, mounted in mounts.items():
            if scope["path"].startswith(f"{root}{prefix}/"):
                scope = {**scope, "root_path": root + prefix}
                return await mounted(scope, receive, send)
        await inner(scope, receive, send)

    return app


in_kolben = dispatcher({"/outer": dispatcher({"/inner": inner}), "/mounted": inner})

with suppress(ImportError):
    from starlette.applications import Starlette
    from starlette.routing import Mount

    below = Starlette(routes=[Mount("/inner", app=inner)])
    in_starlette = Starlette(
        routes=[Mount("/mounted", app=inner), Mount("/outer", app=below), Mount("/", app=inner)]
    )

with suppress(ImportError):
    from fastapi import FastAPI

    in_fastapi = FastAPI()
    fastapi_below = FastAPI()
    fastapi_below.mount("/inner", inner)
    in_fastapi.mount("/mounted", inner)
    in_fastapi.mount("/outer", fastapi_below)
    in_fastapi.mount("/", inner)

with suppress(ImportError):
    from litestar import Litestar, Router, asgi, get

    @get("/ready")
    async def litestar_ready() -> dict[str, Any]:
        return {"token": token, "pid": os.getpid(), "extensions": []}

    @asgi("/inner", is_mount=True, copy_scope=True)
    async def litestar_below(scope: Any, receive: Any, send: Any) -> None:
        """A router copies its handlers deeply; a function stays what it is."""
        await inner(scope, receive, send)

    in_litestar = Litestar(
        [
            asgi("/mounted", is_mount=True, copy_scope=True)(inner),
            Router("/outer", route_handlers=[litestar_below]),
            litestar_ready,
        ]
    )
