"""Commands of the blog: ``kolben --app blog init-db`` and ``kolben --app blog demo``."""

from __future__ import annotations

import secrets
import sqlite3
from functools import cache
from pathlib import Path

import click
from anyio import to_thread

from kolben import Blueprint, current_app

from . import queries
from .db import database
from .demo import AUTHORS, COMMENTS, POSTS
from .passwords import hash_password
from .pictures import landscape

bp = Blueprint("commands", __name__, cli_group=None)


def _hash(password: str) -> dict[str, str]:
    return {name: hash_password(password) for name in AUTHORS}


def _fill(db: sqlite3.Connection, hashes: dict[str, str], images: dict[str, str]) -> None:
    users = {
        name: db.execute(queries.ADD_USER, (name, stored)).lastrowid
        for name, stored in hashes.items()
    }
    posts: dict[str, int | None] = {}
    for author, title, body, scene in POSTS:
        row = (users[author], title, body, images.get(title), f"Hills, {scene}" if scene else "")
        posts[title] = db.execute(queries.ADD_POST, row).lastrowid
    for title, author, body in COMMENTS:
        db.execute(queries.ADD_COMMENT, (posts[title], users[author], body))


def _draw(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    draw = cache(landscape)
    names = {title: f"{secrets.token_hex(16)}.png" for _, title, _, scene in POSTS if scene}
    for _, title, _, scene in POSTS:
        if scene:
            (folder / names[title]).write_bytes(draw(scene))
    return names


@bp.cli.command("init-db")
def init_db() -> None:
    """Create the tables that are not there yet."""
    database().create()
    click.echo(f"The database is ready: {database().path}")


@bp.cli.command("demo")
async def demo() -> None:
    """Fill an empty blog with a few posts to look at."""
    db = database()
    if await db.fetch_one("SELECT 1 FROM user"):
        raise click.ClickException("The blog is not empty; nothing was changed.")
    password = secrets.token_urlsafe(9)
    hashes = await to_thread.run_sync(_hash, password)
    images = await to_thread.run_sync(_draw, Path(current_app.config["UPLOAD_FOLDER"]))
    await db.run(lambda connection: _fill(connection, hashes, images))
    click.echo(f"Log in as {', '.join(AUTHORS)}; the password is {password}")
