"""Commands of applications and blueprints."""

from __future__ import annotations

import asyncio
from typing import Any

import click
import pytest

from kolben import Blueprint, Kolben, current_app, g, has_app_context
from kolben.commands import AppGroup, ScriptInfo, pass_script_info, with_appcontext
from kolben.testing import CliRunner


@pytest.fixture
def app() -> Kolben:
    return Kolben("app", root_path=".")


@pytest.fixture
def runner(app: Kolben) -> CliRunner:
    return app.test_cli_runner()


def test_commands_have_an_application_context(app: Kolben, runner: CliRunner) -> None:
    ended: list[str] = []
    app.teardown_appcontext(lambda exc: ended.append("torn down"))

    @app.cli.command("name")
    @click.argument("greeting")
    def name(greeting: str) -> None:
        click.echo(f"{greeting} {current_app.name}")

    result = runner.invoke(args=["name", "hello"])
    assert result.output == "hello app\n" and result.exit_code == 0
    assert ended == ["torn down"] and not has_app_context()


def test_commands_may_be_async(app: Kolben, runner: CliRunner) -> None:
    @app.cli.command("wait")
    async def wait() -> None:
        await asyncio.sleep(0)
        click.echo(f"waited for {current_app.name}")

    @app.cli.command("outside", with_appcontext=False)
    async def outside() -> None:
        await asyncio.sleep(0)
        click.echo(f"context: {has_app_context()}")

    assert runner.invoke(args=["wait"]).output == "waited for app\n"
    assert runner.invoke(args="outside").output == "context: False\n"


@pytest.mark.anyio
async def test_async_commands_run_where_an_event_loop_runs(app: Kolben, runner: CliRunner) -> None:
    @app.cli.command("wait")
    async def wait() -> None:
        await asyncio.sleep(0)
        click.echo(f"waited for {current_app.name}")

    @app.cli.command("fail")
    async def fail() -> None:
        raise click.ClickException("failed")

    assert runner.invoke(args=["wait"]).output == "waited for app\n"
    assert runner.invoke(args=["fail"]).output == "Error: failed\n"


def test_async_teardown_runs_after_a_command(app: Kolben, runner: CliRunner) -> None:
    ended: list[str] = []

    @app.teardown_appcontext
    async def teardown(exc: BaseException | None) -> None:
        await asyncio.sleep(0)
        ended.append("torn down")

    app.cli.command("nothing")(lambda: None)
    assert runner.invoke(args=["nothing"]).exit_code == 0
    assert ended == ["torn down"]


def test_groups_of_commands_have_contexts_too(app: Kolben, runner: CliRunner) -> None:
    @app.cli.group()
    def users() -> None:
        """Manage users."""
        click.echo(f"group {has_app_context()}")

    @users.command()
    def add() -> None:
        click.echo(current_app.name)

    assert isinstance(users, AppGroup)
    assert runner.invoke(args=["users", "add"]).output.endswith("app\n")


def test_a_command_needs_no_parentheses(app: Kolben, runner: CliRunner) -> None:
    @app.cli.command
    def plain() -> None:
        click.echo(current_app.name)

    assert runner.invoke(args=["plain"]).output == "app\n"


def test_nested_contexts_share_one_g(app: Kolben, runner: CliRunner) -> None:
    @click.command()
    @with_appcontext
    def inner() -> None:
        click.echo(g.value)

    @app.cli.command()
    @click.pass_context
    def outer(ctx: click.Context) -> None:
        g.value = "shared"
        ctx.invoke(inner)

    assert runner.invoke(args=["outer"]).output == "shared\n"


def test_plain_click_commands(app: Kolben, runner: CliRunner) -> None:
    @click.command()
    @with_appcontext
    async def mine() -> None:
        """What it does."""
        click.echo(current_app.name)

    @click.command()
    @pass_script_info
    def info(info: ScriptInfo) -> None:
        click.echo(info.load_app().name)

    assert mine.help == "What it does."
    assert runner.invoke(mine).output == "app\n"
    assert runner.invoke(info).output == "app\n"


def test_without_an_application_a_context_is_an_error() -> None:
    from click.testing import CliRunner as ClickRunner

    @click.command()
    @with_appcontext
    def mine() -> None:
        raise AssertionError("never called")

    info = ScriptInfo(create_app=lambda: None)
    result = ClickRunner().invoke(mine, obj=info)
    assert result.exit_code == 2 and "Could not locate a Kolben application" in result.output


@pytest.mark.parametrize(
    ("made_with", "registered_with", "args"),
    [
        ({}, {}, ["bp", "show"]),
        ({"cli_group": "own"}, {}, ["own", "show"]),
        ({"cli_group": "own"}, {"cli_group": "other"}, ["other", "show"]),
        ({"cli_group": None}, {}, ["show"]),
        ({}, {"cli_group": None}, ["show"]),
    ],
)
def test_commands_of_blueprints(
    app: Kolben, runner: CliRunner, made_with: Any, registered_with: Any, args: list[str]
) -> None:
    bp = Blueprint("bp", "bp", root_path=".", **made_with)

    @bp.cli.command("show")
    def show() -> None:
        click.echo(current_app.name)

    app.register_blueprint(bp, **registered_with)
    assert runner.invoke(args=args).output == "app\n"


def test_the_runner_can_be_given_another_object(app: Kolben) -> None:
    app.cli.command("show")(lambda: click.echo(current_app.name))
    other = Kolben("other", root_path=".")
    info = ScriptInfo(create_app=lambda: other)
    assert app.test_cli_runner().invoke(args=["show"], obj=info).output == "other\n"


def test_runner_classes_get_the_keyword_arguments(app: Kolben) -> None:
    class Mine(CliRunner):
        pass

    app.test_cli_runner_class = Mine
    runner = app.test_cli_runner(env={"A": "from the test"})
    assert isinstance(runner, Mine)

    @app.cli.command("env")
    def env() -> None:
        import os

        click.echo(os.environ["A"])

    assert runner.invoke(args=["env"]).output == "from the test\n"


def test_errors_of_a_command_are_in_the_result(app: Kolben, runner: CliRunner) -> None:
    app.cli.command("fail")(lambda: 1 / 0)
    result = runner.invoke(args=["fail"])
    assert isinstance(result.exception, ZeroDivisionError) and result.exit_code == 1
    with pytest.raises(ZeroDivisionError):
        runner.invoke(args=["fail"], catch_exceptions=False)
