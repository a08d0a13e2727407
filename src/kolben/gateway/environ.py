"""A WSGI request as ASGI describes one: its environ as a scope, its input as messages.

:source: PEP 3333; ASGI specification 3.0, HTTP & WebSocket message format 2.5.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..exceptions import ClientDisconnected
from ..wrappers.inbound import ENDLESS, INVALID, UNKNOWN

if TYPE_CHECKING:
    from .._types import Message, RawHeader, Scope

Environ = dict[str, Any]

#: Bytes of a body that are read at once.
PIECE = 64 * 1024
#: The header fields that clients usually send, by their names in an environ.
NAMES: dict[str, bytes] = {
    "HTTP_" + name.upper().replace("-", "_"): name.encode()
    for name in (
        "accept accept-encoding accept-language authorization cache-control connection cookie dnt"
        " expect forwarded host if-match if-modified-since if-none-match if-range origin pragma"
        " priority range referer sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest"
        " sec-fetch-mode sec-fetch-site sec-fetch-user te transfer-encoding"
        " upgrade-insecure-requests user-agent via x-forwarded-for x-forwarded-host"
        " x-forwarded-port x-forwarded-prefix x-forwarded-proto x-real-ip x-request-id"
        " x-requested-with"
    ).split()
}
#: Their requests have a body only if they say so.
WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS"))
#: They are in the environ under names of their own; what a client calls so is none of them.
WITHOUT_PREFIX = frozenset(("HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"))


def _text(value: str) -> str:
    # PEP 3333: text of an environ stands for bytes, one character for each.
    return (
        value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")
    )


def _path(environ: Environ) -> str:
    return _text(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))


def _raw_path(environ: Environ) -> bytes:
    uri: str | None = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if uri is None:
        return quote(_path(environ)).encode()
    uri = uri.partition("?")[0]
    if uri[:1] != "/":  # a proxy's form: with scheme and host
        uri = "/" + uri.partition("://")[2].partition("/")[2]
    return uri.encode("latin-1", "replace")


def _headers(environ: Environ) -> list[RawHeader]:
    found = []
    for key, value in environ.items():
        if key in NAMES:
            found.append((NAMES[key], value.encode("latin-1", "replace")))
        elif key[:5] == "HTTP_" and key not in WITHOUT_PREFIX:
            name = key[5:].replace("_", "-").lower().encode("latin-1", "replace")
            found.append((name, value.encode("latin-1", "replace")))
    if value := environ.get("CONTENT_TYPE"):
        found.append((b"content-type", value.encode("latin-1", "replace")))
    if value := environ.get("CONTENT_LENGTH"):
        found.append((b"content-length", value.encode("latin-1", "replace")))
    return found


def _port(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _client(environ: Environ) -> tuple[str, int] | None:
    address = environ.get("REMOTE_ADDR")
    return (address, _port(environ.get("REMOTE_PORT")) or 0) if address else None


def _server(environ: Environ) -> tuple[str, int | None] | None:
    name = environ.get("SERVER_NAME")
    return (name, _port(environ.get("SERVER_PORT"))) if name else None


def _http_version(environ: Environ) -> str:
    version: str = environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2]
    return version.removesuffix(".0") if version[:1] not in "01" else version


def _extensions(environ: Environ) -> dict[str, Any]:
    return {"http.response.pathsend": {}} if "wsgi.file_wrapper" in environ else {}


#: What each key of the scope is made with.
MAKERS: dict[str, Callable[[Environ], Any]] = {
    "type": lambda environ: "http",
    # In later versions applications wait for an error from send, instead of the message that
    # the client has left. One that has nothing to send would learn of it too late.
    "asgi": lambda environ: {"version": "3.0", "spec_version": "2.3"},
    "http_version": _http_version,
    "method": lambda environ: environ["REQUEST_METHOD"],
    "scheme": lambda environ: environ.get("wsgi.url_scheme", "http"),
    "path": _path,
    "raw_path": _raw_path,
    "query_string": lambda environ: environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
    "root_path": lambda environ: _text(environ.get("SCRIPT_NAME", "")),
    "headers": _headers,
    "client": _client,
    "server": _server,
    "extensions": _extensions,
    "wsgi_environ": lambda environ: environ,
}


class EnvironScope(dict[str, Any]):
    """The scope of a WSGI request; each value is made when it is first asked for.

    >>> scope = EnvironScope({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/app", "PATH_INFO": "/x"})
    >>> scope["path"], scope["root_path"], scope.get("headers")
    ('/app/x', '/app', [])

    Beside what ASGI has there is ``wsgi_environ``, the environ itself.
    """

    __slots__ = ("environ",)

    environ: Environ

    def __init__(self, environ: Environ) -> None:
        self.environ = environ

    def __missing__(self, key: str) -> Any:
        value = self[key] = MAKERS[key](self.environ)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or ``default`` where there is none."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, key) or key in MAKERS

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a key, set to ``default`` where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def whole(self) -> Scope:
        """A plain dictionary of everything."""
        made = {key: self[key] for key in MAKERS}
        return {**made, **{key: self[key] for key in dict.keys(self)}}

    # Whoever copies a scope goes by these.

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole())

    def __len__(self) -> int:
        return len(self.whole())

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """All keys."""
        return self.whole().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """All values."""
        return self.whole().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """All keys with their values."""
        return self.whole().items()

    def copy(self) -> dict[str, Any]:
        """A plain dictionary of everything."""
        return dict(self.whole())

    def __or__(self, other: dict[str, Any]) -> dict[str, Any]:  # type: ignore[override]
        return {**self, **other}


def input_of(environ: Environ) -> Input | None:
    """The body of a request; ``None`` if it comes without one, as far as its head can tell."""
    text: str | None = environ.get("CONTENT_LENGTH")
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    if chunked and environ.get("wsgi.input_terminated"):
        return Input(environ, UNKNOWN, None)
    if text:
        if text.isdecimal() and text.isascii() and len(text) < 20:
            # With chunks, too: whatever stands before this server has put them together.
            length = int(text)
            return Input(environ, length, length) if length else None
        return Input(environ, INVALID, 0)
    if chunked:
        return Input(environ, ENDLESS, 0)
    # In HTTP/2 nothing need announce a body.
    version = environ.get("SERVER_PROTOCOL", "HTTP/1")[:6]
    if version in ("HTTP/1", "HTTP/0") or environ["REQUEST_METHOD"] in WITHOUT_BODY:
        return None
    return Input(environ, UNKNOWN, None if environ.get("wsgi.input_terminated") else 0)


class Input:
    """The body of a WSGI request, as messages; it is never read past its end.

    Called by the thread that the server has given to the request, it blocks.

    :ivar length: The length as :func:`.announced_length` gives it.
    :ivar left: Bytes to come; ``None`` where the stream ends by itself.
    :ivar broken: The client left before the body was complete.
    :source: PEP 3333, "Input and Error Streams"; ``wsgi.input_terminated`` as Werkzeug, Gunicorn
        and Granian know it.
    """

    __slots__ = ("broken", "content_type", "ended", "left", "length", "stream")

    def __init__(self, environ: Environ, length: int, left: int | None) -> None:
        self.stream: Any = environ.get("wsgi.input")
        self.content_type = environ.get("CONTENT_TYPE")
        self.length, self.left = length, left
        self.ended = self.broken = False

    def read_whole(self) -> bytes:
        """All of a body whose length is known and small.

        :raises ClientDisconnected: if the client went away before it was complete.
        """
        self.ended = True
        try:
            data: bytes = self.stream.read(self.length)
            while len(data) < self.length and (more := self.stream.read(self.length - len(data))):
                data += more
        except OSError:
            data = b""
        if len(data) != self.length:
            self.broken = True
            raise ClientDisconnected("The client went away before its request was complete.")
        self.left = 0
        return data

    def read(self) -> Message:
        """The next piece of the body, or the message that the client has gone."""
        left = self.left
        if self.ended:
            return {"type": "http.disconnect"}
        wanted = PIECE if left is None or left > PIECE else left
        try:
            data: bytes = self.stream.read(wanted) if wanted else b""
        except OSError:  # so all servers say that the connection broke, or the body's framing did
            data = b""
            self.broken = True
        if left is None:
            more = bool(data)
        else:
            self.left = left = left - len(data)
            more = left > 0
            self.broken = self.broken or (more and not data)
        self.ended = self.broken or not more
        if self.broken:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": data, "more_body": more}

    async def __call__(self) -> Message:
        """The same as ASGI's ``receive``."""
        return self.read()
