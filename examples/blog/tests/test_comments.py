"""Comments."""

from __future__ import annotations

import anyio
import pytest


def test_a_comment_is_added_and_counted(ada, bob, visitor, flashed):
    post = ada.write()
    answer = bob.send(f"/posts/{post}/comments", body="So <i>true</i>")
    assert answer.location == f"/posts/{post}#comment-1"
    page = flashed(answer, bob)
    assert "Your comment is added." in page
    assert "So &lt;i&gt;true&lt;/i&gt;" in page and "1 comment<" in page
    assert 'aria-label="1 comment"' in visitor.get("/").text


@pytest.mark.parametrize(
    ("body", "message"),
    [(" ", "Write a comment first."), ("x" * 2001, "Shorten this to 2,000 characters")],
)
def test_a_rejected_comment_is_shown_again_under_the_post(ada, bob, body, message):
    post = ada.write("The title")
    answer = bob.send(f"/posts/{post}/comments", body=body)
    assert answer.status_code == 422
    assert message in answer.text
    assert "<h1>The title</h1>" in answer.text
    assert f"{body.strip()}</textarea>" in answer.text


def test_visitors_are_asked_to_log_in_and_come_back_to_the_post(ada, visitor):
    post = ada.write()
    answer = visitor.send(f"/posts/{post}/comments", body="Hello")
    assert (answer.status_code, answer.location) == (302, f"/auth/login?next=/posts/{post}")


def test_there_is_nothing_to_say_about_a_post_that_is_not_there(ada):
    assert ada.send("/posts/9/comments", body="Hello").status_code == 404
    assert ada.send("/comments/9/delete").status_code == 404


@pytest.mark.parametrize("who", ["ada", "bob"])
def test_the_authors_of_comment_and_post_can_delete_a_comment(ada, bob, flashed, who):
    post = ada.write()
    bob.send(f"/posts/{post}/comments", body="So true")
    user = {"ada": ada, "bob": bob}[who]
    page = flashed(user.send("/comments/1/delete"), user)
    assert "The comment is deleted." in page and "So true" not in page


def test_nobody_else_can_delete_a_comment(ada, bob, join):
    post = ada.write()
    bob.send(f"/posts/{post}/comments", body="So true")
    eve = join("eve")
    assert "/comments/1/delete" not in eve.get(f"/posts/{post}").text
    assert eve.send("/comments/1/delete").status_code == 403
    assert "So true" in eve.get(f"/posts/{post}").text


@pytest.mark.anyio
async def test_many_comments_at_once_all_arrive(app):
    client = app.test_client()
    form = {"csrf_token": "token", "username": "ada", "password": "correct horse"}
    with client.session_transaction() as session:
        session["csrf_token"] = "token"
    assert (await client.post("/auth/register", data=form)).status_code == 302
    answer = await client.post("/api/posts", json={"title": "Hi", "body": "There"})
    assert answer.status_code == 201
    with client.session_transaction() as session:
        session["csrf_token"] = "token"

    async def comment(number: int) -> None:
        data = {"csrf_token": "token", "body": f"Comment {number}"}
        assert (await client.post("/posts/1/comments", data=data)).status_code == 302

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(comment, number)
    data = (await client.get("/api/posts/1")).json
    assert {c["body"] for c in data["comments"]} == {f"Comment {n}" for n in range(20)}
