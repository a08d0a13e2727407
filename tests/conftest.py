"""The backends that asynchronous tests run on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kolben.gateway.process import worker_process


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every asynchronous test runs once on asyncio and once on trio."""
    return str(request.param)


@pytest.fixture(autouse=True)
def no_worker_process_stays() -> Iterator[None]:
    """What a request over WSGI has made for its process ends with the test."""
    yield
    worker_process().end()
