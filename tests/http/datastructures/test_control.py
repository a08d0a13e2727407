"""Cache control and content security policy."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from kolben.http.datastructures import (
    CacheControl,
    ContentSecurityPolicy,
    RequestCacheControl,
    ResponseCacheControl,
    cache_control_property,
)


def test_typed_attributes_read_and_write_directives() -> None:
    cache = ResponseCacheControl()
    cache.max_age = 60
    cache.s_maxage = "5"  # type: ignore[assignment]
    cache.public = True
    cache.no_cache = True
    cache.private = "x-header"
    assert str(cache) == "max-age=60, s-maxage=5, public, no-cache, private=x-header"
    assert (cache.max_age, cache.s_maxage, cache.public) == (60, 5, True)
    assert (cache.no_cache, cache.private, cache.must_revalidate) == (True, "x-header", False)
    cache.max_age = None
    cache.s_maxage = False
    cache.public = False
    cache.private = None
    del cache.no_cache
    del cache.no_cache
    assert dict(cache) == {}
    assert cache.max_age is None
    with pytest.raises(ValueError, match="soon"):
        cache.max_age = "soon"  # type: ignore[assignment]


def test_a_value_that_is_no_number_is_none() -> None:
    cache = ResponseCacheControl({"max-age": "soon", "s-maxage": None, "stale-if-error": "9"})
    assert (cache.max_age, cache.s_maxage, cache.stale_if_error) == (None, None, 9)


def test_a_requests_directives_cannot_be_changed() -> None:
    cache: Any = RequestCacheControl({"max-stale": None, "min-fresh": "5", "only-if-cached": None})
    assert (cache.max_stale, cache.min_fresh, cache.only_if_cached, cache.no_cache) == (
        True,
        5,
        True,
        False,
    )
    for change in (
        lambda: setattr(cache, "no_store", True),
        lambda: cache.pop("min-fresh"),
        lambda: cache.update(a="b"),
        lambda: cache.__setitem__("a", "b"),
    ):
        with pytest.raises(TypeError, match="immutable"):
            change()
    assert pickle.loads(pickle.dumps(cache)) == copy.copy(cache) == cache


@pytest.mark.parametrize("cls", [RequestCacheControl, ResponseCacheControl, ContentSecurityPolicy])
@pytest.mark.parametrize("values", [{"a": "b"}, None])
def test_a_copy_tells_nobody_of_its_changes(cls: Any, values: Any) -> None:
    seen: list[Any] = []
    original = cls(values, seen.append)
    for copied in (copy.deepcopy(original), pickle.loads(pickle.dumps(cls(values)))):
        assert type(copied) is cls
        assert copied == original
        assert copied.provided == original.provided
        assert copied.on_update is None
    assert seen == []


def test_whether_there_was_a_header_is_known() -> None:
    for cls in (RequestCacheControl, ResponseCacheControl, ContentSecurityPolicy):
        assert cls(()).provided
        assert not cls(None).provided


def test_a_subclass_adds_its_own_directive() -> None:
    class Extended(ResponseCacheControl):
        hits: int | None = cache_control_property("x-hits", None, int)
        flag: bool = CacheControl.cache_property("x-flag", None, bool, doc="Mine.")

    cache = Extended()
    cache.hits = 5
    cache.flag = 1  # type: ignore[assignment]
    assert cache.to_header() == "x-hits=5, x-flag"
    assert (cache.hits, cache.flag) == (5, True)
    assert repr(cache) == "<Extended x-flag=None x-hits='5'>"


def test_policies_are_written_as_set() -> None:
    seen: list[str] = []
    policy = ContentSecurityPolicy(
        {"default-src": "'self'"}, lambda csp: seen.append(csp.to_header())
    )
    policy.script_src = "'nonce-x'"
    policy["upgrade-insecure-requests"] = ""
    del policy.default_src
    policy.font_src = None
    assert seen[-1] == "script-src 'nonce-x'; upgrade-insecure-requests"
    assert (policy.script_src, policy.img_src) == ("'nonce-x'", None)
    assert repr(policy).startswith("<ContentSecurityPolicy script-src=")
    assert str(ContentSecurityPolicy()) == ""
