"""All rules of an application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import RLock
from typing import Any

from ..exceptions import BadHost
from .adapter import MapAdapter, QueryArgs
from .converters import DEFAULT_CONVERTERS, BaseConverter
from .matcher import Match, Matcher, MatchFunction
from .rule import Rule, RuleFactory
from .states import method_table


class Map:
    """A collection of rules, with the settings that they share.

    >>> urls = Map([Rule("/", endpoint="index"), Rule("/posts/<int:id>", endpoint="post")])
    >>> adapter = urls.bind("example.com")
    >>> adapter.match("/posts/7")
    ('post', {'id': 7})
    >>> adapter.build("post", {"id": 7, "page": 2})
    '/posts/7?page=2'

    :param rules: Rules, or factories.
    :param default_subdomain: Subdomain of the rules that name none.
    :param strict_slashes: Redirect to a missing slash at the end, and refuse one too many.
    :param merge_slashes: Redirect from double slashes to single ones.
    :param redirect_defaults: Redirect from values that are a rule's defaults to that rule, and
        from aliases.
    :param converters: Converters beside the built-in ones, by name.
    :param sort_parameters: Sort the query of built URLs.
    :param sort_key: By this key of the ``(name, value)`` pairs.
    :param host_matching: Match the ``host`` of rules in place of their ``subdomain``.
    :source: Werkzeug: the same.
    """

    #: The built-in converters, by name.
    default_converters: Mapping[str, type[BaseConverter]] = DEFAULT_CONVERTERS
    #: Makes :attr:`lock`.
    lock_class: Callable[[], Any] = staticmethod(RLock)  # a function, not to be bound

    #: ``match(path, method, host=None, websocket=False)``: the rule for a decoded path and the
    #: values for its view. ``host`` is what rules for domains are matched with: the host with
    #: host matching, else the subdomain; ``None`` is the default and costs nothing. ``path`` begins
    #: with a slash, or comes from :func:`route_path`. Raises :exc:`NotFound`,
    #: :exc:`MethodNotAllowed`, :exc:`WebsocketMismatch`, and :exc:`Redirection`, which
    #: :meth:`MapAdapter.redirect_for` completes. May run in any thread.
    match: MatchFunction

    def __init__(
        self,
        rules: Iterable[RuleFactory] | None = None,
        default_subdomain: str = "",
        strict_slashes: bool = True,
        merge_slashes: bool = True,
        redirect_defaults: bool = True,
        converters: Mapping[str, type[BaseConverter]] | None = None,
        sort_parameters: bool = False,
        sort_key: Callable[[Any], Any] | None = None,
        host_matching: bool = False,
    ) -> None:
        self.default_subdomain = default_subdomain
        self.strict_slashes = strict_slashes
        self._merge_slashes = merge_slashes
        self.redirect_defaults = redirect_defaults
        self.host_matching = host_matching
        self.converters = {**self.default_converters, **(converters or {})}
        self.sort_parameters = sort_parameters
        self.sort_key = sort_key
        #: Held while rules are added and while they are compiled.
        self.lock = self.lock_class()
        #: ``path -> method -> rule`` for the rules that need no more than that: without
        #: placeholders, defaults, domains and redirects. Always the same dictionary; empty while
        #: there are rules that are not compiled yet. A path that is not here goes to
        #: :attr:`match`, and so does a method that is not.
        self.static: dict[str, dict[str, Rule]] = {}
        #: Whether any rule is for another domain than the default; if not, the host of a
        #: request need not be found out.
        self.uses_domains = False
        self._rules: list[Rule] = []
        self._rules_by_endpoint: dict[Any, list[Rule]] = {}
        self._stale = True
        self.match = self._first_match
        for factory in rules or ():
            self.add(factory)

    @property
    def merge_slashes(self) -> bool:
        """Redirect from double slashes to single ones."""
        return self._merge_slashes

    @merge_slashes.setter
    def merge_slashes(self, value: bool) -> None:
        with self.lock:
            self._merge_slashes = value
            self._expire()

    def add(self, rulefactory: RuleFactory) -> None:
        """Bind a rule, or all of a factory, to this map. May run in any thread.

        :raises RuntimeError: if a rule belongs to a map already.
        :raises LookupError: if a rule names a converter that the map does not have.
        :raises ValueError: if a rule is malformed.
        """
        with self.lock:
            for rule in rulefactory.get_rules(self):
                rule.bind(self)
                self._rules.append(rule)
                self._rules_by_endpoint.setdefault(rule.endpoint, []).append(rule)
                if rule.domain != self.default_domain:
                    self.uses_domains = True
            self._expire()

    @property
    def default_domain(self) -> str:
        """The domain that :attr:`match` takes where it gets none."""
        return "" if self.host_matching else self.default_subdomain

    def _expire(self) -> None:
        self._stale = True
        self.static.clear()
        self.match = self._first_match

    def _first_match(
        self, path: str, method: str, host: str | None = None, websocket: bool = False
    ) -> Match:
        self.update()
        return self.match(path, method, host, websocket)

    def update(self) -> None:
        """Compile the rules, if there are new ones. Matching and building call it."""
        if not self._stale:
            return
        with self.lock:
            if self._stale:
                self._compile()
                self._stale = False

    def compile(self) -> None:
        """Compile now what the first match would compile otherwise."""
        self.update()

    def _compile(self) -> None:
        for rules in self._rules_by_endpoint.values():
            rules.sort(key=Rule.build_compare_key)
            with_defaults: list[Rule] = []
            for rule in rules:
                rule.canonical = tuple(
                    other for other in with_defaults if other.provides_defaults_for(rule)
                )
                if rule.defaults:
                    with_defaults.append(rule)
        for rule in self._rules:
            rule.plain = not (
                rule.defaults
                or rule.redirect_to is not None
                or (self.redirect_defaults and (rule.alias or rule.canonical))
            )
        matching = [rule for rule in self._rules if not rule.build_only]
        matcher = Matcher(
            matching, self.default_domain, self._merge_slashes, self.redirect_defaults
        )
        self.static.update(_static_tables(matching, self.default_domain))
        self.match = matcher.match

    def rules_for(self, endpoint: Any) -> Sequence[Rule]:
        """The rules of an endpoint, in the order in which building tries them."""
        self.update()
        return self._rules_by_endpoint.get(endpoint, ())

    def iter_rules(self, endpoint: Any = None) -> Iterator[Rule]:
        """All rules, endpoint by endpoint, or those of one endpoint.

        :raises KeyError: if there is no such endpoint.
        """
        self.update()
        if endpoint is not None:
            return iter(self._rules_by_endpoint[endpoint])
        return (rule for rules in self._rules_by_endpoint.values() for rule in rules)

    def is_endpoint_expecting(self, endpoint: Any, *arguments: str) -> bool:
        """Whether a rule of the endpoint has all these arguments, among its own or its defaults.

        :raises KeyError: if there is no such endpoint.
        """
        return any(rule.arguments.issuperset(arguments) for rule in self.iter_rules(endpoint))

    def bind(
        self,
        server_name: str,
        script_name: str | None = None,
        subdomain: str | None = None,
        url_scheme: str = "http",
        default_method: str = "GET",
        path_info: str | None = None,
        query_args: QueryArgs | None = None,
    ) -> MapAdapter:
        """The map for one request, or for building URLs outside of requests.

        :param server_name: Host, with the port if it is not the scheme's, without subdomain.
        :param script_name: Where the application is mounted; ``None``: at the root.
        :param subdomain: Subdomain of the request; ``None``: the default one.
        :param url_scheme: With ``ws`` or ``wss``, only rules for websockets match.
        :param default_method: Method of the request.
        :param path_info: Path of the request, decoded.
        :param query_args: Query of the request, as text or as a mapping.
        :raises RuntimeError: if a subdomain is given to a map with host matching.
        :raises BadHost: if ``server_name`` is no host name.
        """
        if self.host_matching:
            if subdomain is not None:
                raise RuntimeError("host matching enabled and a subdomain was provided")
        elif subdomain is None:
            subdomain = self.default_subdomain
        return MapAdapter(
            self,
            encode_host(server_name.lower()),
            "/" if script_name is None else script_name,
            subdomain,
            url_scheme,
            "/" if path_info is None else path_info,
            default_method,
            query_args,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.iter_rules())!r})"


def encode_host(host: str) -> str:
    """A host and port with the name in IDNA's ASCII form.

    >>> encode_host("b\xfccher.example:8000")
    'xn--bcher-kva.example:8000'

    :raises BadHost: if a label is empty or longer than 63 octets.
    """
    name, colon, port = host.partition(":")
    if name.isascii():
        *labels, last = name.split(".")
        if len(last) > 63 or not all(0 < len(label) <= 63 for label in labels):
            raise BadHost()
        return host
    try:
        return f"{name.encode('idna').decode('ascii')}{colon}{port}"
    except UnicodeError as error:
        raise BadHost() from error


def _static_tables(rules: Iterable[Rule], domain: str) -> dict[str, dict[str, Rule]]:
    """What :attr:`Map.static` holds."""
    by_path: dict[str, list[Rule]] = {}
    for rule in rules:
        if not rule.fields and not rule.websocket and rule.domain == domain:
            path = "/".join(part.text or "" for part in rule.parts[1:])
            by_path.setdefault(path, []).append(rule)
    return {
        path: {
            method: rule
            for method, rule in method_table(same).items()
            if method is not None and rule.plain
        }
        for path, same in by_path.items()
    }
