"""Scopes and bodies as a server would make them."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from kolben import Kolben
from kolben.http.datastructures import Authorization, FileStorage, Headers, MultiDict
from kolben.testing import RequestBuilder, build_scope


@pytest.fixture
def app() -> Kolben:
    return Kolben("app", root_path=".")


def header(scope: Any, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


def test_defaults(app: Kolben) -> None:
    scope, body = build_scope(app)
    assert body == b""
    assert scope["type"] == "http"
    assert scope["method"] == "GET"
    assert scope["path"] == "/" and scope["raw_path"] == b"/"
    assert scope["query_string"] == b"" and scope["root_path"] == ""
    assert scope["scheme"] == "http" and scope["http_version"] == "1.1"
    assert scope["client"] == ("127.0.0.1", 50000) and scope["server"] == ("localhost", 80)
    assert header(scope, b"host") == [b"localhost"]
    assert header(scope, b"content-length") == [] and header(scope, b"content-type") == []


def test_any_callable_will_do_as_an_application() -> None:
    scope, _ = build_scope(None, "/x", json={"a": 1})
    assert scope["path"] == "/x"


def test_configuration_gives_scheme_host_and_prefix(app: Kolben) -> None:
    app.config.update(
        SERVER_NAME="example.com:5000", APPLICATION_ROOT="/shop", PREFERRED_URL_SCHEME="https"
    )
    scope, _ = build_scope(app, "/cart")
    assert header(scope, b"host") == [b"example.com:5000"]
    assert scope["scheme"] == "https" and scope["server"] == ("example.com", 5000)
    assert scope["root_path"] == "/shop" and scope["path"] == "/shop/cart"
    scope, _ = build_scope(app, "/cart", subdomain="api", url_scheme="http")
    assert header(scope, b"host") == [b"api.example.com:5000"] and scope["scheme"] == "http"


def test_base_url_gives_scheme_host_and_prefix(app: Kolben) -> None:
    scope, _ = build_scope(app, "/cart", "https://shop.example:8443/a/b/")
    assert scope["scheme"] == "https" and scope["server"] == ("shop.example", 8443)
    assert scope["root_path"] == "/a/b" and scope["path"] == "/a/b/cart"
    with pytest.raises(ValueError, match="subdomain"):
        build_scope(app, "/", base_url="http://a", subdomain="b")
    with pytest.raises(ValueError, match="query string or fragment"):
        build_scope(app, "/", base_url="http://a?b")


@pytest.mark.parametrize(
    ("url", "host", "path", "query"),
    [
        ("https://example.com/a?b=c", b"example.com", "/a", b"b=c"),
        ("https://example.com", b"example.com", "/", b""),
        ("https://example.com?a=b", b"example.com", "/", b"a=b"),
        ("//evil.example/a", b"localhost", "//evil.example/a", b""),
        ("/a?next=http://b/c", b"localhost", "/a", b"next=http://b/c"),
        ("/a#fragment", b"localhost", "/a", b""),
        ("/a?b?c", b"localhost", "/a", b"b?c"),
        ("?b", b"localhost", "", b"b"),
    ],
)
def test_the_path_may_be_a_url(app: Kolben, url: str, host: bytes, path: str, query: bytes) -> None:
    scope, _ = build_scope(app, url)
    assert header(scope, b"host") == [host]
    assert scope["path"] == path and scope["query_string"] == query


@pytest.mark.parametrize(
    ("path", "decoded", "raw"),
    [
        ("/ü", "/ü", b"/%C3%BC"),
        ("/%C3%BC", "/ü", b"/%C3%BC"),
        ("/a b", "/a b", b"/a%20b"),
        ("/a%2Fb", "/a/b", b"/a%2Fb"),
        ("/%FF", "/\ufffd", b"/%FF"),
    ],
)
def test_paths_are_decoded_as_servers_do(app: Kolben, path: str, decoded: str, raw: bytes) -> None:
    scope, _ = build_scope(app, path)
    assert scope["path"] == decoded and scope["raw_path"] == raw


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ({"a": 1, "b": ["x", "y"], "c": None}, b"a=1&b=x&b=y"),
        (MultiDict([("a", "1"), ("a", "ü")]), b"a=1&a=%C3%BC"),
        ("a=1&b=ü", b"a=1&b=%C3%BC"),
        ("", b""),
    ],
)
def test_query_strings(app: Kolben, query: Any, sent: bytes) -> None:
    scope, _ = build_scope(app, query_string=query)
    assert scope["query_string"] == sent


def test_a_query_in_two_places_is_refused(app: Kolben) -> None:
    with pytest.raises(ValueError, match="in the path and as an argument"):
        build_scope(app, "/?a=b", query_string={"c": "d"})


def test_forms_are_urlencoded(app: Kolben) -> None:
    scope, body = build_scope(app, method="POST", data={"a": "ü&", "b": [1, 2], "n": None})
    assert body == b"a=%C3%BC%26&b=1&b=2"
    assert header(scope, b"content-type") == [b"application/x-www-form-urlencoded"]
    assert header(scope, b"content-length") == [str(len(body)).encode()]


@pytest.mark.parametrize(
    "value",
    [
        (BytesIO(b"content"), "a.txt"),
        (BytesIO(b"content"), "a.txt", "text/plain"),
        FileStorage(BytesIO(b"content"), "a.txt", content_type="text/plain"),
        [(BytesIO(b"content"), "a.txt")],
    ],
    ids=["pair", "triple", "storage", "list"],
)
def test_files_make_a_multipart_form(app: Kolben, value: Any) -> None:
    request = RequestBuilder(app, method="POST", data={"field": "x", "file": value}).request()
    assert request.mimetype == "multipart/form-data"
    assert request.form["field"] == "x"
    file = request.files["file"]
    assert file.read() == b"content" and file.filename == "a.txt"
    assert file.mimetype == "text/plain"
    request.close()


def test_open_files_and_paths_are_sent_and_closed(app: Kolben, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    file = path.open("rb")
    with RequestBuilder(app, data={"a": file, "b": (path, "other.txt")}).request() as request:
        assert request.files["a"].filename == str(path)
        assert request.files["a"].mimetype == "application/json"
        assert request.files["b"].filename == "other.txt"
    assert file.closed


def test_names_are_quoted_as_browsers_do(app: Kolben) -> None:
    data = {'a"\r\nb': (BytesIO(b"x"), 'ü"\n.txt')}
    _, body = build_scope(app, method="POST", data=data)
    assert isinstance(body, bytes)
    assert 'name="a%22%0D%0Ab"; filename="ü%22%0A.txt"'.encode() in body


def test_a_form_can_be_multipart_without_files(app: Kolben) -> None:
    builder = RequestBuilder(
        app, method="POST", data={"a": "b"}, content_type="multipart/form-data"
    )
    assert builder.request().form["a"] == "b"


def test_a_form_cannot_be_json(app: Kolben) -> None:
    with pytest.raises(ValueError, match="'json='"):
        build_scope(app, data={"a": "b"}, content_type="application/json")


def test_json_is_written_by_the_application(app: Kolben) -> None:
    app.json.dumps = lambda obj, **kw: json.dumps({"wrapped": obj})  # type: ignore[method-assign]
    scope, body = build_scope(app, method="POST", json=[1])
    assert body == b'{"wrapped": [1]}'
    assert header(scope, b"content-type") == [b"application/json"]
    scope, body = build_scope(app, json=None, content_type="application/x+json", data=b"1")
    assert body == b"1" and header(scope, b"content-type") == [b"application/x+json"]


def test_raw_bodies(app: Kolben) -> None:
    assert build_scope(app, data="ü")[1] == "ü".encode()
    assert build_scope(app, data=b"x")[1] == b"x"
    assert build_scope(app, data=BytesIO(b"x"))[1] == b"x"
    assert build_scope(app, input_stream=BytesIO(b"x"))[1] == b"x"
    scope, _ = build_scope(app, data=b"x", mimetype="text/plain")
    assert header(scope, b"content-type") == [b"text/plain; charset=utf-8"]
    scope, _ = build_scope(app, data=b"x", content_length=5)
    assert header(scope, b"content-length") == [b"5"]
    with pytest.raises(ValueError, match="only one of"):
        build_scope(app, data=b"x", json={})


def test_iterators_are_sent_in_chunks(app: Kolben) -> None:
    scope, body = build_scope(app, method="POST", data=iter([b"a", b"b"]))
    assert header(scope, b"transfer-encoding") == [b"chunked"]
    assert header(scope, b"content-length") == []
    assert list(body) == [b"a", b"b"]  # type: ignore[arg-type]
    scope, _ = build_scope(app, data=iter([b"a"]), http_version="2")
    assert header(scope, b"transfer-encoding") == []

    async def pieces() -> Any:
        yield b"a"

    with pytest.raises(TypeError, match="async iterator"):
        RequestBuilder(app, data=pieces()).request()


def test_headers_in_every_form(app: Kolben) -> None:
    for headers in ({"X-A": "1"}, [("X-A", "1")], Headers({"X-A": "1"})):
        scope, _ = build_scope(app, headers=headers)
        assert header(scope, b"x-a") == [b"1"]
    scope, _ = build_scope(app, headers={"Host": "other.example"})
    assert header(scope, b"host") == [b"other.example"]
    scope, _ = build_scope(app, headers={"Content-Type": "text/x"}, data=b"x")
    assert header(scope, b"content-type") == [b"text/x"]
    with pytest.raises(ValueError, match="X-A"):
        build_scope(app, headers={"X-A": "1\n"})


def test_credentials(app: Kolben) -> None:
    scope, _ = build_scope(app, auth=("ada", "pä:ss"))
    assert header(scope, b"authorization") == [b"Basic YWRhOnDDpDpzcw=="]
    scope, _ = build_scope(app, auth=Authorization("bearer", token="abc"))
    assert header(scope, b"authorization") == [b"Bearer abc"]


def test_what_servers_say(app: Kolben) -> None:
    scope, _ = build_scope(
        app,
        "/a",
        root_path="/mount",
        client=None,
        server=("10.0.0.1", 8000),
        extensions={"http.response.pathsend": {}},
        scope_overrides={"custom": 1},
    )
    assert scope["root_path"] == "/mount" and scope["path"] == "/mount/a"
    assert scope["client"] is None and scope["server"] == ("10.0.0.1", 8000)
    assert scope["extensions"] == {"http.response.pathsend": {}} and scope["custom"] == 1


def test_the_names_of_wsgi_are_understood(app: Kolben) -> None:
    base = {"REMOTE_ADDR": "192.0.2.1", "HTTP_USER_AGENT": "base", "HTTP_X_A": "base"}
    scope, _ = build_scope(app, "/a", headers={"X-A": "mine"}, environ_base=base)
    assert scope["client"] == ("192.0.2.1", 50000)
    assert header(scope, b"user-agent") == [b"base"] and header(scope, b"x-a") == [b"mine"]
    overrides = {
        "HTTP_X_A": "stronger",
        "CONTENT_TYPE": "text/x",
        "REMOTE_PORT": "1",
        "SERVER_NAME": "s",
        "SERVER_PORT": "81",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "SCRIPT_NAME": "/m",
        "QUERY_STRING": "q=1",
        "REQUEST_METHOD": "PUT",
        "wsgi.url_scheme": "https",
        "myapp.key": 1,
    }
    scope, _ = build_scope(app, "/a", headers={"X-A": "mine"}, environ_overrides=overrides)
    assert header(scope, b"x-a") == [b"stronger"]
    assert header(scope, b"content-type") == [b"text/x"]
    assert scope["client"] == ("127.0.0.1", 1) and scope["server"] == ("s", 81)
    assert scope["http_version"] == "1.0" and scope["scheme"] == "https"
    assert scope["path"] == "/m/a" and scope["root_path"] == "/m"
    assert scope["query_string"] == b"q=1" and scope["method"] == "PUT"
    assert scope["myapp.key"] == 1


def test_a_builder_can_be_changed_before_it_builds(app: Kolben) -> None:
    builder = RequestBuilder(app, "/a")
    builder.base_url = "https://example.com/m"
    builder.method = "POST"
    builder.form.add("a", "1")
    builder.args = MultiDict({"q": "x"})
    assert builder.base_url == "https://example.com/m/"
    assert builder.server_name == "example.com" and builder.server_port == 443
    scope, body = builder.build()
    assert scope["path"] == "/m/a" and scope["query_string"] == b"q=x" and body == b"a=1"
    builder.drop_body()
    assert builder.build()[1] == b""


def test_a_builder_can_be_made_from_a_scope(app: Kolben) -> None:
    scope, body = build_scope(
        app, "/a%25b ü?q=1", "https://example.com/m", method="PUT", data={"a": "1"}
    )
    again, body_again = RequestBuilder.from_scope(app, scope, body).build()
    assert {**again, "headers": None} == {**scope, "headers": None, "raw_path": again["raw_path"]}
    assert sorted(again["headers"]) == sorted(scope["headers"]) and body_again == body


def test_a_builder_makes_a_wsgi_environ(app: Kolben) -> None:
    builder = RequestBuilder(
        app, "/ü?q=1", "http://h:8080/m", method="POST", data=b"abc", headers={"X-A": "1"}
    )
    environ = builder.get_environ()
    assert environ["PATH_INFO"].encode("latin-1") == "/ü".encode()
    assert environ["SCRIPT_NAME"] == "/m" and environ["QUERY_STRING"] == "q=1"
    assert environ["HTTP_HOST"] == "h:8080" and environ["SERVER_PORT"] == "8080"
    assert environ["CONTENT_LENGTH"] == "3" and environ["wsgi.input"].read() == b"abc"
    assert environ["HTTP_X_A"] == "1" and environ["REMOTE_ADDR"] == "127.0.0.1"


def test_request_contexts_take_the_same_arguments(app: Kolben) -> None:
    from kolben import request

    with app.test_request_context("/a?b=c", method="POST", data={"x": "y"}):
        assert (request.path, request.args["b"], request.form["x"]) == ("/a", "c", "y")
    with app.test_request_context("/a", json={"x": 1}):
        assert request.get_json() == {"x": 1}
