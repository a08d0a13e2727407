"""SQLite for views of both colours.

A request that runs in a worker thread (``def`` views) has a connection of its own, opened at
its first use, kept in ``g`` and closed when the request is torn down::

    rows = connection().execute("SELECT * FROM post").fetchall()
    with connection() as db:                     # a transaction
        db.execute("DELETE FROM post WHERE id = ?", (post_id,))

A request that runs on the event loop (``async def`` views) must not wait for a disk. It hands its
statements to the one connection that all such requests share; they run in a worker thread,
one at a time::

    rows = await database().fetch_all("SELECT * FROM post")
    await database().run(lambda db: move(db, source, target))    # a transaction

SQLite has one writer at a time in any case, so one connection loses little; readers in worker
threads go on meanwhile, because the file is in WAL mode. It works on asyncio and on trio, and
with several event loops in one process, as in tests.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from kolben import Kolben, current_app, g
from kolben.routing import IntegerConverter, Map

T = TypeVar("T")

SCHEMA = Path(__file__).with_name("schema.sql")
BUSY_SECONDS = 5.0


class IdConverter(IntegerConverter):
    """``id`` in a route: the id of a row. A number that SQLite cannot hold matches nothing."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, min=1, max=2**63 - 1)


class Database:
    """The blog's file, and the connection that asynchronous code shares.

    :param path: Of the SQLite file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._shared: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._lane: RunVar[CapacityLimiter] = RunVar("blog database lane")

    def connect(self, *, any_thread: bool = False) -> sqlite3.Connection:
        """Open a connection: rows by name, foreign keys on, other writers waited for."""
        db = sqlite3.connect(
            self.path,
            timeout=BUSY_SECONDS,
            isolation_level="IMMEDIATE",
            check_same_thread=not any_thread,
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    def create(self) -> None:
        """Create the tables that are not there yet. Safe to call from several processes."""
        db = self.connect()
        try:
            db.executescript(f"BEGIN IMMEDIATE; {SCHEMA.read_text('utf-8')} COMMIT;")
        finally:
            db.close()

    def close(self) -> None:
        """Close the shared connection; the next use opens it again."""
        with self._lock:
            if self._shared is not None:
                self._shared.close()
                self._shared = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work(connection)`` in a worker thread, as one transaction.

        It is committed when ``work`` returns and rolled back when it raises. A request that is
        cancelled meanwhile waits for that end, so nothing is ever left half done.
        """
        try:
            lane = self._lane.get()
        except LookupError:
            lane = CapacityLimiter(1)
            self._lane.set(lane)
        return await to_thread.run_sync(self._transact, work, limiter=lane)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:  # the lane orders the tasks of one event loop, the lock orders loops
            if self._shared is None:
                self._shared = self.connect(any_thread=True)
            with self._shared as db:
                return work(db)

    async def fetch_all(self, sql: str, *args: object) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return await self.run(lambda db: db.execute(sql, args).fetchall())

    async def fetch_one(self, sql: str, *args: object) -> sqlite3.Row | None:
        """Return the first row of a query, or ``None``."""
        return await self.run(lambda db: one(db, sql, *args))

    async def execute(self, sql: str, *args: object) -> int:
        """Run one statement that changes something; return the id of the row it inserted."""
        return await self.run(lambda db: db.execute(sql, args).lastrowid or 0)


def one(db: sqlite3.Connection, sql: str, *args: object) -> sqlite3.Row | None:
    """Return the first row of a query, or ``None``, on a connection that is at hand."""
    return cast("sqlite3.Row | None", db.execute(sql, args).fetchone())


def database() -> Database:
    """The running application's database, for ``async def`` code."""
    return cast("Database", current_app.extensions["blog.db"])


def connection() -> sqlite3.Connection:
    """The running request's own connection, for ``def`` code."""
    if "connection" not in g:
        g.connection = database().connect()
    return cast("sqlite3.Connection", g.connection)


def close_connection(error: BaseException | None = None) -> None:
    """Close what :func:`connection` opened in this request, if it did."""
    if (db := g.pop("connection", None)) is not None:
        db.close()


def init_app(app: Kolben) -> None:
    """Give an application its database at ``app.config["DATABASE"]``, and ``<id:…>`` in routes."""
    database = app.extensions["blog.db"] = Database(Path(app.config["DATABASE"]))
    database.create()
    app.teardown_appcontext(close_connection)
    app.url_map.converters["id"] = IdConverter
