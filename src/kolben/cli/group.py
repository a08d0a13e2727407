"""The ``kolben`` command: its own subcommands, those of plugins and those of an application."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from importlib import metadata
from typing import Any

import click

from ..commands import AppGroup, NoAppException, ScriptInfo
from ..context import current
from .options import app_option, debug_option, env_file_option, version_option
from .routes import routes_command
from .run import run_command
from .shell import shell_command


class KolbenGroup(AppGroup):
    """A group that adds the commands of the application it is called for.

    The ``kolben`` command is one. Make another for a program of your own:

    .. code-block:: python

        @click.group(cls=KolbenGroup, create_app=create_app)
        def cli():
            ...  # its docstring is the help

    :param add_default_commands: Add ``run``, ``shell`` and ``routes``.
    :param create_app: Returns the application; without it, ``--app`` says where it is.
    :param add_version_option: Add ``--version``.
    :param load_dotenv: Read ``.env`` and ``.kolbenenv``.
    :param set_debug_flag: Set the application's debug mode.
    :param extra: Those of :class:`click.Group`.
    :source: Flask's documented ``FlaskGroup``; settings and plugins have the prefix
        ``KOLBEN_`` and the entry point group ``kolben.commands``.
    """

    def __init__(
        self,
        add_default_commands: bool = True,
        create_app: Callable[..., Any] | None = None,
        add_version_option: bool = True,
        load_dotenv: bool = True,
        set_debug_flag: bool = True,
        **extra: Any,
    ) -> None:
        params: list[click.Parameter] = list(extra.pop("params", None) or ())
        params += [env_file_option, app_option, debug_option]
        if add_version_option:
            params.append(version_option)
        settings = {"auto_envvar_prefix": "KOLBEN", **extra.pop("context_settings", {})}
        super().__init__(params=params, context_settings=settings, **extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        if add_default_commands:
            for command in (run_command, shell_command, routes_command):
                self.add_command(command)
        self._loaded_plugin_commands = False

    def _load_plugin_commands(self) -> None:
        if not self._loaded_plugin_commands:
            self._loaded_plugin_commands = True
            for entry_point in metadata.entry_points(group="kolben.commands"):
                self.add_command(entry_point.load(), entry_point.name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of this group, a plugin or the application, in this order.

        An application that cannot be found is reported, but only then: the group's own
        commands work without one.
        """
        self._load_plugin_commands()
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            return command
        try:
            app = ctx.ensure_object(ScriptInfo).load_app()
        except NoAppException as error:
            click.secho(f"Error: {error.format_message()}\n", err=True, fg="red")
            return None
        # The context is there for the callbacks of parameters too, not only for the command.
        active = current.get(None)
        if active is None or active.app is not app:
            ctx.with_resource(app.app_context())
        found: click.Command | None = app.cli.get_command(ctx, cmd_name)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands; why those of the application are missing is printed."""
        self._load_plugin_commands()
        names = set(super().list_commands(ctx))
        try:
            names.update(ctx.ensure_object(ScriptInfo).load_app().cli.list_commands(ctx))
        except NoAppException as error:
            click.secho(f"Error: {error.format_message()}\n", err=True, fg="red")
        except Exception:
            click.secho(f"{traceback.format_exc()}\n", err=True, fg="red")
        return sorted(names)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """:meth:`click.Command.make_context`, with a :class:`ScriptInfo` as its object."""
        # A module that calls app.run() outside of a guard must not block this command.
        os.environ["KOLBEN_RUN_FROM_CLI"] = "true"
        if "obj" not in extra and "obj" not in self.context_settings:
            extra["obj"] = ScriptInfo(
                create_app=self.create_app,
                set_debug_flag=self.set_debug_flag,
                load_dotenv_defaults=self.load_dotenv,
            )
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """:meth:`click.Command.parse_args`, for which settings are read in time for the help."""
        asks_for_help = len(args) == 1 and args[0] in self.get_help_option_names(ctx)
        if asks_for_help or (not args and self.no_args_is_help):
            # click prints the help before it comes to options that were not given, but the
            # environment may name the application whose commands belong into the help.
            env_file_option.handle_parse_result(ctx, {}, [])
            app_option.handle_parse_result(ctx, {}, [])
        try:
            return super().parse_args(ctx, args)
        except BaseException:
            # The help of a command without arguments is an error in click, raised where nobody
            # closes the context yet; looking for commands has pushed the application's.
            ctx.close()
            raise
