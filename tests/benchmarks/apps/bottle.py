from __future__ import annotations

from typing import Any

from bottle import Bottle, request

app = Bottle()


@app.get("/")
def text() -> str:
    return "Hello, World!"


@app.get("/json")
def small() -> dict[str, Any]:
    return {"message": "Hello, World!", "count": 3}


@app.post("/form")
def form() -> str:
    return f"Data received: {request.forms.getunicode('text')}"


@app.get("/items/<item_id:int>")
def item(item_id: int) -> dict[str, Any]:
    return {"item_id": item_id}
