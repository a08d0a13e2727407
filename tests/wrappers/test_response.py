"""Responses: what they are made of, what is sent, and how they end."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any

import anyio
import pytest

from kolben.exceptions import NotFound
from kolben.http.datastructures import Headers
from kolben.wrappers import FileBody, Request, Response

pytestmark = pytest.mark.anyio

HTML = (b"content-type", b"text/html; charset=utf-8")


async def numbers() -> AsyncIterator[str]:
    yield "1"
    yield "2"


# Construction


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, b""),
        ("", b""),
        ("ü", "ü".encode()),
        (b"\xff", b"\xff"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (["a", b"b"], b"ab"),
        (("a", "b"), b"ab"),
        (iter(["a", b"b"]), b"ab"),
        ((str(n) for n in range(3)), b"012"),
        ({"a": 1}, b"a"),
    ],
)
def test_the_body_may_be_many_things(content: Any, expected: bytes) -> None:
    response = Response(content)
    assert response.get_data() == response.data == expected
    assert response.status == "200 OK"
    assert response.content_type == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (None, 200, "200 OK"),
        (404, 404, "404 NOT FOUND"),
        ("404", 404, "404 NOT FOUND"),
        ("404 Gone fishing", 404, "404 Gone fishing"),
        (" 201 ", 201, "201 CREATED"),
        (HTTPStatus.IM_A_TEAPOT, 418, "418 I'M A TEAPOT"),
        (599, 599, "599 UNKNOWN"),
    ],
)
def test_status(status: Any, code: int, text: str) -> None:
    response = Response("", status)
    assert response.status_code == code
    assert response.status == text


def test_status_and_status_code_follow_each_other() -> None:
    response = Response("", "404 Gone fishing")
    response.status_code = 200
    assert response.status == "200 OK"
    response.status = 503
    assert response.status_code == 503
    response.status = "503 Later"
    assert response.status == "503 Later"
    response.status = "503"
    assert response.status == "503 SERVICE UNAVAILABLE"


@pytest.mark.parametrize("status", ["", "OK", "20", "0 x", 99, 1000, -200, "²00", "200 O\r\nK"])
def test_a_status_that_cannot_be_sent_is_refused(status: Any) -> None:
    with pytest.raises(ValueError):
        Response("", status)
    with pytest.raises(ValueError):
        Response().status = status


def test_content_type_and_mimetype() -> None:
    assert Response(mimetype="text/css").content_type == "text/css; charset=utf-8"
    assert Response(mimetype="application/json").content_type == "application/json"
    assert Response(mimetype="image/svg+xml").content_type == "image/svg+xml"
    assert Response(mimetype="application/atom+xml").mimetype_params == {"charset": "utf-8"}
    assert Response(content_type="text/css").content_type == "text/css"
    assert Response(mimetype="a/b", content_type="c/d").content_type == "c/d"
    assert Response(headers={"Content-Type": "a/b"}).content_type == "a/b"
    assert Response(headers={"Content-Type": "a/b"}, mimetype="c/d").content_type == "c/d"
    assert Response(headers={"X-A": "1"}).content_type == "text/html; charset=utf-8"

    class Typeless(Response):
        default_mimetype = None
        default_status = 201

    assert Typeless("a").content_type is None
    assert Typeless("a").asgi_headers() == [(b"content-length", b"1")]
    assert Typeless("a").status_code == 201


def test_changing_the_content_type() -> None:
    for response in (Response("a"), Response("a", headers={"X-A": "1"})):
        response.content_type = "text/plain"
        assert response.headers["Content-Type"] == response.content_type == "text/plain"
        response.mimetype = "text/css"
        assert response.mimetype == "text/css"
        assert response.mimetype_params == {"charset": "utf-8"}
        response.mimetype_params["charset"] = "latin-1"
        assert response.content_type == "text/css; charset=latin-1"
        del response.content_type
        assert response.content_type is response.mimetype is None
        assert "content-type" not in response.headers
    response = Response("a")
    response.content_type = None
    assert response.asgi_headers() == [(b"content-length", b"1")]


def test_a_body_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="'int'"):
        Response(5)  # type: ignore[arg-type]


def test_headers_may_be_replaced() -> None:
    response = Response("a")
    response.headers = {"X-A": "1"}  # type: ignore[assignment]
    assert response.headers.getlist("x-a") == ["1"]
    assert (b"content-length", b"1") in response.asgi_headers()


def test_a_header_beyond_latin_1_is_refused_when_it_is_sent() -> None:
    response = Response("a", headers={"X-A": "€"})
    with pytest.raises(ValueError, match="X-A"):
        response.asgi_headers()


def test_headers_given_to_the_constructor() -> None:
    headers = Headers({"X-A": "1"})
    assert Response(headers=headers).headers is headers
    assert Response(headers=[("X-A", "1"), ("X-A", "2")]).headers.getlist("x-a") == ["1", "2"]
    assert Response(headers={"X-A": ["1", "2"]}).headers.getlist("x-a") == ["1", "2"]


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\r\nSet-Cookie: x=1", "a\x00b"])
def test_line_breaks_and_nul_in_headers_are_refused(bad: str) -> None:
    response = Response("a")
    with pytest.raises(ValueError, match="X-A"):
        response.headers["X-A"] = bad
    with pytest.raises(ValueError, match="X-A"):
        Response(headers={"X-A": bad})
    with pytest.raises(ValueError, match="Content-Type"):
        Response(content_type=bad)
    with pytest.raises(ValueError, match="Content-Type"):
        Response(mimetype=bad)
    with pytest.raises(ValueError, match="Content-Type"):
        response.content_type = bad
    with pytest.raises(ValueError):
        response.headers["X A"] = "1"
    with pytest.raises(ValueError, match="Location"):
        response.location = bad


def test_plain_is_a_200_with_what_it_is_given() -> None:
    response = Response.plain(b"{}", (b"content-type", b"application/json"))
    assert response.asgi_headers() == [
        (b"content-type", b"application/json"),
        (b"content-length", b"2"),
    ]
    assert response.complete_body() == b"{}"
    assert response.status == "200 OK"
    assert response.mimetype == "application/json"
    assert response.json == {}
    assert Response.plain(b"", None).asgi_headers() == [(b"content-length", b"0")]


# What is sent


@pytest.mark.parametrize("length", [0, 1, 1023, 1024, 100_000])
def test_the_length_of_a_complete_body_is_sent(length: int) -> None:
    for body in (b"x" * length, "x" * length, ["x"] * length):
        response = Response(body)
        assert response.asgi_headers() == [HTML, (b"content-length", b"%d" % length)]
        assert response.complete_body() == b"x" * length


def test_headers_show_the_length_as_flask_does() -> None:
    assert Response("abc").headers.to_wsgi_list() == [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", "3"),
    ]
    assert Response("abc", headers={}).content_length == 3
    assert Response().content_length is None
    assert Response(iter([])).content_length is None
    response = Response("abc")
    assert response.content_length == 3
    response.data = "ü"
    assert response.content_length == 2
    response.response = ["four"]
    assert response.asgi_headers()[-1] == (b"content-length", b"4")


def test_a_wrong_length_is_not_sent() -> None:
    response = Response("abc", headers={"Content-Length": "100"})
    assert (b"content-length", b"3") in response.asgi_headers()
    response = Response(["abc"], headers={"Content-Length": "100"})
    assert response.asgi_headers().count((b"content-length", b"3")) == 1
    response = Response("abc")
    response.headers["Content-Length"] = "7"
    assert (b"content-length", b"3") in response.asgi_headers()
    assert (b"content-length", b"7") not in response.asgi_headers()


def test_an_empty_body_may_announce_the_length_that_get_would_have() -> None:
    response = Response(headers={"Content-Length": "100"})
    assert (b"content-length", b"100") in response.asgi_headers()


def test_streams_are_sent_without_a_length_unless_it_is_given() -> None:
    for body in (iter(["a"]), numbers(), (part for part in ["a"])):
        assert Response(body).asgi_headers() == [HTML]
        assert Response(body).complete_body() is None
    response = Response(iter(["abc"]), headers={"Content-Length": "3"})
    assert (b"content-length", b"3") in response.asgi_headers()


@pytest.mark.parametrize("status", [100, 101, 103, 204, 304])
def test_statuses_without_a_body(status: int) -> None:
    for response in (Response("abc", status), Response("abc", status, {"X-A": "1"})):
        names = [name for name, _ in response.asgi_headers()]
        assert b"content-length" not in names
        assert b"content-type" not in names
        assert response.complete_body() == b""
    assert Response(numbers(), status).complete_body() == b""


def test_reset_content_has_a_length_of_zero() -> None:
    response = Response("abc", 205)
    assert response.asgi_headers() == [(b"content-length", b"0")]
    assert response.complete_body() == b""


def test_not_modified_keeps_what_updates_a_cache() -> None:
    response = Response("abc", 304)
    response.set_etag("a")
    response.headers["Content-Language"] = "de"
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Location"] = "/a"
    response.headers["Vary"] = "Accept"
    assert [name for name, _ in response.asgi_headers()] == [
        b"etag",
        b"cache-control",
        b"content-location",
        b"vary",
    ]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/a", b"/a"),
        ("a?b=c#d", b"a?b=c#d"),
        ("/straße", b"/stra%C3%9Fe"),
        ("/a b", b"/a%20b"),
        ("/€", b"/%E2%82%AC"),
        ("/\\evil.example", b"/%5Cevil.example"),
        ("https://münchen.de/", b"https://xn--mnchen-3ya.de/"),
    ],
)
def test_locations_are_encoded_and_stay_relative(location: str, expected: bytes) -> None:
    response = Response("", 302)
    response.headers["Location"] = location
    assert (b"location", expected) in response.asgi_headers()


def test_locations_can_be_made_absolute() -> None:
    class Absolute(Response):
        autocorrect_location_header = True

    request = Request({"method": "GET", "path": "/a/b", "headers": [(b"host", b"example.org")]})
    response = Absolute("", 302, {"Location": "c"})
    assert (b"location", b"http://example.org/a/c") in response.asgi_headers(request)
    assert (b"location", b"c") in response.asgi_headers()
    assert (b"location", b"c") in Response("", 302, {"Location": "c"}).asgi_headers(request)


def test_the_automatic_length_can_be_switched_off() -> None:
    class Own(Response):
        automatically_set_content_length = False

    response = Own("abc")
    assert "Content-Length" not in response.headers
    assert response.asgi_headers() == [HTML]


# The body


def test_the_response_attribute_is_the_body_as_an_iterable() -> None:
    response = Response("abc")
    assert response.response == [b"abc"]
    response.response.append(b"d")
    assert response.get_data() == b"abcd"
    assert response.asgi_headers()[-1] == (b"content-length", b"4")
    response.response = "text"
    assert response.get_data() == b"text"
    assert Response().response == []


def test_what_kind_of_body_it_is() -> None:
    for body, is_sequence, is_streamed in (
        ("a", True, False),
        (["a"], True, False),
        (iter("a"), False, True),
        (numbers(), False, True),
        ({"a": 1}, False, False),
    ):
        response = Response(body)  # type: ignore[arg-type]
        assert response.is_sequence is is_sequence
        assert response.is_streamed is is_streamed


def test_streams_are_read_into_memory_only_where_that_is_allowed() -> None:
    closed = []

    def generate() -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append(True)

    response = Response(generate())
    assert response.calculate_content_length() == 2
    assert response.is_sequence
    response = Response(generate(), direct_passthrough=True)
    assert response.calculate_content_length() is None
    with pytest.raises(RuntimeError, match="direct_passthrough"):
        response.get_data()
    response.direct_passthrough = False
    assert response.get_data(as_text=True) == "ab"

    class Strict(Response):
        implicit_sequence_conversion = False

    response = Strict(generate())
    with pytest.raises(RuntimeError, match="make_sequence"):
        response.get_data()
    response.make_sequence()
    assert response.get_data() == b"ab"
    assert list(Response("ü").iter_encoded()) == ["ü".encode()]
    assert list(Response(["ü", b"a"]).iter_encoded()) == ["ü".encode(), b"a"]


def test_an_async_body_is_read_where_somebody_can_wait() -> None:
    assert Response(numbers()).get_data() == b"12"


async def test_an_async_body_has_to_be_loaded_on_a_loop() -> None:
    closed = []

    async def slow() -> AsyncIterator[str]:
        try:
            await anyio.sleep(0)
            yield "ü"
        finally:
            closed.append(True)

    response = Response(slow())
    for call in (response.get_data, response.make_sequence, lambda: list(response.iter_encoded())):
        with pytest.raises(RuntimeError, match=r"await response\.load"):
            call()
    await response.load()
    assert closed == [True]
    assert response.get_data() == "ü".encode()
    await response.load()
    assert response.is_sequence
    response.close()


def test_the_body_as_a_file() -> None:
    response = Response("a")
    assert response.content_length == 1
    response.stream.write(b"b")
    response.stream.writelines(["c", "ü"])
    response.stream.flush()
    assert response.stream.tell() == 5
    assert not response.stream.isatty()
    assert response.get_data() == "abcü".encode()
    assert response.asgi_headers()[-1] == (b"content-length", b"5")
    response.stream.close()
    for call in (lambda: response.stream.write("a"), response.stream.flush, response.stream.isatty):
        with pytest.raises(ValueError):
            call()


def test_freezing_makes_a_response_that_can_be_pickled() -> None:
    response = Response((part for part in ["a", "b"]), 201, {"X-A": "1"})
    response.freeze()
    copy = pickle.loads(pickle.dumps(response))
    assert copy.get_data() == b"ab"
    assert copy.status == "201 CREATED"
    assert copy.content_length == 2
    assert copy.headers["X-A"] == "1"
    assert copy.get_etag()[0]


def test_repr() -> None:
    assert repr(Response("ab")) == "<Response 2 bytes [200 OK]>"
    assert repr(Response(iter("ab"), 404)) == "<Response streamed [404 NOT FOUND]>"


# The end


def test_close_calls_everything_once_even_if_something_fails() -> None:
    calls = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a"])

        def close(self) -> None:
            calls.append("body")
            raise OSError("disk")

    response = Response(Body())

    @response.call_on_close
    def first() -> None:
        calls.append("first")
        raise ValueError

    assert response.call_on_close(lambda: calls.append("second"))
    with pytest.raises(OSError, match="disk"):
        response.close()
    assert calls == ["body", "first", "second"]
    assert first is not None


def test_a_response_is_a_context_manager() -> None:
    file = io.BytesIO(b"abc")
    with Response(FileBody(file)):
        pass
    assert file.closed


def test_a_generator_is_closed_also_when_it_was_read() -> None:
    closed = []

    def generate() -> Iterator[str]:
        try:
            yield "a"
        finally:
            closed.append(True)

    response = Response(generate())
    next(iter(response.response))
    response.close()
    assert closed == [True]


def test_force_type_makes_a_response_of_another_class() -> None:
    class Own(Response):
        extra = 1

    response = Response("a")
    response.direct_passthrough = False
    forced = Own.force_type(response)
    assert forced is response
    assert forced.extra == 1
    assert forced.get_data() == b"a"
    with pytest.raises(TypeError, match="str"):
        Own.force_type("a")  # type: ignore[arg-type]


def test_http_exceptions_make_responses_of_this_class() -> None:
    response = NotFound().get_response()
    assert isinstance(response, Response)
    assert response.status_code == 404
    assert b"404" in response.get_data()


# JSON


def test_json() -> None:
    response = Response('{"a": [1]}', mimetype="application/json")
    assert response.is_json
    assert response.json == response.get_json() == {"a": [1]}
    assert Response("[1]").json is None
    assert Response("[1]").get_json(force=True) == [1]
    bad = Response("{", mimetype="application/problem+json")
    assert bad.get_json(silent=True) is None
    with pytest.raises(ValueError):
        _ = bad.json

    class Own(Response):
        json_module = json

    assert Own("NaN", mimetype="application/json").json != 0


def test_headers_and_body_in_one_step() -> None:
    for response in (
        Response("abc"),
        Response("abc", 404),
        Response("abc", 204),
        Response("abc", 205),
        Response(["a", "bc"]),
        Response("abc", headers={"X-A": "1"}),
        Response("x" * 2000),
        Response.plain(b"abc", None),
        Response(iter("abc")),
    ):
        assert response.to_asgi() == (response.asgi_headers(), response.complete_body())
