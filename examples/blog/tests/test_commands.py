"""The commands, and the demo that one of them writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from blog.demo import POSTS
from blog.pictures import landscape


@pytest.fixture
def small_pictures(monkeypatch):
    monkeypatch.setattr("blog.commands.landscape", lambda name: landscape(name, 16, 9))


def test_init_db_creates_the_tables(app):
    Path(app.config["DATABASE"]).unlink()
    result = app.test_cli_runner().invoke(args=["init-db"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("The database is ready: ")
    assert Path(app.config["DATABASE"]).exists()


def test_the_demo_fills_an_empty_blog(app, visitor, small_pictures):
    result = app.test_cli_runner().invoke(args=["demo"])
    assert result.exit_code == 0, result.output
    password = result.output.split()[-1]
    assert visitor.get("/api/posts").json["total"] == len(POSTS)
    pictures = [post["image"] for post in visitor.get("/api/posts").json["posts"] if post["image"]]
    assert len(set(pictures)) == len(pictures) > 3
    assert all(visitor.get(picture).mimetype == "image/png" for picture in pictures)
    assert visitor.send("/auth/login", username="ida", password=password).status_code == 302


def test_the_demo_leaves_a_blog_in_use_alone(app, ada, visitor):
    result = app.test_cli_runner().invoke(args=["demo"])
    assert result.exit_code == 1
    assert "The blog is not empty" in result.output
    assert visitor.get("/api/posts").json["total"] == 0
