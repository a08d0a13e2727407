"""Middleware as users write it and take it from packages; checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from asgi_correlation_id import CorrelationIdMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from kolben import Blueprint, Kolben, Request, Response
from kolben.middleware import CORS, GZip, ProxyFix, Timeout, cors
from kolben.typing import ResponseReturnValue

app = Kolben(__name__)
pages = Blueprint("pages", __name__)


@app.middleware
async def measure(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers["X-Path"] = request.path
    return response


@pages.middleware
def guard(request: Request, call_next: Callable[[Request], Response]) -> ResponseReturnValue:
    if request.authorization is None:
        return {"error": "who are you?"}, 401
    return call_next(request)


@app.get("/slow", middleware=[measure, guard, cors(origins="*")], timeout=2.5)
async def slow() -> str:
    return "done"


class Pure:
    settings: ClassVar[dict[str, str]] = {"name": "PURE_NAME"}
    runs_inline: ClassVar[bool] = True

    def __init__(self, app: ASGIApp, *, name: str = "pure") -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def around(app: ASGIApp, **options: Any) -> ASGIApp:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return inner


app.add_middleware(Pure, name="mine")
app.add_middleware(around, anything=1)
app.add_middleware(CORSMiddleware, allow_origins=["https://example.org"])
app.add_middleware(GZipMiddleware, minimum_size=1000)
app.add_middleware(CorrelationIdMiddleware)
app.add_middleware(CORS, origins="https://example.org")
app.add_middleware(GZip)
app.add_middleware(ProxyFix, x_for=1)
app.add_middleware(Timeout, seconds=30)
app.asgi_app = Pure(app.asgi_app)  # type: ignore[method-assign]
