"""Parameters of ``kolben run``."""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kolben import Kolben
from kolben.cli import ScriptInfo, run_command
from kolben.cli import run as run_module

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been served."""
    calls: list[Any] = []
    module: Any = sys.modules["kolben.cli.run"]
    monkeypatch.setattr(module, "serve", lambda *args, **kw: calls.append((args, kw)))
    monkeypatch.setattr(module, "serve_workers", lambda *args: calls.append((args, {})))
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.delenv("KOLBEN_DEBUG", raising=False)
    return calls


app = Kolben("app", root_path=".")


def run(*args: str, info: ScriptInfo | None = None) -> Any:
    info = info or ScriptInfo(create_app=lambda: app)
    return CliRunner().invoke(run_command, list(args), obj=info)


def test_defaults(served: list[Any]) -> None:
    result = run()
    assert result.output == " * Serving Kolben app 'app'\n * Debug mode: off\n"
    [(args, options)] = served
    assert args == (app, "127.0.0.1", 5000)
    assert options == {
        "use_reloader": False,
        "use_debugger": False,
        "ssl_context": None,
        "extra_files": None,
        "exclude_patterns": None,
    }


def test_debug_turns_the_reloader_on(served: list[Any]) -> None:
    assert "Debug mode: on" in run("--debug").output
    assert served[0][1]["use_reloader"] and served[0][1]["use_debugger"]
    run("--debug", "--no-reload", "--no-debugger")
    assert not served[1][1]["use_reloader"] and not served[1][1]["use_debugger"]
    run("--no-debug", "--reload")
    assert served[2][1]["use_reloader"]


def test_settings_from_the_environment(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from kolben.cli import KolbenGroup

    monkeypatch.setenv("KOLBEN_RUN_PORT", "8000")
    monkeypatch.setenv("KOLBEN_RUN_HOST", "::1")
    monkeypatch.setenv("KOLBEN_RUN_EXTRA_FILES", os.pathsep.join(["a", "b"]))
    result = CliRunner().invoke(KolbenGroup(create_app=lambda: app), ["run"])
    assert result.exit_code == 0, result.output
    assert served[0][0] == (app, "::1", 8000) and served[0][1]["extra_files"] == ["a", "b"]


def test_lists_of_files(served: list[Any]) -> None:
    run("--extra-files", os.pathsep.join(["a", "b"]), "--exclude-patterns", "*.log")
    assert served[0][1]["extra_files"] == ["a", "b"]
    assert served[0][1]["exclude_patterns"] == ["*.log"]


def test_one_thread(served: list[Any]) -> None:
    mine = Kolben("app", root_path=".")
    run("--without-threads", info=ScriptInfo(create_app=lambda: mine))
    assert mine.config["WORKER_THREADS"] == 1


def test_workers(served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("--workers", "2")
    assert result.exit_code == 2 and "'--app'" in result.output
    (tmp_path / "worked.py").write_text("from kolben import Kolben\napp = Kolben(__name__)\n")
    monkeypatch.setattr(sys, "path", sys.path[:])
    info = ScriptInfo(str(tmp_path / "worked.py"))
    assert run("--workers", "2", info=info).exit_code == 0
    target, host, port, workers, loaded, cert = served[0][0]
    assert (host, port, workers, cert) == ("127.0.0.1", 5000, 2, None)
    assert target == "kolben.cli.run:load_worker_app"
    assert loaded.name == "worked" and run_module.load_worker_app().name == "worked"
    sys.modules.pop("worked")


def test_certificates(served: list[Any], tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.touch()
    key.touch()
    assert run("--cert", str(cert), "--key", str(key)).exit_code == 0
    assert served[0][1]["ssl_context"] == (str(cert), str(key))
    assert run("--cert", f"{__name__}:context").exit_code in (0, 2)


def test_a_context_by_its_import_path(
    served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tls.py").write_text(
        "import ssl\ncontext = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for path in ("tls:context", "tls.context"):
        assert run("--cert", path).exit_code == 0
    assert all(isinstance(call[1]["ssl_context"], ssl.SSLContext) for call in served)
    result = run("--cert", "tls:context", "--key", str(tmp_path / "tls.py"))
    assert 'an SSLContext object, "--key" is not used' in " ".join(result.output.split())
    assert run("--cert", "tls:missing").exit_code == 2
    sys.modules.pop("tls")


def test_certificates_that_make_no_sense(
    served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file.pem"
    file.touch()
    assert 'Required when using "--cert"' in run("--cert", str(file)).output
    assert '"--cert" must also be specified' in run("--key", str(file)).output
    assert "does not exist" in run("--cert", "missing.pem").output
    assert served == []


def test_adhoc_certificates_need_a_library(
    served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kolben.cli import parameters

    monkeypatch.setattr(parameters.util, "find_spec", lambda name: None)
    assert "requires the cryptography library" in run("--cert", "adhoc").output
    monkeypatch.setattr(parameters.util, "find_spec", lambda name: object())
    assert run("--cert", "adhoc").exit_code == 0
    assert served[0][1]["ssl_context"] == "adhoc"
    result = run("--cert", "adhoc", "--key", __file__)
    assert '"adhoc", "--key" is not used' in " ".join(result.output.split())


def test_an_application_that_is_missing(served: list[Any]) -> None:
    result = run(info=ScriptInfo("notthere"))
    assert result.exit_code == 2 and "Could not import 'notthere'" in result.output
    assert isinstance(run_command, click.Command) and served == []
