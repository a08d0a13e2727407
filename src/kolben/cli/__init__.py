"""The ``kolben`` command."""

from __future__ import annotations

from ..commands import AppGroup, F, NoAppException, ScriptInfo, pass_script_info, with_appcontext
from ..serving import load_dotenv, show_server_banner
from .discovery import find_app_by_string, find_best_app, locate_app, prepare_import
from .group import KolbenGroup
from .options import get_version, version_option
from .parameters import CertParamType, SeparatedPathType
from .routes import routes_command
from .run import run_command
from .shell import shell_command

__all__ = [
    "AppGroup",
    "CertParamType",
    "F",
    "FlaskGroup",
    "KolbenGroup",
    "NoAppException",
    "ScriptInfo",
    "SeparatedPathType",
    "cli",
    "find_app_by_string",
    "find_best_app",
    "get_version",
    "load_dotenv",
    "locate_app",
    "main",
    "pass_script_info",
    "prepare_import",
    "routes_command",
    "run_command",
    "shell_command",
    "show_server_banner",
    "version_option",
    "with_appcontext",
]

#: Flask's name, for programs that come from there.
FlaskGroup = KolbenGroup

cli = KolbenGroup(
    name="kolben",
    help="""\
A general utility script for Kolben applications.

An application to load must be given with the '--app' option, 'KOLBEN_APP' environment variable,
or with a 'wsgi.py', 'asgi.py' or 'app.py' file in the current directory.
""",
)


def main() -> None:
    """What the ``kolben`` command runs."""
    cli.main()
