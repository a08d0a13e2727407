"""Sessions that either framework opens what the other has saved, and messages."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from .conftest import ALL, FLASK, KOLBEN, Framework

VALUES: dict[str, Any] = {
    "text": "ä€",
    "number": 5,
    "float": 1.5,
    "none": None,
    "flag": True,
    "list": [1, ["x"]],
    "dict": {"a": {"b": 1}},
    "tuple": (1, (2, "x")),
    "bytes": b"\x00\xff",
    "markup": Markup("<b>x</b>"),
    "uuid": uuid.UUID(int=7),
    "when": datetime.datetime(2024, 2, 29, 12, 0, 1, tzinfo=datetime.UTC),
    "tag": {" t": 1},
    "long": "x" * 2000,
}


def site(fw: Any, **config: Any) -> Any:
    app = fw.app(**config)

    @app.get("/set")
    @fw.colour
    def set_() -> Any:
        fw.session.update(VALUES)
        return "set"

    @app.get("/get")
    @fw.colour
    def get() -> Any:
        return repr(sorted(fw.session.items()))

    @app.get("/touch")
    @fw.colour
    def touch() -> Any:
        return str("text" in fw.session)

    @app.get("/nothing")
    @fw.colour
    def nothing() -> Any:
        return "not touched"

    @app.get("/permanent")
    @fw.colour
    def permanent() -> Any:
        fw.session.permanent = True
        fw.session["a"] = 1
        return "permanent"

    @app.get("/one/<value>")
    @fw.colour
    def one(value: str) -> Any:
        fw.session["one"] = value
        return f"{fw.session.new} {fw.session.modified} {fw.session.accessed}"

    @app.get("/nested")
    @fw.colour
    def nested() -> Any:
        fw.session.setdefault("list", []).append(1)
        return str(fw.session.modified)

    @app.get("/clear")
    @fw.colour
    def clear() -> Any:
        fw.session.clear()
        return "cleared"

    @app.get("/flash")
    @fw.colour
    def flash() -> Any:
        fw.flash("plain")
        fw.flash(Markup("<b>marked</b>"), "error")
        return "flashed"

    @app.get("/messages")
    @fw.colour
    def messages() -> Any:
        return repr(
            [
                fw.get_flashed_messages(),
                fw.get_flashed_messages(with_categories=True),
                fw.get_flashed_messages(category_filter=["error"]),
            ]
        )

    return app


def expires(fw: Any, client: Any) -> bool:
    (header,) = client.get("/permanent").headers.getlist("Set-Cookie")
    return "Expires=" in header


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"SESSION_COOKIE_NAME": "other"},
        {"SESSION_COOKIE_PATH": "/", "SESSION_COOKIE_HTTPONLY": False},
        {"SESSION_COOKIE_SAMESITE": "Strict", "SESSION_COOKIE_SECURE": True},
        {"APPLICATION_ROOT": "/app"},
        {"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SECURE": True},
        {"SERVER_NAME": "example.org", "SESSION_COOKIE_DOMAIN": "example.org"},
        {"SESSION_REFRESH_EACH_REQUEST": False},
    ],
    ids=str,
)
def test_cookies(compare: Any, config: dict[str, Any]) -> None:
    name = config.get("SESSION_COOKIE_NAME")

    def build(fw: Any) -> Any:
        return site(fw, **config)

    def ask(path: str) -> Any:
        def asking(fw: Any, client: Any) -> Any:
            response = client.get(path)
            cookies = sorted(
                "; ".join(sorted(part for part in value.split("; ")[1:] if "xpires" not in part))
                for value in response.headers.getlist("Set-Cookie")
            )
            return [response.get_data(as_text=True), cookies, response.headers.get("Vary")]

        return asking

    paths = (
        "/nothing /get /touch /one/a /one/b /get /nested /nested /get /clear /get /clear /set /get"
        " /touch /nothing /flash /messages /messages /permanent /nothing /get /clear"
    ).split()
    compare(build, *(ask(path) for path in paths), expires)
    if name is None and "SERVER_NAME" not in config:
        compare(build, "/nothing", "/get", "/touch", "/one/a", "/clear")


def test_either_reads_the_other() -> None:
    for writer in ALL:
        client = site(writer).test_client()
        client.get("/set")
        cookie = client.get_cookie("session", path="/").value
        shown = client.get("/get").get_data()
        for reader in ALL:
            other = site(reader).test_client()
            other.set_cookie("session", cookie)
            assert other.get("/get").get_data() == shown


SESSION = st.dictionaries(
    st.text(max_size=6),
    st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(max_size=8),
            st.binary(max_size=8),
            st.uuids(),
            st.text(max_size=5).map(Markup),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.tuples(inner, inner),
            st.dictionaries(st.text(max_size=4), inner, max_size=2),
        ),
        max_leaves=6,
    ),
    max_size=4,
)
_apps: dict[str, Any] = {}


def shared(fw: Framework) -> Any:
    return _apps.setdefault(fw.name, site(fw))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=SESSION)
def test_any_session_moves_both_ways(values: dict[str, Any]) -> None:
    for writer, reader in ((FLASK, KOLBEN), (KOLBEN, FLASK)):
        theirs, ours = shared(writer), shared(reader)
        cookie = theirs.session_interface.get_signing_serializer(theirs).dumps(values)
        read = ours.session_interface.get_signing_serializer(ours).loads(cookie)
        assert read == values
        assert repr(sorted(read)) == repr(sorted(values))


def test_keys_and_tampering(compare: Any) -> None:
    old = site(FLASK, SECRET_KEY="the key of long ago, long enough")
    client = old.test_client()
    client.get("/one/old")
    cookie = client.get_cookie("session").value

    def build(fw: Any) -> Any:
        return site(fw, SECRET_KEY_FALLBACKS=["the key of long ago, long enough"])

    def having(value: str) -> Any:
        def ask(fw: Any, client: Any) -> Any:
            client.set_cookie("session", value)
            return client.get("/get")

        return ask

    compare(
        build,
        having(cookie),
        having(cookie[:-1] + ("A" if cookie[-1] != "A" else "B")),
        having("x" + cookie),
        having(""),
        having("..."),
        having("{}"),
    )
    compare(site, having(cookie))


def test_without_a_key(framework: Any) -> None:
    app = site(framework, SECRET_KEY=None, TESTING=True)
    client = app.test_client()
    assert client.get("/get").get_data() == b"[]"
    with pytest.raises(RuntimeError, match="secret"):
        client.get("/set")


def test_an_interface_of_ones_own(compare: Any) -> None:
    def build(fw: Any) -> Any:
        sessions = __import__(f"{fw.package.__name__}.sessions", fromlist=["x"])
        store: dict[str, Any] = {}

        class Session(dict, sessions.SessionMixin):  # type: ignore[misc, type-arg]
            pass

        class Interface(sessions.SessionInterface):  # type: ignore[misc]
            def open_session(self, app: Any, request: Any) -> Any:
                return Session(store.get(request.cookies.get("sid"), {}))

            def save_session(self, app: Any, session: Any, response: Any) -> None:
                store["1"] = dict(session)
                response.set_cookie("sid", "1")

        app = fw.app()
        app.session_interface = Interface()

        @app.get("/")
        @fw.colour
        def index() -> Any:
            fw.session["n"] = fw.session.get("n", 0) + 1
            return str(fw.session["n"])

        return app

    compare(build, "/", "/", "/nothing", "/")


def test_session_transactions(compare: Any) -> None:
    def build(fw: Any) -> Any:
        return site(fw)

    def change(fw: Any, client: Any) -> Any:
        with client.session_transaction() as session:
            session["by"] = "the test"
            found = dict(session)
        with client.session_transaction() as session:
            return [found, dict(session)]

    def read(fw: Any, client: Any) -> Any:
        with client:
            client.get("/one/x")
            return [fw.session["one"], fw.session["by"], fw.request.path]

    compare(build, change, "/get", "/get")
    compare(build, change, "/get", read, "/get", over_wsgi=False)
