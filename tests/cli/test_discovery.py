"""Where the kolben command finds an application, and what it says when it does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kolben import Kolben
from kolben.cli import (
    NoAppException,
    ScriptInfo,
    find_app_by_string,
    find_best_app,
    locate_app,
    prepare_import,
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working directory; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


def module(**names: Any) -> ModuleType:
    made = ModuleType("made")
    vars(made).update(names)
    return made


def make(name: str = "made") -> Kolben:
    return Kolben(name, root_path=".")


HELLO = "from kolben import Kolben\napp = Kolben(__name__)\n"


# In a module that is there ----------------------------------------------------------------


def test_app_and_application_come_first() -> None:
    one, two, three = make(), make(), make()
    assert find_best_app(module(other=one, app=two)) is two
    assert find_best_app(module(other=one, application=two)) is two
    assert find_best_app(module(other=one, application=two, app=three)) is three
    assert find_best_app(module(app="no application", mine=one)) is one


def test_the_only_application_is_found() -> None:
    app = make()
    assert find_best_app(module(a=1, mine=app)) is app
    assert find_best_app(module(mine=app, same=app)) is app


def test_factories_are_called() -> None:
    assert find_best_app(module(create_app=lambda: make("a"))).name == "a"
    assert find_best_app(module(make_app=lambda: make("a"))).name == "a"
    assert find_best_app(module(create_app=lambda x=1: make(f"a{x}"))).name == "a1"
    assert find_best_app(module(create_app=lambda: None, make_app=lambda: make("a"))).name == "a"


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ({}, "Failed to find Kolben application or factory in module 'made'. Use 'made:name'"),
        ({"one": make(), "two": make()}, "Detected multiple Kolben applications in module 'made'"),
        ({"create_app": lambda config: make()}, "Detected factory 'create_app' in module 'made'"),
        ({"create_app": lambda config: make()}, "Use 'made:create_app\\(args\\)'"),
        ({"create_app": lambda: "something else"}, "Failed to find Kolben application"),
    ],
)
def test_what_is_said_of_a_module_without_one(names: Any, complaint: str) -> None:
    with pytest.raises(NoAppException, match=complaint):
        find_best_app(module(**names))


def test_an_error_inside_of_a_factory_passes() -> None:
    def create_app() -> Kolben:
        raise TypeError("inside")

    def create_app_deeper() -> Kolben:
        return len(1)  # type: ignore[arg-type, return-value]

    with pytest.raises(TypeError, match="inside"):
        find_best_app(module(create_app=create_app))
    with pytest.raises(TypeError):
        find_app_by_string(module(create_app=create_app_deeper), "create_app")


def factory(name: str = "default", *, suffix: str = "") -> Kolben:
    return make(name + suffix)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("app", "made"),
        (" app ", "made"),
        ("factory", "default"),
        ("factory()", "default"),
        ("factory('dev')", "dev"),
        ("factory('dev', suffix='x')", "devx"),
        ("factory( name = 'dev' )", "dev"),
    ],
)
def test_names_and_calls(text: str, name: str) -> None:
    assert find_app_by_string(module(app=make(), factory=factory), text).name == name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "Failed to parse '' as an attribute name or function call"),
        ("a b", "Failed to parse 'a b'"),
        ("a.b", "Failed to parse 'a.b'"),
        ("1", "Failed to parse '1'"),
        ("a.b()", "Function reference must be a simple name"),
        ("factory(app)", "Failed to parse arguments as literal values"),
        ("factory(name=app)", "Failed to parse arguments as literal values"),
        ("missing", "Failed to find attribute 'missing' in 'made'"),
        ("missing()", "Failed to find attribute 'missing' in 'made'"),
        ("factory(1, 2, 3)", "could not be called with the specified arguments"),
        ("factory(unknown=1)", "could not be called with the specified arguments"),
        ("needs", "The factory 'needs' in module 'made' could not be called"),
        ("nothing", "A valid Kolben application was not obtained from 'made:nothing'"),
        ("text", "A valid Kolben application was not obtained from 'made:text'"),
    ],
)
def test_what_is_said_of_names_that_mean_nothing(text: str, complaint: str) -> None:
    there = module(
        app=make(), factory=factory, nothing=lambda: None, needs=lambda x: make(), text="app"
    )
    with pytest.raises(NoAppException, match=complaint.replace("(", "\\(")):
        find_app_by_string(there, text)


# From a path ------------------------------------------------------------------------------


def test_paths_become_names(tmp_path: Path) -> None:
    package = tmp_path / "src" / "outer" / "inner"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "web.py").touch()
    for path, name, folder in [
        ("hello", "hello", tmp_path),
        ("hello.py", "hello", tmp_path),
        ("src/outer", "outer", tmp_path / "src"),
        ("src/outer/__init__.py", "outer", tmp_path / "src"),
        ("src/outer/inner", "outer.inner", tmp_path / "src"),
        ("src/outer/inner/web.py", "outer.inner.web", tmp_path / "src"),
        (str(package / "web"), "outer.inner.web", tmp_path / "src"),
        ("outer.inner", "outer.inner", tmp_path),
        ("hello.txt", "hello.txt", tmp_path),
    ]:
        assert prepare_import(path) == name
        assert sys.path[0] == str(folder.resolve())


def test_the_path_is_not_extended_twice() -> None:
    prepare_import("hello")
    before = sys.path[:]
    prepare_import("hello")
    assert sys.path == before


def test_modules_are_located(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(HELLO + "other = Kolben('other')\n")
    assert locate_app(prepare_import("hello"), None).name == "hello"
    assert locate_app("hello", "other").name == "other"


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(NoAppException, match="Could not import 'notthere'"):
        locate_app("notthere", None)
    assert locate_app("notthere", None, raise_if_not_found=False) is None


def test_an_import_error_inside_shows_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import this_is_missing\n")
    name = prepare_import("broken")
    for required in (True, False):
        with pytest.raises(NoAppException) as caught:
            locate_app(name, None, raise_if_not_found=required)
        message = caught.value.format_message()
        assert message.startswith("While importing 'broken', an ImportError was raised:")
        assert "Traceback" in message and "import this_is_missing" in message


def test_other_errors_pass(tmp_path: Path) -> None:
    (tmp_path / "broken2.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        locate_app(prepare_import("broken2"), None)


# With ScriptInfo --------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["app.py", "asgi.py", "wsgi.py"])
def test_default_files(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text(HELLO)
    assert ScriptInfo().load_app().name == file.removesuffix(".py")


def test_the_default_files_have_an_order(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(HELLO)
    (tmp_path / "wsgi.py").write_text(HELLO)
    assert ScriptInfo().load_app().name == "wsgi"


def test_no_application_at_all() -> None:
    with pytest.raises(NoAppException, match="Could not locate a Kolben application"):
        ScriptInfo().load_app()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("shop", "shop"),
        ("shop.py", "shop"),
        ("shop:second", "second"),
        ("shop.py:second", "second"),
        ("{here}/shop.py:create_app('x')", "x"),
    ],
)
def test_import_paths(tmp_path: Path, path: str, name: str) -> None:
    (tmp_path / "shop.py").write_text(
        HELLO + "second = Kolben('second')\ndef create_app(name): return Kolben(name)\n"
    )
    info = ScriptInfo(path.format(here=tmp_path))
    app = info.load_app()
    assert app.name == name and info.load_app() is app


def test_debug_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOLBEN_DEBUG", "1")
    assert ScriptInfo(create_app=make).load_app().debug is True
    monkeypatch.setenv("KOLBEN_DEBUG", "0")
    assert ScriptInfo(create_app=make).load_app().debug is False

    def debugging() -> Kolben:
        app = make()
        app.debug = True
        return app

    assert ScriptInfo(create_app=debugging, set_debug_flag=False).load_app().debug is True


def test_dotenv_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOLBEN_SKIP_DOTENV", raising=False)
    assert ScriptInfo().load_dotenv_defaults
    assert not ScriptInfo(load_dotenv_defaults=False).load_dotenv_defaults
    monkeypatch.setenv("KOLBEN_SKIP_DOTENV", "1")
    assert not ScriptInfo().load_dotenv_defaults
