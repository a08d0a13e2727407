"""Blueprints: recorded now, applied at registration, nested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kolben import Blueprint, Kolben, g, render_template, request, url_for
from kolben.registry.blueprints import BlueprintSetupState


@pytest.fixture
def app() -> Kolben:
    app = Kolben("registered")
    app.testing = True
    return app


def text(app: Kolben, path: str, **kwargs: Any) -> str:
    return app.test_client().get(path, **kwargs).text


def endpoint() -> str:
    return f"{request.endpoint} {request.blueprint} {request.blueprints} {request.view_args}"


def test_names_and_dots_are_checked() -> None:
    with pytest.raises(ValueError, match="may not be empty"):
        Blueprint("", __name__)
    with pytest.raises(ValueError, match="dot"):
        Blueprint("a.b", __name__)
    bp = Blueprint("a", __name__)
    with pytest.raises(ValueError, match="'endpoint' may not contain a dot"):
        bp.add_url_rule("/", "a.b", lambda: "")

    def view() -> str:
        return ""

    view.__name__ = "a.b"
    with pytest.raises(ValueError, match="'view_func' name may not contain a dot"):
        bp.add_url_rule("/", view_func=view)


def test_a_name_may_be_registered_once(app: Kolben) -> None:
    bp = Blueprint("bp", __name__)
    app.register_blueprint(bp)
    with pytest.raises(ValueError, match="already registered for this blueprint"):
        app.register_blueprint(bp)
    with pytest.raises(ValueError, match="already registered for a different blueprint"):
        app.register_blueprint(Blueprint("bp", __name__))
    app.register_blueprint(bp, name="again")
    assert list(app.blueprints) == ["bp", "again"]
    assert list(app.iter_blueprints()) == [bp, bp]


def test_a_registered_blueprint_does_not_change_any_more(app: Kolben) -> None:
    bp = Blueprint("bp", __name__)
    app.register_blueprint(bp)
    late: list[Any] = [
        lambda: bp.route("/")(lambda: ""),
        lambda: bp.endpoint("x"),
        lambda: bp.before_request(lambda: None),
        lambda: bp.after_request(lambda r: r),
        lambda: bp.teardown_request(lambda e: None),
        lambda: bp.errorhandler(404),
        lambda: bp.app_errorhandler(404)(lambda e: ""),
        lambda: bp.before_app_request(lambda: None),
        lambda: bp.record(lambda s: None),
        lambda: bp.app_template_filter()(str),
        lambda: bp.register_blueprint(Blueprint("child", __name__)),
    ]
    for register in late:
        with pytest.raises(AssertionError, match="can no longer be called on the blueprint 'bp'"):
            register()


def test_a_blueprint_cannot_hold_itself() -> None:
    bp = Blueprint("bp", __name__)
    with pytest.raises(ValueError, match="on itself"):
        bp.register_blueprint(bp)


@pytest.mark.parametrize(
    ("prefix", "rule", "url"),
    [
        ("/p", "/x", "/p/x"),
        ("/p/", "/x", "/p/x"),
        ("/p", "x", "/p/x"),
        ("/p", "/", "/p/"),
        ("/p", "", "/p"),
        ("/<lang>", "/x", "/en/x"),
        (None, "/x", "/x"),
        ("/", "/x", "/x"),
    ],
)
def test_prefix_and_rule_join(app: Kolben, prefix: str | None, rule: str, url: str) -> None:
    bp = Blueprint("bp", __name__, url_prefix=prefix)
    bp.add_url_rule(rule, "view", lambda **values: "found")
    app.register_blueprint(bp)
    assert text(app, url) == "found"


def test_options_of_the_registration_win(app: Kolben) -> None:
    bp = Blueprint("bp", __name__, url_prefix="/own", url_defaults={"a": 1, "b": 1})
    bp.add_url_rule("/", "view", lambda **values: dict(sorted(values.items())))
    bp.add_url_rule(
        "/more", "more", lambda **values: dict(sorted(values.items())), defaults={"b": 3}
    )
    app.register_blueprint(bp, url_prefix="/given", url_defaults={"b": 2})
    client = app.test_client()
    assert client.get("/given/").json == {"a": 1, "b": 2}
    assert client.get("/given/more").json == {"a": 1, "b": 3}
    assert client.get("/own/").status_code == 404


def test_one_blueprint_under_two_names(app: Kolben) -> None:
    bp = Blueprint("bp", __name__)
    bp.add_url_rule("/", "view", lambda: f"{request.endpoint} {url_for('.view')}")
    app.register_blueprint(bp, url_prefix="/a")
    app.register_blueprint(bp, url_prefix="/b", name="second")
    assert text(app, "/a/") == "bp.view /a/"
    assert text(app, "/b/") == "second.view /b/"


def test_nested_blueprints_add_up(app: Kolben) -> None:
    parent = Blueprint("parent", __name__, url_prefix="/parent")
    child = Blueprint("child", __name__, url_prefix="/child/")
    grand = Blueprint("grand", __name__)
    for bp in (parent, child, grand):
        bp.add_url_rule("/", "view", endpoint)
    parent.register_blueprint(child)
    child.register_blueprint(grand, url_prefix="/grand")
    app.register_blueprint(parent)
    assert text(app, "/parent/").startswith("parent.view parent ['parent']")
    assert text(app, "/parent/child/grand/") == (
        "parent.child.grand.view parent.child.grand"
        " ['parent.child.grand', 'parent.child', 'parent'] {}"
    )


def test_the_same_child_under_two_parents(app: Kolben) -> None:
    child = Blueprint("child", __name__, url_prefix="/c")
    child.add_url_rule("/", "view", endpoint)
    for name in ("one", "two"):
        parent = Blueprint(name, __name__, url_prefix=f"/{name}")
        parent.register_blueprint(child)
        parent.register_blueprint(child, name="other", url_prefix="/o")
        app.register_blueprint(parent)
    assert [text(app, path).split()[0] for path in ("/one/c/", "/one/o/", "/two/o/")] == [
        "one.child.view",
        "one.other.view",
        "two.other.view",
    ]


def test_a_prefix_given_at_registration_is_for_the_children_too(app: Kolben) -> None:
    parent, child = Blueprint("parent", __name__), Blueprint("child", __name__)
    child.add_url_rule("/", "view", lambda: "child")
    parent.register_blueprint(child, url_prefix="/child")
    app.register_blueprint(parent, url_prefix="/p")
    assert text(app, "/p/child/") == "child"


def test_subdomains_of_nested_blueprints_add_up() -> None:
    app = Kolben("registered", subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.test"
    parent = Blueprint("parent", __name__, subdomain="parent")
    child = Blueprint("child", __name__, subdomain="api")
    parent.add_url_rule("/", "view", lambda: "parent")
    child.add_url_rule("/", "view", lambda: "child")
    parent.register_blueprint(child)
    app.register_blueprint(parent)
    client = app.test_client()
    assert client.get("/", base_url="http://parent.example.test").text == "parent"
    assert client.get("/", base_url="http://api.parent.example.test").text == "child"
    assert client.get("/", base_url="http://api.example.test").status_code == 404


def test_the_app_forms_are_for_every_request(app: Kolben) -> None:
    bp = Blueprint("bp", __name__, url_prefix="/bp")
    calls: list[str] = []

    @bp.before_app_request
    async def before() -> None:
        calls.append("before")

    @bp.after_app_request
    def after(response: Any) -> Any:
        calls.append("after")
        return response

    @bp.teardown_app_request
    async def teardown(error: BaseException | None) -> None:
        calls.append("teardown")

    @bp.app_url_value_preprocessor
    def values(endpoint: str | None, values: dict[str, Any] | None) -> None:
        calls.append(f"values {endpoint}")

    @bp.app_url_defaults
    def defaults(endpoint: str, values: dict[str, Any]) -> None:
        values["added"] = 1

    @bp.app_context_processor
    async def processor() -> dict[str, Any]:
        return {"name": "processed"}

    bp.app_template_filter("twice")(lambda value: value * 2)
    bp.add_app_template_test(lambda value: value == 4, "four")
    bp.app_template_global("three")(lambda: 3)

    @app.get("/")
    def index() -> str:
        from kolben import render_template_string

        page = "{{ name }} {{ 2|twice }} {{ 4 is four }} {{ three() }} {{ url_for('index') }}"
        return render_template_string(page)

    app.register_blueprint(bp)
    app.register_blueprint(bp, name="second")  # once for the application all the same
    assert text(app, "/") == "processed 4 True 3 /?added=1"
    assert calls == ["values index", "before", "after", "teardown"]


def test_hooks_of_a_blueprint_are_for_its_own_requests(app: Kolben) -> None:
    bp = Blueprint("bp", __name__, url_prefix="/bp")

    @bp.before_request
    def before() -> None:
        g.seen = True

    @bp.url_value_preprocessor
    def values(endpoint: str | None, values: dict[str, Any] | None) -> None:
        assert values is not None
        g.lang = values.pop("lang")

    @bp.url_defaults
    async def defaults(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", g.lang)

    bp.add_url_rule("/<lang>", "view", lambda: f"{g.seen} {g.lang} {url_for('.view')}")
    app.register_blueprint(bp)
    app.add_url_rule("/", "index", lambda: str("seen" in g))
    assert text(app, "/bp/de") == "True de /bp/de"
    assert text(app, "/") == "False"


def test_static_files_and_templates_of_a_blueprint(app: Kolben, tmp_path: Path) -> None:
    for folder in ("static", "templates/bp"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "static/a.txt").write_text("static file")
    (tmp_path / "templates/bp/page.html").write_text("{{ url_for('.static', filename='a.txt') }}")
    bp = Blueprint(
        "bp",
        __name__,
        url_prefix="/bp",
        root_path=str(tmp_path),
        static_folder="static",
        template_folder="templates",
    )
    bp.add_url_rule("/", "page", lambda: render_template("bp/page.html"))
    app.register_blueprint(bp)
    assert text(app, "/bp/") == "/bp/static/a.txt"
    assert text(app, "/bp/static/a.txt") == "static file"
    assert app.test_client().get("/bp/static/../x").status_code == 404


def test_record_sees_each_registration(app: Kolben) -> None:
    bp = Blueprint("bp", __name__)
    states: list[BlueprintSetupState] = []
    firsts: list[BlueprintSetupState] = []
    bp.record(states.append)
    bp.record_once(firsts.append)
    app.register_blueprint(bp, url_prefix="/a")
    app.register_blueprint(bp, name="second", url_prefix="/b")
    assert [(s.app, s.blueprint, s.url_prefix, s.name) for s in states] == [
        (app, bp, "/a", "bp"),
        (app, bp, "/b", "second"),
    ]
    assert [s.first_registration for s in states] == [True, False]
    assert len(firsts) == 1


def test_a_subclass_may_have_its_own_state(app: Kolben) -> None:
    class State(BlueprintSetupState):
        def add_url_rule(self, rule: str, *args: Any, **kwargs: Any) -> None:
            super().add_url_rule(f"/state{rule}", *args, **kwargs)

    class Own(Blueprint):
        def make_setup_state(self, *args: Any, **kwargs: Any) -> State:
            return State(self, *args, **kwargs)

    bp = Own("bp", __name__)
    bp.add_url_rule("/x", "x", lambda: "own")
    app.register_blueprint(bp)
    assert text(app, "/state/x") == "own"


@pytest.mark.parametrize(
    ("given", "registered", "command"),
    [
        ({}, {}, ["bp", "run-it"]),
        ({"cli_group": "group"}, {}, ["group", "run-it"]),
        ({"cli_group": None}, {}, ["run-it"]),
        ({"cli_group": "group"}, {"cli_group": "other"}, ["other", "run-it"]),
        ({}, {"name": "renamed"}, ["renamed", "run-it"]),
    ],
)
def test_commands_of_a_blueprint(
    app: Kolben, given: dict[str, Any], registered: dict[str, Any], command: list[str]
) -> None:
    bp = Blueprint("bp", __name__, **given)

    @bp.cli.command("run-it")
    def run_it() -> None:
        print("ran")

    app.register_blueprint(bp, **registered)
    assert app.test_cli_runner().invoke(args=command).output == "ran\n"


def test_limits_go_from_blueprint_to_children_and_routes(app: Kolben) -> None:
    app.testing = False
    parent = Blueprint("parent", __name__, max_content_length=5)
    child = Blueprint("child", __name__)
    wide = Blueprint("wide", __name__, max_content_length=None)

    def view() -> str:
        return str(len(request.data))

    for bp in (parent, child, wide):
        bp.add_url_rule(f"/{bp.name}", "view", view, methods=["POST"])
    parent.add_url_rule("/route", "route", view, methods=["POST"], max_content_length=20)
    parent.register_blueprint(child)
    parent.register_blueprint(wide)
    app.register_blueprint(parent)
    client = app.test_client()
    found = {
        path: client.post(path, data=b"0123456789").status_code
        for path in ("/parent", "/child", "/wide", "/route")
    }
    assert found == {"/parent": 413, "/child": 413, "/wide": 200, "/route": 200}


def test_endpoint_on_a_blueprint(app: Kolben) -> None:
    bp = Blueprint("bp", __name__)
    bp.add_url_rule("/x", "named")

    @bp.endpoint("named")
    def view() -> str:
        return "named"

    app.register_blueprint(bp)
    assert text(app, "/x") == "named"
