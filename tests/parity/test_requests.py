"""What a request says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import ALL

ATTRIBUTES = """
method path full_path url base_url root_url url_root host_url host scheme is_secure script_root root_path
query_string remote_addr endpoint view_args blueprint blueprints is_json mimetype mimetype_params
content_type content_length content_encoding referrer origin pragma range if_range if_match
if_none_match if_modified_since if_unmodified_since cache_control date max_forwards
access_control_request_method access_control_request_headers access_route authorization
accept_mimetypes accept_charsets accept_encodings accept_languages
cookies args form values files data
""".split()


def shown(value: Any) -> Any:
    if hasattr(value, "to_dict") and hasattr(value, "lists"):
        return [[key, list(map(str, values))] for key, values in value.lists()]
    if hasattr(value, "to_header"):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (str, int, bool, list, dict, type(None))):
        return value
    return str(value)


def echo(fw: Any, **config: Any) -> Any:
    app = fw.app(**config)
    bp = fw.Blueprint("b", "parity", url_prefix="/bp")

    @app.route("/", defaults={"x": ""}, methods=["GET", "POST", "PUT", "DELETE"])
    @app.route("/p/<x>", methods=["GET", "POST", "PUT", "DELETE"])
    @bp.route("/<x>")
    @fw.colour
    def view(x: str) -> Any:
        found = {}
        for name in ATTRIBUTES:
            try:
                found[name] = shown(getattr(fw.request, name))
            except Exception as error:
                found[name] = f"raised {type(error).__name__}"
        return found

    app.register_blueprint(bp)
    return app


HEADERS: list[dict[str, str]] = [
    {},
    {"Accept": "text/html,application/json;q=0.9,*/*;q=0.1"},
    {"Accept": "text/html;level=1, text/*;q=0.5"},
    {"Accept-Language": "de-AT, de;q=0.9, en;q=0.5", "Accept-Charset": "utf-8, *;q=0.1"},
    {"Accept-Encoding": "gzip, br;q=0.5, identity;q=0"},
    {"Authorization": "Basic YWRhOmzDtnY="},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Bearer abc.def="},
    {"Authorization": 'Digest username="ada", realm="x", nonce="n", uri="/", response="r"'},
    {"Authorization": "Nothing"},
    {"Cache-Control": 'no-cache, max-age=5, x="y z"', "Pragma": "no-cache"},
    {"If-Match": '"a", W/"b"', "If-None-Match": "*"},
    {"If-None-Match": 'W/"a", "b'},
    {"If-Modified-Since": "Tue, 15 Nov 1994 08:12:31 GMT"},
    {"If-Modified-Since": "Tuesday, 15-Nov-94 08:12:31 GMT", "Date": "Tue Nov 15 08:12:31 1994"},
    {"If-Modified-Since": "yesterday", "If-Unmodified-Since": "Tue, 15 Nov 1994 08:12:31 +0100"},
    {"If-Range": '"a"', "Range": "bytes=0-5,-3"},
    {"If-Range": "Tue, 15 Nov 1994 08:12:31 GMT", "Range": "bytes=5-"},
    {"Range": "lines=1-2"},
    {"Range": "bytes=5-1"},
    {"Range": "nonsense"},
    {"Referer": "http://x.org/a?b=c", "Origin": "https://x.org", "User-Agent": "Test/1.0 (x)"},
    {"X-Forwarded-For": "10.0.0.1, 10.0.0.2", "X-Forwarded-Proto": "https"},
    {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "X-A, x-b"},
    {"Max-Forwards": "5", "Content-Encoding": "gzip"},
    {"Max-Forwards": "x"},
    {"Content-Type": 'text/plain; charset=utf-8; x="a;b"'},
    {"Content-Type": "Application/JSON ; Charset=UTF-8"},
    {"Content-Type": "application/vnd.api+json"},
    {"Content-Type": ";"},
    {"Host": "Example.ORG:8080"},
    {"Host": "[::1]:80"},
    {"Host": "example.org:80"},
]


def test_headers(compare: Any) -> None:
    compare(echo, *(("GET", "/p/a", {"headers": headers}) for headers in HEADERS))


def test_paths_and_queries(compare: Any) -> None:
    compare(
        echo,
        "/",
        "/?",
        "/?a=1&b=2&a=3&c",
        "/?a=%20+%2B&%C3%A4=%FF&=x&&;=1",
        "/?a=b=c&d#e",
        "/p/%C3%A4%20b?q=%E2%82%AC",
        "/bp/x?y=z",
        ("GET", "/p/a", {"base_url": "https://example.org/mount"}),
        ("GET", "/p/a", {"base_url": "https://example.org:8443/mo%20unt/b"}),
        ("GET", "/p/a", {"base_url": "http://xn--mnchen-3ya.de"}),
        ("GET", "/p/a", {"query_string": {"a": ["1", "2"], "b": "ä"}}),
        ("GET", "/p/a", {"environ_base": {"REMOTE_ADDR": "192.0.2.1"}}),
    )


def test_bodies(compare: Any) -> None:
    url = "application/x-www-form-urlencoded"
    compare(
        echo,
        ("POST", "/", {"data": "plain text"}),
        ("POST", "/", {"data": b"\x00\xff", "content_type": "application/octet-stream"}),
        ("POST", "/?a=q", {"data": {"a": "1", "b": ["2", "3"], "ä": "&="}}),
        ("POST", "/", {"data": "a=1&b=2&a=3&c&=x&d=+%20", "content_type": url}),
        ("POST", "/", {"data": "a=%C3%A4", "content_type": f"{url}; charset=utf-8"}),
        ("PUT", "/?a=q", {"data": {"a": "1"}}),
        ("DELETE", "/", {"data": {"a": "1"}}),
        ("GET", "/?a=q", {"data": {"a": "1"}}),
        ("POST", "/", {"json": {"a": [1, "ä"]}}),
    )


COOKIES = [
    "a=1; b=2; a=3",
    'c="q uo\\"ted"; d=; f; g=h=i; j=%20; k="\\303\\244"',
    'a = 1 ;b="2"; c=a,b',
    ";;; ; a=b;",
]


@pytest.mark.parametrize("cookie", COOKIES)
def test_cookies(cookie: str) -> None:
    found = []
    for fw in ALL:
        client = echo(fw).test_client(use_cookies=False)
        found.append(client.get("/", headers={"Cookie": cookie}).json["cookies"])
    assert found[1:] == [found[0]] * 2


def jsons(fw: Any) -> Any:
    app = fw.app()

    @app.post("/<how>")
    @fw.colour
    def view(how: str) -> Any:
        arguments = {name: True for name in how.split("-") if name != "plain"}
        try:
            return {"got": fw.request.get_json(**arguments)}
        except fw.exceptions.HTTPException as error:
            return f"{error.code}"

    @app.post("/twice")
    @fw.colour
    def twice() -> Any:
        first = fw.request.get_json(silent=True)
        try:
            return [first, fw.request.get_json()]
        except fw.exceptions.HTTPException as error:
            return [first, error.code]

    @app.post("/data")
    @fw.colour
    def data() -> Any:
        request = fw.request
        return [
            request.get_data(as_text=True),
            request.get_json(),
            request.data.decode(),
            request.json,
        ]

    return app


@pytest.mark.parametrize("how", ["plain", "force", "silent", "force-silent"])
def test_json(compare: Any, how: str) -> None:
    compare(
        jsons,
        *(
            ("POST", f"/{how}", {"data": data, "content_type": kind})
            for kind in ("application/json", "application/x+json; charset=utf-8", "text/plain")
            for data in ('{"a": 1}', "[1]", '"ä"', "null", "", "{", "nul", "1e5", "{} x", b"\xff")
        ),
    )


def test_json_again(compare: Any) -> None:
    compare(
        jsons,
        ("POST", "/twice", {"data": "{", "content_type": "application/json"}),
        ("POST", "/twice", {"data": "{}", "content_type": "application/json"}),
        ("POST", "/twice", {"data": "{}"}),
        ("POST", "/data", {"data": "[1]", "content_type": "application/json"}),
    )


def limited(fw: Any) -> Any:
    app = fw.app(MAX_CONTENT_LENGTH=1000, MAX_FORM_MEMORY_SIZE=400, MAX_FORM_PARTS=5)

    @app.post("/<what>")
    @fw.colour
    def view(what: str) -> Any:
        if fw.request.args.get("limit"):
            fw.request.max_content_length = fw.request.args.get("limit", type=int)
        value = getattr(fw.request, what)
        return str(len(value))

    @app.post("/unread")
    @fw.colour
    def unread() -> Any:
        return "not asked for"

    return app


def test_limits(compare: Any) -> None:
    form = {"content_type": "application/x-www-form-urlencoded"}
    compare(
        limited,
        ("POST", "/data", {"data": b"x" * 1000}),
        ("POST", "/data", {"data": b"x" * 1001}),
        ("POST", "/unread", {"data": b"x" * 1001}),
        ("POST", "/data?limit=10", {"data": b"x" * 11}),
        ("POST", "/form", {"data": "a=" + "x" * 150, **form}),
        ("POST", "/form", {"data": "a=" + "x" * 1200, **form}),
        ("POST", "/form", {"data": {"a": "x" * 20}, "content_type": "multipart/form-data"}),
        ("POST", "/form", {"data": {"a": "x" * 450}, "content_type": "multipart/form-data"}),
        (
            "POST",
            "/form",
            {"data": dict.fromkeys("abcdefg", "1"), "content_type": "multipart/form-data"},
        ),
    )
