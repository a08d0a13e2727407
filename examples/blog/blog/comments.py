"""Comments: ``async def`` views, which wait for the database without holding a thread."""

from __future__ import annotations

from kolben import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from kolben.typing import ResponseReturnValue

from . import forms, queries
from .auth import ask_to_log_in
from .db import database

bp = Blueprint("comments", __name__)


@bp.before_request
async def require_user() -> ResponseReturnValue | None:
    """Ask visitors to log in, and bring them back to the post."""
    if g.user is not None:
        return None
    post_id = (request.view_args or {}).get("post_id")
    return ask_to_log_in(
        url_for("posts.show", post_id=post_id) if post_id else url_for("posts.index")
    )


@bp.post("/posts/<id:post_id>/comments")
async def create(post_id: int) -> ResponseReturnValue:
    """Add a comment to a post."""
    db = database()
    post = await db.fetch_one(queries.POST, post_id) or abort(404, "There is no such post.")
    values = forms.read(request.form, "body")
    if errors := forms.check_comment(values):
        comments = await db.fetch_all(queries.COMMENTS, post_id)
        page = render_template(
            "blog/post.html", post=post, comments=comments, form=values, errors=errors
        )
        return page, 422
    comment_id = await db.execute(queries.ADD_COMMENT, post_id, g.user["id"], values["body"])
    flash("Your comment is added.", "success")
    return redirect(url_for("posts.show", post_id=post_id, _anchor=f"comment-{comment_id}"))


@bp.post("/comments/<id:comment_id>/delete")
async def delete(comment_id: int) -> ResponseReturnValue:
    """Delete a comment: one's own, or any under one's own post."""
    db = database()
    comment = await db.fetch_one(queries.COMMENT, comment_id) or abort(404)
    if g.user["id"] not in (comment["author_id"], comment["post_author_id"]):
        abort(403, "Only its author, or the author of the post, can delete a comment.")
    await db.execute(queries.DELETE_COMMENT, comment_id)
    flash("The comment is deleted.", "info")
    return redirect(url_for("posts.show", post_id=comment["post_id"], _anchor="comments"))
