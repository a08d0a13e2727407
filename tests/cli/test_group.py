"""The kolben command: options, help, plugins, settings from the environment and from files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kolben import Kolben, current_app
from kolben.cli import FlaskGroup, KolbenGroup, cli, load_dotenv

VARIABLES = ("KOLBEN_APP", "KOLBEN_DEBUG", "KOLBEN_RUN_FROM_CLI", "KOLBEN_SKIP_DOTENV", "FOO")

HELLO = '''\
from kolben import Kolben
app = Kolben(__name__)

@app.cli.command("show")
def show():
    """Show something."""
    import os
    print("name", app.name, "debug", app.debug, "FOO", os.environ.get("FOO"))

@app.get("/")
def index():
    return "hello"
'''


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    yield
    for name in ("hello", "broken", "app"):
        sys.modules.pop(name, None)


@pytest.fixture
def hello(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(HELLO)


def kolben(*args: str, group: click.Command = cli, **kwargs: Any) -> Any:
    return CliRunner().invoke(group, list(args), prog_name="kolben", **kwargs)


def test_the_version() -> None:
    output = kolben("--version").output
    assert output.startswith("Python ") and "\nKolben 0." in output and "\nUvicorn " in output


@pytest.mark.parametrize("option", ["--app", "-A"])
def test_commands_of_the_application(hello: None, option: str) -> None:
    assert kolben(option, "hello", "show").output == "name hello debug False FOO None\n"


def test_the_help_lists_all_commands(hello: None) -> None:
    output = kolben("--app", "hello", "--help").output
    for text in ("run ", "shell ", "routes ", "show ", "Show something.", "KOLBEN_APP"):
        assert text in output


def test_the_environment_names_the_application(
    hello: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOLBEN_APP", "hello")
    assert "name hello" in kolben("show").output
    assert "Show something." in kolben("--help").output
    assert "Show something." in kolben().output
    assert not current_app


def test_debug(hello: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "debug True" in kolben("--app", "hello", "--debug", "show").output
    monkeypatch.setenv("KOLBEN_DEBUG", "1")
    assert "debug True" in kolben("--app", "hello", "show").output
    assert "debug False" in kolben("--app", "hello", "--no-debug", "show").output


def test_an_application_that_is_not_there() -> None:
    result = kolben("--app", "notthere", "show")
    assert result.exit_code == 2
    assert "Error: Could not import 'notthere'." in result.output
    assert "No such command 'show'" in result.output
    result = kolben("show")
    assert "Could not locate a Kolben application" in result.output


def test_the_help_works_without_an_application() -> None:
    result = kolben("--help")
    assert result.exit_code == 0 and "  run " in result.output
    assert "Could not locate a Kolben application" in result.output


def test_the_help_works_with_a_broken_application(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    result = kolben("--app", "broken", "--help")
    assert result.exit_code == 0 and "ZeroDivisionError" in result.output
    assert "  run " in result.output


def test_own_programs() -> None:
    def create_app() -> Kolben:
        app = Kolben("factory", root_path=".")
        app.cli.command("show")(lambda: click.echo(current_app.name))
        return app

    @click.group(cls=KolbenGroup, create_app=create_app)
    def program() -> None:
        """Mine."""

    assert kolben("show", group=program).output == "factory\n"
    assert "Mine." in kolben("--help", group=program).output
    assert FlaskGroup is KolbenGroup
    bare = KolbenGroup(create_app=create_app, add_default_commands=False, add_version_option=False)
    output = kolben("--help", group=bare).output
    assert "routes" not in output and "--version" not in output and "show" in output


def test_a_context_that_is_active_already_is_used() -> None:
    app = Kolben("mine", root_path=".")
    seen: list[Any] = []
    app.cli.command("show")(lambda: seen.append(current_app._get_current_object()))
    with app.app_context():
        kolben("show", group=KolbenGroup(create_app=lambda: app))
    assert seen == [app]


def test_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    real = importlib.metadata.entry_points

    def entry_points(**kwargs: Any) -> Any:
        if kwargs == {"group": "kolben.commands"}:
            return [EntryPoint("plugged", f"{__name__}:plugged", "kolben.commands")]
        return real(**kwargs)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    monkeypatch.setattr(EntryPoint, "load", lambda self: plugged)
    group = KolbenGroup()
    assert kolben("plugged", group=group).output == "plugged in\n"
    assert "plugged" in kolben("--help", group=group).output


@click.command()
def plugged() -> None:
    click.echo("plugged in")


# Files of settings ------------------------------------------------------------------------


def test_env_files(hello: None, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FOO=env\nKOLBEN_APP=hello\n")
    (tmp_path / ".kolbenenv").write_text("FOO=kolbenenv\nKOLBEN_DEBUG=1\n")
    assert kolben("show").output == "name hello debug True FOO env\n"


def test_a_named_env_file_is_stronger(hello: None, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FOO=env\n")
    (tmp_path / "mine.env").write_text("FOO=mine\nKOLBEN_APP=hello\n")
    assert "FOO mine" in kolben("--env-file", "mine.env", "show").output


def test_the_environment_is_stronger_than_any_file(
    hello: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("FOO=env\nKOLBEN_APP=hello\n")
    monkeypatch.setenv("FOO", "outside")
    assert "FOO outside" in kolben("show").output


def test_env_files_can_be_left_alone(
    hello: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("FOO=env\n")
    monkeypatch.setenv("KOLBEN_SKIP_DOTENV", "1")
    assert "FOO None" in kolben("--app", "hello", "show").output
    group = KolbenGroup(load_dotenv=False)
    monkeypatch.delenv("KOLBEN_SKIP_DOTENV")
    assert "FOO None" in kolben("--app", "hello", "show", group=group).output


def test_an_env_file_must_exist() -> None:
    result = kolben("--env-file", "missing.env", "routes")
    assert result.exit_code == 2 and "missing.env" in result.output


def test_env_files_are_found_in_folders_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("FOO=above\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert load_dotenv() and os.environ["FOO"] == "above"
    assert Path.cwd() == below


def test_load_dotenv_says_whether_it_found_anything(tmp_path: Path) -> None:
    assert not load_dotenv(tmp_path / "missing.env", load_defaults=False)
    (tmp_path / "x.env").write_text("FOO=x\nEMPTY\n")
    assert load_dotenv(tmp_path / "x.env") and os.environ["FOO"] == "x"
    assert "EMPTY" not in os.environ


def test_without_the_library_there_is_a_tip(
    hello: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dotenv", None)
    assert "Tip" not in kolben("--app", "hello", "show").output
    (tmp_path / ".env").write_text("FOO=env\n")
    result = kolben("--app", "hello", "show")
    assert "Tip: There are .env or .kolbenenv files present" in result.stderr
    assert "FOO None" in result.stdout
    result = kolben("--env-file", ".env", "--app", "hello", "show")
    assert result.exit_code == 2 and "python-dotenv must be installed" in result.output
    assert load_dotenv() is False
