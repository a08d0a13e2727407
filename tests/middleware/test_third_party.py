"""Middleware of the ecosystem: in process by ASGI and WSGI, and in a real server."""

from __future__ import annotations

import gzip
import http.client
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kolben import Kolben, stream_with_context
from kolben.http.datastructures import Headers
from kolben.testing import Client, RequestBuilder

CORSMiddleware = pytest.importorskip("starlette.middleware.cors").CORSMiddleware
GZipMiddleware = pytest.importorskip("starlette.middleware.gzip").GZipMiddleware
TrustedHostMiddleware = pytest.importorskip(
    "starlette.middleware.trustedhost"
).TrustedHostMiddleware

SITE = "https://example.org"


class Reply:
    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


Ask = Callable[..., Reply]


@contextmanager
def by_asgi(app: Kolben) -> Iterator[Ask]:
    def ask(path: str, method: str = "GET", **headers: str) -> Reply:
        response = Client(app).open(path, method=method, headers=named(headers), buffered=True)
        return Reply(response.status_code, response.headers, response.data)

    yield ask


@contextmanager
def by_wsgi(app: Kolben) -> Iterator[Ask]:
    def ask(path: str, method: str = "GET", **headers: str) -> Reply:
        builder = RequestBuilder(app, path, method=method, headers=named(headers))
        body, status, fields = Client(app).run_wsgi_app(builder.get_environ(), buffered=True)
        return Reply(int(status[:3]), fields, b"".join(body))

    yield ask


@contextmanager
def by_uvicorn(app: Kolben) -> Iterator[Ask]:
    import uvicorn

    config = uvicorn.Config(app, port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]

        def ask(path: str, method: str = "GET", **headers: str) -> Reply:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                connection.request(method, path, headers={"Host": "localhost", **named(headers)})
                response = connection.getresponse()
                return Reply(response.status, Headers(response.getheaders()), response.read())
            finally:
                connection.close()

        yield ask
    finally:
        server.should_exit = True
        thread.join(20)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture(params=[by_asgi, by_wsgi, by_uvicorn], ids=["asgi", "wsgi", "uvicorn"])
def serving(request: pytest.FixtureRequest) -> Any:
    """``with serving(app) as ask:``"""
    return request.param


@pytest.fixture(params=["def", "async"])
def app(request: pytest.FixtureRequest) -> Kolben:
    """Views of one colour."""
    app = Kolben("third", static_folder=None)

    def add(path: str, view: Callable[..., Any]) -> None:
        async def on_loop(**values: Any) -> Any:
            return view(**values)

        app.add_url_rule(path, path, view if request.param == "def" else on_loop)

    def failing() -> str:
        raise ZeroDivisionError("by design")

    def streamed() -> Any:
        return stream_with_context(f"piece {number};" * 100 for number in range(20))

    add("/", lambda: "hello " * 500)
    add("/items/<int:number>", lambda number: {"number": number})
    add("/failing", failing)
    add("/stream", streamed)
    return app


def test_cors(app: Kolben, serving: Any) -> None:
    app.add_middleware(CORSMiddleware, allow_origins=[SITE], allow_methods=["PUT"])
    with serving(app) as ask:
        assert ask("/", Origin=SITE).headers["Access-Control-Allow-Origin"] == SITE
        assert "Access-Control-Allow-Origin" not in ask("/", Origin="https://other.org").headers
        preflight = ask("/", "OPTIONS", Origin=SITE, Access_Control_Request_Method="PUT")
        assert preflight.status == 200
        assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]


def test_cors_headers_are_on_errors(
    app: Kolben, serving: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_middleware(CORSMiddleware, allow_origins=[SITE])
    with serving(app) as ask:
        for path, status in (("/failing", 500), ("/nowhere", 404)):
            reply = ask(path, Origin=SITE)
            assert reply.status == status
            assert reply.headers["Access-Control-Allow-Origin"] == SITE
    assert [record.levelname for record in caplog.records if record.name == "third"] == ["ERROR"]


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_gzip(app: Kolben, serving: Any, path: str) -> None:
    app.add_middleware(GZipMiddleware, minimum_size=100)
    with serving(app) as ask:
        plain = ask(path, Accept_Encoding="identity")
        packed = ask(path, Accept_Encoding="gzip")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip" and len(packed.body) < len(plain.body)
    assert gzip.decompress(packed.body) == plain.body


def test_trusted_hosts(app: Kolben, serving: Any) -> None:
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost"])
    with serving(app) as ask:
        assert ask("/").status == 200
        assert ask("/", Host="evil.example").status == 400


def test_several_at_once(app: Kolben, serving: Any) -> None:
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost"])
    app.add_middleware(GZipMiddleware, minimum_size=100)
    app.add_middleware(CORSMiddleware, allow_origins=[SITE])
    with serving(app) as ask:
        reply = ask("/", Origin=SITE, Accept_Encoding="gzip")
        assert reply.headers["Access-Control-Allow-Origin"] == SITE
        assert gzip.decompress(reply.body).startswith(b"hello")
        assert ask("/", Host="evil.example", Origin=SITE).status == 400


def test_correlation_ids(app: Kolben, serving: Any, caplog: pytest.LogCaptureFixture) -> None:
    correlation = pytest.importorskip("asgi_correlation_id")
    caplog.handler.addFilter(correlation.CorrelationIdFilter())
    caplog.set_level(logging.INFO)
    seen: list[str | None] = []

    @app.before_request
    def hook() -> None:
        seen.append(correlation.correlation_id.get())
        app.logger.info("noted")

    app.add_middleware(correlation.CorrelationIdMiddleware)
    given = "0123456789abcdef0123456789abcdef"
    with serving(app) as ask:
        assert ask("/", X_Request_ID=given).headers["X-Request-ID"] == given
        made = ask("/").headers["X-Request-ID"]
        failed = ask("/failing", X_Request_ID=given)
    assert failed.status == 500 and failed.headers["X-Request-ID"] == given
    assert seen == [given, made, given]
    logged = [r for r in caplog.records if r.name == "third"]
    assert [record.correlation_id for record in logged] == [given, made, given, given]  # type: ignore[attr-defined]


def test_opentelemetry(app: Kolben, serving: Any, caplog: pytest.LogCaptureFixture) -> None:
    asgi = pytest.importorskip("opentelemetry.instrumentation.asgi")
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("views")

    @app.middleware
    async def name_the_route(request: Any, call_next: Any) -> Any:
        if request.url_rule is not None:
            span = trace.get_current_span()
            span.update_name(f"{request.method} {request.url_rule.rule}")
            span.set_attribute("http.route", request.url_rule.rule)
        return await call_next(request)

    @app.before_request
    def work() -> None:
        tracer.start_span("work").end()

    app.add_middleware(
        asgi.OpenTelemetryMiddleware, tracer_provider=provider, exclude_spans=["receive", "send"]
    )
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with serving(app) as ask:
        assert ask("/items/7", traceparent=caller).body == b'{"number":7}\n'
        assert ask("/failing").status == 500
        assert ask("/nowhere").status == 404
        assert ask("/stream").body.count(b";") == 2000
    spans = exporter.get_finished_spans()
    requests = {s.name: s for s in spans if s.kind is trace.SpanKind.SERVER}
    inner = [s for s in spans if s.name == "work"]
    assert set(requests) == {
        "GET /items/<int:number>",
        "GET /failing",
        "GET /nowhere",
        "GET /stream",
    }
    item = requests["GET /items/<int:number>"]
    assert item.attributes["http.route"] == "/items/<int:number>"
    assert format(item.context.trace_id, "032x") == caller[3:35]
    assert inner[0].parent.span_id == item.context.span_id
    assert not requests["GET /failing"].status.is_ok
    assert [r.message for r in caplog.records if r.name.startswith("opentelemetry")] == []
