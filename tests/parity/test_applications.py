"""Blueprints, class-based views, configuration, signals, templates, contexts, commands."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import click
import pytest

from .conftest import ALL


def nested(fw: Any) -> Any:
    app = fw.app()

    def bp(name: str, **kwargs: Any) -> Any:
        blueprint = fw.Blueprint(name, "parity", **kwargs)

        @blueprint.get("/")
        @fw.colour
        def index(**values: Any) -> Any:
            return {
                "endpoint": fw.request.endpoint,
                "blueprints": fw.request.blueprints,
                "values": values,
                "here": fw.url_for(".index", **values),
                "app": fw.url_for("index"),
            }

        @blueprint.route("/x", endpoint="other", methods=["GET", "POST"])
        @fw.colour
        def view(**values: Any) -> Any:
            return f"{fw.request.method} {fw.request.endpoint}"

        @blueprint.get("")
        @fw.colour
        def bare(**values: Any) -> Any:
            return f"bare {fw.request.path}"

        return blueprint

    @app.get("/")
    @fw.colour
    def index() -> Any:
        return sorted(
            f"{rule} {rule.endpoint} {sorted(rule.methods)}" for rule in app.url_map.iter_rules()
        )

    app.register_blueprint(bp("one", url_prefix="/one"))
    app.register_blueprint(bp("two"), url_prefix="/two/")
    app.register_blueprint(bp("three", url_prefix="/<lang>"), name="drei")
    app.register_blueprint(
        bp("four", url_prefix="/f", url_defaults={"a": 1}), url_defaults={"b": 2}
    )
    parent, child, grandchild = bp("parent", url_prefix="/p"), bp("child"), bp("g", url_prefix="g")
    child.register_blueprint(grandchild)
    parent.register_blueprint(child, url_prefix="/c/")
    parent.register_blueprint(bp("child2", url_prefix="/c2"), name="again")
    app.register_blueprint(parent)
    app.register_blueprint(parent, url_prefix="/p2", name="other")
    return app


def test_blueprints(compare: Any) -> None:
    bases = "/one /two /en /f /p /p/c /p/c/g /p/c2 /p2 /p2/c /p2/c/g".split()
    compare(nested, "/", *(f"{base}{end}" for base in bases for end in ("", "/", "/x", "/y")))


def test_what_registration_refuses() -> None:
    def attempt(fw: Any, what: int) -> Any:
        app = fw.app()
        bp = fw.Blueprint("bp", "parity")

        def view() -> Any:
            return "x"

        def other() -> Any:
            return "y"

        attempts: list[Any] = [
            lambda: [app.add_url_rule("/", "a", view), app.add_url_rule("/b", "a", other)],
            lambda: [app.add_url_rule("/", "a", view), app.add_url_rule("/b", "a", view)],
            lambda: [app.register_blueprint(bp), app.register_blueprint(bp)],
            lambda: [app.register_blueprint(bp), app.register_blueprint(bp, name="b")],
            lambda: [
                app.register_blueprint(bp),
                app.register_blueprint(fw.Blueprint("bp", "parity")),
            ],
            lambda: [app.register_blueprint(bp), bp.add_url_rule("/", "a", view)],
            lambda: bp.register_blueprint(bp),
            lambda: fw.Blueprint("a.b", "parity"),
            lambda: fw.Blueprint("", "parity"),
            lambda: bp.add_url_rule("/", "a.b", view),
            lambda: app.add_url_rule("no-slash", "a", view),
            lambda: app.add_url_rule("/", "a", view, methods="GET"),
            lambda: app.get("/", methods=["GET"]),
            lambda: app.add_url_rule("/<nothing:a>", "a", view),
            lambda: app.add_url_rule("/<a", "a", view),
            lambda: app.register_error_handler(999, view),
            lambda: app.register_error_handler(list, view),
            lambda: app.register_error_handler(ValueError(), view),
            lambda: [app.test_client().get("/"), app.add_url_rule("/", "a", view)],
            lambda: [app.test_client().get("/"), app.before_request(view)],
            lambda: [app.test_client().get("/"), app.register_blueprint(bp)],
            lambda: [app.test_client().get("/"), app.errorhandler(404)],
            lambda: fw.App("x", instance_path="relative"),
            lambda: fw.App("x", static_host="x"),
            lambda: fw.App("x", host_matching=True),
            lambda: fw.App("x", static_folder=None, host_matching=True),
        ]
        try:
            attempts[what]()
        except Exception as error:
            return type(error).__name__
        return "accepted"

    for what in range(26):
        assert len({attempt(fw, what) for fw in ALL}) == 1, what


def test_class_based_views(compare: Any) -> None:
    def build(fw: Any) -> Any:
        views = __import__(f"{fw.package.__name__}.views", fromlist=["x"])
        app = fw.app()
        made: list[int] = []

        def shout(f: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                return app.ensure_sync(f)(*args, **kwargs).upper()

            return call

        class Items(views.MethodView):  # type: ignore[misc]
            @fw.colour
            def get(self, id: int | None = None) -> Any:
                return f"get {id}"

            @fw.colour
            def post(self) -> Any:
                return "post"

            @fw.colour
            def delete(self, id: int) -> Any:
                return f"delete {id}"

        class More(Items):
            init_every_request = False

            def __init__(self) -> None:
                made.append(1)

            @fw.colour
            def put(self, id: int) -> Any:
                return f"put {id} {len(made)}"

        class Plain(views.View):  # type: ignore[misc]
            methods = ["GET", "POST"]
            decorators = [shout]

            def __init__(self, word: str) -> None:
                self.word = word

            @fw.colour
            def dispatch_request(self, **values: Any) -> Any:
                return f"{fw.request.method} {self.word} {values}"

        class Silent(views.View):  # type: ignore[misc]
            provide_automatic_options = False

            @fw.colour
            def dispatch_request(self) -> Any:
                return "silent"

        items = Items.as_view("items")
        app.add_url_rule("/items/", view_func=items, methods=["GET", "POST"])
        app.add_url_rule("/items/<int:id>", view_func=items, methods=["GET", "DELETE"])
        app.add_url_rule("/more/<int:id>", view_func=More.as_view("more"))
        app.add_url_rule("/plain/<x>", view_func=Plain.as_view("plain", "word"))
        app.add_url_rule("/silent", view_func=Silent.as_view("silent"))
        return app

    methods = "GET HEAD POST PUT PATCH DELETE OPTIONS".split()
    paths = "/items/ /items/3 /more/4 /plain/a /silent".split()
    compare(build, *((method, path) for path in paths for method in methods))


def test_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.py").write_text("A = 1\nb = 2\nC_D = [1, 'x']\n__E__ = 3\n")
    (tmp_path / "config.json").write_text(json.dumps({"A": {"B": 1}, "low": 2}))
    (tmp_path / "bad.py").write_text("A = = 1")
    prefix: dict[str, str] = {
        "A": "text",
        "N": "5",
        "L": "[1, 2]",
        "B": "true",
        "QUOTED": '"x"',
        "BAD": "{x",
        "NEST__K": "1",
        "NEST__DEEP__K": '"v"',
        "DB__PORT": "7",
        "low": "1",
        "EMPTY": "",
    }

    class Settings:
        UPPER = 1
        lower = 2
        _HIDDEN = 3

        @property
        def PROPERTY(self) -> int:
            return 5

    def load(fw: Any) -> Any:
        name = "FLASK" if fw.is_flask else "KOLBEN"
        for key, value in prefix.items():
            monkeypatch.setenv(f"{name}_X_{key}", value)
        monkeypatch.setenv("PARITY_CONFIG", str(tmp_path / "config.py"))
        results: list[Any] = []

        def step(method: str, *args: Any, **kwargs: Any) -> None:
            config = fw.Config(tmp_path, {"DB": {"HOST": "h"}})
            try:
                result = getattr(config, method)(*args, **kwargs)
            except Exception as error:
                result = type(error).__name__.replace("ImportString", "Import")
            results.append((method, result, dict(config)))

        step("from_pyfile", "config.py")
        step("from_pyfile", str(tmp_path / "config.py"))
        step("from_pyfile", "nothing.py")
        step("from_pyfile", "nothing.py", silent=True)
        step("from_pyfile", "bad.py", silent=True)
        step("from_file", "config.json", load=json.load)
        step("from_file", "config.json", load=lambda f: json.loads(f.read().decode()), text=False)
        step("from_file", "nothing.json", load=json.load, silent=True)
        step("from_envvar", "PARITY_CONFIG")
        step("from_envvar", "PARITY_NOTHING")
        step("from_envvar", "PARITY_NOTHING", silent=True)
        step("from_prefixed_env", f"{name}_X")
        step("from_prefixed_env", f"{name}_X", loads=lambda value: value * 2)
        step("from_mapping", {"A": 1, "b": 2}, C=3, d=4)
        step("from_mapping", [("A", 1)])
        step("from_mapping")
        step("from_object", Settings)
        step("from_object", Settings())
        step("from_object", "nothing.here")
        step("get_namespace", "D")
        step("get_namespace", "D", lowercase=False, trim_namespace=False)
        app = fw.App("parity", root_path=str(tmp_path), instance_path=str(tmp_path / "i"))
        results.append([app.config["DB"] if "DB" in app.config else None, app.root_path])
        app.config["PERMANENT_SESSION_LIFETIME"] = 60
        app.secret_key, app.testing = "k", True
        app.debug = True
        results.append(
            [
                app.permanent_session_lifetime == datetime.timedelta(seconds=60),
                app.config["SECRET_KEY"],
                app.config["TESTING"],
                app.config["DEBUG"],
                app.name,
                app.instance_path == str(tmp_path / "i"),
                app.static_folder == str(tmp_path / "static"),
                app.static_url_path,
                app.template_folder,
                app.has_static_folder,
                app.extensions,
            ]
        )
        return results

    expected = load(ALL[0])
    for fw in ALL[1:]:
        assert load(fw) == expected


def test_defaults_of_the_configuration() -> None:
    flask, kolben = ALL[0].App("parity").config, ALL[1].App("parity").config
    different = {
        "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": None,
    }
    for key, value in flask.items():
        assert kolben[key] == different.get(key, value), key


SIGNALS = (
    "appcontext_popped appcontext_pushed appcontext_tearing_down before_render_template"
    " got_request_exception message_flashed request_finished request_started"
    " request_tearing_down template_rendered"
).split()


def test_signals(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()
        app.log_exception = lambda exc_info: None
        seen: list[Any] = []
        app.extensions["keep"] = keep = []

        for name in SIGNALS:

            def receive(sender: Any, name: str = name, **values: Any) -> None:
                shown = sorted((key, type(value).__name__) for key, value in values.items())
                seen.append([name, sender is app, [pair for pair in shown if pair[0] != "context"]])

            keep.append(receive)
            getattr(fw, name).connect(receive, app)

        @app.get("/")
        @fw.colour
        def index() -> Any:
            fw.flash("x")
            return fw.render_template_string("{{ 1 }}")

        @app.get("/fail")
        @fw.colour
        def fail() -> Any:
            raise ValueError

        app.extensions["seen"] = seen
        return app

    def ask(path: str) -> Any:
        def asking(fw: Any, client: Any) -> Any:
            seen = client.application.extensions["seen"]
            seen.clear()
            client.get(path)
            # A template that has no name is of another class in each framework.
            return json.loads(json.dumps(seen).replace("RequestContext", "Context"))

        return asking

    def by_hand(fw: Any, client: Any) -> Any:
        app = client.application
        seen = app.extensions["seen"]
        seen.clear()
        with app.app_context():
            seen.append("inside")
        with app.test_request_context("/"):
            seen.append("inside")
        return list(seen)

    compare(build, ask("/"), ask("/fail"), ask("/nothing"), by_hand)


TEMPLATES = {
    "base.html": "<{% block b %}{% endblock %}|{{ shared }}|{{ own }}>",
    "page.html": "{% extends 'base.html' %}{% block b %}{{ value }}{% endblock %}",
    "text.txt": "{{ value }}",
    "x.xml": "{{ value }}",
    "macro.html": "{% macro hello(name) %}Hello {{ name }}{% endmacro %}{% set n = 5 %}",
    "context.html": "{{ request.path }} {{ g.x }} {{ session.get('s') }} {{ config.SECRET_KEY }}"
    " {{ url_for('index') }} {{ get_flashed_messages() }}",
    "included.html": "{% include 'shared.html' %}{% import 'with.html' as w with context %}{{ w.m() }}",
    "with.html": "{% macro m() %}{{ request.method }}{% endmacro %}",
    "shared.html": "app",
}


def templates(fw: Any, root: Path) -> Any:
    for folder in ("templates", "bp_templates"):
        (root / folder).mkdir(exist_ok=True)
    for name, text in TEMPLATES.items():
        (root / "templates" / name).write_text(text)
    (root / "bp_templates/shared.html").write_text("blueprint")
    (root / "bp_templates/only.html").write_text("only {{ bp_value }}{{ shared }}")
    app = fw.app(root_path=str(root))
    bp = fw.Blueprint("bp", "parity", template_folder="bp_templates", root_path=str(root))
    app.log_exception = lambda exc_info: None

    @app.context_processor
    @fw.colour if fw.is_flask else (lambda f: f)
    def shared() -> Any:
        return {"shared": "processor", "value": "from the processor"}

    @bp.context_processor
    def of_blueprint() -> Any:
        return {"bp_value": 5}

    @bp.app_context_processor
    def of_all() -> Any:
        return {"own": "from the blueprint"}

    @app.template_filter()
    def double(value: Any) -> Any:
        return value * 2

    @app.template_filter("back")
    def reverse(value: Any) -> Any:
        return value[::-1]

    @app.template_test("big")
    def is_big(value: Any) -> Any:
        return value > 10

    @app.template_global()
    def answer() -> Any:
        return 42

    @bp.app_template_filter("bpf")
    def bp_filter(value: Any) -> Any:
        return f"[{value}]"

    @app.get("/")
    @fw.colour
    def index() -> Any:
        return "index"

    def render(name: str) -> Any:
        fw.g.x = "g"
        return fw.render_template(name, value="<b>")

    app.add_url_rule("/t/<name>", "t", fw.colour(render))
    bp.add_url_rule("/bp/<name>", "t", fw.colour(render))

    @app.get("/plain/<name>")
    @fw.colour
    def plain(name: str) -> Any:
        return fw.render_template(name)

    @app.get("/choose")
    @fw.colour
    def choose() -> Any:
        return fw.render_template(["nothing.html", "shared.html"])

    @app.get("/string")
    @fw.colour
    def string() -> Any:
        return fw.render_template_string(
            "{{ v }} {{ v|safe }} {{ 3|double }} {{ 'ab'|back }} {{ 11 is big }} {{ answer() }}"
            " {{ 1|bpf }} {% autoescape false %}{{ v }}{% endautoescape %} {{ v|tojson }}",
            v="<&'\">",
        )

    @app.get("/stream")
    @fw.colour
    def stream() -> Any:
        return fw.stream_template("page.html", value=fw.request.args["q"])

    @app.get("/stream-string")
    @fw.colour
    def stream_string() -> Any:
        return fw.stream_template_string(
            "{% for i in x %}{{ i }}{{ request.path }}{% endfor %}", x="ab"
        )

    @app.get("/attribute")
    @fw.colour
    def attribute() -> Any:
        hello = fw.get_template_attribute("macro.html", "hello")
        return f"{hello('<x>')} {fw.get_template_attribute('macro.html', 'n')}"

    app.register_blueprint(bp)
    return app


def test_templates(compare: Any, tmp_path: Path) -> None:
    names = [*TEMPLATES, "only.html", "nothing.html"]
    compare(
        lambda fw: templates(fw, tmp_path),
        *(f"/{base}/{name}" for base in ("t", "bp", "plain") for name in names),
        "/choose",
        "/string",
        "/stream?q=%3C",
        "/stream-string",
        "/attribute",
    )


def test_templates_without_a_request(framework: Any, tmp_path: Path) -> None:
    app = templates(framework, tmp_path)
    with app.app_context():
        found = framework.render_template("page.html", value="<")
    assert found == "<&lt;|processor|from the blueprint>"


def test_contexts(framework: Any) -> None:
    app = framework.app(SERVER_NAME="example.org")
    fw = framework
    order: list[Any] = []
    app.teardown_appcontext(lambda error: order.append(("app", repr(error))))
    app.teardown_request(lambda error: order.append(("request", repr(error))))

    assert not fw.has_app_context() and not fw.has_request_context()
    for name in ("current_app", "g", "request", "session"):
        assert not getattr(fw, name)
        with pytest.raises(RuntimeError, match="Working outside of"):
            str(getattr(fw, name))
    with app.app_context():
        fw.g.x = 1
        assert fw.has_app_context() and not fw.has_request_context()
        assert fw.current_app == app and fw.current_app._get_current_object() is app
        with app.test_request_context("/a?b=c", method="POST", json={"d": 1}):
            assert fw.request.args["b"] == "c" and fw.request.json == {"d": 1}
            assert fw.g.x == 1
            fw.session["s"] = 1
        assert order == [("request", "None")]
        assert "x" in fw.g and fw.g.get("y", 2) == 2 and list(fw.g) == ["x"]
        assert fw.g.pop("x") == 1 and fw.g.setdefault("z", 3) == 3
        with pytest.raises(AttributeError):
            fw.g.x
    assert order == [("request", "None"), ("app", "None")]
    order.clear()
    with pytest.raises(ZeroDivisionError), app.test_request_context("/"):
        1 / 0
    assert [name for name, error in order] == ["request", "app"]
    assert all("ZeroDivisionError" in error for _, error in order)


def test_the_client(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        @fw.colour
        def echo() -> Any:
            fw.g.seen = "in the view"
            return {
                "method": fw.request.method,
                "args": list(fw.request.args.items(multi=True)),
                "form": list(fw.request.form.items(multi=True)),
                "json": fw.request.get_json(silent=True),
                "type": fw.request.content_type,
                "url": fw.request.url,
                "auth": str(fw.request.authorization),
                "header": fw.request.headers.get("X-A"),
            }

        @app.route("/go/<int:code>/<int:n>", methods=["GET", "POST"])
        @fw.colour
        def go(code: int, n: int) -> Any:
            response = fw.redirect(fw.url_for("go", code=code, n=n - 1) if n else "/echo", code)
            response.set_cookie(f"c{n}", str(n))
            return response

        @app.post("/echo/")
        @fw.colour
        def slash() -> Any:
            return fw.request.form.get("a", "none")

        @app.get("/cookies")
        @fw.colour
        def cookies() -> Any:
            return sorted(fw.request.cookies.items())

        return app

    def history(fw: Any, client: Any) -> Any:
        response = client.get("/go/302/3", follow_redirects=True)
        return [
            response.status_code,
            response.request.path,
            [(each.status_code, each.location, each.request.path) for each in response.history],
        ]

    def inside(fw: Any, client: Any) -> Any:
        with client:
            client.post("/echo?q=1", data={"a": "b"})
            return [fw.g.seen, fw.request.args["q"], fw.request.form["a"], fw.request.endpoint]

    def jar(fw: Any, client: Any) -> Any:
        client.set_cookie("own", "ä b", path="/")
        client.set_cookie("other", "x", domain="example.org")
        client.set_cookie("deep", "y", path="/deep")
        before = client.get("/cookies").json
        cookie = client.get_cookie("own")
        client.delete_cookie("own")
        return [before, client.get("/cookies").json, cookie.value, cookie.key, cookie.path]

    def builder(fw: Any, client: Any) -> Any:
        response = client.get("/echo", query_string={"a": ["1", "2"]}, headers={"X-A": "ä"})
        return [response.json, response.text, response.mimetype, response.is_json]

    compare(
        build,
        ("POST", "/echo", {"json": {"a": [1]}}),
        ("POST", "/echo?x=1", {"data": {"a": ["1", "2"]}}),
        ("PUT", "/echo", {"data": "text", "content_type": "text/plain"}),
        ("PATCH", "/echo", {"data": b"x", "headers": {"Content-Type": "a/b"}}),
        ("DELETE", "/echo", {"query_string": "a=b&c"}),
        ("GET", "/echo", {"auth": ("user", "pass")}),
        ("GET", "/echo", {"base_url": "https://example.org"}),
        ("GET", "https://example.com/echo"),
        history,
        ("GET", "/cookies"),
        *(
            (method, f"/go/{code}/1", {"follow_redirects": True, **kwargs})
            for code in (301, 302, 303, 307, 308)
            for method, kwargs in (("GET", {}), ("POST", {"data": {"a": "b"}}), ("HEAD", {}))
        ),
        jar,
        builder,
    )
    compare(build, inside, over_wsgi=False)


def test_commands(framework: Any) -> None:
    app = framework.app()
    bp = framework.Blueprint("bp", "parity")

    @app.cli.command("greet")
    @click.argument("name")
    @framework.colour
    def greet(name: str) -> None:
        click.echo(f"Hello {name} from {framework.current_app.name}")

    @bp.cli.command("inside")
    @framework.colour
    def inside() -> None:
        click.echo("inside")

    app.register_blueprint(bp)
    app.add_url_rule("/a/<int:b>", "a", lambda b: "", methods=["POST"])
    runner = app.test_cli_runner()
    assert runner.invoke(args=["greet", "Ada"]).output == "Hello Ada from parity\n"
    assert runner.invoke(args=["bp", "inside"]).output == "inside\n"
    assert runner.invoke(args=["nothing"]).exit_code == 2
    commands = __import__(f"{framework.package.__name__}.cli", fromlist=["x"])
    group = commands.FlaskGroup(create_app=lambda: app)
    lines = runner.invoke(group, args=["routes"]).output.splitlines()
    assert [line.split() for line in lines if not line.startswith("-")] == [
        ["Endpoint", "Methods", "Rule"],
        ["a", "POST", "/a/<int:b>"],
        ["static", "GET", "/static/<path:filename>"],
    ]
