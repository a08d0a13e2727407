"""A name for each request."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import anyio
import pytest

from kolben import Kolben, abort, request
from kolben.middleware import RequestID, RequestIDFilter, request_id
from kolben.testing import RequestBuilder


def numbered() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


class Records(logging.Handler):
    """Keeps what a formatter with the id in it makes of records."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(RequestIDFilter())
        self.setFormatter(logging.Formatter("%(request_id)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def records() -> Any:
    handler = Records()
    logger = logging.getLogger("tests.request_id")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture
def app() -> Kolben:
    app = Kolben(__name__)
    logger = logging.getLogger("tests.request_id")

    @app.get("/def")
    def in_thread() -> Any:
        logger.info("def")
        return {"id": request_id(), "scope": request.scope["kolben.request_id"]}

    @app.get("/async")
    async def on_loop() -> Any:
        logger.info("async")
        return {"id": request_id(), "scope": request.scope["kolben.request_id"]}

    @app.get("/stream")
    def stream() -> Any:
        return (str(request_id()) for _ in range(2))

    @app.get("/teapot")
    def teapot() -> Any:
        abort(418)

    @app.get("/broken")
    def broken() -> Any:
        raise LookupError

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_middleware(RequestID, generate=numbered())
    return app


# Whose id it is


def test_each_request_has_an_id_of_its_own(ask: Any) -> None:
    app = RequestID(ask.app())
    one, other = (ask(app).headers["x-request-id"] for _ in range(2))
    assert one != other
    assert len(one) == 32
    assert set(one) <= set("0123456789abcdef")


def test_the_clients_id_is_not_used_unless_it_is_trusted(ask: Any) -> None:
    assert ask(RequestID(ask.app()), x_request_id="abc").headers["x-request-id"] != "abc"
    trusting = RequestID(ask.app(), trust=True)
    assert ask(trusting, x_request_id="abc").headers["x-request-id"] == "abc"


def test_a_function_may_say_which_ids_are_trusted(ask: Any) -> None:
    app = RequestID(ask.app(), trust=lambda sent: sent.startswith("ours-"), generate=lambda: "new")
    assert ask(app, x_request_id="ours-1").headers["x-request-id"] == "ours-1"
    assert ask(app, x_request_id="theirs").headers["x-request-id"] == "new"
    assert ask(app).headers["x-request-id"] == "new"


@pytest.mark.parametrize("sent", ["a" * 128, "Root=1-67891233-abcdef;Self=1", "a_b.c~d+e/f@g"])
def test_usual_ids_are_well_formed(ask: Any, sent: str) -> None:
    app = RequestID(ask.app(), trust=True)
    assert ask(app, x_request_id=sent).headers["x-request-id"] == sent


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "a" * 129,
        "a b",
        "a\n",
        "a\r\nX: y",
        "a\x00",
        "a\x1b[31m",
        "\xe4",
        '"a"',
        "a,b",
        "%0a",
        "<b>",
    ],
)
def test_a_malformed_id_is_never_used(ask: Any, sent: str) -> None:
    app = RequestID(ask.app(), trust=lambda sent: True, generate=lambda: "new")
    assert ask(app, x_request_id=sent).headers["x-request-id"] == "new"


def test_of_two_ids_neither_is_used(ask: Any) -> None:
    app = RequestID(ask.app(), trust=True, generate=lambda: "new")
    scope = ask.scope_of("GET", [("X-Request-ID", "a"), ("X-Request-ID", "b")])
    assert ask.with_scope(app, scope).headers["x-request-id"] == "new"


def test_the_header_can_be_another(ask: Any) -> None:
    app = RequestID(ask.app(), header="X-Correlation-ID", trust=True)
    assert ask(app, x_correlation_id="abc").headers == {"x-correlation-id": "abc"}
    with pytest.raises(ValueError, match="name of a header"):
        RequestID(ask.app(), header="X Request")


def test_an_id_that_could_not_be_sent_is_a_mistake(ask: Any) -> None:
    with pytest.raises(ValueError, match="'a b'"):
        ask(RequestID(ask.app(), generate=lambda: "a b"))


# Where it is


def test_it_takes_the_place_of_one_in_the_response(ask: Any) -> None:
    app = RequestID(ask.app(x_request_id="own", content_type="a/b"), generate=lambda: "new")
    assert ask(app).headers == {"content-type": "a/b", "x-request-id": "new"}


@pytest.mark.parametrize("kind", ["websocket.accept", "websocket.http.response.start"])
def test_websockets_carry_it(ask: Any, kind: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": kind})
        await send({"type": "websocket.close", "code": 1000})

    scope = ask.scope_of("GET", [], type="websocket")
    first, last = ask.with_scope(RequestID(app, generate=lambda: "new"), scope).messages
    assert first == {"type": kind, "headers": [(b"x-request-id", b"new")]}
    assert last == {"type": "websocket.close", "code": 1000}


def test_a_lifespan_passes(ask: Any) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, request_id()))

    ask.with_scope(RequestID(app), {"type": "lifespan"})
    assert seen == [({"type": "lifespan"}, None)]


def test_an_application_inside_another_keeps_the_outer_id(ask: Any) -> None:
    inner = RequestID(ask.app(), generate=lambda: "inner")
    outer = RequestID(inner, generate=lambda: "outer")
    assert ask(outer).headers["x-request-id"] == "outer"


def test_outside_a_request_there_is_none(ask: Any) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        assert request_id() is not None
        raise LookupError

    assert request_id() is None
    with pytest.raises(LookupError):
        ask(RequestID(broken))
    assert request_id() is None


@pytest.mark.parametrize("path", ["/def", "/async"])
def test_views_of_either_colour_read_it(app: Kolben, records: Records, path: str) -> None:
    response = app.test_client().get(path)
    assert response.headers["X-Request-ID"] == "id-1"
    assert response.json == {"id": "id-1", "scope": "id-1"}
    assert records.lines == [f"id-1 {path[1:]}"]


@pytest.mark.parametrize(
    ("path", "status"), [("/missing", 404), ("/teapot", 418), ("/broken", 500)]
)
def test_error_pages_carry_it(
    app: Kolben, caplog: pytest.LogCaptureFixture, path: str, status: int
) -> None:
    response = app.test_client().get(path)
    assert (response.status_code, response.headers["X-Request-ID"]) == (status, "id-1")


def test_a_stream_reads_it_to_its_end(app: Kolben) -> None:
    assert app.test_client().get("/stream").text == "id-1id-1"


@pytest.mark.parametrize("path", ["/def", "/async", "/stream", "/missing", "/broken"])
def test_it_is_the_same_under_wsgi(
    app: Kolben, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    client = app.test_client()
    expected = client.get(path)
    environ = RequestBuilder(app, path).get_environ()
    body, status, headers = client.run_wsgi_app(environ, buffered=True)
    assert status[:3] == str(expected.status_code)
    assert b"".join(body) == expected.data.replace(b"id-1", b"id-2")
    assert headers["X-Request-ID"] == "id-2"
    assert request_id() is None


def test_the_options_can_be_settings() -> None:
    app = Kolben(__name__)
    app.config.update(
        REQUEST_ID_HEADER="X-Trace",
        REQUEST_ID_TRUST=lambda sent: sent == "known",
        REQUEST_ID_GENERATE=lambda: "new",
    )
    app.add_middleware(RequestID)
    client = app.test_client()
    assert client.get("/", headers={"X-Trace": "known"}).headers["X-Trace"] == "known"
    assert client.get("/", headers={"X-Trace": "other"}).headers["X-Trace"] == "new"


def test_a_record_from_outside_has_a_dash(records: Records) -> None:
    logging.getLogger("tests.request_id").info("outside")
    assert records.lines == ["- outside"]


@pytest.mark.anyio
@pytest.mark.parametrize("colour", ["def", "async"])
async def test_requests_at_the_same_time_do_not_mix(colour: str) -> None:
    app = Kolben(__name__)
    together = 8
    arrived: list[str | None] = []
    all_there = anyio.Event()

    async def meet() -> None:
        arrived.append(request_id())
        if len(arrived) == together:
            all_there.set()
        await all_there.wait()

    @app.get("/async")
    async def on_loop() -> Any:
        await meet()
        return {"id": request_id()}

    @app.get("/def")
    def in_thread() -> Any:
        app.async_to_sync(meet)()
        return {"id": request_id()}

    app.add_middleware(RequestID, trust=True)
    client = app.test_client()
    found: dict[str, Any] = {}

    async def one(name: str) -> None:
        found[name] = (await client.get(f"/{colour}", headers={"X-Request-ID": name})).json["id"]

    names = [f"r{number}" for number in range(together)]
    async with anyio.create_task_group() as group:
        for name in names:
            group.start_soon(one, name)
    assert found == {name: name for name in names}
    assert sorted(map(str, arrived)) == names
    assert request_id() is None


def test_requests_in_threads_of_a_wsgi_server_do_not_mix() -> None:
    app = Kolben(__name__)
    together = threading.Barrier(4)

    @app.get("/")
    def index() -> Any:
        together.wait()
        return str(request_id())

    app.add_middleware(RequestID, trust=True)

    def one(name: str) -> bytes:
        environ = RequestBuilder(app, "/", headers={"X-Request-ID": name}).get_environ()
        body, _, _ = app.test_client().run_wsgi_app(environ, buffered=True)
        return b"".join(body)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, "abcd")) == [b"a", b"b", b"c", b"d"]


def test_streams_that_a_wsgi_server_reads_in_turn_do_not_mix(app: Kolben) -> None:
    streams = []
    for _ in range(2):
        environ = RequestBuilder(app, "/stream").get_environ()
        streams.append(app.test_client().run_wsgi_app(environ)[0])
    one, other = (iter(stream) for stream in streams)
    assert [next(one), next(other), next(one), next(other)] == [b"id-1", b"id-2"] * 2
    assert request_id() is None
    for stream in streams:
        stream.close()  # type: ignore[attr-defined]
