"""Ranges as objects."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.datastructures import ContentRange, IfRange, Range
from kolben.http.ranges import is_byte_range_valid


@pytest.mark.parametrize(
    ("ranges", "length", "part"),
    [
        ([(0, 10)], 100, (0, 10)),
        ([(0, 1000)], 100, (0, 100)),
        ([(50, None)], 100, (50, 100)),
        ([(-5, None)], 100, (95, 100)),
        ([(-500, None)], 100, (0, 100)),
        ([(100, 110)], 100, None),
        ([(100, None)], 100, None),
        ([(-5, None)], 0, None),
        ([(0, 10)], None, None),
        ([(0, 1), (2, 3)], 100, None),
    ],
)
def test_one_range_is_cut_to_the_length(
    ranges: list[tuple[int, int | None]], length: int | None, part: tuple[int, int] | None
) -> None:
    asked = Range("bytes", ranges)
    assert asked.range_for_length(length) == part
    content = asked.make_content_range(length)
    header = None if part is None else f"bytes {part[0]}-{part[1] - 1}/{length}"
    assert (content and content.to_header()) == header
    assert asked.to_content_range_header(length) == header


def test_parts_are_none_where_the_header_is_to_be_ignored() -> None:
    assert Range("lines", [(0, 1)]).parts_for_length(10) is None
    assert Range("bytes", [(0, 1)]).parts_for_length(None) is None
    assert Range("bytes", [(n, n + 1) for n in range(0, 22, 2)]).parts_for_length(100) is None
    # A suffix overlaps only once the length is known.
    assert Range("bytes", [(0, 60), (-60, None)]).parts_for_length(100) is None
    assert Range("bytes", [(0, 60), (-60, None)]).parts_for_length(120) == [(0, 60), (60, 120)]


def test_parts_that_do_not_exist_are_left_out_and_none_means_416() -> None:
    assert Range("bytes", [(0, 1), (200, 300)]).parts_for_length(100) == [(0, 1)]
    assert Range("bytes", [(200, 300), (400, None)]).parts_for_length(100) == []


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=12),
    st.integers(0, 60),
)
def test_parts_never_overlap_and_lie_inside(pairs: list[tuple[int, int]], length: int) -> None:
    parts = Range("bytes", [(start, start + size) for start, size in pairs]).parts_for_length(
        length
    )
    if parts is not None:
        covered = [byte for start, stop in parts for byte in range(start, stop)]
        assert len(covered) == len(set(covered))
        assert all(0 <= byte < length for byte in covered)


@pytest.mark.parametrize("pair", [(5, 5), (5, 2), (-5, 2)])
def test_what_is_no_range_is_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not a valid range"):
        Range("bytes", [pair])


def test_ranges_are_written() -> None:
    asked = Range("bytes", [(0, 10), (20, None), (-5, None)])
    assert str(asked) == "bytes=0-9,20-,-5"
    assert repr(asked) == "<Range 'bytes=0-9,20-,-5'>"


@pytest.mark.parametrize(
    ("start", "stop", "length", "valid"),
    [
        (None, None, None, True),
        (None, None, 0, True),
        (None, None, -1, False),
        (0, None, 1, False),
        (None, 1, 1, False),
        (0, 1, None, True),
        (-1, 1, None, False),
        (1, 1, 5, False),
        (0, 10, 5, True),
        (5, 10, 5, False),
    ],
)
def test_validity(start: int | None, stop: int | None, length: int | None, valid: bool) -> None:
    assert is_byte_range_valid(start, stop, length) is valid


def test_every_change_of_a_content_range_is_told() -> None:
    seen: list[str] = []
    content = ContentRange("bytes", 0, 10, 100, on_update=lambda each: seen.append(str(each)))
    content.start = 5
    content.stop = 20
    content.length = None
    content.units = "lines"
    content.set(None, None, 50)
    content.unset()
    assert seen == [
        "bytes 0-9/100",
        "bytes 5-9/100",
        "bytes 5-19/100",
        "bytes 5-19/*",
        "lines 5-19/*",
        "bytes */50",
        "",
    ]
    assert not content
    assert (content.units, content.start, content.stop, content.length) == (None, None, None, None)
    assert repr(ContentRange("bytes", 0, 1)) == "<ContentRange 'bytes 0-0/*'>"
    with pytest.raises(ValueError, match="not a valid range"):
        content.set(5, 2)


def test_conditions_are_written() -> None:
    assert str(IfRange("a")) == '"a"'
    assert str(IfRange('a"b')) == '"ab"'
    assert (
        IfRange(date=datetime(1970, 1, 1, tzinfo=UTC)).to_header()
        == "Thu, 01 Jan 1970 00:00:00 GMT"
    )
    assert repr(IfRange()) == "<IfRange ''>"
