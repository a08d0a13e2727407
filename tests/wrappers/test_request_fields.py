"""What a request says in its line and its header fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kolben.exceptions import HTTPException
from kolben.http.datastructures import ImmutableList, MultiDict, UserAgent
from kolben.wrappers import Request


def make(path: str = "/", headers: dict[str, str] | None = None, **scope: Any) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "method": "GET", "path": path, "headers": raw, **scope})


@pytest.mark.parametrize(
    ("root_path", "path", "expected"),
    [
        ("", "/a/b", "/a/b"),
        ("", "", "/"),
        ("", "//evil.example/x", "/evil.example/x"),
        ("", "a", "/a"),
        ("/app", "/app/a", "/a"),
        ("/app", "/app", "/"),
        ("/app", "/app/", "/"),
        ("/app/", "/app/a", "/a"),
        ("/app", "/a", "/a"),
        ("/app", "/apple", "/apple"),
    ],
)
def test_path_is_what_stands_below_the_root_path(root_path: str, path: str, expected: str) -> None:
    request = make(path, root_path=root_path)
    assert request.path == expected
    assert request.root_path == request.script_root == root_path.rstrip("/")


def test_urls() -> None:
    request = make(
        "/app/a/ü",
        {"Host": "example.org:8080"},
        root_path="/app",
        scheme="https",
        query_string=b"q=%C3%BC&n=1",
    )
    assert request.url == "https://example.org:8080/app/a/ü?q=ü&n=1"
    assert request.base_url == "https://example.org:8080/app/a/ü"
    assert request.root_url == request.url_root == "https://example.org:8080/app/"
    assert request.host_url == "https://example.org:8080/"
    assert request.full_path == "/a/ü?q=%C3%BC&n=1"
    assert make("/a").full_path == "/a?"
    assert request.is_secure
    assert not make().is_secure
    assert repr(request) == f"<Request {request.url!r} [GET]>"


def test_a_bad_host_is_raised_where_it_is_asked_for_and_never_by_repr() -> None:
    request = make(headers={"Host": "a b"})
    assert request.path == "/"
    assert "invalid URL" in repr(request)
    with pytest.raises(HTTPException) as caught:
        _ = request.url
    assert caught.value.code == 400


def test_trusted_hosts() -> None:
    class Trusting(Request):
        trusted_hosts = [".example.org"]

    scope: dict[str, Any] = {"method": "GET", "path": "/", "headers": [(b"host", b"a.example.org")]}
    assert Trusting(scope).host == "a.example.org"
    with pytest.raises(HTTPException):
        _ = Trusting({**scope, "headers": [(b"host", b"example.com")]}).host
    request = Request(scope)
    request.trusted_hosts = ["other.example"]
    with pytest.raises(HTTPException):
        _ = request.host


def test_addresses_may_be_unknown() -> None:
    request = make()
    assert request.remote_addr is None
    assert request.server is None
    assert request.remote_user is None
    assert request.access_route == []
    request = make(client=("10.0.0.1", 5000), server=("127.0.0.1", 80), remote_user="ann")
    assert request.remote_addr == "10.0.0.1"
    assert request.server == ("127.0.0.1", 80)
    assert request.remote_user == "ann"
    assert request.access_route == ["10.0.0.1"]
    assert make(wsgi_environ={"REMOTE_USER": "bob"}).remote_user == "bob"
    request.remote_addr = "192.0.2.1"
    assert request.remote_addr == "192.0.2.1"


def test_access_route_is_what_the_forwarded_header_says() -> None:
    request = make(headers={"X-Forwarded-For": "1.1.1.1, 2.2.2.2"}, client=("10.0.0.1", 1))
    assert request.access_route == ["1.1.1.1", "2.2.2.2"]
    assert isinstance(request.access_route, ImmutableList)


def test_args_and_their_class() -> None:
    request = make(query_string=b"a=1&a=2&b=%C3%BC&c&bad=%ff%zz")
    assert request.args.getlist("a", type=int) == [1, 2]
    assert request.args["b"] == "ü"
    assert request.args["c"] == ""
    assert "%" in request.args["bad"]
    assert request.args.get("none", 3, type=int) == 3
    with pytest.raises(TypeError):
        request.args["a"] = "3"
    with pytest.raises(HTTPException) as caught:
        _ = request.args["none"]
    assert caught.value.code == 400
    assert len(make().args) == 0

    class Mutable(Request):
        parameter_storage_class = MultiDict

    args = Mutable(request.scope).args
    args["a"] = "3"
    assert args.getlist("a") == ["3"]


def test_too_many_parameters_in_the_url_are_a_413() -> None:
    query = b"&".join([b"a=1"] * 1001)
    with pytest.raises(HTTPException) as caught:
        _ = make(query_string=query).args
    assert caught.value.code == 413
    request = make(query_string=query)
    request.max_form_parts = None
    assert len(request.args.getlist("a")) == 1001


def test_cookies_of_one_or_several_headers() -> None:
    raw = [(b"cookie", b"a=1; b=2"), (b"cookie", b'c="x y"')]
    request = Request({"method": "GET", "path": "/", "headers": raw})
    assert request.cookies.to_dict() == {"a": "1", "b": "2", "c": "x y"}
    assert make().cookies == {}


def test_content_type_and_its_parts() -> None:
    request = make(headers={"Content-Type": "Text/HTML; charset=UTF-8"})
    assert request.content_type == "Text/HTML; charset=UTF-8"
    assert request.mimetype == "text/html"
    assert request.mimetype_params == {"charset": "UTF-8"}
    assert not request.is_json
    assert make().mimetype == ""
    assert make().content_type is None
    assert make(headers={"Content-Type": "application/vnd.api+json"}).is_json
    assert make(headers={"Content-Type": "application/json; charset=utf-8"}).is_json


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([(b"content-length", b"12")], 12),
        ([(b"content-length", b"12"), (b"content-length", b"12")], 12),
        ([(b"content-length", b"12"), (b"content-length", b"13")], 0),
        ([(b"content-length", b"-1")], 0),
        ([(b"content-length", b"+1")], 0),
        ([(b"content-length", b"1_0")], 0),
        ([(b"content-length", "\u0661".encode())], 0),
        ([(b"content-length", b"9" * 5000)], 0),
        ([(b"content-length", b"12"), (b"transfer-encoding", b"chunked")], None),
    ],
)
def test_content_length(headers: list[tuple[bytes, bytes]], expected: int | None) -> None:
    request = Request({"method": "POST", "path": "/", "headers": headers})
    assert request.content_length == expected


def test_plain_header_fields() -> None:
    request = make(
        headers={
            "Content-Encoding": "gzip",
            "Content-MD5": "abc",
            "Referer": "https://a/",
            "Origin": "https://b",
            "Max-Forwards": "10",
            "Pragma": "no-cache",
            "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "X-A, X-B",
            "User-Agent": "curl/8",
        }
    )
    assert request.content_encoding == "gzip"
    assert request.content_md5 == "abc"
    assert request.referrer == "https://a/"
    assert request.origin == "https://b"
    assert request.max_forwards == 10
    assert "no-cache" in request.pragma
    assert request.date == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
    assert request.access_control_request_method == "PUT"
    assert request.access_control_request_headers is not None
    assert list(request.access_control_request_headers) == ["X-A", "X-B"]
    assert request.user_agent.string == "curl/8"


def test_missing_and_broken_header_fields() -> None:
    request = make(headers={"Max-Forwards": "ten", "Date": "yesterday", "Range": "bytes=x"})
    assert request.max_forwards is None
    assert request.date is None
    assert request.range is None
    assert request.referrer is request.origin is request.content_encoding is None
    assert request.access_control_request_headers is None
    assert request.authorization is None
    assert not request.if_match
    assert not request.if_none_match
    assert request.if_modified_since is request.if_unmodified_since is None
    assert request.if_range.etag is None
    assert request.user_agent.string == ""
    assert len(request.accept_mimetypes) == 0


def test_accept_and_conditions() -> None:
    request = make(
        headers={
            "Accept": "text/html, application/json;q=0.5",
            "Accept-Charset": "utf-8",
            "Accept-Encoding": "gzip, br;q=0.1",
            "Accept-Language": "de-CH, en;q=0.5",
            "If-Match": '"a"',
            "If-None-Match": 'W/"b"',
            "If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT",
            "If-Unmodified-Since": "Wed, 21 Oct 2015 07:28:00 GMT",
            "If-Range": '"c"',
            "Range": "bytes=0-9",
            "Cache-Control": "no-cache, max-age=3",
            "Authorization": "Basic YTpi",
        }
    )
    assert request.accept_mimetypes.best == "text/html"
    assert "application/json" in request.accept_mimetypes
    assert "utf-8" in request.accept_charsets
    assert request.accept_encodings.best_match(["br", "gzip"]) == "gzip"
    assert request.accept_languages.best_match(["en", "de-CH"]) == "de-CH"
    assert "a" in request.if_match
    assert request.if_none_match.contains_weak("b")
    assert request.if_modified_since == request.if_unmodified_since
    assert request.if_range.etag == "c"
    assert request.range is not None
    assert list(request.range.ranges) == [(0, 10)]
    assert request.cache_control.max_age == 3
    assert request.authorization is not None
    assert request.authorization.username == "a"


def test_lists_in_several_header_lines_are_one() -> None:
    raw = [(b"accept", b"text/html"), (b"accept", b"text/plain;q=0.5"), (b"if-none-match", b'"a"')]
    raw.append((b"if-none-match", b'"b"'))
    request = Request({"method": "GET", "path": "/", "headers": raw})
    assert list(request.accept_mimetypes.values()) == ["text/html", "text/plain"]
    assert "a" in request.if_none_match
    assert "b" in request.if_none_match


def test_the_classes_of_values_may_be_replaced() -> None:
    class Agent(UserAgent):
        browser = "test"

    class Own(Request):
        user_agent_class = Agent
        list_storage_class = list
        dict_storage_class = MultiDict

    request = Own({"method": "GET", "path": "/", "headers": [(b"cookie", b"a=1")]})
    assert request.user_agent.browser == "test"
    assert type(request.access_route) is list
    request.cookies["a"] = "2"
    assert request.cookies["a"] == "2"


def test_users_may_keep_their_own_attributes() -> None:
    request = make()
    request.user = "ann"  # type: ignore[attr-defined]
    assert request.user == "ann"  # type: ignore[attr-defined]
