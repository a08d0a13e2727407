from __future__ import annotations

import time
from typing import Any

from kolben import Kolben, request

app = Kolben(__name__)


@app.get("/")
def text() -> str:
    return "Hello, World!"


@app.get("/json")
def small() -> dict[str, Any]:
    return {"message": "Hello, World!", "count": 3}


@app.post("/form")
def form() -> str:
    return f"Data received: {request.form['text']}"


@app.get("/items/<int:item_id>")
def item(item_id: int) -> dict[str, Any]:
    return {"item_id": item_id}


@app.get("/sleep")
def sleep() -> str:
    time.sleep(0.05)
    return "Awake"


@app.get("/ping")
async def ping() -> str:
    return "pong"
