"""The default: the data of a session in a cookie that is signed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.signer import SigningAlgorithm

from ..json.tag import TaggedJSONSerializer
from .data import SecureCookieSession, SessionMixin
from .interface import App, SessionInterface

if TYPE_CHECKING:
    from ..wrappers import Request, Response

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

    #: The hash function of the signature. A subclass that sets another one decides for itself;
    #: otherwise ``SESSION_DIGEST`` does.
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
        state = (
            secret_key,
            tuple(config.get("SECRET_KEY_FALLBACKS") or ()),
            config.get("SESSION_DIGEST"),
            tuple(config.get("SESSION_DIGEST_FALLBACKS", ("sha1",)) or ()),
            self.salt,
            self.key_derivation,
            self.digest_method,
            self.serializer,
        )
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
        method = self.digest_method
        reading: list[Callable[..., Any]] = []
        if method is _lazy_sha1:  # else a subclass's own, which stands alone as it does in Flask
            method = _digest(digest or "sha1")
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

        :return: The session; an empty one if the cookie is missing, expired, not signed with
            one of the application's keys, or unreadable. ``None`` for an application without a key.
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
        except BadData:
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
                    _vary_by_cookie(response)
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
            # Bytes, where a serializer of the user's own writes bytes.
            value: str | bytes = signing.dumps(dict(session))
            response.set_cookie(
                self.get_cookie_name(app),
                value if isinstance(value, str) else value.decode("ascii"),
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
                _vary_by_cookie(response)
            return
        _vary_by_cookie(response)
        _forbid_shared_caching(response)


def _usable(digest: Callable[..., Any]) -> bool:
    try:
        hmac.new(b"", digestmod=digest)
    except ValueError:  # switched off in this build, as FIPS does with SHA-1
        return False
    return True


def _vary_by_cookie(response: Response) -> None:
    if "Vary" in response.headers:
        response.vary.add("Cookie")
    else:  # nearly always, and much cheaper than a set that writes itself back
        response.headers["Vary"] = "Cookie"


def _forbid_shared_caching(response: Response) -> None:
    control = response.cache_control
    if control.no_store or control.private:
        return
    # A cache that gives this response to somebody else gives them the session with it, and
    # neither "public" nor "no-cache" prevents that.
    control.public = False
    control.s_maxage = None
    control.private = True
