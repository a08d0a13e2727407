# No `from __future__ import annotations` here: BlackSheep reads the types of the handlers'
# parameters to convert what it passes.
from typing import Any

from blacksheep import Application, Response, get, json
from blacksheep import text as plain

app = Application()


@get("/")
async def text() -> Response:
    return plain("Hello, World!")


@get("/json")
async def small() -> Response:
    return json({"message": "Hello, World!", "count": 3})


@get("/users/{int:user_id}")
async def user(user_id: int, limit: int = 20) -> Response:
    data: dict[str, Any] = {"user_id": user_id, "limit": limit}
    return json(data)
