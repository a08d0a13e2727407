"""The proxies that user code imports."""

from __future__ import annotations

from typing import Any

import pytest

from kolben import Kolben, Request, current_app, g, request, session
from kolben.context import Context
from kolben.globals import app_ctx, request_ctx
from kolben.sessions import SessionMixin

PROXIES: dict[str, Any] = {
    "request": request,
    "session": session,
    "g": g,
    "current_app": current_app,
    "app_ctx": app_ctx,
    "request_ctx": request_ctx,
}


@pytest.fixture
def app() -> Kolben:
    app = Kolben("proxies")
    app.secret_key = "0123456789abcdef"
    return app


@pytest.mark.parametrize("name", PROXIES)
def test_outside_a_context_a_proxy_is_false_and_raises(name: str) -> None:
    proxy = PROXIES[name]
    assert not proxy
    assert "unbound" in repr(proxy)
    assert dir(proxy) == []
    kind = "request" if name in {"request", "session", "request_ctx"} else "application"
    for use in (
        lambda: proxy.anything,
        lambda: setattr(proxy, "anything", 1),
        lambda: proxy._get_current_object(),
        lambda: str(proxy),
    ):
        with pytest.raises(RuntimeError, match=f"Working outside of {kind} context"):
            use()


def test_known_attributes_raise_too() -> None:
    for name in ("path", "method", "args", "headers"):
        with pytest.raises(RuntimeError, match="outside of request context"):
            getattr(request, name)


@pytest.mark.parametrize("name", PROXIES)
def test_asking_for_what_a_proxy_wraps_is_safe_outside(name: str) -> None:
    """What doctest, mock and inspect do."""
    assert not hasattr(PROXIES[name], "__wrapped__")


def test_a_proxy_looks_like_what_it_stands_for(app: Kolben) -> None:
    with app.test_request_context("/path"):
        assert isinstance(request, Request)
        assert isinstance(current_app, Kolben)
        assert isinstance(session, SessionMixin)
        assert isinstance(app_ctx, Context)
        assert current_app == app
        assert app == current_app
        assert hash(current_app) == hash(app)
        assert current_app._get_current_object() is app  # type: ignore[attr-defined]
        assert repr(current_app) == repr(app)
        assert str(request) == str(request._get_current_object())  # type: ignore[attr-defined]
        assert "config" in dir(current_app)
        assert bool(request)


def test_attributes_are_set_and_deleted_through(app: Kolben) -> None:
    with app.test_request_context("/path"):
        real = request._get_current_object()  # type: ignore[attr-defined]
        request.mine = 1  # type: ignore[attr-defined]
        assert real.mine == 1
        del request.mine  # type: ignore[attr-defined]
        assert not hasattr(real, "mine")
        request.max_content_length = 5
        assert real.max_content_length == 5


def test_a_subclass_of_request_shows_its_own(app: Kolben) -> None:
    class Own(Request):
        own = "own"

    app.request_class = Own
    with app.test_request_context("/path"):
        assert request.own == "own"  # type: ignore[attr-defined]
        assert isinstance(request, Own)


def test_the_session_is_a_dictionary(app: Kolben) -> None:
    with app.test_request_context("/"):
        session["a"] = 1
        assert "a" in session
        assert list(session) == ["a"]
        assert len(session) == 1
        assert session.get("b", 2) == 2
        assert session == {"a": 1}
        del session["a"]
        assert not session


def test_g_is_a_namespace(app: Kolben) -> None:
    with app.app_context():
        assert not hasattr(g, "a")
        with pytest.raises(AttributeError, match="a"):
            g.a
        g.a = 1
        assert g.a == 1
        assert "a" in g
        assert g.get("a") == 1
        assert g.get("b") is None
        assert g.get("b", 2) == 2
        assert g.setdefault("a", 3) == 1
        assert g.setdefault("c", 3) == 3
        assert list(g) == ["a", "c"]
        assert g.pop("c") == 3
        assert g.pop("c", None) is None
        with pytest.raises(KeyError):
            g.pop("c")
        del g.a
        with pytest.raises(AttributeError):
            del g.a
        assert repr(g) == "<kolben.g of 'proxies'>"


def test_another_class_for_g(app: Kolben) -> None:
    class Own:
        preset = 1

    app.app_ctx_globals_class = Own
    with app.app_context():
        assert g.preset == 1  # type: ignore[attr-defined]


def test_proxies_follow_the_context(app: Kolben) -> None:
    other = Kolben("other")
    with app.test_request_context("/first"):
        with other.test_request_context("/second"):
            assert (current_app.name, request.path) == ("other", "/second")
        assert (current_app.name, request.path) == ("proxies", "/first")
