"""CSRF tokens, response headers, error pages and the key."""

from __future__ import annotations

import stat
import sys
import threading

import pytest
from blog import create_app, stored_key


@pytest.mark.parametrize("token", [{}, {"csrf_token": ""}, {"csrf_token": "guessed"}])
def test_a_form_without_the_token_is_refused(ada, token):
    with ada.client.session_transaction() as session:
        session["csrf_token"] = "token"
    answer = ada.client.post("/new", data={"title": "A title", "body": "Text", **token})
    assert answer.status_code == 400
    assert "This form is too old" in answer.text
    assert "A title" not in ada.get("/").text


def test_a_visitor_without_a_session_has_no_token_to_guess(visitor):
    assert visitor.client.post("/auth/login", data={"csrf_token": ""}).status_code == 400


def test_a_form_that_a_page_holds_is_accepted(visitor):
    page = visitor.get("/auth/register").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    data = {"csrf_token": token, "username": "ada", "password": "correct horse"}
    assert visitor.client.post("/auth/register", data=data).status_code == 302


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/style.css", "/api/posts"])
def test_no_page_may_load_anything_from_elsewhere(visitor, path):
    headers = visitor.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_keep_to_their_own_policy(ada, visitor):
    ada.write()
    for path in ("/", "/posts/1", "/auth/login", "/new", "/by/ada"):
        page = ada.get(path).text
        assert "style=" not in page and "onclick" not in page and "<script>" not in page


def test_an_error_shows_nothing_of_its_cause(app, visitor):
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError("a secret")

    answer = visitor.get("/broken")
    assert answer.status_code == 500
    assert "Internal Server Error" in answer.text and "Back to the front page" in answer.text
    assert "secret" not in answer.text and "ZeroDivision" not in answer.text


def test_a_wrong_method_is_a_page_too(visitor):
    answer = visitor.get("/auth/logout")
    assert answer.status_code == 405
    assert "Method Not Allowed" in answer.text


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "instance" / "secret_key"
    keys = []
    threads = [threading.Thread(target=lambda: keys.append(stored_key(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 4 and len(set(keys)) == 1 and len(keys[0]) == 64
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


def test_settings_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("KOLBEN_PAGE_SIZE", "3")
    monkeypatch.setenv("KOLBEN_SECRET_KEY", "from the environment")
    app = create_app({"DATABASE": str(tmp_path / "blog.sqlite")})
    assert (app.config["PAGE_SIZE"], app.secret_key) == (3, "from the environment")
