"""ASGI middleware: the order of the stack, what it is made with, and what passes through it."""

from __future__ import annotations

import gc
import re
import weakref
from typing import Any, ClassVar

import anyio
import pytest

from kolben import Kolben, Response
from kolben.local import running_backend
from kolben.testing import Client, RequestBuilder


class Mark:
    """Writes its name down for each connection, and on each response."""

    def __init__(self, app: Any, *, name: str = "mark", log: list[Any] | None = None) -> None:
        self.app = app
        self.name = name
        self.log: list[Any] = [] if log is None else log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.log.append((self.name, scope["type"]))

        async def send_marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-mark", self.name.encode())]
            await send(message)

        await self.app(scope, receive, send_marked)


class InlineMark(Mark):
    runs_inline: ClassVar[bool] = True
    settings: ClassVar[dict[str, str]] = {"name": "MARK_NAME"}


@pytest.fixture
def app() -> Kolben:
    app = Kolben("stack", static_folder=None)
    app.add_url_rule("/", "index", lambda: "hello")
    return app


class Ask:
    """Makes requests by one of the two protocols."""

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol

    def __call__(self, app: Any, path: str = "/", **more: Any) -> Response:
        client = Client(app)
        if self.protocol == "asgi":
            return client.get(path, buffered=True, **more)
        environ = RequestBuilder(app, path, **more).get_environ()
        body, status, headers = client.run_wsgi_app(environ, buffered=True)
        return Response(b"".join(body), status, headers)


@pytest.fixture(params=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest) -> Ask:
    return Ask(request.param)


def marks(response: Response) -> list[str]:
    """The names on a response: the outermost is written last."""
    return response.headers.getlist("X-Mark")


@pytest.mark.parametrize("kind", [Mark, InlineMark])
def test_the_last_added_is_the_outermost(app: Kolben, ask: Ask, kind: Any) -> None:
    log: list[Any] = []
    for name in ("first", "second", "third"):
        app.add_middleware(kind, name=name, log=log)
    response = ask(app)
    assert response.data == b"hello"
    assert marks(response) == ["first", "second", "third"]
    assert log == [("third", "http"), ("second", "http"), ("first", "http")]


def test_it_is_around_function_middleware_and_inside_what_wraps_asgi_app(
    app: Kolben, ask: Ask
) -> None:
    @app.middleware
    def innermost(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        response.headers.add("X-Mark", "function")
        return response

    app.add_middleware(Mark, name="added")
    app.asgi_app = Mark(app.asgi_app, name="wrapped")  # type: ignore[method-assign]
    assert marks(ask(app)) == ["function", "added", "wrapped"]


def test_one_instance_serves_all_requests(app: Kolben, ask: Ask) -> None:
    made: list[Any] = []

    def factory(next_app: Any, **options: Any) -> Any:
        made.append(options)
        return Mark(next_app)

    app.add_middleware(factory, a=1)
    assert made == []
    assert [marks(ask(app)), marks(ask(app, "/nowhere"))] == [["mark"], ["mark"]]
    assert made == [{"a": 1}]


def test_options_come_from_the_configuration(app: Kolben, ask: Ask) -> None:
    app.add_middleware(InlineMark)
    app.add_middleware(InlineMark, name="given")
    app.config["MARK_NAME"] = "configured"  # read when the first request comes
    assert marks(ask(app)) == ["configured", "given"]


def test_defaults_hold_where_nothing_is_configured(app: Kolben, ask: Ask) -> None:
    app.add_middleware(InlineMark)
    assert marks(ask(app)) == ["mark"]


def test_an_error_names_the_line_that_added_it(app: Kolben, ask: Ask) -> None:
    app.add_middleware(Mark, colour="blue")
    with pytest.raises(TypeError, match="colour") as caught:
        ask(app)
    (note,) = caught.value.__notes__
    assert re.search(rf"{re.escape(__file__)}, line \d+\.$", note)


@pytest.mark.parametrize("wrong", [None, "Mark", 3])
def test_what_cannot_be_called_is_refused(app: Kolben, wrong: Any) -> None:
    with pytest.raises(TypeError, match="add_middleware takes a class"):
        app.add_middleware(wrong)


def test_it_is_too_late_after_the_first_request(app: Kolben, ask: Ask) -> None:
    ask(app)
    with pytest.raises(AssertionError, match="'add_middleware' can no longer be called"):
        app.add_middleware(Mark)
    with pytest.raises(AssertionError, match="'middleware' can no longer be called"):
        app.middleware(lambda request, call_next: call_next(request))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_is_too_late_once_the_server_has_started(app: Kolben, backend: str) -> None:
    app.add_middleware(Mark)
    started = anyio.Event

    async def main() -> None:
        over = started()
        sent: list[str] = []

        async def receive() -> Any:
            if sent:
                await over.wait()
                return {"type": "lifespan.shutdown"}
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            sent.append(message["type"])
            if len(sent) == 1:
                with pytest.raises(AssertionError, match="server has started"):
                    app.add_middleware(Mark)
                over.set()

        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    anyio.run(main, backend=backend)


def test_all_kinds_of_connections_pass(app: Kolben) -> None:
    log: list[Any] = []
    app.add_middleware(Mark, log=log)

    @app.before_serving
    async def start() -> None:
        log.append("started")

    async def main() -> None:
        given = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent: list[str] = []

        async def receive() -> Any:
            return given.pop(0)

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
        scope = RequestBuilder(app, "/").request().scope
        given[:] = [{"type": "websocket.connect"}]
        await app({**scope, "type": "websocket", "subprotocols": []}, receive, send)
        assert sent[:2] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert sent[2].startswith("websocket.")

    anyio.run(main)
    assert log == [("mark", "lifespan"), "started", ("mark", "websocket")]


def test_mounted_applications_are_inside(app: Kolben, ask: Ask) -> None:
    other = Kolben("other", static_folder=None)
    other.add_url_rule("/", "index", lambda: "other")
    other.add_middleware(Mark, name="inner")
    app.mount("/other", other)
    app.add_middleware(Mark, name="outer")
    response = ask(app, "/other/")
    assert response.data == b"other" and marks(response) == ["inner", "outer"]


def test_middleware_may_answer_itself(app: Kolben, ask: Ask) -> None:
    class Closed:
        runs_inline = True

        def __init__(self, app: Any) -> None:
            pass

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b"closed"})

    app.add_middleware(Closed)
    response = ask(app)
    assert (response.status_code, response.data) == (503, b"closed")


@pytest.mark.parametrize(("kind", "expected"), [(InlineMark, None), (Mark, "asyncio")])
def test_under_wsgi_a_loop_runs_only_for_what_may_wait(
    app: Kolben, kind: Any, expected: str | None
) -> None:
    seen: list[Any] = []

    class Looks(kind):  # type: ignore[misc]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append((running_backend(), "wsgi_environ" in scope))
            await super().__call__(scope, receive, send)

    app.add_middleware(Looks)
    app.add_middleware(InlineMark)
    assert marks(Ask("wsgi")(app)) == ["mark", "mark"]
    assert seen == [(expected, True)]


def test_a_wait_in_what_said_that_it_never_waits_is_told(app: Kolben) -> None:
    class Liar(InlineMark):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await Pending()
            await super().__call__(scope, receive, send)

    class Pending:
        def __await__(self) -> Any:
            yield None

    app.add_middleware(Liar)
    with pytest.raises(RuntimeError, match="runs_inline"):
        Ask("wsgi")(app)


def test_an_error_of_middleware_is_the_servers(app: Kolben, ask: Ask) -> None:
    class Broken(Mark):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            raise ZeroDivisionError("by design")

    app.add_middleware(Broken)
    with pytest.raises(ZeroDivisionError):
        ask(app)


def test_an_application_with_a_stack_is_freed(ask: Ask) -> None:
    app = Kolben("freed", static_folder=None)
    app.add_url_rule("/", "index", lambda: "hello")
    app.add_middleware(Mark)
    app.add_middleware(InlineMark)
    assert ask(app).data == b"hello"
    ref = weakref.ref(app)
    gc.collect()
    gc.disable()
    try:
        del app
        assert ref() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_server_is_told_at_its_start_of_what_cannot_be_made(
    app: Kolben, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_middleware(Mark, colour="blue")
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)

    anyio.run(main, backend=backend)
    (message,) = sent
    assert message["type"] == "lifespan.startup.failed" and "colour" in message["message"]
    assert f"The middleware was added at {__file__}" in caplog.text
