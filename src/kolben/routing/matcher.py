"""Matching a path against all rules of a map.

From a state, a segment leads on by its text (``static``, one dictionary) or through an edge, a part
with placeholders. Rules that begin alike share their states, so a match visits as many states as the
path has segments, whatever the number of rules.

The order of preference is Werkzeug's: at each state the static way first, then the edges by
weight, and the next one whenever a way leads nowhere. :class:`Search` does exactly that.
:meth:`Matcher.match` first takes the preferred way without looking back, which is right for nearly
every request and costs a fraction; only where that leads nowhere does it search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ..exceptions import MethodNotAllowed, NotFound
from .converters import ValidationError
from .errors import Redirection, SlashRequired, WebsocketMismatch
from .paths import ENCODED_SLASH, climbs
from .rule import Rule
from .states import State, Tree

Match = tuple[Rule, dict[str, Any]]

_NOWHERE = State(0)


class MatchFunction(Protocol):
    """The type of :attr:`Map.match`."""

    def __call__(
        self, path: str, method: str, host: str | None = None, websocket: bool = False
    ) -> Match:
        """See :attr:`Map.match`."""
        ...


class Matcher:
    """All rules of a map, frozen for matching.

    :param rules: The rules, in order of registration.
    :param default_domain: The domain of requests that come without one.
    :param merge_slashes: Whether paths with double slashes redirect.
    :param redirect_defaults: Whether aliases and values that are some rule's defaults redirect.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        default_domain: str,
        merge_slashes: bool,
        redirect_defaults: bool,
    ) -> None:
        self.default_domain = default_domain
        self.merge_slashes = merge_slashes
        self.redirect_defaults = redirect_defaults
        tree = Tree()
        for rule in rules:
            tree.add(rule)
        self.domains = tree.freeze()
        #: Where the paths of each domain begin.
        self.roots = self.domains.static
        self.root = self.roots.get(default_domain, _NOWHERE)

    def match(
        self, path: str, method: str, host: str | None = None, websocket: bool = False
    ) -> Match:
        """The rule for a path, and the values of its placeholders. See :meth:`Map.match`."""
        state = self.root if host is None else self.roots.get(host, _NOWHERE)
        segments = path.split("/")
        for segment in segments:
            if segment in state.static:
                state = state.static[segment]
            else:
                for accepts, target in state.plain:
                    if accepts(segment):
                        state = target
                        break
                else:
                    if state.rest is None:
                        return self.search(path, method, host, websocket)
                    rest = "/".join(segments[state.depth :])
                    if not rest or rest[0] == "/":
                        return self.search(path, method, host, websocket)
                    segments[state.depth :] = (rest,)
                    state = state.rest
                    break
        leaf = (state.websocket_leaves if websocket else state.leaves).get(method)
        if leaf is None:
            return self.search(path, method, host, websocket)
        rule, first, others = leaf
        if first is None:
            return rule, {}
        name, convert, index = first
        text = segments[index]
        try:
            values = {name: text if convert is None else convert(text)}
            for name, convert, index in others:
                text = segments[index]
                values[name] = text if convert is None else convert(text)
            return rule, values
        except ValueError:  # a refusal, or a fault in a converter: the search tells which
            return self.search(path, method, host, websocket)

    def search(self, path: str, method: str, host: str | None, websocket: bool) -> Match:
        """The same as :meth:`match`, looking at every way."""
        domain = self.default_domain if host is None else host
        if encoded := path.startswith(ENCODED_SLASH):
            path = path[1:]
        path = f"/{path.lstrip('/')}" if path else ""
        search = Search(self.domains, domain, method, websocket, encoded)
        found = self._find(search, path)
        if found is None and self.merge_slashes and "//" in path:
            path = re.sub("/{2,}", "/", path)
            found = self._find(search, path)
            if found is not None and found[0].merge_slashes:
                raise Redirection(path=path)
            found = None
        if found is not None:
            self._redirect(found, method)
            return found
        if search.allowed:
            raise MethodNotAllowed(valid_methods=sorted(search.allowed))
        if search.websocket_mismatch:
            raise WebsocketMismatch()
        raise NotFound()

    def _find(self, search: Search, path: str) -> Match | None:
        try:
            return search.run(path)
        except SlashRequired:
            raise Redirection(path=f"{path}/") from None

    def _redirect(self, found: Match, method: str) -> None:
        rule, values = found
        if self.redirect_defaults:
            if rule.alias:
                raise Redirection(rule, values)
            for canonical in rule.canonical:
                if canonical.suitable_for(values, method):
                    built = canonical.build({**values, **(canonical.defaults or {})})
                    if built is not None:
                        raise Redirection(rule, values, path=built[1], domain=built[0])
        if rule.redirect_to is not None:
            raise Redirection(rule, values)


class Search:
    """One depth-first search, and what it met on the way.

    :param domains: The state before the domain.
    :param domain: Host or subdomain of the request.
    :param encoded: The path holds :data:`ENCODED_SLASH`.
    :ivar allowed: Methods of the rules that match but for the method.
    :ivar websocket_mismatch: A rule matches but for being for websockets, or not.
    """

    def __init__(
        self, domains: State, domain: str, method: str, websocket: bool, encoded: bool
    ) -> None:
        self.domains = domains
        self.domain = domain
        self.method = method
        self.websocket = websocket
        self.encoded = encoded
        self.allowed: set[str] = set()
        self.websocket_mismatch = False
        self.segments: list[str] = []

    def run(self, path: str) -> Match | None:
        """The first match.

        :raises SlashRequired: if it lacks the slash at its end.
        """
        self.segments = path.split("/")
        state = self.domains.static.get(self.domain)
        if state is not None and (found := self._visit(state, 0, ())):
            return found
        for edge in self.domains.candidates(self.domain):
            matched = edge.match(self.domain)
            if matched and (found := self._visit(edge.state, 0, matched[0])):
                return found
        return None

    def _visit(self, state: State, index: int, texts: Sequence[str]) -> Match | None:
        if index == len(self.segments):
            return self._finish(state, texts)
        segment = self.segments[index]
        following = state.static.get(segment)
        if following is not None and (found := self._visit(following, index + 1, texts)):
            return found
        if state.edges and (found := self._follow_edges(state, index, texts)):
            return found
        if segment == "" and index == len(self.segments) - 1:
            for rule in state.rules:
                if not rule.strict_slashes and (found := self._choose(rule, texts)):
                    return found
        return None

    def _follow_edges(self, state: State, index: int, texts: Sequence[str]) -> Match | None:
        segment = self.segments[index]
        rest: str | None = None
        for edge in state.candidates(segment):
            found = None
            if edge.accepts is not None:
                if edge.accepts(segment):
                    found = self._visit(edge.state, index + 1, (*texts, segment))
            elif not edge.final:
                if matched := edge.match(segment):
                    found = self._visit(edge.state, index + 1, (*texts, *matched[0]))
            else:
                if rest is None:
                    rest = "/".join(self.segments[index:])
                if matched := edge.match(rest):
                    end = edge.state.static[""] if matched[1] else edge.state
                    found = self._finish(end, (*texts, *matched[0]))
            if found:
                return found
        return None

    def _finish(self, state: State, texts: Sequence[str]) -> Match | None:
        for rule in state.rules:
            if found := self._choose(rule, texts):
                return found
        branch = state.static.get("")
        if branch is not None:
            for rule in branch.rules:
                if rule.websocket == self.websocket and rule.accepts(self.method):
                    found = self._choose(rule, texts)
                    if found and rule.strict_slashes:
                        raise SlashRequired
                    if found:
                        return found
        return None

    def _choose(self, rule: Rule, texts: Sequence[str]) -> Match | None:
        if rule.methods is not None and self.method not in rule.methods:
            self.allowed |= rule.methods
            return None
        if rule.websocket != self.websocket:
            self.websocket_mismatch = True
            return None
        if self.encoded:
            decoded = [text.replace(ENCODED_SLASH, "/") for text in texts]
            if any(new != old and climbs(new) for new, old in zip(decoded, texts, strict=True)):
                return None
            texts = decoded
        try:
            return rule, rule.values(texts)
        except ValidationError:
            return None
