from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import flask.json.tag
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from kolben.json.tag import JSONTag, PassDict, TaggedJSONSerializer, TagTuple

OURS = TaggedJSONSerializer()
THEIRS = flask.json.tag.TaggedJSONSerializer()

KEYS = st.text() | st.sampled_from([" t", " b", " m", " u", " d", " di", " t__", "a b", '" '])

tagged_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary()
    | st.text().map(Markup)
    | st.uuids()
    | st.datetimes(
        min_value=datetime(1900, 1, 1),
        timezones=st.just(UTC) | st.just(timezone(timedelta(hours=5))),
    ).map(lambda moment: moment.replace(microsecond=0)),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=15,
)


def same(a: Any, b: Any) -> bool:
    """Equal in value and in type, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@given(tagged_values)
def test_what_is_written_is_what_flask_writes(value: Any) -> None:
    assert OURS.dumps(value) == THEIRS.dumps(value)


@given(tagged_values)
def test_values_come_back_with_their_types(value: Any) -> None:
    assert same(OURS.loads(OURS.dumps(value)), value)


@given(tagged_values)
def test_values_move_both_ways_between_flask_and_kolben(value: Any) -> None:
    assert same(OURS.loads(THEIRS.dumps(value)), value)
    assert same(THEIRS.loads(OURS.dumps(value)), value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1, 2), '{" t":[1,2]}'),
        (b"\xff", '{" b":"/w=="}'),
        (Markup("<b>"), '{" m":"<b>"}'),
        (UUID(int=1), '{" u":"00000000000000000000000000000001"}'),
        (datetime(1994, 11, 6, 8, 49, 37), '{" d":"Sun, 06 Nov 1994 08:49:37 GMT"}'),
        ({" t": 1}, '{" di":{" t__":1}}'),
        ({" t": 1, "a": 2}, '{" t":1,"a":2}'),
        ([(), {}], '[{" t":[]},{}]'),
    ],
)
def test_the_format_on_the_wire(value: Any, text: str) -> None:
    assert OURS.dumps(value) == text
    assert THEIRS.dumps(value) == text


def test_a_naive_datetime_comes_back_in_utc() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, 678)
    assert OURS.loads(OURS.dumps(moment)) == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_text_that_is_not_compact_is_read_too() -> None:
    assert OURS.loads('{ "a" : { " t" : [ 1 ] } }') == {"a": (1,)}
    assert OURS.loads('{"\\u0020t": [1]}') == (1,)


def test_a_subclass_of_str_with_markup_is_tagged() -> None:
    class Html(str):
        def __html__(self) -> str:
            return "<i>"

    assert OURS.dumps(Html("x")) == '{" m":"<i>"}'


class TagDecimal(JSONTag):
    __slots__ = ()
    key = "dec"

    def check(self, value: Any) -> bool:
        return isinstance(value, Decimal)

    def to_json(self, value: Any) -> Any:
        return str(value)

    def to_python(self, value: Any) -> Any:
        return Decimal(value)


def test_a_tag_of_ones_own() -> None:
    serializer = TaggedJSONSerializer()
    serializer.register(TagDecimal)
    value = {"price": (Decimal("1.10"), uuid4())}
    assert serializer.loads(serializer.dumps(value)) == value
    assert serializer.dumps(Decimal(1)) == '{"dec":"1"}'


def test_a_tag_may_be_for_plain_types() -> None:
    class TagText(TagDecimal):
        key = " s"

        def check(self, value: Any) -> bool:
            return isinstance(value, str)

        def to_python(self, value: Any) -> Any:
            return value.upper()

    serializer = TaggedJSONSerializer()
    serializer.register(TagText, index=0)
    assert serializer.dumps("a") == '{" s":"a"}'
    assert serializer.loads('{" s":"a"}') == "A"


def test_index_puts_a_special_case_first() -> None:
    class TagOrderedDict(JSONTag):
        __slots__ = ()
        key = " od"

        def check(self, value: Any) -> bool:
            return isinstance(value, OrderedDict)

        def to_json(self, value: Any) -> Any:
            return [[k, self.serializer.tag(v)] for k, v in value.items()]

        def to_python(self, value: Any) -> Any:
            return OrderedDict(value)

    late, early = TaggedJSONSerializer(), TaggedJSONSerializer()
    late.register(TagOrderedDict)
    early.register(TagOrderedDict, index=0)
    value = OrderedDict([("b", (1,)), ("a", 2)])
    assert type(late.loads(late.dumps(value))) is dict
    assert isinstance(early.loads(early.dumps(value)), OrderedDict)
    assert early.loads(early.dumps(value)) == value


def test_a_key_is_registered_once_unless_forced() -> None:
    class Other(TagTuple):
        pass

    serializer = TaggedJSONSerializer()
    with pytest.raises(KeyError, match="registered already"):
        serializer.register(Other)
    serializer.register(Other, force=True, index=-1)
    assert isinstance(serializer.tags[" t"], Other)
    assert serializer.loads('{" t":[1]}') == (1,)


def test_own_default_tags() -> None:
    class Few(TaggedJSONSerializer):
        default_tags = [PassDict, TagDecimal]

    assert list(Few().tags) == ["dec"]
    assert Few().dumps({"a": Decimal(1)}) == '{"a":{"dec":"1"}}'


def test_the_base_class_says_what_is_missing() -> None:
    class Nothing(JSONTag):
        pass

    tag = Nothing(OURS)
    for method in (tag.check, tag.to_json, tag.to_python):
        with pytest.raises(NotImplementedError, match="Nothing must implement"):
            method(1)


@pytest.mark.parametrize("text", ['{" u":"x"}', '{" b":"/"}', "[", '{" t":1}'])
def test_a_broken_value_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        OURS.loads(text)
