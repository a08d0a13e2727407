"""A map bound to one request: absolute redirects, and URLs for templates and views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, overload
from urllib.parse import quote, urljoin, urlunsplit

from ..exceptions import HTTPException, MethodNotAllowed, RequestRedirect
from .converters import PATH_SAFE
from .errors import BuildError, Redirection
from .matcher import MatchFunction
from .paths import ENCODED_SLASH, quote_path
from .rule import Rule, dump_query, query_pairs

QueryArgs = Mapping[str, Any] | str


class URLSpace(Protocol):
    """What an adapter asks of its map."""

    host_matching: bool
    match: MatchFunction

    def rules_for(self, endpoint: Any) -> Sequence[Rule]:
        """The rules of an endpoint, in the order in which building tries them."""
        ...

    def iter_rules(self, endpoint: Any = None) -> Iterator[Rule]:
        """All rules, or those of one endpoint."""
        ...


class MapAdapter:
    """A map, with what it must know of a request; :meth:`Map.bind` makes it.

    :param map: The map.
    :param server_name: Host and port, without the subdomain.
    :param script_name: Where the application is mounted.
    :param subdomain: Subdomain of the request; ``None`` with host matching.
    :param url_scheme: Scheme of the request.
    :param path_info: The path that :meth:`match` matches by default.
    :param default_method: The method that :meth:`match` takes by default.
    :param query_args: The query that redirects keep by default.
    :source: Werkzeug: the same.
    """

    def __init__(
        self,
        map: URLSpace,
        server_name: str,
        script_name: str,
        subdomain: str | None,
        url_scheme: str,
        path_info: str,
        default_method: str,
        query_args: QueryArgs | None = None,
    ) -> None:
        self.map = map
        self.server_name = server_name
        self.script_name = script_name if script_name.endswith("/") else f"{script_name}/"
        # As it stands in a URL; a percent sign says that it is encoded already.
        self._mount = "/"
        if self.script_name != "/":
            self._mount = quote(self.script_name, safe=f"{PATH_SAFE}%")
        self.subdomain = subdomain
        self.url_scheme = url_scheme
        self.path_info = path_info
        self.default_method = default_method
        self.query_args = query_args
        self.websocket = url_scheme in {"ws", "wss"}

    def dispatch(
        self,
        view_func: Callable[[Any, Mapping[str, Any]], Any],
        path_info: str | None = None,
        method: str | None = None,
        catch_http_exceptions: bool = False,
    ) -> Any:
        """Match, and call ``view_func(endpoint, values)``.

        :param catch_http_exceptions: Return HTTP exceptions, redirects are always returned.
        """
        try:
            endpoint, values = self.match(path_info, method)
            return view_func(endpoint, values)
        except RequestRedirect as redirect:
            return redirect
        except HTTPException as error:
            if catch_http_exceptions:
                return error
            raise

    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: Literal[False] = False,
        query_args: QueryArgs | None = None,
        websocket: bool | None = None,
    ) -> tuple[Any, dict[str, Any]]: ...
    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        *,
        return_rule: Literal[True],
        query_args: QueryArgs | None = None,
        websocket: bool | None = None,
    ) -> tuple[Rule, dict[str, Any]]: ...
    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: bool = False,
        query_args: QueryArgs | None = None,
        websocket: bool | None = None,
    ) -> tuple[Any, dict[str, Any]]: ...
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: bool = False,
        query_args: QueryArgs | None = None,
        websocket: bool | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """The endpoint (or the rule) for a path, and the values for its view.

        :param path_info: The decoded path, by default that of the request.
        :param method: By default that of the request.
        :param return_rule: Give the :class:`Rule` in the endpoint's place.
        :param query_args: The query that a redirect keeps, by default that of the request.
        :param websocket: Match websockets; by default if the scheme is theirs.
        :raises NotFound: if no rule matches.
        :raises MethodNotAllowed: if rules match for other methods, its ``valid_methods``.
        :raises WebsocketMismatch: if rules match only for the other of HTTP and websockets.
        :raises RequestRedirect: if the canonical URL is another one, its ``new_url``.
        """
        if path_info is None:
            path_info = self.path_info
        if path_info and not path_info.startswith(ENCODED_SLASH):
            path_info = f"/{path_info.lstrip('/')}"
        method = (method or self.default_method).upper()
        if websocket is None:
            websocket = self.websocket
        domain = self.server_name if self.map.host_matching else self.subdomain
        try:
            rule, values = self.map.match(path_info, method, domain, websocket)
        except Redirection as redirection:
            raise self.redirect_for(redirection, method, query_args) from None
        return (rule if return_rule else rule.endpoint), values

    def test(self, path_info: str | None = None, method: str | None = None) -> bool:
        """Whether a path matches, directly or by a redirect."""
        try:
            self.match(path_info, method)
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        return True

    def allowed_methods(self, path_info: str | None = None) -> list[str]:
        """The methods that a path answers, if its rules name them."""
        try:
            self.match(path_info, method="--")
        except MethodNotAllowed as error:
            return list(error.valid_methods or ())
        except HTTPException:
            pass
        return []

    def redirect_for(
        self, redirection: Redirection, method: str, query_args: QueryArgs | None = None
    ) -> RequestRedirect:
        """Complete what :meth:`Map.match` raised to an absolute URL.

        :param method: Method of the request.
        :param query_args: The query to keep, by default that of the request.
        """
        rule, values = redirection.rule, redirection.values
        if rule is None:
            path = quote_path(redirection.path or "/")
            return RequestRedirect(self.make_redirect_url(path, query_args))
        if redirection.path is not None:
            url = self.make_redirect_url(redirection.path, query_args, redirection.domain)
        elif rule.alias:
            url = self.make_alias_redirect_url(rule, values, method, query_args)
        else:
            url = self._redirect_target(rule, values)
        return RequestRedirect(url)

    def _redirect_target(self, rule: Rule, values: Mapping[str, Any]) -> str:
        target = rule.redirect_to
        path = target(self, **values) if callable(target) else rule.redirect_path(values)
        scheme = self.url_scheme or "http"
        return urljoin(f"{scheme}://{self.get_host(None)}{self._mount}", path)

    def get_host(self, domain_part: str | None) -> str:
        """The host for a subdomain, or for a host with host matching; ``None``: the request's."""
        if self.map.host_matching:
            return self.server_name if domain_part is None else domain_part
        subdomain = self.subdomain if domain_part is None else domain_part
        return f"{subdomain}.{self.server_name}" if subdomain else self.server_name

    def encode_query_args(self, query_args: QueryArgs) -> str:
        """A query as text."""
        return query_args if isinstance(query_args, str) else dump_query(query_pairs(query_args))

    def make_redirect_url(
        self,
        path_info: str,
        query_args: QueryArgs | None = None,
        domain_part: str | None = None,
    ) -> str:
        """The absolute URL of a path.

        :param path_info: Percent-encoded.
        :param query_args: By default the query of the request.
        :param domain_part: Subdomain or host, by default that of the request.
        """
        if query_args is None:
            query_args = self.query_args
        query = self.encode_query_args(query_args) if query_args else ""
        path = f"{self._mount.strip('/')}/{path_info.lstrip('/')}"
        return urlunsplit((self.url_scheme or "http", self.get_host(domain_part), path, query, ""))

    def make_alias_redirect_url(
        self,
        rule: Rule,
        values: Mapping[str, Any],
        method: str,
        query_args: QueryArgs | None = None,
    ) -> str:
        """The absolute URL of the rule that ``rule`` is an alias of.

        :raises RuntimeError: if there is none.
        """
        if all(other.alias for other in self.map.rules_for(rule.endpoint)):
            raise RuntimeError(f"{rule!r} is an alias, but no other rule leads to its endpoint.")
        url = self.build(rule.endpoint, values, method, append_unknown=False, force_external=True)
        if query_args is None:
            query_args = self.query_args
        return f"{url}?{self.encode_query_args(query_args)}" if query_args else url

    def build(
        self,
        endpoint: Any,
        values: Mapping[str, Any] | None = None,
        method: str | None = None,
        force_external: bool = False,
        append_unknown: bool = True,
        url_scheme: str | None = None,
    ) -> str:
        """A URL for an endpoint.

        A path where that is enough; absolute where the domain is another one, for websockets, and
        where asked for.

        :param values: Values for the placeholders; others become the query, lists repeated
            names, and ``None`` is left out.
        :param method: Take a rule for this method; by default preferably one for the request's.
        :param force_external: Make it absolute.
        :param append_unknown: Keep values that the rule does not know, as the query.
        :param url_scheme: By default that of the request; empty: begins with ``//``.
        :raises BuildError: if no rule of the endpoint fits.
        """
        given = _known(values)
        built = self._partial_build(endpoint, given, method, append_unknown)
        if built is None:
            raise BuildError(endpoint, given, method, self)
        domain, path, websocket = built
        host = self.get_host(domain)
        scheme = self.url_scheme if url_scheme is None else url_scheme
        secure = scheme in {"https", "wss"}
        if websocket:
            force_external = True
            scheme = "wss" if secure else "ws"
        elif scheme:
            scheme = "https" if secure else "http"
        here = host == self.server_name if self.map.host_matching else domain == self.subdomain
        path = f"{self._mount}{path.lstrip('/')}"
        if here and not force_external:
            return path
        return f"{scheme}://{host}{path}" if scheme else f"//{host}{path}"

    def _partial_build(
        self, endpoint: Any, values: Mapping[str, Any], method: str | None, append_unknown: bool
    ) -> tuple[str, str, bool] | None:
        if method is None:
            built = self._partial_build(endpoint, values, self.default_method, append_unknown)
            if built is not None:
                return built
        elsewhere = None
        for rule in self.map.rules_for(endpoint):
            if not rule.suitable_for(values, method):
                continue
            made = rule.build(values, append_unknown)
            if made is None:
                continue
            built = (*made, rule.websocket)
            if not self.map.host_matching or made[0] == self.server_name:
                return built
            elsewhere = elsewhere or built
        return elsewhere


def _known(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values without those that are ``None``; of a MultiDict, lists of more than one."""
    if not values:
        return {}
    lists = getattr(values, "lists", None)
    if lists is not None:
        return {name: items[0] if len(items) == 1 else items for name, items in lists() if items}
    return {name: value for name, value in values.items() if value is not None}
