"""Spans of OpenTelemetry, named by their routes."""

from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

from kolben import Kolben

app = Kolben(__name__)


# [telemetry]
app.add_middleware(OpenTelemetryMiddleware)


@app.middleware
async def name_the_route(request, call_next):
    if request.url_rule is not None:
        span = trace.get_current_span()
        span.update_name(f"{request.method} {request.url_rule.rule}")
        span.set_attribute("http.route", request.url_rule.rule)
    return await call_next(request)


# [/telemetry]


@app.get("/items/<int:number>")
async def item(number):
    return {"number": number}
