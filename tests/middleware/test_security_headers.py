"""Headers that make a browser careful, and nonces."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from kolben import Kolben, Response, render_template_string, stream_template_string
from kolben.local import drive
from kolben.middleware import SecurityHeaders, csp_nonce

CSP = "content-security-policy"
POLICY = "default-src 'self'; script-src 'self' 'nonce'; style-src 'nonce'"
WITHOUT = "default-src 'self'; script-src 'self'; style-src 'none'"


def with_nonce(nonce: str) -> str:
    return POLICY.replace("'nonce'", f"'nonce-{nonce}'")


def test_the_headers_of_every_response(ask: Any) -> None:
    assert ask(SecurityHeaders(ask.app(b"hi", content_length="2"))).headers == {
        "content-length": "2",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "strict-origin-when-cross-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


def test_https_is_remembered_over_https_alone(ask: Any) -> None:
    app = SecurityHeaders(ask.app(b"hi"), hsts_subdomains=True, hsts_preload=True)
    answer = ask.with_scope(app, ask.scope_of("GET", [], scheme="https"))
    assert answer.headers["strict-transport-security"] == (
        "max-age=31536000; includeSubDomains; preload"
    )
    assert "strict-transport-security" not in ask(app).headers
    for options, expected in (({}, "max-age=31536000"), ({"hsts_max_age": 0}, "max-age=0")):
        app = SecurityHeaders(ask.app(b"hi"), **options)
        answer = ask.with_scope(app, ask.scope_of("GET", [], scheme="https"))
        assert answer.headers["strict-transport-security"] == expected


def test_none_leaves_a_header_out(ask: Any) -> None:
    app = SecurityHeaders(
        ask.app(b"hi"),
        frame_options=None,
        referrer_policy=None,
        hsts_max_age=None,
        opener_policy=None,
        resource_policy=None,
    )
    answer = ask.with_scope(app, ask.scope_of("GET", [], scheme="https"))
    assert answer.headers == {"x-content-type-options": "nosniff"}


def test_a_header_of_the_view_stays(ask: Any) -> None:
    app = SecurityHeaders(
        ask.app(b"hi", x_frame_options="SAMEORIGIN", content_security_policy="img-src *"),
        content_security_policy=POLICY,
    )
    headers = ask(app).headers
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers[CSP] == "img-src *"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


@pytest.mark.parametrize(
    "policy",
    [
        "default-src 'self'; img-src 'self' data:; upgrade-insecure-requests",
        {
            "default-src": "'self'",
            "img-src": ["'self'", "data:"],
            "upgrade-insecure-requests": "",
        },
    ],
    ids=["text", "mapping"],
)
def test_a_policy(ask: Any, policy: Any) -> None:
    expected = "default-src 'self'; img-src 'self' data:; upgrade-insecure-requests"
    app = SecurityHeaders(ask.app(b"hi"), content_security_policy=policy)
    assert ask(app).headers[CSP] == expected
    tried = SecurityHeaders(ask.app(b"hi"), content_security_policy=policy, report_only=True)
    headers = ask(tried).headers
    assert headers[f"{CSP}-report-only"] == expected
    assert CSP not in headers


def test_permissions(ask: Any) -> None:
    policy = {"camera": (), "geolocation": ("self", "https://maps.example"), "fullscreen": "*"}
    app = SecurityHeaders(ask.app(b"hi"), permissions_policy=policy)
    assert ask(app).headers["permissions-policy"] == (
        'camera=(), geolocation=(self "https://maps.example"), fullscreen=(*)'
    )
    app = SecurityHeaders(ask.app(b"hi"), permissions_policy="camera=()")
    assert ask(app).headers["permissions-policy"] == "camera=()"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content_security_policy": {"img-src": "'self'; script-src *"}}, "separated by spaces"),
        ({"content_security_policy": {"img-src": ["a.example,", "b.example"]}}, "by spaces"),
        ({"content_security_policy": "img-src *\r\nSet-Cookie: a=b"}, "Content-Security-Policy"),
        ({"referrer_policy": "origin\n"}, "Referrer-Policy"),
        ({"hsts_preload": True}, "hsts_subdomains"),
        ({"hsts_preload": True, "hsts_subdomains": True, "hsts_max_age": 60}, "at least a year"),
    ],
)
def test_what_cannot_be_sent(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SecurityHeaders(None, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_websockets_and_lifespans_are_passed_on(kind: str) -> None:
    seen = []

    async def app(*args: Any) -> None:
        seen.append(args)

    args: Any = ({"type": kind}, object(), object())
    drive(SecurityHeaders(app)(*args))
    assert seen == [args]


# Nonces


@pytest.fixture
def app() -> Kolben:
    app = Kolben(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.get("/plain")
    def plain() -> str:
        return "plain"

    @app.get("/template")
    def template() -> str:
        return render_template_string("{{ csp_nonce() }} {{ csp_nonce() }}")

    @app.get("/async")
    async def asynchronous() -> str:
        return f"{csp_nonce()} {csp_nonce()}"

    @app.get("/stream")
    def stream() -> Iterator[str]:
        return stream_template_string("{{ csp_nonce() }} {{ csp_nonce() }}")

    @app.get("/stream-async")
    async def stream_async() -> Response:
        async def generate() -> AsyncIterator[str]:
            yield "nothing asked for"

        return Response(generate())

    app.asgi_app = SecurityHeaders(  # type: ignore[attr-defined]
        app.asgi_app, content_security_policy=POLICY
    )
    return app


def test_a_page_that_asks_for_no_nonce_has_none(app: Kolben) -> None:
    assert app.test_client().get("/plain").headers[CSP] == WITHOUT


@pytest.mark.parametrize("path", ["/template", "/async", "/stream"])
def test_a_page_and_its_policy_have_the_same_nonce(app: Kolben, path: str) -> None:
    client = app.test_client()
    seen = set()
    for _ in range(2):
        response = client.get(path)
        first, second = response.text.split()
        assert first == second
        assert re.fullmatch(r"[\w-]{22}", first), "128 bits"
        assert response.headers[CSP] == with_nonce(first)
        seen.add(first)
    assert len(seen) == 2, "each request has its own"


def test_a_stream_has_a_nonce_in_any_case(app: Kolben) -> None:
    policy = app.test_client().get("/stream-async").headers[CSP]
    assert re.search(r"'nonce-[\w-]{22}'", policy)


def test_a_nonce_after_the_headers_is_an_error(app: Kolben) -> None:
    @app.get("/late")
    async def late() -> Response:
        from kolben import stream_with_context

        async def generate() -> AsyncIterator[str]:
            yield csp_nonce()

        response = Response(stream_with_context(generate()))
        response.content_length = 22
        return response

    with pytest.raises(RuntimeError, match="before the response begins"):
        app.test_client().get("/late", buffered=True)


def test_without_a_policy_a_nonce_does_no_harm(app: Kolben) -> None:
    app.asgi_app = SecurityHeaders(app.asgi_app.app)  # type: ignore[attr-defined]
    response = app.test_client().get("/template")
    assert response.status_code == 200
    assert CSP not in response.headers


def test_a_policy_without_a_place_for_the_nonce_is_an_error(app: Kolben) -> None:
    app.asgi_app = SecurityHeaders(  # type: ignore[attr-defined]
        app.asgi_app.app,  # type: ignore[attr-defined]
        content_security_policy="script-src 'self'",
    )
    with pytest.raises(RuntimeError, match=r"among the sources of script-src"):
        app.test_client().get("/template")


def test_without_the_middleware_the_error_says_what_to_do() -> None:
    app = Kolben(__name__)
    with app.test_request_context():
        with pytest.raises(RuntimeError, match="add_middleware"):
            csp_nonce()
        with pytest.raises(RuntimeError, match="add_middleware"):
            render_template_string("{{ csp_nonce() }}")
    with pytest.raises(RuntimeError, match="outside of request context"):
        csp_nonce()


def test_settings_name_every_option() -> None:
    options = set(SecurityHeaders.__init__.__kwdefaults__ or ())
    assert set(SecurityHeaders.settings) == options


# The documentation's example


@pytest.mark.parametrize("path", ["/", "/made-by-hand"])
def test_the_example(example: Any, reach: Any, path: str) -> None:
    reply = reach(example("careful"), path)
    found = re.fullmatch(rb'<script nonce="([\w-]+)">start\(\)</script>', reply.body)
    assert found is not None
    assert reply.headers["Content-Security-Policy"] == (
        f"default-src 'self'; img-src 'self' data:; script-src 'self' 'nonce-{found[1].decode()}'"
    )
    assert reply.headers["Permissions-Policy"] == "camera=(), geolocation=(self)"


def test_from_settings(reach: Any) -> None:
    app = Kolben(__name__)
    app.config.update(CONTENT_SECURITY_POLICY="img-src *", FRAME_OPTIONS=None)
    app.add_middleware(SecurityHeaders)
    reply = reach(app, "/missing")
    assert reply.status == 404
    assert reply.headers["Content-Security-Policy"] == "img-src *"
    assert "X-Frame-Options" not in reply.headers


def test_a_stream_under_either_protocol(reach: Any) -> None:
    app = Kolben(__name__)
    app.add_middleware(SecurityHeaders, content_security_policy=POLICY)

    @app.get("/")
    def stream() -> Iterator[str]:
        return stream_template_string("{{ csp_nonce() }}")

    reply = reach(app, "/")
    assert reply.headers["Content-Security-Policy"] == with_nonce(reply.body.decode())
