"""Header fields of a response as attributes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kolben.http.datastructures import ContentRange, ContentSecurityPolicy, WWWAuthenticate
from kolben.wrappers import Response
from kolben.wrappers.response_fields import COEP, COOP

MOMENT = datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
TEXT = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("attribute", "header", "value", "text"),
    [
        ("location", "Location", "/a", "/a"),
        ("content_encoding", "Content-Encoding", "gzip", "gzip"),
        ("content_location", "Content-Location", "/a", "/a"),
        ("content_md5", "Content-MD5", "abc", "abc"),
        ("accept_ranges", "Accept-Ranges", "bytes", "bytes"),
        ("access_control_allow_origin", "Access-Control-Allow-Origin", "*", "*"),
        ("content_length", "Content-Length", 12, "12"),
        ("access_control_max_age", "Access-Control-Max-Age", 60, "60"),
        ("age", "Age", timedelta(seconds=90), "90"),
        ("date", "Date", MOMENT, TEXT),
        ("expires", "Expires", MOMENT, TEXT),
        ("last_modified", "Last-Modified", MOMENT, TEXT),
        ("retry_after", "Retry-After", MOMENT, TEXT),
        (
            "cross_origin_opener_policy",
            "Cross-Origin-Opener-Policy",
            COOP.SAME_ORIGIN,
            "same-origin",
        ),
        (
            "cross_origin_embedder_policy",
            "Cross-Origin-Embedder-Policy",
            COEP.REQUIRE_CORP,
            "require-corp",
        ),
    ],
)
def test_an_attribute_writes_and_reads_its_header(
    attribute: str, header: str, value: Any, text: str
) -> None:
    response = Response()
    setattr(response, attribute, value)
    assert response.headers[header] == text
    assert getattr(response, attribute) == value
    setattr(response, attribute, None)
    assert header not in response.headers


def test_absent_and_broken_headers_read_as_their_default() -> None:
    response = Response()
    assert response.location is response.age is response.date is response.retry_after is None
    assert response.cross_origin_opener_policy is COOP.UNSAFE_NONE
    assert response.cross_origin_embedder_policy is COEP.UNSAFE_NONE
    for name in ("Age", "Date", "Content-Length", "Cross-Origin-Opener-Policy", "Retry-After"):
        response.headers[name] = "nonsense"
    assert response.age is response.date is response.content_length is response.retry_after is None
    assert response.cross_origin_opener_policy is COOP.UNSAFE_NONE
    response.location = "/a"
    del response.location
    assert response.location is None


def test_retry_after_takes_seconds() -> None:
    response = Response()
    response.retry_after = 60
    assert response.headers["Retry-After"] == "60"
    assert response.retry_after is not None
    assert timedelta(0) < response.retry_after - datetime.now(UTC) <= timedelta(seconds=60)
    response.retry_after = "120"
    assert response.headers["Retry-After"] == "120"


@pytest.mark.parametrize(
    ("attribute", "header"),
    [
        ("vary", "Vary"),
        ("allow", "Allow"),
        ("content_language", "Content-Language"),
        ("access_control_allow_headers", "Access-Control-Allow-Headers"),
        ("access_control_allow_methods", "Access-Control-Allow-Methods"),
        ("access_control_expose_headers", "Access-Control-Expose-Headers"),
    ],
)
def test_a_set_writes_itself_back(attribute: str, header: str) -> None:
    response = Response()
    getattr(response, attribute).add("a")
    getattr(response, attribute).add("b")
    assert response.headers[header] == "a, b"
    getattr(response, attribute).clear()
    assert header not in response.headers
    setattr(response, attribute, ["a", "b"])
    assert response.headers[header] == "a, b"
    setattr(response, attribute, "c")
    assert list(getattr(response, attribute)) == ["c"]
    setattr(response, attribute, None)
    assert header not in response.headers
    setattr(response, attribute, "c")
    delattr(response, attribute)
    assert header not in response.headers


def test_a_set_joins_several_header_lines() -> None:
    response = Response(headers=[("Vary", "Accept"), ("Vary", "Cookie")])
    response.vary.add("Origin")
    assert response.headers.getlist("Vary") == ["Accept, Cookie, Origin"]


def test_cache_control_writes_itself_back() -> None:
    response = Response()
    response.cache_control.max_age = 60
    response.cache_control.public = True
    assert response.headers["Cache-Control"] == "max-age=60, public"
    assert response.cache_control.max_age == 60
    response.cache_control.clear()
    assert "Cache-Control" not in response.headers


@pytest.mark.parametrize(
    ("attribute", "header"),
    [
        ("content_security_policy", "Content-Security-Policy"),
        ("content_security_policy_report_only", "Content-Security-Policy-Report-Only"),
    ],
)
def test_a_content_security_policy_writes_itself_back(attribute: str, header: str) -> None:
    response = Response()
    getattr(response, attribute).default_src = "'self'"
    assert response.headers[header] == "default-src 'self'"
    getattr(response, attribute).default_src = None
    assert header not in response.headers
    setattr(response, attribute, ContentSecurityPolicy({"img-src": "*"}))
    assert response.headers[header] == "img-src *"
    setattr(response, attribute, "img-src 'none'")
    assert getattr(response, attribute).img_src == "'none'"
    delattr(response, attribute)
    assert header not in response.headers


def test_etag() -> None:
    response = Response("abc")
    assert response.get_etag() == (None, None)
    response.set_etag("a", weak=True)
    assert response.headers["ETag"] == 'W/"a"'
    assert response.get_etag() == ("a", True)
    response.add_etag()
    assert response.get_etag() == ("a", True)
    response.add_etag(overwrite=True)
    assert response.get_etag()[1] is False


def test_content_range() -> None:
    response = Response()
    assert not response.content_range
    response.content_range.set(0, 10, 100)
    assert response.headers["Content-Range"] == "bytes 0-9/100"
    assert response.content_range.stop == 10
    response.content_range.unset()
    assert "Content-Range" not in response.headers
    response.content_range = ContentRange("bytes", 0, 1, 2)
    assert response.headers["Content-Range"] == "bytes 0-0/2"
    response.content_range = "bytes */2"
    assert response.content_range.length == 2
    del response.content_range
    assert not response.content_range


def test_access_control_allow_credentials() -> None:
    response = Response()
    assert response.access_control_allow_credentials is False
    response.access_control_allow_credentials = True
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    response.access_control_allow_credentials = False
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_www_authenticate() -> None:
    response = Response()
    response.www_authenticate.realm = "login"
    assert response.headers["WWW-Authenticate"] == 'Basic realm="login"'
    response.www_authenticate = WWWAuthenticate("bearer", {"realm": "api"})
    response.www_authenticate.scope = "read"
    assert "scope" in response.headers["WWW-Authenticate"]
    response.www_authenticate = [WWWAuthenticate("basic"), WWWAuthenticate("bearer")]
    assert len(response.headers.getlist("WWW-Authenticate")) == 2
    assert response.www_authenticate.type == "basic"
    response.www_authenticate = None
    assert "WWW-Authenticate" not in response.headers
    response.www_authenticate = WWWAuthenticate("basic")
    del response.www_authenticate
    assert "WWW-Authenticate" not in response.headers


def test_cookies() -> None:
    response = Response()
    response.set_cookie("a", "1", max_age=60, httponly=True, samesite="Lax")
    response.set_cookie("b", "2", secure=True, partitioned=True, domain="example.org", path="/x")
    response.delete_cookie("c")
    first, second, third = response.headers.getlist("Set-Cookie")
    assert first.startswith("a=1; ")
    assert {"Max-Age=60", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(first.split("; "))
    assert {"Secure", "Partitioned", "Domain=example.org", "Path=/x"} <= set(second.split("; "))
    assert "Max-Age=0" in third
    assert len([name for name, _ in response.asgi_headers() if name == b"set-cookie"]) == 3


def test_cookies_that_browsers_refuse_are_refused() -> None:
    with pytest.raises(ValueError):
        Response().set_cookie("__Host-a", "1", secure=True, domain="example.org")
    with pytest.raises(ValueError):
        Response().set_cookie("__Secure-a", "1")


def test_a_large_cookie_warns() -> None:
    with pytest.warns(UserWarning, match="large"):
        Response().set_cookie("large", "x" * 5000)

    class Own(Response):
        max_cookie_size = 0

    Own().set_cookie("large", "x" * 5000)
