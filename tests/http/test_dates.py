"""Dates in all forms that HTTP allows."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.dates import dump_age, http_date, parse_age, parse_date

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 6 nov 1994 08:49:37 gmt",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37",
        "06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 09:49:37 +0100",
        "Sun, 06 Nov 1994 03:49:37 EST",
        "Sun, 06 Nov 1994 08:49:37 -0000",
        "  Sun, 06 Nov 1994 08:49:37 GMT ",
    ],
)
def test_every_form_of_a_date_is_read(text: str) -> None:
    parsed = parse_date(text)
    assert parsed == MOMENT
    assert parsed is not None
    assert parsed.tzinfo is not None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "0",
        "-1",
        "yesterday",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 08:61:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 XYZ",
        "Sun, 06 Nov 1994 08:49:37 +9999",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT; x",
        '"etag"',
        "S" * 1_000_000,
        " " * 1_000_000,
        "1" * 1_000_000,
    ],
)
def test_what_is_no_date_is_ignored(text: str | None) -> None:
    assert parse_date(text) is None


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9999, 12, 30)))
def test_a_date_survives_writing_and_reading(moment: datetime) -> None:
    assert parse_date(http_date(moment)) == moment.replace(microsecond=0, tzinfo=UTC)


@given(st.text(max_size=100))
def test_nothing_raises(text: str) -> None:
    parse_date(text)
    parse_age(text)


def test_a_leap_second_is_read_as_the_one_before() -> None:
    assert parse_date("Sat, 31 Dec 2016 23:59:60 GMT") == datetime(
        2016, 12, 31, 23, 59, 59, tzinfo=UTC
    )


def test_two_digits_mean_a_year_at_most_fifty_ahead() -> None:
    this = datetime.now(UTC).year
    for ahead in (0, 1, 49, 50):
        parsed = parse_date(f"Sunday, 06-Nov-{(this + ahead) % 100:02} 08:49:37 GMT")
        assert parsed is not None
        assert parsed.year == this + ahead
    parsed = parse_date(f"Sunday, 06-Nov-{(this + 51) % 100:02} 08:49:37 GMT")
    assert parsed is not None
    assert parsed.year == this + 51 - 100


@pytest.mark.parametrize(
    "moment",
    [
        MOMENT,
        MOMENT.replace(tzinfo=None),
        MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30))),
        MOMENT.timestamp(),
        int(MOMENT.timestamp()),
        MOMENT.timestamp() + 0.999,
        time.localtime(MOMENT.timestamp()),
    ],
)
def test_every_kind_of_moment_is_written(moment: datetime | float | time.struct_time) -> None:
    assert http_date(moment) == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_a_day_is_its_midnight_and_nothing_is_now() -> None:
    assert http_date(date(2013, 1, 1)) == "Tue, 01 Jan 2013 00:00:00 GMT"
    now = parse_date(http_date())
    assert now is not None
    assert abs((datetime.now(UTC) - now).total_seconds()) < 60


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("60", timedelta(seconds=60)),
        (" 0 ", timedelta()),
        (None, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("1" * 20, None),
        ("1" * 100_000, None),
    ],
)
def test_ages_are_read(text: str | None, age: timedelta | None) -> None:
    assert parse_age(text) == age


def test_ages_are_written() -> None:
    assert (dump_age(timedelta(minutes=1)), dump_age(5), dump_age(None)) == ("60", "5", None)
    with pytest.raises(ValueError, match="negative"):
        dump_age(-1)
