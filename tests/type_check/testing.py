"""What users write in their tests."""

from __future__ import annotations

from kolben import Kolben

app = Kolben(__name__)


def test_plain() -> None:
    with app.test_client() as client:
        response = client.get("/", query_string={"page": 2})
        assert response.status_code == 200
        assert response.headers["Content-Type"]
        client.post("/form", data={"name": "Ada"}, follow_redirects=True)
        client.post("/json", json={"name": "Ada"})
        with client.session_transaction() as session:
            session["user"] = "Ada"


async def test_awaited() -> None:
    async with app.test_client() as client:
        response = await client.get("/")
        assert response.status_code == 200


def test_context() -> None:
    with app.test_request_context("/?page=2", method="POST", data={"name": "Ada"}) as ctx:
        assert ctx.request is not None
    with app.app_context():
        pass


def test_commands() -> None:
    result = app.test_cli_runner().invoke(args=["routes"])
    assert result.exit_code == 0
