"""Tests of an application, written as functions."""

import pytest
from application import create_app

from kolben import session


@pytest.fixture
def client():
    app = create_app({"TESTING": True, "SECRET_KEY": "only for this test"})
    with app.test_client() as client:
        yield client


def test_index(client):
    response = client.get("/")
    assert response.status_code == 200
    assert response.text == "Hello"


def test_item(client):
    assert client.get("/api/items/7").json == {"id": 7, "owner": "Ada"}


def test_context_is_kept(client):
    with client.session_transaction() as prepared:
        prepared["user"] = "Ada"
    client.get("/")
    assert session["user"] == "Ada"
