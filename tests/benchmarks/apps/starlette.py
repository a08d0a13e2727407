from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


async def text(request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, World!")


async def small(request: Request) -> JSONResponse:
    return JSONResponse({"message": "Hello, World!", "count": 3})


async def user(request: Request) -> JSONResponse:
    limit = int(request.query_params.get("limit", 20))
    return JSONResponse({"user_id": request.path_params["user_id"], "limit": limit})


app = Starlette(
    routes=[Route("/", text), Route("/json", small), Route("/users/{user_id:int}", user)]
)
