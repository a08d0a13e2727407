"""What a view may return, and what may be done with a response."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections import OrderedDict, UserDict
from dataclasses import dataclass
from typing import Any

import pytest
from markupsafe import Markup


@dataclass
class Point:
    x: int
    y: str


class Html:
    def __html__(self) -> str:
        return "<b>html</b>"


UTC = datetime.UTC
WHEN = datetime.datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
LATER = datetime.timezone(datetime.timedelta(hours=2))

VALUES: dict[str, Any] = {
    "str": "text ä",
    "empty": "",
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"abc"),
    "dict": {"b": 1, "a": [1, None, 1.5, True, "ä<>&'\u2028"]},
    "list": [1, {"x": "y"}],
    "none": None,
    "int": 5,
    "float": 1.5,
    "set": {1},
    "object": object(),
    "markup": Markup("<b>x</b>"),
    "ordered": OrderedDict(z=1, a=2),
    "userdict": UserDict(a=1),
    "status": ("made", 201),
    "text status": ("made", "201 Just So"),
    "headers": ("x", {"X-A": "1"}),
    "header list": ("x", [("X-A", "1"), ("X-A", "2")]),
    "all": ("x", 202, {"X-A": "1", "Content-Type": "text/plain"}),
    "all list": ("x", 202, [("X-A", "1"), ("X-B", "2")]),
    "dict status": ({"a": 1}, 400),
    "list status": ([1], 400, {"X-A": "b"}),
    "header values": ("x", {"X-A": ["1", "2"]}),
    "one": ("x",),
    "four": ("x", 1, {}, {}),
    "none status": ("x", None),
    "none headers": ("x", None, {"X-A": "1"}),
    "none body": (None, 200),
    "cookies": ("x", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]),
    "dict cookies": ({}, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]),
    "header dict list": ("x", 200, {"Set-Cookie": ["a=1", "b=2"], "content-type": "a/b"}),
    "no content": ("", 204),
    "not modified": ("body", 304),
    "generator": (c for c in ("a", "b", "ä")),
    "bytes generator": (c for c in (b"a", b"\xff")),
    "empty generator": iter(()),
    "iterator status": (iter(["a"]), 203),
    "long status": ("x", 599),
    "nested": (("x", 201), 202),
}


def returning(fw: Any) -> Any:
    app = fw.app()
    app.log_exception = lambda exc_info: None
    values = dict(VALUES)
    values["generator"] = lambda: (c for c in ("a", "b", "ä"))
    values["bytes generator"] = lambda: (c for c in (b"a", b"\xff"))
    values["iterator status"] = lambda: (iter(["a"]), 203)
    values["empty generator"] = lambda: iter(())

    @app.get("/<name>")
    @fw.colour
    def view(name: str) -> Any:
        value = values[name]
        return value() if callable(value) and not isinstance(value, type) else value

    @app.get("/exception")
    @fw.colour
    def exception() -> Any:
        return fw.exceptions.NotFound("returned")

    @app.get("/response")
    @fw.colour
    def response() -> Any:
        return fw.Response("r", 418, {"X-A": "1"}, mimetype="text/csv"), 200, {"X-B": "2"}

    return app


def test_return_values(compare: Any) -> None:
    requests: list[Any] = [f"/{name}" for name in VALUES]
    # Different on purpose: the iterator protocol of other things.
    compare(returning, *requests, "/exception", "/response")
    compare(returning, *(("HEAD", path) for path in requests if "generator" not in path))


JSONABLE: dict[str, Any] = {
    "date": datetime.date(2024, 2, 29),
    "datetime": WHEN,
    "naive": WHEN.replace(tzinfo=None),
    "zone": WHEN.replace(tzinfo=LATER),
    "decimal": decimal.Decimal("1.10"),
    "uuid": uuid.UUID(int=5),
    "dataclass": Point(1, "y"),
    "html": Html(),
    "tuple": (1, 2),
    "keys": {1: "a", 2: "b"},
    "bools": {True: 1, None: 2},
    "unicode": "ä€\U0001f600\x7f\u2028",
    "control": '\x00\x1f"\\/',
    "big": 2**70,
    "floats": [0.1, 1e300, 1e-7, -0.0, 100.0],
    "nested": {"z": {"b": 1, "a": 2}, "a": [[]]},
    "empty": {},
    "set": {1, 2},
    "bytes": b"x",
    "time": datetime.time(1, 2),
    "delta": datetime.timedelta(1),
    "markup": Markup("<b>"),
}


def jsonifying(fw: Any, **config: Any) -> Any:
    app = fw.app(**{key: value for key, value in config.items() if key.isupper()})
    for key, value in config.items():
        if key.islower():
            setattr(app.json, key, value)
    app.log_exception = lambda exc_info: None

    @app.get("/<name>")
    @fw.colour
    def view(name: str) -> Any:
        return fw.jsonify(JSONABLE[name])

    @app.get("/kwargs")
    @fw.colour
    def kwargs() -> Any:
        return fw.jsonify(b=1, a="x")

    @app.get("/args")
    @fw.colour
    def args() -> Any:
        return fw.jsonify(1, "x", None)

    @app.get("/nothing")
    @fw.colour
    def nothing() -> Any:
        return fw.jsonify()

    @app.get("/none")
    @fw.colour
    def none() -> Any:
        return fw.jsonify(None)

    @app.get("/dumps/<name>")
    @fw.colour
    def dumps(name: str) -> Any:
        return fw.json.dumps(JSONABLE[name])

    @app.get("/template/<name>")
    @fw.colour
    def template(name: str) -> Any:
        return fw.render_template_string(
            "{{ v|tojson }} {{ v|tojson(indent=2) }}", v=JSONABLE[name]
        )

    return app


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"DEBUG": True, "PROPAGATE_EXCEPTIONS": False},
        {"sort_keys": False, "ensure_ascii": False},
        {"compact": False},
        {"mimetype": "application/x.thing+json"},
    ],
    ids=str,
)
def test_json(compare: Any, config: dict[str, Any]) -> None:
    compare(
        lambda fw: jsonifying(fw, **config),
        *(f"/{name}" for name in JSONABLE),
        *(f"/dumps/{name}" for name in JSONABLE),
        *(f"/template/{name}" for name in JSONABLE if name != "bools"),
        "/kwargs",
        "/args",
        "/nothing",
        "/none",
    )


def test_a_provider_of_ones_own(compare: Any) -> None:
    def build(fw: Any) -> Any:
        base = fw.App.json_provider_class

        class Provider(base):  # type: ignore[misc, valid-type]
            def default(self, o: Any) -> Any:
                return "set" if isinstance(o, set) else super().default(o)

            def loads(self, s: Any, **kwargs: Any) -> Any:
                return {"loaded": super().loads(s, **kwargs)}

        app = fw.app()
        app.json = Provider(app)

        @app.post("/")
        @fw.colour
        def view() -> Any:
            return {"got": fw.request.json, "s": {1}}

        @app.get("/")
        @fw.colour
        def text() -> Any:
            return fw.json.dumps({"s": {1}, "l": fw.json.loads("[1]")})

        return app

    def sent(fw: Any, client: Any) -> Any:
        return client.post("/", json={"s": {1}}).get_data()

    compare(build, ("POST", "/", {"json": [1]}), "/", sent)


def changing(fw: Any) -> Any:
    app = fw.app()

    def cookies(r: Any) -> None:
        r.set_cookie("plain", "value")
        r.set_cookie("quoted", 'a b;c,"d"\\ ä')
        r.set_cookie("age", "1", max_age=60)
        r.set_cookie("delta", "1", max_age=datetime.timedelta(minutes=1))
        r.set_cookie("expires", "1", expires=WHEN)
        r.set_cookie("stamp", "1", expires=1_700_000_000)
        r.set_cookie("naive", "1", expires=WHEN.replace(tzinfo=None))
        r.set_cookie(
            "all",
            "1",
            path="/p ä",
            domain=".example.org",
            secure=True,
            httponly=True,
            samesite="strict",
        )
        r.set_cookie("part", "1", partitioned=True)
        r.set_cookie("nopath", "1", path=None)
        r.delete_cookie("gone", path="/x", domain="example.org")

    def headers(r: Any) -> None:
        r.headers["X-A"] = "1"
        r.headers.add("X-A", "2")
        r.headers.add("X-B", "x", key="v w", q="ä")
        r.headers.setdefault("X-A", "3")
        r.headers.extend({"X-Order": ["1", "2"]})

    def caching(r: Any) -> None:
        r.cache_control.max_age = 5
        r.cache_control.public = True
        r.cache_control.no_store = True
        r.cache_control.immutable = True
        r.vary.add("Accept")
        r.vary.update(["cookie", "ACCEPT"])
        r.set_etag("abc", weak=True)
        r.last_modified = WHEN
        r.expires = WHEN
        r.retry_after = 120
        r.age = 5

    def content(r: Any) -> None:
        r.content_language.add("de")
        r.content_language.add("en")
        r.content_encoding = "gzip"
        r.content_location = "/ä"
        r.allow.update(["GET", "PUT"])
        r.accept_ranges = "bytes"
        r.content_range.set(0, 5, 10)

    def types(r: Any) -> None:
        r.mimetype = "text/plain"
        r.mimetype_params["x"] = "y z"

    def auth(r: Any) -> None:
        r.status_code = 401
        kind = type(r.www_authenticate)
        r.www_authenticate = kind("basic", {"realm": 'my "realm"'})

    def status(r: Any) -> None:
        r.status = "299 Quite Good"

    def data(r: Any) -> None:
        r.set_data("ä")
        r.data += b"!"

    def etag(r: Any) -> None:
        r.add_etag()

    def location(r: Any) -> None:
        r.status_code = 302
        r.location = "/ä b?x=ä#y"

    every = (cookies, headers, caching, content, types, auth, status, data, etag, location)
    changes = {change.__name__: change for change in every}

    @app.get("/<name>")
    @fw.colour
    def view(name: str) -> Any:
        response = fw.make_response("body")
        changes[name](response)
        return response

    return app


def test_attributes(compare: Any) -> None:
    names = "cookies headers caching content types auth status data etag location".split()
    compare(changing, *(f"/{name}" for name in names))
    compare(changing, *(("HEAD", f"/{name}") for name in names))


def test_redirects(compare: Any) -> None:
    targets = [
        "/a",
        "a/b",
        "http://example.org/ä?b=ü#c",
        "//example.org/x",
        "/a b",
        "/a\\b",
        "?q=1",
        "#x",
        "",
        "https://münchen.de/",
        "/%zz%41",
        "javascript:alert(1)",
    ]

    def build(fw: Any) -> Any:
        app = fw.app()

        @app.get("/<int:code>/<int:i>")
        @fw.colour
        def view(code: int, i: int) -> Any:
            return fw.redirect(targets[i], code)

        @app.get("/auto/<int:i>")
        @fw.colour
        def absolute(i: int) -> Any:
            response = fw.redirect(targets[i])
            response.autocorrect_location_header = True
            return response

        return app

    compare(build, *(f"/302/{i}" for i in range(len(targets))))
    compare(build, *(f"/{code}/0" for code in (301, 302, 303, 305, 307, 308)))


def test_conditional(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        @app.get("/")
        @fw.colour
        def view() -> Any:
            response = fw.make_response("0123456789")
            response.last_modified = WHEN
            response.set_etag("tag", weak=bool(fw.request.args.get("weak")))
            return response.make_conditional(
                fw.request if not fw.is_flask else fw.request.environ,
                accept_ranges=True,
                complete_length=10,
            )

        return app

    same = "Thu, 29 Feb 2024 12:30:15 GMT"
    before = "Thu, 29 Feb 2024 12:30:14 GMT"
    compare(
        build,
        *(
            ("GET", path, {"headers": headers})
            for path in ("/", "/?weak=1")
            for headers in (
                {},
                {"If-None-Match": '"tag"'},
                {"If-None-Match": 'W/"tag"'},
                {"If-None-Match": '"other", "tag"'},
                {"If-None-Match": "*"},
                {"If-None-Match": '"other"', "If-Modified-Since": same},
                {"If-Modified-Since": same},
                {"If-Modified-Since": before},
                {"If-Unmodified-Since": same},
                {"Range": "bytes=0-3"},
                {"Range": "bytes=5-"},
                {"Range": "bytes=-3"},
                {"Range": "bytes=0-"},
                {"Range": "bytes=9-20"},
                {"Range": "bytes=10-"},
                {"Range": "bytes=0-3", "If-Range": '"other"'},
                {"Range": "bytes=0-3", "If-Range": same},
                {"Range": "bytes=0-3", "If-Range": before},
            )
        ),
    )


def test_streams(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()
        closed: list[str] = []

        @app.get("/")
        @fw.colour
        def view() -> Any:
            @fw.stream_with_context
            def parts() -> Any:
                yield "Hello "
                yield fw.request.args["name"]
                yield "!"

            response = app.response_class(parts(), mimetype="text/plain")
            response.call_on_close(lambda: closed.append("closed"))
            return response

        @app.get("/closed")
        @fw.colour
        def count() -> Any:
            return str(len(closed))

        @app.get("/bare")
        @fw.colour
        def bare() -> Any:
            return fw.stream_with_context(c for c in fw.request.args["name"])

        return app

    compare(build, "/?name=ada", "/closed", ("HEAD", "/?name=b"), "/closed", "/bare?name=abc")


def test_preconditions_that_rfc_9110_decides(framework: Any) -> None:
    # Flask decides these otherwise.
    if framework.is_flask:
        return
    app = framework.app()

    @app.get("/")
    @framework.colour
    def view() -> Any:
        response = framework.make_response("0123456789")
        response.last_modified = WHEN
        response.set_etag("tag", weak="weak" in framework.request.args)
        return response.make_conditional(framework.request, True, 10)

    client = app.test_client()
    same = "Thu, 29 Feb 2024 12:30:15 GMT"
    for path, headers, status in (
        ("/", {"If-Match": "*"}, 200),
        ("/", {"If-Match": '"tag"'}, 200),
        ("/", {"If-Match": '"other"'}, 412),
        ("/?weak", {"If-Match": '"tag"'}, 412),
        ("/", {"If-Unmodified-Since": "Thu, 29 Feb 2024 12:30:14 GMT"}, 412),
        ("/", {"Range": "bytes=nonsense"}, 200),
        ("/", {"Range": "lines=0-3"}, 200),
        ("/", {"Range": "bytes=0-3", "If-Range": '"tag"'}, 206),
        ("/?weak", {"Range": "bytes=0-3", "If-Range": 'W/"tag"'}, 200),
    ):
        assert client.get(path, headers=headers).status_code == status, headers
    assert client.get("/", headers={"If-Modified-Since": same}).status_code == 304
