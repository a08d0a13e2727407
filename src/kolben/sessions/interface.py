"""What opens and saves sessions: the base class, and the settings of the cookie.

It stands on a lower floor than the context of a request. What it has to know of the current
request (whether it came over HTTPS), the context tells it through
:attr:`SessionInterface.current_request`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from .data import NullSession, SessionMixin

if TYPE_CHECKING:
    from ..wrappers import Request, Response

#: The application is defined floors above. ``Any`` also lets an interface of the user's name
#: its own application class in the signatures of its methods.
App: TypeAlias = Any


def _no_request() -> Request | None:
    return None


class SessionInterface:
    """Opens the session of a request and saves it; the base class of every way to do so.

    A subclass defines :meth:`open_session` and :meth:`save_session`, as ``def`` or as
    ``async def``. The other methods give the settings of the cookie.

    Requests of one client may run at the same time, and each opens and saves the session for
    itself; a store has to expect that.

    :source: Flask: the same.
    """

    #: What :meth:`make_null_session` makes, and :meth:`is_null_session` looks for.
    null_session_class: type[NullSession] = NullSession

    #: Whether the data is pickled; some extensions ask.
    pickle_based: bool = False

    #: Whether the session may be opened at its first use, and left alone where there is none.
    #: ``False``: it is opened before the first hook and saved at the end of every request.
    lazy: ClassVar[bool] = False

    #: How to find the current request. The context sets it when it is imported.
    current_request: Callable[[], Request | None] = staticmethod(_no_request)

    def make_null_session(self, app: App) -> NullSession:
        """Make the session that stands in where :meth:`open_session` returned ``None``.

        It can be read, and explains itself when something is stored in it.
        """
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Whether ``obj`` is such a stand-in; those are never saved."""
        return isinstance(obj, self.null_session_class)

    def get_cookie_name(self, app: App) -> str:
        """The name of the cookie: ``SESSION_COOKIE_NAME``."""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: App) -> str | None:
        """The domain of the cookie: ``SESSION_COOKIE_DOMAIN``.

        ``None`` sends it to the very host that set it, and not to subdomains.
        """
        domain: str | None = app.config["SESSION_COOKIE_DOMAIN"]
        return domain

    def get_cookie_path(self, app: App) -> str:
        """The path of the cookie: ``SESSION_COOKIE_PATH``, else ``APPLICATION_ROOT``."""
        path: str = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        return path

    def get_cookie_httponly(self, app: App) -> bool:
        """Whether scripts cannot read the cookie: ``SESSION_COOKIE_HTTPONLY``."""
        return bool(app.config["SESSION_COOKIE_HTTPONLY"])

    def get_cookie_secure(self, app: App) -> bool:
        """Whether the cookie is for HTTPS only: ``SESSION_COOKIE_SECURE``.

        Where that is ``None``, it is if the current request came over HTTPS.
        """
        secure = app.config["SESSION_COOKIE_SECURE"]
        if secure is None:
            request = self.current_request()
            return request is not None and request.is_secure
        return bool(secure)

    def get_cookie_samesite(self, app: App) -> str | None:
        """Whether other sites' requests carry the cookie: ``SESSION_COOKIE_SAMESITE``.

        ``"Lax"``: only when a link is followed; ``"Strict"``: never; ``"None"``: always, and
        then the cookie has to be secure.
        """
        samesite: str | None = app.config["SESSION_COOKIE_SAMESITE"]
        return samesite

    def get_cookie_partitioned(self, app: App) -> bool:
        """Whether it is kept apart per top-level site: ``SESSION_COOKIE_PARTITIONED``."""
        return bool(app.config["SESSION_COOKIE_PARTITIONED"])

    def get_expiration_time(self, app: App, session: SessionMixin) -> datetime | None:
        """When the cookie of a permanent session expires; ``None``: with the browser."""
        if not session.permanent:
            return None
        expires: datetime = datetime.now(UTC) + app.permanent_session_lifetime
        return expires

    def should_set_cookie(self, app: App, session: SessionMixin) -> bool:
        """Whether this response sets the cookie.

        It does if the session was changed, or is permanent and
        ``SESSION_REFRESH_EACH_REQUEST`` is on.
        """
        return session.modified or bool(
            session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"]
        )

    def needs_save_unopened(self, app: App, request: Request) -> bool:
        """Whether a session that nobody used has to be opened, so that it can be saved.

        Asked at the end of a request if the interface is :attr:`lazy`. Costs no parsing: a
        wrong yes does no harm.
        """
        if not app.config["SESSION_REFRESH_EACH_REQUEST"]:
            return False
        name = self.get_cookie_name(app).encode("latin-1", "replace")
        for header, value in request.scope["headers"]:
            if header == b"cookie" and name in value:
                return True
        return False

    def open_session(self, app: App, request: Request) -> Any:
        """Make the session of a request.

        :return: A :class:`SessionMixin`, or ``None`` where sessions cannot be used at all.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement open_session().")

    def save_session(self, app: App, session: Any, response: Response) -> Any:
        """Store the session, and put into the response what its client has to keep.

        Called after the last ``after_request`` function, not for null sessions.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement save_session().")
