"""Contexts: one per request, made by hand where there is no request."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from contextvars import ContextVar
from typing import Any

import pytest

from kolben import (
    Kolben,
    Response,
    after_this_request,
    copy_current_request_context,
    current_app,
    flash,
    g,
    get_flashed_messages,
    has_app_context,
    has_request_context,
    request,
    session,
    url_for,
)
from kolben.context import Context, copy_current_app_context, current
from kolben.globals import app_ctx, request_ctx


@pytest.fixture
def app() -> Kolben:
    app = Kolben("contexts")
    app.secret_key = "0123456789abcdef"
    return app


COLOURS = pytest.mark.parametrize("colour", ["def", "async"])


def view(app: Kolben, function: Any, colour: str = "def", path: str = "/") -> None:
    if colour == "async":

        async def call(**values: Any) -> Any:
            return function(**values)

        app.add_url_rule(path, path, call)
    else:
        app.add_url_rule(path, path, function)


# By hand ----------------------------------------------------------------------------------------


def test_an_application_context(app: Kolben) -> None:
    assert not has_app_context()
    with app.app_context() as ctx:
        assert has_app_context()
        assert not has_request_context()
        assert ctx.app is app
        assert current_app == app
        assert current.get() is ctx
    assert not has_app_context()


def test_a_request_context(app: Kolben) -> None:
    view(app, lambda name: "", path="/<name>")
    with app.test_request_context("/ada?a=1", method="GET"):
        assert has_app_context()
        assert has_request_context()
        assert request.path == "/ada"
        assert request.view_args == {"name": "ada"}
        assert request.endpoint == "/<name>"
        assert request.args["a"] == "1"
        assert url_for("/<name>", name="x") == "/x"
        session["x"] = 1
        assert session["x"] == 1
    assert not has_request_context()


def test_an_application_context_has_no_request_and_no_session(app: Kolben) -> None:
    with app.app_context() as ctx:
        with pytest.raises(RuntimeError, match="outside of request context"):
            request.path
        with pytest.raises(RuntimeError, match="outside of request context"):
            ctx.session
        with pytest.raises(RuntimeError, match="outside of request context"):
            after_this_request(lambda r: r)


def test_teardown_runs_once_with_the_error(app: Kolben) -> None:
    seen: list[tuple[str, Any]] = []
    app.teardown_request(lambda error: seen.append(("request", error)))
    app.teardown_appcontext(lambda error: seen.append(("app", error)))
    with app.app_context():
        pass
    with app.test_request_context("/"):
        pass
    boom = ValueError("boom")
    with pytest.raises(ValueError, match="boom"):
        with app.test_request_context("/"):
            raise boom
    assert seen == [
        ("app", None),
        ("request", None),
        ("app", None),
        ("request", boom),
        ("app", boom),
    ]


def test_pop_outside_with_finds_the_error_at_hand(app: Kolben) -> None:
    seen: list[Any] = []
    app.teardown_appcontext(seen.append)
    ctx = app.app_context()
    ctx.push()
    boom = ValueError("boom")
    try:
        raise boom
    except ValueError:
        ctx.pop()
    assert seen == [boom]
    ctx = app.app_context()
    ctx.push()
    ctx.pop(None)
    assert seen[1] is None


def test_a_context_may_be_pushed_twice(app: Kolben) -> None:
    seen: list[Any] = []
    app.teardown_appcontext(seen.append)
    ctx = app.app_context()
    with ctx:
        g.value = 1
        with ctx:
            assert g.value == 1
        assert seen == []
        assert current.get() is ctx
    assert seen == [None]
    with ctx:  # and again when it has ended
        pass
    assert seen == [None, None]


def test_popping_in_the_wrong_order_is_refused(app: Kolben) -> None:
    first, second = app.app_context(), app.app_context()
    first.push()
    second.push()
    with pytest.raises(AssertionError, match="Popped wrong context"):
        first.pop()
    second.pop()
    first.pop()
    with pytest.raises(AssertionError, match="Popped wrong context"):
        first.pop()
    assert not has_app_context()


def test_nested_contexts_of_one_application_have_their_own_g(app: Kolben) -> None:
    with app.app_context():
        g.value = 1
        with app.app_context():
            assert "value" not in g
            g.value = 2
        assert g.value == 1


def test_a_request_in_an_application_context_shares_its_g(app: Kolben) -> None:
    seen: list[str] = []
    app.teardown_request(lambda error: seen.append("request"))
    app.teardown_appcontext(lambda error: seen.append("app"))
    with app.app_context() as outer:
        g.value = 1
        with app.test_request_context("/"):
            assert g.value == 1
            g.other = 2
            assert app_ctx._get_current_object() is outer  # type: ignore[attr-defined]
        assert g.other == 2
        assert seen == ["request"]
    assert seen == ["request", "app"]


def test_contexts_of_two_applications(app: Kolben) -> None:
    other = Kolben("other")
    with app.app_context():
        g.value = 1
        with other.app_context():
            assert current_app == other
            assert "value" not in g
        assert current_app == app
        with other.test_request_context("/there"):
            assert current_app == other
            assert request.path == "/there"
            assert "value" not in g
        assert current_app == app
        assert g.value == 1


def test_an_application_context_inside_a_request_keeps_the_request(app: Kolben) -> None:
    seen: list[str] = []
    app.teardown_request(lambda error: seen.append("request"))
    app.teardown_appcontext(lambda error: seen.append("app"))
    with app.test_request_context("/path"):
        g.value = 1
        with app.app_context():
            assert request.path == "/path"
            assert "value" not in g
        assert seen == ["app"]
        assert g.value == 1
    assert seen == ["app", "request", "app"]


@COLOURS
def test_what_is_done_to_the_session_in_a_nested_context_is_saved(app: Kolben, colour: str) -> None:
    def write() -> str:
        with app.app_context():
            session["name"] = "ada"
            flash("message")
            after_this_request(lambda r: Response("replaced"))
        assert session["name"] == "ada"
        return "kept"

    view(app, write, colour)
    view(app, lambda: f"{session.get('name')} {get_flashed_messages()}", colour, "/read")
    client = app.test_client()
    assert client.get("/").text == "replaced"
    assert client.get("/read").text == "ada ['message']"


@pytest.mark.anyio
async def test_async_with_awaits_the_teardown(app: Kolben) -> None:
    import anyio

    seen: list[Any] = []

    @app.teardown_appcontext
    async def teardown(error: BaseException | None) -> None:
        await anyio.sleep(0)
        seen.append(error)

    app.teardown_request(lambda error: seen.append(threading.current_thread().name))
    async with app.app_context():
        assert current_app == app
    assert seen == [None]
    with pytest.raises(ValueError, match="boom"):
        async with app.test_request_context("/"):
            raise ValueError("boom")
    assert len(seen) == 3
    assert isinstance(seen[2], ValueError)
    assert not has_app_context()


def test_an_async_teardown_where_no_loop_runs(app: Kolben) -> None:
    seen: list[Any] = []

    @app.teardown_appcontext
    async def teardown(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        seen.append(error)

    with app.app_context():
        pass
    assert seen == [None]


def test_a_context_says_what_it_is(app: Kolben) -> None:
    assert repr(app.app_context()) == "<Context of 'contexts'>"
    assert repr(app.test_request_context("/x")) == "<Context of 'contexts' GET /x>"


def test_teardown_by_hand(app: Kolben) -> None:
    seen: list[Any] = []
    app.teardown_request(lambda error: seen.append(("request", error)))
    app.teardown_appcontext(lambda error: seen.append(("app", error)))
    ctx = app.test_request_context("/")
    ctx.push()
    app.do_teardown_request(None)
    app.do_teardown_appcontext(None)
    assert seen == [("request", None), ("app", None)]
    ctx.pop(None)


# During requests --------------------------------------------------------------------------------


@COLOURS
def test_one_stable_context_from_first_hook_to_teardown(app: Kolben, colour: str) -> None:
    seen: list[Any] = []

    def note(*args: Any) -> Any:
        seen.append(app_ctx._get_current_object())  # type: ignore[attr-defined]
        seen.append(request_ctx._get_current_object())  # type: ignore[attr-defined]
        return args[0] if args else None

    async def note_async(*args: Any) -> Any:
        return note(*args)

    for hook in (note, note_async):
        app.before_request(hook)
        app.after_request(hook)
        app.teardown_request(hook)
        app.teardown_appcontext(hook)
    view(app, lambda: note() or "", colour)
    app.test_client().get("/")
    assert len(seen) == 18
    assert len(set(map(id, seen))) == 1


@COLOURS
def test_a_client_inside_an_application_context_shares_g(app: Kolben, colour: str) -> None:
    seen: list[Any] = []
    app.teardown_appcontext(lambda error: seen.append(sorted(g)))

    def change() -> str:
        g.from_view = g.from_test
        return ""

    view(app, change, colour)
    with app.app_context():
        g.from_test = 1
        app.test_client().get("/")
        app.test_client().get("/")
        assert g.from_view == 1
        assert seen == []
    assert seen == [["from_test", "from_view"]]


@pytest.mark.anyio
@COLOURS
async def test_an_async_client_inside_an_application_context_shares_g(
    app: Kolben, colour: str
) -> None:
    seen: list[Any] = []
    app.teardown_appcontext(lambda error: seen.append(sorted(g)))

    def change() -> str:
        g.from_view = g.from_test
        return ""

    view(app, change, colour)
    async with app.app_context():
        g.from_test = 1
        await app.test_client().get("/")
        assert g.from_view == 1
        assert seen == []
    assert seen == [["from_test", "from_view"]]


@COLOURS
def test_nothing_of_a_request_is_left_behind(app: Kolben, colour: str) -> None:
    def leave() -> str:
        g.left = True
        app.app_context().push()  # and never popped
        return ""

    view(app, leave, colour)
    view(app, lambda: f"{'left' in g} {request.path}", colour, "/next")
    client = app.test_client()
    client.get("/")
    assert not has_app_context()
    assert client.get("/next").text == "False /next"


@pytest.mark.anyio
@COLOURS
async def test_requests_at_the_same_time_do_not_see_each_other(app: Kolben, colour: str) -> None:
    import anyio

    var: ContextVar[str] = ContextVar("var", default="unset")

    def before() -> None:
        assert var.get() == "unset"
        g.name = request.args["name"]
        var.set(request.args["name"])

    app.before_request(before)

    @app.get("/async")
    async def in_loop() -> str:
        for _ in range(3):
            await anyio.sleep(0.001)
        return f"{request.args['name']} {g.name} {var.get()}"

    @app.get("/def")
    def in_thread() -> str:
        return f"{request.args['name']} {g.name} {var.get()}"

    found: dict[str, str] = {}

    async def ask(name: str) -> None:
        client = app.test_client()
        found[name] = (await client.get(f"/{colour}?name={name}")).text

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(ask, f"n{number}")
    assert found == {name: f"{name} {name} {name}" for name in found}
    assert var.get() == "unset"


@pytest.mark.parametrize("hook_colour", ["def", "async"])
@COLOURS
def test_context_variables_are_seen_by_every_later_step(
    app: Kolben, colour: str, hook_colour: str
) -> None:
    check_variables(app, colour, hook_colour)
    app.test_client().get("/")
    assert app.extensions["seen"] == EXPECTED


@pytest.mark.anyio
@pytest.mark.parametrize("hook_colour", ["def", "async"])
@COLOURS
async def test_context_variables_are_seen_across_worker_threads(
    app: Kolben, colour: str, hook_colour: str
) -> None:
    check_variables(app, colour, hook_colour)
    await app.test_client().get("/")
    assert app.extensions["seen"] == EXPECTED


EXPECTED = ["", "v", "vb", "vbw", "vbwe", "vbwea", "vbweat"]
trail: ContextVar[str] = ContextVar("trail", default="")


def check_variables(app: Kolben, colour: str, hook_colour: str) -> None:
    seen = app.extensions["seen"] = []

    def step(letter: str) -> Any:
        def run(*args: Any) -> Any:
            seen.append(trail.get())
            trail.set(trail.get() + letter)
            if letter == "w":
                raise ZeroDivisionError
            if letter == "e":
                return "handled"
            return args[0] if letter == "a" else None

        async def run_async(*args: Any) -> Any:
            import anyio

            await anyio.sleep(0)
            return run(*args)

        return run_async if (colour if letter == "w" else hook_colour) == "async" else run

    app.url_value_preprocessor(step("v"))
    app.before_request(step("b"))
    app.add_url_rule("/", "view", step("w"))
    app.register_error_handler(ZeroDivisionError, step("e"))
    app.after_request(step("a"))
    app.teardown_request(step("t"))
    app.teardown_appcontext(step("z"))


# Copies -----------------------------------------------------------------------------------------


def test_a_request_copied_into_a_thread(app: Kolben) -> None:
    found: list[Any] = []

    def start() -> str:
        g.value = 1
        session["x"] = 2

        @copy_current_request_context
        def work(argument: str) -> str:
            found.append((request.path, session["x"], "value" in g, argument))
            return "done"

        thread = threading.Thread(target=work, args=("given",))
        thread.start()
        thread.join()
        assert work.__name__ == "work"
        return work("again")

    view(app, start)
    assert app.test_client().get("/").text == "done"
    assert found == [
        ("/", 2, False, "given"),
        ("/", 2, True, "again"),
    ]  # shares g where it is current


@pytest.mark.anyio
async def test_a_request_copied_into_a_task(app: Kolben) -> None:
    import anyio

    found: list[Any] = []

    @app.get("/")
    async def start() -> str:
        @copy_current_request_context
        async def work() -> None:
            await anyio.sleep(0)
            found.append(request.path)

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            group.start_soon(work)
        return ""

    await app.test_client().get("/")
    assert found == ["/", "/"]


def test_an_application_copied_into_a_thread(app: Kolben) -> None:
    found: list[Any] = []
    with app.app_context():

        @copy_current_app_context
        def work() -> None:
            found.append((current_app.name, has_request_context()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [("contexts", False)]


def test_copies_need_a_context() -> None:
    with pytest.raises(RuntimeError, match="outside of request context"):
        copy_current_request_context(lambda: None)
    with pytest.raises(RuntimeError, match="outside of application context"):
        copy_current_app_context(lambda: None)


# Memory -----------------------------------------------------------------------------------------

PATHS = ["/", "/error", "/404", "/http", "/json", "/hooks", "/stream", "/session", "/bad"]


def full_app() -> Kolben:
    app = Kolben("freed")
    app.secret_key = "0123456789abcdef"
    app.logger.disabled = True

    @app.before_request
    async def before() -> None:
        g.value = object()

    @app.after_request
    def after(response: Response) -> Response:
        return response

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        return None

    @app.errorhandler(KeyError)
    async def handle(error: KeyError) -> str:
        return "handled"

    @app.errorhandler(403)
    def forbidden(error: Exception) -> str:
        return "forbidden"

    return app


def add_answers(app: Kolben, colour: str) -> None:
    from kolben import abort, stream_with_context

    def zero() -> str:
        raise ZeroDivisionError

    def key() -> str:
        raise KeyError

    def stream() -> Any:
        return stream_with_context(c for c in "abc")

    def count() -> str:
        session["n"] = session.get("n", 0) + 1
        return ""

    view(app, lambda: "text", colour)
    view(app, zero, colour, "/error")
    view(app, key, colour, "/hooks")
    view(app, lambda: abort(403), colour, "/http")
    view(app, lambda: {"a": 1}, colour, "/json")
    view(app, stream, colour, "/stream")
    view(app, count, colour, "/session")
    view(app, lambda: None, colour, "/bad")


@COLOURS
@pytest.mark.parametrize("path", PATHS)
def test_an_application_is_freed_without_the_garbage_collector(colour: str, path: str) -> None:
    gc.collect()
    gc.disable()
    try:
        app = full_app()
        add_answers(app, colour)
        client = app.test_client()
        for _ in range(2):
            client.get(path).get_data()
        client.close()
        ref = weakref.ref(app)
        del app, client
        assert ref() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("path", PATHS)
@COLOURS
def test_an_application_is_freed_after_requests_in_worker_threads(colour: str, path: str) -> None:
    async def ask(app: Kolben) -> None:
        client = app.test_client()
        for _ in range(2):
            await (await client.get(path)).load()

    gc.collect()
    gc.disable()
    try:
        app = full_app()
        add_answers(app, colour)
        with asyncio.Runner() as runner:
            runner.run(ask(app))
        ref = weakref.ref(app)
        del app
        for _ in range(100):  # a worker thread may be about to let go of its last job
            if ref() is None:
                break
            threading.Event().wait(0.01)
        assert ref() is None
    finally:
        gc.enable()


def test_a_context_of_its_own_class_can_be_named(app: Kolben) -> None:
    with app.app_context() as ctx:
        assert isinstance(ctx, Context)
        ctx.anything = 1  # type: ignore[attr-defined]
        assert app_ctx.anything == 1  # type: ignore[attr-defined]
