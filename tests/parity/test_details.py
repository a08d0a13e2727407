"""Small things that hold in both frameworks, each of which was once different in Kolben."""

from __future__ import annotations

import warnings
from typing import Any

import pytest


def test_a_view_may_push_its_own_context_again(framework: Any) -> None:
    app = framework.app(TESTING=True)
    ended: list[str] = []
    app.teardown_request(lambda error: ended.append("request"))
    app.teardown_appcontext(lambda error: ended.append("context"))
    globals_ = __import__(f"{framework.package.__name__}.globals", fromlist=["x"])

    @app.get("/")
    @framework.colour
    def index() -> Any:
        framework.g.x = 1
        with globals_.request_ctx._get_current_object(), globals_.app_ctx._get_current_object():
            assert framework.g.x == 1
        assert ended == []
        return framework.request.path

    assert app.test_client().get("/").text == "/"
    assert ended == ["request", "context"]


def test_a_context_of_an_environ(framework: Any) -> None:
    app = framework.app()

    @app.get("/user/<name>")
    def user(name: str) -> str:
        return name

    with app.test_request_context("/user/ada?x=1", base_url="http://example.org/mount"):
        pass
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/mount",
        "PATH_INFO": "/user/ada",
        "QUERY_STRING": "x=1",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "example.org",
        "HTTP_X_A": "header",
        "wsgi.url_scheme": "http",
    }
    with app.request_context(environ):
        assert framework.request.url == "http://example.org/mount/user/ada?x=1"
        assert framework.request.headers["X-A"] == "header"
        assert framework.request.view_args == {"name": "ada"}
        assert app.full_dispatch_request().get_data() == b"ada"
    if not framework.is_flask:  # which looks at the host less closely
        with app.request_context({**environ, "HTTP_HOST": "bad host"}):
            assert app.full_dispatch_request().status_code == 400


def test_a_context_of_a_scope() -> None:
    import kolben

    app = kolben.Kolben("parity")
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "headers": [],
        "query_string": b"a=b",
        "scheme": "http",
    }
    with app.request_context(scope):
        assert kolben.request.method == "POST" and kolben.request.args["a"] == "b"


def test_what_nothing_matched_has_no_view_args(framework: Any) -> None:
    app = framework.app()
    seen: list[Any] = []
    app.url_value_preprocessor(lambda endpoint, values: seen.append((endpoint, values)))
    app.before_request(lambda: seen.append(framework.request.view_args))
    app.test_client().get("/nothing")
    assert seen == [(None, None), None]


def test_after_this_request_holds_for_the_answer_to_an_error(framework: Any) -> None:
    app = framework.app()
    app.log_exception = lambda exc_info: None
    failed: list[int] = []

    @app.after_request
    @framework.colour
    def fail_once(response: Any) -> Any:
        if not failed:
            failed.append(1)
            raise ValueError
        return response

    @app.get("/")
    @framework.colour
    def index() -> Any:
        @framework.after_this_request
        def mark(response: Any) -> Any:
            response.headers["X-A"] = "here"
            return response

        return "index"

    response = app.test_client().get("/")
    assert (response.status_code, response.headers["X-A"]) == (500, "here")


def test_the_size_of_a_cookie(framework: Any) -> None:
    app = framework.app(MAX_COOKIE_SIZE=100)
    response = framework.Response()
    assert response.max_cookie_size == 4093
    with app.app_context():
        response = framework.Response()
        assert response.max_cookie_size == 100
        with pytest.warns(UserWarning, match="cookie"):
            response.set_cookie("a", "x" * 200)
    app.config["MAX_COOKIE_SIZE"] = 0
    with app.app_context(), warnings.catch_warnings():
        warnings.simplefilter("error")
        framework.Response().set_cookie("a", "x" * 9000)

    class Small(framework.Response):  # type: ignore[misc]
        max_cookie_size = 50

    assert Small().max_cookie_size == 50


def test_an_endpoint_of_a_blueprint_is_taken_as_it_is_written(framework: Any) -> None:
    app = framework.app()
    app.url_map.add(framework.routing.Rule("/foo", endpoint="bar"))
    bp = framework.Blueprint("bp", "parity")

    @bp.endpoint("bar")
    @framework.colour
    def foobar() -> Any:
        return framework.request.endpoint

    app.register_blueprint(bp)
    assert app.test_client().get("/foo").text == "bar"


def test_none_for_a_prefix_means_the_blueprints_own(framework: Any) -> None:
    app = framework.app()
    parent = framework.Blueprint("parent", "parity", url_prefix="/parent")
    child = framework.Blueprint("child", "parity", url_prefix="/child")
    child.get("/")(lambda: "child")
    parent.register_blueprint(child, url_prefix=None, subdomain=None)
    app.register_blueprint(parent, url_prefix=None)
    assert app.test_client().get("/parent/child/").text == "child"


def test_a_placeholder_may_be_called_self(framework: Any) -> None:
    app = framework.app()
    app.add_url_rule("/<self>", "index", lambda self: self)
    with app.test_request_context():
        assert framework.url_for("index", self="2") == "/2"
