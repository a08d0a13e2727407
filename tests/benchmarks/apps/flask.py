from __future__ import annotations

from typing import Any

from flask import Flask, request

app = Flask(__name__)


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
