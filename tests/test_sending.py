from __future__ import annotations

import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben import Blueprint, Kolben, Response, send_file, send_from_directory
from kolben.exceptions import NotFound
from kolben.http.headers import parse_options_header
from kolben.sending import content_disposition, safe_join

TEXT = b"0123456789" * 10


@pytest.fixture
def app(tmp_path: Path) -> Kolben:
    static = tmp_path / "static"
    (static / "sub").mkdir(parents=True)
    (static / "index.html").write_text("<h1>Hello</h1>")
    (static / "sub" / "text.txt").write_bytes(TEXT)
    (tmp_path / "secret.txt").write_text("secret")
    app = Kolben("sending", root_path=str(tmp_path))
    app.testing = True
    return app


def get(app: Kolben, *args: Any, headers: dict[str, str] | None = None, **kwargs: Any) -> Any:
    """What a client receives of ``send_file`` with these arguments."""
    name = f"view{len(app.view_functions)}"
    twin = Kolben("sending", root_path=app.root_path)
    twin.testing = True
    twin.config.update(app.config)
    twin.add_url_rule(f"/{name}", name, lambda: send_file(*args, **kwargs))
    return twin.test_client().get(f"/{name}", headers=headers)


# safe_join


@pytest.mark.parametrize(
    ("directory", "parts", "joined"),
    [
        ("foo", ["bar/baz"], "foo/bar/baz"),
        ("foo", ["bar", "baz"], "foo/bar/baz"),
        ("foo", ["bar//baz"], "foo/bar/baz"),
        ("foo", ["./bar"], "foo/bar"),
        ("foo", ["bar/../baz"], "foo/baz"),
        ("foo", [""], "foo"),
        ("", ["bar"], "./bar"),
        ("/srv/", ["a"], "/srv/a"),
        ("foo", [".hidden", "..a", "a..", "a.b.c", "ab:c"], "foo/.hidden/..a/a../a.b.c/ab:c"),
        ("foo", ["console.txt", "com", "com10", "nullable", "lpt"], None),
        ("foo", ["straße/日本.txt"], "foo/straße/日本.txt"),
    ],
)
def test_safe_paths_are_joined(directory: str, parts: list[str], joined: str | None) -> None:
    expected = joined if joined is not None else "/".join([directory, *parts])
    assert safe_join(directory, *parts) == expected


@pytest.mark.parametrize(
    "path",
    [
        "..", "../x", "a/../../x", "a/b/../../../x", "./../x",
        "/etc/passwd", "//server/share", "/",
        "C:/x", "c:x", "c:", "a/C:/x", "C:\\x",
        "\\\\server\\share", "a\\b", "..\\x", "\\x",
        "a\x00b", "\x00",
        "CON", "con", "Nul", "NUL.txt", "aux.tar.gz", "a/prn", "prn/a", "COM1", "lpt9.txt",
        "com¹", "CONIN$", "conout$", "COM0",
        "nul ", "nul.", "nul .txt", "con  ", "CON:", "con::$DATA", "con. . ",
        "...", ".. ", "a/.. /x", ". .", " ", "....",
    ],
)  # fmt: skip
def test_unsafe_paths_are_refused_on_every_system(path: str) -> None:
    assert safe_join("foo", path) is None
    assert safe_join("", path) is None
    assert safe_join("foo", "ok", path) is None


@given(st.lists(st.text(alphabet="abc./\\: \x00nulNUL", max_size=12), max_size=4))
def test_what_is_joined_stays_inside(parts: list[str]) -> None:
    joined = safe_join("/base", *parts)
    if joined is not None:
        assert os.path.normpath(joined) == "/base" or os.path.normpath(joined).startswith("/base/")
        assert "\x00" not in joined and "\\" not in joined


# Static files


def test_a_static_file_with_all_that_belongs_to_it(app: Kolben) -> None:
    response = app.test_client().get("/static/index.html")
    assert (response.status_code, response.data) == (200, b"<h1>Hello</h1>")
    headers = response.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Length"] == "14"
    assert headers["Content-Disposition"] == "inline; filename=index.html"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["ETag"].startswith('"') and "Last-Modified" in headers


def test_head_has_the_length_and_no_body(app: Kolben) -> None:
    response = app.test_client().head("/static/sub/text.txt")
    assert (response.data, response.headers["Content-Length"]) == (b"", "100")


@pytest.mark.parametrize(
    "path",
    [
        "missing.txt", "sub", "sub/", "index.html/x", "../secret.txt", "%2e%2e/secret.txt",
        "..%2fsecret.txt", "%2e%2e%2fsecret.txt", "sub/../../secret.txt", "..%5csecret.txt",
        "%252e%252e/secret.txt", "index.html%00", "%00", "nul", "C:/secret.txt", "a" * 300,
        "//etc/passwd", "%2fetc%2fpasswd",
    ],
)  # fmt: skip
def test_what_is_not_a_file_of_the_folder_is_not_found(app: Kolben, path: str) -> None:
    response = app.test_client().get(f"/static/{path}", follow_redirects=True)
    assert response.status_code == 404
    assert b"secret" not in response.data


def test_static_files_of_a_blueprint(app: Kolben, tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "assets"
    folder.mkdir(parents=True)
    (folder / "shop.css").write_text("css")
    shop = Blueprint(
        "shop", "shop", url_prefix="/shop", static_folder="assets", root_path=str(folder.parent)
    )
    app.register_blueprint(shop)
    response = app.test_client().get("/shop/assets/shop.css")
    assert (response.text, response.mimetype) == ("css", "text/css")


def test_links_may_not_lead_out_of_the_folder_unless_allowed(app: Kolben, tmp_path: Path) -> None:
    static = tmp_path / "static"
    (static / "inside.txt").symlink_to(static / "sub" / "text.txt")
    (static / "linked").symlink_to(static / "sub")
    (static / "outside.txt").symlink_to(tmp_path / "secret.txt")
    (static / "up").symlink_to(tmp_path)
    (static / "loop").symlink_to(static / "loop")
    (static / "dangling").symlink_to(static / "nothing")
    (tmp_path / "static-private").mkdir()
    (tmp_path / "static-private" / "x.txt").write_text("secret")
    (static / "sibling").symlink_to(tmp_path / "static-private")
    client = app.test_client()
    for path in ("inside.txt", "linked/text.txt"):
        assert client.get(f"/static/{path}").data == TEXT
    outside = ["outside.txt", "up/secret.txt", "sibling/x.txt"]
    for path in (*outside, "loop", "dangling", "loop/x"):
        assert client.get(f"/static/{path}").status_code == 404
    app.config["STATIC_FOLLOW_SYMLINKS"] = True
    for path in outside:
        assert client.get(f"/static/{path}").text == "secret"
    for path in ("loop", "dangling"):
        assert client.get(f"/static/{path}").status_code == 404
    with app.test_request_context(), pytest.raises(NotFound):
        send_from_directory("static", "outside.txt", follow_symlinks=False)


def test_the_folder_itself_may_be_reached_through_a_link(app: Kolben, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(tmp_path / "static")
    (tmp_path / "static" / "inside.txt").symlink_to("sub/text.txt")
    with app.test_request_context():
        for path in ("index.html", "inside.txt"):
            response = send_from_directory(tmp_path / "current", path)
            assert response.status_code == 200
            response.close()


def test_only_regular_files_are_sent(app: Kolben, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "static" / "pipe")
    assert app.test_client().get("/static/pipe").status_code == 404


def test_send_from_directory_takes_the_arguments_of_send_file(app: Kolben) -> None:
    @app.get("/get/<path:name>")
    async def download(name: str) -> Response:
        return send_from_directory("static", name, as_attachment=True, download_name="x.bin")

    response = app.test_client().get("/get/sub/text.txt")
    assert response.data == TEXT
    assert response.headers["Content-Disposition"] == "attachment; filename=x.bin"
    assert response.mimetype == "application/octet-stream"
    assert app.test_client().get("/get/../secret.txt").status_code == 404


# send_file


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_path_is_relative_to_the_applications_folder(app: Kolben, as_path: Any) -> None:
    assert get(app, as_path("static/sub/text.txt")).data == TEXT


def test_a_missing_file_and_a_folder_are_errors_of_the_view(app: Kolben) -> None:
    with app.test_request_context():
        with pytest.raises(FileNotFoundError):
            send_file("static/missing.txt")
        with pytest.raises(IsADirectoryError, match="static"):
            send_file("static")


def test_sending_needs_a_request(app: Kolben) -> None:
    with app.app_context(), pytest.raises(RuntimeError, match="request context"):
        send_file("static/index.html")


class Chunks:
    """A file object that can only be read."""

    def __init__(self, data: bytes) -> None:
        self.source, self.closed = io.BytesIO(data), 0

    def read(self, size: int = -1) -> bytes:
        return self.source.read(size)

    def close(self) -> None:
        self.closed += 1


def test_file_objects_are_sent_from_their_position_and_closed(app: Kolben) -> None:
    memory = io.BytesIO(TEXT)
    memory.seek(95)
    response = get(app, memory, mimetype="text/plain")
    assert (response.data, response.headers["Content-Length"]) == (b"56789", "5")
    assert "ETag" not in response.headers and "Last-Modified" not in response.headers
    assert "Content-Disposition" not in response.headers
    assert memory.closed

    file = open(os.path.join(app.root_path, "static/sub/text.txt"), "rb")
    response = get(app, file, mimetype="text/plain")
    assert (response.data, response.headers["Content-Length"]) == (TEXT, "100")
    assert file.closed


def test_file_objects_without_a_known_end_are_streamed(app: Kolben, tmp_path: Path) -> None:
    source = Chunks(TEXT)
    response = get(app, source, mimetype="text/plain")
    assert response.data == TEXT and "Content-Length" not in response.headers
    assert source.closed == 1
    with gzip.open(tmp_path / "x.gz", "wb") as packed:
        packed.write(TEXT)
    unpacked = gzip.open(tmp_path / "x.gz")
    response = get(app, unpacked, mimetype="text/plain")
    # Its length would be known only after unpacking all of it.
    assert response.data == TEXT and "Content-Length" not in response.headers
    assert unpacked.closed


def test_a_range_of_a_file_object_counts_from_its_position(app: Kolben) -> None:
    memory = io.BytesIO(b"skipped" + TEXT)
    memory.seek(7)
    response = get(app, memory, mimetype="text/plain", headers={"Range": "bytes=10-14"})
    assert (response.status_code, response.data) == (206, b"01234")
    spooled: Any = tempfile.SpooledTemporaryFile()
    spooled.write(TEXT)
    spooled.seek(0)
    response = get(app, spooled, mimetype="text/plain", headers={"Range": "bytes=-3"})
    assert (response.status_code, response.data) == (206, b"789")


def test_text_files_and_other_objects_are_refused(app: Kolben) -> None:
    with app.test_request_context():
        with pytest.raises(ValueError, match="binary mode"):
            send_file(io.StringIO("text"), mimetype="text/plain")  # type: ignore[arg-type]
        with open(os.path.join(app.root_path, "secret.txt")) as text:
            with pytest.raises(ValueError, match="binary mode"):
                send_file(text, mimetype="text/plain")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="int"):
            send_file(3)  # type: ignore[arg-type]


def test_a_file_object_needs_a_type_and_an_attachment_a_name(app: Kolben) -> None:
    with app.test_request_context():
        with pytest.raises(TypeError, match="cannot be guessed"):
            send_file(io.BytesIO())
        with pytest.raises(TypeError, match="needs a name"):
            send_file(io.BytesIO(), mimetype="text/plain", as_attachment=True)
    response = get(app, io.BytesIO(b"a"), download_name="a.json", as_attachment=True)
    assert response.mimetype == "application/json"
    assert response.headers["Content-Disposition"] == "attachment; filename=a.json"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.CSS", "text/css; charset=utf-8"),
        ("a.png", "image/png"),
        ("a.json", "application/json"),
        ("a.woff2", "font/woff2"),
        ("a.webp", "image/webp"),
        ("a.avif", "image/avif"),
        ("a", "application/octet-stream"),
        ("a.no-such-type", "application/octet-stream"),
        ("http://x/a.txt", "text/plain; charset=utf-8"),
    ],
)
def test_the_type_is_guessed_from_the_name(app: Kolben, name: str, content_type: str) -> None:
    response = get(app, io.BytesIO(b""), download_name=name)
    assert response.headers["Content-Type"] == content_type


def test_an_empty_file_is_sent(app: Kolben, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    response = get(app, "empty.txt", headers={"Range": "bytes=0-"})
    assert (response.data, response.headers["Content-Length"]) == (b"", "0")


def test_a_compressed_file_says_so_unless_it_is_saved(app: Kolben, tmp_path: Path) -> None:
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(b"x"))
    inline = get(app, "x.txt.gz")
    assert inline.headers["Content-Encoding"] == "gzip"
    assert inline.mimetype == "text/plain"
    assert "Content-Encoding" not in get(app, "x.txt.gz", as_attachment=True).headers


# Names


@pytest.mark.parametrize(
    ("name", "simple", "extended"),
    [
        ("index.html", "index.html", None),
        ("a b.txt", '"a b.txt"', None),
        ('a"b\\c.txt', '"a\\"b\\\\c.txt"', None),
        ("Vögel.txt", "Vogel.txt", "V%C3%B6gel.txt"),
        ("Ñandú／pingüino.txt", '"Nandu/pinguino.txt"',
         "%C3%91and%C3%BA%EF%BC%8Fping%C3%BCino.txt"),
        ("(тест.txt", '"(.txt"', "%28%D1%82%D0%B5%D1%81%D1%82.txt"),
        ("日本.txt", "download.txt", "%E6%97%A5%E6%9C%AC.txt"),
        ("日本", "download", "%E6%97%A5%E6%9C%AC"),
        (".日本", ".", ".%E6%97%A5%E6%9C%AC"),
        ("a\r\nX-Evil: 1", '"a__X-Evil: 1"', None),
        ("ä\x00\x7f", "a__", "%C3%A4__"),
        ("a\udcff", "a", "a%EF%BF%BD"),
    ],
)  # fmt: skip
def test_names_in_all_scripts(name: str, simple: str, extended: str | None) -> None:
    expected = f"inline; filename={simple}"
    if extended is not None:
        expected += f"; filename*=UTF-8''{extended}"
    assert content_disposition(name) == expected


@given(st.text(min_size=1), st.booleans())
def test_any_name_can_be_sent_and_read_back(name: str, as_attachment: bool) -> None:
    value = content_disposition(name, as_attachment)
    assert value.isascii() and value.isprintable()
    kind, options = parse_options_header(value)
    assert kind == ("attachment" if as_attachment else "inline")
    printable = "".join("_" if ch < " " or ch == "\x7f" else ch for ch in name)
    # "%22" stands for a double quote where browsers send names, so that no reader keeps it.
    assert options["filename"] == printable.replace("%22", '"') or not name.isascii()
    if not name.isascii():
        assert options["filename"] == printable


# Caching


def test_max_age_makes_it_public(app: Kolben) -> None:
    headers = get(app, "static/index.html", max_age=60).headers
    assert headers["Cache-Control"] == "public, max-age=60"
    assert "Expires" in headers
    headers = get(app, "static/index.html", max_age=0).headers
    assert headers["Cache-Control"] == "no-cache, max-age=0"


@pytest.mark.parametrize("value", [10, timedelta(seconds=10)])
def test_max_age_comes_from_the_application(app: Kolben, value: Any) -> None:
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = value
    for response in (get(app, "static/index.html"), app.test_client().get("/static/index.html")):
        assert response.headers["Cache-Control"] == "public, max-age=10"


def test_max_age_may_be_a_function_of_the_path(app: Kolben) -> None:
    seen: list[str | None] = []

    def max_age(path: str | None) -> int | None:
        seen.append(path)
        return 7 if path else None

    assert "max-age=7" in get(app, "secret.txt", max_age=max_age).headers["Cache-Control"]
    assert get(
        app, io.BytesIO(), mimetype="a/b", max_age=max_age
    ).headers["Cache-Control"] == "no-cache"  # fmt: skip
    assert seen == [os.path.join(app.root_path, "secret.txt"), None]


def test_the_applications_method_decides_per_name() -> None:
    class Custom(Kolben):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 5 if filename and filename.endswith(".css") else None

    app = Custom("custom", root_path=os.path.dirname(__file__))
    with app.test_request_context():
        response = send_file(__file__)
        assert response.cache_control.max_age is None
        response.close()


def test_etag_and_last_modified_can_be_given_or_left_out(app: Kolben) -> None:
    response = get(app, "secret.txt", etag="v1", last_modified=datetime(2000, 1, 1, tzinfo=UTC))
    assert response.headers["ETag"] == '"v1"'
    assert response.headers["Last-Modified"] == "Sat, 01 Jan 2000 00:00:00 GMT"
    assert "ETag" not in get(app, "secret.txt", etag=False).headers
    response = get(app, io.BytesIO(b"a"), mimetype="a/b", last_modified=0)
    assert response.headers["Last-Modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_the_etag_changes_with_the_file(app: Kolben, tmp_path: Path) -> None:
    first = get(app, "secret.txt").headers["ETag"]
    assert get(app, "secret.txt").headers["ETag"] == first
    (tmp_path / "secret.txt").write_text("other")
    assert get(app, "secret.txt").headers["ETag"] != first


# Conditions and ranges


def test_what_the_client_has_is_not_sent_again(app: Kolben) -> None:
    client = app.test_client()
    first = client.get("/static/sub/text.txt")
    for headers in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        again = client.get("/static/sub/text.txt", headers=headers)
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get("/static/sub/text.txt", headers={"If-None-Match": '"x"'}).data == TEXT
    headers = {"If-Match": '"x"'}
    assert client.get("/static/sub/text.txt", headers=headers).status_code == 412
    assert get(
        app, "static/sub/text.txt", conditional=False, headers={"If-None-Match": "*"}
    ).status_code == 200  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "content", "content_range"),
    [
        ("bytes=0-4", b"01234", "bytes 0-4/100"),
        ("bytes=95-", b"56789", "bytes 95-99/100"),
        ("bytes=-2", b"89", "bytes 98-99/100"),
        ("bytes=90-1000", b"0123456789", "bytes 90-99/100"),
    ],
)
def test_a_range_is_sent_alone(
    app: Kolben, wanted: str, content: bytes, content_range: str
) -> None:
    response = app.test_client().get("/static/sub/text.txt", headers={"Range": wanted})
    assert (response.status_code, response.data) == (206, content)
    assert response.headers["Content-Range"] == content_range
    assert response.headers["Content-Length"] == str(len(content))


def test_several_ranges_are_parts(app: Kolben) -> None:
    headers = {"Range": "bytes=0-1,10-12"}
    response = app.test_client().get("/static/sub/text.txt", headers=headers)
    assert response.status_code == 206
    boundary = parse_options_header(response.headers["Content-Type"])[1]["boundary"]
    parts = response.data.split(f"--{boundary}".encode())
    assert len(parts) == 4 and parts[3] == b"--\r\n"
    assert b"Content-Range: bytes 0-1/100\r\n\r\n01\r\n" in parts[1]
    assert b"Content-Range: bytes 10-12/100\r\n\r\n012\r\n" in parts[2]


@pytest.mark.parametrize(
    "wanted", ["bytes=0-50,10-60", ",".join(["bytes=0-0", *(f"{n}-{n}" for n in range(2, 40, 2))]),
               "bytes=x", "lines=1-2", "bytes=5-2"],
)  # fmt: skip
def test_ranges_that_overlap_or_are_many_or_broken_get_the_whole(app: Kolben, wanted: str) -> None:
    response = app.test_client().get("/static/sub/text.txt", headers={"Range": wanted})
    assert (response.status_code, response.data) == (200, TEXT)


def test_a_range_beyond_the_end_is_416(app: Kolben) -> None:
    response = app.test_client().get("/static/sub/text.txt", headers={"Range": "bytes=100-"})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */100"
    memory = io.BytesIO(TEXT)
    beyond = get(app, memory, mimetype="a/b", headers={"Range": "bytes=200-"})
    assert beyond.status_code == 416 and memory.closed


def test_if_range_sends_the_whole_when_the_file_has_changed(app: Kolben) -> None:
    client = app.test_client()
    etag = client.get("/static/sub/text.txt").headers["ETag"]
    headers = {"Range": "bytes=0-4", "If-Range": etag}
    assert client.get("/static/sub/text.txt", headers=headers).status_code == 206
    headers["If-Range"] = '"older"'
    response = client.get("/static/sub/text.txt", headers=headers)
    assert (response.status_code, response.data) == (200, TEXT)


# X-Sendfile


def test_a_file_is_left_to_the_server(app: Kolben) -> None:
    app.config["USE_X_SENDFILE"] = True
    path = os.path.join(app.root_path, "static", "sub", "text.txt")
    client = app.test_client()
    response = client.get("/static/sub/text.txt", headers={"Range": "bytes=0-4"})
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["X-Sendfile"] == path
    assert "Accept-Ranges" not in response.headers
    headers = {"If-None-Match": response.headers["ETag"]}
    response = client.get("/static/sub/text.txt", headers=headers)
    assert response.status_code == 304 and "X-Sendfile" not in response.headers
    response = client.get("/static/sub/text.txt", headers={"If-Match": '"x"'})
    assert response.status_code == 412 and "X-Sendfile" not in response.headers
    assert get(app, io.BytesIO(b"a"), mimetype="a/b").data == b"a"


def test_the_path_for_the_server_is_encoded_where_a_header_cannot_carry_it(
    app: Kolben, tmp_path: Path
) -> None:
    app.config["USE_X_SENDFILE"] = True
    (tmp_path / "日本.txt").write_text("x")
    response = get(app, "日本.txt")
    assert response.headers["X-Sendfile"] == f"{tmp_path}/%E6%97%A5%E6%9C%AC.txt"


# Large files


def test_a_large_file_comes_in_chunks(app: Kolben, tmp_path: Path) -> None:
    size = 3 * 1024 * 1024
    with open(tmp_path / "static" / "large.bin", "wb") as large:
        large.truncate(size)
    response = app.test_client().get("/static/large.bin", buffered=False)
    chunks: Iterator[bytes] = response.iter_chunks()
    lengths = [len(chunk) for chunk in chunks]
    assert sum(lengths) == size
    assert max(lengths) <= 256 * 1024


# Resources


def test_resources_are_opened_for_reading(app: Kolben) -> None:
    with app.open_resource("secret.txt") as file:
        assert file.read() == b"secret"
    with app.open_resource("secret.txt", "r", encoding="utf-8") as file:
        assert file.read() == "secret"
    with pytest.raises(ValueError, match="reading"):
        app.open_resource("secret.txt", "w")


def test_the_instance_folder_can_be_written(tmp_path: Path) -> None:
    app = Kolben(__name__, instance_path=str(tmp_path))
    with app.open_instance_resource("new.txt", "w") as file:
        file.write("ü")
    assert (tmp_path / "new.txt").read_bytes() == "ü".encode()
    with app.open_instance_resource("new.txt") as file:
        assert file.read() == "ü".encode()
    with app.open_instance_resource("new.txt", "r") as file:
        assert file.read() == "ü"
