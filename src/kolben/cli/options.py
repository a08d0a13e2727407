"""Options of the ``kolben`` command itself, given before the name of a subcommand."""

from __future__ import annotations

import os
import platform
from importlib import metadata, util
from typing import Any

import click
from click.core import ParameterSource

from ..commands import ScriptInfo
from ..serving import load_dotenv


def get_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Print versions, and end the command."""
    if not value or ctx.resilient_parsing:
        return
    click.echo(
        f"Python {platform.python_version()}\n"
        f"Kolben {metadata.version('kolben')}\n"
        f"Uvicorn {metadata.version('uvicorn')}",
        color=ctx.color,
    )
    ctx.exit()


version_option = click.Option(
    ["--version"],
    help="Show the Kolben version.",
    expose_value=False,
    callback=get_version,
    is_flag=True,
    is_eager=True,
)


def _set_app(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.ensure_object(ScriptInfo).app_import_path = value
    return value


# Eager, so that the application's commands are there for --help, which is eager as well.
app_option = click.Option(
    ["-A", "--app"],
    metavar="IMPORT",
    help=(
        "The Kolben application or factory function to load, in the form 'module:name'. Module"
        " can be a dotted import or file path. Name is not required if it is 'app',"
        " 'application', 'create_app', or 'make_app', and can be 'name(args)' to pass arguments."
    ),
    is_eager=True,
    expose_value=False,
    callback=_set_app,
)


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> bool | None:
    source = ctx.get_parameter_source(param.name or "")
    if source in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
        return None  # not given: the environment may still say so
    # In the environment, so that a factory function sees it while it makes the application.
    os.environ["KOLBEN_DEBUG"] = "1" if value else "0"
    return value


debug_option = click.Option(
    ["--debug/--no-debug"],
    help="Set debug mode.",
    expose_value=False,
    callback=_set_debug,
)


def _read_env_file(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and util.find_spec("dotenv") is None:
        raise click.BadParameter(
            "python-dotenv must be installed to load an env file.", ctx=ctx, param=param
        )
    defaults = ctx.ensure_object(ScriptInfo).load_dotenv_defaults
    if value is not None or defaults:
        load_dotenv(value, load_defaults=defaults)
    return value


# Eager, and the first of all: the variables may be settings of the other options.
env_file_option = click.Option(
    ["-e", "--env-file"],
    type=click.Path(exists=True, dir_okay=False),
    help=(
        "Load environment variables from this file, taking precedence over those set by '.env'"
        " and '.kolbenenv'. Variables set directly in the environment take highest precedence."
        " python-dotenv must be installed."
    ),
    is_eager=True,
    expose_value=False,
    callback=_read_env_file,
)
