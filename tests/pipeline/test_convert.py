"""What a view may return, and what it may not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kolben import Kolben, Response, jsonify
from kolben.exceptions import Forbidden
from kolben.json import DefaultJSONProvider
from kolben.pipeline.convert import is_asgi_application


class OwnResponse(Response):
    default_mimetype = "text/own"


def ask(value: Any, path: str = "/", **attributes: Any) -> Any:
    """What the client of a view gets that returns the value, from a def and an async def view."""
    app = Kolben("convert")
    for name, attribute in attributes.items():
        setattr(app, name, attribute)

    def get() -> Any:
        return value() if callable(value) and getattr(value, "makes", False) else value

    @app.get("/")
    async def view() -> Any:
        return get()

    @app.get("/def")
    def in_thread() -> Any:
        return get()

    response, other = app.test_client().get("/"), app.test_client().get("/def")
    assert (other.status, other.data, list(other.headers)) == (
        response.status,
        response.data,
        list(response.headers),
    )
    return response


def each_time(function: Any) -> Any:
    function.makes = True
    return function


@each_time
def generated() -> Iterator[str]:
    yield "a"
    yield "é"


@each_time
async def agenerated() -> AsyncIterator[str]:
    yield "a"
    yield "é"


@each_time
class Countdown:
    """An asynchronous iterator that is no generator."""

    makes = True

    def __init__(self) -> None:
        self.left = 3

    def __aiter__(self) -> Countdown:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return b"%d" % self.left


@pytest.mark.parametrize(
    ("value", "body", "content_type"),
    [
        ("text é", "text é".encode(), "text/html; charset=utf-8"),
        ("", b"", "text/html; charset=utf-8"),
        (type("Sub", (str,), {})("sub"), b"sub", "text/html; charset=utf-8"),
        (b"bytes", b"bytes", "text/html; charset=utf-8"),
        (bytearray(b"array"), b"array", "text/html; charset=utf-8"),
        ({"a": 1}, b'{"a":1}\n', "application/json"),
        ([1, 2], b"[1,2]\n", "application/json"),
        ({}, b"{}\n", "application/json"),
        (type("Sub", (dict,), {})(a=1), b'{"a":1}\n', "application/json"),
        (generated, "aé".encode(), "text/html; charset=utf-8"),
        (agenerated, "aé".encode(), "text/html; charset=utf-8"),
        (Countdown, b"210", "text/html; charset=utf-8"),
        (iter([b"x", b"y"]), b"xy", "text/html; charset=utf-8"),
    ],
    ids=str,
)
def test_values_become_bodies(value: Any, body: bytes, content_type: str) -> None:
    if isinstance(value, type(iter([]))):
        parts = list(value)
        value = each_time(lambda: iter(parts))
    response = ask(value)
    assert (response.status_code, response.data) == (200, body)
    assert response.headers["Content-Type"] == content_type


@pytest.mark.parametrize(
    ("value", "status", "header"),
    [
        (("b", 201), "201 CREATED", None),
        (("b", "299 Odd"), "299 UNKNOWN", None),  # ASGI sends no phrase
        (("b", {"X-A": "1"}), "200 OK", "1"),
        (("b", [("X-A", "1")]), "200 OK", "1"),
        (("b", (("X-A", "1"),)), "200 OK", "1"),
        (("b", 202, {"X-A": "1"}), "202 ACCEPTED", "1"),
        (("b", 202, [("X-A", "1")]), "202 ACCEPTED", "1"),
        (("b", None, {"X-A": "1"}), "200 OK", "1"),
        (("b", 202, None), "202 ACCEPTED", None),
        ((Response("b", 418), 202), "202 ACCEPTED", None),
        ((Response("b", 418), {"X-A": "1"}), "418 I'M A TEAPOT", "1"),
        (("b", {"X-A": ["1", "2"]}), "200 OK", "1"),
    ],
    ids=str,
)
def test_tuples_have_status_and_headers(value: Any, status: str, header: str | None) -> None:
    response = (
        ask(each_time(lambda: (Response("b", 418), *value[1:])))
        if isinstance(value[0], Response)
        else ask(value)
    )
    assert response.status.upper() == status
    assert response.data == b"b"
    assert response.headers.get("X-A") == header


def test_headers_of_a_tuple_replace_those_of_the_body() -> None:
    response = ask(({"a": 1}, {"Content-Type": "application/own+json"}))
    assert response.headers.getlist("Content-Type") == ["application/own+json"]


def test_a_tuple_may_hold_any_body() -> None:
    assert ask(([1], 201)).json == [1]
    assert ask(({"a": 1}, 201)).json == {"a": 1}
    assert ask(each_time(lambda: (generated(), 201))).text == "aé"
    assert ask((Forbidden(), 402)).status_code == 402


@pytest.mark.parametrize(
    "value", [(), ("a",), ("a", 1, {}, 2), (None, 200), (None,), ("a", 200, {}, None)], ids=str
)
def test_tuples_of_another_shape_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"'view'|'in_thread'"):
        ask(value, testing=True)


@pytest.mark.parametrize("value", [None, 1, 2.5, object(), True, {1, 2}, lambda: "x"], ids=str)
def test_what_is_no_response_is_refused_by_name_and_place(value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        ask(value, testing=True)
    message = str(caught.value)
    assert "'view'" in message
    assert f"{Path(__file__).name}, line" in message
    if value is None:
        assert "return statement" in message


def test_the_error_goes_through_the_error_handlers() -> None:
    app = Kolben("convert")
    app.register_error_handler(TypeError, lambda error: f"handled {error}")
    app.add_url_rule("/", "forgetful", lambda: None)
    assert app.test_client().get("/").text.startswith("handled The view function for 'forgetful'")


@pytest.mark.parametrize("async_view", [True, False])
def test_without_testing_it_is_a_500(async_view: bool) -> None:
    app = Kolben("convert")

    async def view() -> None:
        return None

    app.add_url_rule("/", "view", view if async_view else lambda: None)
    assert app.test_client().get("/").status_code == 500


def test_response_objects_pass() -> None:
    response = ask(each_time(lambda: Response("r", 201, {"X-A": "1"}, mimetype="text/plain")))
    assert (response.status_code, response.headers["X-A"]) == (201, "1")
    assert ask(each_time(lambda: OwnResponse("own"))).mimetype == "text/own"


def test_another_response_class_of_the_application() -> None:
    class App(Kolben):
        response_class = OwnResponse

    app = App("convert")
    values = {
        "/str": "s",
        "/tuple": ("s", 201),
        "/plain": Response("s", mimetype="text/plain"),
        "/dict": {},
    }
    types: list[str] = []

    @app.after_request
    def after(response: Response) -> Response:
        types.append(type(response).__name__)
        return response

    app.add_url_rule("/<name>", "view", lambda name: values[f"/{name}"])
    found = {path: app.test_client().get(path).mimetype for path in values}
    assert found == {
        "/str": "text/own",
        "/tuple": "text/own",
        "/plain": "text/plain",
        "/dict": "application/json",
    }
    assert types == ["OwnResponse"] * 4


def test_a_response_class_with_a_constructor_of_its_own() -> None:
    class Marked(Response):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.headers["X-Marked"] = "yes"

    class App(Kolben):
        response_class = Marked

    app = App("convert")
    app.add_url_rule("/", "text", lambda: "text")
    app.add_url_rule("/json", "json", lambda: {"a": 1})
    for path in ("/", "/json"):
        assert app.test_client().get(path).headers["X-Marked"] == "yes"


def test_a_json_provider_of_the_application() -> None:
    class Provider(DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return "dumped"

    class App(Kolben):
        json_provider_class = Provider

    app = App("convert")
    app.add_url_rule("/", "json", lambda: {"a": 1})
    app.add_url_rule("/jsonify", "jsonify", lambda: jsonify(1))
    assert app.test_client().get("/").text.strip() == "dumped"
    assert app.test_client().get("/jsonify").text.strip() == "dumped"


def test_what_json_cannot_say_is_an_error() -> None:
    with pytest.raises(TypeError, match="object"):
        ask({"a": object()}, testing=True)


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 207,
            "headers": [(b"content-length", b"3"), (b"x-inner", b"1")],
        }
    )
    await send({"type": "http.response.body", "body": b"app"})


class Application:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await application(scope, receive, send)


@pytest.mark.parametrize("value", [application, Application()], ids=["function", "object"])
def test_an_asgi_application_answers(value: Any) -> None:
    response = ask(value)
    assert (response.status_code, response.data) == (207, b"app")
    assert response.headers["X-Inner"] == "1"


def test_a_starlette_response_answers_with_the_headers_of_the_hooks() -> None:
    responses = pytest.importorskip("starlette.responses")
    app = Kolben("convert")

    @app.get("/")
    async def view() -> Any:
        return responses.PlainTextResponse("starlette", status_code=201, headers={"X-In": "1"})

    @app.get("/def")
    def in_thread() -> Any:
        return responses.JSONResponse({"a": 1})

    @app.after_request
    def after(response: Response) -> Response:
        response.headers["X-After"] = "yes"
        response.set_cookie("c", "v")
        return response

    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (201, "starlette")
    assert response.headers["X-In"] == "1"
    assert response.headers["X-After"] == "yes"
    assert response.headers["Set-Cookie"].startswith("c=v")
    assert response.headers.getlist("Content-Type") == ["text/plain; charset=utf-8"]
    assert app.test_client().get("/def").json == {"a": 1}


def test_what_an_asgi_application_is() -> None:
    async def noop(scope: Any, receive: Any, send: Any) -> None:
        return None

    assert is_asgi_application(noop)
    assert is_asgi_application(Application())
    assert not is_asgi_application("text")
    assert not is_asgi_application(lambda: None)


def test_views_that_return_awaitables_from_def() -> None:
    """A decorator around an async view is def; what it hands out is awaited."""
    app = Kolben("convert")

    async def inner() -> str:
        return "inner"

    app.add_url_rule("/", "view", lambda: inner())
    assert app.test_client().get("/").text == "inner"
