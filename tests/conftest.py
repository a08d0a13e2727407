"""The backends that asynchronous tests run on."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every asynchronous test runs once on asyncio and once on trio."""
    return str(request.param)
