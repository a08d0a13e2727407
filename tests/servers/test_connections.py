"""What is on the wire before and after a request."""

from __future__ import annotations

import socket

import h11
import pytest

from .harness import Server, exchange_raw


@pytest.mark.kinds(lambda kind: kind.reuses)
def test_requests_in_one_go_are_answered_in_order(server: Server) -> None:
    numbers = range(20)
    with server.connect() as connection:
        host = f"Host: {connection.host}\r\n"
        requests = [f"GET /echo/{n} HTTP/1.1\r\n{host}\r\n" for n in numbers]
        body = f"POST /body HTTP/1.1\r\n{host}Content-Length: 3\r\n\r\nabc"
        connection.send("".join([*requests, body, requests[0]]).encode())
        for n in numbers:
            connection.begin("GET", f"/echo/{n}")
            connection.h11.send(h11.EndOfMessage())
            assert connection.read().json()["number"] == n
        connection.begin("POST", "/body", [("Content-Length", "3")])
        connection.h11.send(h11.Data(b"abc"))
        connection.h11.send(h11.EndOfMessage())
        assert connection.read().json()["size"] == 3
        connection.begin("GET", "/echo/0")
        connection.h11.send(h11.EndOfMessage())
        assert connection.read().json()["number"] == 0


def test_many_requests_on_one_connection(server: Server) -> None:
    with server.connect() as connection:
        for n in range(50):
            path = "/text" if n % 3 else "/def/text"
            assert connection.ask("GET", path).status == 200
            assert connection.is_reusable or not server.kind.reuses


def test_http_1_0(server: Server) -> None:
    with server.connect() as connection:
        connection.send(b"GET /text HTTP/1.0\r\n\r\n")
        answer = connection.read_raw()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0] + b" "
    assert body == "Grüße".encode()


def test_http_1_0_stream_ends_with_the_connection(server: Server) -> None:
    for number in (1, 2):
        server.release(f"old {number}")
    with server.connect() as connection:
        connection.send(b"GET /stream/pieces/old HTTP/1.0\r\n\r\n")
        answer = connection.read_raw()
    if server.kind.chunks_for_old:
        answer = answer.replace(b"\r\n6\r\n", b"\r\n").replace(b"\r\n7\r\n", b"")
        answer = answer.replace(b"\r\n5\r\n", b"").removesuffix(b"\r\n0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nfirst second third")


def test_connection_close_is_obeyed(server: Server) -> None:
    with server.connect() as connection:
        answer = connection.ask("GET", "/text", [("Connection", "close")])
        assert answer.text == "Grüße"
        assert connection.socket.recv(1) == b""


@pytest.mark.parametrize(
    "value", ["-1", "+1", "1.5", "abc", "0x10", "1, 2", "9" * 30, "٣".encode().decode("latin-1")]
)
def test_invalid_content_length(server: Server, value: str) -> None:
    head = f"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: {value}\r\n\r\n"
    status, _ = exchange_raw(server, head.encode("latin-1") + b"x")
    assert status in (400, 413)
    assert server.get("/text").status == 200


def test_two_lengths(server: Server) -> None:
    lengths = b"Content-Length: 1\r\nContent-Length: 2\r\n"
    data = b"POST /body HTTP/1.1\r\nHost: localhost\r\n" + lengths + b"\r\nxy"
    assert exchange_raw(server, data)[0] == 400
    assert server.get("/text").status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET /text HTTP/1.1\r\nHost: localhost\r\nBad Name: 1\r\n\r\n",
        b"GET /text HTTP/1.1\r\nHost: localhost\r\nName: a\x00b\r\n\r\n",
        b"POST /body HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http(server: Server, data: bytes) -> None:
    with server.connect() as connection:
        connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.read_raw()
    # A server may close the connection without a word; Granian says 500 for a broken chunk, since
    # the application, told that the client has gone, gives no answer.
    status = answer[9:10]
    lenient = {"granian": b"5", "granian-wsgi": b"2", "uwsgi": b"2"}.get(server.kind.name)
    assert status in (b"", b"4", lenient), answer
    assert server.get("/text").status == 200


@pytest.mark.parametrize(
    "path", ["/segment/%zz", "/segment/%ff", "/segment/%", "/%c0%af", "/segment/%00", "/%2e%2e/x"]
)
def test_bad_escapes_in_the_path(server: Server, path: str) -> None:
    with server.connect() as connection:
        connection.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        connection.begin("GET", "/segment")
        connection.h11.send(h11.EndOfMessage())
        answer = connection.read()
    assert answer.status in (200, 400, 404)
    if answer.status == 200:
        assert answer.json()["name"] in ("%zz", "\ufffd", "%", "\0")
    assert server.get("/text").status == 200


def test_bad_escapes_in_the_query(server: Server) -> None:
    answer = server.get("/echo/1?a=%zz&b=%ff&%&=&c")
    assert answer.status == 200
    assert answer.json()["query"]["a"] == ["%zz"]
    assert answer.json()["query"]["b"] == ["%FF"]


def test_too_many_arguments(server: Server) -> None:
    assert server.get("/echo/1?" + "a&" * 1001).status == 413


@pytest.mark.parametrize("host", ["", "a b", "exa mple.org", "host:port", "a/b", "a@b"])
def test_bad_host(server: Server, host: str) -> None:
    data = f"GET /echo/1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    if host == "" and server.kind.name == "uwsgi":
        return  # it closes the connection
    status, _ = exchange_raw(server, data)
    assert status == 400 or (host == "" and status == 200)


def test_bad_cookies_are_ignored(server: Server) -> None:
    for cookie in ("=;;=x", "session=.eJ", "session=" + "x" * 4000, 'taste="un\\', "\xff\xfe=\x80"):
        data = b"GET /session HTTP/1.1\r\nHost: localhost\r\nCookie: " + cookie.encode("latin-1")
        assert exchange_raw(server, data + b"\r\n\r\n")[0] == 200


@pytest.mark.kinds(lambda kind: kind.protocol == "asgi")
def test_websockets_are_refused(server: Server) -> None:
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    head = f"GET /text HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n{key}"
    status, _ = exchange_raw(server, f"{head}Connection: Upgrade\r\n\r\n".encode())
    assert status == 403
    assert server.get("/text").status == 200
