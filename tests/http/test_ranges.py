"""Parsing of ranges, and the limits that keep them from being an attack."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.dates import http_date
from kolben.http.ranges import parse_content_range_header, parse_if_range_header, parse_range_header


@pytest.mark.parametrize(
    ("value", "ranges"),
    [
        ("bytes=0-99", [(0, 100)]),
        ("BYTES = 0-99", [(0, 100)]),
        ("bytes=52-", [(52, None)]),
        ("bytes=-5", [(-5, None)]),
        ("bytes=0-0,2-2,4-", [(0, 1), (2, 3), (4, None)]),
        ("bytes=0-0, -1", [(0, 1), (-1, None)]),
        ("bytes= 0 - 5 ", [(0, 6)]),
    ],
)
def test_ranges_are_read_half_open(value: str, ranges: list[tuple[int, int | None]]) -> None:
    parsed = parse_range_header(value)
    assert parsed is not None
    assert parsed.units == "bytes"
    assert parsed.ranges == ranges


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=52",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=-0",
        "bytes=--1",
        "bytes=- 5",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=0-99,50-150",
        "bytes=52-99,0-9",
        "bytes=5-,6-7",
        "bytes=-5,-6",
        "bytes=-5,0-1",
        "bytes=0-1,",
        "bytes=٣-",
        "bytes=" + "1" * 1_000_000 + "-",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 22, 2)),
        "bytes=" + "0-," * 1_000_000,
    ],
    ids=range(22),
)
def test_what_is_malformed_overlapping_or_too_much_is_ignored(value: str | None) -> None:
    assert parse_range_header(value) is None


def test_ten_ranges_are_allowed() -> None:
    parsed = parse_range_header("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 20, 2)))
    assert parsed is not None
    assert len(parsed.ranges) == 10


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=20, unique=True))
def test_ranges_survive_writing_and_reading(bounds: list[int]) -> None:
    bounds.sort()
    ranges = list(zip(bounds[::2], bounds[1::2], strict=False))
    parsed = parse_range_header("bytes=" + ",".join(f"{a}-{b - 1}" for a, b in ranges))
    assert parsed is not None
    assert parsed.ranges == ranges
    assert parse_range_header(parsed.to_header()).to_header() == parsed.to_header()  # type: ignore[union-attr]


@given(st.text())
def test_nothing_raises(value: str) -> None:
    for text in (value, f"bytes={value}", f"bytes {value}"):
        parse_range_header(text)
        parse_content_range_header(text)
        parse_if_range_header(text)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("bytes 0-98/*", (0, 99, None)),
        ("bytes 0-98/100", (0, 99, 100)),
        ("bytes */100", (None, None, 100)),
        ("bytes */*", (None, None, None)),
        (" bytes 0-0/1 ", (0, 1, 1)),
    ],
)
def test_a_content_range_survives_reading_and_writing(
    value: str, parts: tuple[int | None, int | None, int | None]
) -> None:
    parsed = parse_content_range_header(value)
    assert parsed is not None
    assert (parsed.start, parsed.stop, parsed.length) == parts
    assert parsed.to_header() == value.strip()


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "bytes",
        "bytes 0-98",
        "bytes 5-2/9",
        "bytes 9-10/5",
        "bytes 0-x/5",
        "bytes x/5",
        "bytes */-1",
        "bytes 0-1/x",
        " 0-1/2",
    ],
)
def test_a_broken_content_range_is_ignored(value: str | None) -> None:
    assert parse_content_range_header(value) is None


def test_a_content_range_reports_changes() -> None:
    seen: list[str] = []
    parsed = parse_content_range_header("bytes 0-1/4", lambda each: seen.append(each.to_header()))
    assert parsed is not None
    parsed.length = 5
    parsed.unset()
    assert seen[-2:] == ["bytes 0-1/5", ""]


def test_if_range_is_a_tag_or_a_date() -> None:
    assert parse_if_range_header('"a"').etag == "a"
    weak = parse_if_range_header('W/"a"')
    assert (weak.etag, weak.weak, str(weak)) == ("a", True, 'W/"a"')
    date = http_date(0)
    dated = parse_if_range_header(date)
    assert dated.etag is None
    assert str(dated) == date
    nothing = parse_if_range_header(None)
    assert (nothing.etag, nothing.date, str(nothing)) == (None, None, "")
