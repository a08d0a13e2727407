"""A dictionary that says when it changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from kolben.http.datastructures import CallbackDict


@pytest.mark.parametrize(
    ("change", "result"),
    [
        (lambda d: d.__setitem__("b", 2), {"a": 1, "b": 2}),
        (lambda d: d.__delitem__("a"), {}),
        (lambda d: d.update({"b": 2}, c=3), {"a": 1, "b": 2, "c": 3}),
        (lambda d: d.__ior__({"b": 2}), {"a": 1, "b": 2}),
        (lambda d: d.setdefault("b", 2), {"a": 1, "b": 2}),
        (lambda d: d.pop("a"), {}),
        (lambda d: d.popitem(), {}),
        (lambda d: d.clear(), {}),
    ],
)
def test_every_change_is_told_once(change: Callable[[Any], None], result: dict[str, int]) -> None:
    seen: list[dict[str, int]] = []
    data = CallbackDict({"a": 1}, lambda each: seen.append(dict(each)))
    change(data)
    assert seen == [result]


def test_what_changes_nothing_is_not_told() -> None:
    seen: list[Any] = []
    data = CallbackDict({"a": 1}, seen.append)
    assert data.setdefault("a", 2) == 1
    assert data.pop("x", None) is None
    with pytest.raises(KeyError):
        data.pop("x")
    with pytest.raises(KeyError):
        del data["x"]
    assert seen == []


def test_nobody_has_to_listen() -> None:
    data: CallbackDict[str, int] = CallbackDict()
    data["a"] = 1
    assert copy.copy(data) == data
    assert repr(data) == "<CallbackDict {'a': 1}>"
