"""Bodies that are not as they should be, and those that nobody wants."""

from __future__ import annotations

import contextlib
import socket

import h11
import pytest

from .harness import ClosedInOrder, Connection, Server, in_background, multipart

TOO_LARGE = 20 * 1024 * 1024
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")


def assert_usable_or_closed(connection: Connection, server: Server) -> None:
    """The connection takes one more request, or the server has closed it in order."""
    done = connection.h11.our_state is h11.DONE and connection.h11.their_state is h11.DONE
    if done and connection.reuses:
        connection.h11.start_next_cycle()
    if connection.is_reusable:
        with contextlib.suppress(ConnectionError, ClosedInOrder):
            assert connection.ask("GET", "/text").text == "Grüße"
    else:
        with contextlib.suppress(ConnectionResetError):
            assert connection.socket.recv(1) == b""
    assert server.get("/text").text == "Grüße"


@pytest.mark.parametrize("size", [10, 300_000])
def test_body_that_the_view_does_not_ask_for(server: Server, at: str, size: int) -> None:
    with server.connect() as connection:
        for _ in range(3):
            assert connection.ask("POST", f"{at}/unread", body=b"x" * size).text == "not read"
            assert connection.is_reusable or not server.kind.reuses


@pytest.mark.parametrize("header", [("Content-Length", "300000"), ("Transfer-Encoding", "chunked")])
def test_body_that_nobody_reads(server: Server, at: str, header: tuple[str, str]) -> None:
    with server.connect() as connection:
        connection.send(connection.begin("POST", f"{at}/stream/unread", [header]))
        if server.kind.language == "uwsgi" and server.kind.front and "Encoding" in header[0]:
            return  # nginx waits for the end of it, which has to be known in this protocol
        answer = connection.head()
        assert answer.status == 200
        assert b"".join(connection.chunks()) == b"not read"
        with contextlib.suppress(ConnectionError):  # the server may have closed it
            connection.send_body([b"x" * 1000] * 300)
            assert_usable_or_closed(connection, server)
    assert server.get("/text").text == "Grüße"


def test_too_large_body_is_refused_before_it_is_sent(server: Server, at: str) -> None:
    headers = [FORM, ("Content-Length", str(TOO_LARGE)), ("Expect", "100-continue")]
    with server.connect() as connection:
        connection.send(connection.begin("POST", f"{at}/body", headers))
        answer = connection.head()
        assert answer.status == 413
        assert answer.before == ([100] if server.kind.continues_early else [])
        assert b"<title>413 " in b"".join(connection.chunks())
        # The client keeps the body to itself, as it may: then nothing else can follow.
        connection.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            connection.socket.recv(1)
    assert server.get("/text").text == "Grüße"


def test_expected_body_is_asked_for(server: Server, at: str) -> None:
    headers = [("Content-Length", "5"), ("Expect", "100-continue")]
    with server.connect() as connection:
        connection.send(connection.begin("POST", f"{at}/body", headers))
        event = connection.event()
        assert event.status_code == 100
        connection.send_body([b"12345"])
        assert connection.read().json()["size"] == 5
        assert_usable_or_closed(connection, server)


def test_too_large_body_is_not_read(server: Server, at: str) -> None:
    """The client sends it anyway, and reads the answer meanwhile, as browsers do not."""
    with server.connect() as connection:
        headers = [FORM, ("Content-Length", str(TOO_LARGE))]
        connection.send(connection.begin("POST", f"{at}/body", headers))

        def send() -> None:
            piece = b"x" * 65_536
            with contextlib.suppress(ConnectionError):
                connection.send_body(piece for _ in range(TOO_LARGE // len(piece)))

        answer = connection.head()
        sent = in_background(send)
        assert answer.status == 413
        assert b"<title>413 " in b"".join(connection.chunks())
        # A server that waits for the rest gets it; one that has closed has said enough.
        sent()
    assert server.get("/text").text == "Grüße"


@pytest.mark.kinds(lambda kind: kind.chunks)
def test_body_that_grows_too_large_in_chunks(server: Server, at: str) -> None:
    def chunks() -> list[bytes]:
        return [b"x" * 1_000_000] * 20

    with server.connect() as connection:
        headers = [FORM, ("Transfer-Encoding", "chunked")]
        connection.send(connection.begin("POST", f"{at}/body", headers))

        def send() -> None:
            with contextlib.suppress(OSError):
                connection.send_body(chunks())

        sent = in_background(send)
        answer = connection.head()
        # A server that closes the connection at once may leave nginx nothing to pass on.
        assert answer.status == 413 or (server.kind.front and answer.status == 502)
        connection.close()
        sent()
    assert server.get("/text").text == "Grüße"


@pytest.mark.kinds(lambda kind: not kind.chunks)
def test_a_server_that_knows_no_end_of_chunks_needs_a_length(server: Server, at: str) -> None:
    with server.connect() as connection:
        connection.send(connection.begin("POST", f"{at}/body", [("Transfer-Encoding", "chunked")]))
        with contextlib.suppress(ConnectionError):  # it may have closed the connection
            connection.send_body([b"chunk"])
        assert connection.head().status == 411
    assert server.ask("POST", f"{at}/body", body=b"whole").json()["size"] == 5


MALFORMED_FORMS = {
    "percent sign alone": (FORM, b"a=%zz", 400),
    "not utf-8": (FORM, b"a=%ff%fe", 400),
    "unknown charset": ((FORM[0], f"{FORM[1]}; charset=klingon"), b"a=b", 415),
    "too many fields": (FORM, b"&".join([b"a=b"] * 1001), 413),
    "too much in fields": (FORM, b"a=" + b"b" * 500_001, 413),
    "no boundary": (("Content-Type", "multipart/form-data"), b"--x\r\n", 400),
    "boundary of 71": (("Content-Type", f"multipart/form-data; boundary={'b' * 71}"), b"--b", 400),
    "cut off": (
        ("Content-Type", "multipart/form-data; boundary=b"),
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue',
        400,
    ),
    "no boundary line": (
        ("Content-Type", "multipart/form-data; boundary=b"),
        b"something else" * 1000,
        400,
    ),
    "cut off, large": (
        ("Content-Type", "multipart/form-data; boundary=b"),
        b'--b\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n' + b"v" * 2_000_000,
        400,
    ),
    "long part header": (
        ("Content-Type", "multipart/form-data; boundary=b"),
        b"--b\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\nvalue\r\n--b--\r\n",
        413,
    ),
}


@pytest.mark.parametrize("case", MALFORMED_FORMS)
def test_malformed_forms(server: Server, case: str, at: str) -> None:
    header, body, status = MALFORMED_FORMS[case]
    with server.connect() as connection:
        answer = connection.ask("POST", f"{at}/form", [header], body)
        assert (answer.status, case) == (status, case)
        assert f"<title>{status} " in answer.text
        assert_usable_or_closed(connection, server)


def test_too_many_parts(server: Server, at: str) -> None:
    headers, body = multipart({str(n): "v" for n in range(1001)}, {})
    answer = server.ask("POST", f"{at}/form", headers, body)
    assert answer.status == 413
    headers, body = multipart({str(n): "v" for n in range(1000)}, {})
    assert len(server.ask("POST", f"{at}/form", headers, body).json()) == 1000


@pytest.mark.parametrize(
    ("header", "body", "status"),
    [
        (JSON, b'{"a": ', 400),
        (JSON, b"", 400),
        (JSON, b'{"a": NaN}', 400),
        (JSON, b'"\xff"', 400),
        (JSON, b"[" * 100_000, 400),
        (JSON, b"1" * 100_000, 400),
        (FORM, b'{"a": 1}', 415),
        (("Content-Type", "application/json; charset=utf-16"), '{"a": 1}'.encode("utf-16"), 400),
    ],
)
def test_malformed_json(
    server: Server, at: str, header: tuple[str, str], body: bytes, status: int
) -> None:
    with server.connect() as connection:
        answer = connection.ask("POST", f"{at}/json", [header], body)
        assert answer.status == status
        assert_usable_or_closed(connection, server)
