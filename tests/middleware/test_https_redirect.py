"""Requests that came over plain HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from kolben import Kolben
from kolben.middleware import HTTPSRedirect, ProxyFix
from kolben.testing import RequestBuilder


@pytest.fixture
def redirecting(ask: Any) -> HTTPSRedirect:
    return HTTPSRedirect(ask.app(b"in"))


def asked(ask: Any, app: Any, host: str = "example.org", **more: Any) -> Any:
    return ask.with_scope(app, ask.scope_of("GET", [("Host", host)], **more))


def test_a_plain_request_is_sent_to_https_for_good(ask: Any, redirecting: HTTPSRedirect) -> None:
    answer = asked(ask, redirecting, path="/a", raw_path=b"/a", query_string=b"b=c&d=%20")
    assert answer.status == 308
    assert answer.headers["location"] == "https://example.org/a?b=c&d=%20"


@pytest.mark.parametrize("more", [{"scheme": "https"}, {"type": "websocket", "scheme": "wss"}])
def test_a_secure_one_passes(ask: Any, redirecting: HTTPSRedirect, more: Any) -> None:
    assert asked(ask, redirecting, **more).body == b"in"


def test_a_lifespan_passes(ask: Any) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    ask.with_scope(HTTPSRedirect(app), {"type": "lifespan"})
    assert seen == [{"type": "lifespan"}]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_status_can_be_chosen(ask: Any, status: int) -> None:
    assert asked(ask, HTTPSRedirect(ask.app(), status=status)).status == status


@pytest.mark.parametrize(
    "options", [{"status": 200}, {"status": 303}, {"port": 0}, {"port": 70_000}]
)
def test_what_cannot_be_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="HTTPSRedirect cannot use"):
        HTTPSRedirect(None, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("port", "host", "expected"),
    [
        (None, "example.org:8080", "https://example.org/"),
        (443, "example.org", "https://example.org/"),
        (8443, "example.org:8080", "https://example.org:8443/"),
        (8443, "[::1]:8080", "https://[::1]:8443/"),
        (None, "Example.ORG", "https://example.org/"),
    ],
)
def test_the_port_is_that_of_https(ask: Any, port: int | None, host: str, expected: str) -> None:
    assert asked(ask, HTTPSRedirect(ask.app(), port=port), host).headers["location"] == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"path": "//evil.example", "raw_path": b"//evil.example"}, "/evil.example"),
        ({"path": ".evil.example/", "raw_path": b".evil.example/"}, "/.evil.example/"),
        ({"path": "@evil.example/", "raw_path": b"@evil.example/"}, "/@evil.example/"),
        ({"path": "/\\evil.example", "raw_path": b"/\\evil.example"}, "/%5Cevil.example"),
        ({"path": "/a\r\nX: y", "raw_path": b"/a%0D%0AX:%20y"}, "/a%0D%0AX:%20y"),
        ({"path": "/", "raw_path": b"/", "query_string": b"a\r\nX: y"}, "/?a%0D%0AX:%20y"),
        ({"path": "/a/b", "raw_path": b"/a%2Fb"}, "/a%2Fb"),
        ({"path": "/ä b", "raw_path": "/ä b".encode()}, "/%C3%A4%20b"),
        ({"path": "/app/x", "raw_path": b"/app/x", "root_path": "/app"}, "/app/x"),
        ({"path": "/x", "raw_path": b"/x", "root_path": "/app"}, "/app/x"),
        ({"path": "", "raw_path": b""}, "/"),
        ({"path": "/x", "raw_path": None}, "/x"),
    ],
)
def test_the_path_stays_below_the_host(
    ask: Any, redirecting: HTTPSRedirect, scope: Any, expected: str
) -> None:
    answer = asked(ask, redirecting, **scope)
    assert answer.headers["location"] == f"https://example.org{expected}"


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("Host", "")],
        [("Host", "example.org"), ("Host", "evil.example")],
        [("Host", "example.org/evil")],
        [("Host", "user@evil.example")],
        [("Host", "example.org\r\nSet-Cookie: a=b")],
        [("Host", "a b")],
    ],
)
def test_a_host_that_cannot_be_reflected_is_a_400(
    ask: Any, redirecting: HTTPSRedirect, fields: Any
) -> None:
    answer = ask.with_scope(redirecting, ask.scope_of("GET", fields))
    assert answer.status == 400
    assert "location" not in answer.headers


def test_only_trusted_hosts_are_redirected_to_if_some_are_given(ask: Any) -> None:
    app = HTTPSRedirect(ask.app(), hosts=["example.org"])
    assert asked(ask, app).status == 308
    assert asked(ask, app, "evil.example").status == 400


def test_exempt_paths_are_served(ask: Any) -> None:
    app = HTTPSRedirect(ask.app(b"in"), exempt=["/health", "/.well-known/acme-challenge/"])
    for path, status in {
        "/health": 200,
        "/health/more": 308,
        "/healthy": 308,
        "/.well-known/acme-challenge/token": 200,
        "/.well-known/acme-challenge": 308,
        "/": 308,
    }.items():
        assert asked(ask, app, path=path, raw_path=path.encode()).status == status, path
    below = {"root_path": "/app", "path": "/app/health", "raw_path": b"/app/health"}
    assert asked(ask, app, **below).status == 200
    assert asked(ask, HTTPSRedirect(ask.app(b"in"), exempt="/health"), path="/health").status == 200


def test_a_websocket_is_closed_before_it_is_accepted(ask: Any, redirecting: HTTPSRedirect) -> None:
    answer = asked(ask, redirecting, type="websocket", scheme="ws")
    assert answer.messages == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_a_websocket_is_redirected_where_the_server_can(
    ask: Any, redirecting: HTTPSRedirect
) -> None:
    start, _ = asked(
        ask,
        redirecting,
        type="websocket",
        scheme="ws",
        path="/chat",
        raw_path=b"/chat",
        extensions={"websocket.http.response": {}},
    ).messages
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 308)
    assert (b"location", b"wss://example.org/chat") in [
        (name.lower(), value) for name, value in start["headers"]
    ]


def test_in_an_application_behind_a_proxy() -> None:
    app = Kolben(__name__)

    @app.get("/")
    def index() -> str:
        return "in"

    app.add_middleware(HTTPSRedirect)
    app.add_middleware(ProxyFix)
    client = app.test_client()
    assert client.get("/").headers["Location"] == "https://localhost/"
    assert client.get("/", headers={"X-Forwarded-Proto": "https"}).text == "in"
    assert client.get("/", headers={"X-Forwarded-Proto": "https, http"}).status_code == 308


def test_every_option_can_be_a_setting() -> None:
    app = Kolben(__name__)
    app.config.update(
        HTTPS_REDIRECT_STATUS=307,
        HTTPS_REDIRECT_PORT=8443,
        HTTPS_REDIRECT_EXEMPT=["/health"],
        TRUSTED_HOSTS=["example.org"],
    )
    app.add_middleware(HTTPSRedirect)

    @app.get("/health")
    def health() -> str:
        return "well"

    client = app.test_client()
    assert client.get("/health", headers={"Host": "example.org"}).text == "well"
    moved = client.get("/a", headers={"Host": "example.org"})
    assert (moved.status_code, moved.headers["Location"]) == (307, "https://example.org:8443/a")
    assert client.get("/a", headers={"Host": "evil.example"}).status_code == 400


def test_under_wsgi() -> None:
    app = Kolben(__name__)
    app.add_middleware(HTTPSRedirect)
    client = app.test_client()
    environ = RequestBuilder(app, "/a?b=c").get_environ()
    _, status, headers = client.run_wsgi_app(environ, buffered=True)
    assert (status[:3], headers["Location"]) == ("308", "https://localhost/a?b=c")
