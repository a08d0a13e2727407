"""The application object: what it is made of, and what async def may stand in for."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

import kolben.signals
from kolben import (
    Blueprint,
    Kolben,
    Response,
    current_app,
    g,
    render_template_string,
    request,
    session,
    url_for,
)
from kolben.routing import BuildError
from kolben.sessions import SecureCookieSession, SessionInterface
from kolben.templating import render_template_string_async

COLOURS = pytest.mark.parametrize("colour", ["def", "async"])


@pytest.fixture
def app() -> Kolben:
    app = Kolben("application")
    app.testing = True
    return app


def view(app: Kolben, function: Any, colour: str, path: str = "/") -> None:
    async def call(**values: Any) -> Any:
        return function(**values)

    app.add_url_rule(path, path, call if colour == "async" else function)


# What it is made of -----------------------------------------------------------------------------


def test_names_and_places(tmp_path: Path) -> None:
    app = Kolben("module", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    assert app.name == "module"
    assert repr(app) == "<Kolben 'module'>"
    assert app.root_path == str(tmp_path)
    assert app.static_folder == str(tmp_path / "static")
    assert app.instance_path == str(tmp_path / "instance")
    assert app.logger is logging.getLogger("module")
    with pytest.raises(ValueError, match="must be absolute"):
        Kolben("module", instance_path="relative")


def test_instance_resources(tmp_path: Path) -> None:
    app = Kolben("module", instance_path=str(tmp_path), instance_relative_config=True)
    assert str(app.config.root_path) == str(tmp_path)
    with app.open_instance_resource("data.txt", "w") as file:
        file.write("ä")
    with app.open_instance_resource("data.txt", "r") as file:
        assert file.read() == "ä"
    with app.open_instance_resource("data.txt") as file:
        assert file.read() == "ä".encode()


def test_settings_have_attributes(app: Kolben) -> None:
    app.secret_key = "key"
    assert app.config["SECRET_KEY"] == "key"
    app.permanent_session_lifetime = 60  # type: ignore[assignment]
    assert app.permanent_session_lifetime == timedelta(seconds=60)
    app.debug = True
    assert app.config["DEBUG"] is True
    app.config["TESTING"] = False
    assert app.testing is False


def test_debug_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOLBEN_DEBUG", "1")
    assert Kolben("debug").debug is True
    monkeypatch.delenv("KOLBEN_DEBUG")
    assert Kolben("debug").debug is False


def test_a_static_host_needs_host_matching() -> None:
    with pytest.raises(AssertionError, match="static_host"):
        Kolben("static", static_host="files.test")
    with pytest.raises(AssertionError, match="static_host"):
        Kolben("static", host_matching=True)
    assert Kolben("static", host_matching=True, static_folder=None).url_map.host_matching
    app = Kolben("static", host_matching=True, static_host="files.test")
    assert app.url_map is not None


def test_hosts_are_matched() -> None:
    app = Kolben("hosts", host_matching=True, static_folder=None)
    app.add_url_rule("/", "a", lambda: "a", host="a.test")
    app.add_url_rule("/", "b", lambda sub: f"b {sub}", host="<sub>.b.test")
    client = app.test_client()
    assert client.get("/", base_url="http://a.test").text == "a"
    assert client.get("/", base_url="http://x.b.test").text == "b x"
    assert client.get("/", base_url="http://c.test").status_code == 404


def test_classes_can_be_replaced() -> None:
    from kolben.config import Config
    from kolben.exceptions import Aborter

    class OwnConfig(Config):
        pass

    class OwnAborter(Aborter):
        pass

    class App(Kolben):
        config_class = OwnConfig
        aborter_class = OwnAborter

    app = App("own")
    assert isinstance(app.config, OwnConfig)
    assert isinstance(app.aborter, OwnAborter)


def test_a_hand_made_loop_setting_is_free_of_the_first_request(app: Kolben) -> None:
    app.config["ANY"] = 1
    app.extensions["x"] = object()
    view(app, lambda: str(current_app.config["ANY"]), "def")
    client = app.test_client()
    client.get("/")
    app.config["ANY"] = 2  # the configuration stays open
    assert client.get("/").text == "2"


# Async def in every place -----------------------------------------------------------------------


@COLOURS
def test_an_async_context_processor(app: Kolben, colour: str) -> None:
    @app.context_processor
    async def add() -> dict[str, Any]:
        if colour == "def":  # on the loop a plain render cannot wait
            await anyio.sleep(0)
        return {"name": f"processed {request.path}"}

    view(app, lambda: render_template_string("{{ name }}"), colour)
    assert app.test_client().get("/").text == "processed /"


def test_an_async_context_processor_that_waits_in_an_async_view(app: Kolben) -> None:
    @app.context_processor
    async def add() -> dict[str, Any]:
        await anyio.sleep(0)
        return {"name": "processed"}

    @app.get("/")
    async def page() -> str:
        return await render_template_string_async("{{ name }}")

    @app.get("/plain")
    async def plain() -> str:
        return render_template_string("{{ name }}")

    assert app.test_client().get("/").text == "processed"
    with pytest.raises(RuntimeError, match="render_template_async"):
        app.test_client().get("/plain")


@COLOURS
def test_async_filters_tests_and_globals(app: Kolben, colour: str) -> None:
    @app.template_filter()
    async def twice(value: int) -> int:
        return value * 2

    @app.template_test("even")
    async def is_even(value: int) -> bool:
        return value % 2 == 0

    @app.template_global()
    async def three() -> int:
        return 3

    page = "{{ 2|twice }} {{ 4 is even }} {{ 3 is even }} {{ three() }}"
    view(app, lambda: render_template_string(page), colour)
    assert app.test_client().get("/").text == "4 True False 3"


@COLOURS
def test_async_url_defaults(app: Kolben, colour: str) -> None:
    @app.url_defaults
    async def add(endpoint: str, values: dict[str, Any]) -> None:
        values["lang"] = g.lang

    app.before_request(lambda: setattr(g, "lang", "de"))
    view(app, lambda: url_for("/"), colour)
    assert app.test_client().get("/").text == "/?lang=de"


def test_build_error_handlers(app: Kolben) -> None:
    def external(error: Exception, endpoint: str, values: dict[str, Any]) -> str | None:
        return f"https://example.test/{endpoint}" if endpoint == "known" else None

    app.url_build_error_handlers.append(external)
    with app.test_request_context("/"):
        assert url_for("known") == "https://example.test/known"
        with pytest.raises(BuildError):
            url_for("unknown")


@COLOURS
def test_signals_of_a_request_once_each_in_order(app: Kolben, colour: str) -> None:
    log: list[str] = []
    names = [
        "appcontext_pushed",
        "request_started",
        "request_finished",
        "request_tearing_down",
        "appcontext_tearing_down",
        "appcontext_popped",
    ]
    receivers = []
    for name in names:

        def receive(sender: Any, name: str = name, **data: Any) -> None:
            log.append(name)

        async def receive_async(sender: Any, name: str = name, **data: Any) -> None:
            await anyio.sleep(0)
            log.append(f"{name} async")

        for receiver in (receive, receive_async):
            getattr(kolben.signals, name).connect(receiver, app)
            receivers.append((name, receiver))
    try:
        view(app, lambda: "", colour)
        app.test_client().get("/")
        assert sorted(set(log)) == sorted([*names, *(f"{name} async" for name in names)])
        assert len(log) == 2 * len(names)
        assert list(dict.fromkeys(entry.split()[0] for entry in log)) == names
    finally:
        for name, receiver in receivers:
            getattr(kolben.signals, name).disconnect(receiver, app)


@COLOURS
def test_the_signal_of_an_error_has_it(app: Kolben, colour: str) -> None:
    app.testing = False
    seen: list[Any] = []

    async def receive(sender: Any, exception: Exception, **data: Any) -> None:
        seen.append((type(exception), request.path))

    kolben.signals.got_request_exception.connect(receive, app)
    try:

        def fail() -> str:
            raise ZeroDivisionError

        view(app, fail, colour)
        app.test_client().get("/")
        assert seen == [(ZeroDivisionError, "/")]
    finally:
        kolben.signals.got_request_exception.disconnect(receive, app)


def test_the_shell_has_what_the_processors_give(app: Kolben) -> None:
    app.shell_context_processor(lambda: {"one": 1})

    @app.shell_context_processor
    async def two() -> dict[str, Any]:
        await anyio.sleep(0)
        return {"two": 2}

    found = app.make_shell_context()
    assert found["app"] is app
    assert (found["one"], found["two"]) == (1, 2)


# Sessions ---------------------------------------------------------------------------------------


class MemoryInterface(SessionInterface):
    """Keeps sessions here; its methods have to wait."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.stored: dict[str, dict[str, Any]] = {}

    async def open_session(self, app: Any, request: Any) -> Any:  # type: ignore[override]
        await anyio.sleep(0)
        self.log.append("open")
        return SecureCookieSession(self.stored.get("id", {}))

    async def save_session(self, app: Any, session: Any, response: Any) -> None:  # type: ignore[override]
        await anyio.sleep(0)
        self.log.append("save")
        self.stored["id"] = dict(session)
        response.headers["X-Saved"] = "yes"


@COLOURS
def test_an_async_session_interface(app: Kolben, colour: str) -> None:
    log: list[str] = []
    app.session_interface = MemoryInterface(log)

    @app.before_request
    def before() -> None:
        log.append(f"before {session.get('n', 0)}")

    @app.after_request
    async def after(response: Response) -> Response:
        log.append("after")
        session["n"] = session.get("n", 0) + 1
        return response

    view(app, lambda: str(session.get("n", 0)), colour)
    client = app.test_client()
    assert client.get("/").text == "0"
    assert client.get("/").text == "1"
    assert log == ["open", "before 0", "after", "save", "open", "before 1", "after", "save"]


@COLOURS
@pytest.mark.anyio
async def test_an_async_session_interface_on_the_tests_loop(app: Kolben, colour: str) -> None:
    app.session_interface = MemoryInterface([])

    def count() -> str:
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    view(app, count, colour)
    client = app.test_client()
    assert [(await client.get("/")).text for _ in range(3)] == ["1", "2", "3"]


@COLOURS
def test_a_session_that_cannot_be_opened_is_a_500_and_is_torn_down(
    app: Kolben, colour: str
) -> None:
    class Broken(SessionInterface):
        def open_session(self, app: Any, request: Any) -> Any:
            raise ZeroDivisionError

    app.testing = False
    app.session_interface = Broken()
    seen: list[Any] = []
    app.teardown_request(lambda error: seen.append(type(error)))
    view(app, lambda: "", colour)
    assert app.test_client().get("/").status_code == 500
    assert seen == [ZeroDivisionError]


@COLOURS
def test_without_a_key_a_session_can_be_read_and_not_written(app: Kolben, colour: str) -> None:
    def write() -> str:
        session["a"] = 1
        return ""

    view(app, lambda: str(session.get("a")), colour, "/read")
    view(app, write, colour, "/write")
    assert app.test_client().get("/read").text == "None"
    with pytest.raises(RuntimeError, match=r"SECRET_KEY|secret key"):
        app.test_client().get("/write")


@COLOURS
def test_a_session_interface_may_match_the_request_itself(app: Kolben, colour: str) -> None:
    """What an interface of Flask's does that wants the endpoint."""
    seen: list[Any] = []

    class Matching(SessionInterface):
        def open_session(self, app: Any, request: Any) -> Any:
            from kolben.globals import request_ctx

            request_ctx.match_request()
            seen.append(request.endpoint)
            return SecureCookieSession()

        def save_session(self, app: Any, session: Any, response: Any) -> None:
            return None

    app.session_interface = Matching()
    view(app, lambda: "", colour)
    app.test_client().get("/")
    assert seen == ["/"]


# Colours ----------------------------------------------------------------------------------------


def test_ensure_sync_makes_async_callable(app: Kolben) -> None:
    async def double(value: int) -> int:
        await anyio.sleep(0)
        return value * 2

    def plain(value: int) -> int:
        return value

    assert app.ensure_sync(double)(2) == 4
    assert app.ensure_sync(plain) is plain


@COLOURS
def test_a_def_decorator_around_a_view_of_either_colour(app: Kolben, colour: str) -> None:
    """As Flask-Login's: ``current_app.ensure_sync(func)(*args, **kwargs)``."""
    import functools

    def login_required(func: Any) -> Any:
        @functools.wraps(func)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            if "user" not in request.args:
                return "login", 401
            return current_app.ensure_sync(func)(*args, **kwargs)

        return decorated

    async def secret_async(name: str) -> str:
        await anyio.sleep(0)
        return f"{name} {request.args['user']}"

    def secret(name: str) -> str:
        return f"{name} {request.args['user']}"

    app.add_url_rule(
        "/<name>", "secret", login_required(secret_async if colour == "async" else secret)
    )
    client = app.test_client()
    assert client.get("/x").status_code == 401
    assert client.get("/x?user=ada").text == "x ada"


# Serving ----------------------------------------------------------------------------------------


def test_two_applications_in_one_process_are_strangers() -> None:
    one, two = Kolben("one"), Kolben("two")
    for app in (one, two):
        view(app, lambda: current_app.name, "def")
    assert one.test_client().get("/").text == "one"
    assert two.test_client().get("/").text == "two"
    assert one.view_lane is not two.view_lane


@COLOURS
def test_a_request_inside_a_request(app: Kolben, colour: str) -> None:
    """Another application asked from a view, in the same thread or loop."""
    other = Kolben("other")
    view(other, lambda: f"other {request.path} {current_app.name}", colour, "/inner")

    if colour == "async":

        @app.get("/")
        async def outer() -> str:
            answer = await other.test_client().get("/inner")
            return f"{answer.text} {request.path} {current_app.name}"
    else:

        @app.get("/")
        def outer_def() -> str:
            answer = other.test_client().get("/inner")
            return f"{answer.text} {request.path} {current_app.name}"

    assert app.test_client().get("/").text == "other /inner other / application"


def test_a_template_context_of_blueprints_is_for_their_requests(app: Kolben) -> None:
    bp = Blueprint("bp", __name__, url_prefix="/bp")
    bp.context_processor(lambda: {"name": "bp"})
    app.context_processor(lambda: {"name": "app", "other": "app"})
    bp.add_url_rule("/", "view", lambda: render_template_string("{{ name }} {{ other }}"))
    view(app, lambda: render_template_string("{{ name }} {{ other }}"), "def")
    app.register_blueprint(bp)
    assert app.test_client().get("/bp/").text == "bp app"
    assert app.test_client().get("/").text == "app app"
