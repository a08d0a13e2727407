"""An Atom feed of the newest posts, sent while it is rendered."""

from __future__ import annotations

from kolben import Blueprint, Response, stream_template

from . import queries
from .db import database

bp = Blueprint("feed", __name__)

LENGTH = 20


@bp.get("/feed.xml")
async def atom() -> Response:
    """Return the newest posts for feed readers."""
    posts = await database().fetch_all(queries.POSTS, LENGTH, 0)
    return Response(stream_template("feed.xml", posts=posts), mimetype="application/atom+xml")
