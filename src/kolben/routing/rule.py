"""One URL rule: what it matches, and the URLs it builds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from .converters import (
    PATH_SAFE,
    SEGMENT_SAFE,
    BaseConverter,
    IntegerConverter,
    UnicodeConverter,
    ValidationError,
)
from .syntax import Part, Placeholder, parse_rule, split_parts

#: What the WHATWG URL standard lets stand in a query, less what separates its pairs.
QUERY_SAFE = "!$'()*,/:;?@"

#: A text of a URL, or the name of a value and what makes text of it.
Piece = str | tuple[str, Callable[[Any], str]]

_WEBSOCKET_METHODS = {"GET", "HEAD", "OPTIONS"}


class RuleSettings(Protocol):
    """What a rule asks of the map that it is bound to."""

    converters: dict[str, type[BaseConverter]]
    default_subdomain: str
    host_matching: bool
    sort_key: Callable[[Any], Any] | None
    sort_parameters: bool
    strict_slashes: bool

    @property
    def merge_slashes(self) -> bool:
        """See :class:`Map`."""
        ...


class RuleFactory:
    """Anything that gives rules to :meth:`Map.add`."""

    def get_rules(self, map: Any) -> Iterable[Rule]:
        """The rules, not bound yet.

        :param map: The map that they are for.
        """
        raise TypeError(f"{type(self).__name__} does not say how to get its rules")


class Rule(RuleFactory):
    """A URL rule.

    >>> Rule("/posts/<int:id>", endpoint="post", methods=["GET"]).methods == {"GET", "HEAD"}
    True

    :param string: The path, with placeholders ``<converter(arguments):name>``. A path that ends with
        a slash is a branch: without the slash it is redirected to, see ``strict_slashes``.
    :param defaults: Values for the view that are not in the path. The rule whose path lacks a value
        is canonical for it: others of the same endpoint redirect there.
    :param subdomain: Pattern of the subdomain; ``None``: the map's default.
    :param methods: HTTP methods, ``None`` for all; ``GET`` brings ``HEAD``.
    :param build_only: Never match, only build.
    :param endpoint: What the rule leads to: usually a name.
    :param strict_slashes: Whether a missing slash at the end redirects, and one too many is a
        404; ``None``: as the map says.
    :param merge_slashes: Whether double slashes redirect to single ones; ``None``: as the map.
    :param redirect_to: Redirect what matches: to a string with placeholders, or to what a
        callable returns for the adapter and the values.
    :param alias: Redirect to the rule of the same endpoint and values that is no alias.
    :param host: Pattern of the whole host, where the map has ``host_matching``.
    :param websocket: Match websockets and nothing else.
    :raises ValueError: if the path does not begin with a slash.
    :source: Werkzeug: the same.
    """

    def __init__(
        self,
        string: str,
        defaults: Mapping[str, Any] | None = None,
        subdomain: str | None = None,
        methods: Iterable[str] | None = None,
        build_only: bool = False,
        endpoint: Any = None,
        strict_slashes: bool | None = None,
        merge_slashes: bool | None = None,
        redirect_to: str | Callable[..., str] | None = None,
        alias: bool = False,
        host: str | None = None,
        websocket: bool = False,
    ) -> None:
        if not string.startswith("/"):
            raise ValueError(f"URL rule {string!r} must start with a slash.")
        self.rule = string
        self.is_leaf = not string.endswith("/")
        self.is_branch = not self.is_leaf
        self.map: Any = None
        self.defaults = defaults
        self.subdomain = subdomain
        self.methods = None if methods is None else _methods(methods, websocket)
        self.build_only = build_only
        self.endpoint = endpoint
        self.strict_slashes = strict_slashes
        self.merge_slashes = merge_slashes
        self.redirect_to = redirect_to
        self.alias = alias
        self.host = host
        self.websocket = websocket
        #: Names of all values: of the placeholders, and of ``defaults``.
        self.arguments: set[str] = {str(name) for name in defaults or ()}
        #: Whether ``OPTIONS`` is answered by the framework; for the floors above.
        self.provide_automatic_options: bool | None = None
        #: What the floors above have compiled for this rule.
        self.plan: Any = None
        #: Rules that are canonical for some values of this one; set by :meth:`Map.update`.
        self.canonical: tuple[Rule, ...] = ()
        #: Matching yields the values of the placeholders and nothing else; set like ``canonical``.
        self.plain = False
        #: ``(name, conversion)`` for each placeholder, in order; ``None`` keeps the text.
        self.fields: tuple[tuple[str, Callable[[str], Any] | None], ...] = ()
        self.parts: tuple[Part, ...] = ()
        self._converters: dict[str, BaseConverter] = {}
        self._domain_pieces: tuple[Piece, ...] = ()
        self._path_pieces: tuple[Piece, ...] = ()
        self._target_pieces: tuple[Piece, ...] = ()
        self._settings: RuleSettings | None = None

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Itself."""
        yield self

    def empty(self) -> Rule:
        """A copy that is bound to no map."""
        return type(self)(self.rule, **self.get_empty_kwargs())

    def get_empty_kwargs(self) -> dict[str, Any]:
        """The constructor's arguments for :meth:`empty`, without the path.

        A subclass with arguments of its own adds them.
        """
        return {
            "defaults": dict(self.defaults) if self.defaults else None,
            "subdomain": self.subdomain,
            "methods": self.methods,
            "build_only": self.build_only,
            "endpoint": self.endpoint,
            "strict_slashes": self.strict_slashes,
            "merge_slashes": self.merge_slashes,
            "redirect_to": self.redirect_to,
            "alias": self.alias,
            "host": self.host,
            "websocket": self.websocket,
        }

    def bind(self, map: RuleSettings, rebind: bool = False) -> None:
        """Take the map's settings and converters; :meth:`Map.add` calls it.

        :raises RuntimeError: if the rule belongs to a map already.
        :raises LookupError: if a converter does not exist.
        :raises ValueError: if the path is malformed or names a placeholder twice.
        """
        if self.map is not None and not rebind:
            raise RuntimeError(f"url rule {self!r} already bound to map {self.map!r}")
        self._settings = map
        if self.strict_slashes is None:
            self.strict_slashes = map.strict_slashes
        if self.merge_slashes is None:
            self.merge_slashes = map.merge_slashes
        if self.subdomain is None:
            self.subdomain = map.default_subdomain
        self._compile(map)
        self.map = map

    def refresh(self) -> None:
        """Read the rule again after its attributes were changed in place."""
        if self.map is None:
            raise RuntimeError(f"url rule {self!r} is bound to no map")
        self.bind(self.map, rebind=True)

    def get_converter(
        self,
        variable_name: str,
        converter_name: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> BaseConverter:
        """Make the converter of a placeholder.

        :raises LookupError: if the map has none of that name.
        """
        assert self._settings is not None
        converter = self._settings.converters.get(converter_name)
        if converter is None:
            raise LookupError(f"the converter {converter_name!r} does not exist")
        return converter(self._settings, *args, **kwargs)

    @property
    def domain(self) -> str:
        """The pattern of the host or of the subdomain, whichever the map matches."""
        host_matching = self._settings is not None and self._settings.host_matching
        return (self.host if host_matching else self.subdomain) or ""

    def _compile(self, map: RuleSettings) -> None:
        path = re.sub("/{2,}", "/", self.rule) if self.merge_slashes else self.rule
        domain_tokens = tuple(parse_rule(self.domain))
        path_tokens = tuple(parse_rule(path))
        self._converters = {}
        self.arguments = {str(name) for name in self.defaults or ()}
        self.parts = (
            *split_parts(domain_tokens, self._convert),
            *split_parts(path_tokens, self._convert),
        )
        self.fields = tuple(
            (name, conversion(converter)) for name, converter in self._converters.items()
        )
        self._domain_pieces = self._pieces(domain_tokens)
        self._path_pieces = self._pieces(path_tokens)
        if isinstance(self.redirect_to, str):
            self._target_pieces = self._pieces(parse_rule(self.redirect_to), encode=False)

    def _convert(self, placeholder: Placeholder) -> BaseConverter:
        name, converter, args, kwargs = placeholder
        if name in self._converters:
            raise ValueError(f"URL rule {self.rule!r} has two placeholders named {name!r}.")
        made = self._converters[name] = self.get_converter(name, converter, args, kwargs)
        self.arguments.add(name)
        return made

    def accepts(self, method: str) -> bool:
        """Whether the rule is for this method."""
        return self.methods is None or method in self.methods

    def values(self, texts: Iterable[str]) -> dict[str, Any]:
        """The values for the view.

        :param texts: What the placeholders matched, in order.
        :raises ValidationError: if a converter refuses its text.
        """
        values = {
            name: converter.to_python(text)
            for (name, converter), text in zip(self._converters.items(), texts, strict=True)
        }
        if self.defaults:
            values.update(self.defaults)
        return values

    def build(
        self, values: Mapping[str, Any], append_unknown: bool = True
    ) -> tuple[str, str] | None:
        """Build domain and path, percent-encoded, with the query where there is one.

        :param values: At least those that :attr:`arguments` names and :attr:`defaults` lacks.
        :param append_unknown: Make a query of the values that the rule does not know.
        :return: ``None`` if a converter refuses a value with :exc:`ValidationError`.
        """
        try:
            domain = _fill(self._domain_pieces, values) if self._domain_pieces else ""
            path = _fill(self._path_pieces, values)
        except ValidationError:
            return None
        if append_unknown and not self.arguments.issuperset(values):
            unknown = {key: values[key] for key in values if key not in self.arguments}
            if query := self._query(unknown):
                path = f"{path}?{query}"
        return domain, path

    def redirect_path(self, values: Mapping[str, Any]) -> str:
        """What a ``redirect_to`` that is a string makes of the values of a match.

        A value that the client chose becomes neither scheme nor host of it.
        """
        path = _fill(self._target_pieces, values)
        first = self._target_pieces[0] if self._target_pieces else ""
        if isinstance(first, str) and first != "/":
            return path
        return f"/{path.lstrip('/')}" if path.startswith("/") else f"./{path}"

    def _pieces(
        self, tokens: Iterable[str | Placeholder], encode: bool = True
    ) -> tuple[Piece, ...]:
        """What a URL is built of: encoded texts, and for placeholders name and conversion."""
        pieces: list[Piece] = []
        for token in tokens:
            if isinstance(token, str):
                pieces.append(quote(token, safe=PATH_SAFE) if encode else token)
                continue
            converter = self._converters.get(token.name)
            if converter is None and token.name not in self.arguments:
                raise ValueError(f"{self!r} has no placeholder {token.name!r} to redirect with.")
            to_url = _quote_value if converter is None else converter.to_url
            if encode and self.defaults and token.name in self.defaults:
                pieces.append(to_url(self.defaults[token.name]))
            else:
                pieces.append((token.name, to_url))
        return tuple(pieces)

    def _query(self, values: Mapping[str, Any]) -> str:
        assert self._settings is not None
        pairs = query_pairs(values)
        if self._settings.sort_parameters:
            pairs = sorted(pairs, key=self._settings.sort_key)
        return dump_query(pairs)

    def provides_defaults_for(self, rule: Rule) -> bool:
        """Whether this rule is ``rule``, with some values fixed by :attr:`defaults`."""
        return bool(
            not self.build_only
            and self.defaults
            and self.endpoint == rule.endpoint
            and self.arguments == rule.arguments
            and (self.domain, self.rule) != (rule.domain, rule.rule)
        )

    def suitable_for(self, values: Mapping[str, Any], method: str | None = None) -> bool:
        """Whether the rule can build a URL for these values and this method."""
        if method is not None and not self.accepts(method):
            return False
        if not self.defaults:
            return values.keys() >= self.arguments
        if any(name not in self.defaults and name not in values for name in self.arguments):
            return False
        return all(
            name not in values or values[name] == value for name, value in self.defaults.items()
        )

    def build_compare_key(self) -> tuple[int, int, int]:
        """Rules of one endpoint are tried in this order for building."""
        return int(self.alias), -len(self.arguments), -len(self.defaults or ())

    def __str__(self) -> str:
        return self.rule

    def __repr__(self) -> str:
        if self.map is None:
            return f"<{type(self).__name__} {self.rule!r} (unbound)>"
        domain = f"{self.domain}|" if self.domain else ""
        methods = "" if self.methods is None else f" ({', '.join(sorted(self.methods))})"
        return f"<{type(self).__name__} '{domain}{self.rule}'{methods} -> {self.endpoint}>"


def conversion(converter: BaseConverter) -> Callable[[str], Any] | None:
    """The cheapest callable with the meaning of ``converter.to_python``.

    ``None`` if it gives back its text. A refusal is a :exc:`ValueError` then.
    """
    kind = type(converter)
    if kind.to_python is BaseConverter.to_python or kind is UnicodeConverter:
        return None
    if isinstance(converter, IntegerConverter) and kind is IntegerConverter:
        bounds = (converter.fixed_digits, converter.min, converter.max)
        if bounds == (0, None, None):
            return int
    return converter.to_python


def _fill(pieces: Iterable[Piece], values: Mapping[str, Any]) -> str:
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
        else:
            name, to_url = piece
            texts.append(to_url(values[name]))
    return "".join(texts)


def _quote_value(value: Any) -> str:
    return quote(str(value), safe=SEGMENT_SAFE)


def query_pairs(values: Any) -> Iterable[tuple[str, Any]]:
    """The ``(name, value)`` pairs of a mapping whose values may be lists, or of a MultiDict."""
    if hasattr(values, "getlist"):
        yield from values.items(multi=True)
        return
    for name, value in values.items():
        if isinstance(value, (list, tuple, set)):
            for item in value:
                yield name, item
        else:
            yield name, value


def dump_query(pairs: Iterable[tuple[str, Any]]) -> str:
    """Encode the pairs of a query; those whose value is ``None`` are dropped.

    >>> dump_query([("q", "a b"), ("page", None), ("q", "ü")])
    'q=a+b&q=%C3%BC'
    """
    return urlencode([pair for pair in pairs if pair[1] is not None], safe=QUERY_SAFE)


def _methods(methods: Iterable[str], websocket: bool) -> set[str]:
    if isinstance(methods, str):
        raise TypeError("'methods' should be a list of strings, not one string.")
    result = {method.upper() for method in methods}
    if "GET" in result:
        result.add("HEAD")
    if websocket and (wrong := result - _WEBSOCKET_METHODS):
        raise ValueError(
            f"WebSocket rules can only use GET, HEAD and OPTIONS, not {', '.join(sorted(wrong))}."
        )
    return result
