"""The proxies that user code imports: ``request``, ``session``, ``g``, ``current_app``.

Each stands for a part of the current :class:`~kolben.context.Context`. Inside Kolben the
context is passed as an argument; these are for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .context import NO_APP, NO_REQUEST, Context, _AppCtxGlobals, current
from .local import Proxy, typed_proxy
from .sessions import SessionMixin
from .wrappers import Request

if TYPE_CHECKING:
    from .context import Kolben


def _find_app() -> Kolben:
    ctx = current.get(None)
    if ctx is None:
        raise RuntimeError(NO_APP)
    return ctx.app


def _find_g() -> _AppCtxGlobals:
    ctx = current.get(None)
    if ctx is None:
        raise RuntimeError(NO_APP)
    return ctx.g  # type: ignore[no-any-return]


def _find_app_ctx() -> Context:
    ctx = current.get(None)
    if ctx is None:
        raise RuntimeError(NO_APP)
    return ctx.base


def _find_request_ctx() -> Context:
    ctx = current.get(None)
    if ctx is None or ctx.request is None:
        raise RuntimeError(NO_REQUEST)
    return ctx._lender or ctx


def _find_request() -> Request:
    ctx = current.get(None)
    if ctx is None:
        raise RuntimeError(NO_REQUEST)
    request = ctx._request  # the property costs more, and is needed for the first use alone
    if request is None and (request := ctx.request) is None:
        raise RuntimeError(NO_REQUEST)
    return request


def _find_session() -> SessionMixin:
    ctx = current.get(None)
    if ctx is None or ctx.request is None:
        raise RuntimeError(NO_REQUEST)
    return ctx.session


def _proxy(find: Any) -> Any:
    return Proxy(find)


#: The application that handles the current request or command.
current_app: Kolben = _proxy(_find_app)
#: The current application context itself; for extensions.
app_ctx: Context = _proxy(_find_app_ctx)
#: The current request context itself; for extensions.
request_ctx: Context = _proxy(_find_request_ctx)
#: A namespace for one request or application context.
g: _AppCtxGlobals = _proxy(_find_g)
#: The request that is being handled.
request: Request = typed_proxy(Request, _find_request)
#: The session of the current request's client.
session: SessionMixin = _proxy(_find_session)
