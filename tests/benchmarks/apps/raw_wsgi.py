"""The same answers without a framework: what the others are measured against."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

HTML = ("Content-Type", "text/html; charset=utf-8")
JSON = ("Content-Type", "application/json")


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    status, content_type = "200 OK", JSON
    if path == "/":
        content_type, body = HTML, b"Hello, World!"
    elif path == "/json":
        body = json.dumps({"message": "Hello, World!", "count": 3}).encode()
    elif path.startswith("/items/") and path[7:].isdecimal():
        body = json.dumps({"item_id": int(path[7:])}).encode()
    elif path == "/form":
        sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        form = dict(parse_qsl(sent.decode()))
        content_type, body = HTML, f"Data received: {form['text']}".encode()
    else:
        status, content_type, body = "404 Not Found", HTML, b"Not Found"
    start_response(status, [content_type, ("Content-Length", str(len(body)))])
    return [body]
