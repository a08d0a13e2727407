"""WSGI applications, driven in this process."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from io import BytesIO
from time import perf_counter_ns
from typing import Any
from wsgiref.util import FileWrapper

from cases import Answer, Asked  # beside this file; run.py is run as a script
from turns import DRIVER, Burst

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]


class Exchange:
    """The server's side of one request."""

    __slots__ = ("body", "headers", "status")

    def __init__(self) -> None:
        self.status = "0"
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Any:
        """Keep status and headers, to be checked after the burst."""
        self.status = status
        self.headers = headers
        return None

    def answer(self) -> Answer:
        """What was sent, as it is checked."""
        headers = {name.lower(): value for name, value in self.headers}
        return Answer(int(self.status[:3]), headers, self.body)


def environ_of(asked: Asked) -> tuple[Environ, bytes]:
    """An environ as Gunicorn has it, but for what is made for each request; and the body."""
    environ: Environ = {
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "gunicorn/27.0.1",
        "wsgi.input": None,
        "gunicorn.socket": None,
        "REQUEST_METHOD": asked.method,
        "QUERY_STRING": asked.query,
        "RAW_URI": f"{asked.path}?{asked.query}" if asked.query else asked.path,
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    for name, value in asked.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    environ |= {
        "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "PATH_INFO": asked.path,
        "SCRIPT_NAME": "",
    }
    return environ, asked.body


def nothing(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Answers nothing: what remains is the driver."""
    return ()


def one_by_one(app: App, requests: list[tuple[Environ, bytes]]) -> tuple[float, list[Exchange]]:
    """Send each request when the one before it has been answered."""
    exchanges: list[Exchange] = []
    started = perf_counter_ns()
    for environ, body in requests:
        exchange = Exchange()
        exchanges.append(exchange)
        environ = environ.copy()
        environ["wsgi.input"] = BytesIO(body)
        answer = app(environ, exchange.start_response)
        try:
            exchange.body = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
    return (perf_counter_ns() - started) / 1000 / len(requests), exchanges


@asynccontextmanager
async def bursts(modules: Mapping[str, str]) -> AsyncIterator[dict[str, Burst]]:
    """What sends bursts to each application."""

    def sender(app: App) -> Burst:
        async def burst(asked: list[Asked]) -> tuple[float, list[Answer]]:
            cost, exchanges = one_by_one(app, [environ_of(one) for one in asked])
            return cost, [exchange.answer() for exchange in exchanges]

        return burst

    apps: dict[str, App] = {name: import_module(f"apps.{modules[name]}").app for name in modules}
    yield {name: sender(app) for name, app in apps.items()} | {DRIVER: sender(nothing)}
