"""The posts as JSON: ``async def`` views.

Reading is open to everybody. Writing needs a session, or HTTP Basic credentials::

    curl --user ada:password --json '{"title": "Hi", "body": "There"}' \
        http://127.0.0.1:5000/api/posts
"""

from __future__ import annotations

import sqlite3
from typing import Any

from anyio import to_thread

from kolben import Blueprint, Response, abort, g, jsonify, request, url_for
from kolben.exceptions import HTTPException
from kolben.typing import ResponseReturnValue

from . import forms, queries
from .db import database
from .paging import Page
from .passwords import NOBODY, check_password

bp = Blueprint("api", __name__, url_prefix="/api")

MAX_PAGE_SIZE = 50


@bp.before_request
async def load_api_user() -> ResponseReturnValue | None:
    """Accept Basic credentials where there is no session; wrong ones are refused."""
    given = request.authorization
    if g.user is not None or given is None or given.type != "basic":
        return None
    user = await database().fetch_one(queries.USER_BY_NAME, given.username)
    stored = user["password"] if user else NOBODY
    if await to_thread.run_sync(check_password, stored, given.password or "") and user:
        g.user = user
        return None
    return _unauthorized("Name and password do not match.")


def _unauthorized(message: str) -> ResponseReturnValue:
    headers = {"WWW-Authenticate": 'Basic realm="blog", charset="UTF-8"'}
    return {"error": "Unauthorized", "message": message}, 401, headers


@bp.errorhandler(HTTPException)
async def error_as_json(error: HTTPException) -> ResponseReturnValue:
    """Give errors as JSON too."""
    return {"error": error.name, "message": error.description}, error.code or 500


def _summary(post: sqlite3.Row) -> dict[str, Any]:
    image = post["image"] and url_for("posts.image", name=post["image"], _external=True)
    return {
        "id": post["id"],
        "title": post["title"],
        "author": post["author"],
        "created": post["created"],
        "updated": post["updated"],
        "comments": post["comments"],
        "image": image,
        "url": url_for(".show", post_id=post["id"], _external=True),
        "page": url_for("posts.show", post_id=post["id"], _external=True),
    }


@bp.get("/posts")
async def index() -> ResponseReturnValue:
    """List posts, the newest first; ``?page=`` and ``?per_page=`` (up to 50) choose which."""
    db = database()
    total = (await db.fetch_all(queries.COUNT_POSTS))[0][0]
    size = min(max(request.args.get("per_page", 20, type=int), 1), MAX_PAGE_SIZE)
    page = Page.asked_for(total, size)
    posts = await db.fetch_all(queries.POSTS, page.size, page.offset)
    following = page.next and url_for(".index", page=page.next, per_page=size, _external=True)
    return {
        "posts": [_summary(post) for post in posts],
        "page": page.number,
        "pages": page.count,
        "total": total,
        "next": following,
    }


async def _detail(post_id: int) -> dict[str, Any]:
    db = database()
    post = await db.fetch_one(queries.POST, post_id) or abort(404, "There is no such post.")
    comments = await db.fetch_all(queries.COMMENTS, post_id)
    shown = ("id", "author", "body", "created")
    return {
        **_summary(post),
        "body": post["body"],
        "comments": [{name: comment[name] for name in shown} for comment in comments],
    }


@bp.get("/posts/<id:post_id>")
async def show(post_id: int) -> ResponseReturnValue:
    """Return a post with its text and its comments."""
    return await _detail(post_id)


@bp.post("/posts")
async def create() -> ResponseReturnValue:
    """Write a post: ``{"title": …, "body": …}``."""
    if g.user is None:
        return _unauthorized("Log in, or send your name and password.")
    data = request.get_json()
    if not isinstance(data, dict) or not all(
        isinstance(data.get(name), str) for name in ("title", "body")
    ):
        abort(400, "Send an object with the strings title and body.")
    values = forms.read({**data, "image_alt": ""}, "title", "body", "image_alt")
    if errors := forms.check_post(values):
        return {"error": "Unprocessable Entity", "fields": errors}, 422
    post_id = await database().execute(
        queries.ADD_POST, g.user["id"], values["title"], values["body"], None, ""
    )
    response: Response = jsonify(await _detail(post_id))
    response.status_code = 201
    response.headers["Location"] = url_for(".show", post_id=post_id)
    return response
