"""Requests for hosts that an application does not serve."""

from __future__ import annotations

from typing import Any

import pytest

from kolben import Kolben
from kolben.middleware import TrustedHosts
from kolben.testing import RequestBuilder

HOSTS = ["example.org", ".api.example", "*.shop.example", "[::1]"]


@pytest.fixture
def guarded(ask: Any) -> TrustedHosts:
    return TrustedHosts(ask.app(b"in"), HOSTS)


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "EXAMPLE.org",
        "example.org:8080",
        "api.example",
        "v1.api.example",
        "a.b.shop.example:443",
        "shop.example",
        "[::1]:5000",
    ],
)
def test_a_trusted_host_is_let_in_each_time(ask: Any, guarded: TrustedHosts, host: str) -> None:
    for _ in range(2):
        answer = ask(guarded, host=host)
        assert (answer.status, answer.body) == (200, b"in")


@pytest.mark.parametrize(
    "fields",
    [
        [("Host", "evil.example")],
        [("Host", "example.org.evil.example")],
        [("Host", "evilapi.example")],
        [("Host", "sub.example.org")],
        [("Host", "example.org/evil")],
        [("Host", "evil@example.org")],
        [("Host", "example.org:0")],
        [("Host", "example.org\r\nX: y")],
        [("Host", "ex\xe4mple.org")],
        [("Host", "")],
        [],
        [("Host", "example.org"), ("Host", "example.org")],
        [("Host", "example.org"), ("Host", "evil.example")],
    ],
)
def test_any_other_host_is_a_400(ask: Any, guarded: TrustedHosts, fields: Any) -> None:
    assert ask(guarded, host="example.org").status == 200
    answer = ask.with_scope(guarded, ask.scope_of("GET", fields))
    assert answer.status == 400
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert b"in" not in answer.body.split()


def test_the_page_shows_no_markup_of_the_clients(ask: Any, guarded: TrustedHosts) -> None:
    assert b"<script>" not in ask(guarded, host="<script>").body


def test_the_answer_to_head_has_no_body(ask: Any, guarded: TrustedHosts) -> None:
    answer = ask(guarded, "HEAD", host="evil.example")
    assert (answer.status, answer.body) == (400, b"")
    assert int(answer.headers["content-length"]) > 0


def test_spellings_that_are_remembered_are_few(ask: Any, guarded: TrustedHosts) -> None:
    for port in range(1, 500):
        assert ask(guarded, host=f"example.org:{port}").status == 200
    assert len(guarded._known) < 100


def test_a_websocket_is_closed_before_it_is_accepted(ask: Any, guarded: TrustedHosts) -> None:
    scope = ask.scope_of("GET", [("Host", "evil.example")], type="websocket", scheme="ws")
    answer = ask.with_scope(guarded, scope)
    assert answer.messages == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_a_websocket_gets_the_400_where_the_server_can_send_it(
    ask: Any, guarded: TrustedHosts
) -> None:
    scope = ask.scope_of("GET", [], type="websocket", extensions={"websocket.http.response": {}})
    start, body = ask.with_scope(guarded, scope).messages
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 400)
    assert body["type"] == "websocket.http.response.body"
    assert b"Bad Request" in body["body"]


def test_a_websocket_for_a_trusted_host_is_let_in(ask: Any, guarded: TrustedHosts) -> None:
    scope = ask.scope_of("GET", [("Host", "example.org")], type="websocket")
    assert ask.with_scope(guarded, scope).status == 200


def test_a_lifespan_passes(ask: Any) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    ask.with_scope(TrustedHosts(app, "example.org"), {"type": "lifespan"})
    assert seen == [{"type": "lifespan"}]


@pytest.mark.parametrize("hosts", [None, [], ()])
def test_no_hosts_at_all_is_a_mistake(hosts: Any) -> None:
    with pytest.raises(ValueError, match=r"TrustedHosts was given no hosts.*TRUSTED_HOSTS"):
        TrustedHosts(None, hosts)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["*", "a.*.example.org", "www*.example.org"])
def test_an_asterisk_elsewhere_is_a_mistake(host: str) -> None:
    with pytest.raises(ValueError, match="asterisk"):
        TrustedHosts(None, [host])  # type: ignore[arg-type]


async def mounted(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"mounted"})


@pytest.mark.parametrize("path", ["/", "/mounted/", "/missing"])
def test_in_front_of_an_application_and_its_mounts(path: str) -> None:
    app = Kolben(__name__)
    app.config["TRUSTED_HOSTS"] = ["example.org"]
    app.add_middleware(TrustedHosts)
    app.mount("/mounted", mounted)

    @app.get("/")
    def index() -> str:
        return "in"

    client = app.test_client()
    for host, refused in (("example.org", False), ("evil.example", True)):
        headers = {"Host": host}
        response = client.get(path, headers=headers)
        assert (response.status_code == 400) is refused
        environ = RequestBuilder(app, path, headers=headers).get_environ()
        body, status, _ = client.run_wsgi_app(environ, buffered=True)
        assert (b"".join(body), status[:3]) == (response.data, str(response.status_code))
