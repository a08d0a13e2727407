"""Requests and responses, the same on every server."""

from __future__ import annotations

import gzip
from urllib.parse import quote

import h11
import pytest

from .harness import Server, multipart


def test_text(server: Server, at: str) -> None:
    answer = server.get(f"{at}/text")
    assert answer.status == 200
    assert answer.text == "Grüße"
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.header("content-length") == str(len(answer.body))


@pytest.mark.kinds(lambda kind: kind.protocol == "asgi")
def test_def_views_run_in_a_worker_thread(server: Server) -> None:
    assert server.get("/thread").json() == {"main": False}


def test_what_a_request_is(server: Server, at: str) -> None:
    target = f"{at}/echo/42?a=1&b=%C3%A4%20x&a=2"
    answer = server.get(target, headers=[("X-Tester", "here")])
    at_socket = server.kind.front == "unix" and server.kind.language == "proxy"
    assert answer.json() == {
        "number": 42,
        "method": "GET",
        "path": f"{at}/echo/42",
        "query": {"a": ["1", "2"], "b": ["ä x"]},
        "header": "here",
        "url": f"http://127.0.0.1:{server.port}{at}/echo/42?a=1&b=ä%20x&a=2",
        "root_path": "",
        "client": None if at_socket else "127.0.0.1",
    }


@pytest.mark.parametrize("name", ["plain", "ä ö", "100%", "a/b", "a+b", "%2F", "日本"])
def test_path_segments_are_decoded_once(server: Server, at: str, name: str) -> None:
    if name == "a/b" and not server.kind.raw:
        return
    quoted = quote(name, safe="")
    answer = server.get(f"{at}/segment/{quoted}")
    assert answer.json()["name"] == name
    assert server.get(answer.json()["url"]).json()["name"] == name


def test_json(server: Server, at: str) -> None:
    body = '{"name": "Zoë", "numbers": [1, 2.5, null]}'.encode()
    answer = server.ask("POST", f"{at}/json", [("Content-Type", "application/json")], body)
    assert answer.header("content-type") == "application/json"
    assert answer.json() == {"got": {"name": "Zoë", "numbers": [1, 2.5, None]}}


def test_form(server: Server, at: str) -> None:
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    answer = server.ask("POST", f"{at}/form", headers, b"name=Ren%C3%A9&tag=a+b&tag=")
    assert answer.json() == {"name": ["René"], "tag": ["a b", ""]}


def test_upload_of_20_mib(server: Server, at: str) -> None:
    content = bytes(range(256)) * (4 * 1024 * 20)
    file = ("Bild ä.png", "image/png", content)
    headers, body = multipart({"title": "Müßig"}, {"file": file})
    assert server.ask("POST", f"{at}/upload", headers, body).json() == {
        "fields": {"title": "Müßig"},
        "name": "Bild ä.png",
        "type": "image/png",
        "size": 20 * 1024 * 1024,
        "sum": sum(content),
    }


@pytest.mark.kinds(lambda kind: kind.chunks)
def test_body_in_chunks_without_a_length(server: Server, at: str) -> None:
    chunks = [b"some", b"", b"x" * 100_000, b"end"]
    answer = server.ask("POST", f"{at}/body", body=filter(None, chunks))
    total = b"".join(chunks)
    length = len(total) if server.kind.name == "nginx-unix-uwsgi" else None
    assert answer.json() == {"size": len(total), "sum": sum(total), "length": length}


@pytest.mark.kinds(lambda kind: kind.chunks)
def test_body_read_as_it_arrives(server: Server, at: str) -> None:
    answer = server.ask("POST", f"{at}/stream/in", body=[b"a" * 70_000] * 20)
    assert answer.json() == {"size": 1_400_000}


@pytest.mark.parametrize("path", ["/stream/in", "/body"])
def test_body_that_was_announced_but_is_empty(server: Server, at: str, path: str) -> None:
    assert server.ask("POST", at + path, body=b"").json()["size"] == 0


def test_cookies(server: Server, at: str) -> None:
    answer = server.get(f"{at}/cookie")
    assert answer.text == "none"
    cookie, other = answer.all("set-cookie")
    assert other.startswith("colour=red")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    sent = f"taste={answer.cookies()['taste']}"
    assert server.get(f"{at}/cookie", headers=[("Cookie", sent)]).text == "süß; sweet"


def test_session(server: Server, at: str) -> None:
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    answer = server.ask("POST", f"{at}/session", headers, b"name=Ada")
    assert answer.json() == {"name": "Ada"}
    sent = f"session={answer.cookies()['session']}"
    again = server.get(f"{at}/session", headers=[("Cookie", sent)])
    assert again.json() == {"name": "Ada", "flashed": ["Hello Ada"]}
    assert again.header("vary") == "Cookie"
    forged = server.get(f"{at}/session", headers=[("Cookie", f"{sent}x")])
    assert forged.json() == {"name": None, "flashed": []}


def test_redirect(server: Server, at: str) -> None:
    answer = server.get(f"{at}/away")
    assert answer.status == 302
    location = answer.header("location")
    assert location == "/echo/7?q=%C3%A4+b"
    assert server.get(location).json()["query"] == {"q": ["ä b"]}


def test_slash_redirect_keeps_query_and_method(server: Server, at: str) -> None:
    with server.connect() as connection:
        answer = connection.ask("POST", f"{at}/folder?a=1&b=%20", body=b"data")
        assert answer.status == 308
        location = (answer.header("location") or "").removeprefix(f"http://{connection.host}")
        assert location == f"{at}/folder/?a=1&b=%20"
    assert server.ask("POST", location, body=b"data").json() == {
        "method": "POST",
        "query": "a=1&b=%20",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/text", 405), ("GET", "/teapot", 418)],
)
def test_error_pages(server: Server, method: str, path: str, status: int) -> None:
    answer = server.ask(method, path)
    assert answer.status == status
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert f"<title>{status} " in answer.text
    if status == 405:
        assert set((answer.header("allow") or "").split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_500_tells_nothing_and_is_logged_once(server: Server, at: str) -> None:
    path = f"{at}/broken"
    server.expected_errors += 1
    with server.connect() as connection:
        answer = connection.ask("GET", path)
        assert answer.status == 500
        assert "<title>500 Internal Server Error</title>" in answer.text
        for secret in ("secret", "LookupError", "Traceback", "matrix", ".py"):
            assert secret not in answer.text
        assert connection.ask("GET", "/text").status == 200
    assert server.log.count(f"Exception on {path} [GET]") == 1


def test_204(server: Server, at: str) -> None:
    with server.connect() as connection:
        answer = connection.ask("GET", f"{at}/empty")
        assert (answer.status, answer.body) == (204, b"")
        assert answer.header("content-length") is None
        assert answer.header("content-type") is None
        assert connection.ask("GET", f"{at}/text").text == "Grüße"


def test_304(server: Server, at: str) -> None:
    first = server.get(f"{at}/tagged")
    etag = first.header("etag") or ""
    assert etag.startswith('"')
    with server.connect() as connection:
        second = connection.ask("GET", f"{at}/tagged", [("If-None-Match", etag)])
        assert (second.status, second.body) == (304, b"")
        assert second.header("etag") == etag
        assert connection.ask("GET", f"{at}/tagged").body == first.body


@pytest.mark.parametrize("path", ["/text", "/def/text", "/tagged", "/static/style.css", "/nowhere"])
def test_head_has_the_headers_of_get(server: Server, path: str) -> None:
    with server.connect() as connection:
        head = connection.ask("HEAD", path)
        get = connection.ask("GET", path)
    assert head.body == b""
    assert head.status == get.status
    varying = {"date"}
    assert {pair for pair in head.headers if pair[0] not in varying} == {
        pair for pair in get.headers if pair[0] not in varying
    }
    assert head.header("content-length") == str(len(get.body))


def test_head_runs_no_generator(server: Server) -> None:
    for at in ("", "/def"):
        answer = server.ask("HEAD", f"{at}/stream/pieces/head")
        assert (answer.status, answer.body) == (200, b"")
    assert server.happened("head") == []


def test_options(server: Server, at: str) -> None:
    answer = server.ask("OPTIONS", f"{at}/session")
    assert answer.status == 200
    assert set((answer.header("allow") or "").split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_repeated_headers_stay_apart(server: Server, at: str) -> None:
    assert server.get(f"{at}/headers").all("x-same") == ["one", "two"]


@pytest.mark.parametrize("value", ["café", "\xdf \xff", "two words"])
@pytest.mark.kinds(lambda kind: kind.raw)
def test_header_values_in_latin_1(server: Server, at: str, value: str) -> None:
    with server.connect() as connection:
        connection.begin("GET", f"{at}/headers")
        connection.h11.send(h11.EndOfMessage())
        head = f"GET {at}/headers HTTP/1.1\r\nHost: {connection.host}\r\nX-Latin: {value}\r\n\r\n"
        connection.send(head.encode("latin-1"))
        assert connection.read().header("x-latin") == value


def test_static_file(server: Server) -> None:
    answer = server.get("/static/style.css")
    assert answer.text == "body { color: teal }\n"
    assert answer.header("content-type") == "text/css; charset=utf-8"
    etag = answer.header("etag") or ""
    modified = answer.header("last-modified") or ""
    for header in (("If-None-Match", etag), ("If-Modified-Since", modified)):
        again = server.get("/static/style.css", headers=[header])
        assert (again.status, again.body) == (304, b"")


def test_ranges_of_a_static_file(server: Server) -> None:
    content = bytes(range(256)) * 1024
    path = "/static/bytes.bin"
    whole = server.get(path)
    assert whole.body == content
    assert whole.header("accept-ranges") == "bytes"
    for asked, start, stop in [("10-99", 10, 100), ("262000-", 262_000, 262_144), ("-5", -5, None)]:
        part = server.get(path, headers=[("Range", f"bytes={asked}")])
        assert part.status == 206
        assert part.body == content[start:stop]
        assert part.header("content-length") == str(len(part.body))
    two = server.get(path, headers=[("Range", "bytes=0-1,5-6")])
    assert two.status == 206
    assert (two.header("content-type") or "").startswith("multipart/byteranges")
    beyond = server.get(path, headers=[("Range", "bytes=999999-")])
    assert beyond.status == 416
    assert beyond.header("content-range") == "bytes */262144"
    old = server.get(path, headers=[("Range", "bytes=0-1"), ("If-Range", '"other"')])
    assert (old.status, old.body) == (200, content)


@pytest.mark.parametrize(
    "path", ["../matrix.py", "%2e%2e/matrix.py", "..%2fmatrix.py", "%00", "a\\b"]
)
def test_static_files_end_at_their_folder(server: Server, path: str) -> None:
    # nginx lets no NUL through.
    assert server.get(f"/static/{path}").status in ((400, 404) if server.kind.front else (404,))


def test_compressed_bodies_are_bytes(server: Server, at: str) -> None:
    body = gzip.compress(b"text")
    answer = server.ask("POST", f"{at}/body", [("Content-Encoding", "gzip")], body)
    assert answer.json()["size"] == len(body)
