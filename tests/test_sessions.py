from __future__ import annotations

import hashlib
import logging
import pickle
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import flask
import flask.sessions
import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner
from markupsafe import Markup

from kolben.config import Config
from kolben.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
    SessionMixin,
)
from kolben.wrappers import Request, Response

KEY = "0123456789abcdef0123456789abcdef"
DEFAULTS = {
    "SECRET_KEY_FALLBACKS": None,
    "APPLICATION_ROOT": "/",
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SECURE": None,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_PARTITIONED": False,
    "SESSION_DIGEST": "sha1",
    "SESSION_REFRESH_EACH_REQUEST": True,
}


class App:
    def __init__(self, secret_key: str | bytes | None = KEY, **config: Any) -> None:
        self.config = Config("", {**DEFAULTS, **config})
        self.secret_key = secret_key
        self.permanent_session_lifetime = timedelta(days=31)
        self.logger = logging.getLogger("kolben_test_sessions")


def request(cookie: str | None = None, scheme: str = "http", **cookies: str) -> Request:
    fields = [f"{name}={value}" for name, value in cookies.items()]
    if cookie is not None:
        fields.append(f"session={cookie}")
    headers = [(b"host", b"example.com")]
    if fields:
        headers.append((b"cookie", "; ".join(fields).encode()))
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "scheme": scheme,
            "headers": headers,
        }
    )


def cookie_of(response: Any) -> Any:
    """The session cookie that a response sets, with its attributes; ``None`` if it sets none."""
    values = response.headers.getlist("Set-Cookie")
    if not values:
        return None
    assert len(values) == 1
    (morsel,) = SimpleCookie(values[0]).values()
    return morsel


def saved(app: App, session: Any, response: Response | None = None, **how: Any) -> Response:
    response = Response("body") if response is None else response
    SecureCookieSessionInterface().save_session(app, session, response)
    return response


def opened(app: App, cookie: str | None) -> SecureCookieSession:
    session = SecureCookieSessionInterface().open_session(app, request(cookie))
    assert session is not None
    return session


class FlaskSide:
    """Flask's own interface, fed with cookie values."""

    def __init__(self, secret_key: str | bytes = KEY, **config: Any) -> None:
        self.app = flask.Flask("theirs")
        self.app.secret_key = secret_key
        self.app.config.update(config)
        self.interface = flask.sessions.SecureCookieSessionInterface()

    def read(self, cookie: str) -> dict[str, Any]:
        with self.app.test_request_context(headers={"Cookie": f"session={cookie}"}) as ctx:
            session = self.interface.open_session(self.app, ctx.request)
        assert session is not None
        return dict(session)

    def write(self, data: dict[str, Any]) -> str:
        response = self.app.response_class()
        session = flask.sessions.SecureCookieSession()
        session.update(data)
        self.interface.save_session(self.app, session, response)
        return str(cookie_of(response).value)


# The session object


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.__setitem__("b", 1),
        lambda s: s.__delitem__("a"),
        lambda s: s.clear(),
        lambda s: s.pop("a"),
        lambda s: s.popitem(),
        lambda s: s.setdefault("b", 1),
        lambda s: s.update(b=1),
        lambda s: s.update({"b": 1}),
        lambda s: s.update([("b", 1)]),
        lambda s: s.__ior__({"b": 1}),
        lambda s: setattr(s, "permanent", True),
    ],
)
def test_a_change_is_noticed(change: Callable[[SecureCookieSession], Any]) -> None:
    ours, theirs = SecureCookieSession({"a": 1}), flask.sessions.SecureCookieSession({"a": 1})
    for session in (ours, theirs):
        assert session.modified is False
        change(session)  # type: ignore[arg-type]
        assert session.modified is True
    assert dict(ours) == dict(theirs)


@pytest.mark.parametrize(
    "look",
    [
        lambda s: s["a"],
        lambda s: s.get("b"),
        lambda s: "a" in s,
        lambda s: list(s.items()),
        lambda s: s.setdefault("a", 2),
        lambda s: s.pop("b", None),
        lambda s: s.copy(),
        lambda s: s | {"b": 1},
        lambda s: s.permanent,
        lambda s: s["l"].append(1),
    ],
)
def test_a_look_is_no_change(look: Callable[[SecureCookieSession], Any]) -> None:
    session = SecureCookieSession({"a": 1, "l": []})
    look(session)
    assert session.modified is False
    with pytest.raises(KeyError):
        session.pop("b")
    assert session.modified is False


def test_an_assignment_by_or_keeps_the_session() -> None:
    session = SecureCookieSession()
    before = session
    session |= {"a": 1}
    assert session is before
    assert session == {"a": 1}


def test_a_session_may_be_permanent() -> None:
    session = SecureCookieSession()
    assert session.permanent is False
    session.permanent = True
    assert session == {"_permanent": True}
    assert session.permanent is True


def test_a_session_class_of_ones_own_needs_only_a_dict() -> None:
    class Session(dict[str, Any], SessionMixin):
        pass

    session = Session(a=1)
    assert (session.new, session.modified, session.accessed) == (False, True, False)
    assert session.permanent is False
    session.permanent = True
    assert session["_permanent"] is True


def test_a_session_is_no_less_than_a_dict() -> None:
    session = SecureCookieSession({"a": 1})
    assert session == {"a": 1}
    assert isinstance(session, dict)
    assert isinstance(session, SessionMixin)
    assert repr(session) == "{'a': 1}"
    assert SecureCookieSession() == {}
    assert SecureCookieSession([("a", 1)]) == {"a": 1}
    assert type(session.copy()) is dict


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.__setitem__("b", 1),
        lambda s: s.__delitem__("a"),
        lambda s: s.clear(),
        lambda s: s.pop("a", None),
        lambda s: s.popitem(),
        lambda s: s.setdefault("b", 1),
        lambda s: s.update(b=1),
        lambda s: s.__ior__({"b": 1}),
        lambda s: setattr(s, "permanent", True),
    ],
)
def test_without_a_key_a_session_is_readable_but_not_writable(
    change: Callable[[NullSession], Any],
) -> None:
    session = NullSession()
    assert session.get("a") is None
    assert not session
    with pytest.raises(RuntimeError, match="no secret key was set"):
        change(session)


def test_an_application_without_a_key_has_a_null_session() -> None:
    interface, app = SecureCookieSessionInterface(), App(secret_key=None)
    assert interface.get_signing_serializer(app) is None
    assert interface.open_session(app, request()) is None
    session = interface.make_null_session(app)
    assert interface.is_null_session(session)
    assert not interface.is_null_session(SecureCookieSession())


def test_a_key_that_is_lost_meanwhile_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no secret key any more"):
        saved(App(secret_key=None), SecureCookieSession_with(a=1))


def SecureCookieSession_with(**data: Any) -> SecureCookieSession:
    session = SecureCookieSession()
    session.update(data)
    return session


# To and from Flask

VALUES = {
    "text": "ü€😀",
    "number": 1.5,
    "nothing": None,
    "list": [1, [2, {"a": True}]],
    "tuple": (1, (2, "x")),
    "bytes": b"\x00\xff",
    "markup": Markup("<b>&amp;</b>"),
    "uuid": UUID(int=7),
    "moment": datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC),
    "looks like a tag": {" t": [1]},
    "_flashes": [("message", "saved"), ("error", Markup("<i>"))],
    "_permanent": True,
    "long": "abc" * 300,
}


def test_flask_reads_our_session_and_we_read_flasks() -> None:
    app, theirs = App(), FlaskSide()
    ours = cookie_of(saved(app, SecureCookieSession_with(**VALUES))).value
    assert theirs.read(ours) == VALUES
    back = opened(app, theirs.write(VALUES))
    assert back == VALUES
    assert type(back["tuple"]) is tuple
    assert type(back["markup"]) is Markup
    assert type(back["_flashes"][0]) is tuple
    assert back.permanent


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.uuids(),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.lists(inner, max_size=4).map(tuple)
                | st.dictionaries(st.text() | st.just(" t"), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        min_size=1,
    )
)
def test_any_session_moves_both_ways(data: dict[str, Any]) -> None:
    ours = cookie_of(saved(App(), SecureCookieSession_with(**data))).value
    assert THEIRS.read(ours) == data
    assert opened(App(), THEIRS.write(data)) == data


THEIRS = FlaskSide()


@pytest.mark.parametrize("key", [b"bytes of a key \xff\x00 0123456789", "schlüssel-0123456789"])
def test_keys_may_be_bytes_or_any_text(key: str | bytes) -> None:
    theirs = FlaskSide(key)
    cookie = cookie_of(saved(App(key), SecureCookieSession_with(a=1))).value
    assert theirs.read(cookie) == {"a": 1}
    assert opened(App(key), theirs.write({"a": 1})) == {"a": 1}


def test_keys_may_be_rotated() -> None:
    old, new = "old key " * 4, "new key " * 4
    theirs = FlaskSide(old)
    rotated = App(new, SECRET_KEY_FALLBACKS=["oldest " * 4, old])
    assert opened(rotated, theirs.write({"a": 1})) == {"a": 1}
    cookie = cookie_of(saved(rotated, SecureCookieSession_with(a=1))).value
    assert theirs.read(cookie) == {}
    assert FlaskSide(new).read(cookie) == {"a": 1}
    assert FlaskSide("next " * 4, SECRET_KEY_FALLBACKS=[new]).read(cookie) == {"a": 1}
    assert opened(App(new), theirs.write({"a": 1})) == {}


def test_what_a_subclass_of_flasks_interface_sets_is_honoured() -> None:
    theirs = FlaskSide()
    theirs.interface.salt = "other"
    theirs.interface.digest_method = hashlib.sha512  # type: ignore[assignment]
    theirs.interface.key_derivation = "django-concat"

    class Ours(SecureCookieSessionInterface):
        salt = "other"
        digest_method = staticmethod(hashlib.sha512)
        key_derivation = "django-concat"

    app, ours, response = App(), Ours(), Response()
    assert ours.open_session(app, request(theirs.write({"a": 1}))) == {"a": 1}
    assert ours.open_session(app, request(FlaskSide().write({"a": 1}))) == {}
    ours.save_session(app, SecureCookieSession_with(a=1), response)
    assert theirs.read(cookie_of(response).value) == {"a": 1}


# What is not accepted


def mangled(cookie: str) -> Iterator[str]:
    yield ""
    yield "."
    yield "..."
    yield "garbage"
    yield cookie[:-1]
    yield cookie + "A"
    yield "A" + cookie
    payload, stamp, signature = cookie.rsplit(".", 2)
    yield f"{payload}.{signature}"
    yield f"{payload}.AAAA.{signature}"
    yield f"{payload}x.{stamp}.{signature}"
    yield f"{payload}.{stamp}."
    yield f"{payload}.{stamp}.{signature[::-1]}"
    yield f"{payload}.{stamp}.\u00fc"


def test_a_tampered_cookie_is_an_empty_session() -> None:
    app = App()
    for cookie in mangled(cookie_of(saved(app, SecureCookieSession_with(admin=False))).value):
        session = opened(app, cookie)
        assert session == {}
        assert not session.modified


def test_a_cookie_of_another_key_or_salt_is_an_empty_session() -> None:
    cookie = cookie_of(saved(App("another key " * 3), SecureCookieSession_with(a=1))).value
    assert opened(App(), cookie) == {}
    signer = TimestampSigner(KEY, salt="something else", key_derivation="hmac")
    assert opened(App(), signer.sign("eyJhIjoxfQ").decode()) == {}


@pytest.mark.parametrize("payload", ["bm90IGpzb24", "!!!", ".eA", "eyIgdSI6ICJ4In0", "W05hTl0"])
def test_a_signed_cookie_with_broken_data_is_an_empty_session(payload: str) -> None:
    signer = TimestampSigner(KEY, salt="cookie-session", key_derivation="hmac")
    assert opened(App(), signer.sign(payload).decode()) == {}


def test_a_session_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App()
    cookie = cookie_of(saved(app, SecureCookieSession_with(a=1))).value
    now = time.time()
    lifetime = app.permanent_session_lifetime.total_seconds()
    monkeypatch.setattr(time, "time", lambda: now + lifetime - 60)
    assert opened(app, cookie) == {"a": 1}
    monkeypatch.setattr(time, "time", lambda: now + lifetime + 60)
    assert opened(app, cookie) == {}
    app.permanent_session_lifetime = timedelta(days=60)
    assert opened(app, cookie) == {"a": 1}


def test_no_cookie_is_an_empty_session() -> None:
    assert opened(App(), None) == {}
    assert SecureCookieSessionInterface().open_session(App(), request(other="x")) == {}


# Digests


def test_another_digest_signs_and_still_reads_flasks() -> None:
    app = App(SESSION_DIGEST="sha256")
    theirs = FlaskSide()
    cookie = cookie_of(saved(app, SecureCookieSession_with(a=1))).value
    assert opened(app, cookie) == {"a": 1}
    assert theirs.read(cookie) == {}
    theirs.interface.digest_method = hashlib.sha256  # type: ignore[assignment]
    assert theirs.read(cookie) == {"a": 1}
    assert opened(app, FlaskSide().write({"a": 1})) == {"a": 1}


def test_old_digests_may_be_refused_or_chosen() -> None:
    sha1 = FlaskSide().write({"a": 1})
    sha256 = cookie_of(saved(App(SESSION_DIGEST="sha256"), SecureCookieSession_with(a=1))).value
    for none in ([], (), None):
        strict = App(SESSION_DIGEST="sha256", SESSION_DIGEST_FALLBACKS=none)
        assert opened(strict, sha1) == {}
        assert opened(strict, sha256) == {"a": 1}
    assert opened(App(), sha256) == {}
    both = App(SESSION_DIGEST="sha512", SESSION_DIGEST_FALLBACKS=["sha256", "sha1", "sha512"])
    assert opened(both, sha1) == opened(both, sha256) == {"a": 1}


def test_old_digests_are_read_under_old_keys() -> None:
    app = App("new key " * 4, SECRET_KEY_FALLBACKS=[KEY], SESSION_DIGEST="sha256")
    assert opened(app, FlaskSide().write({"a": 1})) == {"a": 1}
    assert opened(app, FlaskSide("unknown " * 4).write({"a": 1})) == {}


def test_an_expired_cookie_of_an_old_digest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = FlaskSide().write({"a": 1})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 32 * 24 * 3600)
    assert opened(App(SESSION_DIGEST="sha256"), cookie) == {}


@pytest.mark.parametrize("name", ["md5", "crc32", "", "SHA-256", "shake_128", 256])
@pytest.mark.parametrize("setting", ["SESSION_DIGEST", "SESSION_DIGEST_FALLBACKS"])
def test_an_unknown_or_weak_digest_is_refused(setting: str, name: Any) -> None:
    if not name and setting == "SESSION_DIGEST":
        return  # means the default
    app = App(**{setting: [name] if setting.endswith("FALLBACKS") else name})
    with pytest.raises(ValueError, match="sha256"):
        opened(app, None)


def test_a_python_without_sha1_can_use_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("disabled for FIPS")

    monkeypatch.setattr(hashlib, "sha1", refuse)
    app = App(SESSION_DIGEST="sha256")
    cookie = cookie_of(saved(app, SecureCookieSession_with(a=1))).value
    assert opened(app, cookie) == {"a": 1}
    assert opened(app, cookie[:-1]) == {}


def test_changed_settings_count_at_once() -> None:
    interface, app = SecureCookieSessionInterface(), App()
    first = interface.get_signing_serializer(app)
    assert interface.get_signing_serializer(app) is first
    cookie = cookie_of(saved(app, SecureCookieSession_with(a=1))).value
    app.secret_key = "other key " * 4
    assert interface.open_session(app, request(cookie)) == {}
    app.config["SECRET_KEY_FALLBACKS"] = [KEY]
    assert interface.open_session(app, request(cookie)) == {"a": 1}
    app.config["SECRET_KEY_FALLBACKS"].clear()
    assert interface.open_session(app, request(cookie)) == {}


def test_one_interface_may_serve_two_applications() -> None:
    interface, a, b = SecureCookieSessionInterface(), App(), App("other key " * 4)
    for app in (a, b, a, b):
        cookie = cookie_of(saved(app, SecureCookieSession_with(a=1))).value
        assert interface.open_session(app, request(cookie)) == {"a": 1}


def test_a_serializer_of_ones_own() -> None:
    class Pickling:
        def dumps(self, obj: Any) -> bytes:
            return pickle.dumps(obj)

        def loads(self, data: bytes) -> Any:
            return pickle.loads(data)

    class Mine(SecureCookieSessionInterface):
        serializer = Pickling()
        pickle_based = True

        class session_class(SecureCookieSession):
            pass

    app, response, session = App(), Response(), SecureCookieSession_with(a={1, 2})
    Mine().save_session(app, session, response)
    back = Mine().open_session(app, request(cookie_of(response).value))
    assert back == {"a": {1, 2}}
    assert type(back) is Mine.session_class


# A short key


def test_a_short_key_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    app = App("dev")
    for _ in range(3):
        opened(app, None)
    app.secret_key = "dev2"
    opened(app, None)
    assert len(caplog.records) == 1
    assert caplog.records[0].levelname == "WARNING"
    assert "SECRET_KEY has 3 bytes" in caplog.text
    opened(App("dev"), None)
    assert len(caplog.records) == 2


@pytest.mark.parametrize("key", ["0123456789abcdef", b"0123456789abcdef", "üüüüüüüü"])
def test_sixteen_bytes_are_enough(key: str | bytes, caplog: pytest.LogCaptureFixture) -> None:
    opened(App(key), None)
    assert not caplog.records


# The response


def test_an_untouched_session_leaves_no_trace() -> None:
    for session in (SecureCookieSession(), SecureCookieSession({"a": 1})):
        response = saved(App(), session)
        assert "Set-Cookie" not in response.headers
        assert "Vary" not in response.headers
        assert "Cache-Control" not in response.headers


@pytest.mark.parametrize("data", [{}, {"a": 1}])
def test_a_session_that_was_read_varies_by_cookie(data: dict[str, Any]) -> None:
    session = SecureCookieSession(data)
    session.accessed = True
    response = saved(App(), session)
    assert "Set-Cookie" not in response.headers
    assert response.headers["Vary"] == "Cookie"
    assert "Cache-Control" not in response.headers


def test_vary_is_kept() -> None:
    response = Response()
    response.vary.add("Accept-Encoding")
    saved(App(), SecureCookieSession_with(a=1), response)
    assert {name.lower() for name in response.vary} == {"accept-encoding", "cookie"}
    saved(App(), SecureCookieSession(), response)
    assert response.headers["Vary"].lower().count("cookie") == 1


def test_a_changed_session_is_set() -> None:
    response = saved(App(), SecureCookieSession_with(a=1))
    cookie = cookie_of(response)
    assert cookie.key == "session"
    assert cookie["path"] == "/"
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert not cookie["secure"]
    assert not cookie["expires"]
    assert not cookie["domain"]
    assert response.headers["Vary"] == "Cookie"
    assert response.headers["Cache-Control"] == "private"


def test_an_emptied_session_is_deleted() -> None:
    session = SecureCookieSession({"a": 1})
    session.clear()
    app = App(SESSION_COOKIE_PATH="/shop", SESSION_COOKIE_SECURE=True)
    response = saved(app, session)
    cookie = cookie_of(response)
    assert cookie.value == ""
    assert cookie["max-age"] == "0"
    assert "1970" in cookie["expires"]
    assert cookie["path"] == "/shop"
    assert cookie["secure"] is True
    assert response.headers["Vary"] == "Cookie"
    assert response.headers["Cache-Control"] == "private"


def test_a_permanent_session_expires_and_is_refreshed() -> None:
    app = App()
    session = SecureCookieSession({"_permanent": True})
    expires = cookie_of(saved(app, session))["expires"]
    when = datetime.strptime(expires, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    in_a_month = datetime.now(UTC) + timedelta(days=31)
    assert timedelta(0) <= in_a_month - when < timedelta(minutes=5)
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    assert cookie_of(saved(app, session)) is None
    session["a"] = 1
    assert cookie_of(saved(app, session)) is not None


def test_every_setting_of_the_cookie() -> None:
    app = App(
        SESSION_COOKIE_NAME="shop",
        SESSION_COOKIE_DOMAIN="example.com",
        SESSION_COOKIE_PATH="/shop",
        SESSION_COOKIE_HTTPONLY=False,
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_PARTITIONED=True,
    )
    response = saved(app, SecureCookieSession_with(a=1))
    (value,) = response.headers.getlist("Set-Cookie")
    name, *attributes = value.split("; ")
    assert name.startswith("shop=")
    assert set(attributes) == {
        "Domain=example.com", "Path=/shop", "Secure", "SameSite=Strict", "Partitioned",
    }  # fmt: skip


def test_the_path_follows_the_applications_root() -> None:
    assert (
        cookie_of(saved(App(APPLICATION_ROOT="/app"), SecureCookieSession_with(a=1)))["path"]
        == "/app"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("setting", [None, True, False])
def test_the_cookie_is_secure_over_https_unless_configured(
    monkeypatch: pytest.MonkeyPatch, scheme: str, setting: bool | None
) -> None:
    current = request(scheme=scheme)
    monkeypatch.setattr(SessionInterface, "current_request", staticmethod(lambda: current))
    app = App(SESSION_COOKIE_SECURE=setting)
    expected = scheme == "https" if setting is None else setting
    assert bool(cookie_of(saved(app, SecureCookieSession_with(a=1)))["secure"]) is expected
    assert SecureCookieSessionInterface().get_cookie_secure(app) is expected


@pytest.mark.parametrize(
    ("said", "then"),
    [
        (None, {"private"}),
        ("no-store", {"no-store"}),
        ("private", {"private"}),
        ("private, max-age=60", {"private", "max-age=60"}),
        ("max-age=60", {"private", "max-age=60"}),
        ("no-cache", {"private", "no-cache"}),
        ("public, max-age=60, s-maxage=600", {"private", "max-age=60"}),
        ("public", {"private"}),
    ],
)
def test_a_response_that_sets_a_session_is_not_for_shared_caches(
    said: str | None, then: set[str]
) -> None:
    for refreshed in (SecureCookieSession_with(a=1), SecureCookieSession({"_permanent": True})):
        response = Response()
        if said is not None:
            response.headers["Cache-Control"] = said
        saved(App(), refreshed, response)
        assert set(response.headers["Cache-Control"].split(", ")) == then


def test_a_response_that_only_read_the_session_keeps_its_cache_control() -> None:
    response = Response()
    response.headers["Cache-Control"] = "public, max-age=60"
    session = SecureCookieSession({"a": 1})
    session.accessed = True
    saved(App(), session, response)
    assert response.headers["Cache-Control"] == "public, max-age=60"


# What the pipeline asks


@pytest.mark.parametrize(
    ("fields", "refresh", "expected"),
    [
        ([], True, False),
        ([(b"cookie", b"other=1")], True, False),
        ([(b"cookie", b"other=1; session=x")], True, True),
        ([(b"cookie", b"other=1"), (b"cookie", b"session=x")], True, True),
        ([(b"x-session", b"session")], True, False),
        ([(b"cookie", b"session=x")], False, False),
    ],
)
def test_a_session_nobody_used_is_opened_only_to_be_refreshed(
    fields: list[tuple[bytes, bytes]], refresh: bool, expected: bool
) -> None:
    app = App(SESSION_REFRESH_EACH_REQUEST=refresh)
    asked = Request({"type": "http", "method": "GET", "path": "/", "headers": fields})
    assert SecureCookieSessionInterface().needs_save_unopened(app, asked) is expected


def test_the_default_is_opened_at_its_first_use() -> None:
    assert SecureCookieSessionInterface.lazy is True
    assert SessionInterface.lazy is False


def test_who_replaces_a_step_has_it_called_every_time() -> None:
    class Cosmetic(SecureCookieSessionInterface):
        salt = "mine"

        def get_cookie_name(self, app: Any) -> str:
            return "mine"

    class Opening(SecureCookieSessionInterface):
        def open_session(self, app: Any, request: Request) -> SecureCookieSession | None:
            return super().open_session(app, request)

    class Further(Opening):
        pass

    class Insisting(Opening):
        lazy = True

    lazy = [cls.lazy for cls in (Cosmetic, Opening, Further, Insisting)]
    assert lazy == [True, False, False, True]


def test_an_interface_needs_two_methods() -> None:
    class Mine(SessionInterface):
        pass

    with pytest.raises(NotImplementedError, match=r"Mine must implement open_session\(\)"):
        Mine().open_session(App(), request())
    with pytest.raises(NotImplementedError, match=r"Mine must implement save_session\(\)"):
        Mine().save_session(App(), {}, Response())


def test_the_serializer_is_itsdangerous_in_all_it_can_do() -> None:
    signing = SecureCookieSessionInterface().get_signing_serializer(App())
    theirs = flask.sessions.SecureCookieSessionInterface().get_signing_serializer(THEIRS.app)
    assert signing is not None
    assert theirs is not None
    for salt in (None, "cookie-session", "another"):
        assert signing.loads(theirs.dumps([1], salt=salt), salt=salt) == [1]
        assert theirs.loads(signing.dumps([1], salt=salt), salt=salt) == [1]
    data, when = signing.loads(signing.dumps([1]), return_timestamp=True)
    assert data == [1]
    assert abs(datetime.now(UTC) - when) < timedelta(minutes=5)
    assert signing.make_signer().derive_key(KEY) == theirs.make_signer().derive_key(KEY)
