"""Commands of the blog: ``kolben --app blog init-db`` and ``kolben --app blog demo``."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

import click
from anyio import to_thread
from kolben import Blueprint, current_app

from . import queries
from .db import database
from .passwords import hash_password
from .pictures import SCENES, landscape

bp = Blueprint("commands", __name__, cli_group=None)

AUTHORS = ("margarethe", "otto-s", "ida")

POSTS = [
    (
        "otto-s",
        "A drawer full of stoppers",
        "Cork, rubber, ground glass, and one carved from a champagne bottle in 1987.\n\n"
        "None of them fits anything in the house. I counted forty-one. I keep the drawer because"
        " every second year one of them saves a Sunday.",
        None,
    ),
    (
        "ida",
        "What the valley sounds like at six",
        "Before the first bus there are twenty minutes in which the valley belongs to the"
        " starlings. Then the bakery opens its shutters, and somebody always drops a tray.\n\n"
        "I have begun to write the times down. The tray falls at 6.14, give or take a minute.\n\n"
        "It is the most reliable thing that I know.",
        "dawn",
    ),
    (
        "margarethe",
        "Notes on boiling slowly",
        "The water should tremble, not dance. My grandmother said so of eggs, and my first"
        " professor said so of nearly everything else.\n\n"
        "A slow boil is patience that one can see: small bubbles at the wall, none of them in a"
        " hurry, and a thermometer that has made up its mind.",
        "forest",
    ),
    (
        "otto-s",
        "Repairing the green lamp",
        "It took three evenings. On the first one I found the fault, on the second I lost the"
        " screw, on the third I found a better screw.\n\n"
        "The lamp now leans a little to the left, towards the window, as plants do.",
        None,
    ),
    (
        "margarethe",
        "The long way around the lake",
        "The short way takes an hour and has a kiosk. The long way takes four, and has nothing at"
        " all: reeds, a bench without a back, a boat that nobody has claimed since spring.\n\n"
        "I took it because of a conversation that I did not want to finish. By the second hour it"
        " had finished itself. By the third I had forgotten who was right, and by the fourth the"
        " light lay so flat on the water that it seemed rude to think of anything else.\n\n"
        "Bring bread. There are swans, and they remember.",
        "dusk",
    ),
]

COMMENTS = [
    ("margarethe", "ida", "The bench lost its back in the storm of 2009. I was there, under it."),
    ("margarethe", "otto-s", "The boat is mine.\n\nI had wondered where I left it."),
    ("ida", "margarethe", "6.15 today. Is everybody all right?"),
]


def _hash(password: str) -> dict[str, str]:
    return {name: hash_password(password) for name in AUTHORS}


def _fill(db: sqlite3.Connection, hashes: dict[str, str], images: dict[str, str]) -> None:
    users = {
        name: db.execute(queries.ADD_USER, (name, stored)).lastrowid
        for name, stored in hashes.items()
    }
    newest: dict[str, int | None] = {}
    for author, title, body, scene in POSTS:
        image, alt = (images[scene], f"Hills, {scene}") if scene else (None, "")
        row = (users[author], title, body, image, alt)
        newest[author] = db.execute(queries.ADD_POST, row).lastrowid
    newest["ida"] = 2
    for owner, author, body in COMMENTS:
        db.execute(queries.ADD_COMMENT, (newest[owner], users[author], body))


def _draw(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    names = {scene: f"{secrets.token_hex(16)}.png" for scene in SCENES}
    for scene, name in names.items():
        (folder / name).write_bytes(landscape(scene))
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

