"""The interactive shell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from kolben import Kolben
from kolben.cli import shell_command


@pytest.fixture
def app() -> Kolben:
    app = Kolben("shop", root_path=".")
    app.shell_context_processor(lambda: {"extra": "from the application"})
    return app


def shell(app: Kolben, text: str) -> Any:
    return app.test_cli_runner().invoke(shell_command, input=text)


def test_names_of_the_application(app: Kolben, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONSTARTUP", raising=False)
    monkeypatch.delattr(sys, "__interactivehook__", raising=False)
    result = shell(app, "print(app.name, extra, g)\nfrom kolben import current_app\n")
    assert "shop from the application" in result.output
    assert "App: shop" in result.output and "Instance: " in result.output


def test_startup_files(app: Kolben, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    startup = tmp_path / "startup.py"
    startup.write_text("mine = 'from the startup file'\nextra = 'overwritten'\n")
    monkeypatch.setenv("PYTHONSTARTUP", str(startup))
    monkeypatch.delattr(sys, "__interactivehook__", raising=False)
    assert "from the startup file from the application" in shell(app, "print(mine, extra)\n").output
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "missing.py"))
    assert "from the application" in shell(app, "print(extra)\n").output


def test_completion_knows_the_names(app: Kolben, monkeypatch: pytest.MonkeyPatch) -> None:
    readline = pytest.importorskip("readline")
    called: list[str] = []
    monkeypatch.delenv("PYTHONSTARTUP", raising=False)
    monkeypatch.setattr(sys, "__interactivehook__", lambda: called.append("hook"), raising=False)
    before = readline.get_completer()
    try:
        shell(app, "")
        assert called == ["hook"]
        assert readline.get_completer()("extr", 0) == "extra"
    finally:
        readline.set_completer(before)
