"""The way of a request: errors, after hooks, teardown."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from kolben import Kolben, Response, abort, after_this_request, g, redirect, request, session
from kolben.exceptions import BadRequest, Forbidden, HTTPException, InternalServerError

COLOURS = pytest.mark.parametrize("colour", ["def", "async"])


def in_colour(function: Any, colour: str) -> Any:
    """The function, or a coroutine function that does the same."""
    if colour == "def":
        return function

    async def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


@pytest.fixture
def app() -> Kolben:
    return Kolben("run")


def view(app: Kolben, function: Any, colour: str, path: str = "/", **options: Any) -> None:
    app.add_url_rule(path, path, in_colour(function, colour), **options)


def fail() -> str:
    raise ZeroDivisionError("by design")


# Teardown ---------------------------------------------------------------------------------------


@COLOURS
def test_teardown_gets_the_error_that_nothing_handled(app: Kolben, colour: str) -> None:
    seen: list[Any] = []
    app.teardown_request(seen.append)
    app.teardown_appcontext(in_colour(seen.append, "async"))
    view(app, fail, colour)
    assert app.test_client().get("/").status_code == 500
    assert [type(error) for error in seen] == [ZeroDivisionError, ZeroDivisionError]


@COLOURS
def test_teardown_gets_none_where_the_error_was_handled(app: Kolben, colour: str) -> None:
    seen: list[Any] = []
    app.teardown_request(seen.append)
    app.register_error_handler(ZeroDivisionError, lambda error: "handled")
    view(app, fail, colour)
    view(app, lambda: abort(404), colour, "/404")
    assert app.test_client().get("/").text == "handled"
    assert app.test_client().get("/404").status_code == 404
    assert seen == [None, None]


@COLOURS
def test_teardown_gets_the_error_of_a_500_handlers_request(app: Kolben, colour: str) -> None:
    seen: list[Any] = []
    app.teardown_request(seen.append)
    app.register_error_handler(500, lambda error: "page")
    view(app, fail, colour)
    app.test_client().get("/")
    assert [type(error) for error in seen] == [ZeroDivisionError]


@COLOURS
@pytest.mark.parametrize("teardown_colour", ["def", "async"])
def test_each_teardown_runs_whatever_the_others_do(
    app: Kolben, colour: str, teardown_colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def breaks(error: BaseException | None) -> None:
        ran.append("breaks")
        raise RuntimeError("teardown broke")

    app.teardown_appcontext(lambda error: ran.append("app"))
    app.teardown_appcontext(in_colour(breaks, teardown_colour))
    app.teardown_request(lambda error: ran.append("request"))
    app.teardown_request(in_colour(breaks, teardown_colour))
    view(app, lambda: "fine", colour)
    assert app.test_client().get("/").text == "fine"
    assert ran == ["breaks", "request", "breaks", "app"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "breaks" in caplog.text


@COLOURS
def test_an_error_of_teardown_reaches_a_test(app: Kolben, colour: str) -> None:
    app.testing = True
    ran: list[str] = []
    app.teardown_request(lambda error: ran.append("other"))
    app.teardown_request(lambda error: fail())  # type: ignore[arg-type,return-value]
    view(app, lambda: "fine", colour)
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/")
    assert ran == ["other"]


@COLOURS
def test_an_error_of_teardown_does_not_hide_that_of_the_view(app: Kolben, colour: str) -> None:
    app.testing = True

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        raise KeyError("teardown")

    view(app, fail, colour)
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/")


@COLOURS
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_passes_and_is_torn_down(
    app: Kolben, colour: str, kind: type[BaseException]
) -> None:
    seen: list[Any] = []
    app.teardown_request(seen.append)
    app.register_error_handler(Exception, lambda error: "handled")

    def end() -> str:
        raise kind

    view(app, end, colour)
    with pytest.raises(kind):
        app.test_client().get("/")
    assert [type(error) for error in seen] == [kind]


@COLOURS
def test_g_and_request_are_there_at_teardown(app: Kolben, colour: str) -> None:
    seen: list[Any] = []
    app.teardown_request(lambda error: seen.append((request.path, g.value)))
    app.teardown_appcontext(lambda error: seen.append(g.value))
    view(app, lambda: setattr(g, "value", 3) or "", colour)
    app.test_client().get("/")
    assert seen == [("/", 3), 3]


# Errors -----------------------------------------------------------------------------------------


@COLOURS
def test_an_unhandled_error_is_logged_once_with_its_request(
    app: Kolben, colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    view(app, fail, colour, "/path")
    response = app.test_client().get("/path?secret=1")
    assert response.status_code == 500
    assert response.mimetype == "text/html"
    assert "Internal Server Error" in response.text
    for hidden in ("ZeroDivision", "by design", "test_run", "Traceback"):
        assert hidden not in response.text
    (record,) = caplog.records
    assert record.getMessage() == "Exception on /path [GET]"
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert record.name == "run"


@COLOURS
@pytest.mark.parametrize("kind", ["before", "after", "view"])
@pytest.mark.parametrize("hook_colour", ["def", "async"])
def test_an_error_anywhere_becomes_a_500(
    app: Kolben, colour: str, kind: str, hook_colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]

    def breaks(*args: Any) -> Any:
        if broken.pop() if broken else False:
            raise ZeroDivisionError
        return args[0] if args else None

    if kind == "view":
        view(app, fail, colour)
    else:
        view(app, lambda: "", colour)
        getattr(app, f"{kind}_request")(in_colour(breaks, hook_colour))
    assert app.test_client().get("/").status_code == 500
    assert len(caplog.records) == 1


@COLOURS
def test_an_after_hook_that_fails_on_an_error_page_does_not_lose_the_page(
    app: Kolben, colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    @app.after_request
    def after(response: Response) -> Response:
        raise KeyError("after")

    app.register_error_handler(500, lambda error: ("page", 500))
    view(app, fail, colour)
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (500, "page")
    assert [r.exc_info[0] for r in caplog.records if r.exc_info] == [ZeroDivisionError, KeyError]


@COLOURS
def test_after_hooks_run_on_error_pages(app: Kolben, colour: str) -> None:
    @app.after_request
    def after(response: Response) -> Response:
        response.headers["X-Status"] = str(response.status_code)
        return response

    view(app, fail, colour)
    view(app, lambda: abort(403), colour, "/403")
    client = app.test_client()
    assert client.get("/").headers["X-Status"] == "500"
    assert client.get("/403").headers["X-Status"] == "403"
    assert client.get("/404").headers["X-Status"] == "404"


@COLOURS
def test_an_error_in_a_handler_becomes_a_500(
    app: Kolben, colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    @app.errorhandler(404)
    def missing(error: Exception) -> str:
        raise ZeroDivisionError

    view(app, lambda: abort(404), colour)
    assert app.test_client().get("/").status_code == 500
    assert len(caplog.records) == 1


@COLOURS
def test_an_error_in_the_handler_for_500_reaches_the_server(app: Kolben, colour: str) -> None:
    seen: list[Any] = []
    app.teardown_request(seen.append)

    @app.errorhandler(500)
    def broken(error: Exception) -> str:
        raise KeyError("handler")

    view(app, fail, colour)
    with pytest.raises(KeyError, match="handler"):
        app.test_client().get("/")
    assert len(seen) == 1


@COLOURS
@pytest.mark.parametrize(
    ("config", "propagates"),
    [
        ({"TESTING": True}, True),
        ({"DEBUG": True}, True),
        ({"TESTING": True, "PROPAGATE_EXCEPTIONS": False}, False),
        ({"PROPAGATE_EXCEPTIONS": True}, True),
        ({}, False),
    ],
)
def test_who_gets_an_error_that_nothing_handles(
    app: Kolben, colour: str, config: dict[str, Any], propagates: bool
) -> None:
    app.config.update(config)
    view(app, fail, colour)
    if propagates:
        with pytest.raises(ZeroDivisionError) as caught:
            app.test_client().get("/")
        assert any(entry.name == "fail" for entry in caught.traceback)
    else:
        assert app.test_client().get("/").status_code == 500


@COLOURS
def test_trapped_http_errors_are_errors(app: Kolben, colour: str) -> None:
    app.config.update(TESTING=True, TRAP_HTTP_EXCEPTIONS=True)
    view(app, lambda: abort(403), colour)
    with pytest.raises(Forbidden):
        app.test_client().get("/")


@COLOURS
def test_trapped_bad_requests_are_errors(app: Kolben, colour: str) -> None:
    app.config.update(TESTING=True, TRAP_BAD_REQUEST_ERRORS=True)
    view(app, lambda: request.args["none"], colour)
    view(app, lambda: abort(403), colour, "/403")
    with pytest.raises(BadRequest):
        app.test_client().get("/")
    assert app.test_client().get("/403").status_code == 403


@COLOURS
def test_a_missing_key_is_a_bad_request_named_only_in_debug(app: Kolben, colour: str) -> None:
    view(app, lambda: request.args["secret-key"], colour)
    response = app.test_client().get("/")
    assert response.status_code == 400
    assert "secret-key" not in response.text
    shown = Kolben("shown")
    shown.config.update(DEBUG=True, TRAP_BAD_REQUEST_ERRORS=False)
    view(shown, lambda: request.args["secret-key"], colour)
    response = shown.test_client().get("/")
    assert response.status_code == 400
    assert "secret-key" in response.text


def test_debug_traps_a_missing_key(app: Kolben) -> None:
    app.debug = True
    view(app, lambda: request.args["key"], "def")
    with pytest.raises(BadRequest):
        app.test_client().get("/")


@COLOURS
def test_abort_with_a_response_is_that_response(app: Kolben, colour: str) -> None:
    app.register_error_handler(HTTPException, lambda error: "handler")
    view(app, lambda: abort(Response("aborted", 409)), colour)
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (409, "aborted")


@COLOURS
def test_redirects_of_routing_are_not_handled_as_errors(app: Kolben, colour: str) -> None:
    app.register_error_handler(HTTPException, lambda error: "handler")
    view(app, lambda: "slash", colour, "/slash/")
    response = app.test_client().get("/slash?a=1")
    assert response.status_code == 308
    assert response.headers["Location"].endswith("/slash/?a=1")


@COLOURS
def test_an_http_exception_raised_or_returned(app: Kolben, colour: str) -> None:
    app.register_error_handler(403, lambda error: ("handled", 403))

    def raises() -> str:
        raise Forbidden

    view(app, raises, colour, "/raised")
    view(app, lambda: Forbidden(), colour, "/returned")
    assert app.test_client().get("/raised").text == "handled"
    assert "Forbidden" in app.test_client().get("/returned").text


@COLOURS
def test_a_handler_may_raise_the_error_again(app: Kolben, colour: str) -> None:
    @app.errorhandler(ZeroDivisionError)
    def handle(error: Exception) -> str:
        raise error

    view(app, fail, colour)
    assert app.test_client().get("/").status_code == 500


@COLOURS
def test_the_500_handler_is_told_of_the_original_once(
    app: Kolben, colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[InternalServerError] = []

    @app.errorhandler(500)
    async def page(error: InternalServerError) -> tuple[str, int]:
        seen.append(error)
        return "page", 500

    view(app, fail, colour)
    assert app.test_client().get("/").text == "page"
    assert isinstance(seen[0].original_exception, ZeroDivisionError)
    assert len(caplog.records) == 1


# After hooks ------------------------------------------------------------------------------------


@COLOURS
@pytest.mark.parametrize("hook_colour", ["def", "async"])
def test_after_hooks_may_return_another_response(
    app: Kolben, colour: str, hook_colour: str
) -> None:
    app.after_request(in_colour(lambda response: Response("other", 203), hook_colour))
    view(app, lambda: "mine", colour)
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (203, "other")


@COLOURS
@pytest.mark.parametrize("hook_colour", ["def", "async"])
def test_an_after_hook_that_returns_nothing_is_named(
    app: Kolben, colour: str, hook_colour: str
) -> None:
    app.testing = True

    def forgetful(response: Response) -> None:
        return None

    async def forgetful_async(response: Response) -> None:
        return None

    app.after_request(forgetful if hook_colour == "def" else forgetful_async)
    view(app, lambda: "mine", colour)
    with pytest.raises(TypeError, match=r"forgetful.*test_run\.py.*must return a response"):
        app.test_client().get("/")


@COLOURS
def test_after_this_request_runs_before_the_hooks_in_order(app: Kolben, colour: str) -> None:
    log: list[str] = []

    def noting(name: str, response: Response) -> Response:
        log.append(name)
        response.headers[f"X-{name}"] = "yes"
        return response

    @app.before_request
    async def before() -> None:
        after_this_request(in_colour(lambda r: noting("from-hook", r), "async"))

    app.after_request(lambda r: noting("after", r))

    def answer() -> str:
        after_this_request(lambda r: noting("first", r))
        after_this_request(lambda r: noting("second", r))
        return ""

    view(app, answer, colour)
    client = app.test_client()
    for _ in range(2):
        log.clear()
        response = client.get("/")
        assert log == ["from-hook", "first", "second", "after"]
        assert "X-second" in response.headers


@COLOURS
def test_the_session_is_saved_after_the_after_hooks(app: Kolben, colour: str) -> None:
    app.secret_key = "0123456789abcdef"

    @app.after_request
    async def after(response: Response) -> Response:
        session["from"] = "after"
        return response

    view(app, lambda: str(session.get("from")), colour)
    client = app.test_client()
    assert client.get("/").text == "None"
    assert client.get("/").text == "after"


@COLOURS
def test_the_session_is_saved_with_an_error_page(app: Kolben, colour: str) -> None:
    app.secret_key = "0123456789abcdef"

    def visit() -> str:
        session["visits"] = session.get("visits", 0) + 1
        raise ZeroDivisionError

    view(app, visit, colour)
    view(app, lambda: str(session["visits"]), colour, "/visits")
    client = app.test_client()
    client.get("/")
    client.get("/")
    assert client.get("/visits").text == "2"


def test_a_redirect_from_a_hook(app: Kolben) -> None:
    app.before_request(lambda: redirect("/login") if request.path == "/" else None)
    view(app, lambda: "index", "async")
    view(app, lambda: "login", "def", "/login")
    assert app.test_client().get("/", follow_redirects=True).text == "login"


@pytest.mark.anyio
@COLOURS
async def test_the_same_holds_where_views_run_in_worker_threads(
    app: Kolben, colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    app.teardown_request(in_colour(seen.append, "async"))
    app.teardown_appcontext(seen.append)
    app.register_error_handler(KeyError, in_colour(lambda e: "handled", "async"))

    def by_name(name: str) -> str:
        raise {"key": KeyError, "zero": ZeroDivisionError}[name]

    view(app, by_name, colour, "/<name>")
    client = app.test_client()
    assert (await client.get("/key")).text == "handled"
    assert (await client.get("/zero")).status_code == 500
    assert [type(error) for error in seen] == [type(None)] * 2 + [ZeroDivisionError] * 2
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == [
        "Exception on /zero [GET]"
    ]
