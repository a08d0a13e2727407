"""Requests to an application as a WSGI server makes them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

from ..http.datastructures import Headers
from .wire import Wire


def make_environ(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The WSGI environ of the request that a scope describes.

    :source: PEP 3333.
    """
    host, port = scope["server"]
    root_path = scope["root_path"]
    path = scope["path"].removeprefix(root_path)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _to_wsgi(root_path),
        "PATH_INFO": _to_wsgi(path),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REQUEST_URI": scope["raw_path"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if scope["client"] is not None:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = scope["client"][0], str(scope["client"][1])
    for raw_name, value in scope["headers"]:
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = f"HTTP_{name}"
        text = value.decode("latin-1")
        environ[name] = f"{environ[name]}, {text}" if name in environ else text
    return environ


def run_wsgi_app(
    app: Any, environ: dict[str, Any], buffered: bool = False
) -> tuple[Iterable[bytes], str, Headers]:
    """Call an application as a WSGI server does, with the same checks of what it answers.

    :param app: The WSGI application.
    :param environ: The environ; the application gets a copy.
    :param buffered: Read the whole body before returning, and close it.
    :return: Body, status and headers. The body has a ``close`` method if the application's has.
    :raises IllegalResponse: if the response is not legal HTTP/1.1.
    :source: Werkzeug's documented ``run_wsgi_app``.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        if exc_info is not None and any(written):  # the head has been sent with this
            raise exc_info[1].with_traceback(exc_info[2])
        started[:] = [(status, headers)]
        return written.append

    body = app(dict(environ), start_response)
    chunks = iter(body)
    close: Callable[[], object] = getattr(body, "close", lambda: None)
    try:
        while not any(written) and (chunk := next(chunks, None)) is not None:
            written.append(chunk)
        wire = _wire(environ)
        if not started:
            wire.end()
        status, headers = started[0]
        pairs = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]
        wire.feed({"type": "http.response.start", "status": int(status[:3]), "headers": pairs})
    except BaseException:
        close()
        raise
    checked = _CheckedBody(wire, written, chunks, close)
    if not buffered:
        return checked, status, Headers(headers)
    try:
        return list(checked), status, Headers(headers)
    finally:
        checked.close()


class _CheckedBody:
    """The body of a WSGI response, checked while it is read."""

    def __init__(
        self, wire: Wire, written: list[bytes], chunks: Iterator[bytes], close: Callable[[], object]
    ) -> None:
        self._chunks = self._check(wire, written, chunks)
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def _check(self, wire: Wire, written: list[bytes], chunks: Iterator[bytes]) -> Iterator[bytes]:
        for source in (written, chunks):
            for chunk in source:
                yield from wire.feed(
                    {"type": "http.response.body", "body": chunk, "more_body": True}
                )
        yield from wire.feed({"type": "http.response.body"})


def _wire(environ: dict[str, Any]) -> Wire:
    version = environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2]
    return Wire(
        {
            "method": environ["REQUEST_METHOD"],
            "path": environ.get("PATH_INFO", "/"),
            "raw_path": b"/",
            "query_string": b"",
            "http_version": version,
            "headers": [(b"host", b"localhost")],
        }
    )


def _to_wsgi(text: str) -> str:
    return text.encode().decode("latin-1")
