"""Posts and their pictures: ``def`` views."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kolben import (
    Blueprint,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from kolben.typing import ResponseReturnValue

from . import forms, queries
from .auth import login_required
from .db import connection, one
from .images import MAX_REQUEST_BYTES, ImageError, remove_image, save_image
from .paging import Page

bp = Blueprint("posts", __name__)

IMAGE_MAX_AGE = 365 * 24 * 3600
FIELDS = ("title", "body", "image_alt")


def upload_folder() -> Path:
    """Where pictures are stored."""
    return Path(current_app.config["UPLOAD_FOLDER"]).absolute()


def get_post(post_id: int) -> sqlite3.Row:
    """Return a post with its author's name, or answer 404."""
    return one(connection(), queries.POST, post_id) or abort(404, "There is no such post.")


def get_own_post(post_id: int) -> sqlite3.Row:
    """Return a post that the visitor may change, or answer 404 or 403."""
    post = get_post(post_id)
    if post["author_id"] != g.user["id"]:
        abort(403, "Only its author can change a post.")
    return post


@bp.get("/")
def index() -> ResponseReturnValue:
    """Show all posts, the newest first."""
    db = connection()
    page = Page.asked_for(db.execute(queries.COUNT_POSTS).fetchone()[0])
    posts = db.execute(queries.POSTS, (page.size, page.offset)).fetchall()
    return render_template("blog/index.html", posts=posts, page=page)


@bp.get("/by/<username>")
def author(username: str) -> ResponseReturnValue:
    """Show one author's posts."""
    db = connection()
    user = one(db, queries.USER_BY_NAME, username) or abort(404, "Nobody here has this name.")
    page = Page.asked_for(db.execute(queries.COUNT_POSTS_BY, (user["id"],)).fetchone()[0])
    posts = db.execute(queries.POSTS_BY, (user["id"], page.size, page.offset)).fetchall()
    return render_template("blog/author.html", author=user["username"], posts=posts, page=page)


@bp.get("/posts/<id:post_id>")
def show(post_id: int) -> ResponseReturnValue:
    """Show a post and its comments."""
    post = get_post(post_id)
    comments = connection().execute(queries.COMMENTS, (post_id,)).fetchall()
    return render_template("blog/post.html", post=post, comments=comments, form={}, errors={})


def _read_form(old_image: str | None = None) -> tuple[forms.Values, forms.Errors, str | None]:
    """Read the editor's form; return its text, what is wrong, and the picture's name.

    A new picture is stored only when everything else is right.
    """
    values = forms.read(request.form, *FIELDS)
    errors = forms.check_post(values)
    upload = request.files.get("image")
    image = None if "remove_image" in request.form else old_image
    if upload and upload.filename and not errors:
        try:
            image = save_image(upload, upload_folder())
        except ImageError as error:
            errors["image"] = str(error)
    return values, errors, image


@bp.route("/new", methods=["GET", "POST"], max_content_length=MAX_REQUEST_BYTES)
@login_required
def create() -> ResponseReturnValue:
    """Write a post."""
    if request.method == "GET":
        return render_template("blog/edit.html", post=None, form={}, errors={})
    values, errors, image = _read_form()
    if errors:
        return render_template("blog/edit.html", post=None, form=values, errors=errors), 422
    with connection() as db:
        row = (g.user["id"], values["title"], values["body"], image, values["image_alt"])
        post_id = db.execute(queries.ADD_POST, row).lastrowid
    flash("Your post is out.", "success")
    return redirect(url_for(".show", post_id=post_id))


@bp.route("/posts/<id:post_id>/edit", methods=["GET", "POST"], max_content_length=MAX_REQUEST_BYTES)
@login_required
def edit(post_id: int) -> ResponseReturnValue:
    """Change a post of one's own."""
    post = get_own_post(post_id)
    if request.method == "GET":
        form = {name: post[name] for name in FIELDS}
        return render_template("blog/edit.html", post=post, form=form, errors={})
    values, errors, image = _read_form(post["image"])
    if errors:
        return render_template("blog/edit.html", post=post, form=values, errors=errors), 422
    with connection() as db:
        row = (values["title"], values["body"], image, values["image_alt"], post_id)
        db.execute(queries.CHANGE_POST, row)
    if image != post["image"]:
        remove_image(post["image"], upload_folder())
    flash("Your changes are saved.", "success")
    return redirect(url_for(".show", post_id=post_id))


@bp.post("/posts/<id:post_id>/delete")
@login_required
def delete(post_id: int) -> ResponseReturnValue:
    """Delete a post of one's own, with its comments and its picture."""
    post = get_own_post(post_id)
    with connection() as db:
        db.execute(queries.DELETE_POST, (post_id,))
    remove_image(post["image"], upload_folder())
    flash(f"“{post['title']}” is deleted.", "info")
    return redirect(url_for("posts.index"))


@bp.get("/images/<name>")
def image(name: str) -> ResponseReturnValue:
    """Send a picture. Its name is random and never used twice, so browsers may keep it."""
    return send_from_directory(upload_folder(), name, max_age=IMAGE_MAX_AGE)
