"""Bodies that arrive at the client piece by piece."""

from __future__ import annotations

from urllib.parse import quote

import h11
import pytest

from .harness import Server


def test_pieces_arrive_when_they_are_made(server: Server, at: str) -> None:
    name = f"pieces {at[1:]}"
    with server.connect() as connection:
        path = f"{at}/stream/pieces/{quote(name, safe='')}"
        connection.send(connection.begin("GET", path))
        connection.end()
        assert connection.head().header("content-length") is None
        assert connection.chunk(6) == b"first "
        assert server.happened(name) == []
        server.release(f"{name} 1")
        assert connection.chunk(7) == b"second "
        server.release(f"{name} 2")
        assert b"".join(connection.chunks()) == b"third"
    assert server.happened(name, "closed") == ["closed"]


def test_a_stream_that_breaks_is_seen_by_the_client(server: Server, at: str) -> None:
    server.expected_errors += 1
    server.expected_breaks += 1
    with server.connect() as connection:
        connection.send(connection.begin("GET", f"{at}/stream/broken"))
        connection.end()
        assert connection.head().status == 200
        if server.kind.breaks:
            with pytest.raises((h11.RemoteProtocolError, ConnectionError)):
                list(connection.chunks())
        else:
            assert connection.chunk(5) == b"first"


# Without a length nginx first collects a body that it hands to uWSGI.
@pytest.mark.kinds(lambda kind: kind.chunks and "uwsgi" not in kind.name)
def test_upload_and_download_at_the_same_time(server: Server) -> None:
    """A view sees the pieces of a body before the client has sent all of it."""
    name = "slow-upload"
    # What reads a WSGI body waits for as much as it has asked for.
    size = 100 if server.kind.protocol == "asgi" else 64 * 1024
    with server.connect() as connection:
        headers = [("Transfer-Encoding", "chunked")]
        connection.send(connection.begin("POST", f"/stream/in/{name}", headers))
        for number in range(1, 4):
            connection.send(connection.h11.send(h11.Data(b"x" * size)) or b"")
            server.happened(name, "chunk")
            assert server.happened(name).count("chunk") <= number
        connection.end()
        assert connection.read().text == "all of it"
    assert server.happened(name, "teardown: none")[-2:] == ["finally", "teardown: none"]
