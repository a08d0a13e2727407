"""What is asked, and what the answer must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Scope = dict[str, Any]
Message = dict[str, Any]

#: What a browser or an HTTP client library sends with a plain GET.
HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.7,de;q=0.3"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"connection", b"keep-alive"),
]


def scope(path: str, query: str = "") -> Scope:
    """What differs between the scopes of GET requests, and a whole one to look at."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "headers": HEADERS,
        "state": {},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
    }


@dataclass(frozen=True)
class Case:
    """One kind of request.

    :param request: Makes the scope of request number ``n``.
    :param expected: The body of its answer, text as ``str``, JSON as what it decodes to.
    :param budget: How many times raw ASGI's cost Kolben may take.
    """

    name: str
    request: Callable[[int], Scope]
    expected: Callable[[int], Any]
    budget: float

    def fault(self, n: int, messages: Iterable[Message]) -> str | None:
        """What is wrong with the answer to request ``n``; ``None`` for a right one."""
        start, *bodies = messages
        body = b"".join(message.get("body", b"") for message in bodies)
        headers = {bytes(name).lower(): bytes(value) for name, value in start["headers"]}
        if start["status"] != 200:
            return f"status {start['status']}, {body[:200]!r}"
        if headers.get(b"content-length") != str(len(body)).encode():
            return f"content-length {headers.get(b'content-length')!r}, body {len(body)} bytes"
        expected = self.expected(n)
        media_type = "text/" if isinstance(expected, str) else "application/json"
        if not headers.get(b"content-type", b"").decode().startswith(media_type):
            return f"content type {headers.get(b'content-type')!r}"
        got = body.decode() if isinstance(expected, str) else json.loads(body)
        return None if got == expected else f"{got!r} instead of {expected!r}"


CASES = [
    Case("text", lambda n: scope("/"), lambda n: "Hello, World!", budget=2),
    Case(
        "JSON",
        lambda n: scope("/json"),
        lambda n: {"message": "Hello, World!", "count": 3},
        budget=2,
    ),
    # The path and the query differ in every request: some peers keep whole paths in a cache,
    # and a path that repeats would measure that.
    Case(
        "int in path and query",
        lambda n: scope(f"/users/{n + 1}", f"limit={n % 97 + 1}"),
        lambda n: {"user_id": n + 1, "limit": n % 97 + 1},
        budget=3,
    ),
]
