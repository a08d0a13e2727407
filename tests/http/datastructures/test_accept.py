"""What a client accepts."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from kolben.http.datastructures import Accept, CharsetAccept, LanguageAccept, MIMEAccept
from kolben.http.headers import parse_accept_header


def test_pairs_are_sorted_and_cannot_be_changed() -> None:
    accept: Any = Accept([("a", 0.5), ("*", 1), ("b", 1), ("c", 1)])
    assert list(accept) == [("b", 1), ("c", 1), ("a", 0.5), ("*", 1)]
    assert list(accept.values()) == ["b", "c", "a", "*"]
    assert accept.to_header() == str(accept) == "b,c,a;q=0.5,*"
    assert repr(accept) == "Accept([('b', 1), ('c', 1), ('a', 0.5), ('*', 1)])"
    with pytest.raises(TypeError):
        accept.append(("d", 1))
    assert hash(accept) == hash(Accept(list(accept)))


def test_items_are_found_by_value_and_by_index() -> None:
    accept = Accept([("a", 0.5), ("b", 1)])
    assert (accept["A"], accept["x"], accept[0], accept[:1]) == (0.5, 0, ("b", 1), [("b", 1)])
    assert (accept.quality("b"), accept.index("A"), accept.find("x")) == (1, 1, -1)
    assert accept.index(("a", 0.5)) == 1
    assert accept.find(("z", 1)) == -1
    with pytest.raises(ValueError, match="x"):
        accept.index("x")
    assert "a" in accept
    assert 5 not in accept
    assert (accept.best, Accept().best) == ("b", None)


def test_copies_keep_whether_there_was_a_header() -> None:
    for accept in (Accept(None), Accept([("a", 1)])):
        for copied in (Accept(accept), pickle.loads(pickle.dumps(accept))):
            assert copied == accept
            assert copied.provided == accept.provided


@pytest.mark.parametrize(
    ("header", "offers", "best"),
    [
        ("text/html,application/json;q=0.9", ["application/json", "text/html"], "text/html"),
        ("*/*", ["application/json", "text/html"], "application/json"),
        ("text/*;q=0.5,*/*;q=0.1", ["image/png", "text/css"], "text/css"),
        ("text/*,text/html;q=0.1", ["text/html", "text/css"], "text/css"),
        ("text/html,*/*", ["image/png", "text/html"], "text/html"),
        ("text/html;q=0", ["text/html"], None),
        ("text/html;q=0,*/*", ["text/html", "text/css"], "text/css"),
        ("text/html;level=1", ["text/html;level=1", "text/html"], "text/html;level=1"),
        ("text/html; level=1", ["text/html"], None),
        ("TEXT/HTML", ["text/html"], "text/html"),
        ("*/html", ["text/html"], None),
        ("*", ["text/html"], None),
        ("garbage", ["text/html"], None),
        ("application/json", ["*/*"], "*/*"),
        ("application/json", ["application/*", "text/*"], "application/*"),
        ("", ["text/html"], None),
    ],
)
def test_the_best_media_type(header: str, offers: list[str], best: str | None) -> None:
    accept = parse_accept_header(header, MIMEAccept)
    assert accept.best_match(offers) == best
    assert accept.best_match(offers, "x/y") == (best or "x/y")
    assert accept.best_match(iter(offers)) == best


@pytest.mark.parametrize("value", ["html", "*/html"])
def test_an_offer_that_is_no_media_type_is_the_programmers_mistake(value: str) -> None:
    with pytest.raises(ValueError, match="not a media type"):
        MIMEAccept([("text/html", 1)]).best_match([value])


@pytest.mark.parametrize(
    ("header", "html", "xhtml", "json"),
    [
        ("text/html", True, False, False),
        ("application/xhtml+xml", True, True, False),
        ("application/json", False, False, True),
        ("application/json;q=0", False, False, False),
        ("*/*", True, True, True),
    ],
)
def test_shorthands(header: str, html: bool, xhtml: bool, json: bool) -> None:
    accept = parse_accept_header(header, MIMEAccept)
    assert (accept.accept_html, accept.accept_xhtml, accept.accept_json) == (html, xhtml, json)


@pytest.mark.parametrize(
    ("header", "offers", "best"),
    [
        ("de-AT,de;q=0.8,en;q=0.5", ["de", "en"], "de"),
        ("en-US", ["en_us", "en"], "en_us"),
        ("en-US", ["de", "en"], "en"),
        ("en", ["de", "en-US"], "en-US"),
        ("en-GB", ["en-US"], None),
        ("en_GB;q=0.5,de-AT", ["en", "de"], "de"),
        ("e", ["en-US"], None),
        ("*", ["fr", "de"], "fr"),
        ("en;q=0", ["en", "de"], None),
    ],
)
def test_the_best_language(header: str, offers: list[str], best: str | None) -> None:
    accept = parse_accept_header(header, LanguageAccept)
    assert accept.best_match(offers) == best
    assert accept.best_match(iter(offers), "x") == (best or "x")


def test_charsets_have_many_names() -> None:
    accept = CharsetAccept([("ISO-8859-1", 1), ("utf-8", 0.7), ("x-unknown", 0.1)])
    assert "latin1" in accept
    assert accept["UTF8"] == 0.7
    assert accept["X-Unknown"] == 0.1
    assert "utf-7" not in accept
    assert accept.best_match(["utf_8", "koi8-r"]) == "utf_8"
    assert CharsetAccept([("*", 1)]).best_match(["koi8-r"]) == "koi8-r"
