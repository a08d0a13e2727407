"""Accounts: joining, logging in and out, and being sent back to where one was."""

from __future__ import annotations

import pytest


def test_joining_logs_in_and_greets(visitor, flashed):
    answer = visitor.send("/auth/register", username="ada", password="correct horse")
    page = flashed(answer, visitor)
    assert "Welcome, ada!" in page
    assert "Log out" in page


def test_a_password_is_stored_as_a_salted_digest(app, join):
    join("ada"), join("bob")
    db = app.extensions["blog.db"].connect()
    stored = [row["password"] for row in db.execute("SELECT password FROM user")]
    db.close()
    assert len(set(stored)) == 2
    assert all(text.startswith("scrypt:") and "horse" not in text for text in stored)


@pytest.mark.parametrize(
    ("username", "password", "message"),
    [
        ("", "correct horse", "Choose a name"),
        ("a", "correct horse", "Use 2 to 30 letters"),
        ("<b>ada</b>", "correct horse", "Use 2 to 30 letters"),
        ("ada", "short", "Use at least 8 characters."),
        ("ada", "x" * 201, "Use at most 200 characters."),
    ],
)
def test_what_is_wrong_with_a_registration_is_said(visitor, username, password, message):
    answer = visitor.send("/auth/register", username=username, password=password)
    assert answer.status_code == 422
    assert message in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert password not in answer.text or not password


def test_a_rejected_form_keeps_the_name_escaped(visitor):
    answer = visitor.send("/auth/register", username='"><script>', password="correct horse")
    assert "&#34;&gt;&lt;script&gt;" in answer.text
    assert '"><script>' not in answer.text


def test_a_name_is_given_once_whatever_its_case(ada, visitor):
    answer = visitor.send("/auth/register", username="ADA", password="correct horse")
    assert answer.status_code == 422
    assert "This name is taken." in answer.text


def test_logging_out_and_in_again(ada, flashed):
    page = flashed(ada.send("/auth/logout"), ada)
    assert "You are logged out." in page and "Log in" in page
    page = flashed(ada.send("/auth/login", username="Ada", password="correct horse"), ada)
    assert "Good to see you again, ada." in page


@pytest.mark.parametrize("username", ["ada", "nobody"])
def test_a_wrong_login_does_not_tell_which_part_was_wrong(ada, visitor, username):
    answer = visitor.send("/auth/login", username=username, password="wrong horse")
    assert answer.status_code == 422
    assert "Name and password do not match." in answer.text
    assert f'value="{username}"' in answer.text


def test_logging_in_renews_the_csrf_token(ada):
    ada.send("/auth/logout")
    ada.send("/auth/login", username="ada", password="correct horse")
    with ada.client.session_transaction() as session:
        assert "csrf_token" not in session


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/new", "/new"),
        ("/posts/1?page=2", "/posts/1?page=2"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("https:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_next_leads_only_to_pages_of_the_blog(ada, target, location):
    ada.send("/auth/logout")
    with ada.client.session_transaction() as session:
        session["csrf_token"] = "token"
    answer = ada.client.post(
        "/auth/login",
        query_string={"next": target},
        data={"csrf_token": "token", "username": "ada", "password": "correct horse"},
    )
    assert (answer.status_code, answer.location) == (302, location)


@pytest.mark.parametrize("path", ["/new", "/posts/1/edit"])
def test_pages_for_authors_ask_to_log_in_and_come_back(visitor, path):
    answer = visitor.get(path)
    assert (answer.status_code, answer.location) == (302, f"/auth/login?next={path}")
    assert "Log in first, please." in visitor.get(answer.location).text


def test_an_account_that_is_gone_is_logged_out(app, ada):
    db = app.extensions["blog.db"].connect()
    with db:
        db.execute("DELETE FROM user")
    db.close()
    assert "Log in" in ada.get("/").text
    assert ada.get("/new").status_code == 302
