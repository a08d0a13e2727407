"""Start, end, and many requests in between."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .conftest import check_log
from .harness import PATIENCE, Answer, Kind, Server, in_background, until


def stop_while_busy(server: Server) -> int:
    with server.connect() as busy:
        busy.send(busy.begin("GET", "/wait/go-on"))
        busy.end()
        server.happened("go-on", "started")
        stopped = in_background(server.stop)
        # The server has noticed when it takes no connections any more, or at least says so.
        server.release("go-on")
        answer = busy.read()
    assert (answer.status, answer.text) == (200, "ended")
    status: int = stopped()
    return status


def test_lifespan_and_sigterm(kind: Kind, start: Callable[..., Server]) -> None:
    server = start(kind)
    begun = ["before_serving", "while_serving begins"]

    def have_begun() -> bool:
        notes = list(server.notes().values())
        # A WSGI server says nothing before a worker's first request.
        enough = len(notes) == kind.workers if kind.protocol == "asgi" else notes
        return enough and all(lines == begun for lines in notes)

    until(have_begun, "start of each worker")
    with server.connect() as idle:
        assert idle.ask("GET", "/text").status == 200
        if kind.drains:
            status = stop_while_busy(server)
        else:
            # uWSGI runs nothing at the end of a worker that is at a request; the line in its log
            # is the last that it does for one.
            until(lambda: "GET /text" in server.log, "the end of the request")
            status = server.stop()
    assert status in kind.exits
    all_of_it = [*begun, "while_serving ends", "after_serving"]
    assert all(lines == all_of_it for lines in server.notes().values())
    check_log(server)


def test_a_slow_def_view_delays_no_others(server: Server) -> None:
    names = [f"slow-{n}" for n in range(min(10, server.kind.at_once // 2))]
    connections = [server.connect() for _ in names]
    for name, connection in zip(names, connections, strict=True):
        connection.send(connection.begin("GET", f"/def/sleep/{name}"))
        connection.end()
    for name in names:
        server.happened(name, "started")
    for _ in range(20):
        assert server.get("/text").text == "Grüße"
    assert server.get("/def/text").text == "Grüße"
    assert server.get("/static/style.css").status == 200
    for name, connection in zip(names, connections, strict=True):
        assert "ended" not in server.happened(name)
        server.release(name)
        assert connection.read().text == "ended"
        connection.close()


def test_requests_wait_beside_each_other(server: Server) -> None:
    names = [f"beside-{n}" for n in range(max(2, min(50, server.kind.at_once // 2)))]
    connections = [server.connect() for _ in names]
    for name, connection in zip(names, connections, strict=True):
        connection.send(connection.begin("GET", f"/wait/{name}"))
        connection.end()
    for name in names:
        server.happened(name, "started")
    for name, connection in reversed(list(zip(names, connections, strict=True))):
        server.release(name)
        assert connection.read().text == "ended"
        connection.close()


def test_context_variables_go_from_hooks_to_view_and_back(server: Server) -> None:
    for path in ("/mixed/1", "/mixed/def/1"):
        answer = server.get(f"{path}?variable=set")
        assert answer.json() == {"number": 1, "session": 1, "variable": "set"}
        assert answer.header("x-variable") == "set seen"
        assert answer.header("x-number") == "1"


def test_each_request_of_many_has_its_own_context(server: Server) -> None:
    def some(worker: int) -> list[tuple[int, Answer]]:
        answers = []
        with server.connect() as connection:
            connection.socket.settimeout(PATIENCE)
            for turn in range(10):
                number = worker * 100 + turn
                path = "/mixed/def" if number % 2 else "/mixed"
                target = f"{path}/{number}?variable=v{number}"
                answers.append((number, connection.ask("GET", target)))
        return answers

    with ThreadPoolExecutor(20) as pool:
        answers = [pair for pairs in pool.map(some, range(20)) for pair in pairs]
    assert len(answers) == 200
    cookies = {}
    for number, answer in answers:
        assert answer.json() == {"number": number, "session": number, "variable": f"v{number}"}
        assert answer.header("x-number") == str(number)
        assert answer.header("x-variable") == f"v{number} seen"
        cookies[number] = answer.cookies()["session"]
    assert len(set(cookies.values())) == 200
