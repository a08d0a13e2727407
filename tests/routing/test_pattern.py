"""Parts of more than one placeholder: the regular expression and the linear match agree."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolben.routing import (
    AnyConverter,
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    UnicodeConverter,
    UUIDConverter,
    pattern,
)

TOKENS = st.sampled_from(
    [
        "-",
        "/",
        ".json",
        "a",
        UnicodeConverter(None),
        UnicodeConverter(None, length=2),
        UnicodeConverter(None, minlength=0, maxlength=2),
        IntegerConverter(None),
        IntegerConverter(None, signed=True),
        FloatConverter(None, signed=True),
        PathConverter(None),
        AnyConverter(None, "a", "ab", "-"),
        UUIDConverter(None),
    ]
)
UUID = "12345678-1234-5678-1234-567812345678"
TEXTS = st.one_of(
    st.text("a-b/1.", max_size=14),
    st.lists(st.sampled_from(["a", "-", "1", "/", ".", ".json", UUID, "\n", "²"])).map("".join),
)


@settings(deadline=None, max_examples=800)
@given(tokens=st.lists(TOKENS, min_size=1, max_size=5), text=TEXTS)
def test_the_linear_match_finds_what_the_regular_expression_finds(
    tokens: list[str | BaseConverter], text: str
) -> None:
    made = pattern.Pattern(tokens)
    steps = pattern._steps(tokens)
    assert steps is not None
    expected = made.compile()(text)
    found = pattern.LinearMatch(steps, text).run(len(made.groups))
    assert found == (None if expected is None else [expected[name] for name in made.groups])


class Counting(pattern._Text):
    calls = 0

    def reach(self, match: pattern.LinearMatch, position: int) -> tuple[int, int] | None:
        Counting.calls += 1
        return super().reach(match, position)


@pytest.mark.parametrize("length", [1_000, 4_000])
def test_the_linear_match_does_a_fixed_number_of_steps_for_each_character(length: int) -> None:
    tokens: list[str | BaseConverter] = []
    for _ in range(4):
        tokens += [UnicodeConverter(None), "-"]
    steps = pattern._steps([*tokens, ".json"])
    assert steps is not None
    counted: list[pattern._Step] = [
        Counting(step.text) if isinstance(step, pattern._Text) else step for step in steps
    ]
    Counting.calls = 0
    assert pattern.LinearMatch(counted, "-" * length).run(4) is None
    assert Counting.calls <= 6 * (length + 1)


def test_long_texts_are_not_left_to_backtracking() -> None:
    made = pattern.Pattern([UnicodeConverter(None), "-", UnicodeConverter(None), ".json"])
    assert made.match("-" * 5_000) is None
    assert made.match("-" * 5_000 + ".json") == ["-" * 4_998, "-"]
    assert made._fullmatch is None, "the regular expression was not even compiled"


def test_one_open_placeholder_is_left_to_the_regular_expression_at_any_length() -> None:
    made = pattern.Pattern(["v", UnicodeConverter(None), ".json"])
    assert made.match("v" + "x" * 50_000 + ".json") == ["x" * 50_000]


def test_a_faulty_regular_expression_shows_when_the_rule_is_compiled() -> None:
    class Faulty(BaseConverter):
        regex = "("

    with pytest.raises(re.error):
        pattern.Pattern(["a", Faulty(None)])


def test_groups_of_a_converters_own_do_not_count_as_values() -> None:
    class Pair(BaseConverter):
        regex = r"(\d)x(?P<own>\d)"

    made = pattern.Pattern([Pair(None), "-", UnicodeConverter(None)])
    assert made.match("1x2-z") == ["1x2", "z"]
