"""Parsers that make objects of header values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.datastructures import (
    CharsetAccept,
    LanguageAccept,
    MIMEAccept,
    ResponseCacheControl,
)
from kolben.http.headers import (
    HTTP_STATUS_CODES,
    dump_csp_header,
    parse_accept_header,
    parse_cache_control_header,
    parse_csp_header,
    parse_set_header,
)

LARGE = 1 << 18


def test_accept_without_a_header_is_not_provided() -> None:
    for value in (None, ""):
        accept = parse_accept_header(value)
        assert list(accept) == []
        assert not accept.provided
    assert parse_accept_header("a").provided


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("en;q=0.5, de", [("de", 1), ("en", 0.5)]),
        ("*, a;q=0.1", [("a", 0.1), ("*", 1)]),
        ("a;q=0", [("a", 0)]),
        ("a; q=1.0", [("a", 1)]),
        ('a;q="0.3"', [("a", 0.3)]),
        ("a;q=2, b;q=-1, c;q=x, d;q=, e;q=.5, f;q=nan", [("d", 1)]),
        ("a;level=1;q=0.2", [("a; level=1", 0.2)]),
        (", ,a,", [("a", 1)]),
        ('a, "b', []),
    ],
)
def test_accept_items_with_an_invalid_quality_are_left_out(
    value: str, pairs: list[tuple[str, float]]
) -> None:
    assert list(parse_accept_header(value)) == pairs


def test_a_browsers_accept_header_is_sorted_by_specificity_then_quality() -> None:
    value = (
        "text/xml,application/xml,application/xhtml+xml,text/html;q=0.9,text/plain;q=0.8,*/*;q=0.5"
    )
    accept = parse_accept_header(value, MIMEAccept)
    assert accept["image/png"] == 0.5
    assert accept["text/html"] == 0.9
    assert accept.best == "text/xml"
    assert accept.best_match(["text/html", "application/xhtml+xml"]) == "application/xhtml+xml"
    assert str(parse_accept_header(str(accept), MIMEAccept)) == str(accept)


@given(
    st.lists(
        st.tuples(
            st.text("abcxyz/-", min_size=1),
            st.integers(0, 1000).map(lambda n: n / 1000),
        ),
        max_size=20,
    )
)
def test_accept_survives_writing_and_reading(pairs: list[tuple[str, float]]) -> None:
    for cls in (MIMEAccept, LanguageAccept, CharsetAccept):
        accept = cls(pairs)
        assert list(parse_accept_header(accept.to_header(), cls)) == list(accept)


@given(st.text())
def test_no_parser_raises_whatever_it_reads(value: str) -> None:
    for cls in (MIMEAccept, LanguageAccept, CharsetAccept):
        parse_accept_header(value, cls).best_match(["text/html", "en", "utf-8"][:0])
    parse_cache_control_header(value)
    parse_csp_header(value)
    parse_set_header(value)


@pytest.mark.parametrize("hostile", [";q=" * LARGE, "a;q=0." + "1" * LARGE, "a/" * LARGE])
def test_a_lot_of_hostile_input_is_read_once(hostile: str) -> None:
    assert len(parse_accept_header(hostile, MIMEAccept)) <= 100
    assert len(parse_cache_control_header(hostile)) <= 100
    assert len(parse_csp_header(hostile.replace("=", " "))) <= 100


def test_cache_control_of_a_request() -> None:
    cache = parse_cache_control_header("Max-Age=60, no-store, max-stale")
    assert (cache.max_age, cache.no_store, cache.max_stale, cache.no_cache) == (
        60,
        True,
        True,
        False,
    )
    with pytest.raises(TypeError):
        cache.max_age = 1


def test_cache_control_of_a_response_reports_changes() -> None:
    seen: list[str] = []

    def update(cache: Any) -> None:
        seen.append(cache.to_header())

    cache = parse_cache_control_header("public", update, ResponseCacheControl)
    cache.max_age = 10
    del cache.public
    assert seen == ["public, max-age=10", "max-age=10"]
    assert parse_cache_control_header(None, update, ResponseCacheControl).to_header() == ""


def test_csp_directives_without_a_value_are_left_out() -> None:
    policy = parse_csp_header("default-src 'self' ; broken;img-src  * data:; ")
    assert dict(policy) == {"default-src": "'self'", "img-src": "* data:"}
    assert dump_csp_header(policy) == "default-src 'self'; img-src * data:"
    assert not parse_csp_header(None)


def test_csp_reports_changes() -> None:
    seen: list[str] = []
    policy = parse_csp_header("img-src *", lambda csp: seen.append(str(csp)))
    policy.script_src = "'none'"
    policy.img_src = None
    assert seen == ["img-src *; script-src 'none'", "script-src 'none'"]


def test_a_set_keeps_order_and_reports_changes() -> None:
    seen: list[str] = []
    vary = parse_set_header('Cookie, "a b"', lambda names: seen.append(names.to_header()))
    vary.add("accept")
    vary.add("COOKIE")
    assert seen == ['Cookie, "a b", accept']
    assert parse_set_header(None).to_header() == ""


def test_status_codes_are_named() -> None:
    assert HTTP_STATUS_CODES[404] == "Not Found"
    assert HTTP_STATUS_CODES[418] == "I'm a teapot"
