"""Matching the text of a part that is more than one plain placeholder.

The meaning is that of the regular expression made of the tokens: ``string`` and the numbers take as
much as they can, ``path`` as little, from left to right. Python's ``re`` finds it fastest, but two
placeholders of open length make it try on the order of n² splits, three n³, and a client chooses n.
So :class:`Pattern` gives ``re`` only what is short, and leaves the rest to :class:`LinearMatch`,
which finds the same in time linear in the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from .converters import (
    AnyConverter,
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    UnicodeConverter,
    UUIDConverter,
)

_LENGTHS = re.compile(r"\[\^/\]\{(\d+)(,?)(\d*)\}")
_UUID = re.compile(UUIDConverter.regex)

#: How many steps of backtracking ``re`` may need at most, roughly half a millisecond.
MAX_STEPS = 50_000


class Pattern:
    """The tokens of one part, ready to match.

    :param tokens: Literal texts and converters.
    """

    __slots__ = ("_fullmatch", "_longest", "_steps", "groups", "tokens")

    def __init__(self, tokens: Sequence[str | BaseConverter]) -> None:
        self.tokens = tokens
        self.groups = [
            f"_kolben_{number}"
            for number in range(sum(not isinstance(token, str) for token in tokens))
        ]
        self._fullmatch: Callable[[str], re.Match[str] | None] | None = None
        self._steps = _steps(tokens)
        self._longest = math.inf
        if self._steps is None:
            self.compile()  # a faulty regular expression shows at start, not at a request
        else:
            open_ended = sum(step.open_ended for step in self._steps)
            if open_ended > 1:
                self._longest = (MAX_STEPS * math.factorial(open_ended)) ** (1 / open_ended)

    def compile(self) -> Callable[[str], re.Match[str] | None]:
        """Make the regular expression; where all converters are ours, at the first match."""
        numbers = iter(self.groups)
        regex = "".join(
            re.escape(token) if isinstance(token, str) else f"(?P<{next(numbers)}>{token.regex})"
            for token in self.tokens
        )
        self._fullmatch = fullmatch = re.compile(regex).fullmatch
        return fullmatch

    def match(self, text: str) -> Sequence[str] | None:
        """The texts of the placeholders, or ``None``."""
        if len(text) > self._longest and self._steps is not None:
            return LinearMatch(self._steps, text).run(len(self.groups))
        found = (self._fullmatch or self.compile())(text)
        return None if found is None else [found[group] for group in self.groups]


class _Step:
    """One piece of a pattern in :class:`LinearMatch`.

    ``reach(match, position)`` gives the least and the greatest end of the piece when it begins
    at ``position``, or ``None``; every end between them is possible. ``slot`` is the number of
    the placeholder it belongs to.
    """

    lazy = False
    open_ended = False
    slot: int | None = None

    def reach(self, match: LinearMatch, position: int) -> tuple[int, int] | None:
        raise AssertionError

    def ends(self, match: LinearMatch, position: int) -> Sequence[tuple[int, int]]:
        reach = self.reach(match, position)
        return () if reach is None else (reach,)


class _Text(_Step):
    def __init__(self, text: str) -> None:
        self.text = text

    def reach(self, match: LinearMatch, position: int) -> tuple[int, int] | None:
        if not match.text.startswith(self.text, position):
            return None
        end = position + len(self.text)
        return end, end


class _Characters(_Step):
    open_ended = True

    def __init__(self, least: int, most: float) -> None:
        self.least = least
        self.most = most

    def reach(self, match: LinearMatch, position: int) -> tuple[int, int] | None:
        least = position + self.least
        most = int(min(position + self.most, match.slash[position]))
        return None if least > most else (least, most)


class _Path(_Step):
    open_ended = True
    lazy = True

    def reach(self, match: LinearMatch, position: int) -> tuple[int, int] | None:
        if match.slash[position] == position or position == match.length:
            return None
        return position + 1, match.length


class _Digits(_Step):
    open_ended = True

    def __init__(self, signed: bool) -> None:
        self.signed = signed

    def reach(self, match: LinearMatch, position: int) -> tuple[int, int] | None:
        start = position + (self.signed and match.text.startswith("-", position))
        end = match.digits[start]
        return None if end <= start else (start + 1, end)


class _UUIDText(_Step):
    def reach(self, match: LinearMatch, position: int) -> tuple[int, int] | None:
        found = _UUID.match(match.text, position)
        return None if found is None else (found.end(), found.end())


class _Words(_Step):
    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    def ends(self, match: LinearMatch, position: int) -> Sequence[tuple[int, int]]:
        return [
            (position + len(word), position + len(word))
            for word in self.words
            if match.text.startswith(word, position)
        ]


def _steps(tokens: Sequence[str | BaseConverter]) -> list[_Step] | None:
    """The pieces for :class:`LinearMatch`; ``None`` where a converter is not one of ours."""
    steps: list[_Step] = []
    slot = 0
    for token in tokens:
        if isinstance(token, str):
            steps.append(_Text(token))
            continue
        made = _converter_steps(token)
        if made is None:
            return None
        for step in made:
            step.slot = slot
        steps += made
        slot += 1
    return steps


def _converter_steps(converter: BaseConverter) -> list[_Step] | None:
    kind: type[Any] = type(converter)
    if kind is UnicodeConverter:
        lengths = _LENGTHS.fullmatch(converter.regex)
        assert lengths is not None
        least = int(lengths[1])
        open_most = math.inf if lengths[2] else least
        return [_Characters(least, int(lengths[3]) if lengths[3] else open_most)]
    if kind is PathConverter:
        return [_Path()]
    if isinstance(converter, IntegerConverter) and kind is IntegerConverter:
        return [_Digits(converter.signed)]
    if isinstance(converter, FloatConverter) and kind is FloatConverter:
        return [_Digits(converter.signed), _Text("."), _Digits(signed=False)]
    if kind is UUIDConverter:
        return [_UUIDText()]
    if isinstance(converter, AnyConverter) and kind is AnyConverter:
        return [_Words(converter.words)]
    return None


class LinearMatch:
    """One match in time linear in the text, whatever the text is.

    From the last step to the first it notes at which positions the rest of the pattern can
    match the rest of the text; then it walks forward once, and each step takes the end it likes
    best among those that are known to lead to the end.

    :param steps: The pieces of the pattern.
    :param text: The text to match as a whole.
    """

    def __init__(self, steps: Sequence[_Step], text: str) -> None:
        self.steps = steps
        self.text = text
        self.length = length = len(text)
        # For each position: where the next slash is, and where a run of digits ends.
        self.slash = [length] * (length + 1)
        self.digits = list(range(length + 1))
        for position in range(length - 1, -1, -1):
            self.slash[position] = position if text[position] == "/" else self.slash[position + 1]
            if text[position].isdecimal():
                self.digits[position] = self.digits[position + 1]

    def run(self, slots: int) -> Sequence[str] | None:
        """The texts of the placeholders, or ``None``."""
        following = self._feasible()
        values = [""] * slots
        position = 0
        for step, possible in zip(self.steps, following, strict=True):
            end = self._choose(step, position, possible)
            if end is None:
                return None
            if step.slot is not None:
                values[step.slot] += self.text[position:end]
            position = end
        return values

    def _feasible(self) -> list[bytearray]:
        """For each step: the positions from which what comes after it matches to the end."""
        possible = bytearray(self.length + 1)
        possible[self.length] = 1
        following = [possible]
        for step in reversed(self.steps[1:]):
            nearest = self._nearest(possible)
            possible = bytearray(
                any(nearest[least] <= most for least, most in step.ends(self, position))
                for position in range(self.length + 1)
            )
            following.append(possible)
        following.reverse()
        return following

    def _nearest(self, possible: bytearray) -> list[float]:
        nearest = [math.inf] * (self.length + 1)
        found = math.inf
        for position in range(self.length, -1, -1):
            if possible[position]:
                found = position
            nearest[position] = found
        return nearest

    def _choose(self, step: _Step, position: int, possible: bytearray) -> int | None:
        for least, most in step.ends(self, position):
            find = possible.find if step.lazy else possible.rfind
            end = find(1, least, most + 1)
            if end >= 0:
                return end
        return None
