"""Files and parts of files as bodies."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.wrappers import FileBody
from kolben.wrappers.body import slice_iterable

DATA = bytes(range(256)) * 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "data.bin"
    file.write_bytes(DATA)
    return file


def test_a_whole_file(path: Path) -> None:
    body = FileBody(path)
    assert body.path == str(path)
    assert body.size == body.length == len(DATA)
    with body:
        assert b"".join(body) == DATA
        assert body.read() == b""
    body = FileBody(path, len(DATA), chunk_size=100)
    assert max(map(len, body)) == 100
    body.close()
    assert str(path) in repr(body)


def test_a_relative_path_is_made_absolute(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert FileBody("data.bin").path == str(path)


def test_a_file_object_is_sent_from_its_position_and_closed() -> None:
    file = io.BytesIO(DATA)
    file.seek(10)
    body = FileBody(file)
    assert body.path is None
    assert body.length == len(DATA) - 10
    body.segments = [(0, 5), (20, 5)]
    assert b"".join(body) == DATA[10:15] + DATA[30:35]
    body.close()
    assert file.closed


def test_a_file_object_that_cannot_seek_has_no_length() -> None:
    read, write = os.pipe()
    os.write(write, b"abc")
    os.close(write)
    with FileBody(os.fdopen(read, "rb")) as body:
        assert body.size is body.length is None
        assert b"".join(body) == b"abc"


def test_a_text_file_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="binary"):
        FileBody(io.StringIO("a"))  # type: ignore[arg-type]


def test_a_missing_file_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileBody(tmp_path / "none")


def test_a_file_that_becomes_shorter_is_an_error_not_a_short_answer(path: Path) -> None:
    body = FileBody(path, chunk_size=100)
    body.read()
    path.write_bytes(b"x")
    with body, pytest.raises(OSError, match="shorter"):
        list(body)


def test_a_file_that_grows_is_sent_as_long_as_promised(path: Path) -> None:
    with FileBody(path) as body:
        path.write_bytes(DATA * 2)
        assert len(b"".join(body)) == len(DATA)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with FileBody(tmp_path / "empty") as body:
        assert body.length == 0
        assert body.read() == b""


def test_a_huge_file_is_never_in_memory(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(1 << 30)
    body = FileBody(huge)
    tracemalloc.start()
    try:
        total = sum(map(len, body))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        body.close()
    assert total == 1 << 30
    assert peak < 1 << 20


segments = st.lists(
    st.one_of(
        st.binary(max_size=5),
        st.tuples(st.integers(0, len(DATA)), st.integers(0, len(DATA))).map(
            lambda pair: (min(pair), max(pair) - min(pair))
        ),
    ),
    max_size=6,
)


@given(segments, st.integers(1, 4000))
def test_segments_are_sent_in_their_order(parts: list[bytes | tuple[int, int]], size: int) -> None:
    body = FileBody(io.BytesIO(DATA), chunk_size=size)
    body.segments = parts
    expected = b"".join(
        part if isinstance(part, bytes) else DATA[part[0] : part[0] + part[1]] for part in parts
    )
    assert body.length == len(expected)
    assert b"".join(body) == expected
    assert body.path is None


@given(
    st.lists(st.binary(max_size=5) | st.text(max_size=3)), st.integers(0, 30), st.integers(1, 30)
)
def test_a_part_of_an_iterable(items: list[str | bytes], start: int, length: int) -> None:
    whole = b"".join(item.encode() if isinstance(item, str) else item for item in items)
    assert b"".join(slice_iterable(items, start, length)) == whole[start : start + length]
