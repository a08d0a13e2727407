"""Sessions: what the server remembers of a client from one request to the next.

The default keeps the data itself in a signed cookie: the client can read it, but not change it.
Signature and format are Flask's, so that a session begun with one goes on with the other. For
another store, write a :class:`SessionInterface` and assign it to ``app.session_interface``.

The interface stands on a lower floor than the context of a request. What it has to know of the
current request (whether it came over HTTPS), the context tells it through
:attr:`SessionInterface.current_request`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias, TypeVar
from weakref import WeakSet

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.signer import SigningAlgorithm

from .json.tag import TaggedJSONSerializer

if TYPE_CHECKING:
    from .wrappers import Request, Response

V = TypeVar("V")
_missing: Any = object()

#: The application is defined floors above. ``Any`` also lets an interface of the user's name
#: its own application class in the signatures of its methods.
App: TypeAlias = Any


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


#: Writes and reads the data in the cookie. A tag registered here is known to every application
#: that uses the default interface.
session_json_serializer = TaggedJSONSerializer()


def _lazy_sha1(string: bytes = b"") -> Any:
    # Looked up when it is needed: a Python built for FIPS may lack SHA-1, and an application
    # that chose another digest must still run there.
    return hashlib.sha1(string)


#: The digests that SESSION_DIGEST may name.
_DIGESTS = (
    "sha1", "sha224", "sha256", "sha384", "sha512",
    "sha3_224", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s",
)  # fmt: skip


def _digest(name: object) -> Callable[..., Any]:
    if name not in _DIGESTS:
        raise ValueError(
            f"The session cannot be signed with the digest {name!r}. SESSION_DIGEST and"
            f" SESSION_DIGEST_FALLBACKS take one of: {', '.join(_DIGESTS)}."
        )
    found: Callable[..., Any] = getattr(hashlib, str(name))
    return found


class _HMAC(SigningAlgorithm):
    """HMAC with the key's part of the work done once; the keys of an application are few."""

    def __init__(self, digest_method: Callable[..., Any]) -> None:
        self.digest_method = digest_method
        self.keyed: dict[bytes, hmac.HMAC] = {}

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        keyed = self.keyed.get(key)
        if keyed is None:
            keyed = self.keyed[key] = hmac.new(key, digestmod=self.digest_method)
        mac = keyed.copy()
        mac.update(value)
        return mac.digest()


class _Signer(TimestampSigner):
    """A signer that derives its keys once. Keys are few, and it is used on every request."""

    _derived: dict[bytes, bytes]

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        key = self.secret_keys[-1] if secret_key is None else secret_key
        if isinstance(key, str):
            key = key.encode()
        try:
            return self._derived[key]
        except (AttributeError, KeyError):
            derived = super().derive_key(key)
            self.__dict__.setdefault("_derived", {})[key] = derived
            return derived


class _Serializer(URLSafeTimedSerializer):
    """itsdangerous' serializer with its signer made once; it keeps nothing between calls."""

    _signer: TimestampSigner | None = None

    def make_signer(self, salt: str | bytes | None = None) -> TimestampSigner:
        if self._signer is None or salt not in (None, self.salt):
            made = super().make_signer(salt)
            assert isinstance(made, TimestampSigner)
            if salt not in (None, self.salt):
                return made
            self._signer = made
        return self._signer


class SecureCookieSessionInterface(SessionInterface):
    """The default: sessions in cookies that are signed by :mod:`itsdangerous`.

    :source: Flask: the same cookie, to the bit, under the same key.
    """

    #: Keeps session signatures apart from others made with the same key.
    salt: str = "cookie-session"

    #: The hash function of the signature, where ``SESSION_DIGEST`` names none.
    digest_method: Callable[..., Any] = staticmethod(_lazy_sha1)

    #: How itsdangerous makes the signing key of the secret key and the salt.
    key_derivation: str = "hmac"

    #: Writes and reads the data.
    serializer: Any = session_json_serializer

    #: What :meth:`open_session` makes.
    session_class: type[SecureCookieSession] = SecureCookieSession

    lazy: ClassVar[bool] = True

    _prepared: tuple[object, URLSafeTimedSerializer] | None = None
    _warned: ClassVar[WeakSet[Any]] = WeakSet()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Whoever replaces one of these expects it to be called for every request.
        eager = {"open_session", "save_session", "should_set_cookie"}
        if "lazy" not in cls.__dict__ and not eager.isdisjoint(cls.__dict__):
            cls.lazy = False

    def get_signing_serializer(self, app: App) -> URLSafeTimedSerializer | None:
        """What signs and reads the cookie; ``None`` for an application without a key.

        It signs with the secret key and ``SESSION_DIGEST``. It also reads what was signed with
        one of ``SECRET_KEY_FALLBACKS``, and with one of ``SESSION_DIGEST_FALLBACKS``, SHA-1
        unless that says otherwise: changing to another digest logs nobody out. Such a cookie
        ages out like any other; an empty list refuses it at once.

        :raises ValueError: if a setting names a digest that is unknown or too weak.
        """
        secret_key = app.secret_key
        if not secret_key:
            return None
        config = app.config
        fallbacks = tuple(config.get("SECRET_KEY_FALLBACKS") or ())
        digest = config.get("SESSION_DIGEST")
        # A digest_method of a subclass's own stands alone, as it does in Flask.
        older = config.get("SESSION_DIGEST_FALLBACKS", ("sha1",)) if digest else ()
        state = (
            secret_key, fallbacks, digest, tuple(older or ()), self.salt, self.key_derivation,
            self.digest_method, self.serializer,
        )  # fmt: skip
        prepared = self._prepared
        if prepared is None or prepared[0] != state:
            self._warn_of_short_key(app, secret_key)
            prepared = self._prepared = (state, self._prepare(*state[:4]))
        return prepared[1]

    def _prepare(
        self,
        secret_key: str | bytes,
        fallbacks: tuple[str | bytes, ...],
        digest: str | None,
        older: tuple[str, ...],
    ) -> URLSafeTimedSerializer:
        if digest is not None:
            method = _digest(digest)
        else:
            # hashlib's own is the same function, but one that hmac runs in C.
            method = self.digest_method
            method = hashlib.sha1 if method is _lazy_sha1 else method
        reading = [found for name in older if (found := _digest(name)) is not method]
        keys: list[Any] = [*fallbacks, secret_key]  # itsdangerous signs with the last
        return _Serializer(
            keys,
            salt=self.salt,
            serializer=self.serializer,
            signer=_Signer,
            signer_kwargs=self._signer_kwargs(method),
            fallback_signers=[self._signer_kwargs(found) for found in reading if _usable(found)],
        )

    def _signer_kwargs(self, method: Callable[..., Any]) -> dict[str, Any]:
        return {
            "key_derivation": self.key_derivation,
            "digest_method": method,
            "algorithm": _HMAC(method),
        }

    def _warn_of_short_key(self, app: App, secret_key: str | bytes) -> None:
        key = secret_key.encode() if isinstance(secret_key, str) else secret_key
        if len(key) < 16 and app not in self._warned:
            self._warned.add(app)
            app.logger.warning(
                "SECRET_KEY has %d bytes; a session signed with fewer than 16 can be forged by"
                " trying keys. Make one with: python -c 'import secrets;"
                " print(secrets.token_hex())'",
                len(key),
            )

    def open_session(self, app: App, request: Request) -> SecureCookieSession | None:
        """Read the session from the request's cookie.

        :return: The session; an empty one if the cookie is missing, expired, or not signed with
            one of the application's keys. ``None`` for an application without a key.
        """
        signing = self.get_signing_serializer(app)
        if signing is None:
            return None
        value = request.cookies.get(self.get_cookie_name(app))
        if not value:
            return self.session_class()
        max_age = int(app.permanent_session_lifetime.total_seconds())
        try:
            return self.session_class(signing.loads(value, max_age=max_age))
        except BadSignature:
            return self.session_class()

    def save_session(self, app: App, session: SessionMixin, response: Response) -> None:
        """Set the cookie, delete it, or leave it, as the session requires.

        A response to a session that was read varies by cookie. One that sets the cookie must
        not be given to anybody else, so no shared cache may keep it.

        :raises RuntimeError: if the application has lost its key since the session was opened.
        """
        if not session:
            if not session.modified:
                if session.accessed:
                    response.vary.add("Cookie")
                return
            response.delete_cookie(
                self.get_cookie_name(app),
                domain=self.get_cookie_domain(app),
                path=self.get_cookie_path(app),
                secure=self.get_cookie_secure(app),
                partitioned=self.get_cookie_partitioned(app),
                samesite=self.get_cookie_samesite(app),
                httponly=self.get_cookie_httponly(app),
            )
        elif self.should_set_cookie(app, session):
            signing = self.get_signing_serializer(app)
            if signing is None:
                raise RuntimeError(
                    "The session cannot be saved because the application has no secret key any"
                    " more. Set app.secret_key before the first request, and leave it."
                )
            response.set_cookie(
                self.get_cookie_name(app),
                signing.dumps(dict(session)),
                expires=self.get_expiration_time(app, session),
                domain=self.get_cookie_domain(app),
                path=self.get_cookie_path(app),
                secure=self.get_cookie_secure(app),
                partitioned=self.get_cookie_partitioned(app),
                samesite=self.get_cookie_samesite(app),
                httponly=self.get_cookie_httponly(app),
            )
        else:
            if session.accessed:
                response.vary.add("Cookie")
            return
        response.vary.add("Cookie")
        _forbid_shared_caching(response)


def _usable(digest: Callable[..., Any]) -> bool:
    try:
        hmac.new(b"", digestmod=digest)
    except ValueError:  # switched off in this build, as FIPS does with SHA-1
        return False
    return True


def _forbid_shared_caching(response: Response) -> None:
    control = response.cache_control
    if control.no_store or control.private:
        return
    # A cache that gives this response to somebody else gives them the session with it, and
    # neither "public" nor "no-cache" prevents that.
    control.public = False
    control.s_maxage = None
    control.private = True
