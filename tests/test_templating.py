from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import anyio
import jinja2
import pytest

from kolben import (
    Blueprint,
    Kolben,
    Response,
    flash,
    g,
    get_template_attribute,
    render_template,
    render_template_async,
    render_template_string,
    render_template_string_async,
    session,
    stream_template,
    stream_template_async,
    stream_template_string,
    stream_template_string_async,
)
from kolben.signals import before_render_template, template_rendered
from kolben.templating import Environment

TEMPLATES = {
    "base.html": "<title>{% block title %}Site{% endblock %}</title>{% block body %}{% endblock %}",
    "page.html": '{% extends "base.html" %}{% block body %}Hi {{ name }}{% endblock %}',
    "plain.txt": "Hi {{ name }}",
    "macros.html": "{% macro hello(name) %}Hello {{ name }}{{ request.path }}!{% endmacro %}",
    "import.html": '{% from "macros.html" import hello %}{{ hello("<Ada>") }}',
}


@pytest.fixture
def app(tmp_path: Path) -> Kolben:
    folder = tmp_path / "templates"
    folder.mkdir()
    for name, text in TEMPLATES.items():
        (folder / name).write_text(text)
    app = Kolben("testing", root_path=str(tmp_path))
    app.testing = True
    app.secret_key = "k" * 32
    return app


@pytest.fixture(params=["def", "async def"])
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def add_view(app: Kolben, colour: str, view: Any, rule: str = "/") -> None:
    """Register a plain function as a view of either colour."""

    async def view_async() -> Any:
        return view()

    app.add_url_rule(rule, f"{rule} {colour}", view if colour == "def" else view_async)


async def later(value: Any) -> Any:
    """A value that needs the event loop to turn."""
    await anyio.sleep(0)
    return value


# Rendering


def test_views_of_both_colours_render_by_the_same_call(app: Kolben, colour: str) -> None:
    add_view(app, colour, lambda: render_template("page.html", name="<Ada>"))
    response = app.test_client().get("/")
    assert response.text == "<title>Site</title>Hi &lt;Ada&gt;"
    assert response.mimetype == "text/html"


def test_html_and_strings_are_escaped_and_text_is_not(app: Kolben) -> None:
    with app.test_request_context():
        assert render_template("page.html", name="<b>").endswith("Hi &lt;b&gt;")
        assert render_template("plain.txt", name="<b>") == "Hi <b>"
        assert render_template_string("{{ x }}", x="<b>") == "&lt;b&gt;"
        assert (
            render_template_string("{% autoescape false %}{{ x }}{% endautoescape %}", x="<") == "<"
        )
        assert render_template_string('<a href="{{ x }}">', x="\"' ") == '<a href="&#34;&#39; ">'


def test_the_first_template_that_exists_is_taken(app: Kolben) -> None:
    with app.app_context():
        names: list[str | jinja2.Template] = ["missing.html", "plain.txt"]
        assert render_template(names, name="Ada") == "Hi Ada"
        template = app.jinja_env.get_template("plain.txt")
        assert render_template(template, name="Ada") == "Hi Ada"
        with pytest.raises(jinja2.TemplateNotFound):
            render_template("missing.html")
        with pytest.raises(jinja2.TemplatesNotFound):
            render_template(["missing.html", "also-missing.html"])


def test_rendering_needs_an_application() -> None:
    with pytest.raises(RuntimeError, match="application context"):
        render_template_string("")


def test_error_in_a_template_names_its_line(app: Kolben) -> None:
    with app.app_context(), pytest.raises(ZeroDivisionError) as caught:
        render_template_string("one\n{{ 1 // zero }}", zero=0)
    assert caught.traceback[-1].lineno == 1


def test_tojson_uses_the_applications_provider_and_is_safe_in_a_script(app: Kolben) -> None:
    with app.app_context():
        text = render_template_string(
            "{{ x|tojson }}", x={"at": date(2026, 1, 2), "a": "</script>'"}
        )
    assert "Fri, 02 Jan 2026" in text
    assert "</script>" not in text and "'" not in text


def test_a_string_is_compiled_once_and_large_ones_are_not_kept(app: Kolben) -> None:
    with app.app_context():
        first = app.jinja_env.from_source("{{ x }}")
        assert app.jinja_env.from_source("{{ x }}") is first
        large = "x" * 70_000
        assert app.jinja_env.from_source(large) is not app.jinja_env.from_source(large)
        assert [render_template_string("{{ x }}", x=n) for n in (1, 2)] == ["1", "2"]


# What a template sees


def test_every_template_has_the_usual_names(app: Kolben, colour: str) -> None:
    def view() -> str:
        g.word = "g"
        session["user"] = "s"
        flash("f")
        return render_template_string(
            "{{ g.word }} {{ session.user }} {{ request.path }} {{ config.SECRET_KEY|length }}"
            " {{ url_for('static', filename='a b.css') }} {{ get_flashed_messages() }}"
        )

    add_view(app, colour, view, "/here")
    text = app.test_client().get("/here").text
    assert text == "g s /here 32 /static/a%20b.css [&#39;f&#39;]"


def test_a_macro_imported_without_context_has_them_too(app: Kolben) -> None:
    with app.test_request_context("/here"):
        assert render_template("import.html") == "Hello &lt;Ada&gt;/here!"


def test_outside_a_request_there_is_no_request(app: Kolben) -> None:
    with app.app_context():
        g.word = "g"
        assert render_template_string("{{ g.word }} {{ 'no' if not request }}") == "g no"


def test_a_template_that_ignores_the_session_leaves_it_unopened(app: Kolben) -> None:
    app.add_url_rule("/", "index", lambda: render_template_string("{{ request.path }}"))
    assert "Cookie" not in app.test_client().get("/").headers.get("Vary", "")


def test_processors_go_from_the_outside_in_and_the_views_values_win(app: Kolben) -> None:
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)

    @app.context_processor
    def of_app() -> dict[str, Any]:
        return {"a": "app", "b": "app", "c": "app", "d": "app", "request": "replaced"}

    @outer.app_context_processor
    async def of_all() -> dict[str, Any]:
        return {"e": "everywhere"}

    @outer.context_processor
    async def of_outer() -> dict[str, Any]:
        return {"b": "outer", "c": "outer", "d": "outer"}

    @inner.context_processor
    def of_inner() -> dict[str, Any]:
        return {"c": "inner", "d": "inner"}

    def view() -> str:
        return render_template_string(
            "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ request }}", d="view"
        )

    inner.add_url_rule("/inner", "view", view)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.add_url_rule("/app", "view", view)
    client = app.test_client()
    assert client.get("/inner").text == "app outer inner view everywhere replaced"
    assert client.get("/app").text == "app app app view everywhere replaced"


def test_a_processor_that_returns_no_dictionary_is_named(app: Kolben) -> None:
    @app.context_processor
    def forgetful() -> Any:
        return None

    with app.app_context(), pytest.raises(TypeError, match=r"forgetful.*returned None"):
        render_template_string("")


def test_the_applications_own_update_template_context_is_used(app: Kolben) -> None:
    class Custom(Kolben):
        def update_template_context(self, context: dict[str, Any]) -> None:
            super().update_template_context(context)
            context["extra"] = "extra"

    with Custom("custom", root_path=app.root_path).app_context():
        assert render_template_string("{{ extra }}") == "extra"


def test_get_template_attribute_gives_a_macro(app: Kolben) -> None:
    with app.test_request_context("/x"):
        assert get_template_attribute("macros.html", "hello")("<Ada>") == "Hello &lt;Ada&gt;/x!"
        with pytest.raises(AttributeError):
            get_template_attribute("macros.html", "nothing")


# Filters, tests, globals


def test_filters_tests_and_globals_of_both_colours(app: Kolben) -> None:
    @app.template_filter("shout")
    def shout(value: str) -> str:
        return value.upper()

    @app.template_filter()
    async def fetched(value: str, mark: str = "") -> str:
        return str(await later(f"{value}{mark}"))

    @app.template_test("known")
    async def known(value: str) -> bool:
        return bool(await later(value == "ada"))

    @app.template_global()
    async def count() -> int:
        return int(await later(3))

    @app.get("/")
    def view() -> str:
        return render_template_string(
            "{{ 'a'|shout }} {{ name|fetched('!') }} {{ name is known }} {{ 'bob' is known }}"
            " {{ count() + 1 }} {{ [name, 'bob']|select('known')|list }}"
            " {{ [name]|map('fetched', mark='?')|join }}",
            name="ada",
        )

    assert app.test_client().get("/").text == "A ada! True False 4 [&#39;ada&#39;] ada?"


def test_on_the_event_loop_a_coroutine_runs_if_it_need_not_wait(app: Kolben) -> None:
    @app.template_filter()
    async def quick(value: str) -> str:
        return f"<{value}>"

    @app.template_filter()
    async def slow(value: str) -> str:
        return str(await later(value))

    @app.get("/quick")
    async def quick_view() -> str:
        return render_template_string("{{ x|quick }}", x="x")

    @app.get("/slow")
    async def slow_view() -> str:
        return render_template_string("{{ x|slow }}", x="x")

    client = app.test_client()
    assert client.get("/quick").text == "&lt;x&gt;"
    with pytest.raises(RuntimeError, match="render_template_async"):
        client.get("/slow")


def test_a_coroutine_that_a_call_returns_is_waited_for(app: Kolben) -> None:
    class User:
        async def posts(self) -> list[str]:
            return list(await later(["one", "two"]))

    @app.get("/")
    def view() -> str:
        return render_template_string(
            "{{ user.posts()|join(' ') }} {{ f(1) }}", user=User(), f=later
        )

    assert app.test_client().get("/").text == "one two 1"


def test_a_coroutine_is_not_run_while_a_template_is_compiled(app: Kolben) -> None:
    calls: list[str] = []

    @app.template_filter()
    async def fetched(value: str) -> str:
        calls.append(value)
        return f"{value}{len(calls)}"

    with app.app_context():
        template = app.jinja_env.from_string("{{ 'const'|fetched }}")
        assert calls == []
        assert [render_template(template), render_template(template)] == ["const1", "const2"]


def test_pass_context_works_for_coroutines(app: Kolben) -> None:
    @app.template_filter()
    @jinja2.pass_context
    async def with_name(context: Any, value: str) -> str:
        return f"{value} {context['name']}"

    @app.template_global()
    @jinja2.pass_context
    async def the_name(context: Any) -> str:
        return str(context["name"])

    source = "{{ 'hi'|with_name }} {{ the_name() }}"
    with app.app_context():
        assert render_template_string(source, name="ada") == "hi ada ada"


def test_what_was_registered_can_be_read_back_and_removed(app: Kolben) -> None:
    env = app.jinja_env

    def plain(value: Any) -> Any:
        return value

    env.filters["plain"] = plain
    assert env.filters["plain"] is plain
    env.filters.update({"a": plain}, b=later)
    env.filters |= {"c": later}
    env.filters.setdefault("a", later)
    assert env.filters["a"] is plain
    assert {"a", "b", "c"} <= env.awaiting.filters.keys()
    assert env.awaiting.filters["b"] is later
    del env.filters["a"]
    env.filters.pop("b")
    assert env.filters.pop("b", None) is None
    assert not {"a", "b"} & (env.filters.keys() | env.awaiting.filters.keys())
    assert env.filters.popitem()[0] == "c"
    assert "c" not in env.awaiting.filters
    env.tests.clear()
    assert not env.tests and not env.awaiting.tests


def test_filters_registered_after_the_first_asynchronous_template_are_found(app: Kolben) -> None:
    env = app.jinja_env
    assert env.awaiting is env.awaiting is not env
    env.filters["late"] = later
    assert env.awaiting.filters["late"] is later
    assert env.awaiting.cache is not env.cache


# Templates that await


@pytest.mark.anyio
async def test_a_template_can_await(app: Kolben) -> None:
    @app.template_filter()
    async def fetched(value: str) -> str:
        return str(await later(f"{value}!"))

    @app.template_test()
    async def known(value: str) -> bool:
        return bool(await later(value == "ada"))

    @app.template_global()
    async def count() -> int:
        return int(await later(3))

    @app.context_processor
    async def processor() -> dict[str, Any]:
        return {"site": await later("Site")}

    async def rows() -> AsyncIterator[int]:
        for number in range(3):
            yield await later(number)

    names = ["ada", "bob"]
    async with app.test_request_context("/here"):
        text = await render_template_string_async(
            "{{ site }} {{ load('<x>') }} {{ 'c'|fetched }} {{ name is known }} {{ count() }}"
            " {% for row in rows() %}{{ row }}{% endfor %} {{ request.path }}"
            " {{ names|select('known')|list }} {{ names|reject('known')|join }}"
            " {{ items|selectattr('name', 'known')|map(attribute='name')|join }}"
            " {{ items|rejectattr('name', 'known')|map(attribute='name')|join }}"
            " {{ [0, 1]|select|list }} {{ names|map('fetched')|join }} {{ []|select('known')|list }}",
            load=later,
            name="ada",
            rows=rows,
            names=names,
            items=[{"name": name} for name in names],
        )
    assert text == (
        "Site &lt;x&gt; c! True 3 012 /here [&#39;ada&#39;] bob ada bob [1] ada!bob! []"
    )


@pytest.mark.anyio
async def test_templates_that_await_inherit_and_import(app: Kolben) -> None:
    async with app.test_request_context("/x"):
        assert await render_template_async("page.html", name="Ada") == "<title>Site</title>Hi Ada"
        assert await render_template_async(["no.html", "import.html"]) == "Hello &lt;Ada&gt;/x!"
        plain = app.jinja_env.get_template("plain.txt")
        assert await render_template_async(plain, name="Ada") == "Hi Ada"


@pytest.mark.anyio
async def test_an_async_callable_object_is_a_filter_too(app: Kolben) -> None:
    class Fetch:
        async def __call__(self, value: str) -> str:
            return str(await later(f"{value}!"))

    app.jinja_env.filters["fetch"] = Fetch()
    async with app.app_context():
        assert await render_template_string_async("{{ 'a'|fetch }}") == "a!"


def test_an_async_view_awaits_and_a_def_view_need_not(app: Kolben) -> None:
    @app.get("/async")
    async def in_async() -> str:
        return await render_template_string_async("{{ load(1) }}", load=later)

    @app.get("/def")
    def in_def() -> str:
        return render_template_string("{{ load(2) }}", load=later)

    client = app.test_client()
    assert [client.get("/async").text, client.get("/def").text] == ["1", "2"]


def test_enable_async_in_the_options_makes_one_environment(app: Kolben) -> None:
    class Custom(Kolben):
        jinja_options = {"enable_async": True}

    custom = Custom("custom", root_path=app.root_path)
    assert custom.jinja_env.awaiting is custom.jinja_env

    @custom.get("/")
    def view() -> str:
        return render_template_string("{{ load(1) }}", load=later)

    @custom.get("/stream")
    def stream() -> Iterator[str]:
        return stream_template_string("{% for n in [1, 2] %}{{ load(n) }}{% endfor %}", load=later)

    client = custom.test_client()
    assert [client.get("/").text, client.get("/stream").text] == ["1", "12"]


# Streams


def test_a_streamed_template_keeps_its_request(app: Kolben, colour: str) -> None:
    app.add_url_rule("/named", "named", lambda: "")
    source = "{% for n in [1, 2] %}{{ n }}{{ request.args.x }}{{ g.y }}{% endfor %}{{ url_for('named') }}"

    def view() -> Iterator[str]:
        g.y = "y"
        return stream_template_string(source)

    add_view(app, colour, view)
    assert app.test_client().get("/?x=x").text == "1xy2xy/named"


def test_a_streamed_template_from_a_file_in_pieces(app: Kolben) -> None:
    with app.test_request_context():
        pieces = list(stream_template("page.html", name="<Ada>"))
    assert len(pieces) > 1 and "".join(pieces) == "<title>Site</title>Hi &lt;Ada&gt;"
    with app.app_context():
        assert "".join(stream_template("plain.txt", name="Ada")) == "Hi Ada"


def test_what_is_wrong_with_a_streamed_template_is_an_error_of_the_view(app: Kolben) -> None:
    @app.get("/plain")
    def plain() -> Iterator[str]:
        return stream_template("missing.html")

    @app.get("/async")
    async def awaiting() -> AsyncIterator[str]:
        return await stream_template_async("missing.html")

    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/plain", "/async")] == [500, 500]


def test_a_streamed_template_that_awaits(app: Kolben) -> None:
    @app.get("/")
    async def view() -> AsyncIterator[str]:
        async def rows() -> AsyncIterator[str]:
            yield await later("a")
            yield await later("b")

        return await stream_template_string_async(
            "{% for row in rows %}{{ row }}{{ request.args.x }} {% endfor %}", rows=rows()
        )

    @app.get("/file")
    async def from_file() -> AsyncIterator[str]:
        return await stream_template_async("page.html", name="Ada")

    client = app.test_client()
    assert client.get("/?x=1").text == "a1 b1 "
    assert client.get("/file").text == "<title>Site</title>Hi Ada"


@pytest.mark.anyio
async def test_a_template_object_without_await_streams_as_it_is(app: Kolben) -> None:
    plain = app.jinja_env.get_template("plain.txt")
    async with app.app_context():
        chunks = await stream_template_async(plain, name="Ada")
        assert "".join([chunk async for chunk in chunks]) == "Hi Ada"


# Signals


@pytest.mark.anyio
async def test_signals_tell_template_and_context(app: Kolben) -> None:
    seen: list[tuple[str, str | None, str]] = []

    def before(sender: Any, template: jinja2.Template, context: dict[str, Any]) -> None:
        assert sender is app and "request" in context
        seen.append(("before", template.name, context["name"]))
        context["name"] = "Bob"

    async def after(sender: Any, template: jinja2.Template, context: dict[str, Any]) -> None:
        seen.append(("after", template.name, context["name"]))

    expected = [("before", "plain.txt", "Ada"), ("after", "plain.txt", "Bob")]
    with before_render_template.connected_to(before), template_rendered.connected_to(after):
        async with app.test_request_context():
            assert render_template("plain.txt", name="Ada") == "Hi Bob"
            assert await render_template_async("plain.txt", name="Ada") == "Hi Bob"
            assert "".join(stream_template("plain.txt", name="Ada")) == "Hi Bob"
            chunks = await stream_template_async("plain.txt", name="Ada")
            assert "".join([chunk async for chunk in chunks]) == "Hi Bob"
    assert seen == expected * 4


# Loading


@pytest.fixture
def shop(app: Kolben, tmp_path: Path) -> Blueprint:
    folder = tmp_path / "shop" / "templates"
    folder.mkdir(parents=True)
    (folder / "shop.html").write_text("shop")
    (folder / "plain.txt").write_text("never: the application's comes first")
    shop = Blueprint(
        "shop", "shop_package", template_folder="templates", root_path=str(tmp_path / "shop")
    )
    shop.add_url_rule("/shop", "shop", lambda: render_template("shop.html"))
    shop.add_url_rule("/missing", "missing", lambda: render_template("missing.html"))
    app.register_blueprint(shop)
    return shop


def test_the_applications_templates_come_before_those_of_blueprints(
    app: Kolben, shop: Blueprint
) -> None:
    assert app.test_client().get("/shop").text == "shop"
    with app.app_context():
        assert render_template("plain.txt", name="Ada") == "Hi Ada"
    names = app.jinja_env.list_templates()
    assert names == sorted({*TEMPLATES, "shop.html"})


def test_explaining_says_where_a_template_was_looked_for(
    app: Kolben, shop: Blueprint, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["EXPLAIN_TEMPLATE_LOADING"] = True
    caplog.set_level(logging.INFO, app.logger.name)
    with app.app_context():
        render_template("plain.txt", name="Ada")
    text = caplog.messages[-1]
    assert "Locating template 'plain.txt'" in text
    assert re.search(r"1: trying loader of application 'testing'", text)
    assert re.search(r"2: trying loader of blueprint 'shop' \(shop_package\)", text)
    assert "class: jinja2.loaders.FileSystemLoader" in text
    assert f"- {app.root_path}" in text
    assert text.count("-> found") == 2 and "Warning" in text

    with pytest.raises(jinja2.TemplateNotFound):
        app.test_client().get("/missing")
    text = caplog.messages[-1]
    assert text.count("-> no match") == 2 and "Error: the template could not be found" in text
    assert "endpoint of the blueprint 'shop'" in text


@pytest.mark.parametrize(
    ("debug", "setting", "reloads"),
    [(False, None, False), (True, None, True), (False, True, True), (True, False, False)],
)
def test_templates_are_reloaded_in_debug_mode_or_when_set(
    app: Kolben, debug: bool, setting: bool | None, reloads: bool
) -> None:
    app.config["TEMPLATES_AUTO_RELOAD"] = setting
    app.debug = debug
    assert app.jinja_env.auto_reload is reloads
    assert app.jinja_env.awaiting.auto_reload is reloads
    app.debug = not debug
    assert app.jinja_env.auto_reload is (reloads if setting is not None else not debug)
    assert app.jinja_env.awaiting.auto_reload is app.jinja_env.auto_reload


def test_the_jinja_options_are_used(app: Kolben) -> None:
    class Custom(Kolben):
        jinja_options = {"trim_blocks": True, "autoescape": False, "auto_reload": True}

    env = Custom("custom", root_path=app.root_path).jinja_env
    assert isinstance(env, Environment)
    assert (env.trim_blocks, env.autoescape, env.auto_reload) == (True, False, True)


def test_a_loader_of_ones_own_is_used(app: Kolben) -> None:
    class Custom(Kolben):
        def create_global_jinja_loader(self) -> jinja2.BaseLoader:
            return jinja2.DictLoader({"index.html": "from a dict"})

    with Custom("custom", root_path=app.root_path).app_context():
        assert render_template("index.html") == "from a dict"


def test_globals_given_to_one_template_stay_its_own(app: Kolben) -> None:
    env = app.jinja_env
    env.globals["shared"] = "first"
    own = env.from_string("{{ shared }} {{ own }}", globals={"own": "own"})
    other = env.from_string("{{ shared }} {{ own is defined }}")
    env.globals["shared"] = "changed"
    with app.app_context():
        assert render_template(own) == "changed own"
        assert render_template(other) == "changed False"
    assert {"own", "shared"} <= set(own.globals) == set(own.globals.keys())
    assert own.globals.get("own") == "own" and other.globals.get("own") is None


def test_a_view_may_return_a_response_made_of_a_template(app: Kolben) -> None:
    app.add_url_rule("/", "index", lambda: Response(render_template("plain.txt", name="Ada"), 201))
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (201, "Hi Ada")
