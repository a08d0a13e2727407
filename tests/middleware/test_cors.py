"""Cross-origin resource sharing."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from starlette.middleware.cors import CORSMiddleware

from kolben import Kolben, Response, abort
from kolben.local import drive
from kolben.middleware import CORS, cors
from kolben.middleware.cors import Policy

A, B = "https://a.example", "https://b.example"
PREFLIGHT = {"Origin": A, "Access-Control-Request-Method": "POST"}
CORS_FIELDS = "access-control-"


def asks(origin: str = A, method: str = "POST", **more: str) -> dict[str, str]:
    return {"origin": origin, "access_control_request_method": method, **more}


def shared(headers: Any) -> dict[str, str]:
    """The headers that CORS is about."""
    return {
        name.lower(): value
        for name, value in dict(headers).items()
        if name.lower().startswith(CORS_FIELDS) or name.lower() == "vary"
    }


# Ordinary requests


def test_an_allowed_origin_may_read(ask: Any) -> None:
    app = CORS(ask.app(b"hi"), origins=[A, B])
    assert ask(app, origin=A).headers == {"access-control-allow-origin": A, "vary": "Origin"}
    assert ask(app, origin=B).headers["access-control-allow-origin"] == B


def test_other_origins_get_the_answer_but_may_not_read_it(ask: Any) -> None:
    app = CORS(ask.app(b"hi"), origins=[A])
    for origin in ("https://evil.example", A + ".evil.example", A + ":8443", "http://a.example"):
        answer = ask(app, origin=origin)
        assert (answer.body, answer.headers) == (b"hi", {"vary": "Origin"})


def test_caches_learn_that_the_origin_matters_also_without_one(ask: Any) -> None:
    app = CORS(ask.app(b"hi", vary="Cookie"), origins=[A])
    assert ask(app).headers == {"vary": "Cookie, Origin"}


def test_everybody_gets_the_same_answer(ask: Any) -> None:
    app = CORS(ask.app(b"hi"), origins="*")
    for headers in ({}, {"origin": A}, {"origin": "null"}):
        assert ask(app, **headers).headers == {"access-control-allow-origin": "*"}


@pytest.mark.parametrize(
    "origins",
    [
        re.compile(r"https://\w+\.example"),
        [re.compile(r"https://\w+\.example")],
        lambda origin: origin.endswith(".example"),
        "HTTPS://A.Example",
    ],
    ids=["pattern", "patterns", "function", "upper case"],
)
def test_ways_to_say_who(ask: Any, origins: Any) -> None:
    app = CORS(ask.app(b"hi"), origins=origins)
    assert ask(app, origin=A).headers["access-control-allow-origin"] == A
    assert "access-control-allow-origin" not in ask(app, origin=A + ".evil.com").headers


@pytest.mark.parametrize("origins", [re.compile(".*"), lambda origin: True, [A]])
def test_null_must_be_listed(ask: Any, origins: Any) -> None:
    app = CORS(ask.app(b"hi"), origins=origins)
    assert "access-control-allow-origin" not in ask(app, origin="null").headers
    listed = CORS(ask.app(b"hi"), origins=[A, "null"])
    assert ask(listed, origin="null").headers["access-control-allow-origin"] == "null"


def test_credentials_and_exposed_headers(ask: Any) -> None:
    app = CORS(ask.app(b"hi"), origins=A, credentials=True, expose_headers=["X-Total", "ETag"])
    assert ask(app, origin=A).headers == {
        "access-control-allow-origin": A,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "X-Total, ETag",
        "vary": "Origin",
    }
    assert ask(app, origin=B).headers == {"vary": "Origin"}


# Preflight requests


def test_a_preflight_is_answered(ask: Any) -> None:
    app = CORS(
        ask.app(b"not found", status=404, content_type="text/html"),
        origins=[A],
        methods=["GET", "PUT"],
        allow_headers=["X-Token"],
        max_age=60,
    )
    answer = ask(app, "OPTIONS", **asks())
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers == {
        "access-control-allow-origin": A,
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": (
            "Accept, Accept-Language, Content-Language, Content-Type, X-Token"
        ),
        "access-control-max-age": "60",
        "vary": "Origin",
    }
    assert [message["type"] for message in answer.messages] == [
        "http.response.start",
        "http.response.body",
    ]


def test_a_preflight_of_another_origin_is_refused(ask: Any) -> None:
    answer = ask(CORS(ask.app(b""), origins=[A]), "OPTIONS", **asks(B))
    assert (answer.status, answer.headers) == (403, {"vary": "Origin", "content-length": "0"})


def test_stars_allow_what_is_asked_for_also_with_credentials(ask: Any) -> None:
    app = CORS(ask.app(b""), origins=A, credentials=True, methods="*", allow_headers="*")
    names = "X-Token, not a name, Authorization"
    answer = ask(app, "OPTIONS", **asks(method="PURGE", access_control_request_headers=names))
    assert answer.headers["access-control-allow-methods"] == "PURGE"
    assert answer.headers["access-control-allow-headers"] == "X-Token, Authorization"
    assert answer.headers["vary"] == (
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    )


@pytest.mark.parametrize("allowed", [True, False])
def test_private_networks(ask: Any, allowed: bool) -> None:
    app = CORS(ask.app(b""), origins=A, private_network=allowed)
    answer = ask(app, "OPTIONS", **asks(access_control_request_private_network="true"))
    assert ("access-control-allow-private-network" in answer.headers) is allowed
    plain = ask(app, "OPTIONS", **asks())
    assert "access-control-allow-private-network" not in plain.headers


def test_no_max_age(ask: Any) -> None:
    answer = ask(CORS(ask.app(b""), origins=A, max_age=None), "OPTIONS", **asks())
    assert "access-control-max-age" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"origin": A}, {"access_control_request_method": "PUT"}])
def test_a_plain_options_request_reaches_the_application(ask: Any, headers: Any) -> None:
    answer = ask(CORS(ask.app(b"options"), origins=A), "OPTIONS", **headers)
    assert (answer.status, answer.body) == (200, b"options")


# The programmer's errors


@pytest.mark.parametrize(
    ("policy", "remedy"),
    [
        ({"origins": "*", "credentials": True}, "list the origins"),
        ({"origins": [A, "*"], "credentials": True}, "list the origins"),
        ({"origins": "https://a.example/"}, "without a path or slash"),
        ({"origins": "a.example"}, "Write scheme, host"),
        ({"origins": "https://*.example"}, "re.compile"),
        ({"origins": A, "credentials": True, "expose_headers": "*"}, "name each header"),
        ({"origins": A, "methods": "GET POST"}, "not the name"),
    ],
)
def test_a_policy_that_cannot_be(policy: Any, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        CORS(None, **policy)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=remedy):
        cors(**policy)


def test_a_policy_is_for_somebody() -> None:
    with pytest.raises(TypeError, match="origins"):
        CORS(None)  # type: ignore[arg-type,call-arg]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_websockets_and_lifespans_are_passed_on(kind: str) -> None:
    seen = []

    async def app(*args: Any) -> None:
        seen.append(args)

    args: Any = ({"type": kind}, object(), object())
    drive(CORS(app, origins="*")(*args))
    assert seen == [args]


def test_settings_name_every_option() -> None:
    assert set(CORS.settings) == set(Policy.__init__.__kwdefaults__ or ()) | {"origins"}
    assert all(key == f"CORS_{name.upper()}" for name, key in CORS.settings.items())


# In an application


@pytest.fixture
def app() -> Kolben:
    app = Kolben(__name__)

    @app.get("/")
    def index() -> str:
        return "index"

    @app.get("/mine")
    async def mine() -> Response:
        return Response("mine", headers={"Access-Control-Allow-Origin": B})

    @app.get("/broken")
    def broken() -> str:
        raise LookupError

    @app.get("/forbidden")
    def forbidden() -> str:
        abort(403)

    app.asgi_app = CORS(app.asgi_app, origins=[A])  # type: ignore[attr-defined]
    return app


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/broken", 500), ("/forbidden", 403), ("/missing", 404)]
)
def test_errors_can_be_read_too(app: Kolben, path: str, status: int) -> None:
    response = app.test_client().get(path, headers={"Origin": A})
    assert response.status_code == status
    assert shared(response.headers) == {"access-control-allow-origin": A, "vary": "Origin"}


def test_what_a_view_says_itself_stays(app: Kolben) -> None:
    response = app.test_client().get("/mine", headers={"Origin": A})
    assert shared(response.headers) == {"access-control-allow-origin": B}


def test_a_preflight_needs_no_route(app: Kolben) -> None:
    response = app.test_client().options("/", headers=PREFLIGHT)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == A
    assert app.test_client().options("/", headers={"Origin": A}).allow == {
        "GET",
        "HEAD",
        "OPTIONS",
    }


def test_the_inner_of_two_decides(ask: Any) -> None:
    for inner, outer in (([A], [B]), ([B], [A]), ([B], "*")):
        app = CORS(CORS(ask.app(b""), origins=inner), origins=outer)
        for method in ("GET", "OPTIONS"):
            alone = CORS(ask.app(b""), origins=inner)
            answer = ask(app, method, **asks(A)).messages
            assert answer == ask(alone, method, **asks(A)).messages


# Beside Starlette's


@pytest.mark.parametrize("origin", [A, B, "https://evil.example", "null"])
@pytest.mark.parametrize("credentials", [True, False])
@pytest.mark.parametrize("origins", [[A, B], [A]])
@pytest.mark.parametrize("requested", ["GET", "PUT"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_browsers_see_what_they_see_with_starlette(
    ask: Any, origin: str, credentials: bool, origins: list[str], requested: str, method: str
) -> None:
    methods = ["GET", "PUT"]
    ours = CORS(
        ask.app(b"hi"),
        origins=origins,
        credentials=credentials,
        methods=methods,
        allow_headers=["X-Token"],
        expose_headers=["X-Total"],
    )
    theirs = CORSMiddleware(
        ask.app(b"hi"),
        allow_origins=origins,
        allow_credentials=credentials,
        allow_methods=methods,
        allow_headers=["X-Token"],
        expose_headers=["X-Total"],
    )
    headers = asks(origin, requested, access_control_request_headers="x-token")
    if method == "GET":
        headers = {"origin": origin}
    mine, other = ask(ours, method, **headers), ask(theirs, method, **headers)
    allowed = origin in origins
    assert (mine.status < 300) is (other.status < 300) is (allowed or method == "GET")
    if allowed:
        seen, wanted = shared(mine.headers), shared(other.headers)
        # Starlette's names what its own settings leave open too.
        assert set(seen.pop("vary").split(", ")) <= set(wanted.pop("vary").split(", "))
        assert seen == wanted
    else:
        assert "access-control-allow-origin" not in {**mine.headers, **other.headers}


# The application, a blueprint and a route

SITE, PARTNER, STRANGER = "https://example.com", "https://partner.example", "https://x.example"


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/account", SITE, SITE),
        ("/account", "https://shop.example.com", "https://shop.example.com"),
        ("/account", PARTNER, None),
        ("/api/orders", PARTNER, PARTNER),
        ("/api/orders", SITE, None),
        ("/status", STRANGER, "*"),
        ("/status", SITE, "*"),
        ("/missing", SITE, SITE),
        ("/api/missing", SITE, SITE),
    ],
)
@pytest.mark.parametrize("preflight", [False, True], ids=["request", "preflight"])
def test_the_nearest_policy_decides(
    example: Any, reach: Any, path: str, origin: str, allowed: str | None, preflight: bool
) -> None:
    app = example("sharing")
    if preflight:
        reply = reach(app, path, "OPTIONS", **asks(origin, "GET"))
        assert reply.status == (204 if allowed else 403)
        assert reply.body == b""
    else:
        reply = reach(app, path, origin=origin)
        assert reply.status == (404 if "missing" in path else 200)
    assert reply.headers.get("Access-Control-Allow-Origin") == allowed
    credentials = path in ("/account", "/missing", "/api/missing") and allowed is not None
    assert ("Access-Control-Allow-Credentials" in reply.headers) is credentials
    assert ("Origin" in reply.headers.get("Vary", "")) is (allowed != "*")


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_preflight_reaches_neither_hooks_nor_view(reach: Any, colour: str) -> None:
    app = Kolben(__name__)
    seen = []

    @app.before_request
    def log_in() -> None:
        seen.append("hook")
        abort(401)

    methods = ["PUT", "OPTIONS"]
    if colour == "def":

        @app.route("/near", methods=methods, middleware=[cors(origins=A)])
        @app.route("/", methods=methods)
        def view() -> str:
            seen.append("view")
            return "view"
    else:

        @app.route("/near", methods=methods, middleware=[cors(origins=A)])
        @app.route("/", methods=methods)
        async def view() -> str:
            seen.append("view")
            return "view"

    app.add_middleware(CORS, origins=A)
    for path in ("/", "/near"):
        reply = reach(app, path, "OPTIONS", **asks(A, "PUT"))
        assert (reply.status, seen) == (204, [])
        assert reply.headers["Access-Control-Allow-Origin"] == A


def test_a_preflight_is_answered_by_the_route_that_it_asks_for(reach: Any) -> None:
    app = Kolben(__name__)

    @app.get("/", middleware=[cors(origins=A)])
    def read() -> str:
        return "read"

    @app.post("/", middleware=[cors(origins=B)])
    def write() -> str:
        return "written"

    for method, origin in (("GET", A), ("POST", B)):
        reply = reach(app, "/", "OPTIONS", **asks(origin, method))
        assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (204, origin)
    assert reach(app, "/", "OPTIONS", **asks(A, "POST")).status == 403


@pytest.mark.parametrize("path", ["/broken", "/async"])
def test_a_route_s_policy_is_on_its_errors_too(reach: Any, path: str) -> None:
    app = Kolben(__name__)

    @app.get("/broken", middleware=[cors(origins=A)])
    def broken() -> str:
        raise LookupError

    @app.get("/async", middleware=[cors(origins=A)])
    async def broken_async() -> str:
        raise LookupError

    reply = reach(app, path, origin=A)
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (500, A)


def test_settings(reach: Any) -> None:
    app = Kolben(__name__)
    app.config.update(CORS_ORIGINS=[A], CORS_CREDENTIALS=True, CORS_MAX_AGE=None)
    app.add_middleware(CORS)
    reply = reach(app, "/", "OPTIONS", **asks(A))
    assert reply.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Access-Control-Max-Age" not in reply.headers


def test_a_route_s_policy_needs_no_event_loop_under_wsgi(reach: Any) -> None:
    if reach.protocol == "asgi":
        pytest.skip("an event loop runs")
    app = Kolben(__name__)

    @app.get("/", middleware=[cors(origins=A)])
    def index() -> str:
        return "index"

    before = {thread.ident for thread in threading.enumerate()}
    assert reach(app, "/", origin=A).headers["Access-Control-Allow-Origin"] == A
    assert {thread.ident for thread in threading.enumerate()} == before


def test_without_a_policy_a_preflight_is_a_request_like_any_other(reach: Any) -> None:
    app = Kolben(__name__)

    @app.route("/own", methods=["OPTIONS"])
    @app.get("/")
    def view() -> str:
        return "view"

    @app.after_request
    def by_hand(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "https://by-hand.example"
        return response

    for path, status in (("/", 200), ("/own", 200), ("/missing", 404)):
        reply = reach(app, path, "OPTIONS", **asks(A, "GET"))
        assert reply.status == status
        assert reply.headers["Access-Control-Allow-Origin"] == "https://by-hand.example"


def test_a_preflight_after_a_plain_options_request(reach: Any) -> None:
    app = Kolben(__name__)

    @app.get("/", middleware=[cors(origins=A)])
    def view() -> str:
        return "view"

    for _ in range(2):
        plain = reach(app, "/", "OPTIONS", origin=A)
        assert (plain.status, plain.headers["Allow"]) == (200, "GET, HEAD, OPTIONS")
        assert reach(app, "/", "OPTIONS", **asks(A, "GET")).status == 204


def test_a_policy_for_all_routes_by_function(reach: Any) -> None:
    app = Kolben(__name__)
    app.middleware(cors(origins=A))

    @app.get("/<int:number>")
    async def view(number: int) -> str:
        return str(number)

    @app.get("/folder/", middleware=[cors(origins=B)])
    def folder() -> str:
        return "folder"

    for path, origin in (("/1", A), ("/missing", A), ("/folder/", B), ("/folder", A)):
        assert reach(app, path, "OPTIONS", **asks(origin, "GET")).status == 204
        assert reach(app, path, origin=origin).headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("path", ["/", "/missing"])
def test_where_hosts_are_checked(reach: Any, path: str) -> None:
    app = Kolben(__name__)
    app.config["TRUSTED_HOSTS"] = ["localhost"]
    app.add_middleware(CORS, origins=B)

    @app.get("/", middleware=[cors(origins=A)])
    def view() -> str:
        return "view"

    origin = A if path == "/" else B
    assert reach(app, path, "OPTIONS", **asks(origin, "GET")).status == 204
