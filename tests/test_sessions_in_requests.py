"""Sessions on their way through whole requests, beside a Flask application with the same key."""

from __future__ import annotations

from typing import Any

import flask
import pytest

import kolben
from kolben import Kolben
from kolben.sessions import SecureCookieSession, SessionInterface

KEY = "0123456789abcdef0123456789abcdef"


def add_views(app: Any, module: Any) -> None:
    """The same views for either framework; ``module`` is the one that they import from."""

    @app.get("/set")
    def set_() -> str:
        module.session["data"] = (1, b"\xff")
        module.session.permanent = True
        module.flash("saved", "info")
        return "set"

    @app.get("/get")
    def get() -> dict[str, Any]:
        data = module.session.get("data")
        flashed = module.get_flashed_messages(with_categories=True)
        return {"data": repr(data), "flashed": flashed, "permanent": module.session.permanent}

    @app.get("/untouched")
    def untouched() -> str:
        return "untouched"

    @app.get("/clear")
    def clear() -> str:
        module.session.clear()
        return "cleared"


def applications() -> tuple[Any, Any]:
    ours, theirs = Kolben("ours"), flask.Flask("theirs")
    for app, module in ((ours, kolben), (theirs, flask)):
        app.secret_key = KEY
        app.testing = True
        add_views(app, module)
    return ours, theirs


@pytest.mark.parametrize("to_flask", [True, False])
def test_a_client_moves_between_flask_and_kolben(to_flask: bool) -> None:
    ours, theirs = applications()
    first, second = (ours, theirs) if to_flask else (theirs, ours)
    before, after = first.test_client(), second.test_client()
    before.get("/set")
    after.set_cookie("session", before.get_cookie("session").value)
    found = after.get("/get").json
    assert found == {"data": "(1, b'\\xff')", "flashed": [["info", "saved"]], "permanent": True}
    assert after.get("/get").json["flashed"] == []
    after.get("/clear")
    assert after.get_cookie("session") is None


@pytest.fixture
def app() -> Kolben:
    return applications()[0]


def test_who_does_not_touch_the_session_leaves_no_trace(app: Kolben) -> None:
    response = app.test_client().get("/untouched")
    for name in ("Set-Cookie", "Vary", "Cache-Control"):
        assert name not in response.headers


def test_reading_an_empty_session_varies_by_cookie(app: Kolben) -> None:
    response = app.test_client().get("/get")
    assert response.headers["Vary"] == "Cookie"
    assert "Set-Cookie" not in response.headers
    assert "Cache-Control" not in response.headers


def test_an_untouched_permanent_session_is_refreshed(app: Kolben) -> None:
    client = app.test_client()
    client.get("/set")
    response = client.get("/untouched")
    assert "Expires=" in response.headers["Set-Cookie"]
    assert response.headers["Vary"] == "Cookie"
    assert response.headers["Cache-Control"] == "private"
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    assert "Set-Cookie" not in client.get("/untouched").headers


def test_an_untouched_session_of_the_browsers_is_left_alone(app: Kolben) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["a"] = 1
    assert "Set-Cookie" not in client.get("/untouched").headers


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_cookie_is_secure_where_the_request_is(app: Kolben, scheme: str, secure: bool) -> None:
    value = app.test_client().get("/set", base_url=f"{scheme}://localhost").headers["Set-Cookie"]
    attributes = value.split("; ")
    assert ("Secure" in attributes) is secure
    assert "HttpOnly" in attributes
    assert "SameSite=Lax" in attributes


def test_changes_of_an_after_hook_are_saved(app: Kolben) -> None:
    @app.after_request
    def count(response: Any) -> Any:
        kolben.session["count"] = kolben.session.get("count", 0) + 1
        return response

    client = app.test_client()
    client.get("/untouched")
    client.get("/untouched")
    with client.session_transaction() as session:
        assert session["count"] == 2


def test_writing_without_a_key_is_a_clear_error(app: Kolben) -> None:
    app.secret_key = None
    client = app.test_client()
    assert client.get("/untouched").text == "untouched"
    assert client.get("/get").json["data"] == "None"
    with pytest.raises(RuntimeError, match="no secret key was set"):
        client.get("/set")


class Store(SessionInterface):
    """Sessions in a dict of the server, by a cookie that is just a number."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.log: list[str] = []

    def open(self, app: Any, request: Any) -> SecureCookieSession:
        self.log.append("open")
        key = request.cookies.get(self.get_cookie_name(app))
        return SecureCookieSession(self.stored.get(key, {}))

    def save(self, app: Any, session: Any, response: Any) -> None:
        self.log.append("save")
        if session.modified:
            key = str(len(self.stored))
            self.stored[key] = dict(session)
            response.set_cookie(self.get_cookie_name(app), key, secure=self.get_cookie_secure(app))


class PlainStore(Store):
    def open_session(self, app: Any, request: Any) -> Any:
        return self.open(app, request)

    def save_session(self, app: Any, session: Any, response: Any) -> None:
        self.save(app, session, response)


class AsyncStore(Store):
    async def open_session(self, app: Any, request: Any) -> Any:
        return self.open(app, request)

    async def save_session(self, app: Any, session: Any, response: Any) -> None:
        self.save(app, session, response)


@pytest.mark.parametrize("store_class", [PlainStore, AsyncStore])
def test_an_interface_of_either_colour_is_called_for_every_request(
    app: Kolben, store_class: type[Store]
) -> None:
    store = app.session_interface = store_class()

    @app.get("/async")
    async def view() -> str:
        kolben.session["seen"] = True
        return "async"

    client = app.test_client()
    client.get("/untouched")
    assert store.log == ["open", "save"]
    client.get("/async", base_url="https://localhost")
    assert store.stored == {"0": {"seen": True}}
    client.get("/set")
    assert store.stored["1"]["data"] == (1, b"\xff")
    assert client.get("/get").json["data"] == "(1, b'\\xff')"
