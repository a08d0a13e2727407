"""The same answers without a framework: what the others are measured against."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

HTML = (b"content-type", b"text/html; charset=utf-8")
JSON = (b"content-type", b"application/json")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise TypeError("http only")
    path = scope["path"]
    status, content_type = 200, JSON
    if path == "/":
        content_type, body = HTML, b"Hello, World!"
    elif path == "/json":
        body = json.dumps({"message": "Hello, World!", "count": 3}).encode()
    elif path.startswith("/users/") and path[7:].isdecimal():
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        limit = int(query.get("limit", "20"))
        body = json.dumps({"user_id": int(path[7:]), "limit": limit}).encode()
    else:
        status, content_type, body = 404, HTML, b"Not Found"
    headers = [content_type, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
