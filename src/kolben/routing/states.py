"""The tree that a path is matched along: states, and the edges between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from .converters import AnyConverter, BaseConverter, PathConverter
from .pattern import Pattern
from .rule import Rule
from .syntax import Part

#: A state with more edges than this finds the candidates for a segment in an index.
INDEX_FROM = 8

Accepts = Callable[[str], Any]

#: A placeholder of a rule: its name, its conversion (``None``: the text as it is), and the number of
#: its segment, counted from the empty one before the first slash.
Field = tuple[str, Callable[[str], Any] | None, int]

#: A rule, its first placeholder, and the others.
Leaf = tuple[Rule, Field | None, tuple[Field, ...]]

_NO_LEAVES: Mapping[str, Leaf] = {}


class State:
    """What may follow after some segments, and the rules that end there.

    :param depth: How many segments lie before it, with the empty one before the first slash.
    """

    __slots__ = (
        "depth",
        "edges",
        "index",
        "leaves",
        "plain",
        "rest",
        "rules",
        "static",
        "websocket_leaves",
    )

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.static: dict[str, State] = {}
        self.edges: list[Edge] = []
        self.rules: list[Rule] = []
        self.index: EdgeIndex | None = None
        #: For the quick way: what each edge accepts and where it leads. Empty where it takes more
        #: than that to follow an edge.
        self.plain: tuple[tuple[Accepts, State], ...] = ()
        #: For the quick way: where a ``path`` leads that takes what no edge in ``plain`` takes.
        self.rest: State | None = None
        #: What the quick way finds at its end, by method. A method that is not there may still
        #: match, if it takes more to get its values.
        self.leaves: Mapping[str, Leaf] = _NO_LEAVES
        self.websocket_leaves: Mapping[str, Leaf] = _NO_LEAVES

    def freeze(self) -> None:
        """Prepare for matching, once all rules are there."""
        self.edges.sort(key=attrgetter("weight"))
        if len(self.edges) > INDEX_FROM:
            self.index = EdgeIndex(self.edges)
        elif self.edges:
            *edges, last = self.edges
            rest = last.state if last.is_path else None
            if rest is None:
                edges.append(last)
            plain = [(edge.accepts, edge.state) for edge in edges if edge.accepts is not None]
            if len(plain) == len(edges):
                self.plain = tuple(plain)
                self.rest = rest
        requests = [rule for rule in self.rules if not rule.websocket]
        if requests:
            self.leaves = _leaves(requests)
        if len(requests) < len(self.rules):
            self.websocket_leaves = _leaves(rule for rule in self.rules if rule.websocket)

    def candidates(self, segment: str) -> Sequence[Edge]:
        """The edges that may match a segment, or what begins with it, best first."""
        return self.edges if self.index is None else self.index.find(segment)

    def following(self) -> Iterator[State]:
        """The states one step on."""
        yield from self.static.values()
        for edge in self.edges:
            yield edge.state


class Edge:
    """The way from one state to another through a part with placeholders.

    :param part: What it matches.
    :param depth: How many segments lie before the state that it leads to.
    """

    __slots__ = ("accepts", "final", "is_path", "pattern", "state", "suffixed", "tokens", "weight")

    def __init__(self, part: Part, depth: int) -> None:
        self.state = State(depth)
        self.tokens = part.tokens
        self.final = part.final
        self.suffixed = part.suffixed
        self.weight = part.weight
        #: Whether it takes all that is left, if that does not begin with a slash.
        self.is_path = [type(token) for token in part.tokens] == [
            PathConverter
        ] and not part.suffixed
        #: Whether it matches a segment whole; ``None`` where it is more than one placeholder, or
        #: takes more or less than a segment.
        self.accepts: Accepts | None = None
        if len(part.tokens) == 1 and not part.final:
            accepts = acceptance(part.tokens[0])
            self.accepts = None if accepts("") else accepts
        self.pattern = Pattern(part.tokens) if self.accepts is None else None

    def match(self, text: str) -> tuple[Sequence[str], bool] | None:
        """The texts of the placeholders, and whether ``text`` has the slash the rule ends with."""
        if self.pattern is None:
            return ((text,), False) if self.accepts and self.accepts(text) else None
        slash = False
        if self.suffixed:
            slash = text.endswith("/")
            text = text[:-1] if slash else text
            if text.endswith("/"):
                return None
        texts = self.pattern.match(text)
        return None if texts is None else (texts, slash)


class EdgeIndex:
    """Finds the edges that may match a segment without asking each.

    By the literal text that the segment must begin and end with, and by the words of ``any``. There
    are as many look-ups as these texts have different lengths, however many edges there are.

    :param edges: All edges of a state, best first.
    """

    __slots__ = ("affixes", "edges", "words")

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.edges = edges
        self.words: dict[str, list[int]] = {}
        self.affixes: dict[tuple[int, int], dict[tuple[str, str], list[int]]] = {}
        for rank, edge in enumerate(edges):
            first, last = edge.tokens[0], edge.tokens[-1]
            if edge.accepts is not None and type(first) is AnyConverter:
                for item in first.items:
                    self.words.setdefault(item, []).append(rank)
                continue
            prefix = first.partition("/")[0] if isinstance(first, str) else ""
            suffix = last if isinstance(last, str) and not edge.final else ""
            table = self.affixes.setdefault((len(prefix), len(suffix)), {})
            table.setdefault((prefix, suffix), []).append(rank)

    def find(self, segment: str) -> Sequence[Edge]:
        """The candidates, best first."""
        ranks = list(self.words.get(segment, ()))
        length = len(segment)
        for (prefix, suffix), table in self.affixes.items():
            if prefix + suffix <= length:
                ranks += table.get((segment[:prefix], segment[length - suffix :]), ())
        ranks.sort()
        return [self.edges[rank] for rank in ranks]


class Tree:
    """Builds the states of many rules.

    :ivar root: The state before the first part, that of the domain.
    """

    def __init__(self) -> None:
        self.root = State(-1)
        self._edges: dict[tuple[int, Any], Edge] = {}

    def add(self, rule: Rule) -> None:
        """Add a bound rule."""
        state = self.root
        for part in rule.parts:
            if part.text is None:
                state = self._edge(state, part).state
            elif part.text in state.static:
                state = state.static[part.text]
            else:
                state.static[part.text] = following = State(state.depth + 1)
                state = following
        state.rules.append(rule)

    def _edge(self, state: State, part: Part) -> Edge:
        tokens = tuple(token if isinstance(token, str) else (token.regex,) for token in part.tokens)
        key = (id(state), (tokens, part.final, part.suffixed, part.weight))
        edge = self._edges.get(key)
        if edge is None:
            edge = self._edges[key] = Edge(part, state.depth + 1)
            state.edges.append(edge)
        return edge

    def freeze(self) -> State:
        """The root, ready for matching."""
        waiting = [self.root]
        while waiting:
            state = waiting.pop()
            state.freeze()
            waiting += state.following()
        return self.root


@lru_cache(maxsize=512)
def _fullmatch(regex: str) -> Accepts:
    return re.compile(regex).fullmatch


def acceptance(converter: BaseConverter | str) -> Accepts:
    """The cheapest test whether a converter's regular expression matches a segment whole."""
    regex = converter if isinstance(converter, str) else converter.regex
    if regex in ("[^/]{1,}", "[^/]+"):
        return len  # a segment holds no slash, so all that it may not be is empty
    if regex == r"\d+":
        return str.isdecimal
    if type(converter) is AnyConverter:
        return converter.items.__contains__
    return _fullmatch(regex)


def method_table(rules: Iterable[Rule]) -> dict[str | None, Rule]:
    """Which of the rules of one path answers each method; ``None`` stands for all others."""
    table: dict[str | None, Rule] = {}
    for rule in rules:
        if rule.methods is None:
            table[None] = rule
            break
        for method in rule.methods:
            table.setdefault(method, rule)
    return table


def _leaves(rules: Iterable[Rule]) -> Mapping[str, Leaf]:
    """The leaves of a state's rules."""
    leaves: dict[str, Leaf] = {}
    made: dict[Rule, Leaf] = {}
    for method, rule in method_table(rules).items():
        if method is not None and rule.plain:
            if rule not in made:
                fields = tuple(_fields(rule))
                made[rule] = (rule, fields[0] if fields else None, fields[1:])
            leaves[method] = made[rule]
    return leaves


def _fields(rule: Rule) -> Iterator[Field]:
    conversions = iter(rule.fields)
    for index, part in enumerate(rule.parts[1:]):
        for _ in part.names:
            yield (*next(conversions), index)
