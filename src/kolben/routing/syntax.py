"""The language of rules: ``/posts/<int(min=1):id>-<slug>.html`` as tokens and parts.

A rule is read twice. :func:`parse_rule` gives its tokens, in order: literal text and
:class:`Placeholder`. :func:`split_parts` cuts the tokens at the slashes into what the matcher
steps over: one :class:`Part` for each segment. From the first placeholder whose values may hold
slashes to the end, everything is one part (``final``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from .converters import BaseConverter

_TOKEN = re.compile(
    r"""
    (?P<text> [^<]+ )
    | <
      (?: (?P<converter> [a-zA-Z_][a-zA-Z0-9_]* ) (?: \( (?P<arguments> .*? ) \) )? : )?
      (?P<name> [a-zA-Z_][a-zA-Z0-9_]* )
      >
    """,
    re.VERBOSE,
)

_ARGUMENT = re.compile(
    r"""
    \s* (?: (?P<name> \w+ ) \s* = \s* )?
    (?:
        (?P<number> [+-]? \d+ (?: \.\d* )? ) (?= \s* (?:,|\Z) )
      | [uUrR]? (?: "(?P<double>[^"]*)" | '(?P<single>[^']*)' )
      | (?P<word> [\w.]+ )
    )
    \s* (?:,|\Z)
    """,
    re.VERBOSE,
)

_CONSTANTS: dict[str, Any] = {"None": None, "True": True, "False": False}


class Placeholder(NamedTuple):
    """A placeholder as it stands in the rule, before its converter is made."""

    name: str
    converter: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Part(NamedTuple):
    """One step of the matcher: a segment, or all that follows where values may hold slashes.

    :param tokens: Literal texts and converters.
    :param names: The name of each converter in ``tokens``.
    :param text: The whole text of a part without converters, else ``None``.
    :param final: It takes the rest of the path.
    :param suffixed: The rule ends with a slash after it.
    :param weight: The part with the lower weight is tried first.
    """

    tokens: tuple[str | BaseConverter, ...]
    names: tuple[str, ...]
    text: str | None
    final: bool
    suffixed: bool
    weight: tuple[Any, ...]


def parse_converter_args(text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Read the arguments of a converter.

    Strings stand in either kind of quotes or, as single words, in none.

    >>> parse_converter_args('2, "a b", word, max=-1.5, signed=True')
    ((2, 'a b', 'word'), {'max': -1.5, 'signed': True})

    :raises ValueError: if it is anything else than numbers, strings, True, False and None.
    :source: Werkzeug: the same, and negative numbers.
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    position = 0
    text = text.strip()
    while position < len(text):
        found = _ARGUMENT.match(text, position)
        if found is None:
            raise ValueError(f"Cannot parse converter argument {text[position:]!r}")
        value = _argument(found)
        if (name := found["name"]) is None:
            args.append(value)
        else:
            kwargs[name] = value
        position = found.end()
    return tuple(args), kwargs


def _argument(found: re.Match[str]) -> Any:
    if (number := found["number"]) is not None:
        return float(number) if "." in number else int(number)
    if (word := found["word"]) is not None:
        return _CONSTANTS.get(word, word)
    quoted = found["double"]
    return found["single"] if quoted is None else quoted


def parse_rule(rule: str) -> Iterator[str | Placeholder]:
    """The tokens of a rule.

    >>> [token if isinstance(token, str) else token.name for token in parse_rule("/a/<int:b>.c")]
    ['/a/', 'b', '.c']

    :raises ValueError: if a placeholder is malformed.
    """
    position = 0
    while position < len(rule):
        found = _TOKEN.match(rule, position)
        if found is None:
            raise ValueError(f"malformed url rule: {rule!r}, at {rule[position:]!r}")
        position = found.end()
        if (text := found["text"]) is not None:
            yield text
        else:
            args, kwargs = parse_converter_args(found["arguments"] or "")
            yield Placeholder(found["name"], found["converter"] or "default", args, kwargs)


class _PartBuilder:
    """Collects the tokens of one part, and what makes its weight."""

    def __init__(self) -> None:
        self.tokens: list[str | BaseConverter] = []
        self.names: list[str] = []
        self.lengths: list[tuple[int, int]] = []
        self.weights: list[int] = []
        self.final = False

    def add_text(self, text: str) -> None:
        if self.tokens and isinstance(self.tokens[-1], str):
            self.tokens[-1] += text
        else:
            self.tokens.append(text)

    def add_static(self, text: str) -> None:
        self.lengths.append((len(self.lengths), -len(text)))
        self.add_text(text)

    def add_converter(self, name: str, converter: BaseConverter) -> None:
        self.tokens.append(converter)
        self.names.append(name)
        self.weights.append(converter.weight)
        self.final = self.final or not converter.part_isolating

    def build(self) -> Iterator[Part]:
        if not self.names:
            text = "".join(map(str, self.tokens))
            yield Part((), (), text, final=False, suffixed=False, weight=())
            return
        # More literal texts first, then the longer ones, then more placeholders, then the
        # lighter converters.
        weight = (
            -len(self.lengths),
            tuple(self.lengths),
            -len(self.weights),
            tuple(self.weights),
        )
        tokens = self.tokens
        suffixed = self.final and isinstance(tokens[-1], str) and tokens[-1].endswith("/")
        if suffixed:
            tokens[-1] = str(tokens[-1])[:-1]
            if not tokens[-1]:
                del tokens[-1]
        yield Part(tuple(tokens), tuple(self.names), None, self.final, suffixed, weight)
        if suffixed:
            yield Part((), (), "", final=False, suffixed=False, weight=())


def split_parts(
    tokens: Iterable[str | Placeholder], convert: Callable[[Placeholder], BaseConverter]
) -> Iterator[Part]:
    """Cut tokens into the steps of the matcher.

    :param convert: Makes the converter of a placeholder.
    """
    part = _PartBuilder()
    for token in tokens:
        if isinstance(token, Placeholder):
            part.add_converter(token.name, convert(token))
            continue
        for number, text in enumerate(token.split("/")):
            if number and part.final:
                part.add_text("/")
            elif number:
                yield from part.build()
                part = _PartBuilder()
            if text:
                part.add_static(text)
    yield from part.build()
