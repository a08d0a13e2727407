"""The database layer, on both event loops."""

from __future__ import annotations

import sqlite3
import threading

import anyio
import anyio.to_thread
import pytest
from blog.db import Database, connection, database


@pytest.fixture
def db(tmp_path):
    database = Database(tmp_path / "blog.sqlite")
    database.create()
    yield database
    database.close()


def add(db: sqlite3.Connection, name: str) -> int | None:
    return db.execute("INSERT INTO user (username, password) VALUES (?, '')", (name,)).lastrowid


@pytest.mark.anyio
async def test_rows_come_back_by_name(db):
    assert await db.execute("INSERT INTO user (username, password) VALUES (?, ?)", "ada", "x") == 1
    assert (await db.fetch_one("SELECT * FROM user WHERE id = ?", 1))["username"] == "ada"
    assert await db.fetch_one("SELECT * FROM user WHERE id = ?", 2) is None
    assert [row["id"] for row in await db.fetch_all("SELECT * FROM user")] == [1]


@pytest.mark.anyio
async def test_a_transaction_that_fails_leaves_nothing(db):
    def fail(connection):
        add(connection, "ada")
        add(connection, "ada")

    with pytest.raises(sqlite3.IntegrityError):
        await db.run(fail)
    assert await db.fetch_all("SELECT * FROM user") == []
    assert await db.run(lambda connection: add(connection, "ada")) == 1


@pytest.mark.anyio
async def test_transactions_of_many_tasks_do_not_mix(db):
    seen = []

    def slow(connection):
        seen.append("in")
        add(connection, f"user-{len(seen)}")
        seen.append("out")

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(db.run, slow)
    assert seen == ["in", "out"] * 20
    assert len(await db.fetch_all("SELECT * FROM user")) == 20


@pytest.mark.anyio
async def test_the_event_loop_goes_on_while_a_statement_runs(db):
    begun, go_on = threading.Event(), threading.Event()

    def wait(connection):
        begun.set()
        assert go_on.wait(10)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(db.run, wait)
        with anyio.fail_after(10):
            assert await anyio.to_thread.run_sync(begun.wait, 10)
        go_on.set()  # only a loop that is free comes here


@pytest.mark.anyio
async def test_a_cancelled_transaction_is_whole(db):
    begun = threading.Event()

    def work(connection):
        begun.set()
        add(connection, "ada")
        add(connection, "bob")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(db.run, work)
        assert await anyio.to_thread.run_sync(begun.wait, 10)
        tasks.cancel_scope.cancel()
    assert len(await db.fetch_all("SELECT * FROM user")) == 2


def test_event_loops_in_several_threads_share_one_database(db):
    async def fill(start):
        for number in range(start, start + 10):
            await db.run(lambda connection, n=number: add(connection, f"user-{n}"))

    threads = [
        threading.Thread(
            target=anyio.run, args=(fill, n * 10), kwargs={"backend": ("asyncio", "trio")[n % 2]}
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = db.connect()
    assert found.execute("SELECT count(*) FROM user").fetchone()[0] == 40
    found.close()


def test_foreign_keys_hold(db):
    found = db.connect()
    with pytest.raises(sqlite3.IntegrityError), found:
        found.execute("INSERT INTO post (author_id, title, body) VALUES (9, '', '')")
    found.close()


def test_creating_twice_keeps_what_is_there(db):
    found = db.connect()
    with found:
        add(found, "ada")
    found.close()
    db.create()
    found = db.connect()
    assert found.execute("SELECT username FROM user").fetchone()["username"] == "ada"
    found.close()


def test_a_request_has_one_connection_and_closes_it(app):
    with app.app_context():
        first = connection()
        assert first is connection()
        assert database() is app.extensions["blog.db"]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        first.execute("SELECT 1")
