"""The same answers without a framework, each made in a worker thread as anyio has it."""

from __future__ import annotations

import json
from typing import Any

from anyio import to_thread

HTML = (b"content-type", b"text/html; charset=utf-8")
JSON = (b"content-type", b"application/json")


def view(path: str) -> tuple[int, tuple[bytes, bytes], bytes]:
    if path == "/":
        return 200, HTML, b"Hello, World!"
    if path.startswith("/items/") and path[7:].isdecimal():
        return 200, JSON, json.dumps({"item_id": int(path[7:])}).encode()
    return 404, HTML, b"Not Found"


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise TypeError("http only")
    status, content_type, body = await to_thread.run_sync(view, scope["path"])
    headers = [content_type, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
