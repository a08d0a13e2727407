"""``kolben run``: serve an application on uvicorn."""

from __future__ import annotations

import os
from typing import Any

import click

from ..commands import ScriptInfo, pass_script_info
from ..helpers import get_debug_flag
from ..serving import Certificate, serve, serve_workers, show_server_banner
from .options import debug_option
from .parameters import CertParamType, SeparatedPathType, validate_key


@click.command("run", short_help="Run a development server.")
@click.option("--host", "-h", default="127.0.0.1", help="The interface to bind to.")
@click.option("--port", "-p", default=5000, help="The port to bind to.")
@click.option(
    "--cert",
    type=CertParamType(),
    help="Specify a certificate file to use HTTPS.",
    is_eager=True,
)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    callback=validate_key,
    expose_value=False,
    help="The key file to use when specifying a certificate.",
)
@click.option(
    "--reload/--no-reload",
    default=None,
    help="Enable or disable the reloader. By default the reloader is active if debug is enabled.",
)
@click.option(
    "--debugger/--no-debugger",
    default=None,
    help="Enable or disable the debugger. By default the debugger is active if debug is enabled.",
)
@click.option(
    "--with-threads/--without-threads",
    default=True,
    help="Run 'def' views in several threads, or in one after the other.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    help="The number of processes that serve; without the reloader.",
)
@click.option(
    "--extra-files",
    default=None,
    type=SeparatedPathType(),
    help=(
        "Extra files that trigger a reload on change. Multiple paths are separated by"
        f" {os.path.pathsep!r}."
    ),
)
@click.option(
    "--exclude-patterns",
    default=None,
    type=SeparatedPathType(),
    help=(
        "Files matching these fnmatch patterns will not trigger a reload on change. Multiple"
        f" patterns are separated by {os.path.pathsep!r}."
    ),
)
@pass_script_info
def run_command(
    info: ScriptInfo,
    host: str,
    port: int,
    reload: bool | None,
    debugger: bool | None,
    with_threads: bool,
    workers: int,
    cert: Certificate,
    extra_files: list[str] | None,
    exclude_patterns: list[str] | None,
) -> None:
    """Run a local development server.

    The reloader and debugger are enabled by default with the '--debug' option.
    """
    app = info.load_app()
    debug = get_debug_flag()
    if not with_threads:
        app.config["WORKER_THREADS"] = 1
    show_server_banner(debug, info.app_import_path or app.name)
    if workers > 1:
        _run_workers(info, app, host, port, workers, cert)
        return
    serve(
        app,
        host,
        port,
        use_reloader=debug if reload is None else reload,
        use_debugger=debug if debugger is None else debugger,
        ssl_context=cert,
        extra_files=extra_files,
        exclude_patterns=exclude_patterns,
    )


run_command.params.insert(0, debug_option)


def _run_workers(
    info: ScriptInfo, app: Any, host: str, port: int, workers: int, cert: Certificate
) -> None:
    if info.create_app is not None:
        raise click.UsageError("'--workers' needs an application that '--app' can name.")
    if info.app_import_path is not None:
        os.environ["KOLBEN_APP"] = info.app_import_path
    try:
        serve_workers(f"{__name__}:load_worker_app", host, port, workers, app, cert)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def load_worker_app() -> Any:
    """The application, in one of several serving processes; the environment says which."""
    return ScriptInfo(os.environ.get("KOLBEN_APP")).load_app()
