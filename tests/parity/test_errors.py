"""Error handlers, HTTP errors, and the hooks around a request."""

from __future__ import annotations

import logging
from typing import Any

import pytest


class Base(Exception):
    pass


class Derived(Base):
    pass


def errors(fw: Any, **config: Any) -> Any:
    app = fw.app(**config)
    app.log_exception = lambda exc_info: None

    class Teapot(fw.exceptions.HTTPException):  # type: ignore[misc]
        code = 418
        description = "short and stout"

    class Storage(fw.exceptions.HTTPException):  # type: ignore[misc]
        code = 507
        description = "full"

    RAISE: dict[str, Any] = {
        "base": Base,
        "derived": Derived,
        "value": ValueError,
        "zero": ZeroDivisionError,
        "teapot": Teapot,
        "storage": Storage,
        "lookup": LookupError,
        "key": KeyError,
    }

    @app.get("/raise/<name>")
    @fw.colour
    def fail(name: str) -> Any:
        raise RAISE[name]("x")

    @app.get("/abort/<int:code>")
    @fw.colour
    def stop(code: int) -> Any:
        fw.abort(code)

    @app.get("/abort-with/<int:code>")
    @fw.colour
    def stop_with(code: int) -> Any:
        fw.abort(code, "said so")

    @app.get("/abort-response")
    @fw.colour
    def stop_response() -> Any:
        fw.abort(fw.make_response("made", 409, {"X-A": "b"}))

    @app.get("/form")
    @fw.colour
    def missing() -> Any:
        return fw.request.args["missing"]

    @app.errorhandler(Base)
    @fw.colour
    def base(error: Any) -> Any:
        return f"base {type(error).__name__}", 501

    @app.errorhandler(404)
    @fw.colour
    def not_found(error: Any) -> Any:
        return f"404 {error.code} {error.name}", 404

    @app.errorhandler(fw.exceptions.HTTPException)
    @fw.colour
    def http(error: Any) -> Any:
        response = error.get_response()
        response.data = f"http {error.code}"
        response.content_type = "text/plain"
        return response

    @app.errorhandler(LookupError)
    @fw.colour
    def lookup(error: Any) -> Any:
        return f"lookup {type(error).__name__}"

    @app.errorhandler(ZeroDivisionError)
    @fw.colour
    def again(error: Any) -> Any:
        fw.abort(403)

    bp = fw.Blueprint("bp", "parity", url_prefix="/bp")

    @bp.get("/raise/<name>")
    @fw.colour
    def bp_fail(name: str) -> Any:
        raise RAISE[name]("x")

    @bp.get("/abort/<int:code>")
    @fw.colour
    def bp_stop(code: int) -> Any:
        fw.abort(code)

    @bp.errorhandler(404)
    @fw.colour
    def bp_not_found(error: Any) -> Any:
        return "blueprint 404", 404

    @bp.errorhandler(Exception)
    @fw.colour
    def bp_all(error: Any) -> Any:
        return f"blueprint {type(error).__name__}", 500

    @bp.app_errorhandler(409)
    @fw.colour
    def app_wide(error: Any) -> Any:
        return "from the blueprint", 409

    app.register_blueprint(bp)
    return app


PATHS = [
    *(
        f"{prefix}/raise/{name}"
        for prefix in ("", "/bp")
        for name in (
            "base",
            "derived",
            "value",
            "zero",
            "teapot",
            "storage",
            "lookup",
            "key",
        )
    ),
    *(
        f"{prefix}/abort/{code}"
        for prefix in ("", "/bp", "")
        for code in (400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415)
    ),
    *(f"/abort/{code}" for code in (416, 417, 418, 421, 422, 423, 424, 428, 429, 431, 451)),
    *(f"/abort/{code}" for code in (500, 501, 502, 503, 504, 505)),
    "/abort-with/404",
    "/abort-with/400",
    "/abort-response",
    "/form",
    "/nothing",
    "/bp/nothing",
    ("POST", "/form"),
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_handlers(compare: Any) -> None:
    compare(errors, *PATHS)


def plain(fw: Any, **config: Any) -> Any:
    app = errors(fw, **config)
    app.error_handler_spec.clear()
    return app


def test_without_handlers(compare: Any) -> None:
    compare(plain, *(path for path in PATHS if "/bp" not in path))


@pytest.mark.parametrize(
    "config",
    [
        {"TESTING": True},
        {"PROPAGATE_EXCEPTIONS": True},
        {"DEBUG": True},
        {"TRAP_HTTP_EXCEPTIONS": True, "TESTING": True},
        {"TRAP_BAD_REQUEST_ERRORS": True, "TESTING": True},
        {"TRAP_BAD_REQUEST_ERRORS": False, "DEBUG": True},
        {"TESTING": True, "PROPAGATE_EXCEPTIONS": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("build", [plain, errors])
def test_what_gets_out(compare: Any, config: dict[str, Any], build: Any) -> None:
    def asking(path: str) -> Any:
        def ask(fw: Any, client: Any) -> Any:
            try:
                return client.get(path).status_code
            except Exception as error:
                return [cls.__name__ for cls in type(error).__mro__]

        return ask

    compare(
        lambda fw: build(fw, **config),
        *map(asking, ("/raise/value", "/raise/base", "/form", "/abort/404", "/abort/400", "/no")),
        asking("/abort/500"),
    )


def test_handlers_of_500(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()
        app.log_exception = lambda exc_info: None

        @app.get("/")
        @fw.colour
        def fail() -> Any:
            raise ValueError("x")

        @app.get("/500")
        @fw.colour
        def stop() -> Any:
            fw.abort(500)

        @app.errorhandler(500)
        @fw.colour
        def handler(error: Any) -> Any:
            original = getattr(error, "original_exception", None)
            return f"{type(error).__name__} {original!r}", 500

        return app

    compare(build, "/", "/500")


def test_the_log(caplog: pytest.LogCaptureFixture, framework: Any) -> None:
    app = framework.app()

    @app.get("/fail/<x>")
    @framework.colour
    def fail(x: str) -> Any:
        raise ValueError(x)

    app.logger.propagate = True
    with caplog.at_level(logging.ERROR):
        app.test_client().get("/fail/a?b=c")
    (record,) = [r for r in caplog.records if r.name == app.logger.name]
    assert record.getMessage() == "Exception on /fail/a [GET]"
    assert record.exc_info is not None and record.exc_info[0] is ValueError


def hooks(fw: Any, fail: str = "") -> Any:
    app = fw.app()
    app.log_exception = lambda exc_info: None
    order: list[str] = []
    app.extensions["order"] = order

    def note(what: str) -> None:
        order.append(what)
        if what == fail:
            raise ValueError(what)

    def add(scope: Any, name: str) -> None:
        @scope.before_request
        @fw.colour
        def before() -> Any:
            note(f"before {name}")
            if fw.request.args.get("stop") == name:
                return f"stopped {name}"
            return None

        @scope.after_request
        @fw.colour
        def after(response: Any) -> Any:
            note(f"after {name}")
            response.headers.add("X-Order", name)
            return response

        @scope.teardown_request
        @fw.colour
        def teardown(error: Any) -> None:
            note(f"teardown {name} {type(error).__name__}")

        @scope.url_value_preprocessor
        @fw.colour
        def values(endpoint: Any, values: Any) -> None:
            note(f"values {name} {endpoint} {values}")

    add(app, "app")
    outer = fw.Blueprint("outer", "parity", url_prefix="/outer")
    inner = fw.Blueprint("inner", "parity", url_prefix="/inner")
    add(outer, "outer")
    add(inner, "inner")

    @app.teardown_appcontext
    @fw.colour
    def teardown_app(error: Any) -> None:
        note(f"teardown context {type(error).__name__}")

    @app.get("/")
    @fw.colour
    def index() -> Any:
        @fw.after_this_request
        def later(response: Any) -> Any:
            note("later")
            return response

        note("view")
        return "index"

    @inner.get("/<x>")
    @fw.colour
    def view(x: str) -> Any:
        note("view")
        return x

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


STEPS = [
    "",
    "before app",
    "before inner",
    "view",
    "later",
    "after app",
    "after inner",
    "values inner outer.inner.view {'x': 'a'}",
]


@pytest.mark.parametrize("fail", STEPS)
def test_order_of_hooks(compare: Any, fail: str) -> None:
    def order(fw: Any, client: Any) -> Any:
        found = list(client.application.extensions["order"])
        client.application.extensions["order"].clear()
        return found

    def build(fw: Any) -> Any:
        return hooks(fw, fail)

    compare(
        build,
        *(
            step
            for path in (
                "/",
                "/?stop=app",
                "/outer/inner/a",
                "/outer/inner/a?stop=outer",
                "/outer/inner/a?stop=inner",
                "/outer/nothing",
                "/nothing",
                ("POST", "/"),
                ("OPTIONS", "/"),
                ("HEAD", "/"),
            )
            for step in (path, order)
        ),
    )


def test_trusted_hosts(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app(TRUSTED_HOSTS=["example.org", ".example.com"])

        @app.get("/")
        @fw.colour
        def index() -> Any:
            return fw.request.host

        return app

    compare(
        build,
        *(
            ("GET", "/", {"base_url": f"http://{host}"})
            for host in (
                "example.org",
                "example.org:80",
                "a.example.org",
                "example.com",
                "a.example.com",
                "xexample.com",
                "evil.org",
                "localhost",
            )
        ),
    )
