"""``kolben shell``: Python with the application at hand."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from ..commands import with_appcontext
from ..globals import current_app


@click.command("shell", short_help="Run a shell in the app context.")
@with_appcontext
def shell_command() -> None:
    """Run an interactive Python shell in the context of a given Kolben application.

    The application is there as 'app', with what its shell context processors add.
    """
    import code  # loads the compiler's whole interactive side

    banner = (
        f"Python {sys.version} on {sys.platform}\n"
        f"App: {current_app.import_name}\n"
        f"Instance: {current_app.instance_path}"
    )
    names: dict[str, Any] = {}
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, encoding="utf-8") as file:
            exec(compile(file.read(), startup, "exec"), names)
    names.update(current_app.make_shell_context())
    _complete(names)
    code.interact(banner=banner, local=names)


def _complete(names: dict[str, Any]) -> None:
    """Let the Tab key complete the shell's own names, where the terminal can do that."""
    hook = getattr(sys, "__interactivehook__", None)
    if hook is None:
        return
    try:
        import readline
        from rlcompleter import Completer
    except ImportError:
        pass
    else:
        # It would complete the names of the module __main__ otherwise.
        readline.set_completer(Completer(names).complete)
    hook()
