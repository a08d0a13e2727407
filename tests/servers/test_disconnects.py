"""Clients that leave before they have their answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from .harness import Connection, Server, until

#: A WSGI server sees that the client has gone when it reads or writes, not while a view waits.
notices = pytest.mark.kinds(lambda kind: kind.protocol == "asgi")

LEAVING: dict[str, Callable[[Connection], None]] = {
    "close": Connection.close,
    "reset": Connection.abort,
}


@notices
@pytest.mark.parametrize("way", LEAVING)
def test_a_view_that_waits_is_cancelled(server: Server, way: str) -> None:
    name = f"sleeper-{way}"
    connection = server.connect()
    connection.send(connection.begin("GET", f"/sleep/{name}"))
    server.happened(name, "started")
    LEAVING[way](connection)
    events = server.happened(name, "teardown: cancelled")
    assert events == ["started", "cancelled", "finally", "teardown: cancelled"]


@notices
def test_a_view_that_has_read_its_body_is_cancelled(server: Server) -> None:
    name = "sleeper-with-body"
    connection = server.connect()
    headers = [("Content-Length", "100000")]
    connection.send(connection.begin("POST", f"/sleep/{name}", headers))
    connection.send_body([b"x" * 100_000])
    server.happened(name, "started")
    connection.close()
    server.happened(name, "cancelled", "finally", "teardown: cancelled")


def test_a_client_that_leaves_while_it_sends_is_not_answered(server: Server) -> None:
    name = "half-a-body"
    for way, leave in LEAVING.items():
        connection = server.connect()
        headers = [("Content-Length", "100000")]
        connection.send(connection.begin("POST", f"/sleep/{name}-{way}", headers))
        connection.send(b"x" * 50_000)
        leave(connection)
    assert server.get("/text").status == 200
    for way in LEAVING:
        assert server.happened(f"{name}-{way}") == []


@notices
@pytest.mark.parametrize("way", LEAVING)
def test_a_view_that_reads_hears_of_it(server: Server, way: str) -> None:
    name = f"reader-{way}"
    connection = server.connect()
    headers = [("Transfer-Encoding", "chunked")]
    connection.send(connection.begin("POST", f"/stream/in/{name}", headers))
    connection.send(b"3\r\nabc\r\n")
    server.happened(name, "chunk")
    LEAVING[way](connection)
    events = server.happened(name, "ClientDisconnected", "finally")
    assert events[:4] == ["started", "chunk", "ClientDisconnected", "finally"]


@pytest.mark.parametrize("way", LEAVING)
@pytest.mark.parametrize("path", ["/stream/endless", "/def/stream/endless"])
def test_a_stream_is_closed(server: Server, path: str, way: str) -> None:
    name = f"{path.replace('/', '-')}-{way}"
    connection = server.connect()
    connection.send(connection.begin("GET", f"{path}/{name}"))
    assert connection.head().status == 200
    assert connection.chunk(5)
    LEAVING[way](connection)
    assert server.happened(name, "closed").count("closed") == 1
    if path == "/stream/endless":  # which keeps its context
        until(lambda: len(server.happened(name)) == 2, "teardown")
        assert "teardown: none" not in server.happened(name)


@notices
@pytest.mark.parametrize("way", LEAVING)
def test_a_stream_that_sends_nothing_is_closed(server: Server, way: str) -> None:
    name = f"silent-{way}"
    connection = server.connect()
    connection.send(connection.begin("GET", f"/stream/silent/{name}"))
    assert connection.head().status == 200
    assert connection.chunk(5)
    LEAVING[way](connection)
    assert server.happened(name, "closed").count("closed") == 1


@pytest.mark.kinds(lambda kind: kind.protocol == "wsgi" and not kind.front)
@pytest.mark.parametrize("way", LEAVING)
def test_a_view_that_reads_on_in_a_thread_hears_of_it(server: Server, way: str) -> None:
    name = f"wsgi-reader-{way}"
    connection = server.connect()
    headers = [("Content-Length", "100000")]
    connection.send(connection.begin("POST", f"/stream/in/{name}", headers))
    connection.send(b"x" * 80_000)
    server.happened(name, "chunk")
    LEAVING[way](connection)
    events = server.happened(name, "ClientDisconnected", "finally")
    assert events[0] == "started" and "ClientDisconnected" in events


def test_a_def_view_runs_to_its_end(server: Server) -> None:
    name = "leaving-a-thread"
    connection = server.connect()
    connection.send(connection.begin("GET", f"/def/sleep/{name}"))
    server.happened(name, "started")
    connection.close()
    assert server.happened(name) == ["started"]
    server.release(name)
    assert server.happened(name, "teardown: none") == ["started", "ended", "teardown: none"]


def test_a_download_that_is_broken_off(server: Server) -> None:
    for leave in LEAVING.values():
        connection = server.connect()
        connection.send(connection.begin("GET", "/static/bytes.bin"))
        assert connection.head().status == 200
        leave(connection)
    assert server.get("/static/bytes.bin").status == 200


@notices
def test_many_leave_at_once(server: Server) -> None:
    names = [f"crowd-{n}" for n in range(30)]
    connections = []
    for name in names:
        connection = server.connect()
        connection.send(connection.begin("GET", f"/sleep/{name}"))
        connections.append(connection)
    for name in names:
        server.happened(name, "started")
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.close()
    for name in names:
        server.happened(name, "cancelled", "finally", "teardown: cancelled")
