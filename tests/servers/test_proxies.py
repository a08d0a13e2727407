"""Behind nginx: what the client has asked for, as the proxy says it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import check_log, make_folder
from .harness import NGINX_KINDS, Kind, Server
from .test_mounting import CHECKS, Mounted


@pytest.fixture(
    scope="module", params=[kind for kind in NGINX_KINDS if kind.language == "proxy"], ids=str
)
def behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that nginx speaks to by HTTP, with an application that trusts it."""
    kind: Kind = request.param
    kind.need()
    with Server(kind, "mounts:proxied", make_folder(tmp_path_factory.mktemp("behind"))) as server:
        yield server
        server.stop()
        check_log(server)


def test_prefix_that_nginx_takes_off(behind: Server) -> None:
    for check in CHECKS:
        check(Mounted(behind, "/stripped", "/stripped"))
    assert behind.get("/stripped/nowhere").status == 404


def test_without_a_prefix(behind: Server) -> None:
    assert behind.get("/").text == "index"
    assert behind.get("/away").header("location") == "/pages/target"


@pytest.mark.parametrize("said", [[], ["203.0.113.7"], ["198.51.100.1, 203.0.113.7"]])
def test_client_scheme_and_host(behind: Server, said: list[str]) -> None:
    """What a client itself writes into the header fields is not believed."""
    headers = [("X-Forwarded-For", value) for value in said]
    answer = behind.get("/forwarded/client?q=1", [*headers, ("X-Forwarded-Host", "evil.example")])
    assert answer.json() == {
        "address": "127.0.0.1",
        "scheme": "https",
        "host": "example.org",
        "url": "https://example.org/client?q=1",
        "external": "https://example.org/",
        "secure": True,
    }
    in_thread = behind.get("/forwarded/def/client", headers).json()
    assert in_thread == {"address": "127.0.0.1", "url": "https://example.org/def/client"}
