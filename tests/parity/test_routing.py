"""Rules, redirects between them, and the URLs that are built of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import ALL, FLASK, KOLBEN, Framework


def site(fw: Any, **config: Any) -> Any:
    app = fw.app(**config)

    def view(**values: Any) -> Any:
        return {"endpoint": fw.request.endpoint, "values": {k: str(v) for k, v in values.items()}}

    view = fw.colour(view)
    app.add_url_rule("/", "index", view)
    app.add_url_rule("/user/<name>", "user", view)
    app.add_url_rule("/post/<int:id>", "post", view, methods=["GET", "POST"])
    app.add_url_rule("/post/<int:id>/<slug>", "post", view)
    app.add_url_rule("/page/", "page", view, defaults={"n": 1})
    app.add_url_rule("/page/<int:n>", "page", view)
    app.add_url_rule("/folder/", "folder", view)
    app.add_url_rule("/files/<path:name>", "files", view)
    app.add_url_rule("/only-post", "write", view, methods=["POST"])
    app.add_url_rule("/only-get", "write", view, methods=["GET"])
    app.add_url_rule("/old/<name>", "old", view, redirect_to="/user/<name>")
    app.add_url_rule("/new", "renamed", view)
    app.add_url_rule("/alias", "renamed", view, alias=True)
    app.add_url_rule("/build/<x>", "built", build_only=True)
    app.add_url_rule("/loose", "loose", view, strict_slashes=False)
    app.add_url_rule("/loose2/", "loose2", view, strict_slashes=False)
    app.add_url_rule("/double/<x>//y", "double", view, merge_slashes=False)
    app.add_url_rule("/money/<float:x>", "money", view)
    app.add_url_rule("/any/<any(a,b):x>", "any", view)
    return app


def test_matching(compare: Any) -> None:
    compare(
        site,
        "/page/",
        "/page",
        "/page/1",
        "/page/2",
        "/page/2/",
        "/page/1?a=b&c=%20",
        "/folder?x=1",
        ("POST", "/folder"),
        ("POST", "/folder/"),
        ("HEAD", "/folder"),
        ("OPTIONS", "/post/3"),
        ("OPTIONS", "/folder"),
        ("DELETE", "/post/3"),
        "/only-post",
        ("POST", "/only-get"),
        ("PUT", "/only-get"),
        ("OPTIONS", "/only-get"),
        "/old/ada",
        "/old/%C3%A4?x=1",
        "/new",
        "/alias",
        "/build/x",
        "/loose",
        "/loose/",
        "/loose2",
        "/loose2/",
        "/double/a//y",
        "/double/a/y",
        "/files/a/b.txt",
        "/files//a",
        "/files/a//b",
        "/post//3",
        "/money/1.50",
        "/any/c",
        "/user/%E2%82%AC%20x",
        "/user/a+b",
        "/user/a%3Fb",
        "/user/a%23b",
        "/user/a;b=c,d",
        "/user/%25",
        "/user/%FF",
    )


URLS: list[tuple[str, dict[str, Any]]] = [
    ("index", {}),
    ("index", {"a": "b c", "d": "&=#?/ä"}),
    ("index", {"n": None, "l": [1, 2], "t": ("x", "y"), "e": ""}),
    ("index", {"_anchor": "top of ä"}),
    ("index", {"_external": True}),
    ("index", {"_external": False}),
    ("index", {"_scheme": "https"}),
    ("index", {"_scheme": "https", "_external": True}),
    ("index", {"_scheme": "", "_external": True}),
    ("index", {"_scheme": "https", "_external": False}),
    ("user", {"name": "ada lovelace"}),
    ("user", {"name": "a?c#d&e=f;g,h:i@j!k$l'm(n)o*p+q~r"}),
    ("user", {"name": "ä€\U0001f600"}),
    ("user", {"name": "%41"}),
    ("user", {"name": ".."}),
    ("user", {}),
    ("user", {"name": None}),
    ("user", {"name": ""}),
    ("user", {"name": 5}),
    ("post", {"id": 3}),
    ("post", {"id": "3"}),
    ("post", {"id": "x"}),
    ("post", {"id": 3, "slug": "a-b"}),
    ("post", {"id": 3, "slug": None}),
    ("post", {"id": 3, "page": 2}),
    ("post", {"id": 3, "_method": "POST"}),
    ("post", {"id": 3, "_method": "DELETE"}),
    ("page", {}),
    ("page", {"n": 1}),
    ("page", {"n": 2}),
    ("folder", {}),
    ("files", {"name": "a b/c.txt"}),
    ("files", {"name": "/a"}),
    ("files", {"name": "a//b"}),
    ("write", {}),
    ("write", {"_method": "POST"}),
    ("write", {"_method": "GET"}),
    ("write", {"_method": "PUT"}),
    ("renamed", {}),
    ("built", {"x": "y"}),
    ("double", {"x": "a"}),
    ("money", {"x": 1.5}),
    ("money", {"x": 2}),
    ("any", {"x": "a"}),
    ("any", {"x": "c"}),
    ("static", {"filename": "a b.css"}),
    ("static", {"filename": "a/b.css", "v": 1}),
    ("nothing", {}),
    (".index", {}),
    (".user", {"name": "a"}),
]

CONFIGS: list[dict[str, Any]] = [
    {},
    {"SERVER_NAME": "example.org"},
    {"SERVER_NAME": "example.org:8080", "PREFERRED_URL_SCHEME": "https"},
    {"APPLICATION_ROOT": "/app"},
    {"SERVER_NAME": "example.org", "APPLICATION_ROOT": "/app/"},
]


def built(app: Any, fw: Any, endpoint: str, values: dict[str, Any]) -> str:
    try:
        return str(fw.url_for(endpoint, **values))
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("where", ["request", "post", "mounted", "app"])
def test_building(config: dict[str, Any], where: str) -> None:
    found = []
    for fw in ALL:
        app = site(fw, **config)
        if where == "app":
            ctx = app.app_context()
        elif where == "post":
            ctx = app.test_request_context("/only-post", method="POST")
        elif where == "mounted":
            ctx = app.test_request_context("/user/x", base_url="https://host:444/mount")
        else:
            ctx = app.test_request_context("/post/4/x")
        with ctx:
            found.append([(url, built(app, fw, *url)) for url in URLS])
    for theirs, ours, ours_async in zip(*found, strict=True):
        assert theirs == ours == ours_async


def test_building_without_a_host() -> None:
    for fw in ALL:
        app = site(fw)
        with app.app_context(), pytest.raises(RuntimeError):
            fw.url_for("index")
        with pytest.raises(RuntimeError):
            fw.url_for("index")


TEXT = st.text(max_size=12)
VALUES = st.dictionaries(
    st.text(alphabet="abcdefghij_ ä&=", min_size=1, max_size=4).filter(
        lambda key: key not in ("_anchor", "_method", "_scheme", "_external", "endpoint")
    ),
    st.one_of(TEXT, st.integers(), st.booleans(), st.none(), st.lists(TEXT, max_size=3)),
    max_size=4,
)

_apps: dict[str, Any] = {}


def shared(fw: Framework) -> Any:
    return _apps.setdefault(fw.name, site(fw))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(name=TEXT, values=VALUES, anchor=st.none() | TEXT)
def test_building_anything(name: str, values: dict[str, Any], anchor: str | None) -> None:
    found = []
    for fw in (FLASK, KOLBEN):
        app = shared(fw)
        with app.test_request_context("/"):
            for endpoint in ("user", "files"):
                # A slash is written "%2F" where it does not divide segments; Flask lets it divide.
                arguments = {
                    **values,
                    "name": name.replace("/", "") if endpoint == "user" else name,
                }
                if anchor is not None:
                    arguments["_anchor"] = anchor
                found.append(built(app, fw, endpoint, arguments))
    assert found[2:] == found[:2]


SEGMENT = st.text(
    alphabet=st.characters(exclude_characters="/\\?#%\x00", exclude_categories=("Cs",)),
    max_size=8,
)


@settings(deadline=None)
@given(path=st.lists(SEGMENT, max_size=5).map(lambda parts: "/" + "/".join(parts)))
def test_matching_anything(path: str) -> None:
    found = []
    for fw in (FLASK, KOLBEN):
        adapter = shared(fw).url_map.bind("localhost")
        try:
            endpoint, values = adapter.match(path)
            found.append((endpoint, {key: str(value) for key, value in values.items()}))
        except fw.routing.RequestRedirect as redirect:
            found.append((redirect.code, redirect.new_url))
        except fw.exceptions.HTTPException as error:
            found.append((error.code, None))
    assert found[0] == found[1]


def test_hosts_and_subdomains(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app(subdomain_matching=True, SERVER_NAME="example.org")

        @app.route("/")
        @fw.colour
        def main() -> Any:
            return f"main {fw.url_for('user', name='ada')} {fw.url_for('main')}"

        @app.route("/", subdomain="<name>")
        @fw.colour
        def user(name: str) -> Any:
            return f"user {name} {fw.url_for('main')} {fw.url_for('user', name='b')}"

        @app.route("/x/", subdomain="api")
        @fw.colour
        def api() -> Any:
            return f"api {fw.request.host}"

        return app

    compare(
        build,
        ("GET", "/", {"base_url": "http://example.org"}),
        ("GET", "/", {"base_url": "http://ada.example.org"}),
        ("GET", "/", {"base_url": "http://a.b.example.org"}),
        ("GET", "/x/", {"base_url": "http://api.example.org"}),
        ("GET", "/x", {"base_url": "http://api.example.org"}),
        ("GET", "/x/", {"subdomain": "api"}),
        ("GET", "/x/"),
        ("GET", "/", {"base_url": "https://example.org:443"}),
        ("GET", "/", {"base_url": "http://example.org:80"}),
        ("GET", "/", {"base_url": "http://EXAMPLE.org"}),
    )


def test_host_matching(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app(host_matching=True, static_host="static.org")

        @app.route("/", host="a.org")
        @fw.colour
        def a() -> Any:
            return f"a {fw.url_for('b', name='x')} {fw.url_for('static', filename='y')}"

        @app.route("/", host="<name>.b.org:8080")
        @fw.colour
        def b(name: str) -> Any:
            return f"b {name} {fw.url_for('a')}"

        return app

    compare(
        build,
        ("GET", "/", {"base_url": "http://a.org"}),
        ("GET", "/", {"base_url": "http://c.b.org:8080"}),
        ("GET", "/", {"base_url": "http://c.b.org"}),
        ("GET", "/", {"base_url": "http://d.org"}),
    )


def test_url_defaults_and_build_errors(compare: Any) -> None:
    def build(fw: Any) -> Any:
        app = fw.app()

        @app.url_value_preprocessor
        @fw.colour
        def pull(endpoint: str, values: dict[str, Any] | None) -> None:
            fw.g.lang = values.pop("lang", None) if values else None

        @app.url_defaults
        def push(endpoint: str, values: dict[str, Any]) -> None:
            if "lang" in values or not fw.g.get("lang"):
                return
            if fw.current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
                values["lang"] = fw.g.lang

        @app.route("/<lang>/")
        @fw.colour
        def index() -> Any:
            return f"{fw.g.lang} {fw.url_for('about')} {fw.url_for('about', lang='fr')}"

        @app.route("/<lang>/about")
        @fw.colour
        def about() -> Any:
            return fw.url_for("elsewhere", x=1)

        app.url_build_error_handlers.append(
            lambda error, endpoint, values: f"/external/{endpoint}/{values['x']}"
        )
        return app

    compare(build, "/en/", "/en/about", "/de")


def test_custom_converters(compare: Any) -> None:
    def build(fw: Any) -> Any:
        class ListConverter(fw.routing.BaseConverter):  # type: ignore[misc]
            regex = r"\w+(?:,\w+)*"

            def to_python(self, value: str) -> list[str]:
                return value.split(",")

            def to_url(self, value: list[str]) -> str:
                base = super().to_url
                return ",".join(base(item) for item in value)

        class Even(fw.routing.BaseConverter):  # type: ignore[misc]
            def to_python(self, value: str) -> int:
                if int(value) % 2:
                    raise fw.routing.ValidationError("odd")
                return int(value)

        app = fw.app()
        app.url_map.converters["list"] = ListConverter
        app.url_map.converters["even"] = Even

        @app.route("/<list:items>")
        @fw.colour
        def items(items: list[str]) -> Any:
            return f"{items} {fw.url_for('items', items=['x', 'ä'])}"

        @app.route("/n/<even:n>")
        @fw.colour
        def number(n: int) -> Any:
            return str(n)

        return app

    compare(build, "/a,b,c", "/a", "/a,,b", "/n/2", "/n/3")
