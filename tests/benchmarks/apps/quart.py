from __future__ import annotations

from typing import Any

from a2wsgi import ASGIMiddleware
from quart import Quart

quart = Quart(__name__)


@quart.get("/")
async def text() -> str:
    return "Hello, World!"


@quart.get("/json")
async def small() -> dict[str, Any]:
    return {"message": "Hello, World!", "count": 3}


app = ASGIMiddleware(quart)  # type: ignore[arg-type]
