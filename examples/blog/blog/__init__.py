"""Retort: a small blog, and a tour of Kolben.

``kolben --app blog run`` serves it. Posts and accounts (``posts``, ``auth``) are ``def`` views;
comments, the JSON API and the feed (``comments``, ``api``, ``feed``) are ``async def`` views.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kolben import Kolben, render_template
from kolben.exceptions import HTTPException
from kolben.typing import ResponseReturnValue

from . import api, auth, commands, comments, db, feed, filters, posts, security


def create_app(test_config: Mapping[str, Any] | None = None) -> Kolben:
    """Make the application.

    Everything that it stores is in its instance folder: the database, the pictures and the key
    that signs sessions; all of it is made at the first start. Settings may also come from the
    environment, as ``KOLBEN_PAGE_SIZE`` and the like.

    :param test_config: Settings that win over all others.
    """
    app = Kolben(__name__, instance_relative_config=True)
    instance = Path(app.instance_path)
    app.config.from_mapping(
        DATABASE=str(instance / "blog.sqlite"),
        UPLOAD_FOLDER=str(instance / "uploads"),
        PAGE_SIZE=7,
    )
    app.config.from_prefixed_env()
    app.config.from_mapping(test_config or {})
    Path(app.config["DATABASE"]).parent.mkdir(parents=True, exist_ok=True)
    if not app.secret_key:
        app.secret_key = stored_key(instance / "secret_key")

    db.init_app(app)
    filters.init_app(app)
    app.register_blueprint(auth.bp)  # its hook that loads the user comes before the CSRF check
    security.init_app(app)
    for bp in (posts.bp, comments.bp, api.bp, feed.bp, commands.bp):
        app.register_blueprint(bp)
    app.register_error_handler(HTTPException, show_error)
    return app


def stored_key(path: Path) -> str:
    """Return the key in a file, which is made at the first call with a random key.

    When several processes start at once, all of them get the same key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def show_error(error: HTTPException) -> ResponseReturnValue:
    """Show every HTTP error, 500 included, as a page of the blog."""
    return render_template("error.html", error=error), error.code or 500
