"""One HTTP request."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from .. import json as json_functions
from ..exceptions import BadRequest, HTTPException, RequestEntityTooLarge, UnsupportedMediaType
from ..http.datastructures import CombinedMultiDict, ImmutableMultiDict, MultiDict
from ..http.urls import TooManyPairs, parse_query, query_args
from ..local import lazy
from .inbound import Receive
from .request_body import RequestBody

if TYPE_CHECKING:
    from ..routing import Rule

_unset: Any = object()


class Request(RequestBody):
    """What a client asked for.

    Everything is a plain attribute in ``def`` and ``async def`` views alike, for the body is
    loaded before the first hook; what is wrong with it is raised where it is first asked for.
    Nothing is parsed before that. Subclass it to change what the class attributes say, and
    assign the subclass to ``app.request_class``.

    >>> request = Request({"method": "GET", "path": "/", "headers": [], "query_string": b"n=3"})
    >>> request.args.get("n", type=int)
    3

    :param scope: The ASGI scope.
    :param receive: The ASGI callable that the body comes from; ``None``: there is no body.
    :source: Flask and Werkzeug: the same names and meanings, without the WSGI environ.
    """

    __slots__ = ("routing_exception", "scope", "url_rule", "view_args")

    #: The rule that matched; ``None`` if none did, or before matching.
    url_rule: Rule | None
    #: The values that the rule found in the path.
    view_args: dict[str, Any] | None
    #: What the matching raised, if it did.
    routing_exception: HTTPException | None

    #: Has ``loads(text)`` for :meth:`get_json`.
    json_module: Any = json_functions

    # For (silent=False, silent=True).
    _parsed_json: tuple[Any, Any] = (_unset, _unset)

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive | None = None) -> None:
        self.scope = scope
        self._receive = receive
        self.url_rule = self.view_args = self.routing_exception = None

    def __repr__(self) -> str:
        try:
            url = repr(self.url)
        except HTTPException as error:
            url = f"(invalid URL: {error.description})"
        return f"<{type(self).__name__} {url} [{self.method}]>"

    # What matched

    @property
    def endpoint(self) -> str | None:
        """The endpoint of the rule that matched."""
        return None if self.url_rule is None else self.url_rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The name, with those of its parents, of the blueprint that the endpoint is on."""
        return (self.endpoint or "").rpartition(".")[0] or None

    @property
    def blueprints(self) -> list[str]:
        """:attr:`blueprint` and its parents, innermost first."""
        names = []
        name = self.blueprint or ""
        while name:
            names.append(name)
            name = name.rpartition(".")[0]
        return names

    # Query string

    @lazy
    def args(self) -> MultiDict[str, str]:
        """The parameters in the URL's query string.

        :raises RequestEntityTooLarge: a 413, if there are more than :attr:`max_form_parts`.
        """
        query = self.scope.get("query_string") or b""
        make = self.parameter_storage_class
        try:
            if make is ImmutableMultiDict:
                args: MultiDict[str, str] = query_args(query, self.max_form_parts)
                return args
            return make(parse_query(query, self.max_form_parts))
        except TooManyPairs:
            raise RequestEntityTooLarge(
                "The URL has more parameters than the server accepts."
            ) from None

    @lazy
    def values(self) -> CombinedMultiDict[str, str]:
        """:attr:`args` and, unless the method is GET, :attr:`form` together."""
        sources = [self.args]
        if self.method != "GET":
            sources.append(self.form)
        return CombinedMultiDict(sources)

    # JSON

    @property
    def json(self) -> Any:
        """The body's JSON; :meth:`get_json` without arguments.

        :raises UnsupportedMediaType: a 415, if the body is not said to be JSON.
        """
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Parse the body as JSON, which is UTF-8.

        :param force: Whatever the Content-Type says.
        :param silent: ``None`` instead of an error.
        :param cache: Keep the result for the next call.
        :return: What :meth:`on_json_loading_failed` returns, if that returns.
        :raises BadRequest: if the body is not valid JSON.
        :raises UnsupportedMediaType: a 415, if the Content-Type is not that of JSON.
        :source: RFC 8259. Flask: the same, but it takes NaN and UTF-16 too.
        """
        if cache and (found := self._parsed_json[silent]) is not _unset:
            return found
        if not force and not self.is_json:
            return None if silent else self.on_json_loading_failed(None)
        body = self._loaded()
        self._keep_body = True
        try:
            text = body.decode()
            # RFC 8259, section 8.1, lets a reader ignore the byte order mark.
            value = self.json_module.loads(text[1:] if text[:1] == "\ufeff" else text)
        except (ValueError, RecursionError) as error:
            if silent:
                value = None
            else:
                if not isinstance(error, ValueError):
                    error = ValueError("The JSON is nested too deeply.")
                value = self.on_json_loading_failed(error)
            if cache:
                first, second = self._parsed_json
                self._parsed_json = (first, None) if silent else (value, second)
        else:
            if cache:
                self._parsed_json = (value, value)
        return value

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Called by :meth:`get_json` for a body that is not JSON.

        Override it to return something else in its place.

        :param e: What is wrong with the body; ``None`` if its Content-Type is not JSON's.
        """
        if e is None:
            raise UnsupportedMediaType(
                "The request's body was not read as JSON, because its Content-Type is not"
                " 'application/json'."
            )
        if self._debug():
            raise BadRequest(f"Failed to decode JSON object: {e}") from e
        raise BadRequest() from e

    def on_json_loading_failure(self, e: ValueError | None) -> Any:
        """:meth:`on_json_loading_failed`, which is the one to override."""
        return self.on_json_loading_failed(e)
