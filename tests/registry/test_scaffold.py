"""What can be registered, and what is refused with a message that helps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kolben import Blueprint, Kolben, Response, abort, request
from kolben.exceptions import HTTPException, InternalServerError, NotFound


@pytest.fixture
def app() -> Kolben:
    return Kolben("registered")


def text(app: Kolben, path: str, method: str = "GET") -> str:
    return app.test_client().open(path, method=method).text


# Routes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_each_method_has_a_decorator(app: Kolben, method: str) -> None:
    @getattr(app, method)("/")
    def view() -> str:
        return request.method

    assert text(app, "/", method.upper()) == method.upper()
    other = "POST" if method == "get" else "GET"
    assert app.test_client().open("/", method=other).status_code == 405


def test_decorators_return_the_function(app: Kolben) -> None:
    async def view() -> str:
        return ""

    def hook(*args: Any) -> None:
        return None

    assert app.route("/")(view) is view
    assert app.get("/get")(view) is view
    assert app.endpoint("other")(view) is view
    for name in (
        "before_request",
        "after_request",
        "teardown_request",
        "teardown_appcontext",
        "context_processor",
        "url_value_preprocessor",
        "url_defaults",
        "shell_context_processor",
        "before_serving",
        "while_serving",
        "after_serving",
    ):
        assert getattr(app, name)(hook) is hook
    assert app.errorhandler(404)(hook) is hook
    assert app.template_filter()(hook) is hook
    assert app.template_test("t")(hook) is hook
    assert app.template_global()(hook) is hook


def test_a_rule_may_be_added_before_its_view(app: Kolben) -> None:
    app.add_url_rule("/late", "late")

    @app.endpoint("late")
    def view() -> str:
        return "late"

    assert text(app, "/late") == "late"


def test_a_rule_without_a_view_names_what_to_do(app: Kolben) -> None:
    app.testing = True
    app.add_url_rule("/nothing", "nothing")
    with pytest.raises(LookupError, match=r"@app\.endpoint\('nothing'\)"):
        app.test_client().get("/nothing")


def test_a_rule_without_endpoint_and_view_is_refused(app: Kolben) -> None:
    with pytest.raises(TypeError, match="needs an endpoint or a view"):
        app.add_url_rule("/")


def test_methods_may_not_be_a_string(app: Kolben) -> None:
    with pytest.raises(TypeError, match="list of strings"):
        app.route("/", methods="POST")(lambda: "")
    with pytest.raises(TypeError, match="list of strings"):
        Blueprint("bp", __name__).route("/", methods="POST")(lambda: "")


def test_method_decorators_take_no_methods(app: Kolben) -> None:
    with pytest.raises(TypeError, match="'route' decorator"):
        app.get("/", methods=["POST"])
    with pytest.raises(TypeError, match="'route' decorator"):
        Blueprint("bp", __name__).post("/", methods=["POST"])


def test_methods_are_case_insensitive_at_registration(app: Kolben) -> None:
    app.add_url_rule("/", "index", lambda: "done", methods=["post"])
    assert text(app, "/", "POST") == "done"


def test_an_endpoint_overwritten_names_both_places(app: Kolben) -> None:
    def first() -> str:
        return "1"

    def second() -> str:
        return "2"

    app.add_url_rule("/1", "same", first)
    with pytest.raises(AssertionError, match="existing endpoint function: same") as caught:
        app.add_url_rule("/2", "same", second)
    for function in (first, second):
        place = f"{Path(__file__).name}, line {function.__code__.co_firstlineno}"
        assert place in str(caught.value)
    app.add_url_rule("/3", "same", first)  # the same view may have several rules
    assert text(app, "/3") == "1"


def test_methods_of_the_view_are_taken(app: Kolben) -> None:
    def view() -> str:
        return request.method

    view.methods = ["POST", "put"]  # type: ignore[attr-defined]
    app.add_url_rule("/", view_func=view)
    assert text(app, "/", "PUT") == "PUT"
    assert app.test_client().get("/").status_code == 405


def test_required_methods_of_the_view_are_added(app: Kolben) -> None:
    def view() -> str:
        return request.method

    view.required_methods = ["PUT"]  # type: ignore[attr-defined]
    app.add_url_rule("/", view_func=view, methods=["GET"])
    assert text(app, "/", "PUT") == "PUT"
    assert view.required_methods == ["PUT"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("on_view", [True, False])
def test_automatic_options_can_be_declined(app: Kolben, on_view: bool) -> None:
    def view() -> str:
        return "seen"

    if on_view:
        view.provide_automatic_options = False  # type: ignore[attr-defined]
        app.add_url_rule("/", view_func=view)
    else:
        app.add_url_rule("/", view_func=view, provide_automatic_options=False)
    assert app.test_client().options("/").status_code == 405


def test_the_configuration_can_decline_automatic_options(app: Kolben) -> None:
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.add_url_rule("/", "index", lambda: "seen")
    assert app.test_client().options("/").status_code == 405


def test_a_view_may_answer_options_itself(app: Kolben) -> None:
    @app.route("/", methods=["GET", "OPTIONS"])
    def view() -> str:
        return f"mine {request.method}"

    assert text(app, "/", "OPTIONS") == "mine OPTIONS"


def test_options_are_answered_with_all_methods_of_the_path(app: Kolben) -> None:
    calls: list[str] = []

    @app.before_request
    def before() -> None:
        calls.append("before")

    @app.get("/")
    async def get() -> str:
        calls.append("view")
        return ""

    @app.post("/")
    def post() -> str:
        calls.append("view")
        return ""

    response = app.test_client().options("/")
    assert response.status_code == 200
    assert set(response.allow) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert response.data == b""
    assert calls == ["before"]


def test_head_runs_the_view_and_sends_no_body(app: Kolben) -> None:
    @app.get("/")
    def view() -> str:
        return request.method

    response = app.test_client().head("/")
    assert response.data == b""
    assert response.headers["Content-Length"] == "4"


def test_a_wrong_method_is_answered_with_those_that_are_right(app: Kolben) -> None:
    app.add_url_rule("/", "index", lambda: "", methods=["POST", "PUT"])
    response = app.test_client().get("/")
    assert response.status_code == 405
    assert set(response.allow) == {"OPTIONS", "POST", "PUT"}


def test_nothing_can_be_registered_after_the_first_request(app: Kolben) -> None:
    app.test_client().get("/")
    late: list[Any] = [
        lambda: app.route("/x")(lambda: ""),
        lambda: app.add_url_rule("/x", "x", lambda: ""),
        lambda: app.endpoint("x"),
        lambda: app.before_request(lambda: None),
        lambda: app.after_request(lambda r: r),
        lambda: app.teardown_request(lambda e: None),
        lambda: app.teardown_appcontext(lambda e: None),
        lambda: app.context_processor(dict),
        lambda: app.url_value_preprocessor(lambda e, v: None),
        lambda: app.url_defaults(lambda e, v: None),
        lambda: app.errorhandler(404),
        lambda: app.register_error_handler(404, lambda e: ""),
        lambda: app.register_blueprint(Blueprint("x", __name__)),
        lambda: app.add_template_filter(str, "x"),
        lambda: app.add_template_test(bool, "x"),
        lambda: app.add_template_global(str, "x"),
        lambda: app.shell_context_processor(dict),
        lambda: app.before_serving(lambda: None),
    ]
    for register in late:
        with pytest.raises(AssertionError, match="already handled its first request"):
            register()


# Error handlers -------------------------------------------------------------------------------


def test_unknown_codes_and_wrong_classes_are_refused(app: Kolben) -> None:
    with pytest.raises(ValueError, match="not a recognized HTTP error code"):
        app.register_error_handler(999, lambda e: "")
    with pytest.raises(TypeError, match="is an instance"):
        app.register_error_handler(NotFound(), lambda e: "")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a subclass of Exception"):
        app.register_error_handler(int, lambda e: "")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a subclass of Exception"):
        app.register_error_handler(KeyboardInterrupt, lambda e: "")  # type: ignore[arg-type]


class Grand(Exception):
    pass


class Parent(Grand):
    pass


class Child(Parent):
    pass


def test_the_most_specific_class_handles(app: Kolben) -> None:
    app.register_error_handler(Exception, lambda e: "exception")
    app.register_error_handler(Grand, lambda e: "grand")
    app.register_error_handler(Parent, lambda e: "parent")
    errors = {"/grand": Grand, "/parent": Parent, "/child": Child, "/other": ZeroDivisionError}

    @app.route("/<name>")
    async def fail(name: str) -> str:
        raise errors[f"/{name}"]

    found = {path: text(app, path) for path in errors}
    assert found == {
        "/grand": "grand",
        "/parent": "parent",
        "/child": "parent",
        "/other": "exception",
    }


@pytest.fixture
def both(app: Kolben) -> tuple[Kolben, Blueprint]:
    bp = Blueprint("bp", __name__, url_prefix="/bp")

    @bp.route("/<int:code>")
    def in_blueprint(code: int) -> Response:
        return abort(code)

    @bp.route("/error")
    def error_in_blueprint() -> str:
        raise Child

    @app.route("/<int:code>")
    def in_app(code: int) -> Response:
        return abort(code)

    return app, bp


def test_a_code_wins_over_a_class_even_on_the_app(both: tuple[Kolben, Blueprint]) -> None:
    app, bp = both
    app.register_error_handler(404, lambda e: "app 404")
    bp.register_error_handler(HTTPException, lambda e: "bp http")
    app.register_blueprint(bp)
    assert text(app, "/bp/404") == "app 404"
    assert text(app, "/bp/403") == "bp http"
    assert app.test_client().get("/403").status_code == 403


def test_a_blueprint_wins_over_the_app(both: tuple[Kolben, Blueprint]) -> None:
    app, bp = both
    app.register_error_handler(404, lambda e: "app")
    bp.register_error_handler(404, lambda e: "bp")
    app.register_error_handler(Child, lambda e: "app child")
    bp.register_error_handler(Exception, lambda e: "bp exception")
    app.register_blueprint(bp)
    assert text(app, "/bp/404") == "bp"
    assert text(app, "/404") == "app"
    assert text(app, "/bp/error") == "bp exception"


def test_no_blueprint_handles_a_path_that_no_rule_has(both: tuple[Kolben, Blueprint]) -> None:
    app, bp = both
    app.register_error_handler(404, lambda e: "app")
    bp.register_error_handler(404, lambda e: "bp")
    app.register_blueprint(bp)
    assert text(app, "/bp/none/such") == "app"


def test_the_app_form_on_a_blueprint_is_for_all(both: tuple[Kolben, Blueprint]) -> None:
    app, bp = both
    bp.app_errorhandler(404)(lambda e: "everywhere")
    app.register_blueprint(bp)
    assert text(app, "/404") == "everywhere"
    assert text(app, "/no/rule") == "everywhere"


def test_a_handler_for_http_exceptions_sees_the_code(both: tuple[Kolben, Blueprint]) -> None:
    app, _ = both
    app.register_error_handler(HTTPException, lambda e: (f"http {e.code}", e.code))
    response = app.test_client().get("/418")
    assert (response.status_code, response.text) == (418, "http 418")


def test_a_handler_for_exception_sees_http_errors_too(both: tuple[Kolben, Blueprint]) -> None:
    app, _ = both
    app.register_error_handler(Exception, lambda e: f"any {type(e).__name__}")
    assert text(app, "/404") == "any NotFound"
    assert text(app, "/") == "any NotFound"


@pytest.mark.parametrize("key", [500, InternalServerError])
def test_a_handler_for_500_sees_the_original(app: Kolben, key: Any) -> None:
    @app.errorhandler(key)
    def handle(error: InternalServerError) -> tuple[str, int]:
        return f"{type(error.original_exception).__name__}", 500

    @app.route("/abort")
    def aborts() -> Response:
        return abort(500)

    @app.route("/error")
    def fails() -> str:
        raise Grand

    assert text(app, "/abort") == "NoneType"
    response = app.test_client().get("/error")
    assert (response.status_code, response.text) == (500, "Grand")


def test_a_subclass_of_an_http_error_keeps_to_its_own_handler(app: Kolben) -> None:
    class Missing(NotFound):
        pass

    app.register_error_handler(Missing, lambda e: "missing")
    app.register_error_handler(404, lambda e: "404")

    @app.route("/missing")
    def missing() -> str:
        raise Missing

    assert text(app, "/missing") == "missing"
    assert text(app, "/else") == "404"


@pytest.mark.parametrize("async_view", [True, False])
@pytest.mark.parametrize("async_handler", [True, False])
def test_handlers_are_of_either_colour(app: Kolben, async_view: bool, async_handler: bool) -> None:
    if async_handler:

        @app.errorhandler(Grand)
        async def handle_async(error: Grand) -> str:
            return f"{error} {request.path}"
    else:

        @app.errorhandler(Grand)
        def handle(error: Grand) -> str:
            return f"{error} {request.path}"

    if async_view:

        @app.get("/")
        async def view_async() -> str:
            raise Grand("oh")
    else:

        @app.get("/")
        def view() -> str:
            raise Grand("oh")

    assert text(app, "/") == "oh /"


# Files and commands ---------------------------------------------------------------------------


def test_static_folder_and_url_path() -> None:
    assert Kolben("a").static_url_path == "/static"
    assert Kolben("a", static_folder="assets/files").static_url_path == "/files"
    assert Kolben("a", static_folder="files/", static_url_path="/f/").static_url_path == "/f"
    assert Kolben("a", static_folder=Path("files")).static_url_path == "/files"
    none = Kolben("a", static_folder=None)
    assert none.static_folder is None
    assert none.static_url_path is None
    assert not none.has_static_folder
    with pytest.raises(RuntimeError, match="static_folder"):
        none.send_static_file("x")


def test_static_files_at_the_root(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("file")
    app = Kolben("a", static_folder=tmp_path, static_url_path="")
    app.add_url_rule("/", "index", lambda: "index")
    assert text(app, "/a.txt") == "file"
    assert text(app, "/") == "index"


def test_commands_are_grouped_by_name(app: Kolben) -> None:
    @app.cli.command("hello")
    def hello() -> None:
        print("hello")

    assert app.test_cli_runner().invoke(args=["hello"]).output == "hello\n"


def test_resources_are_opened_for_reading_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ä", encoding="utf-8")
    app = Kolben("a", root_path=str(tmp_path))
    with app.open_resource("a.txt") as file:
        assert file.read() == "ä".encode()
    with app.open_resource("a.txt", "r") as file:
        assert file.read() == "ä"
    with pytest.raises(ValueError, match="for reading"):
        app.open_resource("a.txt", "w")
