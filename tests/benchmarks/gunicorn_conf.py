"""How :mod:`over_gunicorn` has Gunicorn run: one worker, several threads, kept connections."""

from __future__ import annotations

import json
from typing import Any

bind = "127.0.0.1:0"
worker_class = "gthread"
workers = 1
threads = 4
keepalive = 30
loglevel = "warning"


def post_worker_init(worker: Any) -> None:
    """Say where the worker listens, and which process it is."""
    address = worker.sockets[0].getsockname()
    print(json.dumps({"pid": worker.pid, "address": address}), flush=True)
