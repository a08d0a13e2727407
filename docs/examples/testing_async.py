"""The same client where an event loop runs."""

import pytest
from application import create_app

pytestmark = pytest.mark.anyio


async def test_index():
    async with create_app({"TESTING": True}).test_client() as client:
        response = await client.get("/")
        assert response.status_code == 200
        assert response.text == "Hello"
