"""The session itself: a dict that knows whether it was used and changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, NoReturn

_missing: Any = object()


class SessionMixin(MutableMapping[str, Any]):
    """What a session has beside the methods of a dict.

    A session class of one's own is usually ``class Session(dict, SessionMixin)``.

    :source: Flask: the same.
    """

    #: Whether the session was made for this request. Not every kind of session can tell.
    new = False

    #: Whether something was changed. A class that does not track it says yes, and is saved
    #: after every request.
    modified = True

    #: Whether the request has used the session at all; the response varies by cookie then.
    accessed = False

    @property
    def permanent(self) -> bool:
        """Whether the session outlives the browser's, for ``PERMANENT_SESSION_LIFETIME``."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)


class SecureCookieSession(dict[str, Any], SessionMixin):
    """The session in the signed cookie: a dict that notices when it is changed.

    Only changes of the dict itself are noticed. After changing something inside a value (a list
    in the session, say), set :attr:`modified` to ``True``.

    :param initial: What it contains from the start.
    :source: Flask: the same.
    """

    modified = False

    def __init__(
        self, initial: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None
    ) -> None:
        super().__init__(initial or ())

    def on_update(self) -> None:
        """Called after every change."""
        self.modified = True

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.on_update()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.on_update()

    def __ior__(self, other: Any) -> SecureCookieSession:  # type: ignore[override,misc]
        super().__ior__(other)
        self.on_update()
        return self

    def clear(self) -> None:
        """Forget everything. If the client has the cookie, it is told to delete it."""
        super().clear()
        self.on_update()

    def pop(self, key: str, default: Any = _missing) -> Any:
        """Remove a key and return its value; not a change if it was not there."""
        present = key in self
        value = super().pop(key) if default is _missing else super().pop(key, default)
        if present:
            self.on_update()
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last key and return it with its value."""
        item = super().popitem()
        self.on_update()
        return item

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a key, set to ``default`` first where it is missing."""
        present = key in self
        value = super().setdefault(key, default)
        if not present:
            self.on_update()
        return value

    def update(self, arg: Any = None, /, **kwargs: Any) -> None:
        """Take over the items of a mapping or of pairs, and the keyword arguments."""
        super().update(() if arg is None else arg, **kwargs)
        self.on_update()


class NullSession(SecureCookieSession):
    """The session of an application without a secret key: always empty, and not to be changed.

    :source: Flask: the same.
    """

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            "The session is unavailable because no secret key was set. Set app.secret_key (or"
            " SECRET_KEY in the configuration) to something long, random and secret, such as"
            " the output of: python -c 'import secrets; print(secrets.token_hex())'"
        )

    __setitem__ = __delitem__ = __ior__ = _fail
    clear = pop = popitem = setdefault = update = _fail
