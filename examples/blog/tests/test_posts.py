"""Posts: reading, writing, changing and deleting them, and their pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from blog.images import MAX_IMAGE_BYTES, MAX_REQUEST_BYTES
from blog.pictures import landscape

PNG = landscape("dawn", 32, 18)


def uploads(app):
    folder = Path(app.config["UPLOAD_FOLDER"])
    return sorted(folder.iterdir()) if folder.exists() else []


def picture_of(page):
    return page.partition('class="cover" src="')[2].partition('"')[0]


def test_an_empty_blog_invites_to_write(visitor):
    answer = visitor.get("/")
    assert answer.status_code == 200
    assert "Nothing is brewing yet" in answer.text
    assert 'href="/new"' in answer.text


def test_a_post_is_shown_on_its_page_and_on_the_front_page(ada, visitor):
    post = ada.write("Tea & biscuits", "First.\r\n\r\nSecond <b>line</b>\r\nthird")
    page = visitor.get(f"/posts/{post}").text
    assert "<h1>Tea &amp; biscuits</h1>" in page
    assert "<p>First.</p>\n<p>Second &lt;b&gt;line&lt;/b&gt;<br>\nthird</p>" in page
    assert "Tea &amp; biscuits" in visitor.get("/").text


def test_a_post_without_text_is_refused_and_the_rest_is_kept(ada, app):
    answer = ada.send("/new", title="A title", body=" \n ", image_alt="Hills", image=(PNG, "a.png"))
    assert answer.status_code == 422
    assert "Write something first." in answer.text
    assert 'value="A title"' in answer.text and 'value="Hills"' in answer.text
    assert uploads(app) == []


def test_texts_have_a_length(ada):
    answer = ada.send("/new", title="x" * 121, body="y" * 50_001, image_alt="z" * 201)
    assert answer.status_code == 422
    assert "Shorten this to 120 characters; it has 121." in answer.text
    assert "Shorten this to 50,000 characters; it has 50,001." in answer.text
    assert "Shorten this to 200 characters." in answer.text


def test_a_picture_is_stored_under_a_random_name_and_sent(app, ada, visitor):
    post = ada.write(image=(PNG, "../../../hills.png"), image_alt="Hills")
    page = visitor.get(f"/posts/{post}").text
    path = picture_of(page)
    assert 'alt="Hills"' in page
    assert "hills" not in path
    answer = visitor.get(path)
    assert answer.data == PNG
    assert answer.mimetype == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.cache_control.max_age == 365 * 24 * 3600
    assert not answer.cache_control.private and "Cookie" not in answer.vary
    assert [file.name for file in uploads(app)] == [path.rpartition("/")[2]]


def test_a_picture_is_not_sent_twice_to_a_browser_that_has_it(ada):
    path = picture_of(ada.get(f"/posts/{ada.write(image=(PNG, 'a.png'))}").text)
    etag = ada.get(path).headers["ETag"]
    answer = ada.get(path, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize("content", [b"", b"<svg onload='alert(1)'/>", b"\x89PNG but not really"])
def test_what_is_no_picture_is_refused_whatever_its_name(app, ada, content):
    answer = ada.send("/new", title="A title", body="Some text.", image=(content, "a.png"))
    assert answer.status_code == 422
    assert "not a PNG, JPEG, GIF or WebP picture" in answer.text
    assert "Some text." in answer.text
    assert uploads(app) == []


def test_a_picture_that_is_a_little_too_large_keeps_the_form(ada):
    content = PNG + bytes(MAX_IMAGE_BYTES)
    answer = ada.send("/new", title="A title", body="Some text.", image=(content, "a.png"))
    assert answer.status_code == 422
    assert "Pictures may have up to 4 MB." in answer.text


def test_a_request_that_is_far_too_large_is_a_413_page(app, ada):
    content = PNG + bytes(MAX_REQUEST_BYTES)
    answer = ada.send("/new", title="A title", body="Some text.", image=(content, "a.png"))
    assert answer.status_code == 413
    assert "Back to the front page" in answer.text
    assert uploads(app) == []


@pytest.mark.parametrize("name", ["none.png", "..%2Fblog.sqlite", "../blog.sqlite"])
def test_only_pictures_are_sent(visitor, name):
    assert visitor.get(f"/images/{name}").status_code == 404


def test_changing_a_post_says_so_and_keeps_its_picture(ada, flashed):
    post = ada.write(image=(PNG, "a.png"))
    form = ada.get(f"/posts/{post}/edit").text
    assert 'value="A title"' in form and "Some text.</textarea>" in form
    answer = ada.send(f"/posts/{post}/edit", title="Better", body="Other text.")
    page = flashed(answer, ada)
    assert "Your changes are saved." in page
    assert "<h1>Better</h1>" in page and "Other text." in page and "Last changed on" in page
    assert picture_of(page)


def test_a_replaced_picture_is_deleted(app, ada, flashed):
    post = ada.write(image=(PNG, "a.png"))
    before = uploads(app)
    change = {"title": "A title", "body": "Text.", "image": (b"GIF89a" + bytes(20), "b.gif")}
    page = flashed(ada.send(f"/posts/{post}/edit", **change), ada)
    assert picture_of(page).endswith(".gif")
    assert len(uploads(app)) == 1 and uploads(app) != before


def test_a_picture_can_be_removed(app, ada, flashed):
    post = ada.write(image=(PNG, "a.png"))
    answer = ada.send(f"/posts/{post}/edit", title="A title", body="Text.", remove_image="on")
    assert not picture_of(flashed(answer, ada))
    assert uploads(app) == []


def test_a_rejected_change_leaves_the_post_alone(ada):
    post = ada.write()
    answer = ada.send(f"/posts/{post}/edit", title="", body="Other text.")
    assert answer.status_code == 422
    assert "Other text.</textarea>" in answer.text
    assert "Some text." in ada.get(f"/posts/{post}").text


def test_deleting_a_post_deletes_its_comments_and_its_picture(app, ada, bob, flashed):
    post = ada.write(image=(PNG, "a.png"))
    bob.send(f"/posts/{post}/comments", body="Nice")
    assert "“A title” is deleted." in flashed(ada.send(f"/posts/{post}/delete"), ada)
    assert ada.get(f"/posts/{post}").status_code == 404
    assert uploads(app) == []
    db = app.extensions["blog.db"].connect()
    assert db.execute("SELECT count(*) FROM comment").fetchone()[0] == 0
    db.close()


def test_others_can_neither_change_nor_delete_a_post(ada, bob):
    post = ada.write()
    assert bob.get(f"/posts/{post}/edit").status_code == 403
    assert bob.send(f"/posts/{post}/edit", title="Mine", body="Mine").status_code == 403
    answer = bob.send(f"/posts/{post}/delete")
    assert answer.status_code == 403
    assert "Only its author can change a post." in answer.text
    assert "Some text." in bob.get(f"/posts/{post}").text
    assert "Edit" not in bob.get(f"/posts/{post}").text


def test_long_lists_are_cut_into_pages(app, ada, visitor):
    for number in range(9):
        ada.write(f"Post {number}")
    first, second = visitor.get("/").text, visitor.get("/?page=2").text
    assert "Post 8" in first and "Post 2" in first and "Post 1" not in first
    assert "Post 1" in second and "Post 0" in second and "Post 2" not in second
    assert 'rel="next" href="/?page=2"' in first and 'rel="prev"' not in first
    assert 'rel="prev" href="/?page=1"' in second and 'rel="next"' not in second


@pytest.mark.parametrize("page", [0, -1, 2, 10**30])
def test_there_are_no_other_pages(ada, page):
    ada.write()
    assert ada.get(f"/?page={page}").status_code == 404


def test_an_author_has_a_page(ada, bob, visitor):
    ada.write("From ada")
    page = visitor.get("/by/ada").text
    assert "From ada" in page and "1 post<" in page
    assert "bob has not written anything so far." in visitor.get("/by/bob").text
    assert "Write your first post" in bob.get("/by/bob").text
    assert visitor.get("/by/nobody").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/posts/7", "/posts/0", "/posts/x", "/auth/nowhere", f"/posts/{10**30}"],
)
def test_a_missing_page_is_a_page_of_the_blog(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert "Back to the front page" in answer.text
    assert "Retort" in answer.text
