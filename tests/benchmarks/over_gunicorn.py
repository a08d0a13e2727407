"""WSGI applications, each in a Gunicorn of its own, asked over sockets."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from cases import Answer, Asked  # beside this file; run.py is run as a script
from turns import Burst

HERE = Path(__file__).parent
#: Requests that are under way at the same time, each on a connection of its own.
CONNECTIONS = 4


class Worker:
    """The one worker of a Gunicorn, as its configuration describes it."""

    def __init__(self, pid: int, address: tuple[str, int]) -> None:
        self.address = address
        # The clock that clock_getcpuclockid() names on Linux: what all threads of it have used.
        self.clock = (~pid << 3) | 2

    async def burst(self, asked: list[Asked]) -> tuple[float, list[Answer]]:
        """Send requests on connections that are kept alive.

        :return: Microseconds of the processor that the worker used for each, and the answers.
        """
        requests = [bytes_of(one) for one in asked]
        answers: list[Answer] = []
        started = time.clock_gettime_ns(self.clock)
        with ExitStack() as stack:
            sockets = [
                stack.enter_context(socket.create_connection(self.address, timeout=30))
                for _ in range(CONNECTIONS)
            ]
            for connection in sockets:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for first in range(0, len(requests), CONNECTIONS):
                some = requests[first : first + CONNECTIONS]
                for connection, request in zip(sockets, some, strict=False):
                    connection.sendall(request)
                answers += [read_answer(connection) for connection in sockets[: len(some)]]
        return (time.clock_gettime_ns(self.clock) - started) / 1000 / len(requests), answers


def bytes_of(asked: Asked) -> bytes:
    """The request as it goes over the wire."""
    target = f"{asked.path}?{asked.query}" if asked.query else asked.path
    lines = [f"{asked.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in asked.headers]
    return "\r\n".join([*lines, "", ""]).encode() + asked.body


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer that says how long it is."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += read_some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    while len(body) < int(headers.get("content-length", 0)):
        body += read_some(connection)
    return Answer(int(status.split()[1]), headers, body)


def read_some(connection: socket.socket) -> bytes:
    """At least one byte.

    :raises ConnectionError: if there will be no more.
    """
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection before the answer was whole")
    return data


@contextmanager
def serve(module: str) -> Iterator[Worker]:
    """An application in Gunicorn with one worker, until the end of the block."""
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_conf.py", f"apps.{module}:app"]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready: dict[str, Any] = json.loads(process.stdout.readline() or "null")
            if ready is None:
                raise RuntimeError(f"Gunicorn did not start apps.{module}")
            yield Worker(ready["pid"], tuple(ready["address"]))
        finally:
            process.terminate()


@asynccontextmanager
async def bursts(modules: Mapping[str, str]) -> AsyncIterator[dict[str, Burst]]:
    """What sends bursts to each application."""
    with ExitStack() as servers:
        yield {name: servers.enter_context(serve(modules[name])).burst for name in modules}
