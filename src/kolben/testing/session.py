"""The session of a test client, opened and saved outside any request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any

from ..http.datastructures import Headers
from ..local import call
from ..sessions import SessionMixin

Scope = dict[str, Any]


class SessionTransaction:
    """What :meth:`Client.session_transaction` returns: a context manager, plain or async.

    :param app: The application.
    :param args: Those of :meth:`Kolben.test_request_context`.
    :param kwargs: Those of :meth:`Kolben.test_request_context`.
    :param add_cookies: Puts the client's cookies into the scope of a request.
    :param update_cookies: Takes the cookies that a response to such a request sets.
    """

    def __init__(
        self,
        app: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        add_cookies: Callable[[Scope], None],
        update_cookies: Callable[[Scope, Headers], None],
    ) -> None:
        self._app = app
        self._arguments = args, kwargs
        self._add_cookies = add_cookies
        self._update_cookies = update_cookies

    def __enter__(self) -> SessionMixin:
        ctx = self._begin()
        with ctx:
            return self._keep(call(self._interface.open_session, self._app, ctx.request))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if exc is None and not self._interface.is_null_session(self._session):
            with self._ctx:
                call(self._interface.save_session, self._app, self._session, self._response)
            self._end()

    async def __aenter__(self) -> SessionMixin:
        ctx = self._begin()
        async with ctx:
            opened = self._interface.open_session(self._app, ctx.request)
            return self._keep(await opened if inspect.isawaitable(opened) else opened)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if exc is None and not self._interface.is_null_session(self._session):
            async with self._ctx:
                saved = self._interface.save_session(self._app, self._session, self._response)
                if inspect.isawaitable(saved):
                    await saved
            self._end()

    def _begin(self) -> Any:
        args, kwargs = self._arguments
        self._interface = self._app.session_interface
        self._ctx = self._app.test_request_context(*args, **kwargs)
        self._add_cookies(self._ctx.request.scope)
        return self._ctx

    def _keep(self, session: SessionMixin | None) -> SessionMixin:
        if session is None:
            raise RuntimeError("Session backend did not open a session.")
        self._session = session
        self._response = self._app.response_class()
        return session

    def _end(self) -> None:
        self._update_cookies(self._ctx.request.scope, self._response.headers)
