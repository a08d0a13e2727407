"""The documentation is true: its examples run, and it shows no code that is not run."""

from __future__ import annotations

import doctest
import importlib
import io
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import kolben

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import a module of the documentation anew."""
    monkeypatch.syspath_prepend(str(DOCS))
    monkeypatch.syspath_prepend(str(DOCS / "examples"))
    loaded = []

    def load(name: str) -> ModuleType:
        loaded.append(name)
        return importlib.import_module(name)

    yield load
    for name in loaded:
        sys.modules.pop(name, None)


def test_first_page(load: Load) -> None:
    client = load("hello").app.test_client()
    assert client.get("/").text == "Hello, World!"
    assert client.post("/greet", data={"name": "Ada"}).json == {"greeting": "Hello, Ada!"}


def test_readme_shows_the_first_page() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    example = (DOCS / "examples" / "hello.py").read_text()
    assert example.partition("\n\n")[2].strip() == shown.strip()


def test_application(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOLBEN_GREETING", "Hi")
    client = load("application").create_app().test_client()
    assert client.get("/").text == "Hi"
    assert client.get("/api/items/7").json == {"id": 7, "owner": "Ada"}


def test_routing(load: Load) -> None:
    client = load("routing").app.test_client()
    assert client.get("/users/ada").text == "user ada"
    assert client.get("/posts/7").text == "post 7"
    assert client.get("/posts/seven").status_code == 404
    assert client.get("/files/a/b.txt").text == "file a/b.txt"
    assert client.get("/de/about").text == "about, in de"
    assert client.get("/fr/about").status_code == 404
    assert client.get("/colours/red+green").json == {"colours": ["red", "green"]}
    assert client.get("/latest").headers["Location"] == "/posts/7?page=2#comments"
    assert client.get("/projects").status_code == 308
    assert client.get("/projects").headers["Location"].endswith("/projects/")
    assert client.get("/contact/").status_code == 404
    assert client.get("/pages/").text == "page 1"
    assert client.get("/pages/1").headers["Location"].endswith("/pages/")
    assert client.get("/pages/2").text == "page 2"
    assert client.head("/contact").status_code == 200
    assert client.options("/contact").allow == {"GET", "HEAD", "OPTIONS"}
    assert client.post("/contact").status_code == 405


def test_requests(load: Load) -> None:
    client = load("requests").app.test_client()
    assert client.get("/search?q=x&page=2&tag=a&tag=b").json == {
        "words": "x",
        "page": 2,
        "tags": ["a", "b"],
    }
    assert client.get("/search?page=two").json["page"] == 1
    data = {"name": "Ada", "picture": (io.BytesIO(b"12345"), "cat.png")}
    expected = {"name": "Ada", "picture": "cat.png", "size": 5}
    assert client.post("/sign-up", data=data).json == expected
    assert client.post("/sign-up").status_code == 400
    assert client.post("/double", json={"numbers": [1, 2]}).json == {"doubled": [2, 4]}
    assert client.post("/double", data="{", content_type="application/json").status_code == 400
    assert client.post("/double", data="{}").status_code == 415
    assert client.post("/measure", data=b"x" * 100_000).json == {"size": 100_000}
    assert client.post("/measure-in-a-thread", data=b"x" * 100_000).json == {"size": 100_000}
    assert client.post("/avatar", data=b"x").json == {"size": 1}
    assert client.post("/avatar", data=b"x" * 70_000).status_code == 413


def test_responses(load: Load) -> None:
    client = load("responses").app.test_client()
    assert client.get("/text").content_type == "text/html; charset=utf-8"
    assert client.get("/json").json == {"a": "JSON object"}
    made = client.get("/made")
    assert (made.status_code, made.headers["Location"]) == (201, "/things/7")
    assert client.get("/gone").status_code == 204
    theme = client.get("/theme")
    assert "SameSite=Lax" in theme.headers["Set-Cookie"]
    assert theme.headers["Cache-Control"] == "no-store"
    old = client.get("/old")
    assert (old.status_code, old.headers["Location"]) == (301, "/theme")
    assert client.get("/numbers").text == "0\n1\n2\n"
    assert client.get("/greet?name=Ada").text == "Hello, Ada"
    assert "visited=yes" in client.get("/visit").headers["Set-Cookie"]
    assert client.get("/other").text == "from another application"


def test_context(load: Load) -> None:
    client = load("context").app.test_client()
    assert client.get("/sum").json == {"result": 2}
    client.post("/log-in", data={"user": "Ada"})
    assert client.get("/me").json == {"user": "Ada"}
    client.post("/log-out")
    assert client.get("/me").json == {"user": None}
    client.post("/save")
    assert client.get("/messages").json == ["Saved."]
    assert client.get("/messages").json == []


def test_templating(load: Load) -> None:
    client = load("templating").app.test_client()
    expected = "<title>Example</title>\n<main>Hello, &lt;ADA&gt;!</main>"
    assert expected in client.get("/hello/<Ada>").text
    assert expected in client.get("/hello-async/<Ada>").text
    assert client.get("/numbers").text == "0;1;2;"
    assert client.get("/awaited").text == "4;5;6;"


def test_files(load: Load) -> None:
    client = load("files").app.test_client()
    report = client.get("/report")
    assert "filename*=UTF-8''%C3%9Cbersicht.csv" in report.headers["Content-Disposition"]
    upload = client.get("/uploads/style.css")
    assert upload.data == (DOCS / "examples" / "static" / "style.css").read_bytes()
    assert upload.headers["X-Content-Type-Options"] == "nosniff"
    unchanged = client.get("/uploads/style.css", headers={"If-None-Match": upload.headers["ETag"]})
    assert unchanged.status_code == 304
    part = client.get("/uploads/style.css", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"main")
    assert client.get("/uploads/../files.py").status_code == 404
    assert client.get("/static/style.css").data == upload.data


def test_errors(load: Load) -> None:
    client = load("errors").app.test_client()
    assert client.get("/users/7").json == {"id": 7}
    missing = client.get("/users/700")
    assert (missing.status_code, missing.json) == (404, {"error": "There is no such user."})
    sold = client.get("/order/tea")
    assert (sold.status_code, sold.json) == (409, {"error": "tea is out of stock"})
    assert client.post("/order/tea").status_code == 405


def test_signals(load: Load) -> None:
    module = load("signalling")
    client = module.app.test_client()
    orders = []

    def note(sender: object, thing: str) -> None:
        orders.append(thing)

    with module.ordered.connected_to(note):
        client.post("/order", data={"thing": "tea"})
    client.get("/")
    assert module.seen == ["/order", "/"]
    assert orders == ["tea"]


def test_class_views(load: Load) -> None:
    client = load("class_views").app.test_client()
    assert client.get("/hello/Ada").json == {"greeting": "Hello, Ada!"}
    assert client.get("/bye/Ada").json == {"greeting": "Goodbye, Ada!"}
    assert client.post("/notes", json={"text": "second"}).json == ["first", "second"]
    assert client.get("/notes").json == ["first", "second"]
    assert client.delete("/notes").status_code == 405


def test_colours(load: Load) -> None:
    client = load("colours").app.test_client()
    assert client.get("/thread").json == {"user": "Ada", "locale": "de"}
    assert client.get("/loop").json == {"user": "Ada", "locale": "de"}


def test_mounting(load: Load) -> None:
    client = load("mounting").app.test_client()
    with client.lifespan():
        assert client.get("/shop/").json == {"cart": [], "pay": "/shop/pay"}
        assert client.get("/teams/shop/").json == {"cart": [], "pay": "/teams/shop/pay"}
        assert client.get("/api/items").json == ["pen", "ink"]
        assert client.get("/old/thing").text == "the old page thing"
        assert client.get("/buy", follow_redirects=True).text == "paid"
        with client.application.test_request_context():
            assert kolben.url_for("teams.shop.cart") == "/teams/shop/"


def test_mounted(load: Load) -> None:
    module = load("mounted")
    for outer in (module.in_starlette, module.in_django, module.in_werkzeug):
        app = kolben.Kolben("outer")
        app.mount("/", outer)
        found = app.test_client().get("/kolben/where").json
        assert found == {"prefix": "/kolben", "url": "/kolben/where"}


def test_commands(load: Load) -> None:
    runner = load("commands").app.test_cli_runner()
    assert runner.invoke(args=["greet", "Ada"]).output == "Hello, Ada, from commands!\n"
    assert runner.invoke(args=["users", "create", "Grace"]).output == "created Grace\n"


def test_examples_of_tests() -> None:
    """The tests that the page on testing shows pass, outside this project's configuration."""
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-c", os.devnull]
    files = ["testing_plain.py", "testing_async.py"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--rootdir", ".", *files],
        cwd=DOCS / "examples",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


@pytest.mark.parametrize("path", ["/def", "/async", "/refused", "/failing", "/broken"])
def test_lifecycle(load: Load, path: str) -> None:
    module = load("lifecycle_example")
    module.app.test_client().get(path)
    assert module.steps == module.ORDERS[path]
    assert set(module.ORDERS) == {"/def", "/async", "/refused", "/failing", "/broken"}


def test_every_setting_is_documented() -> None:
    pages = (DOCS / "guide" / "configuration.md", DOCS / "guide" / "context.md")
    documented = {name for page in pages for name in re.findall(r"`([A-Z_]+)`", page.read_text())}
    assert set(kolben.Kolben.default_config) - documented == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_pages_show_only_code_that_is_run(page: Path) -> None:
    fences = re.findall(r"^```(\S+)", page.read_text(), re.MULTILINE)
    shown = {"{literalinclude}", "{doctest}", "{toctree}", "{include}", "{eval-rst}"}
    assert set(fences) <= {*shown, "sh", "diff"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_pages_include_only_what_is_tested(page: Path) -> None:
    included = re.findall(r"\{literalinclude\} (\S+)", page.read_text())
    files = [(page.parent / name).resolve() for name in included]
    tested = (DOCS / "examples", DOCS / "lifecycle_example.py", ROOT / "examples")
    assert all(any(file.is_relative_to(place) for place in tested) for file in files)


def test_every_example_is_shown() -> None:
    shown = {
        (page.parent / name).resolve()
        for page in PAGES
        for name in re.findall(r"\{literalinclude\} (\S+)", page.read_text())
    }
    assert {path.name for path in set((DOCS / "examples").glob("*.py")) - shown} == set()


MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(kolben.__path__, "kolben.")
    if module.name != "kolben.__main__"
)


@pytest.mark.parametrize("name", ["kolben", *MODULES])
def test_docstrings(name: str) -> None:
    """Each ``>>>`` example in a docstring gives what it says."""
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0
