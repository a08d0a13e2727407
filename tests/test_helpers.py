from __future__ import annotations

import sys
import types
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import kolben
from kolben import (
    Blueprint,
    Kolben,
    Response,
    abort,
    after_this_request,
    flash,
    g,
    get_flashed_messages,
    has_request_context,
    make_response,
    redirect,
    request,
    session,
    stream_with_context,
    url_for,
)
from kolben.context import current
from kolben.exceptions import Aborter, Forbidden, HTTPException, NotFound
from kolben.helpers import (
    find_instance_path,
    find_package,
    get_debug_flag,
    get_load_dotenv,
    get_root_path,
    is_safe_redirect,
    place_of,
)
from kolben.routing import BuildError
from kolben.signals import message_flashed


@pytest.fixture
def app() -> Kolben:
    app = Kolben(__name__)
    app.testing = True
    app.secret_key = "k" * 32

    @app.get("/")
    def index() -> str:
        return "index"

    @app.get("/user/<name>")
    def user(name: str) -> str:
        return name

    @app.route("/thing", methods=["GET"], endpoint="thing")
    @app.route("/thing/create", methods=["POST"], endpoint="thing")
    def thing() -> str:
        return ""

    return app


# url_for


def test_url_in_a_request_is_relative_and_unknown_values_become_the_query(app: Kolben) -> None:
    with app.test_request_context():
        assert url_for("index") == "/"
        assert url_for("user", name="Ada L", page=2) == "/user/Ada%20L?page=2"


def test_url_is_complete_when_asked_for_or_when_a_scheme_is_given(app: Kolben) -> None:
    with app.test_request_context(base_url="http://example.org:8000"):
        assert url_for("index", _external=True) == "http://example.org:8000/"
        assert url_for("index", _scheme="https") == "https://example.org:8000/"
        assert url_for("index", _external=False) == "/"


def test_scheme_on_a_relative_url_is_an_error(app: Kolben) -> None:
    with app.test_request_context(), pytest.raises(ValueError, match="_external"):
        url_for("index", _scheme="https", _external=False)


def test_anchor_is_quoted(app: Kolben) -> None:
    with app.test_request_context():
        assert url_for("index", _anchor="x y") == "/#x%20y"
        assert url_for("index", _anchor="für/ich?") == "/#f%C3%BCr/ich?"
        assert url_for("index", _anchor='"><script>') == "/#%22%3E%3Cscript%3E"


def test_method_chooses_the_rule(app: Kolben) -> None:
    with app.test_request_context():
        assert url_for("thing", _method="GET") == "/thing"
        assert url_for("thing", _method="POST") == "/thing/create"


def test_url_under_a_mount_has_the_root_path(app: Kolben) -> None:
    with app.test_request_context(base_url="http://localhost/mounted"):
        assert url_for("user", name="ada") == "/mounted/user/ada"


def test_url_outside_a_request_needs_the_servers_name(app: Kolben) -> None:
    with app.app_context(), pytest.raises(RuntimeError, match="SERVER_NAME"):
        url_for("index")
    app.config.update(
        SERVER_NAME="example.org", APPLICATION_ROOT="/shop", PREFERRED_URL_SCHEME="https"
    )
    with app.app_context():
        assert url_for("index") == "https://example.org/shop/"
        assert url_for("index", _external=False) == "/shop/"
    assert app.url_for("user", name="ada") == "https://example.org/shop/user/ada"


def test_url_for_without_any_context_says_so() -> None:
    with pytest.raises(RuntimeError, match="application context"):
        url_for("index")


def test_an_application_does_not_build_with_another_ones_request(app: Kolben) -> None:
    other = Kolben("other")
    other.add_url_rule("/only-here", "only")
    other.config["SERVER_NAME"] = "other.example"
    with app.test_request_context():
        assert other.url_for("only") == "http://other.example/only-here"


def test_a_dot_means_the_blueprint_of_the_request(app: Kolben) -> None:
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)

    @inner.get("/inner")
    def page() -> dict[str, str]:
        return {"page": url_for(".page"), "sister": url_for("outer.page")}

    @outer.get("/outer")
    def outer_page() -> str:
        return url_for(".page")

    outer.add_url_rule("/sister", "page", outer_page)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    client = app.test_client()
    assert client.get("/inner").json == {"page": "/inner", "sister": "/sister"}
    assert client.get("/outer").text == "/sister"
    with app.test_request_context("/"):
        assert url_for(".index") == "/"


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_url_defaults_of_the_application_and_outer_blueprints_run_first(
    app: Kolben, colour: str
) -> None:
    blueprint = Blueprint("site", __name__, url_prefix="/<lang>")
    blueprint.add_url_rule("/about", "about", lambda lang: lang)
    seen: list[str] = []

    def remember(name: str) -> Any:
        def default(endpoint: str, values: dict[str, Any]) -> None:
            seen.append(f"{name} {endpoint}")
            values.setdefault("lang", name)

        async def default_async(endpoint: str, values: dict[str, Any]) -> None:
            default(endpoint, values)

        return default if colour == "def" else default_async

    app.url_defaults(remember("app"))
    blueprint.url_defaults(remember("site"))
    app.register_blueprint(blueprint)
    with app.test_request_context():
        assert url_for("site.about") == "/app/about"
        assert seen == ["app site.about", "site site.about"]
        seen.clear()
        url_for("index", lang="de")
        assert seen == ["app index"]


def test_build_errors_go_to_the_handlers_in_order(app: Kolben) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []

    def first(error: BuildError, endpoint: str, values: dict[str, Any]) -> str | None:
        calls.append((endpoint, dict(values)))
        return None

    async def second(error: BuildError, endpoint: str, values: dict[str, Any]) -> str | None:
        return "/external" if endpoint == "external" else None

    app.url_build_error_handlers += [first, second]
    with app.test_request_context():
        assert url_for("external", _anchor="a", x=1) == "/external"
        assert calls[0][1] == {
            "x": 1, "_anchor": "a", "_method": None, "_scheme": None, "_external": False,
        }  # fmt: skip
        with pytest.raises(BuildError):
            url_for("nowhere")


def test_a_handler_may_raise_another_build_error(app: Kolben) -> None:
    replaced = BuildError("replaced", {}, None)

    def handler(error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
        raise replaced

    app.url_build_error_handlers.append(handler)
    with app.test_request_context(), pytest.raises(BuildError) as caught:
        url_for("nowhere")
    assert caught.value is replaced


def test_the_applications_url_for_is_honoured() -> None:
    class Custom(Kolben):
        def url_for(self, endpoint: str, /, **values: Any) -> str:
            return f"custom:{endpoint}"

    with Custom(__name__).app_context():
        assert url_for("anything") == "custom:anything"


def test_subdomains_are_found_below_the_servers_name() -> None:
    app = Kolben(__name__, subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.org"
    app.add_url_rule("/", "api", lambda: url_for("index"), subdomain="api")
    app.add_url_rule("/", "index", lambda: url_for("api"))
    client = app.test_client()
    assert client.get("/", base_url="http://example.org").text == "http://api.example.org/"
    assert client.get("/", base_url="http://api.example.org").text == "http://example.org/"
    assert client.get("/", base_url="http://example.net").status_code == 404


def test_links_can_be_built_on_the_page_that_refuses_a_host(app: Kolben) -> None:
    app.config["TRUSTED_HOSTS"] = ["example.org"]

    @app.errorhandler(400)
    def refused(error: HTTPException) -> tuple[str, int]:
        return url_for("index"), 400

    response = app.test_client().get("/", base_url="http://evil.example")
    assert (response.status_code, response.text) == (400, "/")


# redirect, abort, make_response


def test_redirect_keeps_a_relative_location_and_names_it_in_the_page() -> None:
    response = redirect("/next?a=1&b=2", 303)
    assert (response.status_code, response.headers["Location"]) == (303, "/next?a=1&b=2")
    assert response.mimetype == "text/html"
    assert 'href="/next?a=1&amp;b=2"' in response.get_data(as_text=True)
    assert redirect("next").headers["Location"] == "next"


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/a\r\nSet-Cookie: x=1", "/a%0D%0ASet-Cookie:%20x=1"),
        ("/\t/evil.example", "/%09/evil.example"),
        ("/\\evil.example", "/%5Cevil.example"),
        ("\\\\evil.example", "%5C%5Cevil.example"),
        ("/\x00", "/%00"),
        ("/straße?q=ä", "/stra%C3%9Fe?q=%C3%A4"),
        ("/done%20already", "/done%20already"),
        ("//[oops", "//%5Boops"),
    ],
)
def test_a_location_cannot_split_the_response_or_change_its_host(location: str, sent: str) -> None:
    assert redirect(location).headers["Location"] == sent


def test_redirect_page_escapes_the_location() -> None:
    page = redirect('/"><script>alert(1)</script>').get_data(as_text=True)
    assert "<script>" not in page


def test_the_applications_redirect_is_honoured() -> None:
    class Custom(Kolben):
        def redirect(self, location: str, code: int = 302) -> Response:
            return super().redirect(f"/de{location}", code)

    with Custom(__name__).app_context():
        assert redirect("/x").headers["Location"] == "/de/x"


def test_redirect_uses_the_applications_response_class() -> None:
    class MyResponse(Response):
        pass

    class Custom(Kolben):
        response_class = MyResponse

    with Custom(__name__).app_context():
        assert type(redirect("/")) is MyResponse
    assert type(redirect("/", Response=MyResponse)) is MyResponse


@pytest.mark.parametrize(
    "target", ["//evil", "/\\evil", "https:evil", "http://evil/", "\t//evil", "javascript:alert(1)"]
)
def test_targets_on_other_hosts_are_not_safe(target: str) -> None:
    assert not is_safe_redirect(target, "localhost")


def test_abort_uses_the_applications_aborter() -> None:
    with pytest.raises(NotFound):
        abort(404)

    class Custom(Aborter):
        def __call__(self, code: Any, *args: Any, **kwargs: Any) -> Any:
            raise Forbidden(f"custom {code}")

    class App(Kolben):
        aborter_class = Custom

    with App(__name__).app_context(), pytest.raises(Forbidden, match="custom 404"):
        abort(404)


def test_abort_with_a_response_and_with_a_description(app: Kolben) -> None:
    @app.get("/response")
    def response() -> str:
        abort(make_response("teapot", 418))

    @app.get("/description")
    async def description() -> str:
        abort(403, "members only")

    client = app.test_client()
    assert client.get("/response").status_code == 418
    refused = client.get("/description")
    assert refused.status_code == 403 and "members only" in refused.text


def test_abort_with_an_unknown_code_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        abort(999)


def test_make_response_takes_nothing_one_value_or_the_parts(app: Kolben) -> None:
    with app.test_request_context():
        assert make_response().get_data() == b""
        assert make_response("text").get_data() == b"text"
        response = make_response({"a": 1}, 201, {"X-A": "b"})
        assert (response.status_code, response.json) == (201, {"a": 1})
        assert response.headers["X-A"] == "b"
        assert make_response(("text", 202)).status_code == 202
        assert make_response(response) is response


# Messages


def test_messages_wait_for_the_next_request_and_are_shown_once(app: Kolben) -> None:
    @app.get("/flash")
    async def put() -> str:
        flash("saved")
        flash("<b>careful</b>", "error")
        return ""

    @app.get("/show")
    def show() -> dict[str, Any]:
        return {
            "first": get_flashed_messages(with_categories=True),
            "again": get_flashed_messages(),
            "errors": get_flashed_messages(category_filter=["error"]),
        }

    client = app.test_client()
    client.get("/flash")
    assert client.get("/show").json == {
        "first": [["message", "saved"], ["error", "<b>careful</b>"]],
        "again": ["saved", "<b>careful</b>"],
        "errors": ["<b>careful</b>"],
    }
    assert client.get("/show").json == {"first": [], "again": [], "errors": []}


def test_a_list_that_was_given_out_is_the_callers_own(app: Kolben) -> None:
    with app.test_request_context():
        flash("a")
        get_flashed_messages(with_categories=True).clear()
        assert get_flashed_messages() == ["a"]
        assert "_flashes" not in session


def test_flash_tells_the_signals_receivers(app: Kolben) -> None:
    seen: list[Any] = []

    def receive(sender: Any, message: str, category: str) -> None:
        seen.append((sender, message, category))

    async def receive_async(sender: Any, **values: Any) -> None:
        seen.append(values)

    with (
        message_flashed.connected_to(receive, app),
        message_flashed.connected_to(receive_async, app),
        app.test_request_context(),
    ):
        flash("hello", "info")
    assert (app, "hello", "info") in seen
    assert {"message": "hello", "category": "info"} in seen


def test_flash_outside_a_request_says_so(app: Kolben) -> None:
    with app.app_context():
        with pytest.raises(RuntimeError, match="request context"):
            flash("x")
        with pytest.raises(RuntimeError, match="request context"):
            get_flashed_messages()


# stream_with_context


class Closable(Iterator[str]):
    def __init__(self, items: list[str]) -> None:
        self.items, self.closed = iter(items), 0

    def __next__(self) -> str:
        return next(self.items) + request.args["name"]

    def close(self) -> None:
        assert has_request_context()
        self.closed += 1


def test_a_generator_keeps_the_request_and_teardown_waits_for_it(app: Kolben) -> None:
    events: list[str] = []

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        events.append("teardown")

    @app.get("/stream")
    def stream() -> Response:
        g.word = "Hello "

        @stream_with_context
        def generate() -> Iterator[str]:
            try:
                yield g.word
                yield request.args["name"]
                events.append("read")
            finally:
                events.append("closed")

        return Response(generate())

    assert app.test_client().get("/stream?name=Ada").text == "Hello Ada"
    assert events == ["read", "closed", "teardown"]


def test_an_async_generator_keeps_the_request(app: Kolben) -> None:
    @app.get("/stream")
    async def stream() -> AsyncIterator[str]:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield "Hello "
            yield request.args["name"]

        return generate()

    assert app.test_client().get("/stream?name=Ada").text == "Hello Ada"


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_wrapped_iterator_is_read_with_the_request(app: Kolben, colour: str) -> None:
    source = Closable(["a", "b"])

    def stream() -> Iterator[str]:
        return stream_with_context(source)

    async def stream_async() -> Iterator[str]:
        return stream_with_context(source)

    app.add_url_rule("/stream", "stream", stream if colour == "def" else stream_async)
    assert app.test_client().get("/stream?name=!").text == "a!b!"
    assert source.closed == 1


def test_a_stream_that_is_never_read_is_closed_once(app: Kolben) -> None:
    source, torn_down = Closable(["a"]), []

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        torn_down.append(source.closed)

    @app.get("/stream")
    def stream() -> Iterator[str]:
        return stream_with_context(source)

    assert app.test_client().head("/stream?name=!").text == ""
    assert (source.closed, torn_down) == (1, [1])


def test_a_stream_that_a_hook_replaces_does_not_hold_the_request_for_ever(app: Kolben) -> None:
    torn_down: list[bool] = []

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        torn_down.append(True)

    @app.get("/stream")
    def stream() -> str:
        stream_with_context(Closable(["a"]))
        return "not streamed"

    assert app.test_client().get("/stream").text == "not streamed"
    assert torn_down == [True]


def test_the_context_is_set_for_each_step_only(app: Kolben) -> None:
    with app.test_request_context("/?name=x"):
        stream = stream_with_context(Closable(["a", "b"]))
    assert next(stream) == "ax"
    assert current.get(None) is None
    other = Kolben("other")
    with other.test_request_context("/?name=y"):
        assert next(stream) == "bx"
        assert request.args["name"] == "y"


def test_closing_twice_closes_the_source_once(app: Kolben) -> None:
    source = Closable(["a"])
    with app.test_request_context("/?name=x"):
        stream: Any = stream_with_context(source)
    stream.close()
    stream.close()
    assert source.closed == 1
    assert list(stream) == []


def test_streaming_outside_a_request_says_what_to_do(app: Kolben) -> None:
    @stream_with_context
    def generate() -> Iterator[str]:
        yield ""

    with pytest.raises(RuntimeError, match="test_request_context"):
        generate()
    with app.app_context(), pytest.raises(RuntimeError, match="no request"):
        stream_with_context(iter(["a"]))


@pytest.mark.anyio
async def test_an_async_stream_is_closed_once(app: Kolben) -> None:
    closed: list[bool] = []

    async def generate() -> AsyncIterator[str]:
        try:
            yield request.args["name"]
            yield "never"
        finally:
            closed.append(has_request_context())

    with app.test_request_context("/?name=x"):
        stream: Any = stream_with_context(generate())
    assert await anext(stream) == "x"
    assert current.get(None) is None
    await stream.aclose()
    await stream.aclose()
    assert closed == [True]
    assert [chunk async for chunk in stream] == []


def test_after_this_request_sees_the_response_of_a_redirect(app: Kolben) -> None:
    @app.get("/go")
    async def go() -> Response:
        @after_this_request
        async def mark(response: Response) -> Response:
            response.headers["X-Mark"] = "1"
            return response

        return redirect(url_for("index"))

    response = app.test_client().get("/go")
    assert (response.headers["Location"], response.headers["X-Mark"]) == ("/", "1")


# Surroundings


@pytest.mark.parametrize(
    ("value", "debug", "dotenv"),
    [("", False, True), ("0", False, True), ("False", False, True), ("NO", False, True),
     ("1", True, False), ("true", True, False)],
)  # fmt: skip
def test_flags_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str, debug: bool, dotenv: bool
) -> None:
    monkeypatch.setenv("KOLBEN_DEBUG", value)
    monkeypatch.setenv("KOLBEN_SKIP_DOTENV", value)
    assert get_debug_flag() is debug
    assert get_load_dotenv() is dotenv
    assert Kolben(__name__).debug is debug


def test_flags_that_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOLBEN_DEBUG", raising=False)
    monkeypatch.delenv("KOLBEN_SKIP_DOTENV", raising=False)
    assert not get_debug_flag()
    assert get_load_dotenv() and not get_load_dotenv(False)


def test_root_path_of_a_package_a_module_and_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get_root_path("kolben") == str(Path(kolben.__file__).parent)
    (tmp_path / "not_imported.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert get_root_path("not_imported") == str(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert get_root_path("no_such_module_anywhere") == str(tmp_path)
    (tmp_path / "namespace").mkdir()
    with pytest.raises(RuntimeError, match="namespace package"):
        get_root_path("namespace")


def test_instance_folder_of_code_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Temporary folders may be inside the environment that runs the tests.
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shop_module.py").write_text("")
    package = tmp_path / "shop_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    inner = tmp_path / "shop_namespace" / "inner"
    inner.mkdir(parents=True)
    (inner / "__init__.py").write_text("")
    for name in ("shop_module", "shop_package", "shop_namespace.inner"):
        assert find_package(name) == (None, str(tmp_path))
        assert find_instance_path(name) == str(tmp_path / "instance")


@pytest.mark.parametrize("folders", ["lib/python3.11/site-packages", "Lib/site-packages"])
def test_instance_folder_of_installed_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: str
) -> None:
    site = tmp_path / folders
    site.mkdir(parents=True)
    (site / "installed_app.py").write_text("")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.syspath_prepend(str(site))
    assert find_package("installed_app") == (str(tmp_path), str(site))
    expected = tmp_path / "var" / "installed_app-instance"
    assert find_instance_path("installed_app") == str(expected)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert find_package("installed_app") == (str(tmp_path), str(site))


def test_place_of_names_file_and_line() -> None:
    def view() -> None: ...

    wrapped = types.SimpleNamespace(view_class=Closable)
    line = view.__code__.co_firstlineno
    assert place_of(view) == f"{__file__}, line {line}"
    assert place_of(wrapped) == f"{__name__}.Closable"  # type: ignore[arg-type]
