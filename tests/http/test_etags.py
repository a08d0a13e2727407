"""Entity tags, and the conditions of a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.datastructures import ETags
from kolben.http.dates import http_date
from kolben.http.etags import (
    evaluate_conditions,
    generate_etag,
    is_resource_modified,
    parse_etags,
    quote_etag,
    unquote_etag,
)

LARGE = 1 << 18
NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
BEFORE, AFTER = http_date(NOW - timedelta(hours=1)), http_date(NOW + timedelta(hours=1))

tag = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'))


@given(tag, st.booleans())
def test_a_tag_survives_quoting(etag: str, weak: bool) -> None:
    if etag:
        assert unquote_etag(quote_etag(etag, weak)) == (etag, weak)


@given(st.lists(tag, max_size=40), st.lists(tag, max_size=40))
def test_tags_survive_writing_and_reading(strong: list[str], weak: list[str]) -> None:
    parsed = parse_etags(ETags(strong, weak).to_header())
    assert parsed.as_set() == set(strong)
    assert parsed.as_set(include_weak=True) == {*strong, *weak}


@given(st.text())
def test_nothing_raises(value: str) -> None:
    parse_etags(value)
    unquote_etag(value)
    is_resource_modified(http_if_none_match=value, http_if_match=value, etag="a")


def test_a_tag_with_a_quote_is_refused() -> None:
    with pytest.raises(ValueError, match="double quote"):
        quote_etag('a"b')


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, (None, None)),
        ("", (None, None)),
        ('"a"', ("a", False)),
        ('W/"a"', ("a", True)),
        ('w/"a"', ("a", True)),
        ("a", ("a", False)),
        ('""', ("", False)),
    ],
)
def test_one_tag_is_unquoted(value: str | None, result: tuple[str | None, bool | None]) -> None:
    assert unquote_etag(value) == result  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "strong", "weak"),
    [
        ('"a"', {"a"}, set()),
        ('"a", W/"b" ,"c"', {"a", "c"}, {"b"}),
        ('"a,b"', {"a,b"}, set()),
        ("a, W/b", {"a"}, {"b"}),
        ('"a" x, "b"', {"b"}, set()),
        ('"a, b', {"b"}, set()),
        (',,"a",', {"a"}, set()),
        ('""', {""}, set()),
        (None, set(), set()),
    ],
)
def test_tags_are_read_and_broken_ones_left_out(
    value: str | None, strong: set[str], weak: set[str]
) -> None:
    tags = parse_etags(value)
    assert tags.as_set() == strong
    assert tags.as_set(include_weak=True) == strong | weak
    assert all(tags.is_weak(each) for each in weak)


@pytest.mark.parametrize("value", ["*", " * "])
def test_a_star_contains_every_tag(value: str) -> None:
    assert "anything" in parse_etags(value)


@pytest.mark.parametrize(
    "hostile",
    [
        '"' * LARGE,
        "," * LARGE,
        '"a,' * LARGE,
        "a" * LARGE + '"',
        " " * LARGE + "a b",
    ],
    ids=range(5),
)
def test_a_lot_of_hostile_input_is_read_once(hostile: str) -> None:
    assert len(parse_etags(hostile).as_set(include_weak=True)) <= 100


def test_tags_of_equal_content_are_equal() -> None:
    assert generate_etag(b"a") == generate_etag(b"a") != generate_etag(b"b")


@pytest.mark.parametrize(
    ("arguments", "modified"),
    [
        ({}, True),
        ({"etag": "a"}, True),
        ({"etag": "a", "http_if_none_match": '"a"'}, False),
        ({"etag": '"a"', "http_if_none_match": 'W/"a"'}, False),
        ({"etag": 'W/"a"', "http_if_none_match": '"a"'}, False),
        ({"etag": "a", "http_if_none_match": '"b"'}, True),
        ({"etag": "a", "http_if_none_match": "*"}, False),
        ({"etag": "a", "http_if_match": '"a"'}, True),
        ({"etag": "a", "http_if_match": '"b"'}, False),
        ({"etag": "a", "http_if_match": "*"}, True),
        ({"etag": 'W/"a"', "http_if_match": '"a"'}, False),
        ({"last_modified": NOW, "http_if_modified_since": BEFORE}, True),
        ({"last_modified": NOW, "http_if_modified_since": AFTER}, False),
        ({"last_modified": http_date(NOW), "http_if_modified_since": AFTER}, False),
        ({"last_modified": NOW, "http_if_modified_since": http_date(NOW)}, False),
        ({"last_modified": NOW, "http_if_modified_since": "rubbish"}, True),
        (
            {
                "last_modified": NOW,
                "http_if_modified_since": AFTER,
                "etag": "a",
                "http_if_none_match": '"b"',
            },
            True,
        ),
    ],
)
def test_what_a_client_has_is_not_sent_again(arguments: dict[str, str], modified: bool) -> None:
    assert is_resource_modified(**arguments) is modified  # type: ignore[arg-type]


def test_the_tag_can_be_made_of_the_content() -> None:
    known = quote_etag(generate_etag(b"content"))
    assert not is_resource_modified(data=b"content", http_if_none_match=known)
    with pytest.raises(TypeError, match="not both"):
        is_resource_modified(data=b"content", etag="a")


def test_parts_of_a_second_do_not_count() -> None:
    moment = NOW.replace(microsecond=999_999, tzinfo=None)
    assert not is_resource_modified(last_modified=moment, http_if_modified_since=http_date(NOW))


@pytest.mark.parametrize(
    ("if_range", "etag", "modified"),
    [
        ('"a"', "a", False),
        ('"b"', "a", True),
        ('W/"a"', "a", True),
        ('"a"', 'W/"a"', True),
        (BEFORE, "a", True),
        (AFTER, "a", False),
        ('"a"', None, True),
    ],
)
def test_a_range_is_given_only_of_the_same_content(
    if_range: str, etag: str | None, modified: bool
) -> None:
    arguments = {"http_if_range": if_range, "etag": etag, "last_modified": NOW}
    asked = is_resource_modified(http_range="bytes=0-1", ignore_if_range=False, **arguments)  # type: ignore[arg-type]
    assert asked is modified
    # Without a range, or where someone else looks at it, the condition is not there.
    assert is_resource_modified(ignore_if_range=False, **arguments)  # type: ignore[arg-type]
    assert is_resource_modified(http_range="bytes=0-1", **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "conditions", "status"),
    [
        ("GET", {}, 200),
        ("GET", {"if_none_match": '"v"'}, 304),
        ("HEAD", {"if_none_match": 'W/"v"'}, 304),
        ("GET", {"if_none_match": "*"}, 304),
        ("GET", {"if_none_match": '"old"'}, 200),
        ("PUT", {"if_none_match": "*"}, 412),
        ("PUT", {"if_none_match": '"old"'}, 200),
        ("PUT", {"if_match": '"v"'}, 200),
        ("PUT", {"if_match": '"old"'}, 412),
        ("PUT", {"if_match": 'W/"v"'}, 412),
        ("PUT", {"if_match": "*"}, 200),
        ("GET", {"if_match": '"old"', "if_none_match": '"v"'}, 412),
        ("PUT", {"if_unmodified_since": BEFORE}, 412),
        ("PUT", {"if_unmodified_since": AFTER}, 200),
        ("PUT", {"if_unmodified_since": BEFORE, "if_match": '"v"'}, 200),
        ("PUT", {"if_unmodified_since": "rubbish"}, 200),
        ("GET", {"if_modified_since": AFTER}, 304),
        ("GET", {"if_modified_since": BEFORE}, 200),
        ("GET", {"if_modified_since": AFTER, "if_none_match": '"old"'}, 200),
        ("POST", {"if_modified_since": AFTER}, 200),
        ("GET", {"if_modified_since": "rubbish"}, 200),
    ],
)
def test_conditions_follow_the_steps_of_the_rfc(
    method: str, conditions: dict[str, str], status: int
) -> None:
    assert evaluate_conditions(method, etag='"v"', last_modified=NOW, **conditions) == status


def test_without_a_current_state_no_tag_matches() -> None:
    assert evaluate_conditions("PUT", if_match='"v"') == 412
    assert evaluate_conditions("GET", if_none_match='"v"', if_modified_since=AFTER) == 200
