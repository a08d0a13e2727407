"""The test client: requests to an application, without a server in between."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from copy import copy
from types import TracebackType
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from ..gateway.background import BackgroundLoop
from ..http.datastructures import Headers
from ..local import running_backend
from ..wrappers import Request, Response
from .cookies import Cookie, CookieJar
from .exchange import TaskExchange, ThreadExchange
from .lifespan import ClientLifespan
from .preserved import PreservedContexts
from .redirects import Redirects
from .request_builder import RequestBuilder, user_agent
from .response import AsyncChunkIterator, ChunkIterator, Pending, TestResponse
from .session import SessionTransaction
from .wsgi import run_wsgi_app

C = TypeVar("C", bound="Client")

#: One background loop for all the clients of an application, as long as one of them lives:
#: what an application keeps between requests may belong to the loop of its first one.
_loops: weakref.WeakKeyDictionary[Any, weakref.ref[BackgroundLoop]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


class Client:
    """Makes requests to an application, in a test.

    The same methods serve synchronous and asynchronous tests. Called by code without an event
    loop they return the response; where an event loop runs (asyncio's or trio's) they return
    an awaitable that gives it:

    .. code-block:: python

        def test_index():
            response = app.test_client().get("/")
            assert response.status_code == 200

        async def test_index_async():
            response = await app.test_client().get("/")
            assert response.status_code == 200

    In a synchronous test the application runs on a background event loop, but ``def`` views
    and hooks run in the thread of the test. In an asynchronous one it runs on the loop of the
    test, and ``def`` views in worker threads, as in production.

    Inside ``with client:`` (or ``async with``) the context of the last request stays active, so
    that ``request``, ``session`` and ``g`` can be looked at.

    Errors of the application reach the test where the application lets them out (``TESTING``
    or ``PROPAGATE_EXCEPTIONS``). A response that is not legal HTTP/1.1 is an
    :exc:`IllegalResponse`.

    :param application: The application; any ASGI application will do.
    :param response_wrapper: A response class whose methods the responses should have.
    :param use_cookies: Keep cookies between requests.
    :param allow_subdomain_redirects: Follow redirects to subdomains too.
    :source: Flask's documented ``FlaskClient``, Werkzeug's ``Client``.
    """

    def __init__(
        self,
        application: Any,
        response_wrapper: type[Response] | None = None,
        use_cookies: bool = True,
        allow_subdomain_redirects: bool = False,
    ) -> None:
        self.application = application
        self.response_wrapper = _test_response(response_wrapper)
        self.allow_subdomain_redirects = allow_subdomain_redirects
        #: Defaults for every request, in the names of a WSGI environ as in Flask:
        #: ``client.environ_base["REMOTE_ADDR"] = "192.0.2.1"``.
        self.environ_base: dict[str, Any] = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": user_agent(),
        }
        self.preserve_context = False
        self._cookies = CookieJar() if use_cookies else None
        self._preserved = PreservedContexts()
        self._streams: weakref.WeakSet[ChunkIterator] = weakref.WeakSet()
        self._loop: BackgroundLoop | None = None
        #: What the lifespan has left for requests; see :meth:`lifespan`.
        self.state: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.application!r}>"

    # Requests ----------------------------------------------------------------------------

    def open(
        self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any
    ) -> TestResponse:
        """Make a request.

        :param args: Those of :class:`RequestBuilder`; or one builder, request or ASGI scope.
        :param buffered: Read a streamed body to its end before returning.
        :param follow_redirects: Make the requests that redirects ask for, until a response is
            none. :attr:`TestResponse.history` has the others.
        :param kwargs: Those of :class:`RequestBuilder`.
        :return: The response. Where an event loop runs, an awaitable that gives it.
        :raises IllegalResponse: if the response is not legal HTTP/1.1 or ASGI.
        :raises ClientRedirectError: if redirects go in a circle.
        """
        builder = self._make_builder(args, kwargs)
        if running_backend() is None:
            return self._open(builder, buffered, follow_redirects)
        pending = Pending(
            f"{builder.method.lower()}({builder.path!r})",
            lambda: self._open_async(builder, buffered, follow_redirects),
        )
        return cast("TestResponse", pending)

    def get(self, *args: Any, **kw: Any) -> TestResponse:
        """:meth:`open` with the method ``GET``."""
        kw["method"] = "GET"
        return self.open(*args, **kw)

    def post(self, *args: Any, **kw: Any) -> TestResponse:
        """:meth:`open` with the method ``POST``."""
        kw["method"] = "POST"
        return self.open(*args, **kw)

    def put(self, *args: Any, **kw: Any) -> TestResponse:
        """:meth:`open` with the method ``PUT``."""
        kw["method"] = "PUT"
        return self.open(*args, **kw)

    def patch(self, *args: Any, **kw: Any) -> TestResponse:
        """:meth:`open` with the method ``PATCH``."""
        kw["method"] = "PATCH"
        return self.open(*args, **kw)

    def delete(self, *args: Any, **kw: Any) -> TestResponse:
        """:meth:`open` with the method ``DELETE``."""
        kw["method"] = "DELETE"
        return self.open(*args, **kw)

    def head(self, *args: Any, **kw: Any) -> TestResponse:
        """:meth:`open` with the method ``HEAD``."""
        kw["method"] = "HEAD"
        return self.open(*args, **kw)

    def options(self, *args: Any, **kw: Any) -> TestResponse:
        """:meth:`open` with the method ``OPTIONS``."""
        kw["method"] = "OPTIONS"
        return self.open(*args, **kw)

    def trace(self, *args: Any, **kw: Any) -> TestResponse:
        """:meth:`open` with the method ``TRACE``."""
        kw["method"] = "TRACE"
        return self.open(*args, **kw)

    def resolve_redirect(self, response: TestResponse, buffered: bool = False) -> TestResponse:
        """Make the request that a redirecting response asks for."""
        following = Redirects(self.application, self.allow_subdomain_redirects).follow(response)
        return self.open(following, buffered=buffered)

    def _make_builder(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> RequestBuilder:
        first = args[0] if args else None
        if isinstance(first, RequestBuilder):
            builder = copy(first)
        elif isinstance(first, Request):
            builder = RequestBuilder.from_scope(self.application, first.scope, first._body or b"")
        elif isinstance(first, dict) and "REQUEST_METHOD" in first:
            builder = RequestBuilder.from_environ(self.application, first)
        elif isinstance(first, dict):
            builder = RequestBuilder.from_scope(self.application, first)
        else:
            builder = RequestBuilder(self.application, *args, **kwargs)
        builder.environ_base = {**self.environ_base, **builder.environ_base}
        return builder

    def _open(self, builder: RequestBuilder, buffered: bool, follow: bool) -> TestResponse:
        redirects = Redirects(self.application, self.allow_subdomain_redirects)
        response = self._send(builder, buffered)
        while follow and (following := redirects.next(response)) is not None:
            response.get_data()
            response.close()
            response = self._send(following, buffered)
        response.history = redirects.history
        return response

    async def _open_async(
        self, builder: RequestBuilder, buffered: bool, follow: bool
    ) -> TestResponse:
        redirects = Redirects(self.application, self.allow_subdomain_redirects)
        response = await self._send_async(builder, buffered)
        while follow and (following := redirects.next(response)) is not None:
            await response.load()
            await response.aclose()
            response = await self._send_async(following, buffered)
        response.history = redirects.history
        return response

    def _send(self, builder: RequestBuilder, buffered: bool) -> TestResponse:
        self._preserved.pop(self._loop)
        scope, body = self._prepare(builder)
        exchange = ThreadExchange(self.application, scope, body, buffered, self._background())
        try:
            exchange.start()
            if exchange.done:
                exchange.raise_error()
        finally:
            self._preserved.resume()
        chunks = list(exchange.chunks) if exchange.done else ChunkIterator(exchange)
        if isinstance(chunks, ChunkIterator):
            self._streams.add(chunks)
            exchange.loop.users.add(chunks)
        return self._respond(exchange, body, chunks)

    async def _send_async(self, builder: RequestBuilder, buffered: bool) -> TestResponse:
        await self._preserved.pop_async()
        scope, body = self._prepare(builder)
        exchange = TaskExchange(self.application, scope, body, buffered)
        try:
            await exchange.start()
            if exchange.done:
                exchange.raise_error()
        finally:
            self._preserved.resume()
        chunks = list(exchange.chunks) if exchange.done else AsyncChunkIterator(exchange)
        return self._respond(exchange, body, chunks)

    def _prepare(self, builder: RequestBuilder) -> tuple[dict[str, Any], Any]:
        try:
            scope, body = builder.build()
        finally:
            builder.close()
        self._add_cookies(scope)
        scope["state"] = dict(self.state)
        if self.preserve_context:
            scope["kolben.preserve"] = self._preserved.new
        return scope, body

    def _respond(
        self, exchange: ThreadExchange | TaskExchange, body: Any, chunks: Any
    ) -> TestResponse:
        scope, wire = exchange.scope, exchange.wire
        request = getattr(self.application, "request_class", Request)(scope)
        if isinstance(body, bytes):
            request.set_body(body)
        headers = Headers.from_asgi(wire.headers)
        self._update_cookies(scope, headers)
        response = self.response_wrapper(chunks, wire.status or 0, headers, request)
        if (provider := getattr(self.application, "json", None)) is not None:
            response.json_module = provider
        return response

    # Cookies -----------------------------------------------------------------------------

    def get_cookie(self, key: str, domain: str = "localhost", path: str = "/") -> Cookie | None:
        """A cookie that the client keeps, or ``None``.

        :param key: Its name, as the application sees it.
        :param domain: The domain it is for.
        :param path: The path it is for.
        """
        return self._jar().get(key, domain, path)

    def set_cookie(
        self,
        key: str,
        value: str = "",
        *,
        domain: str = "localhost",
        origin_only: bool = True,
        path: str = "/",
        **kwargs: Any,
    ) -> None:
        """Keep a cookie, as if a response had set it.

        The client decides by domain and path with which requests it sends a cookie, and by
        nothing else.

        :param key: Its name.
        :param value: Its value.
        :param domain: The domain it is for.
        :param origin_only: Send it to exactly this domain, not to subdomains.
        :param path: Send it with requests for this path and all below it.
        :param kwargs: Those of :func:`kolben.http.cookies.dump_cookie`.
        """
        self._jar().set(key, value, domain, origin_only, path, **kwargs)

    def delete_cookie(self, key: str, *, domain: str = "localhost", path: str = "/") -> None:
        """Forget a cookie, if the client has it."""
        self._jar().delete(key, domain, path)

    def _jar(self) -> CookieJar:
        if self._cookies is None:
            raise TypeError("Cookies are disabled. Create a client with 'use_cookies=True'.")
        return self._cookies

    def _add_cookies(self, scope: dict[str, Any]) -> None:
        if self._cookies is None:
            return
        value = self._cookies.header(_host(scope), scope["path"])
        if value:
            others = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
            scope["headers"] = [*others, (b"cookie", value.encode("latin-1"))]

    def _update_cookies(self, scope: dict[str, Any], headers: Headers) -> None:
        if self._cookies is not None:
            self._cookies.update(_host(scope), scope["path"], headers.getlist("Set-Cookie"))

    # The session -------------------------------------------------------------------------

    def session_transaction(self, *args: Any, **kwargs: Any) -> SessionTransaction:
        """Change the session that the next requests will have.

        .. code-block:: python

            with client.session_transaction() as session:
                session["user_id"] = 1

        Use ``async with`` in asynchronous tests where the session interface has to wait.

        :param args: Those of :meth:`Kolben.test_request_context`.
        :param kwargs: Those of :meth:`Kolben.test_request_context`.
        :raises TypeError: if the client keeps no cookies.
        """
        self._jar()
        return SessionTransaction(
            self.application, args, kwargs, self._add_cookies, self._update_cookies
        )

    # Beside HTTP requests -----------------------------------------------------------------

    def lifespan(self: C) -> ClientLifespan[C]:
        """Start the application up, and shut it down at the end of the block.

        Requests alone do neither. Use ``with`` or ``async with`` as with the client itself; both
        raise what the application fails with.
        """
        return ClientLifespan(self.application, self.state, self, self._background)

    def run_wsgi_app(
        self, environ: dict[str, Any], buffered: bool = False
    ) -> tuple[Iterable[bytes], str, Headers]:
        """Make a request as a WSGI server does, with the cookies of the client.

        :param environ: The request; :meth:`RequestBuilder.get_environ` makes one.
        :param buffered: Read the whole body before returning.
        :return: Body, status and headers.
        """
        host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname or "localhost"
        path = environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]
        if self._cookies is not None and (value := self._cookies.header(host, path)):
            environ = {**environ, "HTTP_COOKIE": value}
        body, status, headers = run_wsgi_app(self.application, environ, buffered)
        if self._cookies is not None:
            self._cookies.update(host, path, headers.getlist("Set-Cookie"))
        return body, status, headers

    # Contexts ----------------------------------------------------------------------------

    def __enter__(self: C) -> C:
        if self.preserve_context:
            raise RuntimeError("Cannot nest client invocations")
        self.preserve_context = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.preserve_context = False
        self._preserved.pop(self._loop)

    async def __aenter__(self: C) -> C:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.preserve_context = False
        await self._preserved.pop_async()

    # The event loop ----------------------------------------------------------------------

    def _background(self) -> BackgroundLoop:
        if self._loop is None:
            with _lock:
                ref = _loops.get(self.application)
                loop = None if ref is None else ref()
                if loop is None or loop.closed:
                    loop = BackgroundLoop("kolben-test-client")
                    _loops[self.application] = weakref.ref(loop)
                loop.users.add(self)
            self._loop = loop
        return self._loop

    def close(self) -> None:
        """End what the client has begun: contexts, streamed responses, its event loop.

        It happens by itself when the client is freed. The client can be used again.
        """
        self._preserved.pop(self._loop)
        for stream in list(self._streams):
            stream.close()
        loop, self._loop = self._loop, None
        if loop is not None:
            with _lock:
                loop.users -= {self, *self._streams}
                unused = not loop.users
            if unused:
                loop.close()


def _test_response(cls: type[Response] | None) -> type[TestResponse]:
    if cls is None or cls is Response:
        return TestResponse
    if issubclass(cls, TestResponse):
        return cls
    return type("WrapperTestResponse", (TestResponse, cls), {})


def _host(scope: dict[str, Any]) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return urlsplit(f"//{value.decode('latin-1')}").hostname or "localhost"
    return "localhost"
