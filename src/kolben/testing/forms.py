"""Bodies of forms, written as a browser writes them."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus

from ..http.datastructures import FileStorage


def dump_urlencoded(pairs: Iterable[tuple[str, Any]]) -> str:
    """Form fields or query arguments as text; values that are ``None`` are left out.

    >>> dump_urlencoded([("q", "a b"), ("page", 2), ("none", None)])
    'q=a+b&page=2'
    """
    return "&".join(
        f"{quote_plus(key)}={quote_plus(value if isinstance(value, bytes) else str(value))}"
        for key, value in pairs
        if value is not None
    )


def dump_multipart(
    fields: Iterable[tuple[str, Any]], files: Iterable[tuple[str, FileStorage]]
) -> tuple[bytes, str]:
    """Form fields and files as the body of a ``multipart/form-data`` request.

    :return: The body, and the boundary between its parts.
    :source: RFC 7578; WHATWG HTML, "Multipart form data", for quoting names.
    """
    boundary = f"kolben-{os.urandom(16).hex()}"
    parts: list[bytes] = []
    for name, value in fields:
        if value is not None:
            data = value if isinstance(value, bytes) else str(value).encode()
            parts += [_dump_head(boundary, name), data, b"\r\n"]
    for name, file in files:
        parts += [_dump_head(boundary, name, file), file.stream.read(), b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), boundary


def _dump_head(boundary: str, name: str, file: FileStorage | None = None) -> bytes:
    lines = [f"--{boundary}", f'Content-Disposition: form-data; name="{_quote(name)}"']
    if file is not None:
        if file.filename is not None:
            lines[-1] += f'; filename="{_quote(file.filename)}"'
        guessed = file.filename and mimetypes.guess_type(file.filename)[0]
        lines.append(f"Content-Type: {file.content_type or guessed or 'application/octet-stream'}")
        lines += [
            f"{key}: {value}"
            for key, value in file.headers
            if key.lower() not in ("content-disposition", "content-type")
        ]
    return "\r\n".join([*lines, "", ""]).encode()


def _quote(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
