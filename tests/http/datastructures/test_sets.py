"""Sets of names and of entity tags."""

from __future__ import annotations

from typing import Any

import pytest

from kolben.http.datastructures import ETags, HeaderSet
from kolben.http.etags import generate_etag


def test_names_are_found_in_any_spelling_and_kept_in_the_first() -> None:
    names = HeaderSet(["Cookie", "accept", "COOKIE"])
    assert list(names) == ["Cookie", "accept"]
    assert "cookie" in names
    assert 5 not in names
    assert (names[0], names[-1], len(names)) == ("Cookie", "accept", 2)
    assert (names.find("ACCEPT"), names.index("accept"), names.find("x")) == (1, 1, -1)
    with pytest.raises(IndexError):
        names.index("x")
    assert names.as_set() == {"cookie", "accept"}
    assert names.as_set(preserve_casing=True) == {"Cookie", "accept"}
    assert str(names) == "Cookie, accept"
    assert repr(names) == "HeaderSet(['Cookie', 'accept'])"
    assert HeaderSet(["a b"]).to_header() == '"a b"'
    assert not HeaderSet()
    alone = HeaderSet()
    alone.add("a")
    assert list(alone) == ["a"]


def test_changes_are_told_and_nothing_else() -> None:
    seen: list[str] = []
    names = HeaderSet(["a"], lambda each: seen.append(each.to_header()))
    names.add("B")
    names.add("b")
    names.update(["c", "A", "d"])
    names.remove("C")
    names.discard("zzz")
    names.discard("D")
    names[0] = "x"
    del names[1]
    names.clear()
    assert seen == ["a, B", "a, B, c, d", "a, B, d", "a, B", "x, B", "x", ""]
    with pytest.raises(KeyError):
        names.remove("a")


def test_it_is_a_set_to_the_operators() -> None:
    assert set(HeaderSet(["a", "b"]) | {"c"}) == {"a", "b", "c"}
    assert HeaderSet(["a", "b"]) & {"a"} == {"a"}


def test_strong_and_weak_tags() -> None:
    tags = ETags(["a", "b"], ["w"])
    assert tags.contains("a")
    assert "w" not in tags
    assert tags.contains_weak("w")
    assert tags.contains_weak("a")
    assert tags.is_weak("w")
    assert not tags.is_strong("w")
    assert tags.contains_raw('"a"')
    assert tags.contains_raw('W/"w"')
    assert not tags.contains_raw('"w"')
    assert not tags.contains_raw("")
    assert list(tags) == ["a", "b"]
    assert len(tags) == 2
    assert tags.as_set() == {"a", "b"}
    assert tags.as_set(include_weak=True) == {"a", "b", "w"}
    assert str(tags) == '"a", "b", W/"w"'
    assert repr(tags) == """<ETags '"a", "b", W/"w"'>"""
    assert 5 not in tags


def test_a_star_is_every_tag() -> None:
    star = ETags(["a"], star_tag=True)
    assert star
    assert "x" in star
    assert star.contains_raw("")
    assert star.to_header() == "*"
    assert len(star) == 0


def test_tags_can_be_called_with_a_tag_or_content() -> None:
    tags: Any = ETags([generate_etag(b"x")], ["w"])
    assert tags(data=b"x")
    assert not tags("w")
    assert tags("w", include_weak=True)
    with pytest.raises(TypeError, match="'etag' or 'data'"):
        tags()
    assert not ETags()
