"""What tests written for Flask say in the names of a WSGI environ, said in a scope's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def apply_environ(scope: dict[str, Any], environ: Mapping[str, Any], override: bool) -> None:
    """Put the entries of a WSGI environ into a scope.

    ``HTTP_...``, ``CONTENT_TYPE`` and ``CONTENT_LENGTH`` become headers, the other names of
    PEP 3333 the entries that ASGI has for them. A name that neither knows is kept as it is.

    :param scope: The scope of a request; changed in place.
    :param environ: The entries.
    :param override: Whether an entry replaces the header that is there already. What is not a
        header is always replaced.
    """
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            _set_header(scope, key[5:], value, override)
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            _set_header(scope, key, value, override)
        elif key in ("REMOTE_ADDR", "REMOTE_PORT"):
            host, port = scope["client"] or ("127.0.0.1", 0)
            scope["client"] = (value, port) if key == "REMOTE_ADDR" else (host, int(value))
        elif key in ("SERVER_NAME", "SERVER_PORT"):
            host, port = scope["server"] or ("localhost", 80)
            scope["server"] = (value, port) if key == "SERVER_NAME" else (host, int(value))
        elif key == "SERVER_PROTOCOL":
            scope["http_version"] = value.partition("/")[2]
        elif key == "wsgi.url_scheme":
            scope["scheme"] = value
        elif key == "REQUEST_METHOD":
            scope["method"] = value
        elif key == "SCRIPT_NAME":
            path = scope["path"].removeprefix(scope["root_path"])
            scope["root_path"], scope["path"] = value, value + path
        elif key == "PATH_INFO":
            scope["path"] = scope["root_path"] + value
        elif key == "QUERY_STRING":
            scope["query_string"] = value.encode("latin-1")
        else:
            scope[key] = value


def _set_header(scope: dict[str, Any], key: str, value: Any, override: bool) -> None:
    name = key.lower().replace("_", "-").encode("ascii")
    there = any(name == other for other, _ in scope["headers"])
    if there and not override:
        return
    kept = [pair for pair in scope["headers"] if pair[0] != name]
    scope["headers"] = [*kept, (name, str(value).encode("latin-1"))]
