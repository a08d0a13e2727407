"""Bodies larger than what a server may hold of them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .harness import Server

MIB = 1024 * 1024
GIB = 1024 * MIB

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.timeout(240),
    # The memory is that of one process, and what nginx holds of a file is its own affair.
    pytest.mark.kinds(lambda kind: kind.workers == 1 and not kind.front),
    pytest.mark.skipif(sys.platform != "linux", reason="memory is measured through /proc"),
]


class Memory:
    """What a process holds of the machine's memory, and the most that it held since."""

    def __init__(self, pid: int) -> None:
        self.status = Path(f"/proc/{pid}/status")
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the peak so far
        self.before = self.field("VmRSS")

    def field(self, name: str) -> int:
        for line in self.status.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise LookupError(name)

    @property
    def growth(self) -> int:
        return self.field("VmHWM") - self.before


def download(server: Server, path: str) -> int:
    """Read a body of zeros without keeping it; gives its length."""
    buffer = bytearray(MIB)
    zeros = bytes(MIB)
    with server.connect() as connection:
        connection.send(connection.begin("GET", path))
        answer = connection.head()
        assert answer.status == 200
        wanted = int(answer.header("content-length") or 0)
        # h11 would copy each piece; with a Content-Length what follows is the body itself.
        early, _ = connection.h11.trailing_data
        assert not early.strip(b"\0")
        count = len(early)
        while count < wanted:
            size = connection.socket.recv_into(buffer)
            assert size, f"{count} of {wanted}"
            assert buffer[:size] == zeros[:size]
            count += size
    return count


def test_a_gib_is_served_in_little_memory(server: Server) -> None:
    with (server.folder / "static" / "large.bin").open("wb") as file:
        file.truncate(GIB)
    assert server.get("/static/bytes.bin").status == 200  # what one file needs is there
    memory = Memory(server.pid)
    assert download(server, "/static/large.bin") == GIB
    assert memory.growth < 16 * MIB


def test_a_server_that_can_sends_files_by_their_name(server: Server) -> None:
    """The extension is taken where it is there; the answers are the same without it."""
    has_it = "http.response.pathsend" in server.extensions
    kind = server.kind
    # Under WSGI it stands for wsgi.file_wrapper.
    by_wrapper = kind.protocol == "wsgi" and kind.name != "granian-wsgi"
    assert has_it == (kind.name == "granian" or by_wrapper)
    with (server.folder / "static" / "whole.bin").open("wb") as file:
        file.truncate(MIB)
    assert download(server, "/static/whole.bin") == MIB
    part = server.get("/static/whole.bin", [("Range", "bytes=1-2")])
    assert (part.status, part.body) == (206, b"\0\0")


def test_two_at_the_same_time(server: Server) -> None:
    with (server.folder / "static" / "half.bin").open("wb") as file:
        file.truncate(GIB // 4)
    memory = Memory(server.pid)
    with ThreadPoolExecutor(2) as pool:
        sizes = list(pool.map(lambda _: download(server, "/static/half.bin"), range(2)))
    assert sizes == [GIB // 4] * 2
    assert memory.growth < 16 * MIB


def test_a_client_that_reads_slowly_fills_no_memory(server: Server) -> None:
    with (server.folder / "static" / "slow.bin").open("wb") as file:
        file.truncate(GIB // 4)
    memory = Memory(server.pid)
    with server.connect() as connection:
        connection.send(connection.begin("GET", "/static/slow.bin"))
        assert connection.head().status == 200
        for _ in range(20):  # others go on, and time passes
            assert server.get("/text").status == 200
        assert memory.growth < 16 * MIB


@pytest.mark.parametrize("path", ["/stream/in", "/def/stream/in"])
def test_an_upload_of_100_mib_passes_through(server: Server, path: str) -> None:
    memory = Memory(server.pid)
    with server.connect() as connection:
        headers = [("Content-Length", str(100 * MIB))]
        connection.send(connection.begin("POST", path, headers))
        connection.send_body(bytes(MIB) for _ in range(100))
        assert connection.read().json() == {"size": 100 * MIB}
    assert memory.growth < 16 * MIB


def test_uploads_wait_on_disk(server: Server) -> None:
    """What is larger than the spool size is in a file, and gone afterwards."""
    memory = Memory(server.pid)
    boundary = "limit"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    tail = f"\r\n--{boundary}--\r\n"
    size = 15 * MIB
    with server.connect() as connection:
        headers = [
            ("Content-Type", f"multipart/form-data; boundary={boundary}"),
            ("Content-Length", str(size + len(head) + len(tail))),
        ]
        connection.send(connection.begin("POST", "/upload", headers))
        pieces = [head.encode(), *([bytes(MIB)] * 15), tail.encode()]
        connection.send_body(pieces)
        assert connection.read().json()["size"] == size
    assert memory.growth < 12 * MIB
