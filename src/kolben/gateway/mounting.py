"""Scopes of frameworks that mount an application in a way of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from .._types import Scope

#: What Litestar, and nobody else, puts into the scopes that it hands on.
OF_LITESTAR = "route_handler"


def remounted(scope: Scope) -> Scope:
    """A scope of Litestar's as ASGI has it: with the prefix in ``path`` and in ``root_path``.

    Litestar takes the prefix off the path, says so nowhere, and puts a slash at the path's end.
    What came from the client is in ``raw_path`` still.

    >>> found = remounted({"path": "/posts/1/", "raw_path": b"/blog/posts/1"})
    >>> found["root_path"], found["path"]
    ('/blog', '/blog/posts/1')

    :source: ASGI specification 3.0, HTTP connection scope.
    """
    root: str = scope.get("root_path") or ""
    raw: bytes = scope.get("raw_path") or b""
    whole = unquote(raw.partition(b"?")[0].decode("latin-1"))
    below: str = scope["path"].removeprefix(root).rstrip("/")
    rest = whole.rstrip("/")
    if not rest.endswith(below):  # something has changed the path, and will know why
        return scope
    prefix = rest[: len(rest) - len(below)].rstrip("/")
    path = whole[len(prefix) :] or "/"
    if not prefix.startswith(root):  # a server that was told of a prefix which does not arrive
        prefix = root.rstrip("/") + prefix
    return {**scope, "root_path": prefix, "path": prefix + path}
