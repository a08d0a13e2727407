"""A blog of its own for each test, and visitors who use it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from blog import create_app, passwords

from kolben import Kolben, Response

PASSWORD = "correct horse"


class Visitor:
    """A browser in small: a test client that knows how to fill the blog's forms."""

    def __init__(self, app: Kolben) -> None:
        self.client = app.test_client()

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.client.get(path, **kwargs)

    def send(self, path: str, **fields: Any) -> Any:
        """Post a form with its CSRF token; an image is given as ``(bytes, filename)``."""
        with self.client.session_transaction() as session:
            token = session.setdefault("csrf_token", "token")
        if isinstance(image := fields.get("image"), tuple):
            fields["image"] = (BytesIO(image[0]), image[1])
        kind = "multipart/form-data" if "image" in fields else None
        return self.client.post(path, data={"csrf_token": token, **fields}, content_type=kind)

    def register(self, username: str) -> Visitor:
        answer = self.send("/auth/register", username=username, password=PASSWORD)
        assert answer.status_code == 302, answer.text
        return self

    def write(self, title: str = "A title", body: str = "Some text.", **fields: Any) -> int:
        """Publish a post and return its id."""
        answer = self.send("/new", title=title, body=body, **fields)
        assert answer.status_code == 302, answer.text
        return int(answer.location.rpartition("/")[2])


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests that take a thousandth of the time."""
    monkeypatch.setattr(passwords, "COST", 16)
    monkeypatch.setattr(passwords, "PASSES", 1)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Kolben]:
    app = create_app(
        {
            "TESTING": True,
            "SECRET_KEY": "only for these tests",
            "DATABASE": str(tmp_path / "blog.sqlite"),
            "UPLOAD_FOLDER": str(tmp_path / "uploads"),
        }
    )
    yield app
    app.extensions["blog.db"].close()


@pytest.fixture
def visitor(app: Kolben) -> Visitor:
    """Somebody who is not logged in."""
    return Visitor(app)


@pytest.fixture
def join(app: Kolben) -> Callable[[str], Visitor]:
    """Register somebody: ``join("ada")`` returns a visitor who is logged in."""
    return lambda username: Visitor(app).register(username)


@pytest.fixture
def ada(join: Callable[[str], Visitor]) -> Visitor:
    return join("ada")


@pytest.fixture
def bob(join: Callable[[str], Visitor]) -> Visitor:
    return join("bob")


@pytest.fixture
def flashed() -> Callable[[Any, Visitor], str]:
    """Follow a redirect, and return the page that it leads to."""

    def follow(answer: Response, visitor: Visitor) -> str:
        assert answer.status_code == 302
        assert answer.location is not None
        return str(visitor.get(answer.location.partition("#")[0]).text)

    return follow


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)
