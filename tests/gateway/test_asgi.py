"""HTTP over raw ASGI: scopes in, messages out."""

from __future__ import annotations

from typing import Any

import pytest

from kolben import Kolben, Response, g, has_app_context, request, url_for

pytestmark = pytest.mark.anyio


@pytest.fixture
def app() -> Kolben:
    app = Kolben("gateway")

    @app.get("/")
    async def index() -> str:
        return "index"

    @app.get("/def/<path:rest>")
    def in_thread(rest: str) -> str:
        return f"{rest} {url_for('index')} {request.url}"

    @app.get("/user/<name>")
    async def user(name: str) -> str:
        return name

    return app


async def test_two_messages_answer_a_request(app: Kolben, wire: Any) -> None:
    one = wire("/")
    await one.run(app)
    assert one.sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/html; charset=utf-8"),
                (b"content-length", b"5"),
            ],
        },
        {"type": "http.response.body", "body": b"index"},
    ]
    assert not has_app_context()


async def test_the_path_below_a_mount(app: Kolben, wire: Any) -> None:
    for path in ("/mounted/def/x", "/def/x"):  # servers differ in what they call the path
        one = wire(path, root_path="/mounted", raw_path=path.encode())
        await one.run(app)
        assert one.body == b"x /mounted/ http://localhost/mounted/def/x"


async def test_an_encoded_slash_does_not_divide(app: Kolben, wire: Any) -> None:
    one = wire("/user/a/b", raw_path=b"/user/a%2Fb")
    await one.run(app)
    assert one.body in (b"a/b", b"a%2Fb")
    two = wire("/user/a/b")
    await two.run(app)
    assert two.status == 404


async def test_a_scope_with_the_least_that_is_asked_for(app: Kolben) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/user/ada",
        "query_string": b"",
        "headers": [],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[1]["body"] == b"ada"


async def test_head_has_the_length_and_no_body(app: Kolben, wire: Any) -> None:
    one = wire("/", "HEAD")
    await one.run(app)
    assert one.headers[b"content-length"] == b"5"
    assert one.body == b""
    assert one.complete


async def test_a_redirect_keeps_the_query(app: Kolben, wire: Any) -> None:
    app.add_url_rule("/slash/", "slash", lambda: "")
    one = wire("/slash?a=%20b")
    await one.run(app)
    assert one.status == 308
    assert one.headers[b"location"].endswith(b"/slash/?a=%20b")


async def test_unknown_methods_and_paths(app: Kolben, wire: Any) -> None:
    for method, path, status in (
        ("BREW", "/", 405),
        ("POST", "/", 405),
        ("GET", "/none", 404),
        ("OPTIONS", "*", 404),
    ):
        one = wire(path, method)
        await one.run(app)
        assert one.status == status, (method, path)


async def test_an_untrusted_host_is_refused(app: Kolben, wire: Any) -> None:
    app.config["TRUSTED_HOSTS"] = ["example.test"]
    for host, status in ((b"example.test", 200), (b"evil.test", 400), (b"a b", 400)):
        one = wire("/", headers=[(b"host", host)])
        await one.run(app)
        assert one.status == status, host


async def test_a_body_is_loaded_before_the_hooks(app: Kolben, wire: Any) -> None:
    seen: list[Any] = []

    @app.before_request
    async def before() -> None:
        seen.append(request.data)

    app.add_url_rule("/post", "post", lambda: request.data, methods=["POST"])
    messages = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"cd"},
    ]
    for headers in ([(b"content-length", b"4")], [(b"transfer-encoding", b"chunked")]):
        one = wire("/post", "POST", messages, headers=[(b"host", b"x"), *headers])
        await one.run(app)
        assert one.body == b"abcd"
    two = wire("/post", "POST", messages, http_version="2", headers=[])
    await two.run(app)
    assert two.body == b"abcd"
    assert seen == [b"abcd"] * 3


async def test_a_body_that_is_too_large_is_not_read(app: Kolben, wire: Any) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 3
    app.add_url_rule("/post", "post", lambda: request.data, methods=["POST"])
    one = wire("/post", "POST", headers=[(b"host", b"x"), (b"content-length", b"4")])
    await one.run(app)
    assert one.status == 413
    assert one.received == 0


async def test_a_stream_route_reads_as_it_goes(app: Kolben, wire: Any) -> None:
    @app.post("/async", stream=True)
    async def in_loop() -> str:
        return ",".join([chunk.decode() async for chunk in request.stream])

    @app.post("/def", stream=True)
    def streamed() -> str:
        return ",".join(chunk.decode() for chunk in request.stream)

    messages = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"cd"},
    ]
    for path in ("/async", "/def"):
        one = wire(path, "POST", messages, headers=[(b"host", b"x"), (b"content-length", b"4")])
        await one.run(app)
        assert one.body == b"ab,cd"


async def test_two_requests_after_each_other_on_one_connection(app: Kolben, wire: Any) -> None:
    for _ in range(2):
        one = wire("/user/ada")
        await one.run(app)
        assert one.complete


async def test_nothing_of_the_request_is_current_for_the_caller(app: Kolben, wire: Any) -> None:
    @app.get("/g")
    async def leave() -> str:
        g.value = 1
        app.app_context().push()
        return "left"

    await wire("/g").run(app)
    assert not has_app_context()


async def test_a_request_inside_an_application_context_shares_it(app: Kolben, wire: Any) -> None:
    torn: list[Any] = []
    app.teardown_appcontext(torn.append)

    @app.get("/g")
    async def change() -> str:
        g.value += 1
        return ""

    async with app.app_context():
        g.value = 1
        await wire("/g").run(app)
        assert g.value == 2
        assert torn == []
    assert torn == [None]


async def test_middleware_around_the_application(app: Kolben, wire: Any) -> None:
    inner = app.asgi_app

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        scope["path"] = "/user/middleware"
        scope["raw_path"] = b"/user/middleware"
        await inner(scope, receive, send)

    app.asgi_app = middleware  # type: ignore[method-assign,assignment]
    one = wire("/")
    await one.run(app)
    assert one.body == b"middleware"


async def test_websockets_are_refused_politely(app: Kolben) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]


async def test_another_kind_of_scope_is_an_error(app: Kolben, wire: Any) -> None:
    with pytest.raises(ValueError, match="unknown"):
        await wire("/", type="unknown").run(app)


async def test_204_and_304_have_no_body_and_no_length(app: Kolben, wire: Any) -> None:
    app.add_url_rule("/<int:code>", "code", lambda code: Response("body", code))
    for code in (204, 304):
        one = wire(f"/{code}")
        await one.run(app)
        assert one.body == b""
        assert b"content-length" not in one.headers or code == 304


async def test_close_functions_run_once_after_the_body_was_sent(app: Kolben, wire: Any) -> None:
    log: list[str] = []

    @app.get("/close")
    async def close() -> Response:
        response = Response("body")
        response.call_on_close(lambda: log.append(f"closed {request.path}"))
        return response

    one = wire("/close")
    one.on_send = lambda message: log.append(message["type"].rpartition(".")[2])
    await one.run(app)
    assert log == ["start", "body", "closed /close"]
