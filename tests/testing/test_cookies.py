"""The cookies that a client keeps, and where it sends them."""

from __future__ import annotations

from typing import Any

import pytest

from kolben import Kolben, Response, request
from kolben.testing import Client


@pytest.fixture
def app() -> Kolben:
    app = Kolben("app", root_path=".")
    app.testing = True

    @app.get("/set")
    @app.get("/deep/down/set", endpoint="deep")
    def set_cookie() -> Response:
        response = Response("set")
        arguments: dict[str, Any] = request.args.to_dict()
        for name in ("max_age", "expires"):
            if name in arguments:
                arguments[name] = int(arguments[name])
        response.set_cookie("key", "value ü", **arguments)
        return response

    @app.get("/<path:rest>")
    @app.get("/", endpoint="root")
    def show(rest: str = "") -> dict[str, str]:
        return dict(request.cookies)

    @app.get("/header")
    def header() -> Response:
        return Response(headers={"Set-Cookie": request.args["value"]})

    return app


@pytest.fixture
def client(app: Kolben) -> Client:
    return app.test_client()


def test_a_cookie_comes_back(client: Client) -> None:
    client.get("/set")
    assert client.get("/").json == {"key": "value ü"}
    cookie = client.get_cookie("key")
    assert cookie is not None
    assert (cookie.decoded_key, cookie.decoded_value) == ("key", "value ü")
    assert cookie.value != "value ü"
    assert (cookie.domain, cookie.path, cookie.origin_only) == ("localhost", "/", True)
    assert (cookie.secure, cookie.http_only, cookie.same_site) == (False, False, None)
    assert cookie.expires is None and cookie.max_age is None


def test_attributes_are_there_to_be_looked_at(client: Client) -> None:
    client.get("/set", query_string={"max_age": 60, "secure": "1", "samesite": "Strict"})
    cookie = client.get_cookie("key")
    assert cookie is not None and cookie.max_age == 60 and cookie.expires is not None
    assert cookie.secure and cookie.same_site == "Strict" and not cookie.partitioned


@pytest.mark.parametrize("ending", [{"max_age": 0}, {"expires": 0}, {"expires": 1}])
def test_a_cookie_can_be_deleted_by_the_application(client: Client, ending: Any) -> None:
    client.get("/set")
    client.get("/set", query_string=ending)
    assert client.get_cookie("key") is None and client.get("/").json == {}


def test_paths(client: Client) -> None:
    client.get("/set?path=/deep")
    assert client.get("/").json == {} and client.get("/deeper").json == {}
    assert client.get("/deep").json == client.get("/deep/x").json == {"key": "value ü"}
    assert client.get_cookie("key") is None
    assert client.get_cookie("key", path="/deep") is not None


def test_a_cookie_without_a_path_belongs_to_the_folder(client: Client) -> None:
    client.get("/header", query_string={"value": "a=1"})
    assert client.get_cookie("a", path="/") is not None
    client.set_cookie("b", "2", path="/header")
    assert client.get("/x").json == {"a": "1"}


def test_domains(client: Client) -> None:
    client.get("/set?domain=example.com", base_url="http://example.com")
    assert client.get("/", base_url="http://example.com").json == {"key": "value ü"}
    assert client.get("/", base_url="http://www.example.com").json == {"key": "value ü"}
    assert client.get("/", base_url="http://badexample.com").json == {}
    assert client.get("/").json == {}
    assert client.get_cookie("key", domain="example.com") is not None
    assert client.get_cookie("key", domain=".example.com") is not None


def test_a_cookie_without_a_domain_is_for_one_host(client: Client) -> None:
    client.get("/set", base_url="http://example.com")
    assert client.get("/", base_url="http://example.com:8080").json == {"key": "value ü"}
    assert client.get("/", base_url="http://www.example.com").json == {}


def test_cookies_set_by_the_test(client: Client) -> None:
    client.set_cookie("a", "ü; b")
    client.set_cookie("sub", "1", domain="example.com", origin_only=False)
    assert client.get("/").json == {"a": "ü; b"}
    assert client.get("/", base_url="http://www.example.com").json == {"sub": "1"}
    client.delete_cookie("a")
    client.delete_cookie("never there")
    assert client.get("/").json == {}
    client.set_cookie("a", "1")
    client.set_cookie("a", max_age=0)
    assert client.get_cookie("a") is None


@pytest.mark.parametrize(
    "value", ["", ";", "=", "=x; path=/", "a=1; max-age=x; expires=y", "a=1;;;=;path"]
)
def test_broken_headers_are_read_as_browsers_do(client: Client, value: str) -> None:
    client.get("/header", query_string={"value": value})
    assert client.get("/").json in ({}, {"a": "1"})


def test_cookies_of_one_request_are_no_cookies_of_the_client(client: Client) -> None:
    assert client.get("/", headers={"Cookie": "a=1"}).json == {"a": "1"}
    assert client.get("/").json == {}


def test_without_cookies(app: Kolben) -> None:
    client = app.test_client(use_cookies=False)
    client.get("/set")
    assert client.get("/").json == {}
    for use in (
        lambda: client.get_cookie("a"),
        lambda: client.set_cookie("a"),
        lambda: client.delete_cookie("a"),
        client.session_transaction,
    ):
        with pytest.raises(TypeError, match="use_cookies=True"):
            use()


def test_a_cookie_that_a_redirect_deletes_is_not_sent_to_where_it_leads() -> None:
    app = Kolben("app", root_path=".")

    @app.get("/log-out")
    def log_out() -> Response:
        response = app.redirect("/")
        response.delete_cookie("user")
        return response

    @app.get("/")
    def index() -> dict[str, Any]:
        return {**request.cookies, "chunked": "Transfer-Encoding" in request.headers}

    client = app.test_client()
    client.set_cookie("user", "ada")
    assert client.get("/").json == {"user": "ada", "chunked": False}
    assert client.get("/log-out", follow_redirects=True).json == {"chunked": False}
