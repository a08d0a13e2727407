from __future__ import annotations

import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


def text(request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, World!")


def item(request: Request) -> JSONResponse:
    return JSONResponse({"item_id": request.path_params["item_id"]})


def sleep(request: Request) -> PlainTextResponse:
    time.sleep(0.05)
    return PlainTextResponse("Awake")


async def ping(request: Request) -> PlainTextResponse:
    return PlainTextResponse("pong")


app = Starlette(
    routes=[
        Route("/", text),
        Route("/items/{item_id:int}", item),
        Route("/sleep", sleep),
        Route("/ping", ping),
    ]
)
