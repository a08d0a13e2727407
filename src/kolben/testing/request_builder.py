"""From what a test says about a request to its ASGI scope and body."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from functools import cache
from typing import IO, Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from ..http.datastructures import Authorization, FileMultiDict, Headers, MultiDict
from ..http.urls import iri_to_uri
from ..json import dumps
from ..wrappers import Request
from .environ import apply_environ
from .forms import dump_multipart, dump_urlencoded
from .wsgi import make_environ

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class RequestBuilder:
    """Collects what a request consists of, and gives its ASGI scope and body.

    What a test leaves out comes from the application's configuration: the host from
    ``SERVER_NAME``, the prefix from ``APPLICATION_ROOT``, the scheme from
    ``PREFERRED_URL_SCHEME``. The methods of :class:`Client` and
    :meth:`Kolben.test_request_context` take the same arguments.

    :param app: The application; any ASGI application will do.
    :param path: The path, or a whole URL, with or without a query. It may be an IRI; what is
        percent-encoded stays so.
    :param base_url: Scheme, host and prefix of the application.
    :param subdomain: Put before ``SERVER_NAME``; not together with ``base_url``.
    :param url_scheme: Instead of ``PREFERRED_URL_SCHEME``; not together with ``base_url``.
    :param query_string: A text, or a mapping of arguments.
    :param method: The method.
    :param input_stream: A binary file to be sent as the body.
    :param content_type: The ``Content-Type``; found out from ``data`` and ``json`` otherwise.
    :param content_length: The ``Content-Length``, where it should differ from the true one.
    :param headers: A mapping, pairs, or :class:`Headers`. A ``Host`` replaces the host.
    :param data: Bytes or text for the body; a mapping of form fields, whose values are texts,
        files, ``(file, filename, content_type)`` tuples or lists of those; a binary file; or an
        iterator, plain or async, of pieces that are sent one after the other.
    :param json: An object to be sent as JSON.
    :param mimetype: A ``Content-Type`` to which a charset is added where it is text.
    :param auth: ``(user, password)``, or an :class:`Authorization`.
    :param http_version: ``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``.
    :param root_path: The prefix under which the application is mounted; from ``base_url``
        otherwise.
    :param extensions: ASGI extensions that the server offers, for example
        ``{"http.response.pathsend": {}}``.
    :param client: Address and port of the client, or ``None`` where the server does not know.
    :param server: Address and port of the server; from the host otherwise.
    :param environ_base: Defaults in the names of a WSGI environ, for tests that come from
        Flask: ``REMOTE_ADDR``, ``HTTP_...`` and so on.
    :param environ_overrides: The same, but stronger than everything else.
    :param scope_overrides: Entries that replace those of the finished scope.
    :raises ValueError: for arguments that contradict each other.
    :source: Werkzeug's documented ``EnvironBuilder`` and Flask's defaults for it.
    """

    def __init__(
        self,
        app: Any,
        path: str = "/",
        base_url: str | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        query_string: str | Mapping[str, Any] | None = None,
        method: str = "GET",
        input_stream: IO[bytes] | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        *,
        headers: Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        data: Any = None,
        json: Any = None,
        mimetype: str | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        http_version: str = "1.1",
        root_path: str | None = None,
        extensions: dict[str, Any] | None = None,
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
        server: tuple[str, int | None] | None = None,
        environ_base: Mapping[str, Any] | None = None,
        environ_overrides: Mapping[str, Any] | None = None,
        scope_overrides: Mapping[str, Any] | None = None,
    ) -> None:
        if base_url is not None and (subdomain or url_scheme):
            raise ValueError('Cannot pass "subdomain" or "url_scheme" with "base_url".')
        self.app = app
        config: Mapping[str, Any] = getattr(app, "config", {})
        if base_url is None:
            base_url, path = _locate(config, path, subdomain, url_scheme)
        self.base_url = base_url
        if root_path is not None:
            self.script_root = root_path
        path, _, query = path.partition("#")[0].partition("?")
        if query and query_string is not None:
            raise ValueError("Query string is defined in the path and as an argument")
        self.path = path
        self.args: MultiDict[str, Any] | None = None
        self.query_string = query if query_string is None else query_string
        self.method = method.upper()
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.http_version = http_version
        self.extensions = extensions
        self.client = client
        self.server = server
        self.environ_base = dict(environ_base or {})
        self.environ_overrides = dict(environ_overrides or {})
        self.scope_overrides = dict(scope_overrides or {})
        self.form: MultiDict[str, Any] = MultiDict()
        self.files = FileMultiDict()
        self.body: bytes | Iterator[bytes] | AsyncIterator[bytes] | None = None
        if mimetype is not None:
            content_type = f"{mimetype}; charset=utf-8" if mimetype[:5] == "text/" else mimetype
        self.content_type = content_type or self.headers.get("Content-Type")
        self.content_length = content_length
        if auth is not None:
            self.headers.set("Authorization", _dump_auth(auth))
        self._set_body(data, json, input_stream)

    @classmethod
    def from_scope(cls, app: Any, scope: Mapping[str, Any], body: Any = None) -> RequestBuilder:
        """A builder that gives the same request again.

        :param app: The application.
        :param scope: The ASGI scope of the request.
        :param body: Its body, if it is known.
        """
        builder = cls(app, http_version=scope["http_version"], client=scope["client"])
        headers = Headers(Headers.from_asgi(scope["headers"]))
        builder.host = headers.pop("Host", "")
        builder.headers, builder.content_type = headers, headers.get("Content-Type")
        builder.url_scheme, builder.script_root = scope["scheme"], scope["root_path"]
        path = scope["path"].removeprefix(scope["root_path"])
        builder.path = quote(path, safe="/:@!$&'()*+,;=~")
        builder.query_string = scope["query_string"].decode("ascii")
        builder.method = scope["method"]
        builder.extensions = scope.get("extensions")
        builder.body = body or None
        return builder

    @classmethod
    def from_environ(cls, app: Any, environ: Mapping[str, Any]) -> RequestBuilder:
        """A builder for the request that a WSGI environ describes."""
        stream, scheme = environ.get("wsgi.input"), environ.get("wsgi.url_scheme", "http")
        kept = {key: value for key, value in environ.items() if not key.startswith("wsgi.")}
        kept["wsgi.url_scheme"] = scheme
        return cls(app, input_stream=stream, environ_overrides=kept)

    def drop_body(self) -> None:
        """Forget the body, and the headers that describe it."""
        self.body = self.content_type = self.content_length = None
        self.form.clear()
        self.files.clear()
        for name in ("Content-Type", "Content-Length", "Transfer-Encoding"):
            self.headers.remove(name)

    def _set_body(self, data: Any, json: Any, input_stream: IO[bytes] | None) -> None:
        if sum(value is not None for value in (data, json, input_stream)) > 1:
            raise ValueError("Pass only one of 'data', 'json' and 'input_stream'.")
        if json is not None:
            self.body = self.json_dumps(json).encode()
            self.content_type = self.content_type or "application/json"
        elif input_stream is not None:
            self.body = input_stream.read()
        elif isinstance(data, Mapping):
            for key, value in _iter_fields(data):
                self.add(key, value)
        elif hasattr(data, "read"):
            self.body = _to_bytes(data.read())
        elif isinstance(data, (str, bytes, bytearray, memoryview)):
            self.body = _to_bytes(data) or None
        elif isinstance(data, AsyncIterable):
            self.body = aiter(data)
        elif data is not None:
            self.body = iter(data)

    def add(self, key: str, value: Any) -> None:
        """Add a field or a file to the form."""
        if isinstance(value, tuple):
            self.files.add_file(key, *value)
        elif hasattr(value, "read"):
            self.files.add_file(key, value)
        else:
            self.form.add(key, value)

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write JSON as the application does."""
        provider = getattr(self.app, "json", None)
        return str(provider.dumps(obj, **kwargs) if provider is not None else dumps(obj, **kwargs))

    @property
    def base_url(self) -> str:
        """Scheme, host and prefix of the application, ending in a slash."""
        return f"{self.url_scheme}://{self.host}{self.script_root}/"

    @base_url.setter
    def base_url(self, value: str) -> None:
        scheme, netloc, path, query, fragment = urlsplit(iri_to_uri(value))
        if query or fragment:
            raise ValueError("base url must not contain a query string or fragment")
        self.url_scheme = scheme
        self.host = netloc
        self.script_root = unquote(path.rstrip("/"))

    @property
    def query_string(self) -> str:
        """The query, encoded."""
        return dump_urlencoded(self.args.items(multi=True)) if self.args else self._query

    @query_string.setter
    def query_string(self, value: str | Mapping[str, Any]) -> None:
        if isinstance(value, str):
            self._query, self.args = iri_to_uri(f"?{value}")[1:], None
        else:
            self._query = ""
            self.args = value if isinstance(value, MultiDict) else MultiDict(value)

    @property
    def server_name(self) -> str:
        """The host without its port."""
        return urlsplit(f"//{self.host}").hostname or ""

    @property
    def server_port(self) -> int:
        """The port of the host, or that of the scheme."""
        try:
            port = urlsplit(f"//{self.host}").port
        except ValueError:
            port = None
        return port or (443 if self.url_scheme == "https" else 80)

    def build(self) -> tuple[dict[str, Any], bytes | Iterator[bytes] | AsyncIterator[bytes]]:
        """The scope of the request, and its body.

        Each call gives a scope of its own. A form is written anew each time, from files as far
        as they can be read.
        """
        body, content_type = self._dump_body()
        headers = Headers(self.headers)
        if content_type is not None:
            headers.set("Content-Type", content_type)
        if self.content_length is not None:
            headers.set("Content-Length", str(self.content_length))
        elif isinstance(body, bytes):
            if body and "Content-Length" not in headers:
                headers.set("Content-Length", str(len(body)))
        elif body is not None and "Content-Length" not in headers and self.http_version == "1.1":
            headers.setdefault("Transfer-Encoding", "chunked")
        pairs = headers.to_asgi()
        if self.host and "Host" not in headers:
            pairs.insert(0, (b"host", self.host.encode("latin-1")))
        root_path = self.script_root
        raw_path = iri_to_uri(root_path + self.path)
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": self.http_version,
            "method": self.method,
            "scheme": self.url_scheme,
            # Servers give the path with root_path before it, percent-decoded.
            "path": _decode(raw_path),
            "raw_path": raw_path.encode("ascii"),
            "query_string": self.query_string.encode("ascii"),
            "root_path": root_path,
            "headers": pairs,
            "client": self.client,
            "server": self.server or (self.server_name, self.server_port),
            "extensions": dict(self.extensions or {}),
            "state": {},
        }
        apply_environ(scope, self.environ_base, override=False)
        apply_environ(scope, self.environ_overrides, override=True)
        scope.update(self.scope_overrides)
        return scope, b"" if body is None else body

    def _dump_body(
        self,
    ) -> tuple[bytes | Iterator[bytes] | AsyncIterator[bytes] | None, str | None]:
        content_type = self.content_type
        mimetype = (content_type or "").partition(";")[0].strip().lower()
        if self.body is not None or not (self.form or self.files or mimetype in (FORM, MULTIPART)):
            return self.body, content_type
        if mimetype == MULTIPART or (self.files and not mimetype):
            files = list(self.files.items(multi=True))
            body, boundary = dump_multipart(self.form.items(multi=True), files)
            return body, f'{MULTIPART}; boundary="{boundary}"'
        if self.files or mimetype not in ("", FORM):
            raise ValueError(
                f"A form cannot be sent as {content_type!r}. Pass 'json=' for JSON, or the body"
                " itself as text or bytes."
            )
        return dump_urlencoded(self.form.items(multi=True)).encode(), content_type or FORM

    def request(self, cls: type[Request] | None = None) -> Request:
        """The request itself, its body loaded.

        :param cls: Its class; that of the application otherwise.
        :raises TypeError: if the body is an async iterator.
        """
        try:
            scope, body = self.build()
        finally:
            self.close()
        body = _join(body)
        default: type[Request] = getattr(self.app, "request_class", Request)
        request = (default if cls is None else cls)(scope)
        request.set_body(body)
        return request

    get_request = request

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environ of the request.

        :raises TypeError: if the body is an async iterator.
        """
        scope, body = self.build()
        return make_environ(scope, _join(body))

    def close(self) -> None:
        """Close the files of the form."""
        for file in self.files.values():
            file.close()


def build_scope(
    app: Any, *args: Any, **kwargs: Any
) -> tuple[dict[str, Any], bytes | Iterator[bytes] | AsyncIterator[bytes]]:
    """The ASGI scope and the body of one request; the arguments of :class:`RequestBuilder`."""
    builder = RequestBuilder(app, *args, **kwargs)
    try:
        return builder.build()
    finally:
        builder.close()


def _locate(
    config: Mapping[str, Any], path: str, subdomain: str | None, url_scheme: str | None
) -> tuple[str, str]:
    """Base URL and path, from what the configuration and a path or whole URL say."""
    host = config.get("SERVER_NAME") or "localhost"
    if subdomain:
        host = f"{subdomain}.{host}"
    scheme = url_scheme or config.get("PREFERRED_URL_SCHEME") or "http"
    # A path may well begin with two slashes: only what has a scheme is a URL.
    head, separator, rest = path.partition("://")
    if separator and head.isalnum():
        scheme, (host, slash, rest) = head, rest.partition("/")
        if "?" in host:
            host, _, rest = host.partition("?")
            slash, rest = "/", f"?{rest}"
        path = slash + rest
    root = (config.get("APPLICATION_ROOT") or "/").strip("/")
    return f"{scheme}://{host}/{root}", path or "/"


def _iter_fields(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(data, MultiDict):
        yield from data.items(multi=True)
        return
    for key, value in data.items():
        if isinstance(value, list):
            for item in value:
                yield key, item
        else:
            yield key, value


def _dump_auth(auth: Authorization | tuple[str, str]) -> str:
    if isinstance(auth, tuple):
        return "Basic " + base64.b64encode(":".join(auth).encode()).decode()
    return auth.to_header()


def _to_bytes(data: Any) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


def _join(body: bytes | Iterator[bytes] | AsyncIterator[bytes]) -> bytes:
    if isinstance(body, AsyncIterator):
        raise TypeError("The body of this request is an async iterator, which only a client sends.")
    return body if isinstance(body, bytes) else b"".join(body)


def _decode(raw_path: str) -> str:
    return unquote_to_bytes(raw_path).decode("utf-8", "replace")


@cache
def user_agent() -> str:
    """What a test client calls itself."""
    from importlib.metadata import version  # dear, and only tests want it

    return f"Kolben/{version('kolben')}"
