"""Dictionaries with several values to a key."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.exceptions import BadRequestKeyError
from kolben.http.datastructures import (
    CombinedMultiDict,
    ImmutableDict,
    ImmutableList,
    ImmutableMultiDict,
    ImmutableTypeConversionDict,
    MultiDict,
    TypeConversionDict,
    iter_multi_items,
)

pairs = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=20)
PAIRS = [("a", 1), ("b", 2), ("a", 3)]


def grouped(items: list[tuple[str, int]]) -> dict[str, list[int]]:
    result: dict[str, list[int]] = {}
    for key, value in items:
        result.setdefault(key, []).append(value)
    return result


@given(pairs)
def test_every_way_in_leads_to_the_same_dictionary(items: list[tuple[str, int]]) -> None:
    lists = grouped(items)
    for source in (items, iter(items), lists, MultiDict(items), ImmutableMultiDict(items)):
        found: MultiDict[str, int] = MultiDict(source)
        assert dict(found.lists()) == lists == found.to_dict(flat=False)
        assert dict(found) == found.to_dict() == {key: each[0] for key, each in lists.items()}
        assert list(found) == list(found.keys()) == list(lists)
        assert list(found.values()) == [each[0] for each in lists.values()]
        assert list(found.listvalues()) == list(lists.values())
        assert sorted(found.items(multi=True)) == sorted(items)
        assert len(found) == len(lists)


@given(pairs, pairs)
def test_update_adds_to_what_is_there(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    joined: MultiDict[str, int] = MultiDict(first + second)
    for other in (second, grouped(second), MultiDict(second)):
        updated = MultiDict(first)
        updated.update(other)
        assert updated == joined
    assert MultiDict(first) | MultiDict(second) == joined
    in_place = MultiDict(first)
    in_place |= second
    assert in_place == joined


def test_the_first_value_is_the_one_shown() -> None:
    data: MultiDict[str, int] = MultiDict(PAIRS)
    assert (data["a"], data.get("a"), data.getlist("a")) == (1, 1, [1, 3])
    assert list(data.items()) == [("a", 1), ("b", 2)]
    assert repr(data) == "MultiDict([('a', 1), ('a', 3), ('b', 2)])"
    assert json.loads(json.dumps(data)) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "make", [MultiDict, ImmutableMultiDict, lambda p: CombinedMultiDict([MultiDict(p)])]
)
def test_a_missing_key_is_a_key_error_and_a_bad_request(
    make: Callable[[Any], MultiDict[str, int]],
) -> None:
    data = make(PAIRS)
    with pytest.raises(KeyError) as caught:
        data["missing"]
    assert isinstance(caught.value, BadRequestKeyError)
    assert caught.value.args == ("missing",)
    assert data.get("missing") is None
    assert data.getlist("missing") == []
    assert "missing" not in data


def test_methods_that_remove_raise_the_same_error() -> None:
    empty: MultiDict[str, int] = MultiDict()
    for remove in (lambda: empty.pop("x"), empty.popitem, empty.popitemlist):
        with pytest.raises(BadRequestKeyError):
            remove()
    assert empty.pop("x", 5) == 5
    assert empty.poplist("x") == []


def test_an_empty_list_is_as_good_as_no_value() -> None:
    data: MultiDict[str, int] = MultiDict({"a": [], "b": 1})
    assert "a" not in data
    data.setlist("a", [])
    with pytest.raises(KeyError):
        data["a"]
    assert data.get("a", 7) == 7
    assert list(data.items()) == [("b", 1)]
    assert list(data.values()) == [1]
    with pytest.raises(KeyError):
        data.pop("a")
    data.setlist("a", [])
    with pytest.raises(KeyError):
        data.popitem()


def test_values_are_set_added_and_taken_out() -> None:
    data: MultiDict[str, int] = MultiDict()
    data["a"] = 1
    data.add("a", 2)
    data.setlist("b", (3, 4))
    assert data.setdefault("a", 9) == 1
    assert data.setdefault("c", 5) == 5
    assert data.setlistdefault("c") == [5]
    data.setlistdefault("d", [6]).append(7)
    assert data.to_dict(flat=False) == {"a": [1, 2], "b": [3, 4], "c": [5], "d": [6, 7]}
    assert data.popitemlist() == ("d", [6, 7])
    assert data.popitem() == ("c", 5)
    assert data.poplist("b") == [3, 4]
    assert data.pop("a") == 1
    assert not data


@pytest.mark.parametrize("make", [TypeConversionDict, MultiDict, ImmutableMultiDict])
def test_a_value_that_cannot_be_converted_is_the_default(make: Any) -> None:
    def refuse(value: Any) -> int:
        raise TypeError

    data = make({"n": "42", "s": "x"})
    assert data.get("n", type=int) == 42
    assert data.get("n", 20, type=int) == 42
    assert data.get("n", 20, int) == 42
    assert data.get("s", type=int) is None
    assert data.get("s", 20, type=int) == 20
    assert data.get("n", 20, type=refuse) == 20
    assert data.get("missing", 20, type=int) == 20
    assert data.get("n") == "42"
    with pytest.raises(ZeroDivisionError):
        data.get("n", type=lambda value: 1 // 0)


def test_a_list_leaves_out_what_cannot_be_converted() -> None:
    data: MultiDict[str, str | None] = MultiDict([("a", "1"), ("a", "x"), ("a", None), ("a", "2")])
    assert data.getlist("a", type=int) == [1, 2]  # type: ignore[arg-type]
    combined = CombinedMultiDict([data, data])
    assert combined.getlist("a", type=int) == [1, 2, 1, 2]  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", [MultiDict, ImmutableMultiDict])
def test_copies_are_independent(cls: Any) -> None:
    inner = [1]
    data = cls([("a", inner), ("a", 2)])
    shallow, deep = data.copy(), copy.deepcopy(data)
    shallow.add("a", 3)
    inner.append(9)
    assert data.getlist("a") == [[1, 9], 2]
    assert shallow.getlist("a") == [[1, 9], 2, 3]
    assert deep.getlist("a") == [[1], 2]
    assert type(shallow) is MultiDict
    assert type(deep) is cls
    assert type(copy.copy(data)) is cls


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "data",
    [
        MultiDict(PAIRS),
        ImmutableMultiDict(PAIRS),
        CombinedMultiDict([MultiDict(PAIRS), MultiDict({"c": 1})]),
        TypeConversionDict(a=1),
        ImmutableTypeConversionDict(a=1),
        ImmutableDict(a=1),
        ImmutableList([1, 2]),
    ],
    ids=lambda data: type(data).__name__,
)
def test_everything_can_be_pickled(data: Any, protocol: int) -> None:
    loaded = pickle.loads(pickle.dumps(data, protocol))
    assert type(loaded) is type(data)
    assert loaded == data
    if isinstance(data, MultiDict):
        assert list(loaded.lists()) == list(data.lists())


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.__setitem__("a", 1),
        lambda d: d.__delitem__("a"),
        lambda d: d.update({"a": 1}),
        lambda d: d.setdefault("a", 1),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
        lambda d: d.__ior__({"a": 1}),
    ],
)
@pytest.mark.parametrize(
    "make",
    [
        ImmutableDict,
        ImmutableTypeConversionDict,
        ImmutableMultiDict,
        lambda d: CombinedMultiDict([MultiDict(d)]),
    ],
)
def test_what_is_immutable_stays_as_it_is(make: Any, change: Callable[[Any], None]) -> None:
    data = make({"a": 1})
    with pytest.raises(TypeError, match="objects are immutable"):
        change(data)
    assert data == make({"a": 1})


@pytest.mark.parametrize("method", ["add", "setlist", "setlistdefault", "poplist", "popitemlist"])
def test_an_immutable_multidict_has_no_way_in(method: str) -> None:
    with pytest.raises(TypeError, match="immutable"):
        getattr(ImmutableMultiDict(PAIRS), method)("a", [1])


def test_immutable_things_can_be_hashed_and_copied_to_mutable_ones() -> None:
    assert hash(ImmutableMultiDict(PAIRS)) == hash(ImmutableMultiDict(PAIRS))
    assert hash(ImmutableDict(a=1)) == hash(ImmutableDict(a=1))
    assert hash(ImmutableList([1])) == hash(ImmutableList([1]))
    assert hash(CombinedMultiDict([MultiDict(PAIRS)])) == hash(
        CombinedMultiDict([MultiDict(PAIRS)])
    )
    frozen = ImmutableDict(a=1)
    assert copy.copy(frozen) is frozen
    assert type(frozen.copy()) is dict
    assert type(ImmutableTypeConversionDict(a=1).copy()) is TypeConversionDict
    assert repr(frozen) == "ImmutableDict({'a': 1})"
    assert ImmutableDict.fromkeys("ab", 1) == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.append(1),
        lambda x: x.clear(),
        lambda x: x.sort(),
        lambda x: x.__setitem__(0, 1),
        lambda x: x.__iadd__([1]),
        lambda x: x.pop(),
    ],
)
def test_an_immutable_list_refuses_changes(change: Callable[[Any], None]) -> None:
    items = ImmutableList([3, 2])
    with pytest.raises(TypeError, match="'ImmutableList' objects are immutable"):
        change(items)
    assert repr(items) == "ImmutableList([3, 2])"


def test_combined_dictionaries_are_seen_as_one() -> None:
    first: MultiDict[str, str] = MultiDict([("a", "x"), ("a", "2"), ("b", "3")])
    second: MultiDict[str, str] = MultiDict([("c", "4"), ("a", "5")])
    both = CombinedMultiDict([first, second])
    assert (both["a"], both["c"]) == ("x", "4")
    assert both.getlist("a") == ["x", "2", "5"]
    assert list(both) == list(both.keys()) == ["a", "b", "c"]
    assert list(both.items()) == [("a", "x"), ("b", "3"), ("c", "4")]
    assert list(both.items(multi=True)) == [
        ("a", "x"),
        ("a", "2"),
        ("b", "3"),
        ("c", "4"),
        ("a", "5"),
    ]
    assert list(both.values()) == ["x", "3", "4"]
    assert dict(both.lists()) == {"a": ["x", "2", "5"], "b": ["3"], "c": ["4"]}
    assert list(both.listvalues()) == [["x", "2", "5"], ["3"], ["4"]]
    assert len(both) == 3
    assert both
    assert not CombinedMultiDict()
    assert dict(both) == {"a": "x", "b": "3", "c": "4"}
    assert both.to_dict() == {"a": "x", "b": "3", "c": "4"}
    # The first that can be converted, not the first that is there.
    assert both.get("a", type=int) == 5
    assert both.get("z", "no") == "no"
    assert both.get("c") == "4"
    second.add("d", "6")
    assert both["d"] == "6"
    assert both.copy() == MultiDict([*first.items(multi=True), *second.items(multi=True)])
    assert (both | {"e": "7"})["e"] == "7"
    assert repr(both) == f"CombinedMultiDict([{first!r}, {second!r}])"


def test_combined_dictionaries_are_compared_by_what_they_show() -> None:
    both = CombinedMultiDict([MultiDict({"a": 1}), MultiDict({"a": 2})])
    assert both == MultiDict([("a", 1), ("a", 2)])
    assert both != CombinedMultiDict([MultiDict({"a": 1})])
    assert both != {"a": 1}


def test_a_combination_cannot_be_made_from_keys() -> None:
    with pytest.raises(TypeError, match="fromkeys"):
        CombinedMultiDict.fromkeys("ab")


def test_copies_of_a_combination() -> None:
    data: MultiDict[str, list[int]] = MultiDict([("a", [1])])
    both = CombinedMultiDict([data])
    deep = copy.deepcopy(both)
    data["a"].append(2)
    assert copy.copy(both)["a"] == [1, 2]
    assert deep["a"] == [1]


def test_operators_leave_foreign_things_to_others() -> None:
    data: MultiDict[str, int] = MultiDict(PAIRS)
    with pytest.raises(TypeError):
        data | 5  # type: ignore[operator]
    with pytest.raises(TypeError):
        data |= 5  # type: ignore[arg-type]


def test_multidicts_of_other_libraries_keep_all_their_values() -> None:
    class Foreign(dict[str, str]):
        def lists(self) -> list[tuple[str, list[str]]]:
            return [("a", ["1", "2"])]

    foreign = Foreign(a="1")
    assert MultiDict(foreign).getlist("a") == ["1", "2"]
    assert list(iter_multi_items(foreign)) == [("a", "1"), ("a", "2")]


def test_a_subclass_may_name_its_own_error() -> None:
    class Missing(KeyError):
        pass

    class Strict(MultiDict[str, str]):
        key_error = Missing

    with pytest.raises(Missing):
        Strict()["a"]
