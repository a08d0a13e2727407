"""Mounted applications: which one a request is for, and how it gets the request.

:source: ASGI specification 3.0, HTTP connection scope: ``root_path`` and ``path``; PEP 3333:
    ``SCRIPT_NAME`` and ``PATH_INFO``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any

from ..exceptions import HTTPException, NotFound
from ..registry.mounts import MountRecord
from ..routing import Redirection
from ..routing.paths import ENCODED_SLASH, route_path
from ..wrappers.request_fields import path_of
from .bridge import over_loop
from .environ import Environ
from .mounted_wsgi import WSGIApp, serve_wsgi
from .mounting import OF_LITESTAR, remounted

if TYPE_CHECKING:
    from .._types import ASGIApp, Message, Receive, Scope, Send
    from ..context import Kolben


class Mount:
    """One mounted application; an ASGI application for scopes of the outer one."""

    def __init__(self, record: MountRecord, threads: int) -> None:
        self.prefix = record.prefix
        self.state = record.state
        self.app: ASGIApp = serve_wsgi(record.app, threads) if record.wsgi else record.app
        #: Answers where there is no event loop, under WSGI; ``None`` for what needs one.
        self._inline: ASGIApp | None = None
        if record.is_kolben and record.app.runs_inline:
            self._inline = record.app.asgi_app
        self._is_foreign = not (record.wsgi or record.is_kolben)
        self._wsgi_app: WSGIApp | None = None
        if record.wsgi or record.is_kolben:
            self._wsgi_app = record.app
        self._wsgi_prefix = record.prefix.encode().decode("latin-1")

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Hand on a connection."""
        return self.app(self.below(scope), receive, lowered(send) if self._is_foreign else send)

    def serve_inline(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """The same under WSGI, where no event loop runs: the thread that drives it may block."""
        if self._inline is None:
            return over_loop(self, scope, receive, send)
        return self._inline(self.below(scope), receive, send)

    def below(self, scope: Scope) -> Scope:
        """A scope that says what the prefix is; the one that is given stays as it is."""
        if OF_LITESTAR in scope:
            scope = remounted(scope)
        below = {**scope}
        root: str = scope.get("root_path") or ""
        if not root:
            below["root_path"] = self.prefix
        else:
            root = root.rstrip("/")
            path: str = scope["path"]
            if not path.startswith(root) or path[len(root) : len(root) + 1] not in ("", "/"):
                below["path"] = root + path  # some servers take the prefix off
            below["root_path"] = root + self.prefix
        if self.state:
            below["state"] = {**(scope.get("state") or {}), **self.state}
        return below

    @property
    def wsgi(self) -> WSGIApp | None:
        """Answers a WSGI request without an event loop; ``None`` if only ASGI can."""
        return None if self._wsgi_app is None else self._call_wsgi

    def _call_wsgi(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        below = {**environ}
        below["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "").rstrip("/") + self._wsgi_prefix
        below["PATH_INFO"] = environ.get("PATH_INFO", "")[len(self._wsgi_prefix) :]
        return self._wsgi_app(below, start_response)  # type: ignore[misc]


def lowered(send: Send) -> Send:
    """``send`` for an application that does not write header names in lower case, as Django.

    The test client would refuse what it sends, and middleware not find what it looks for.

    :source: ASGI specification 3.0, Response Start: names must be in lower case.
    """

    def send_lowered(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            for name, _ in message.get("headers", ()):
                if not name.islower():
                    headers = [(name.lower(), value) for name, value in message["headers"]]
                    message = {**message, "headers": headers}
                    break
        return send(message)

    return send_lowered


class Mounts:
    """The applications that are mounted in one, for finding that of a request.

    Finding one costs the same however many there are: one look-up for each segment, as far as
    the deepest prefix goes.
    """

    def __init__(self, app: Kolben) -> None:
        threads: int = app.config["WORKER_THREADS"]
        mounts = [Mount(record, threads) for record in app.mounts]
        self.by_prefix = {mount.prefix: mount for mount in mounts}
        #: What gets the requests that nothing else is there for.
        self.last = self.by_prefix.pop("", None)
        #: By the first segment, how many segments the longest prefix has that begins with it.
        self.depths: dict[str, int] = {}
        for prefix in self.by_prefix:
            first = "/" + prefix.split("/", 2)[1]
            self.depths[first] = max(self.depths.get(first, 0), prefix.count("/"))

    def find(self, app: Kolben, scope: Scope) -> Mount | None:
        """The mount that answers a request or websocket; ``None`` if ``app`` itself does.

        :param app: The outer application. It is asked whether it has a route where there is a
            mount at ``"/"`` alone.
        """
        path: str = scope["path"]
        raw_path: bytes | None = scope.get("raw_path")
        encoded = raw_path is not None and b"%2" in raw_path
        if encoded or scope.get("root_path") or OF_LITESTAR in scope:
            path = _path_below(scope)
        end = path.find("/", 1)
        head = path if end < 0 else path[:end]
        depth = self.depths.get(head)
        if depth is not None:
            found = self.by_prefix.get(head)
            if depth > 1 and end > 0:
                found = self._longest(path, end, depth) or found
            if found is not None:
                return found
        if self.last is not None and not has_route(app, scope, path):
            return self.last
        return None

    def _longest(self, path: str, end: int, depth: int) -> Mount | None:
        found = None
        for _ in range(1, depth):
            end = path.find("/", end + 1)
            if end < 0:
                return self.by_prefix.get(path, found)
            found = self.by_prefix.get(path[:end], found)
        return found


def _path_below(scope: Scope) -> str:
    """The path below the prefix of the outer application; an encoded slash is no slash in it."""
    if OF_LITESTAR in scope:
        scope = remounted(scope)
    root: str = scope.get("root_path") or ""
    path = path_of(scope) if root else scope["path"]
    return route_path(path, scope.get("raw_path"), root).removeprefix(ENCODED_SLASH)


def has_route(app: Kolben, scope: Scope, path: str) -> bool:
    """Whether an application answers a path by a route of its own, if only with an error."""
    method = scope.get("method", "GET")
    websocket = scope["type"] == "websocket"
    try:
        if app.url_map.uses_domains:
            adapter = app.create_url_adapter(app.request_class({**scope, "method": method}))
            adapter.match(websocket=websocket)  # type: ignore[union-attr]
        else:
            app.url_map.match(_marked(path), method, None, websocket)
    except NotFound:
        return False
    except (HTTPException, Redirection):
        pass
    return True


def _marked(path: str) -> str:
    return ENCODED_SLASH + path if ENCODED_SLASH in path else path
