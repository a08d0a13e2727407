from __future__ import annotations

from typing import Any

from kolben import Kolben, request

app = Kolben(__name__)


@app.get("/")
async def text() -> str:
    return "Hello, World!"


@app.get("/json")
async def small() -> dict[str, Any]:
    return {"message": "Hello, World!", "count": 3}


@app.get("/users/<int:user_id>")
async def user(user_id: int) -> dict[str, Any]:
    return {"user_id": user_id, "limit": request.args.get("limit", 20, type=int)}
