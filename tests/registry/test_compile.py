"""The plans: which steps a route's requests have, and which methods an application replaces."""

from __future__ import annotations

from typing import Any

import pytest

from kolben import Blueprint, Kolben, Response, abort, g, request, url_for
from kolben.exceptions import HTTPException, NotFound
from kolben.registry.compile import blueprint_names, may_wait
from kolben.wrappers import Request


def text(app: Kolben, path: str = "/", **kwargs: Any) -> str:
    return app.test_client().open(path, **kwargs).text


def test_blueprint_names_are_innermost_first() -> None:
    assert blueprint_names("a.b.c.view") == ("a.b.c", "a.b", "a")
    assert blueprint_names("view") == ()


def test_only_what_awaits_may_wait() -> None:
    async def through() -> str:
        return "x"

    async def awaits(event: Any) -> None:
        await event

    async def iterates(items: Any) -> None:
        async for _ in items:
            pass

    async def enters(lock: Any) -> None:
        async with lock:
            pass

    def plain() -> None:
        return None

    assert not may_wait(through)
    assert may_wait(plain)  # it goes to a worker thread
    assert may_wait(awaits)
    assert may_wait(iterates)
    assert may_wait(enters)

    class Callable:
        async def __call__(self) -> str:
            return "x"

    assert may_wait(Callable())


# The order of a request ------------------------------------------------------------------------


def hooked(scaffold: Any, name: str, log: list[str], colour: str) -> None:
    """Register two hooks of each kind; they write their name."""
    for number in (1, 2):
        label = f"{name}{number}"

        def values(endpoint: str, values: dict[str, Any], label: str = label) -> None:
            log.append(f"values {label}")

        def before(label: str = label) -> None:
            log.append(f"before {label}")

        def after(response: Response, label: str = label) -> Response:
            log.append(f"after {label}")
            return response

        def teardown(error: BaseException | None, label: str = label) -> None:
            log.append(f"teardown {label}")

        kinds = {
            "url_value_preprocessor": values,
            "before_request": before,
            "after_request": after,
            "teardown_request": teardown,
        }
        for kind, function in kinds.items():
            alternate = colour == "mixed" and number == 2
            is_async = colour == "async" or alternate
            getattr(scaffold, kind)(as_async(function) if is_async else function)


def as_async(function: Any) -> Any:
    async def call(*args: Any) -> Any:
        return function(*args)

    return call


@pytest.mark.parametrize("async_view", [True, False])
@pytest.mark.parametrize("colour", ["def", "async", "mixed"])
def test_hooks_of_nested_blueprints_run_in_flasks_order(async_view: bool, colour: str) -> None:
    app = Kolben("ordered")
    log: list[str] = []
    outer = Blueprint("outer", __name__)
    inner = Blueprint("inner", __name__)
    sibling = Blueprint("sibling", __name__)
    for scaffold, name in ((inner, "inner"), (sibling, "sibling"), (outer, "outer"), (app, "app")):
        hooked(scaffold, name, log, colour)

    def view() -> str:
        log.append("view")
        return ""

    inner.add_url_rule("/", "view", as_async(view) if async_view else view)
    outer.register_blueprint(inner)
    outer.register_blueprint(sibling)
    app.register_blueprint(outer)
    app.teardown_appcontext(lambda error: log.append("teardown appcontext1"))
    app.teardown_appcontext(as_async(lambda error: log.append("teardown appcontext2")))
    app.test_client().get("/")
    scopes = ["app1", "app2", "outer1", "outer2", "inner1", "inner2"]
    # Inside one scope the last registered runs first; so Flask does too.
    backwards = ["inner2", "inner1", "outer2", "outer1", "app2", "app1"]
    assert log == [
        *[f"values {name}" for name in scopes],
        *[f"before {name}" for name in scopes],
        "view",
        *[f"after {name}" for name in backwards],
        *[f"teardown {name}" for name in backwards],
        "teardown appcontext2",
        "teardown appcontext1",
    ]


def test_the_order_is_that_of_flask_itself() -> None:
    flask = pytest.importorskip("flask")
    logs: list[list[str]] = []
    for make_app, make_blueprint in ((flask.Flask, flask.Blueprint), (Kolben, Blueprint)):
        app, log = make_app("ordered"), []
        outer, inner = make_blueprint("outer", __name__), make_blueprint("inner", __name__)
        for scaffold, name in ((inner, "inner"), (outer, "outer"), (app, "app")):
            hooked(scaffold, name, log, "def")
        inner.add_url_rule("/", "view", lambda log=log: log.append("view") or "")
        outer.register_blueprint(inner)
        app.register_blueprint(outer)
        app.test_client().get("/")
        logs.append(log)
    assert logs[0] == logs[1]


@pytest.mark.parametrize("async_view", [True, False])
def test_a_hook_that_answers_stops_the_rest_before_the_view(async_view: bool) -> None:
    app = Kolben("ordered")
    log: list[str] = []

    @app.before_request
    def first() -> tuple[str, int]:
        log.append("first")
        return "early", 202

    @app.before_request
    def second() -> None:
        log.append("second")

    @app.after_request
    def after(response: Response) -> Response:
        log.append("after")
        return response

    def view() -> str:
        log.append("view")
        return ""

    app.add_url_rule("/", "view", as_async(view) if async_view else view)
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (202, "early")
    assert log == ["first", "after"]


def test_url_values_may_be_taken_before_the_view() -> None:
    app = Kolben("ordered")

    @app.url_value_preprocessor
    async def pull(endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values is not None and "lang" in values:
            g.lang = values.pop("lang")

    @app.url_defaults
    def push(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", g.lang)

    @app.get("/<lang>/<int:number>")
    def view(number: int) -> str:
        return f"{g.lang} {number} {url_for('view', number=number + 1)}"

    assert text(app, "/de/1") == "de 1 /de/2"


def test_a_preprocessor_sees_none_where_nothing_matched() -> None:
    app = Kolben("ordered")
    seen: list[Any] = []
    app.url_value_preprocessor(lambda endpoint, values: seen.append((endpoint, values)))
    app.test_client().get("/none")
    assert seen[0][0] is None


def test_hooks_run_where_nothing_matched() -> None:
    app = Kolben("ordered")
    log: list[Any] = []
    app.before_request(lambda: log.append(type(request.routing_exception)))
    app.teardown_request(log.append)
    response = app.test_client().get("/none")
    assert response.status_code == 404
    assert log == [NotFound, None]


def test_a_before_hook_may_answer_where_nothing_matched() -> None:
    app = Kolben("ordered")
    app.before_request(lambda: "found after all")
    assert text(app, "/none") == "found after all"


# Methods that an application replaces ----------------------------------------------------------

VIEW_COLOURS = pytest.mark.parametrize("async_view", [True, False])
STAGES = [
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
    "process_response",
    "handle_http_exception",
    "handle_user_exception",
    "handle_exception",
    "make_response",
    "finalize_request",
    "create_url_adapter",
    "raise_routing_exception",
    "inject_url_defaults",
    "log_exception",
    "make_default_options_response",
]


class Handled(Exception):
    pass


def add_views(app: Kolben, async_view: bool) -> None:
    """Views whose requests go through every stage."""

    def index() -> str:
        return f"index {url_for('index')}"

    def http() -> Response:
        return abort(403)

    def handled() -> str:
        raise Handled

    def broken() -> str:
        raise ZeroDivisionError

    for view in (index, http, handled, broken):
        path = "/" if view is index else f"/{view.__name__}"
        app.add_url_rule(path, view.__name__, as_async(view) if async_view else view)
    app.register_error_handler(Handled, lambda error: "handled")


PATH_OF = {
    "handle_http_exception": "/http",
    "handle_user_exception": "/handled",
    "handle_exception": "/broken",
    "log_exception": "/broken",
    "raise_routing_exception": "/none",
}


def ask(app: Kolben, stage: str) -> Response:
    method = "OPTIONS" if stage == "make_default_options_response" else "GET"
    return app.test_client().open(PATH_OF.get(stage, "/"), method=method)


@VIEW_COLOURS
@pytest.mark.parametrize("where", ["subclass", "instance"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_replaced_by_def_that_asks_super(stage: str, where: str, async_view: bool) -> None:
    calls: list[tuple[Any, ...]] = []
    original = getattr(Kolben, stage)

    def replaced(self: Kolben, *args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return original(self, *args, **kwargs)

    expected_app = Kolben("stages")
    app = type("App", (Kolben,), {stage: replaced} if where == "subclass" else {})("stages")
    for one in (expected_app, app):
        add_views(one, async_view)
    if where == "instance":
        bound = getattr(app, stage)

        def on_instance(*args: Any, **kwargs: Any) -> Any:
            calls.append(args)
            return bound(*args, **kwargs)

        setattr(app, stage, on_instance)
    response, expected = ask(app, stage), ask(expected_app, stage)
    assert calls, f"{stage} was not called"
    assert (response.status_code, response.data) == (expected.status_code, expected.data)


@VIEW_COLOURS
@pytest.mark.parametrize(
    "stage",
    [
        "full_dispatch_request",
        "preprocess_request",
        "dispatch_request",
        "process_response",
        "handle_http_exception",
        "handle_user_exception",
        "handle_exception",
        "make_default_options_response",
    ],
)
def test_a_stage_replaced_by_async_def_that_asks_super(stage: str, async_view: bool) -> None:
    calls: list[str] = []
    original = getattr(Kolben, stage)

    async def replaced(self: Kolben, *args: Any) -> Any:
        calls.append(stage)
        result = original(self, *args)
        return await result if hasattr(result, "__await__") else result

    expected_app = Kolben("stages")
    app = type("App", (Kolben,), {stage: replaced})("stages")
    for one in (expected_app, app):
        add_views(one, async_view)
    response, expected = ask(app, stage), ask(expected_app, stage)
    assert calls
    assert (response.status_code, response.data) == (expected.status_code, expected.data)


@VIEW_COLOURS
@pytest.mark.parametrize("stage", ["full_dispatch_request", "process_response"])
def test_what_super_returned_can_be_changed(stage: str, async_view: bool) -> None:
    original = getattr(Kolben, stage)

    def replaced(self: Kolben, *args: Any) -> Response:
        response = original(self, *args)
        response.headers["X-Changed"] = "yes"
        return response

    app = type("App", (Kolben,), {stage: replaced})("stages")
    add_views(app, async_view)
    assert ask(app, stage).headers["X-Changed"] == "yes"


@VIEW_COLOURS
def test_what_the_dispatcher_returned_can_be_changed(async_view: bool) -> None:
    class App(Kolben):
        def dispatch_request(self) -> Any:
            return super().dispatch_request().upper()

    app = App("stages")
    add_views(app, async_view)
    assert text(app) == "INDEX /"


@VIEW_COLOURS
@pytest.mark.parametrize("stage", ["handle_exception", "handle_user_exception"])
def test_a_plain_function_on_the_instance_may_make_a_response(stage: str, async_view: bool) -> None:
    """What Flask-Cors does: it wraps the handler and makes a response of what comes out."""
    app = Kolben("stages")
    add_views(app, async_view)
    original = getattr(app, stage)

    def wrapped(error: Exception) -> Response:
        response = app.make_response(original(error))
        response.headers["X-Cors"] = "yes"
        return response

    setattr(app, stage, wrapped)
    response = ask(app, stage)
    assert response.headers["X-Cors"] == "yes"
    assert response.status_code == (500 if stage == "handle_exception" else 200)


@VIEW_COLOURS
@pytest.mark.parametrize("stage", ["handle_exception", "handle_user_exception"])
def test_a_replaced_handler_is_called_inside_the_except(stage: str, async_view: bool) -> None:
    import sys

    app = Kolben("stages")
    add_views(app, async_view)
    setattr(app, stage, lambda error: app.make_response(f"{sys.exc_info()[1] is error}"))
    assert ask(app, stage).text == "True"


@VIEW_COLOURS
@pytest.mark.parametrize("async_handler", [True, False])
def test_an_error_handler_is_called_inside_the_except(
    async_view: bool, async_handler: bool
) -> None:
    import sys
    import traceback

    app = Kolben("stages")

    def fail() -> str:
        raise ZeroDivisionError("oh")

    def handle(error: Exception) -> str:
        assert sys.exc_info()[1] is error
        return traceback.format_exc()

    app.add_url_rule("/", "fail", as_async(fail) if async_view else fail)
    app.register_error_handler(Exception, as_async(handle) if async_handler else handle)
    page = text(app)
    assert "in fail" in page
    assert "ZeroDivisionError: oh" in page


@VIEW_COLOURS
def test_classes_of_the_application_are_used(async_view: bool) -> None:
    class OwnRequest(Request):
        def hello(self) -> str:
            return f"own {self.path}"

    class OwnResponse(Response):
        default_mimetype = "text/own"

    class App(Kolben):
        request_class = OwnRequest
        response_class = OwnResponse

    app = App("stages")

    def view() -> str:
        return request.hello()  # type: ignore[attr-defined,no-any-return]

    app.add_url_rule("/", "view", as_async(view) if async_view else view)
    response = app.test_client().get("/")
    assert response.text == "own /"
    assert response.mimetype == "text/own"
    assert app.test_client().get("/none").mimetype == "text/html"


# Each stage by hand, as Flask's documentation shows --------------------------------------------


@pytest.fixture
def app() -> Kolben:
    app = Kolben("by hand")
    add_views(app, async_view=False)
    app.before_request(lambda: setattr(g, "seen", True))

    @app.after_request
    def after(response: Response) -> Response:
        response.headers["X-After"] = "yes"
        return response

    @app.get("/user/<name>")
    async def user(name: str) -> str:
        return f"user {name}"

    return app


def test_preprocess_by_hand(app: Kolben) -> None:
    with app.test_request_context("/"):
        assert app.preprocess_request() is None
        assert g.seen


def test_dispatch_by_hand(app: Kolben) -> None:
    with app.test_request_context("/"):
        assert app.dispatch_request() == "index /"
    with app.test_request_context("/user/ada"):
        assert app.dispatch_request() == "user ada"
    with app.test_request_context("/none"):
        with pytest.raises(NotFound):
            app.dispatch_request()


def test_options_by_hand(app: Kolben) -> None:
    with app.test_request_context("/", method="OPTIONS"):
        response = app.full_dispatch_request()
        assert set(response.allow) == {"GET", "HEAD", "OPTIONS"}


def test_a_whole_request_by_hand(app: Kolben) -> None:
    with app.test_request_context("/"):
        response = app.full_dispatch_request()
        assert response.get_data(as_text=True) == "index /"
        assert response.headers["X-After"] == "yes"
    with app.test_request_context("/none"):
        assert app.full_dispatch_request().status_code == 404
    with app.test_request_context("/broken"):
        with pytest.raises(ZeroDivisionError):
            app.full_dispatch_request()


def test_the_rest_by_hand(app: Kolben) -> None:
    with app.test_request_context("/"):
        response = app.make_response(("made", 201))
        assert app.process_response(response) is response
        assert response.headers["X-After"] == "yes"
        assert app.finalize_request("final").headers["X-After"] == "yes"
        assert isinstance(app.handle_http_exception(NotFound()), NotFound)
        assert app.handle_user_exception(Handled()) == "handled"
        with pytest.raises(ZeroDivisionError):
            app.handle_user_exception(ZeroDivisionError())
        assert app.handle_exception(ZeroDivisionError()).status_code == 500
        assert app.make_default_options_response().status_code == 200
        adapter = app.create_url_adapter(request)
        assert adapter is not None
        assert adapter.match(method="GET", return_rule=True)[0].endpoint == "index"


@pytest.mark.anyio
async def test_by_hand_on_an_event_loop_the_stages_are_awaited(app: Kolben) -> None:
    async with app.test_request_context("/user/ada"):
        assert await app.preprocess_request() is None
        assert g.seen
        assert await app.dispatch_request() == "user ada"
        response = await app.full_dispatch_request()
        assert response.headers["X-After"] == "yes"
        assert (await app.finalize_request("final")).headers["X-After"] == "yes"
        with pytest.raises(ZeroDivisionError):
            await app.handle_user_exception(ZeroDivisionError())


def test_a_stage_needs_a_request(app: Kolben) -> None:
    with pytest.raises(RuntimeError, match="outside of request context"):
        app.dispatch_request()


def test_stages_of_a_request_in_progress(app: Kolben) -> None:
    """Flask-RESTful asks the application's own stages while a request runs."""

    @app.get("/inside")
    def inside() -> Any:
        return app.handle_user_exception(Handled())

    @app.get("/inside-async")
    async def inside_async() -> Any:
        return await app.handle_user_exception(Handled())

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Any:
        return f"http {error.code}"

    assert text(app, "/inside") == "handled"
    assert text(app, "/inside-async") == "handled"
    assert text(app, "/http") == "http 403"
