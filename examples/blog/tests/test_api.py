"""The JSON API and the feed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

ATOM = "{http://www.w3.org/2005/Atom}"


def test_posts_are_listed_page_by_page(ada, visitor):
    for number in range(5):
        ada.write(f"Post {number}")
    first = visitor.get("/api/posts?per_page=3").json
    assert [post["title"] for post in first["posts"]] == ["Post 4", "Post 3", "Post 2"]
    assert (first["page"], first["pages"], first["total"]) == (1, 2, 5)
    second = visitor.get(first["next"]).json
    assert [post["title"] for post in second["posts"]] == ["Post 1", "Post 0"]
    assert second["next"] is None


def test_a_post_is_given_with_its_comments(ada, bob, visitor):
    post = ada.write("Hi", "There")
    bob.send(f"/posts/{post}/comments", body="So true")
    data = visitor.get(f"/api/posts/{post}").json
    assert (data["title"], data["body"], data["author"]) == ("Hi", "There", "ada")
    assert data["page"] == f"http://localhost/posts/{post}"
    assert [(c["author"], c["body"]) for c in data["comments"]] == [("bob", "So true")]


def test_a_logged_in_user_can_write(ada):
    answer = ada.client.post("/api/posts", json={"title": "Hi", "body": "There"})
    assert answer.status_code == 201
    assert answer.location == f"/api/posts/{answer.json['id']}"
    assert ada.get(answer.location).json["author"] == "ada"


def test_name_and_password_do_as_well(ada, visitor):
    answer = visitor.client.post(
        "/api/posts", json={"title": "Hi", "body": "There"}, auth=("ada", "correct horse")
    )
    assert (answer.status_code, answer.json["author"]) == (201, "ada")


@pytest.mark.parametrize("auth", [None, ("ada", "wrong"), ("nobody", "correct horse")])
def test_nobody_else_can_write(ada, visitor, auth):
    answer = visitor.client.post("/api/posts", json={"title": "Hi", "body": "There"}, auth=auth)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.json["error"] == "Unauthorized"
    assert visitor.get("/api/posts").json["total"] == 0


@pytest.mark.parametrize("data", [[], {}, {"title": "Hi"}, {"title": 1, "body": "There"}, "text"])
def test_json_of_another_shape_is_a_400(ada, data):
    answer = ada.client.post("/api/posts", json=data)
    assert answer.status_code == 400
    assert answer.json["message"] == "Send an object with the strings title and body."


def test_what_is_wrong_with_the_fields_is_said(ada):
    answer = ada.client.post("/api/posts", json={"title": " ", "body": "There"})
    assert answer.status_code == 422
    assert answer.json["fields"] == {"title": "Give the post a title."}


def test_broken_json_is_a_400(ada):
    answer = ada.client.post("/api/posts", data=b'{"title"', content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"] == "Bad Request"


def test_errors_are_json(visitor):
    answer = visitor.get("/api/posts/9")
    assert answer.status_code == 404
    assert answer.json == {"error": "Not Found", "message": "There is no such post."}


def test_the_feed_is_atom(ada, visitor):
    ada.write("Tea & biscuits", "First <b>\n\nSecond")
    answer = visitor.get("/feed.xml")
    assert answer.mimetype == "application/atom+xml"
    feed = ElementTree.fromstring(answer.text)
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Tea & biscuits"
    assert entry.findtext(f"{ATOM}content") == "<p>First &lt;b&gt;</p>\n<p>Second</p>"
    assert entry.findtext(f"{ATOM}id") == "http://localhost/posts/1"


def test_an_empty_feed_is_still_a_feed(visitor):
    assert ElementTree.fromstring(visitor.get("/feed.xml").text).findall(f"{ATOM}entry") == []


def test_text_that_no_database_can_store_is_made_whole(ada):
    data = b'{"title": "Half \\ud83d", "body": "\\udc00"}'
    answer = ada.client.post("/api/posts", data=data, content_type="application/json")
    assert (answer.status_code, answer.json["title"], answer.json["body"]) == (201, "Half ?", "?")
