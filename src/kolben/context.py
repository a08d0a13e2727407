"""What is true during a request, or while an application is active.

There is one context object per request and one context variable that holds it. Flask's
``AppContext`` and ``RequestContext`` are this one class: a context without a request is an
application context. Everything that is not always needed is made at its first use.

The pipeline makes and ends the contexts of real requests; what stands here beside the data
is for those who push one by hand: tests, scripts, the command line, background threads.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar, Token
from inspect import iscoroutinefunction
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .exceptions import HTTPException
from .json.current import provided_by
from .local import wait
from .sessions import SessionInterface
from .wrappers.request_body import RequestBody
from .wrappers.response_fields import ResponseFields

if TYPE_CHECKING:  # the one upward exception: current_app and every context's app are typed
    from ._types import RawHeader, Receive, Scope
    from .app import Kolben as Kolben  # the floors above take the type from here
    from .json import JSONProvider
    from .routing import MapAdapter, Rule
    from .sessions import SessionMixin
    from .wrappers import Request, Response

F = TypeVar("F", bound=Callable[..., Any])
_missing: Any = object()

#: The context of the running request, command or test.
current: ContextVar[Context] = ContextVar("kolben.context")

NO_APP = """\
Working outside of application context.

This typically means that you attempted to use functionality that needed
the current application. To solve this, set up an application context
with app.app_context(). See the documentation on contexts."""

NO_REQUEST = """\
Working outside of request context.

This typically means that you attempted to use functionality that needed
an active HTTP request. Move it into a view or a hook, or, in a test, into
'with app.test_request_context():'. See the documentation on testing."""


def _json_provider() -> JSONProvider | None:
    ctx = current.get(None)
    return None if ctx is None else ctx.app.json


provided_by(_json_provider)


def _current_request() -> Request | None:
    ctx = current.get(None)
    return None if ctx is None else ctx.request


SessionInterface.current_request = staticmethod(_current_request)  # pyright: ignore[reportAttributeAccessIssue]


def _max_cookie_size() -> int | None:
    ctx = current.get(None)
    return None if ctx is None else ctx.app.config["MAX_COOKIE_SIZE"]


ResponseFields.configured_cookie_size = staticmethod(_max_cookie_size)


def _in_debug_mode() -> bool:
    ctx = current.get(None)
    return ctx is not None and ctx.app.debug


RequestBody._debug = staticmethod(_in_debug_mode)


class _AppCtxGlobals:
    """The namespace behind :data:`g`: any attribute may be set on it.

    Made at the first use in a context and forgotten with it.

    :source: Flask's documented ``flask.ctx._AppCtxGlobals``.
    """

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'g' has no attribute {name!r} in this context")

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """The value of ``name``, or ``default`` where it was not set."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = _missing) -> Any:
        """Remove ``name`` and return its value.

        :raises KeyError: if it was not set and no default is given.
        """
        if default is _missing:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The value of ``name``, set to ``default`` first where it was not set."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        ctx = current.get(None)
        return f"<kolben.g of {ctx.app.name!r}>" if ctx is not None else object.__repr__(self)


class Context:
    """One request, or one stretch of time during which an application is active.

    Made by the pipeline for each request, by :meth:`Kolben.app_context` and by
    :meth:`Kolben.test_request_context`. Used by hand it is a context manager, plain or async:

    .. code-block:: python

        with app.app_context():
            init_db()

    :param app: The application.
    :param request: The request; ``None`` makes an application context.
    :param base: The context whose ``g`` and application-level teardown this one shares.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_request",
        "answer",
        "app",
        "depth",
        "failed",
        "held",
        "plan",
        "receive",
        "rule",
        "scope",
        "token",
        "unfinished",
        "view_args",
        "watcher",
    )

    app: Kolben
    #: What a server gave, of which the request is made when somebody asks for it.
    scope: Scope | None
    receive: Receive | None
    #: What routing found: the rule and the values of its placeholders.
    rule: Rule | None
    view_args: dict[str, Any] | None
    #: The steps of the request; the pipeline's.
    plan: Any
    #: What the pipeline has come to: a response, or the body and type that are all of one.
    answer: Response | tuple[bytes, RawHeader]
    #: The response is not done when it is made: a session was opened, or functions wait for it.
    unfinished: bool
    #: Functions given to :func:`after_this_request`, in their order.
    after_functions: list[Callable[[Any], Any]] | None = None
    #: Messages that get_flashed_messages took out of the session, kept for the request.
    flashes: list[tuple[str, str]] | None = None
    #: What :data:`current` was set with by the gateway; tells of a context around this one.
    token: Token[Context] | None
    #: How many of the middleware functions have begun, and one more if the view was reached;
    #: and the error that nothing handled. Only where there is middleware.
    depth: int
    failed: BaseException | None
    #: The gateway's, for a client that leaves.
    watcher: Any
    #: A streamed body uses the context: teardown waits until that body has been closed.
    held: bool
    #: The request belongs to the context that was current before.
    borrowed: bool = False
    #: What undoes each push; ``None`` stands for the pipeline's own.
    tokens: list[Token[Context] | None] | None = None
    #: Begun by :meth:`push`, so that the last :meth:`pop` ends it.
    by_hand: bool = False
    _shared: Context | None = None
    #: The context that the request is borrowed from: session and functions for it are there.
    _lender: Context | None = None
    _g: Any = None
    _session: SessionMixin | None = None
    _url_adapter: MapAdapter | None = None

    def __init__(
        self, app: Kolben, request: Request | None = None, base: Context | None = None
    ) -> None:
        self.app = app
        self._request = request
        self.plan = self.scope = self.rule = self.view_args = None
        self.token = self.watcher = None
        self.held = self.unfinished = False
        if base is not None:
            self._shared = base

    def __repr__(self) -> str:
        what = f" {self.request.method} {self.request.path}" if self.request is not None else ""
        return f"<{type(self).__name__} of {self.app.name!r}{what}>"

    @property
    def request(self) -> Request | None:
        """The request, made at its first use; ``None`` in an application context."""
        request: Request | None = self._request
        if request is None and self.scope is not None:
            request = self._request = self.app.request_class(self.scope, self.receive)
            request.url_rule = self.rule
            request.view_args = {} if self.view_args is None else self.view_args
            if self.plan is not None:
                request._limits = self.plan.limits
        return request

    @property
    def has_request(self) -> bool:
        """Whether there is a request, made already or not."""
        return self._request is not None or self.scope is not None

    @property
    def base(self) -> Context:
        """The context whose ``g`` this one shares, and with which the application's teardown
        functions run: itself, unless it was begun within another one of the same application.
        """
        # Not stored where it is itself: each request would leave a reference cycle behind.
        shared, token = self._shared, self.token
        if shared is None and token is not None and token.old_value is not Token.MISSING:
            above = token.old_value
            if above is not None and above.app is self.app:
                shared = self._shared = above.base
        return self if shared is None else shared

    def share(self, above: Context) -> None:
        """Use what belongs to the application in the context around this one."""
        self._shared = above.base

    @property
    def g(self) -> Any:
        """The namespace that :data:`kolben.g` shows."""
        base = self.base
        if base._g is None:
            base._g = self.app.app_ctx_globals_class()
        return base._g

    @g.setter
    def g(self, value: Any) -> None:
        self.base._g = value

    @property
    def session(self) -> SessionMixin:
        """The session, opened at its first use.

        :raises RuntimeError: outside a request.
        """
        if self._lender is not None:
            return self._lender.session
        if self._session is None:
            request = self.request
            if request is None:
                raise RuntimeError(NO_REQUEST)
            opened = self.app.session_interface.open_session(self.app, request)
            if hasattr(opened, "__await__"):
                opened = wait(opened)
            self.keep_session(opened)
        session = cast("SessionMixin", self._session)
        session.accessed = True
        return session

    @session.setter
    def session(self, value: SessionMixin) -> None:
        self._session = value
        self.unfinished = True

    @property
    def opened_session(self) -> SessionMixin | None:
        """The session if something opened it already."""
        return self._session

    def keep_session(self, opened: SessionMixin | None) -> None:
        """Take what an interface opened; ``None`` stands for a session that cannot be used."""
        if opened is None:
            opened = self.app.session_interface.make_null_session(self.app)
        self.session = opened

    @property
    def url_adapter(self) -> MapAdapter | None:
        """Matches and builds URLs for this request or application.

        ``None`` for an application context without a ``SERVER_NAME``.
        """
        if self._url_adapter is None:
            self._url_adapter = self.app.create_url_adapter(self.request)
        return self._url_adapter

    @url_adapter.setter
    def url_adapter(self, value: MapAdapter | None) -> None:
        self._url_adapter = value

    def copy(self) -> Context:
        """A context for the same request, to be used in another thread, task or greenlet.

        It has its own ``g``; request and session are shared.
        """
        twin = Context(self.app, self.request)
        twin._session = self._session
        twin._url_adapter = self._url_adapter
        twin.plan = self.plan
        twin.by_hand = True
        return twin

    def match_request(self) -> None:
        """Find the rule of the request, or the error that routing makes of it.

        The result is in ``request.url_rule``, ``request.view_args`` and
        ``request.routing_exception``.
        """
        request = self.request
        if request is None:
            return
        try:
            adapter = self.url_adapter  # looks at the host, which may be refused
            if adapter is not None:
                request.url_rule, request.view_args = adapter.match(return_rule=True)
        except HTTPException as error:
            request.routing_exception = error

    # By hand -----------------------------------------------------------------------------

    def push(self) -> None:
        """Make this the current context. Each push wants a :meth:`pop`."""
        if self.tokens is None:
            self.tokens = []
            if self.plan is not None and not self.by_hand:
                self.tokens.append(None)  # the pipeline has begun this context, and will end it
            else:
                self.by_hand = True
                above = current.get(None)
                if above is not None and above.app is self.app:
                    self._nest(above)
        first = not self.tokens
        self.tokens.append(current.set(self))
        if first and self.base is self:
            self.app.signal_pushed()
        if first and self.request is not None and self.request.url_rule is None:
            if self.request.routing_exception is None:
                self.match_request()

    def _nest(self, above: Context) -> None:
        if self.request is not None:
            # Flask: a request inside an application context shares that context's g, and
            # the application's teardown stays with the outer one.
            self.share(above)
        elif above.request is not None:
            self._request = above.request
            self._lender = above._lender or above
            self._url_adapter = above._url_adapter
            self.borrowed = True

    def _leave(self) -> bool:
        """Undo one push; true when that was the last one."""
        tokens: list[Token[Context] | None] | None = self.tokens
        if not tokens or tokens[-1] is None or current.get(None) is not self:
            raise AssertionError(
                f"Popped wrong context: {current.get(None)!r} is current, not {self!r}."
            )
        if len(tokens) > 1:
            current.reset(tokens[-1])
            tokens.pop()
            return False
        return True

    def _finish(self) -> None:
        if self.tokens and (token := self.tokens.pop()) is not None:
            current.reset(token)
        self.tokens = None

    def pop(self, exc: BaseException | None = _missing) -> None:
        """Undo one :meth:`push`; the last one runs the teardown functions.

        :param exc: The error that ended the work, for the teardown functions. Left out, it is
            the one being handled, if any.
        :raises AssertionError: if another context is current.
        """
        if not self._leave():
            return
        exc = sys.exc_info()[1] if exc is _missing else exc
        try:
            self.app.teardown_context(self, exc)
        finally:
            self._finish()

    def __enter__(self) -> Context:
        self.push()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.pop(exc)

    async def __aenter__(self) -> Context:
        self.push()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if not self._leave():
            return
        try:
            await self.app.teardown_context_async(self, exc)
        finally:
            self._finish()

    @property
    def owns_request(self) -> bool:
        """Whether the request's own teardown belongs to this context."""
        return self.has_request and not self.borrowed


def require_app() -> Context:
    """The current context.

    :raises RuntimeError: where no application is active.
    """
    ctx = current.get(None)
    if ctx is None:
        raise RuntimeError(NO_APP)
    return ctx


def require_request() -> Context:
    """The current context, which has a request.

    :raises RuntimeError: where no request is active.
    """
    ctx = current.get(None)
    if ctx is None or not ctx.has_request:
        raise RuntimeError(NO_REQUEST)
    return ctx._lender or ctx


def has_app_context() -> bool:
    """Whether an application is active: :data:`current_app` and :data:`g` can be used."""
    return current.get(None) is not None


def has_request_context() -> bool:
    """Whether a request is active: :data:`request` and :data:`session` can be used."""
    ctx = current.get(None)
    return ctx is not None and ctx.has_request


def after_this_request(f: Callable[[Response], Any]) -> Callable[[Response], Any]:
    """Run a function on the response of this request, before the ``after_request`` hooks.

    :param f: ``def`` or ``async def``; takes the response and returns it or another one.
    :return: ``f``, so that this may be used as a decorator.
    :raises RuntimeError: outside a request.
    :source: Flask: the same.
    """
    ctx = require_request()
    if ctx.after_functions is None:
        ctx.after_functions = []
        ctx.unfinished = True
    ctx.after_functions.append(f)
    return f


def copy_current_request_context(f: F) -> F:
    """Let a function that runs in another thread, task or greenlet see this request.

    The function gets a context of its own: the same request and session, an own ``g``.

    :param f: ``def`` or ``async def``.
    :raises RuntimeError: outside a request.
    :source: Flask: the same.
    """
    ctx = require_request().copy()
    return _in_context(ctx, f)


def copy_current_app_context(f: F) -> F:
    """Let a function that runs in another thread, task or greenlet see this application.

    :param f: ``def`` or ``async def``.
    :raises RuntimeError: where no application is active.
    :source: Quart: the same.
    """
    return _in_context(Context(require_app().app), f)


def _in_context(ctx: Context, f: F) -> F:
    if iscoroutinefunction(f):

        @functools.wraps(f)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            async with ctx.copy():
                return await f(*args, **kwargs)

        return cast("F", run_async)

    @functools.wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        with ctx.copy():
            return f(*args, **kwargs)

    return cast("F", run)
