"""Dates and ages as header fields write them."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta, timezone

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}

# The names that RFC 5322 gives a meaning, in hours east of UTC.
_ZONES = {"gmt": 0, "utc": 0, "ut": 0, "z": 0}
_ZONES |= {"ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5}
_ZONES |= {"mst": -7, "mdt": -6, "pst": -8, "pdt": -7}

_MONTH = r"(?P<month>[a-z]{3})[a-z]{0,6}"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
_ZONE = r"(?:[ \t]{1,9}(?P<zone>[a-z]{1,5}|[+-]\d{4}))?"

# IMF-fixdate  Sun, 06 Nov 1994 08:49:37 GMT
# RFC 850      Sunday, 06-Nov-94 08:49:37 GMT
_day_first = re.compile(
    rf"(?:[a-z]{{3,9}}[,.]?[ \t]{{1,9}}|[a-z]{{3,9}},)?(?P<day>\d{{1,2}})[ \t-]{{1,9}}{_MONTH}"
    rf"[ \t-]{{1,9}}(?P<year>\d{{2,4}})[ \t]{{1,9}}{_CLOCK}{_ZONE}",
    re.ASCII | re.IGNORECASE,
).fullmatch
# asctime      Sun Nov  6 08:49:37 1994
_month_first = re.compile(
    rf"[a-z]{{3,9}},?[ \t]{{1,9}}{_MONTH}[ \t]{{1,9}}(?P<day>\d{{1,2}})[ \t]{{1,9}}{_CLOCK}"
    rf"[ \t]{{1,9}}(?P<year>\d{{4}}){_ZONE}",
    re.ASCII | re.IGNORECASE,
).fullmatch


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; a naive one is taken to be in UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def http_date(
    timestamp: datetime | date | float | time.struct_time | None = None,
) -> str:
    """Write a moment the way header fields want it.

    >>> http_date(0)
    'Thu, 01 Jan 1970 00:00:00 GMT'

    :param timestamp: Aware or naive (UTC) datetime; a date (midnight UTC); seconds since the
        epoch; a local ``struct_time``; ``None`` for now.
    :source: RFC 9110, section 5.6.7. Werkzeug: the same.
    """
    if isinstance(timestamp, datetime):
        parts = as_utc(timestamp).timetuple()
    elif isinstance(timestamp, date):
        parts = timestamp.timetuple()
    else:
        if isinstance(timestamp, time.struct_time):
            timestamp = time.mktime(timestamp)
        parts = time.gmtime(timestamp)
    year, month, day, hour, minute, second, weekday = parts[:7]
    return (
        f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04}"
        f" {hour:02}:{minute:02}:{second:02} GMT"
    )


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:
        return year if len(digits) == 4 else 1900 + year
    # A two-digit year more than 50 years ahead is the last one in the past that ends so.
    this = time.gmtime().tm_year
    year += this - this % 100
    return year - 100 if year > this + 50 else year


def _zone(name: str | None) -> timezone | None:
    if name is None:
        return UTC
    if name[0] in "+-":
        minutes = int(name[1:3]) * 60 + int(name[3:5])
        return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))
    hours = _ZONES.get(name.lower())
    return None if hours is None else timezone(timedelta(hours=hours))


def parse_date(value: str | None) -> datetime | None:
    """Read a date in any of HTTP's three forms, or in mail's with a numeric zone.

    >>> parse_date("Sunday, 06-Nov-94 08:49:37 GMT").isoformat()
    '1994-11-06T08:49:37+00:00'

    :return: An aware datetime, or ``None`` if the text is no such date.
    :source: RFC 9110, section 5.6.7; RFC 5322, section 3.3. Werkzeug: the same.
    """
    if not value or len(value) > 80:
        return None
    value = value.strip(" \t")
    found = _day_first(value) or _month_first(value)
    if found is None:
        return None
    try:
        zone = _zone(found["zone"])
        if zone is None:
            return None
        return datetime(
            _full_year(found["year"]),
            _MONTH_NUMBERS[found["month"].lower()],
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(int(found["second"] or 0), 59)
            if found["second"] == "60"
            else int(found["second"] or 0),
            tzinfo=zone,
        )
    except (KeyError, ValueError, OverflowError):
        return None


def parse_age(value: str | None = None) -> timedelta | None:
    """Read a count of seconds, as ``Age`` has it; ``None`` if it is not one, or negative.

    :source: RFC 9111, section 5.1. Werkzeug: the same.
    """
    if not value:
        return None
    value = value.strip(" \t")
    if not (value.isascii() and value.isdigit()) or len(value) > 20:
        return None
    try:
        return timedelta(seconds=int(value))
    except OverflowError:
        return None


def dump_age(age: timedelta | int | None = None) -> str | None:
    """Write a duration as a count of seconds; ``None`` stays ``None``.

    :raises ValueError: if it is negative.
    """
    if age is None:
        return None
    seconds = int(age.total_seconds()) if isinstance(age, timedelta) else int(age)
    if seconds < 0:
        raise ValueError(f"An age of {seconds} seconds is negative; give zero or more.")
    return str(seconds)
