"""The examples of the guide to middleware."""

from __future__ import annotations

import logging
from typing import Any

import pytest


def test_around(example: Any, reach: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    app = example("around")
    reply = reach(app, "/orders")
    assert reply.body == b'{"orders":[]}\n'
    assert reply.headers["Server-Timing"].startswith("app;dur=")
    assert reach(app, "/admin/").status == 401
    assert reach(app, "/admin/", Authorization="Basic QWRhOng=").body == b"Hello, Ada"
    app.config["NIGHT"] = True
    closed = reach(app, "/orders")
    assert closed.status == 503 and "Server-Timing" in closed.headers
    logged = [(record.name, record.getMessage()) for record in caplog.records]
    assert logged[0] == ("shop.access", "GET /orders 200")
    assert logged[1] == ("outermost", "GET /orders 200")
    assert logged[-1] == ("outermost", "GET /orders 503")


def test_telemetry(example: Any, reach: Any) -> None:
    pytest.importorskip("opentelemetry.instrumentation.asgi")
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    app = example("telemetry")
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    (record,) = app._middleware
    record.options["tracer_provider"] = provider
    assert reach(app, "/items/7").status == 200
    assert reach(app, "/nowhere").status == 404
    servers = [s for s in exporter.get_finished_spans() if s.kind is trace.SpanKind.SERVER]
    assert [span.name for span in servers] == ["GET /items/<int:number>", "GET /nowhere"]
    assert servers[0].attributes["http.route"] == "/items/<int:number>"
