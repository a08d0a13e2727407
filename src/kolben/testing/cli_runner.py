"""Run an application's commands in a test."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner as ClickRunner
from click.testing import Result

from ..commands import ScriptInfo


class CliRunner(ClickRunner):
    """Click's runner for tests, for the commands of one application.

    Usually made by :meth:`Kolben.test_cli_runner`.

    :param app: The application.
    :param kwargs: Those of :class:`click.testing.CliRunner`.
    :source: Flask's documented ``FlaskCliRunner``.
    """

    __test__ = False

    def __init__(self, app: Any, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(  # type: ignore[override]
        self, cli: Any = None, args: Any = None, **kwargs: Any
    ) -> Result:
        """Run a command; what it printed and raised is in the result.

        The command sees the application, without any ``--app``.

        :param cli: The command; by default the group ``app.cli``.
        :param args: Its arguments, a list or one text.
        :param kwargs: Those of :meth:`click.testing.CliRunner.invoke`.
        """
        if cli is None:
            cli = self.app.cli
        if "obj" not in kwargs:
            app = self.app
            kwargs["obj"] = ScriptInfo(create_app=lambda: app)
        return super().invoke(cli, args, **kwargs)
