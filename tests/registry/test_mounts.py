"""Mounting, as registration sees it: prefixes, names, mistakes; and URLs into what is mounted."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from kolben import Blueprint, Kolben, url_for
from kolben.registry.mounts import make_record
from kolben.routing import BuildError


async def asgi_app(scope: Any, receive: Any, send: Any) -> None: ...


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    return []


class AsyncCall:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class PlainCall:
    def __call__(self, scope: Any, receive: Any, send: Any) -> Any: ...


class WSGICall:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return []


def make_app(name: str) -> Kolben:
    app = Kolben(name, static_folder=None)

    @app.get("/")
    def index() -> str:
        return ""

    @app.get("/items/<int:number>")
    def item(number: int) -> str:
        return ""

    return app


@pytest.fixture
def outer() -> Kolben:
    return make_app("outer")


@pytest.fixture
def shop() -> Kolben:
    return make_app("shop")


# What can be mounted -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "wsgi"),
    [
        (asgi_app, False),
        (AsyncCall(), False),
        (PlainCall(), False),
        (lambda scope, receive, send: asgi_app(scope, receive, send), False),
        (functools.partial(asgi_app), False),
        (functools.partial(PlainCall().__call__), False),
        (wsgi_app, True),
        (WSGICall(), True),
        (WSGICall().__call__, True),
        (functools.partial(wsgi_app), True),
        (make_app("kolben"), False),
    ],
)
def test_the_protocol_is_seen(other: Any, wsgi: bool) -> None:
    assert make_record("/x", other, None, None).wsgi is wsgi


def test_the_protocol_can_be_said() -> None:
    def either(*args: Any) -> Any: ...

    with pytest.raises(TypeError, match="Say 'wsgi=False' or 'wsgi=True'"):
        make_record("/x", either, None, None)
    assert make_record("/x", either, None, True).wsgi
    assert not make_record("/x", either, None, False).wsgi


@pytest.mark.parametrize("other", [None, "module:app", 7, Kolben, lambda scope: None])
def test_what_is_no_application_is_refused(outer: Kolben, other: Any) -> None:
    with pytest.raises(TypeError, match="cannot be mounted"):
        outer.mount("/x", other)


def test_a_blueprint_is_registered_and_not_mounted(outer: Kolben) -> None:
    with pytest.raises(TypeError, match="'register_blueprint' takes blueprints"):
        outer.mount("/x", Blueprint("bp", __name__))


def test_an_application_is_not_mounted_on_itself(outer: Kolben) -> None:
    with pytest.raises(ValueError, match="on itself"):
        outer.mount("/x", outer)


# Prefixes and names -------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "shop", "shop/", "//shop", "/a//b", "/<lang>/shop"])
def test_what_is_no_prefix_is_refused(outer: Kolben, shop: Kolben, prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        outer.mount(prefix, shop)


def test_a_slash_at_the_end_is_dropped(outer: Kolben, shop: Kolben) -> None:
    outer.mount("/shop/", shop)
    assert [mount.prefix for mount in outer.mounts] == ["/shop"]


def test_a_prefix_that_is_taken_names_both_places(outer: Kolben, shop: Kolben) -> None:
    outer.mount("/shop", shop)
    with pytest.raises(ValueError, match="There is a mount at '/shop'") as caught:
        outer.mount("/shop/", asgi_app)
    assert str(caught.value).count(f"{__file__}, line ") == 2
    assert "<Kolben 'shop'>" in str(caught.value)
    assert "asgi_app" in str(caught.value)


def test_a_name_that_is_taken_is_refused(outer: Kolben, shop: Kolben) -> None:
    outer.mount("/shop", shop)
    with pytest.raises(ValueError, match="'shop' is taken by the mount '/shop'"):
        outer.mount("/second", shop)
    outer.mount("/second", shop, name="second")
    with pytest.raises(ValueError, match="'second' is taken by the mount '/second'"):
        outer.register_blueprint(Blueprint("second", __name__))
    outer.register_blueprint(Blueprint("third", __name__))
    with pytest.raises(ValueError, match="'third' is taken by a blueprint"):
        outer.mount("/third", make_app("third"))


@pytest.mark.parametrize("name", ["", "a.b"])
def test_what_is_no_name_is_refused(outer: Kolben, shop: Kolben, name: str) -> None:
    with pytest.raises(ValueError, match="may not be empty or contain a dot"):
        outer.mount("/shop", shop, name=name)


def test_a_name_is_for_kolben_applications(outer: Kolben) -> None:
    with pytest.raises(ValueError, match="a name is for 'url_for'"):
        outer.mount("/x", asgi_app, name="x")


def test_after_the_first_request_it_is_too_late(outer: Kolben, shop: Kolben) -> None:
    outer.test_client().get("/")
    with pytest.raises(AssertionError, match="'mount' can no longer be called"):
        outer.mount("/shop", shop)


# Routes that a mount would hide ---------------------------------------------------------------


def test_a_route_below_a_prefix_is_an_error(outer: Kolben, shop: Kolben) -> None:
    with pytest.raises(AssertionError, match=r"'/items/<int:number>'.* cannot be reached"):
        outer.mount("/items", shop)
    outer.mount("/shop", shop)
    for rule in ("/shop", "/shop/", "/shop/cart", "/shop/<name>"):
        with pytest.raises(AssertionError, match="cannot be reached"):
            outer.add_url_rule(rule, rule)


def test_other_routes_are_not(outer: Kolben, shop: Kolben) -> None:
    outer.mount("/shop", shop)
    outer.mount("/", asgi_app)
    outer.add_url_rule("/shopping", "shopping")
    outer.add_url_rule("/<name>/cart", "cart")
    outer.add_url_rule("/shop/<name>", "elsewhere", build_only=True)
    with outer.test_request_context():
        assert url_for("elsewhere", name="x") == "/shop/x"


def test_static_files_may_be_another_applications(shop: Kolben) -> None:
    Kolben("outer").mount("/static", shop)


# Blueprints -----------------------------------------------------------------------------------


def test_a_blueprint_mounts_below_its_own_prefix(outer: Kolben, shop: Kolben) -> None:
    inside = Blueprint("inside", __name__, url_prefix="/inside")
    inside.mount("/shop", shop)
    inside.mount("/", make_app("rest"))
    outside = Blueprint("outside", __name__, url_prefix="/outside")
    outside.register_blueprint(inside)
    outer.register_blueprint(outside)
    outer.register_blueprint(inside, url_prefix=None, name="again")
    with outer.test_request_context():
        assert url_for("outside.inside.shop.item", number=1) == "/outside/inside/shop/items/1"
        assert url_for("outside.inside.rest.index") == "/outside/inside/"
        assert url_for("again.shop.index") == "/inside/shop/"


def test_a_blueprint_without_a_prefix_mounts_where_it_says(outer: Kolben, shop: Kolben) -> None:
    bp = Blueprint("bp", __name__)
    bp.mount("/shop", shop, name="s")
    outer.register_blueprint(bp)
    with outer.test_request_context():
        assert url_for("bp.s.index") == "/shop/"


def test_a_mistake_in_a_blueprint_shows_at_once(shop: Kolben) -> None:
    bp = Blueprint("bp", __name__)
    with pytest.raises(ValueError, match="must begin with a slash"):
        bp.mount("shop", shop)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"url_prefix": "/<lang>"}, "variable parts"), ({"subdomain": "api"}, "subdomain 'api'")],
)
def test_a_blueprint_that_cannot_mount_says_why(
    outer: Kolben, shop: Kolben, options: dict[str, str], message: str
) -> None:
    bp = Blueprint("bp", __name__)
    bp.mount("/shop", shop)
    with pytest.raises(ValueError, match=message):
        outer.register_blueprint(bp, **options)


def test_a_registered_blueprint_mounts_no_more(outer: Kolben, shop: Kolben) -> None:
    bp = Blueprint("bp", __name__)
    outer.register_blueprint(bp)
    with pytest.raises(AssertionError, match="'mount' can no longer be called"):
        bp.mount("/shop", shop)


# URLs -----------------------------------------------------------------------------------------


@pytest.fixture
def nested(outer: Kolben, shop: Kolben) -> Kolben:
    shop.mount("/admin/", make_app("admin"))
    outer.mount("/shop", shop)
    outer.mount("/künstler", make_app("package.module"))
    outer.mount("/other", make_app("package"))
    return outer


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("shop.index", "/shop/"),
        ("shop.item", "/shop/items/7"),
        ("shop.admin.item", "/shop/admin/items/7"),
        ("package.module.item", "/k%C3%BCnstler/items/7"),
        ("package.item", "/other/items/7"),
    ],
)
def test_urls_of_mounted_applications(nested: Kolben, endpoint: str, url: str) -> None:
    values = {"number": 7} if endpoint.endswith("item") else {}
    with nested.test_request_context():
        assert url_for(endpoint, **values) == url
        assert url_for(endpoint, _anchor="top", page=2, **values) == f"{url}?page=2#top"
        assert url_for(endpoint, _external=True, **values) == f"http://localhost{url}"
        assert url_for(endpoint, _scheme="https", **values) == f"https://localhost{url}"
    with nested.test_request_context(base_url="https://example.org/app"):
        assert url_for(endpoint, **values) == f"/app{url}"
        assert url_for(endpoint, _external=True, **values) == f"https://example.org/app{url}"


def test_urls_without_a_request(nested: Kolben) -> None:
    nested.config.update(SERVER_NAME="example.org", APPLICATION_ROOT="/app")
    with nested.app_context():
        assert url_for("shop.admin.index") == "http://example.org/app/shop/admin/"
        assert url_for("shop.index", _external=False) == "/app/shop/"


def test_urls_of_a_subdomain_have_its_host(shop: Kolben) -> None:
    outer = Kolben("outer", subdomain_matching=True)
    outer.config["SERVER_NAME"] = "example.org"
    outer.mount("/shop", shop)
    with outer.test_request_context(base_url="http://api.example.org/"):
        assert url_for("shop.index") == "/shop/"
        assert url_for("shop.index", _external=True) == "http://api.example.org/shop/"


def test_url_defaults_are_those_of_the_mounted_application(nested: Kolben, shop: Kolben) -> None:
    @nested.url_defaults
    def ours(endpoint: str, values: dict[str, Any]) -> None:
        values["wrong"] = endpoint

    @shop.url_defaults
    def theirs(endpoint: str, values: dict[str, Any]) -> None:
        values["from"] = endpoint

    with nested.test_request_context():
        assert url_for("shop.index") == "/shop/?from=index"


def test_a_url_that_cannot_be_built(nested: Kolben, shop: Kolben) -> None:
    with nested.test_request_context():
        for endpoint in ("shop.nothing", "shop.item", "shop.admin.nothing", "nothing.index"):
            with pytest.raises(BuildError):
                url_for(endpoint)
        asked: list[str] = []

        def handler(who: str, answer: str | None) -> Callable[..., str | None]:
            def handle(error: Exception, endpoint: str, values: dict[str, Any]) -> str | None:
                asked.append(f"{who} {endpoint} {values['q']}")
                return answer

            return handle

        shop.url_build_error_handlers.append(handler("shop", None))
        nested.url_build_error_handlers.append(handler("outer", "/found"))
        assert url_for("shop.nothing", q=1) == "/found"
        assert asked == ["shop nothing 1", "outer shop.nothing 1"]


def test_a_relative_endpoint_finds_the_mount_of_its_blueprint(outer: Kolben, shop: Kolben) -> None:
    bp = Blueprint("bp", __name__, url_prefix="/bp")
    bp.mount("/shop", shop)

    @bp.get("/where")
    def where() -> str:
        return url_for(".shop.index")

    outer.register_blueprint(bp)
    assert outer.test_client().get("/bp/where").text == "/bp/shop/"
