"""Static files, files that are sent, and names that must not lead out of a folder."""

from __future__ import annotations

import datetime
import io
import os
from pathlib import Path
from typing import Any

import pytest

CONTENT = bytes(range(256)) * 40
STAMP = 1_700_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("static", "static/sub", "files", "bp", "files/d ä"):
        (tmp_path / name).mkdir()
    for name in (
        "static/a.css",
        "static/sub/b.txt",
        "static/page.html",
        "static/data.bin",
        "static/archive.tar.gz",
        "static/noext",
        "static/app.js",
        "files/f.txt",
        "files/d ä/g ü.txt",
        "bp/c.txt",
        "secret.txt",
    ):
        (tmp_path / name).write_bytes(CONTENT if name.endswith("bin") else name.encode())
        os.utime(tmp_path / name, (STAMP, STAMP))
    (tmp_path / "static/empty.txt").touch()
    os.utime(tmp_path / "static/empty.txt", (STAMP, STAMP))
    return tmp_path


def site(fw: Any, root: Path, **config: Any) -> Any:
    app = fw.app(root_path=str(root), **config)
    bp = fw.Blueprint(
        "bp", "parity", url_prefix="/bp", static_folder="bp", static_url_path="/st", root_path=root
    )
    app.register_blueprint(bp)
    app.log_exception = lambda exc_info: None

    @app.get("/dir/<path:name>")
    @fw.colour
    def directory(name: str) -> Any:
        return fw.send_from_directory("files", name)

    @app.get("/urls")
    @fw.colour
    def urls() -> Any:
        return f"{fw.url_for('static', filename='a b.css')} {fw.url_for('bp.static', filename='c')}"

    arguments: dict[str, Any] = {
        "plain": {},
        "attachment": {"as_attachment": True},
        "name": {"download_name": "other.pdf"},
        "attachment name": {"as_attachment": True, "download_name": "ä €.txt"},
        "attachment quote": {"as_attachment": True, "download_name": 'a"b;c,d.txt'},
        "inline name": {"download_name": "Ünï.txt"},
        "mimetype": {"mimetype": "text/x-thing"},
        "no etag": {"etag": False},
        "etag": {"etag": "mine"},
        "unconditional": {"conditional": False},
        "max age": {"max_age": 60},
        "max age zero": {"max_age": 0},
        "max age call": {"max_age": lambda path: 7},
        "last": {"last_modified": datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)},
        "stamp": {"last_modified": 1_600_000_000},
    }

    @app.get("/send/<name>")
    @fw.colour
    def send(name: str) -> Any:
        return fw.send_file("static/data.bin", **arguments[name])

    @app.get("/object/<name>")
    @fw.colour
    def send_object(name: str) -> Any:
        given = {"mimetype": "text/plain", **arguments[name]}
        return fw.send_file(io.BytesIO(CONTENT), **given)

    @app.get("/bare-object")
    @fw.colour
    def bare() -> Any:
        return fw.send_file(io.BytesIO(b"x"))

    @app.get("/missing")
    @fw.colour
    def missing() -> Any:
        return fw.send_file("nothing.txt")

    @app.get("/path")
    @fw.colour
    def path() -> Any:
        return fw.send_file(root / "static" / "a.css")

    return app


NAMES = [
    "plain",
    "attachment",
    "name",
    "attachment name",
    "attachment quote",
    "inline name",
    "mimetype",
    "no etag",
    "etag",
    "unconditional",
    "max age",
    "max age zero",
    "max age call",
    "last",
    "stamp",
]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"SEND_FILE_MAX_AGE_DEFAULT": 600},
        {"SEND_FILE_MAX_AGE_DEFAULT": datetime.timedelta(hours=1)},
    ],
    ids=str,
)
def test_files(compare: Any, root: Path, config: dict[str, Any]) -> None:
    files = "a.css sub/b.txt page.html data.bin archive.tar.gz noext app.js empty.txt".split()
    wrong = [
        "",
        "sub",
        "sub/",
        "nothing",
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e/secret.txt",
        "sub/../a.css",
        "sub/../../secret.txt",
        "/etc/passwd",
        "a.css/",
        "a.css%00",
        "./a.css",
        "sub//b.txt",
        "c:a.css",
        "..\\secret.txt",
    ]
    compare(
        lambda fw: site(fw, root, **config),
        *(f"/static/{name}" for name in files + wrong),
        *(("HEAD", f"/static/{name}") for name in files),
        ("POST", "/static/a.css"),
        ("OPTIONS", "/static/a.css"),
        "/bp/st/c.txt",
        "/bp/st/a.css",
        "/dir/f.txt",
        "/dir/d%20%C3%A4/g%20%C3%BC.txt",
        "/dir/../secret.txt",
        "/dir/nothing",
        "/dir/d%20%C3%A4",
        "/urls",
        "/missing",
        "/path",
        "/bare-object",
        *(f"/send/{name}" for name in NAMES),
        *(f"/object/{name}" for name in NAMES),
    )


def test_conditional_and_ranges(compare: Any, root: Path) -> None:
    when = "Tue, 14 Nov 2023 22:13:20 GMT"
    headers: list[dict[str, str]] = [
        {"If-Modified-Since": when},
        {"If-Modified-Since": "Tue, 14 Nov 2023 22:13:19 GMT"},
        {"If-None-Match": '"mine"'},
        {"If-None-Match": '"other"'},
        {"If-None-Match": "*"},
        {"Range": "bytes=0-99"},
        {"Range": "bytes=10000-"},
        {"Range": "bytes=-1"},
        {"Range": "bytes=0-0"},
        {"Range": "bytes=0-999999"},
        {"Range": "bytes=99999-"},
        {"Range": "bytes=0-9", "If-Range": '"mine"'},
        {"Range": "bytes=0-9", "If-Range": '"other"'},
        {"Range": "bytes=0-9", "If-Range": when},
    ]
    compare(
        lambda fw: site(fw, root),
        *(
            ("GET", path, {"headers": each})
            for path in ("/send/etag", "/static/data.bin", "/object/etag", "/send/unconditional")
            for each in headers
        ),
    )


def test_the_tag_stays_the_same(compare: Any, root: Path) -> None:
    def twice(fw: Any, client: Any) -> Any:
        first = client.get("/static/data.bin")
        second = client.get("/static/data.bin", headers={"If-None-Match": first.headers["ETag"]})
        found = [first.status_code, second.status_code, second.get_data()]
        first.close()
        second.close()
        return found

    compare(lambda fw: site(fw, root), twice)
