"""What holds in each process of a WSGI server: one event loop, a lifespan, contexts of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import check_log
from .harness import BY_NAME, Kind, Server, exchange_raw, until

wsgi = pytest.mark.kinds(lambda kind: kind.protocol == "wsgi")
ALL_OF_IT = ["before_serving", "while_serving begins", "while_serving ends", "after_serving"]


def loops(server: Server, count: int = 24) -> dict[int, set[int]]:
    """The event loops that answered, by process."""
    with ThreadPoolExecutor(min(8, server.kind.at_once)) as pool:
        answers = list(pool.map(lambda _: server.get("/loop").json(), range(count)))
    found: dict[int, set[int]] = {}
    for answer in answers:
        found.setdefault(answer["pid"], set()).add(answer["loop"])
    return found


@wsgi
def test_async_views_of_a_process_share_one_event_loop(server: Server) -> None:
    found = loops(server)
    assert len(found) <= server.kind.workers
    assert all(len(ids) == 1 for ids in found.values())


@wsgi
def test_contexts_do_not_mix(server: Server) -> None:
    def ask(number: int) -> None:
        variable = f"v{number}"
        assert server.get(f"/def/context/{number}?number={number}").json() == {
            "number": [number] * 3,
            "variable": variable,
            "query": str(number),
            "app": "matrix",
        }

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(ask, range(60)))


@wsgi
def test_what_a_server_does_not_say(server: Server) -> None:
    answer = server.get("/def/environ", [("X-Without-Port", "yes")]).json()
    assert answer["has_port"] is False
    at_socket = server.kind.front == "unix" and server.kind.language == "proxy"
    assert at_socket or answer["client"] == "127.0.0.1"


@wsgi
@pytest.mark.kinds(lambda kind: kind.name != "granian-wsgi")  # it has no wsgi.file_wrapper
def test_files_are_sent_by_the_server(server: Server) -> None:
    answer = server.get("/static/bytes.bin", [("X-File-Wrapper", "static-file")])
    assert answer.body == bytes(range(256)) * 1024
    assert server.happened("static-file") == ["wrapped"]
    part = server.get(
        "/static/bytes.bin", [("X-File-Wrapper", "part-of-file"), ("Range", "bytes=5-9")]
    )
    assert (part.status, part.body) == (206, bytes([5, 6, 7, 8, 9]))


@wsgi
def test_a_websocket_is_asked_to_come_by_another_protocol(server: Server) -> None:
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    head = f"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n{key}"
    for _ in range(2):
        status, _ = exchange_raw(server, f"{head}Connection: Upgrade\r\n\r\n".encode())
        assert status == 426


# Processes that come and go ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gunicorn-sync", "gunicorn-gthread", "gunicorn-gevent"])
def test_an_application_that_was_loaded_before_the_fork(
    start: Callable[..., Server], name: str
) -> None:
    """Loops and lifespans are the workers' own; uWSGI loads it so by default."""
    app = "early:app" if name == "gunicorn-gevent" else "matrix:app"
    server = start(BY_NAME[name], app, None, "--preload", "--workers", "2")
    assert server.process is not None
    found: dict[int, set[int]] = {}

    def both_have_answered() -> bool:
        for pid, ids in loops(server, 8).items():
            found.setdefault(pid, set()).update(ids)
        return len(found) == 2

    until(both_have_answered, "an answer of each worker")
    assert all(len(ids) == 1 for ids in found.values())
    assert server.process.pid not in found
    assert set(server.notes()) == set(found)
    assert server.stop() == 0
    assert list(server.notes().values()) == [ALL_OF_IT] * 2
    check_log(server)


@pytest.mark.parametrize("name", ["gunicorn-sync", "gunicorn-gthread", "gunicorn-gevent"])
def test_workers_that_are_replaced_undo_their_lifespan(
    start: Callable[..., Server], name: str
) -> None:
    server = start(BY_NAME[name], "matrix:app", None, "--max-requests", "5", "--workers", "1")

    def two_have_ended() -> bool:
        assert server.get("/text").status == 200
        return list(server.notes().values()).count(ALL_OF_IT) >= 2

    until(two_have_ended, "the end of two workers")
    check_log(server)


def test_hypercorn_takes_an_application_with_its_protocol(start: Callable[..., Server]) -> None:
    """On Python 3.11 it cannot ask the object which one it is."""
    kind: Kind = BY_NAME["hypercorn-asyncio"]
    for app in ("asgi:matrix:app", "matrix:app"):
        server = start(kind, app)
        assert server.get("/text").text == "Grüße"
        assert server.get("/thread").json() == {"main": False}
        assert server.stop() in kind.exits
        assert list(server.notes().values()) == [ALL_OF_IT]
