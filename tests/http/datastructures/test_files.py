"""Uploaded files."""

from __future__ import annotations

import copy
import pickle
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryFile

import pytest

from kolben.http.datastructures import FileMultiDict, FileStorage, Headers


def test_the_storage_is_its_stream() -> None:
    storage = FileStorage(BytesIO(b"one\ntwo\n"), filename="a.txt", name="field")
    assert storage.read(3) == b"one"
    storage.seek(0)
    assert list(storage) == [b"one\n", b"two\n"]
    assert storage.tell() == 8
    assert storage.seekable()
    with pytest.raises(AttributeError):
        storage.missing
    storage.close()
    assert storage.closed


def test_it_is_true_if_a_file_was_chosen() -> None:
    assert FileStorage(BytesIO(), filename="a")
    assert not FileStorage(BytesIO(b"content"), filename="")
    assert not FileStorage()
    assert FileStorage().read() == b""


def test_what_the_client_said_of_it() -> None:
    storage = FileStorage(content_type="Text/HTML; Charset=utf-8", content_length=5)
    assert storage.content_type == "Text/HTML; Charset=utf-8"
    assert storage.mimetype == "text/html"
    assert storage.mimetype_params == {"charset": "utf-8"}
    assert storage.content_length == 5
    nothing = FileStorage()
    assert (nothing.content_type, nothing.mimetype, nothing.mimetype_params) == (None, "", {})
    assert nothing.content_length == 0
    assert FileStorage(headers=Headers({"Content-Length": "many"})).content_length == 0
    assert repr(FileStorage(filename="a", content_type="b/c")) == "<FileStorage: 'a' ('b/c')>"


def test_the_name_comes_from_the_stream_unless_it_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ä.txt"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        assert FileStorage(file).filename == str(path)
        assert FileStorage(file, filename="b").filename == "b"
        assert FileStorage(file, filename=b"b").filename == "b"
        assert FileStorage(file, filename=path).filename == str(path)
    with TemporaryFile() as temporary, SpooledTemporaryFile() as spooled:
        assert FileStorage(temporary).filename is None
        assert FileStorage(spooled).filename is None  # type: ignore[arg-type]
    unnamed = BytesIO()
    unnamed.name = "<stdin>"
    assert FileStorage(unnamed).filename is None


def test_it_is_saved_to_a_path_or_an_open_file(tmp_path: Path) -> None:
    for number, destination in enumerate((tmp_path / "a", str(tmp_path / "b"))):
        FileStorage(BytesIO(b"x" * 50_000)).save(destination, buffer_size=1000 + number)
        assert Path(destination).read_bytes() == b"x" * 50_000
    target = BytesIO()
    FileStorage(BytesIO(b"content")).save(target)
    assert target.getvalue() == b"content"
    assert not target.closed


def test_closing_never_fails() -> None:
    class Broken(BytesIO):
        broken = True

        def close(self) -> None:
            if self.broken:
                raise OSError("gone")

    stream = Broken()
    FileStorage(stream).close()
    stream.broken = False


def test_it_can_be_copied_before_it_has_a_stream() -> None:
    storage = FileStorage(BytesIO(b"abc"), filename="a")
    assert copy.copy(storage).filename == "a"
    assert copy.deepcopy(storage).read() == b"abc"
    assert pickle.loads(pickle.dumps(storage)).read() == b"abc"


def test_files_are_added_for_a_request_that_is_built(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"png")
    files = FileMultiDict()
    files.add_file("a", str(path))
    files.add_file("b", BytesIO(b"b"), "b.unknown-kind")
    files.add_file("c", BytesIO(b"c"))
    files.add_file("d", FileStorage(BytesIO(b"d"), filename="d"))
    files.add_file("e", BytesIO(b"e"), "e.txt", "x/y")
    assert (files["a"].filename, files["a"].mimetype, files["a"].read()) == (
        str(path),
        "image/png",
        b"png",
    )
    assert (files["b"].mimetype, files["b"].name) == ("application/octet-stream", "b")
    assert (files["c"].filename, files["c"].content_type) == (None, None)
    assert files["d"].filename == "d"
    assert files["e"].content_type == "x/y"
    files["a"].close()
