"""Serving for real: programs of their own, asked over the loopback interface."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from kolben import Kolben, serving

_URL = re.compile(r"Uvicorn running on https?://[^ ]*:(\d+)")
PATIENCE = 30.0


class Program:
    """A program that serves on a port of its own choosing.

    :param args: Its arguments; Python's own come before them.
    :param folder: Its working directory.
    :param env: Environment variables to add.
    """

    def __init__(self, *args: str, folder: Path, **env: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name[:7] != "KOLBEN_"}
        self.process = subprocess.Popen(
            [sys.executable, *args],
            cwd=folder,
            env={**kept, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.port = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line)
                if found := _URL.search(line):
                    self.port = int(found[1])
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until something holds that depends on what the program prints."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), self.output

    def __enter__(self) -> Program:
        self.wait_for(lambda: self.port or not self._reader.is_alive())
        assert self.port, self.output
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def get(self, path: str = "/", tls: ssl.SSLContext | None = None) -> tuple[int, str]:
        """Status and body of one request.

        Servers say that they listen a moment before they do, if several processes share a
        socket; until then the connection is refused.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._get(path, tls)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, self.output

    def _get(self, path: str, tls: ssl.SSLContext | None) -> tuple[int, str]:
        connection: http.client.HTTPConnection
        if tls is not None:
            connection = http.client.HTTPSConnection(
                "localhost", self.port, timeout=PATIENCE, context=tls
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def stop(self, sig: signal.Signals, group: bool = False) -> int:
        """Send a signal, and give the exit status.

        :param group: Send it to all processes, as a terminal does with Ctrl-C.
        """
        if group:
            os.killpg(self.process.pid, sig)
        else:
            self.process.send_signal(sig)
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status


HELLO = """\
import asyncio

from kolben import Kolben

app = Kolben(__name__)


@app.get("/")
def index():
    return "one"


@app.get("/debug")
def debug():
    return f"{app.debug} {app.config['WORKER_THREADS']}"


@app.get("/slow")
async def slow():
    print("arrived", flush=True)
    await asyncio.sleep(0.3)
    return "slow"


@app.get("/address")
def address():
    from kolben import request

    return f"{request.remote_addr} {request.scheme}"
"""


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    (tmp_path / "hello.py").write_text(HELLO)
    return tmp_path


RUN = ("-m", "kolben", "--app", "hello", "run", "--port", "0")


@pytest.mark.parametrize(("sig", "status"), [("SIGINT", 0), ("SIGTERM", -signal.SIGTERM)])
def test_kolben_run_serves_and_stops(hello: Path, sig: str, status: int) -> None:
    with Program(*RUN, folder=hello) as program:
        assert program.get() == (200, "one")
        assert program.get("/missing")[0] == 404
        assert program.get("/debug") == (200, "False 40")
        assert program.stop(signal.Signals[sig]) == status
    assert " * Serving Kolben app 'hello'\n * Debug mode: off\n" in program.output
    assert "Traceback" not in program.output


def test_what_was_accepted_is_answered(hello: Path) -> None:
    answers: list[tuple[int, str]] = []
    with Program(*RUN, folder=hello) as program:
        asking = threading.Thread(target=lambda: answers.append(program.get("/slow")))
        asking.start()
        program.wait_for(lambda: "arrived" in program.output)
        assert program.stop(signal.SIGINT) == 0
        asking.join()
    assert answers == [(200, "slow")]


def test_settings_come_from_the_environment(hello: Path) -> None:
    env = {"KOLBEN_APP": "hello", "KOLBEN_DEBUG": "1", "KOLBEN_RUN_PORT": "0"}
    args = ("-m", "kolben", "run", "--no-reload", "--without-threads")
    with Program(*args, folder=hello, **env) as program:
        assert program.get("/debug") == (200, "True 1")


def test_factories_can_be_served(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(
        "from kolben import Kolben\n"
        "def create_app(name, *, text):\n"
        "    app = Kolben(name)\n"
        "    app.add_url_rule('/', 'index', lambda: text)\n"
        "    return app\n"
    )
    app = "made:create_app('dev', text='from a factory')"
    args = ("-m", "kolben", "--app", app, "run", "-p", "0")
    with Program(*args, folder=tmp_path) as program:
        assert program.get() == (200, "from a factory")


def test_forwarded_headers_are_not_believed(hello: Path) -> None:
    with Program(*RUN, folder=hello) as program:
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)
        headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
        connection.request("GET", "/address", headers=headers)
        assert connection.getresponse().read() == b"127.0.0.1 http"
        connection.close()


def test_a_port_that_is_taken(hello: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        program = Program(*RUN[:-1], str(taken.getsockname()[1]), folder=hello)
        assert program.process.wait(PATIENCE) != 0
        program.wait_for(lambda: "address already in use" in program.output)
        program.__exit__(None, None, None)


def test_an_application_that_fails_to_start(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(
        f"{HELLO}\n@app.before_serving\ndef start():\n    raise ZeroDivisionError\n"
    )
    program = Program(*RUN, folder=tmp_path)
    assert program.process.wait(PATIENCE) == 3
    program.__exit__(None, None, None)
    assert "ZeroDivisionError" in program.output


def test_workers(hello: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    args = ("-m", "kolben", "--app", "hello.py", "run", "--workers", "2", "-p", port)
    with Program(*args, folder=hello) as program:
        program.wait_for(lambda: program.output.count("Application startup complete") == 2)
        assert program.get() == (200, "one")
        assert program.stop(signal.SIGINT) == 0


def test_certificates(hello: Path) -> None:
    (hello / "cert.pem").write_text(CERTIFICATE)
    (hello / "key.pem").write_text(KEY)
    tls = ssl.create_default_context(cadata=CERTIFICATE)
    with Program(*RUN, "--cert", "cert.pem", "--key", "key.pem", folder=hello) as program:
        assert program.get(tls=tls) == (200, "one")
        assert program.get("/address", tls=tls)[1].endswith("https")
    (hello / "tls.py").write_text(
        "import ssl\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
        "context.load_cert_chain('cert.pem', 'key.pem')\n"
    )
    with Program(*RUN, "--cert", "tls:context", folder=hello) as program:
        assert program.get(tls=tls) == (200, "one")


# The reloader --------------------------------------------------------------------------------


def change(program: Program, file: Path, text: str) -> None:
    """Write a file until the reloader has seen it; it may not have begun to watch."""
    before = program.output.count("Reloading...")
    for _ in range(20):
        file.write_text(text)
        with program._changed:
            if program._changed.wait_for(
                lambda: program.output.count("Reloading...") > before, timeout=2
            ):
                return
    raise AssertionError(program.output)


def started(program: Program, times: int) -> None:
    program.wait_for(lambda: program.output.count("Application startup complete") >= times)


@pytest.mark.parametrize("watcher", ["WatchFiles", "StatReload"])
def test_a_change_is_served(hello: Path, watcher: str) -> None:
    if watcher == "StatReload":
        (hello / "watchfiles.py").write_text("raise ImportError\n")
    with Program(*RUN, "--debug", folder=hello) as program:
        assert program.get() == (200, "one")
        change(program, hello / "hello.py", HELLO.replace('"one"', '"two"'))
        started(program, 2)
        assert program.get() == (200, "two")
        assert program.get("/debug")[1].startswith("True")
        assert program.stop(signal.SIGTERM) == 0
    assert f"using {watcher}" in program.output
    assert program.output.count("Serving Kolben app") == 1


def test_ctrl_c_stops_reloader_and_server(hello: Path) -> None:
    with Program(*RUN, "--reload", folder=hello) as program:
        assert program.get() == (200, "one")
        assert program.stop(signal.SIGINT, group=True) == 0
    assert "Traceback" not in program.output
    assert "Finished server process" in program.output


def test_a_broken_change_can_be_mended(hello: Path) -> None:
    with Program(*RUN, "--reload", folder=hello) as program:
        assert program.get() == (200, "one")
        change(program, hello / "hello.py", "this is no Python\n")
        program.wait_for(lambda: "SyntaxError" in program.output)
        change(program, hello / "hello.py", HELLO.replace('"one"', '"mended"'))
        started(program, 2)
        assert program.get() == (200, "mended")


def test_an_application_that_is_missing_is_an_error_at_once(tmp_path: Path) -> None:
    program = Program(*RUN, "--reload", folder=tmp_path)
    assert program.process.wait(PATIENCE) == 2
    program.__exit__(None, None, None)
    assert "Could not import 'hello'" in program.output


def test_extra_files_and_excluded_patterns(hello: Path) -> None:
    (hello / "data").mkdir()
    settings, noise = hello / "data" / "settings.toml", hello / "noise.py"
    settings.touch()
    noise.touch()
    args = ("--reload", "--extra-files", "data/settings.toml", "--exclude-patterns", "noise.py")
    with Program(*RUN, *args, folder=hello) as program:
        assert program.get() == (200, "one")
        noise.write_text("changed = True\n")
        change(program, settings, "changed = true\n")
        started(program, 2)
    assert "settings.toml" in program.output and "'noise.py'" not in program.output


# app.run() -----------------------------------------------------------------------------------

SCRIPT = """\
from kolben import Kolben


def create_app():
    app = Kolben("script")
    app.add_url_rule("/", "index", lambda: "one")
    return app


if __name__ == "__main__":
    app = create_app()
    app.run(port=0, {options})
"""


def test_a_script_serves_itself(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.format(options=""))
    with Program("script.py", folder=tmp_path) as program:
        assert program.get() == (200, "one")
        assert program.stop(signal.SIGINT) == 0
    assert " * Serving Kolben app 'script'\n * Debug mode: off\n" in program.output
    assert "Traceback" not in program.output


@pytest.mark.parametrize("args", [("script.py",), ("-m", "script")])
def test_a_script_is_reloaded(tmp_path: Path, args: tuple[str, ...]) -> None:
    text = SCRIPT.format(options="debug=True")
    (tmp_path / "script.py").write_text(text)
    with Program(*args, folder=tmp_path) as program:
        assert program.get() == (200, "one")
        change(program, tmp_path / "script.py", text.replace('"one"', '"two"'))
        started(program, 2)
        assert program.get() == (200, "two")
        assert program.stop(signal.SIGINT, group=True) == 0
    assert "Traceback" not in program.output


def test_a_call_without_a_guard_is_ignored_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(f"{HELLO}\napp.run(port=1)\n")
    with Program(*RUN, folder=tmp_path) as program:
        assert program.get() == (200, "one")
    assert " * Ignoring a call to 'app.run()'" in program.output


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What ``app.run()`` would have served."""
    calls: list[Any] = []
    monkeypatch.setattr(serving, "serve", lambda *args, **options: calls.append((args, options)))
    monkeypatch.setattr(serving, "_load_dotenv", lambda: True)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("KOLBEN_RUN_FROM_CLI", "KOLBEN_DEBUG", "KOLBEN_SKIP_DOTENV"):
        monkeypatch.delenv(name, raising=False)
    return calls


@pytest.mark.parametrize(
    ("server_name", "host", "port", "expected"),
    [
        (None, None, None, ("127.0.0.1", 5000)),
        ("example.com", None, None, ("example.com", 5000)),
        ("example.com:80", None, None, ("example.com", 80)),
        ("example.com:80", "0.0.0.0", 8000, ("0.0.0.0", 8000)),
        ("example.com:80", None, 0, ("example.com", 0)),
        (None, "", "81", ("127.0.0.1", 81)),
    ],
)
def test_where_a_script_serves(
    served: list[Any], server_name: Any, host: Any, port: Any, expected: tuple[str, int]
) -> None:
    app = Kolben("app", root_path=".")
    app.config["SERVER_NAME"] = server_name
    app.run(host, port)
    assert served == [((app, *expected), {"use_reloader": False})]


def test_the_debug_mode_of_a_script(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    app = Kolben("app", root_path=".")
    app.run(debug=True, threaded=False)
    assert app.debug and served[-1][1] == {"use_reloader": True, "threaded": False}
    app.run(use_reloader=False)
    assert not served[-1][1]["use_reloader"]
    monkeypatch.setenv("KOLBEN_DEBUG", "0")
    app.run()
    assert not app.debug
    app.run(debug=True)
    assert app.debug
    monkeypatch.setenv("KOLBEN_DEBUG", "0")
    app.run(load_dotenv=False)
    assert app.debug


def test_options_that_only_werkzeug_has_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn

    configs: list[Any] = []
    monkeypatch.setattr(serving, "_serve", lambda server: configs.append(server.config))
    app = Kolben("app", root_path=".")
    serving.serve(app, "::1", 0, threaded=True, use_debugger=True, log_level="warning")
    [config] = configs
    assert isinstance(config, uvicorn.Config) and config.log_level == "warning"
    assert (config.host, config.port, config.proxy_headers) == ("::1", 0, False)
    with pytest.raises(TypeError, match="unknown"):
        serving.serve(app, unknown=1)


def test_adhoc_certificates_need_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(TypeError, match="cryptography"):
        serving.make_adhoc_context()


def test_files_alone_can_be_shared_by_workers() -> None:
    app = Kolben("app", root_path=".")
    with pytest.raises(ValueError, match="in files"):
        serving.serve_workers("a:b", "127.0.0.1", 0, 2, app, "adhoc")


# Of nobody: for "localhost", until 2126.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUPvxOVi8yHEsiVSFaCT1b9NAuJmYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE3MzIwOFoYDzIxMjYxMDI5
MTczMjA4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASYeL/JHJ9OsKoDvMrGF7gfuqlkSqmYXr5AnxmJlCgT2L5oxEMSSNHy
g3UUBb2iYeIF76c7wE043FK2PQ54lK/vo2kwZzAdBgNVHQ4EFgQUqJ4Rxccd/cwo
B9/uhFInI1vzJAowHwYDVR0jBBgwFoAUqJ4Rxccd/cwoB9/uhFInI1vzJAowDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAOOv/mtNMiZbHGATiXEiP2ramBEJoMGUu/ivUdK+3HB3AiEAyKIwvyUP
oCC4K6kb8M2JOS4nVDMtIO769HulYNRTSZU=
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2qqtyxpQv0Lv9JFu
+6jevmBRGr0qZ/UE52WZtx0nk8ChRANCAASYeL/JHJ9OsKoDvMrGF7gfuqlkSqmY
Xr5AnxmJlCgT2L5oxEMSSNHyg3UUBb2iYeIF76c7wE043FK2PQ54lK/v
-----END PRIVATE KEY-----
"""
