"""The examples of Flask's quickstart and tutorial, in their general shape."""

from __future__ import annotations

import io
from typing import Any


def test_the_first_application(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        @app.route("/")
        @fw.colour
        def hello() -> Any:
            return "<p>Hello, World!</p>"

        return app

    compare(
        build,
        "/",
        ("HEAD", "/"),
        ("OPTIONS", "/"),
        ("POST", "/"),
        ("TRACE", "/"),
        ("BREW", "/"),
        "/nothing",
        ("GET", "/", {"environ_overrides": {"PATH_INFO": "//"}}),
        "/?a=b",
    )


def test_variable_rules(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        def show(**values: Any) -> Any:
            return {key: [type(value).__name__, str(value)] for key, value in values.items()}

        for i, rule in enumerate(
            (
                "/user/<name>",
                "/post/<int:number>",
                "/signed/<int(signed=True):number>",
                "/fixed/<int(fixed_digits=3):number>",
                "/between/<int(min=2, max=4):number>",
                "/float/<float:number>",
                "/path/<path:rest>",
                "/path/<path:rest>/edit",
                "/any/<any(a, b, 'c d'):one>",
                "/uuid/<uuid:key>",
                "/short/<string(maxlength=2):text>",
                "/exact/<string(length=2):text>",
                "/projects/",
                "/about",
                "/a/<x>-<y>/b",
                "/<lang>/page",
            )
        ):
            app.add_url_rule(rule, f"view{i}", fw.colour(show))
        return app

    compare(
        build,
        "/user/ada",
        "/user/ada%20lovelace",
        "/user/%C3%A4",
        "/user/",
        "/user",
        "/user/a/b",
        "/post/7",
        "/post/007",
        "/post/-7",
        "/post/x",
        "/post/7/",
        "/signed/-7",
        "/signed/+7",
        "/fixed/042",
        "/fixed/42",
        "/between/1",
        "/between/2",
        "/between/5",
        "/float/1.5",
        "/float/1",
        "/float/-1.5",
        "/path/a",
        "/path/a/b/c",
        "/path/a/b/edit",
        "/path/a//b",
        "/path/",
        "/any/a",
        "/any/c%20d",
        "/any/d",
        "/uuid/6f1c5b1e-8a64-4b2b-a9f0-1b2c3d4e5f60",
        "/uuid/6F1C5B1E-8A64-4B2B-A9F0-1B2C3D4E5F60",
        "/uuid/nothing",
        "/short/ab",
        "/short/abc",
        "/exact/a",
        "/exact/ab",
        "/projects",
        "/projects/",
        "/projects?q=1&r=%20",
        ("POST", "/projects"),
        "/about",
        "/about/",
        ("GET", "/", {"environ_overrides": {"PATH_INFO": "//about"}}),
        ("GET", "/", {"environ_overrides": {"PATH_INFO": "//evil.example/.."}}),
        ("GET", "/", {"environ_overrides": {"PATH_INFO": "//projects"}}),
        "/user//ada",
        "/a/b-c-d/b",
        "/en/page",
        "/a/page",
    )


def test_login_form(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        @app.route("/login", methods=["GET", "POST"])
        @fw.colour
        def login() -> Any:
            if fw.request.method == "POST":
                if fw.request.form["username"] == fw.request.form["password"]:
                    return f"welcome {fw.request.form['username']}"
                return "invalid", 401
            return f"form {fw.request.args.get('key', '')}"

        return app

    compare(
        build,
        "/login",
        "/login?key=a+b",
        ("POST", "/login", {"data": {"username": "a", "password": "a"}}),
        ("POST", "/login", {"data": {"username": "ä&=", "password": "ä&="}}),
        ("POST", "/login", {"data": {"username": "a", "password": "b"}}),
        ("POST", "/login", {"data": {"username": "a"}}),
        ("POST", "/login"),
        ("PUT", "/login"),
    )


def test_file_upload(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        @app.post("/upload")
        @fw.colour
        def upload() -> Any:
            file = fw.request.files["file"]
            answer = {
                "name": file.filename,
                "field": file.name,
                "type": file.content_type,
                "size": len(file.read()),
                "others": sorted(fw.request.form.items()),
                "all": [each.filename for each in fw.request.files.getlist("file")],
            }
            for each in fw.request.files.getlist("file"):
                each.close()
            return answer

        return app

    def upload(*files: tuple[Any, ...]) -> tuple[Any, ...]:
        def send(fw: Any, client: Any) -> Any:
            data = {"file": [(io.BytesIO(body), *rest) for body, *rest in files], "a": "1"}
            return client.post("/upload", data=data)

        return send  # type: ignore[return-value]

    compare(
        build,
        upload((b"abc", "a.txt")),
        upload((b"abc", "a.bin", "application/x-thing")),
        upload((b"", "ä ö.txt")),
        upload((b"a", "a.txt"), (b"b", "b.txt")),
        upload((b"x" * 70_000, "big.dat")),
        ("POST", "/upload", {"data": {"file": "no file"}}),
        ("POST", "/upload"),
    )


def test_about_responses(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        @app.get("/me")
        @fw.colour
        def me() -> Any:
            return {"username": "ada", "theme": None, "n": [1, 2.5, True]}

        @app.get("/users")
        @fw.colour
        def users() -> Any:
            return [{"id": 1}, {"id": 2}]

        @app.get("/made")
        @fw.colour
        def made() -> Any:
            response = fw.make_response("<p>not found</p>", 404)
            response.headers["X-A"] = "A value"
            return response

        @app.errorhandler(404)
        @fw.colour
        def missing(error: Any) -> Any:
            return f"missing {error.code}", 404

        @app.get("/go")
        @fw.colour
        def go() -> Any:
            return fw.redirect(fw.url_for("me"))

        @app.get("/stop")
        @fw.colour
        def stop() -> Any:
            fw.abort(401)

        return app

    compare(build, "/me", "/users", "/made", "/go", "/stop", "/elsewhere")


def test_a_logged_in_user(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        @app.before_request
        @fw.colour
        def load() -> Any:
            fw.g.user = fw.session.get("user")

        @app.route("/login", methods=["POST"])
        @fw.colour
        def login() -> Any:
            fw.session.clear()
            fw.session["user"] = fw.request.form["user"]
            fw.flash("logged in")
            return fw.redirect(fw.url_for("index"))

        @app.get("/logout")
        @fw.colour
        def logout() -> Any:
            fw.session.pop("user", None)
            return fw.redirect(fw.url_for("index"))

        @app.get("/")
        @fw.colour
        def index() -> Any:
            return fw.render_template_string(
                "{% if g.user %}Hi {{ g.user }}{% else %}anonymous{% endif %}"
                "{% for m in get_flashed_messages() %}[{{ m }}]{% endfor %}"
            )

        return app

    compare(
        build,
        "/",
        ("POST", "/login", {"data": {"user": "<ada>"}}),
        "/",
        "/",
        "/logout",
        "/",
        "/logout",
        ("POST", "/login", {"data": {"user": "b"}, "follow_redirects": True}),
    )
