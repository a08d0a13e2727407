"""Functions around the pipeline, of both colours, around views of both colours, on each server
interface and event loop.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sqlite3
import threading
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from kolben import (
    Blueprint,
    Kolben,
    Response,
    abort,
    after_this_request,
    current_app,
    g,
    got_request_exception,
    request,
    request_started,
    session,
    stream_with_context,
)
from kolben.exceptions import Forbidden
from kolben.http.datastructures import Headers
from kolben.middleware import Timeout
from kolben.testing import Client, RequestBuilder

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="unset")


@dataclass
class Reply:
    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Way:
    """Makes requests on one event loop, or by WSGI."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: Whether all ``def`` code of a request is in one thread.
        self.one_thread = name != "trio"

    def __call__(self, app: Kolben, path: str = "/", method: str = "GET", **more: Any) -> Reply:
        if self.name == "wsgi":
            environ = RequestBuilder(app, path, method=method, **more).get_environ()
            body, status, fields = Client(app).run_wsgi_app(environ, buffered=True)
            return Reply(int(status[:3]), fields, b"".join(body))

        async def ask() -> Reply:
            with anyio.fail_after(20):
                response = await Client(app).open(path, method=method, buffered=True, **more)
            return Reply(response.status_code, response.headers, response.data)

        return anyio.run(ask, backend=self.name)

    def many(self, app: Kolben, count: int) -> list[Reply]:
        """As many requests at once."""
        replies: list[Reply] = []
        if self.name == "wsgi":
            threads = [
                threading.Thread(target=lambda: replies.append(self(app))) for _ in range(count)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
            return replies

        async def ask() -> None:
            response = await Client(app).get("/")
            replies.append(Reply(response.status_code, response.headers, response.data))

        async def main() -> None:
            with anyio.fail_after(20):
                async with anyio.create_task_group() as group:
                    for _ in range(count):
                        group.start_soon(ask)

        anyio.run(main, backend=self.name)
        return replies


@pytest.fixture(params=["asyncio", "trio", "wsgi"])
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)


@pytest.fixture(params=["def", "async"], ids=lambda colour: f"{colour}-middleware")
def around(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes middleware: ``before`` may answer instead, ``after`` gets the response."""

    def make(
        before: Callable[[Any], Any] = lambda request: None,
        after: Callable[[Any], Any] = lambda response: response,
    ) -> Any:
        def in_thread(request: Any, call_next: Callable[[Any], Response]) -> Any:
            early = before(request)
            return after(call_next(request)) if early is None else early

        async def on_loop(request: Any, call_next: Callable[[Any], Awaitable[Response]]) -> Any:
            early = before(request)
            return after(await call_next(request)) if early is None else early

        return in_thread if colour == "def" else on_loop

    colour = request.param
    return make


@pytest.fixture(params=["def", "async"], ids=lambda colour: f"{colour}-view")
def paint(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Gives a function one of the two colours."""

    def paint(function: Any) -> Any:
        async def on_loop(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return function if request.param == "def" else on_loop

    return paint


@pytest.fixture
def app() -> Kolben:
    app = Kolben("middle", static_folder=None)
    app.secret_key = "only for this test"
    return app


def serve(app: Any, view: Any, path: str = "/", **options: Any) -> None:
    app.add_url_rule(path, path.strip("/") or "index", view, **options)


def fail(*args: Any) -> str:
    raise ZeroDivisionError("by design")


def named(around: Any, name: str, log: list[str]) -> Any:
    """Middleware that writes down its name going in and coming out."""

    def after(response: Response) -> Response:
        log.append(f"/{name}")
        return response

    return around(lambda request: log.append(name), after)


# Order ------------------------------------------------------------------------------------------


def test_order(app: Kolben, way: Way, around: Any, paint: Any) -> None:
    log: list[str] = []
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    for scope, names in ((app, "ab"), (outer, "cd"), (inner, "ef")):
        for name in names:
            assert callable(scope.middleware(named(around, name, log)))
    route = [named(around, "g", log), named(around, "h", log)]
    serve(inner, paint(lambda: log.append("view") or "done"), middleware=route)
    app.before_request(lambda: log.append("before"))
    app.after_request(lambda response: log.append("after") or response)
    app.teardown_request(lambda error: log.append("teardown"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert way(app).text == "done"
    inward = ["b", "a", "d", "c", "f", "e", "g", "h"]
    assert log == [
        *inward,
        *("before", "view", "after"),
        *(f"/{name}" for name in reversed(inward)),
        "teardown",
    ]


def test_a_blueprints_middleware_is_around_its_own_routes_alone(
    app: Kolben, way: Way, around: Any
) -> None:
    log: list[str] = []
    one = Blueprint("one", __name__)
    one.middleware(named(around, "one", log))
    serve(one, lambda: "in", "/in")
    serve(app, lambda: "out", "/out")
    serve(app, lambda: "special", "/special", middleware=[named(around, "special", log)])
    app.register_blueprint(one)
    assert way(app, "/out").text == "out" and log == []
    assert way(app, "/in").text == "in" and log == ["one", "/one"]
    assert way(app, "/special").text == "special" and log[2:] == ["special", "/special"]


@pytest.mark.parametrize("view_colour", ["def", "async"])
def test_colours_mix(app: Kolben, way: Way, view_colour: str) -> None:
    log: list[str] = []

    @app.middleware
    async def innermost(request: Any, call_next: Any) -> Any:
        log.append("innermost")
        return await call_next(request)

    @app.middleware
    def middle(request: Any, call_next: Any) -> Any:
        log.append("middle")
        return call_next(request)

    @app.middleware
    async def outermost(request: Any, call_next: Any) -> Any:
        log.append("outermost")
        return await call_next(request)

    if view_colour == "def":
        serve(app, lambda: "done")
    else:

        @app.get("/")
        async def index() -> str:
            await anyio.sleep(0)
            return "done"

    @app.before_request
    def hook() -> None:
        log.append("def hook")

    @app.before_request
    async def async_hook() -> None:
        await anyio.sleep(0)
        log.append("async hook")

    assert way(app).text == "done"
    assert log == ["outermost", "middle", "innermost", "def hook", "async hook"]


# Answers ----------------------------------------------------------------------------------------


def test_the_response_can_be_changed(app: Kolben, way: Way, around: Any, paint: Any) -> None:
    def after(response: Response) -> Response:
        assert isinstance(response, app.response_class)
        assert response.get_data() == b"hello"
        response.headers["X-Seen"] = str(response.status_code)
        response.status_code = 202
        return response

    app.middleware(around(after=after))
    serve(app, paint(lambda: "hello"))
    reply = way(app)
    assert (reply.status, reply.text, reply.headers["X-Seen"]) == (202, "hello", "200")


@pytest.mark.parametrize(
    ("value", "status", "body"),
    [
        ("text", 200, b"text"),
        ({"a": 1}, 200, b'{"a":1}\n'),
        (("made", 201, {"X-Made": "yes"}), 201, b"made"),
        (Response("own", 203), 203, b"own"),
    ],
    ids=["str", "dict", "tuple", "response"],
)
@pytest.mark.parametrize("early", [True, False], ids=["instead", "afterwards"])
def test_what_a_view_may_return(
    app: Kolben, way: Way, around: Any, value: Any, status: int, body: bytes, early: bool
) -> None:
    ran: list[str] = []
    seen: list[Any] = []
    app.middleware(around(lambda request: value) if early else around(after=lambda _: value))
    app.middleware(around(after=lambda response: seen.append(type(response)) or response))
    app.teardown_request(lambda error: ran.append(f"teardown {error}"))
    serve(app, lambda: ran.append("view") or "never seen")
    reply = way(app)
    assert (reply.status, reply.body) == (status, body)
    assert ran == ["teardown None"] if early else ["view", "teardown None"]
    assert seen == [Response]


def test_what_ends_early_runs_no_hooks(app: Kolben, way: Way, around: Any) -> None:
    ran: list[str] = []
    app.middleware(around(lambda request: ("closed", 503)))
    app.before_request(lambda: ran.append("before"))
    app.after_request(lambda response: ran.append("after") or response)
    serve(app, lambda: ran.append("view") or "")
    assert way(app).status == 503
    assert ran == []


@pytest.mark.parametrize("value", [None, 3, (1, 2, 3, 4)], ids=str)
def test_what_cannot_be_a_response_names_the_middleware(
    app: Kolben, way: Way, around: Any, value: Any
) -> None:
    app.testing = True
    app.middleware(around(after=lambda _: value))
    serve(app, lambda: "")
    with pytest.raises(TypeError) as caught:
        way(app)
    error = caught.value
    told = "\n".join([str(error), *getattr(error, "__notes__", ())])
    assert "middleware" in told and __file__ in told


def test_a_forgotten_await_is_told(app: Kolben, way: Way) -> None:
    app.testing = True

    @app.middleware
    async def forgets(request: Any, call_next: Any) -> Any:
        return call_next(request)

    serve(app, lambda: "")
    with pytest.raises(TypeError, match=r"'forgets' .*must be awaited.*await call_next"):
        way(app)


def test_call_next_answers_once(app: Kolben, way: Way, around: Any, paint: Any) -> None:
    app.testing = True
    ran: list[str] = []

    if around().__code__.co_flags & 0x80:  # a coroutine function

        @app.middleware
        async def twice(request: Any, call_next: Any) -> Any:
            await call_next(request)
            return await call_next(request)
    else:

        @app.middleware
        def twice(request: Any, call_next: Any) -> Any:
            call_next(request)
            return call_next(request)

    app.teardown_request(lambda error: ran.append(type(error).__name__))
    serve(app, paint(lambda: ran.append("view") or ""))
    with pytest.raises(RuntimeError, match=r"'twice' \(.*\) called 'call_next' a second time"):
        way(app)
    assert ran == ["view", "RuntimeError"]


# Errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_http_error_of_middleware_is_its_page(
    app: Kolben, way: Way, around: Any, when: str
) -> None:
    seen: list[Any] = []
    app.middleware(around(**{when: lambda _: abort(403)}))
    app.middleware(around(after=lambda response: seen.append(response.status_code) or response))
    app.teardown_request(seen.append)
    serve(app, lambda: "")
    reply = way(app)
    assert reply.status == 403 and "Forbidden" in reply.text
    assert seen == [403, None]


def test_error_handlers_answer_errors_of_middleware(
    app: Kolben, way: Way, around: Any, paint: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app.register_error_handler(Forbidden, paint(lambda error: ("mine", 403)))
    app.register_error_handler(ZeroDivisionError, paint(lambda error: ("divided", 409)))
    serve(app, lambda: "", "/http", middleware=[around(lambda _: abort(403))])
    serve(app, lambda: "", "/other", middleware=[around(fail)])
    assert way(app, "/http").text == "mine"
    reply = way(app, "/other")
    assert (reply.status, reply.text) == (409, "divided")
    assert not caplog.records


@pytest.mark.parametrize("when", ["before", "after"])
def test_another_error_of_middleware_is_a_500(
    app: Kolben, way: Way, around: Any, when: str, caplog: pytest.LogCaptureFixture
) -> None:
    torn: list[Any] = []
    sent: list[Any] = []

    def after(response: Response) -> Response:
        response.headers["X-Outer"] = str(response.status_code)
        return response

    app.middleware(around(**{when: fail}))
    app.middleware(around(after=after))
    app.teardown_request(torn.append)
    serve(app, lambda: "")

    def received(sender: Any, exception: BaseException) -> None:
        sent.append(exception)

    with got_request_exception.connected_to(received, app):
        reply = way(app)
    assert (reply.status, reply.headers["X-Outer"]) == (500, "500")
    assert [type(error) for error in (*torn, *sent)] == [ZeroDivisionError] * 2
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_an_error_of_the_view_is_a_response_to_middleware(
    app: Kolben, way: Way, around: Any, paint: Any, caplog: pytest.LogCaptureFixture
) -> None:
    torn: list[Any] = []
    sent: list[Any] = []

    def after(response: Response) -> Response:
        response.headers["X-Status"] = str(response.status_code)
        return response

    app.middleware(around(after=after))
    app.middleware(around())
    app.teardown_request(torn.append)
    app.register_error_handler(500, paint(lambda error: ("sorry", 500)))
    serve(app, paint(fail))

    def received(sender: Any, exception: BaseException) -> None:
        sent.append(exception)

    with got_request_exception.connected_to(received, app):
        reply = way(app)
    assert (reply.status, reply.text, reply.headers["X-Status"]) == (500, "sorry", "500")
    assert [type(error) for error in (*torn, *sent)] == [ZeroDivisionError] * 2
    assert len(caplog.records) == 1


def test_a_propagated_error_passes_as_an_exception(
    app: Kolben, way: Way, around: Any, paint: Any
) -> None:
    app.testing = True
    torn: list[Any] = []
    sent: list[Any] = []
    app.middleware(around(after=lambda response: sent.append("not reached") or response))
    app.middleware(around())
    app.teardown_request(torn.append)
    serve(app, paint(fail))

    def received(sender: Any, exception: BaseException) -> None:
        sent.append(exception)

    with got_request_exception.connected_to(received, app):
        with pytest.raises(ZeroDivisionError):
            way(app)
    assert [type(error) for error in torn] == [ZeroDivisionError]
    assert [type(error) for error in sent] == [ZeroDivisionError]


def test_middleware_may_catch_a_propagated_error(app: Kolben, way: Way, paint: Any) -> None:
    app.testing = True

    @app.middleware
    async def catches(request: Any, call_next: Any) -> Any:
        try:
            return await call_next(request)
        except ZeroDivisionError:
            return "caught"

    serve(app, paint(fail))
    assert way(app).text == "caught"


def test_a_broken_500_handler_is_asked_once(app: Kolben, way: Way, around: Any) -> None:
    asked: list[str] = []

    def handler(error: Any) -> str:
        asked.append("handler")
        raise KeyError("the page")

    for _ in range(3):
        app.middleware(around())
    app.register_error_handler(500, handler)
    serve(app, fail)
    with pytest.raises(KeyError):
        way(app)
    assert asked == ["handler"]


def test_what_is_not_found_passes_too(app: Kolben, way: Way, around: Any) -> None:
    def after(response: Response) -> Response:
        response.headers["X-Status"] = str(response.status_code)
        return response

    app.middleware(around(after=after))
    serve(app, lambda: "", "/only-get")
    replies = [
        way(app, "/nowhere"),
        way(app, "/only-get", "POST"),
        way(app, "/only-get", "OPTIONS"),
    ]
    assert [reply.status for reply in replies] == [404, 405, 200]
    assert [reply.headers["X-Status"] for reply in replies] == ["404", "405", "200"]
    assert replies[2].headers["Allow"] == "GET, HEAD, OPTIONS"


# What is there during a request -----------------------------------------------------------------


def test_the_request_and_what_belongs_to_it(app: Kolben, way: Way, around: Any, paint: Any) -> None:
    def before(given: Any) -> None:
        assert given is request._get_current_object()  # type: ignore[attr-defined]
        assert current_app.name == "middle"
        assert given.endpoint == "item" and given.view_args == {"number": 7}
        g.name = given.form["name"]
        given.view_args["number"] = 8

    def after(response: Response) -> Response:
        response.headers["X-Name"] = g.name
        return response

    app.middleware(around(before, after))
    view = paint(lambda number: f"{g.name} {number} {request.get_data(as_text=True)}")
    app.add_url_rule("/items/<int:number>", "item", view, methods=["POST"])
    reply = way(app, "/items/7", "POST", data={"name": "Ada"})
    assert (reply.text, reply.headers["X-Name"]) == ("Ada 8 ", "Ada")


def cookie_of(reply: Reply) -> str:
    return reply.headers["Set-Cookie"].partition(";")[0]


def test_the_session_is_saved(app: Kolben, way: Way, around: Any, paint: Any) -> None:
    def before(given: Any) -> Any:
        session["seen"] = session.get("seen", 0) + 1
        return "early" if given.args else None

    app.middleware(around(before))
    serve(app, paint(lambda: str(session["seen"])))
    first = way(app)
    second = way(app, "/?early=1", headers={"Cookie": cookie_of(first)})
    third = way(app, headers={"Cookie": cookie_of(second)})
    assert [first.text, second.text, third.text] == ["1", "early", "3"]
    assert len(first.headers.getlist("Set-Cookie")) == 1


def test_after_this_request_in_middleware(app: Kolben, way: Way, around: Any) -> None:
    def before(given: Any) -> Any:
        @after_this_request
        def mark(response: Response) -> Response:
            response.headers.add("X-Marked", "yes")
            return response

        return "early" if given.args else None

    app.middleware(around(before))
    serve(app, lambda: "view")
    assert way(app).headers.getlist("X-Marked") == ["yes"]
    assert way(app, "/?early=1").headers.getlist("X-Marked") == ["yes"]


def test_context_variables_go_in_and_come_back(
    app: Kolben, way: Way, around: Any, paint: Any
) -> None:
    seen: list[str] = []

    def step(name: str) -> Any:
        def call(value: Any = None) -> Any:
            seen.append(VARIABLE.get())
            VARIABLE.set(name)
            return value

        return call

    for name in ("inner", "outer"):
        before = step(f"{name} in")
        app.middleware(around(lambda _, before=before: before(), step(f"{name} out")))
    app.before_request(paint(step("before")))
    app.after_request(paint(step("after")))
    app.teardown_request(step("teardown"))
    serve(app, paint(lambda: step("view")("done")))
    assert way(app).text == "done"
    assert seen == [
        *("unset", "outer in", "inner in", "before", "view", "after"),
        *("inner out", "outer out"),
    ]


def test_signals_are_sent_inside(app: Kolben, way: Way, around: Any) -> None:
    log: list[str] = []
    app.middleware(named(around, "middleware", log))
    serve(app, lambda: "")

    def started(sender: Any) -> None:
        log.append("started")

    with request_started.connected_to(started, app):
        way(app)
    assert log == ["middleware", "started", "/middleware"]


# Threads and tasks ------------------------------------------------------------------------------


def test_def_code_is_in_one_thread(app: Kolben, way: Way, around: Any) -> None:
    threads: list[int] = []

    def note(value: Any = None) -> Any:
        threads.append(threading.get_ident())
        return value

    app.middleware(around())
    app.before_request(note)
    app.after_request(note)
    app.teardown_request(note)
    serve(app, lambda: note("done"))
    assert way(app).text == "done"
    assert len(threads) == 4
    if way.one_thread:
        assert len(set(threads)) == 1


def test_async_middleware_is_in_the_task_of_an_async_view(app: Kolben, way: Way) -> None:
    def task() -> Any:
        return anyio.get_current_task().id

    tasks: list[Any] = []

    @app.middleware
    async def middleware(request: Any, call_next: Any) -> Any:
        tasks.append(task())
        await anyio.sleep(0)
        response = await call_next(request)
        tasks.append(task())
        return response

    @app.get("/")
    async def index() -> str:
        await anyio.sleep(0)
        tasks.append(task())
        return ""

    assert way(app).status == 200
    assert len(tasks) == 3 and len(set(tasks)) == 1


def test_one_worker_thread_is_enough(app: Kolben, way: Way, around: Any, paint: Any) -> None:
    app.config["WORKER_THREADS"] = 1
    for _ in range(3):
        app.middleware(around())

    @app.middleware
    async def waits(request: Any, call_next: Any) -> Any:
        await anyio.sleep(0.001)
        return await call_next(request)

    @app.before_request
    def hook() -> None:
        g.hook = "ran"

    @app.after_request
    async def after(response: Response) -> Response:
        await anyio.sleep(0.001)
        return response

    app.teardown_request(lambda error: None)
    serve(app, paint(lambda: g.hook))
    replies = way.many(app, 20)
    assert [(reply.status, reply.text) for reply in replies] == [(200, "ran")] * 20


def test_background_work_goes_on(app: Kolben, around: Any) -> None:
    done: list[str] = []
    app.middleware(around())

    async def work(go: asyncio.Event) -> None:
        await go.wait()
        await asyncio.sleep(0)
        done.append(request.path)

    async def main() -> None:
        go = asyncio.Event()
        tasks = []

        @app.get("/later")
        async def later() -> str:
            tasks.append(asyncio.create_task(work(go)))
            return "soon"

        response = await app.test_client().get("/later")
        assert response.text == "soon" and done == []
        go.set()
        await tasks[0]

    asyncio.run(main())
    assert done == ["/later"]


# Streams ----------------------------------------------------------------------------------------


def test_a_stream_is_not_touched(app: Kolben, way: Way, around: Any) -> None:
    made: list[Any] = []
    seen: list[Any] = []
    at_response: list[int] = []

    def after(response: Response) -> Response:
        assert response.is_streamed
        at_response.append(len(made))
        response.headers["X-Streamed"] = "yes"
        return response

    app.middleware(around(after=after))
    app.teardown_request(lambda error: seen.append(("teardown", len(made))))

    @app.get("/async")
    async def async_stream() -> Any:
        g.name = "Ada"

        async def pieces() -> Any:
            for number in range(3):
                await anyio.sleep(0)
                made.append(number)
                yield f"{g.name} {number};"

        return stream_with_context(pieces())

    @app.get("/def")
    def stream() -> Any:
        g.database = sqlite3.connect(":memory:", check_same_thread=way.one_thread)
        thread = threading.get_ident()

        def pieces() -> Any:
            for number in range(3):
                assert threading.get_ident() == thread or not way.one_thread
                made.append(number)
                (found,) = g.database.execute("select ?", (number,)).fetchone()
                yield f"Ada {found};"
            g.database.close()

        return stream_with_context(pieces())

    for path in ("/async", "/def"):
        made.clear(), seen.clear(), at_response.clear()
        reply = way(app, path)
        assert (reply.text, reply.headers["X-Streamed"]) == ("Ada 0;Ada 1;Ada 2;", "yes")
        assert at_response == [0] and seen == [("teardown", 3)]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_stream_is_sent_piece_by_piece(
    app: Kolben, around: Any, paint: Any, backend: str
) -> None:
    app.middleware(around())
    made: list[int] = []

    def pieces() -> Any:
        for number in range(3):
            made.append(number)
            yield b"%d" % number

    serve(app, paint(pieces))

    async def main() -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            if message.get("body"):
                sent.append((message["body"], len(made)))

        async def receive() -> Any:
            if not sent:
                return {"type": "http.request", "body": b"", "more_body": False}
            return await anyio.sleep_forever()

        scope = RequestBuilder(app, "/").request().scope
        await app(scope, receive, send)
        assert sent == [(b"0", 1), (b"1", 2), (b"2", 3)]

    anyio.run(main, backend=backend)


# Clients that leave -----------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_view_is_cancelled_when_its_client_leaves(app: Kolben, around: Any, backend: str) -> None:
    log: list[str] = []
    app.middleware(around(after=lambda response: log.append("not reached") or response))
    app.middleware(around())

    async def main() -> None:
        gone = anyio.Event()
        given = [{"type": "http.request", "body": b"", "more_body": False}]

        @app.get("/")
        async def index() -> str:
            gone.set()
            try:
                await anyio.sleep_forever()
            except anyio.get_cancelled_exc_class():
                log.append("cancelled")
                raise
            return "never"

        @app.teardown_request
        async def teardown(error: BaseException | None) -> None:
            await anyio.sleep(0)
            log.append("teardown")

        async def receive() -> Any:
            if given:
                return given.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            log.append("sent")

        with anyio.fail_after(20):
            await app(RequestBuilder(app, "/").request().scope, receive, send)

    anyio.run(main, backend=backend)
    assert log == ["cancelled", "teardown"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_middleware_may_give_up_on_what_is_inside(app: Kolben, backend: str) -> None:
    log: list[Any] = []

    @app.middleware
    async def impatient(request: Any, call_next: Any) -> Any:
        with anyio.move_on_after(0.01):
            return await call_next(request)
        return "too slow", 504

    @app.get("/")
    async def index() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            log.append("ended")
        return "never"

    app.teardown_request(lambda error: log.append(error))

    async def main() -> None:
        response = await app.test_client().get("/")
        assert response.status_code == 504

    anyio.run(main, backend=backend)
    assert log == ["ended", None]


# Timeouts of routes -----------------------------------------------------------------------------


def test_the_timeout_of_a_route(
    app: Kolben, way: Way, around: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "kolben.middleware.timeout")
    app.add_middleware(Timeout, seconds=60)
    app.middleware(around())
    log: list[str] = []

    async def slow() -> str:
        try:
            await anyio.sleep(30)
        finally:
            log.append("ended")
        return "never"

    async def quick() -> str:
        await anyio.sleep(0)
        return "done"

    serve(app, slow, "/slow", timeout=0.02)
    serve(app, quick, "/quick", timeout=None)
    assert way(app, "/quick").text == "done"
    assert way(app, "/slow").status == 503
    assert log == ["ended"]


def test_the_timeout_of_a_route_needs_the_middleware(app: Kolben, way: Way) -> None:
    async def quick() -> str:
        await anyio.sleep(0.01)
        return "done"

    serve(app, quick, timeout=0.001)
    assert way(app).text == "done"


# What stays behind ------------------------------------------------------------------------------


def test_an_application_with_middleware_is_freed(way: Way, around: Any, paint: Any) -> None:
    app = Kolben("freed", static_folder=None)
    app.middleware(around())
    serve(app, paint(lambda: "hello"))
    serve(app, paint(fail), "/failing")
    logging.disable()  # a record keeps the error
    try:
        assert [way(app, path).status for path in ("/", "/failing", "/no")] == [200, 500, 404]
    finally:
        logging.disable(logging.NOTSET)
    ref = weakref.ref(app)
    gc.collect()
    gc.disable()
    try:
        del app
        assert ref() is None
    finally:
        gc.enable()


def test_requests_leave_no_reference_cycles(around: Any, paint: Any) -> None:
    app = Kolben("tidy", static_folder=None)
    app.middleware(around())
    app.middleware(around())
    serve(app, paint(lambda: "hello"))
    serve(app, paint(fail), "/failing")
    refs: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    @app.teardown_request
    def remember(error: BaseException | None) -> None:
        refs.append(weakref.ref(request._get_current_object()))  # type: ignore[attr-defined]

    async def main() -> None:
        for path in ("/", "/failing"):
            await app(RequestBuilder(app, path).request().scope, receive, send)
        await asyncio.sleep(0.01)

    logging.disable()
    gc.collect()
    gc.disable()
    try:
        asyncio.run(main())
        assert [ref() for ref in refs] == [None, None]
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)


# What an application may replace ----------------------------------------------------------------


@pytest.mark.parametrize("stage", ["full_dispatch_request", "finalize_request", "make_response"])
def test_stages_that_a_subclass_replaces_are_inside(
    way: Way, around: Any, paint: Any, stage: str
) -> None:
    log: list[str] = []

    class Replaced(Kolben):
        pass

    def method(self: Any, *args: Any) -> Any:
        log.append(stage)
        return getattr(super(Replaced, self), stage)(*args)

    setattr(Replaced, stage, method)
    app = Replaced("replaced", static_folder=None)
    app.middleware(named(around, "middleware", log))
    serve(app, paint(lambda: "done"))
    assert way(app).text == "done"
    assert log == ["middleware", stage, "/middleware"]


def test_the_context_can_be_preserved(app: Kolben, around: Any, paint: Any) -> None:
    torn: list[Any] = []
    app.middleware(around(lambda request: session.update(name="Ada")))
    app.teardown_request(torn.append)
    serve(app, paint(lambda: "done"))
    serve(app, paint(fail), "/failing")
    with app.test_client() as client:
        client.get("/")
        assert session["name"] == "Ada" and request.path == "/" and torn == []
        client.get("/failing")
        assert request.path == "/failing" and torn == [None]
    assert len(torn) == 2
