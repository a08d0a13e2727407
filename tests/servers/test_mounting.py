"""An application below a prefix: of another application, or of a proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from .conftest import check_log, make_folder
from .harness import KINDS, Kind, Server, need

HOSTS = ("kolben", "starlette", "fastapi", "litestar")
UVICORN = KINDS[0]


@dataclass
class Mounted:
    """An application that a client reaches below a prefix.

    :ivar outside: What the client puts before a path.
    :ivar prefix: What the application is to put before it.
    """

    server: Server
    outside: str
    prefix: str

    def __post_init__(self) -> None:
        self.get = lambda path, headers=(): self.server.get(self.outside + path, headers)

    def follow(self, location: str) -> str:
        """Where a client finds what the application says is at ``location``."""
        location = location.removeprefix(f"http://127.0.0.1:{self.server.port}")
        assert location.startswith(f"{self.prefix}/"), location
        return location.removeprefix(self.prefix)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """A server for each framework, started when it is asked for."""
    with ExitStack() as stack:
        servers: dict[str, Server] = {}

        def find(host: str) -> Server:
            if host not in servers:
                need(*UVICORN.needs, host)
                folder = make_folder(tmp_path_factory.mktemp(host))
                server = Server(UVICORN, f"mounts:in_{host}", folder)
                servers[host] = stack.enter_context(server)
            return servers[host]

        yield find


@pytest.fixture(params=["/mounted", "/outer/inner"])
def prefix(request: pytest.FixtureRequest) -> str:
    """One level deep, and two."""
    return str(request.param)


@pytest.fixture(params=HOSTS)
def mounted(
    request: pytest.FixtureRequest, hosts: Callable[[str], Server], prefix: str
) -> Iterator[Mounted]:
    """The application in each framework."""
    server = hosts(request.param)
    yield Mounted(server, prefix, prefix)
    check_log(server)


def check_urls(mounted: Mounted) -> None:
    origin = f"http://127.0.0.1:{mounted.server.port}"
    prefix = mounted.prefix
    assert mounted.get("/where/a/b?q=1").json() == {
        "rest": "a/b",
        "path": "/where/a/b",
        "root_path": prefix,
        "script_root": prefix,
        "url": f"{origin}{prefix}/where/a/b?q=1",
        "base_url": f"{origin}{prefix}/where/a/b",
        "root_url": f"{origin}{prefix}/",
        "index": f"{prefix}/",
        "static": f"{prefix}/static/style.css",
        "page": f"{prefix}/pages/%C3%A4%2Fb",
        "external": f"{origin}{prefix}/pages/x",
    }
    assert mounted.get("/").text == "index"
    assert mounted.get("/where/%C3%A4").json()["rest"] == "ä"
    assert mounted.get("/def/x").json() == {"path": "/def/x", "index": f"{prefix}/", "name": "x"}
    page = mounted.get("/where/x").json()["page"]
    assert mounted.get(mounted.follow(page)).text == "ä/b"


def check_redirects(mounted: Mounted) -> None:
    answer = mounted.get("/folder?a=1&b=%20")
    assert answer.status == 308
    path = mounted.follow(answer.header("location") or "")
    assert path == "/folder/?a=1&b=%20"
    assert mounted.get(path).text == "GET a=1&b=%20"
    answer = mounted.get("/away")
    assert answer.status == 302
    assert mounted.get(mounted.follow(answer.header("location") or "")).text == "target"


def check_static_files(mounted: Mounted) -> None:
    answer = mounted.get("/static/style.css")
    assert answer.text == "body { color: teal }\n"
    again = mounted.get("/static/style.css", [("If-None-Match", answer.header("etag") or "")])
    assert again.status == 304
    part = mounted.get("/static/bytes.bin", [("Range", "bytes=5-9")])
    assert (part.status, part.body) == (206, bytes([5, 6, 7, 8, 9]))


def check_session(mounted: Mounted) -> None:
    answer = mounted.get("/session")
    # As in Flask the cookie is for the whole host, unless APPLICATION_ROOT says less.
    assert "; Path=/" in answer.all("set-cookie")[0]
    sent = f"session={answer.cookies()['session']}"
    assert mounted.get("/session", [("Cookie", sent)]).json() == {"count": 2}


CHECKS = (check_urls, check_redirects, check_static_files, check_session)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_mounted(mounted: Mounted, check: Callable[[Mounted], None]) -> None:
    check(mounted)


def test_missing_below_the_prefix(mounted: Mounted) -> None:
    answer = mounted.get("/nowhere")
    assert answer.status == 404
    assert "<title>404 Not Found</title>" in answer.text
    assert mounted.server.ask("POST", f"{mounted.outside}/where/x").status == 405


# What a server says of a proxy ---------------------------------------------------------------

TOLD = pytest.mark.kinds(lambda kind: kind.prefix is not None)


@pytest.fixture
def behind_proxy(kind: Kind, start: Callable[..., Server]) -> Mounted:
    """A server that was told of a prefix which a proxy takes off, or leaves on."""
    server = start(kind, "mounts:inner", prefix="/proxied")
    return Mounted(server, "", "/proxied")


@TOLD
@pytest.mark.kinds(lambda kind: kind.protocol == "asgi")
def test_prefix_that_a_proxy_takes_off(behind_proxy: Mounted) -> None:
    for check in CHECKS:
        check(behind_proxy)
    check_log(behind_proxy.server)


@TOLD
@pytest.mark.kinds(lambda kind: kind.raw)
def test_prefix_that_a_proxy_leaves_on(behind_proxy: Mounted) -> None:
    if behind_proxy.server.kind.name.startswith("uvicorn"):
        # It puts the prefix before what it gets, so that it would be there twice.
        assert behind_proxy.server.get("/proxied/where/x").status == 404
        return
    behind_proxy.outside = behind_proxy.prefix
    for check in CHECKS:
        check(behind_proxy)
    check_log(behind_proxy.server)
