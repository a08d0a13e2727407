"""A WSGI environ, as a scope and as messages."""

from __future__ import annotations

import copy
from io import BytesIO
from typing import Any

import pytest

from kolben import Kolben, request
from kolben.gateway.environ import EnvironScope, Input, input_of
from kolben.local import drive

ENVIRON: dict[str, Any] = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "/app",
    "PATH_INFO": "/x y",
    "QUERY_STRING": "a=%C3%A4",
    "SERVER_NAME": "example.org",
    "SERVER_PORT": "8080",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "192.0.2.1",
    "REMOTE_PORT": "1234",
    "HTTP_HOST": "example.org:8080",
    "HTTP_X_OWN": "own",
    "CONTENT_TYPE": "text/plain",
    "CONTENT_LENGTH": "3",
    "wsgi.url_scheme": "https",
}
WHOLE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "https",
    "path": "/app/x y",
    "raw_path": b"/app/x%20y",
    "query_string": b"a=%C3%A4",
    "root_path": "/app",
    "headers": [
        (b"host", b"example.org:8080"),
        (b"x-own", b"own"),
        (b"content-type", b"text/plain"),
        (b"content-length", b"3"),
    ],
    "client": ("192.0.2.1", 1234),
    "server": ("example.org", 8080),
    "extensions": {},
    "wsgi_environ": ENVIRON,
}


def scope_of(**environ: Any) -> EnvironScope:
    made = {**ENVIRON, **environ}
    return EnvironScope({key: value for key, value in made.items() if value is not None})


def test_a_scope_is_whole_however_it_is_copied() -> None:
    for copied in (
        {**scope_of()},
        dict(scope_of()),
        scope_of().copy(),
        scope_of() | {},
        {} | scope_of(),
        {key: scope_of()[key] for key in scope_of()},
        dict(scope_of().items()),
        dict(zip(scope_of().keys(), scope_of().values(), strict=True)),
        {**copy.copy(scope_of())},
        {**scope_of() | {"path": "/app/x y"}},
    ):
        assert {**copied, "wsgi_environ": ENVIRON} == WHOLE
        assert copied["wsgi_environ"]["PATH_INFO"] == "/x y"
    assert len(scope_of()) == len(WHOLE)


def test_what_is_put_into_a_scope_stays_there() -> None:
    scope = scope_of()
    scope["path"] = "/other"
    scope["kolben.own"] = 1
    assert {**scope} == {**WHOLE, "path": "/other", "kolben.own": 1, "wsgi_environ": scope.environ}
    assert "kolben.own" in scope and scope.get("kolben.own") == 1
    assert scope.setdefault("path", "/third") == "/other"
    scope.update(method="PUT")
    assert scope["method"] == "PUT"


def test_a_key_is_there_whether_it_was_asked_for_or_not() -> None:
    scope = scope_of()
    assert "headers" in scope and "state" not in scope and 1 not in scope
    assert scope.get("state") is None and scope.get("state", 1) == 1
    assert scope.setdefault("root_path", "") == "/app"
    assert scope.setdefault("state", {}) == {} and "state" in scope
    with pytest.raises(KeyError, match="nothing"):
        scope["nothing"]


@pytest.mark.parametrize(
    ("environ", "key", "value"),
    [
        ({"PATH_INFO": "/Ã¤"}, "path", "/app/ä"),
        ({"PATH_INFO": "/Ã¤"}, "raw_path", b"/app/%C3%A4"),
        ({"PATH_INFO": "/\xff"}, "path", "/app/\ufffd"),
        ({"SCRIPT_NAME": "/Ã¶", "PATH_INFO": "/"}, "root_path", "/ö"),
        ({"SCRIPT_NAME": None, "PATH_INFO": None}, "path", ""),
        ({"SCRIPT_NAME": None}, "root_path", ""),
        ({"RAW_URI": "/app/a%2Fb?c"}, "raw_path", b"/app/a%2Fb"),
        ({"REQUEST_URI": "/app/a%2Fb?c"}, "raw_path", b"/app/a%2Fb"),
        ({"REQUEST_URI": "http://h:1/app/a%2Fb?c=/d"}, "raw_path", b"/app/a%2Fb"),
        ({"REQUEST_URI": "http://h?c=/d"}, "raw_path", b"/"),
        ({"REQUEST_URI": "http://h"}, "raw_path", b"/"),
        ({"REQUEST_URI": "*"}, "raw_path", b"/"),
        ({"REQUEST_URI": "/Ã¤"}, "raw_path", "/ä".encode()),
        ({"QUERY_STRING": None}, "query_string", b""),
        ({"QUERY_STRING": "\xe4"}, "query_string", b"\xe4"),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, "http_version", "1.0"),
        ({"SERVER_PROTOCOL": "HTTP/2"}, "http_version", "2"),
        ({"SERVER_PROTOCOL": "HTTP/2.0"}, "http_version", "2"),
        ({"SERVER_PROTOCOL": None}, "http_version", "1.1"),
        ({"REMOTE_PORT": None}, "client", ("192.0.2.1", 0)),
        ({"REMOTE_PORT": ""}, "client", ("192.0.2.1", 0)),
        ({"REMOTE_PORT": "x"}, "client", ("192.0.2.1", 0)),
        ({"REMOTE_ADDR": None}, "client", None),
        ({"REMOTE_ADDR": ""}, "client", None),
        ({"SERVER_PORT": None}, "server", ("example.org", None)),
        ({"SERVER_PORT": ""}, "server", ("example.org", None)),
        ({"SERVER_NAME": None, "SERVER_PORT": None}, "server", None),
        ({"wsgi.file_wrapper": list}, "extensions", {"http.response.pathsend": {}}),
        ({"wsgi.url_scheme": None}, "scheme", "http"),
    ],
)
def test_what_a_value_is_made_of(environ: dict[str, Any], key: str, value: Any) -> None:
    assert scope_of(**environ)[key] == value


def test_headers_are_those_that_the_client_sent() -> None:
    scope = EnvironScope(
        {
            "HTTP_CONTENT_LENGTH": "666",
            "HTTP_CONTENT_TYPE": "evil/type",
            "HTTP_X_FORWARDED_FOR": "192.0.2.7",
            "HTTP_X_LATIN": "\xe4",
            "HTTP_X_WIDE": "\u20ac",
            "HTTP_\u0416": "x",
            "CONTENT_TYPE": "",
            "CONTENT_LENGTH": "",
            "X_NOT_ONE": "1",
        }
    )
    assert scope["headers"] == [
        (b"x-forwarded-for", b"192.0.2.7"),
        (b"x-latin", b"\xe4"),
        (b"x-wide", b"?"),
        (b"?", b"x"),
    ]


def messages_of(**environ: Any) -> list[Any]:
    body = input_of(environ) or Input(environ, 0, 0)
    found = [drive(body())]
    while found[-1]["type"] == "http.request" and found[-1]["more_body"]:
        found.append(drive(body()))
    assert drive(body()) == {"type": "http.disconnect"}
    return [message.get("body", "gone") for message in found]


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


class Breaking(BytesIO):
    """A connection that breaks after some bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if data := super().read(size):
            return data
        raise ConnectionResetError


def test_a_body_is_read_to_its_length_and_no_further(exchange: Any) -> None:
    stream = BytesIO(b"bodynext request")
    assert messages_of(**{"wsgi.input": stream, "CONTENT_LENGTH": "4"}) == [b"body"]
    assert stream.read() == b"next request"


@pytest.mark.parametrize("length", ["", "0", "x", "-1", "+1", "1.0", "\u0661", "9" * 30, None])
def test_without_a_valid_length_nothing_is_read(length: str | None) -> None:
    environ = {} if length is None else {"CONTENT_LENGTH": length}
    stream = BytesIO(b"next request")
    assert messages_of(**{"wsgi.input": stream, **environ}) == [b""]
    assert stream.tell() == 0


def test_a_stream_that_ends_by_itself_is_read_to_its_end() -> None:
    for more in ({}, {"CONTENT_LENGTH": "1"}):
        environ = {"wsgi.input": BytesIO(b"body"), "wsgi.input_terminated": True, **CHUNKED, **more}
        assert b"".join(messages_of(**environ)) == b"body"


def test_of_chunks_that_a_proxy_has_put_together_the_length_is_read() -> None:
    stream = BytesIO(b"body and more")
    assert messages_of(**{"wsgi.input": stream, "CONTENT_LENGTH": "4", **CHUNKED}) == [b"body"]


def test_a_large_body_comes_in_pieces() -> None:
    body = bytes(200_000)
    environ = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": "200000"}
    pieces = messages_of(**environ)
    assert b"".join(pieces) == body and max(map(len, pieces)) <= 65536


def test_a_client_that_leaves_is_seen_and_not_asked_again() -> None:
    for stream in (BytesIO(b"bo"), Breaking(b"bo")):
        assert messages_of(**{"wsgi.input": stream, "CONTENT_LENGTH": "4"}) == [b"bo", "gone"]
    environ = {"wsgi.input": Breaking(b"bo"), "wsgi.input_terminated": True, **CHUNKED}
    assert messages_of(**environ) == [b"bo", "gone"]


# What a view sees of it ---------------------------------------------------------------------


@pytest.fixture
def app(colour: Any) -> Kolben:
    app = Kolben(__name__)

    @app.route("/", defaults={"rest": ""}, methods=["GET", "POST", "OPTIONS"])
    @app.route("/<rest>", methods=["GET", "POST", "OPTIONS"])
    @app.route("/<rest>/<more>", methods=["GET", "POST"])
    @colour
    def view(rest: str, more: str = "") -> Any:
        return {
            "rest": rest,
            "more": more,
            "path": request.path,
            "root": request.root_path,
            "url": request.url,
            "query": request.args.to_dict(),
            "client": request.remote_addr,
            "length": request.content_length,
            "own": request.headers.get("X-Own"),
            "body": request.get_data(as_text=True),
        }

    return app


@pytest.mark.parametrize(
    ("path", "environ", "expected"),
    [
        ("/ä", {}, {"rest": "ä", "url": "http://localhost/ä"}),
        ("/ä", {"SCRIPT_NAME": "/Ã¶"}, {"rest": "ä", "root": "/ö", "path": "/ä"}),
        ("/a/b", {"RAW_URI": "/a%2Fb"}, {"rest": "a/b", "more": ""}),
        ("/a/b", {"REQUEST_URI": "http://localhost/a%2Fb?x"}, {"rest": "a/b"}),
        ("/a/b", {"REQUEST_URI": "/other%2Fone"}, {"rest": "a", "more": "b"}),
        ("/a/b", {"REQUEST_URI": "/app/a%2Fb", "SCRIPT_NAME": "/app"}, {"rest": "a/b"}),
        ("/a/b", {"REQUEST_URI": "/a%2Fb", "SCRIPT_NAME": "/app"}, {"rest": "a/b"}),
        ("/", {"SCRIPT_NAME": "/app"}, {"rest": "", "url": "http://localhost/app/"}),
        ("/?a=ä", {"QUERY_STRING": "a=%C3%A4"}, {"query": {"a": "ä"}}),
        ("/", {"REMOTE_ADDR": "", "REMOTE_PORT": ""}, {"client": None}),
        ("/", {"REMOTE_ADDR": "192.0.2.1"}, {"client": "192.0.2.1"}),
        ("/", {"HTTP_X_OWN": "Ã¤\xff"}, {"own": "Ã¤\xff"}),
        ("/", {"SERVER_PROTOCOL": "HTTP/1.0", "HTTP_HOST": None}, {"url": "http://localhost/"}),
        ("/", {"HTTP_CONTENT_LENGTH": "5"}, {"length": None, "body": ""}),
        ("/", {"CONTENT_LENGTH": "", "CONTENT_TYPE": ""}, {"length": None, "body": ""}),
        ("/", {"CONTENT_LENGTH": "0"}, {"length": 0, "body": ""}),
    ],
)
def test_what_a_view_sees(
    app: Kolben, ask: Any, path: str, environ: dict[str, Any], expected: dict[str, Any]
) -> None:
    validated = not any("CONTENT_LENGTH" in name for name in environ)  # it refuses such servers
    answer = ask(app, path, validated=validated, **environ)
    assert answer.status == 200
    found = app.json.loads(answer.body)
    assert {key: found[key] for key in expected} == expected
    # The second request goes by what the first has left.
    again = ask(app, path, validated=validated, **environ)
    assert again.body == answer.body


def test_the_same_path_with_and_without_an_encoded_slash(app: Kolben, ask: Any) -> None:
    for uri, rest in (("/a%2Fb", "a/b"), ("/a/b", "a"), ("/a%2Fb", "a/b")):
        assert app.json.loads(ask(app, "/a/b", REQUEST_URI=uri).body)["rest"] == rest


@pytest.mark.parametrize("length", ["x", "-1", "9" * 30, "\u0661"])
def test_a_length_that_is_none_is_refused_where_the_body_is_asked_for(
    app: Kolben, ask: Any, length: str
) -> None:
    answer = ask(app, "/x", "POST", CONTENT_LENGTH=length, validated=False)
    assert answer.status == 400


def test_options_of_the_server_itself(app: Kolben, ask: Any) -> None:
    answer = ask(app, "", "OPTIONS", RAW_URI="*", validated=False)
    assert answer.status in (200, 404)


class Relabel:
    """Says that every body is JSON."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["headers"] = [(b"content-type", b"application/json"), (b"content-length", b"2")]
        await self.app(scope, receive, send)


class RelabelInline(Relabel):
    runs_inline = True


@pytest.mark.parametrize("middleware", [Relabel, RelabelInline])
def test_headers_that_a_middleware_has_changed(
    app: Kolben, ask: Any, colour: Any, middleware: Any
) -> None:
    app.add_middleware(middleware)

    @app.post("/type")
    @colour
    def tell() -> Any:
        return f"{request.mimetype} {request.json}"

    answer = ask(app, "/type", "POST", b"[]", CONTENT_TYPE="text/plain")
    assert answer.body == b"application/json []"
