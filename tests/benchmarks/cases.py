"""What is asked, and what the answer must be, whatever the protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

#: What a browser or an HTTP client library sends with a plain GET.
HEADERS = [
    ("host", "127.0.0.1:8000"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"),
    ("accept-language", "en-GB,en;q=0.7,de;q=0.3"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("connection", "keep-alive"),
]
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Asked:
    """One request, without the framing of a protocol."""

    path: str
    query: str = ""
    form: str | None = None

    @property
    def method(self) -> str:
        return "GET" if self.form is None else "POST"

    @property
    def body(self) -> bytes:
        return b"" if self.form is None else self.form.encode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        if self.form is None:
            return HEADERS
        return [*HEADERS, ("content-type", FORM), ("content-length", str(len(self.body)))]


@dataclass(frozen=True)
class Answer:
    """One answer; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Case:
    """One kind of request.

    :param request: Makes request number ``n``.
    :param expected: The body of its answer, text as ``str``, JSON as what it decodes to.
    """

    name: str
    request: Callable[[int], Asked]
    expected: Callable[[int], Any]

    def fault(self, n: int, answer: Answer) -> str | None:
        """What is wrong with the answer to request ``n``; ``None`` for a right one."""
        body, headers = answer.body, answer.headers
        if answer.status != 200:
            return f"status {answer.status}, {body[:200]!r}"
        if headers.get("content-length") != str(len(body)):
            return f"content-length {headers.get('content-length')!r}, body {len(body)} bytes"
        expected = self.expected(n)
        media_type = "text/" if isinstance(expected, str) else "application/json"
        if not headers.get("content-type", "").startswith(media_type):
            return f"content type {headers.get('content-type')!r}"
        got = body.decode() if isinstance(expected, str) else json.loads(body)
        return None if got == expected else f"{got!r} instead of {expected!r}"


def some_text(n: int) -> str:
    """Text that differs from request to request, with punctuation that a form escapes."""
    return f"Hello, number {n}!"


TEXT = Case("text", lambda n: Asked("/"), lambda n: "Hello, World!")
JSON = Case("JSON", lambda n: Asked("/json"), lambda n: {"message": "Hello, World!", "count": 3})
# Path, query and form differ in every request: some peers keep whole paths in a cache, and a path
# that repeats would measure that.
TYPED_PATH = Case("int in path", lambda n: Asked(f"/items/{n + 1}"), lambda n: {"item_id": n + 1})
PATH_AND_QUERY = Case(
    "int in path and query",
    lambda n: Asked(f"/users/{n + 1}", f"limit={n % 97 + 1}"),
    lambda n: {"user_id": n + 1, "limit": n % 97 + 1},
)
SENT_FORM = Case(
    "form",
    lambda n: Asked("/form", form=urlencode({"title": f"Number {n}", "text": some_text(n)})),
    lambda n: f"Data received: {some_text(n)}",
)
