"""The language of rules."""

from __future__ import annotations

from typing import Any

import pytest

from kolben.routing import Map, Rule, parse_converter_args


@pytest.mark.parametrize(
    ("text", "args", "kwargs"),
    [
        ("", (), {}),
        ("1, 2.5, -3", (1, 2.5, -3), {}),
        ("a, 'b c', \"d,e\"", ("a", "b c", "d,e"), {}),
        ("True, False, None", (True, False, None), {}),
        ("a=1,b = 'x', c=None ", (), {"a": 1, "b": "x", "c": None}),
        ("a.b, 1x", ("a.b", "1x"), {}),
        ("'1'", ("1",), {}),
        ("u'x', r\"y\"", ("x", "y"), {}),
        ("inf, nan", ("inf", "nan"), {}),
        ("'a)', '='", ("a)", "="), {}),
        ("a,", ("a",), {}),
        ("''", ("",), {}),
    ],
)
def test_arguments_of_converters(text: str, args: Any, kwargs: Any) -> None:
    assert parse_converter_args(text) == (args, kwargs)


@pytest.mark.parametrize("text", ["a b", "a=,", "'a", ", a", "a;b", "[1]", "*"])
def test_other_arguments_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Cannot parse converter argument"):
        parse_converter_args(text)


@pytest.mark.parametrize(
    "rule", ["/<", "/<a", "/<a:>", "/<1a>", "/<a b>", "/<int(:x>", "/<>", "/a<int:>b"]
)
def test_malformed_rules_are_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="malformed url rule"):
        Map([Rule(rule, endpoint="x")])


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two placeholders named 'a'"):
        Map([Rule("/<a>/<int:a>", endpoint="x")])


def test_an_unknown_converter_is_refused() -> None:
    with pytest.raises(LookupError, match="'nope'"):
        Map([Rule("/<nope:a>", endpoint="x")])


def test_a_rule_begins_with_a_slash() -> None:
    with pytest.raises(ValueError, match="must start with a slash"):
        Rule("a")


def test_a_closing_bracket_alone_is_text() -> None:
    assert Map([Rule("/a>b", endpoint="x")]).match("/a>b", "GET")[1] == {}
