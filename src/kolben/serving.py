"""Serve an application on uvicorn: for development, and for ``app.run``.

The reloader belongs to uvicorn too, but what it restarts is the whole program, as it was
started, with the listening socket handed on: so that it works for a script that makes its
application under ``if __name__ == "__main__"`` as well as for the ``kolben`` command.
"""

from __future__ import annotations

import os
import runpy
import ssl
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .helpers import get_debug_flag, get_load_dotenv

if TYPE_CHECKING:
    import socket

    import uvicorn

#: Sockets that the reloader has given to this process.
_inherited: list[socket.socket] | None = None

#: What Werkzeug's server takes and uvicorn has no use for.
_IGNORED = frozenset(
    {"threaded", "processes", "use_debugger", "use_evalex", "passthrough_errors", "reloader_type",
     "reloader_interval", "request_handler", "static_files"}
)  # fmt: skip

Certificate = tuple[str, str | None] | ssl.SSLContext | str | None


def is_running_from_reloader() -> bool:
    """Whether this process is one that the reloader has started.

    :source: Werkzeug: the same.
    """
    return _inherited is not None


def run_app(
    app: Any,
    host: str | None = None,
    port: int | None = None,
    debug: bool | None = None,
    load_dotenv: bool = True,
    **options: Any,
) -> None:
    """What ``app.run()`` does: serve an application until Ctrl-C.

    Not for production: there, give the application to a server of your choice. Does nothing
    but say so where the ``kolben`` command imports the module that calls it.

    :param app: The application.
    :param host: The address to listen on; by default that of ``SERVER_NAME``, or
        ``127.0.0.1``.
    :param port: The port; by default that of ``SERVER_NAME``, or 5000. 0 for a free one.
    :param debug: Set the application's debug mode.
    :param load_dotenv: Read ``.env`` and ``.kolbenenv`` first.
    :param options: Those of :func:`serve`.
    :source: Flask: the same, but for options that only Werkzeug's server has.
    """
    if os.environ.get("KOLBEN_RUN_FROM_CLI") == "true":
        if not is_running_from_reloader():
            _say(
                " * Ignoring a call to 'app.run()' that would block the current 'kolben' CLI"
                " command.\n   Only call 'app.run()' in an 'if __name__ == \"__main__\"' guard."
            )
        return
    if get_load_dotenv(load_dotenv):
        _load_dotenv()
        if "KOLBEN_DEBUG" in os.environ:
            app.debug = get_debug_flag()
    if debug is not None:
        app.debug = bool(debug)
    server_name: str = app.config.get("SERVER_NAME") or ""
    name, _, name_port = server_name.partition(":")
    host = host or name or "127.0.0.1"
    port = int(port if port is not None else name_port or 5000)
    options.setdefault("use_reloader", app.debug)
    show_server_banner(app.debug, app.name)
    serve(app, host, port, **options)


def serve(
    app: Any,
    host: str = "127.0.0.1",
    port: int = 5000,
    *,
    use_reloader: bool = False,
    extra_files: Sequence[str] | None = None,
    exclude_patterns: Sequence[str] | None = None,
    ssl_context: Certificate = None,
    **options: Any,
) -> None:
    """Serve an application on uvicorn until it is told to stop.

    Ctrl-C and SIGTERM let it finish the requests that it has accepted.

    :param app: The application.
    :param host: The address to listen on.
    :param port: The port; 0 for a free one.
    :param use_reloader: Start again whenever a Python file of the program changes.
    :param extra_files: More files whose change is a reason to start again.
    :param exclude_patterns: Patterns of files whose change is none.
    :param ssl_context: Files of a certificate and its key, an :class:`ssl.SSLContext`, or
        ``"adhoc"``.
    :param options: Any of uvicorn's settings; those that only Werkzeug's server has are ignored.
    """
    import uvicorn  # with its protocols a good deal of what an import of kolben costs

    settings = _settings(app, host, port)
    settings.update((key, options[key]) for key in options if key not in _IGNORED)
    if isinstance(ssl_context, tuple):
        settings["ssl_certfile"], settings["ssl_keyfile"] = ssl_context
    if not use_reloader or is_running_from_reloader():
        config = uvicorn.Config(app, **settings)
        if ssl_context is not None and not isinstance(ssl_context, tuple):
            config.load()
            if not isinstance(ssl_context, ssl.SSLContext):
                ssl_context = make_adhoc_context()
            config.ssl = ssl_context
        _serve(uvicorn.Server(config))
        return
    folders, names = _watched(app, extra_files or ())
    program = _Program.running()
    if program.is_script:
        folders.append(os.path.dirname(os.path.abspath(program.path)))
    config = uvicorn.Config(
        "",  # never imported: what is restarted is the program
        reload=True,
        reload_dirs=folders,
        reload_includes=names,
        reload_excludes=[_relative(pattern) for pattern in exclude_patterns or ()],
        **settings,
    )
    _supervise(config, program)


def serve_workers(
    app_import_string: str, host: str, port: int, workers: int, app: Any, ssl_context: Certificate
) -> None:
    """Serve an application from several processes.

    :param app_import_string: Where each process finds a function that returns the application,
        in the form ``module:name``.
    :param host: The address to listen on.
    :param port: The port.
    :param workers: How many processes.
    :param app: The application as this process loaded it, for its settings.
    :param ssl_context: As for :func:`serve`, but for an :class:`ssl.SSLContext`, which cannot
        go to another process.
    :raises ValueError: for an :class:`ssl.SSLContext`.
    """
    import uvicorn  # as in serve()

    settings = _settings(app, host, port)
    if isinstance(ssl_context, tuple):
        settings["ssl_certfile"], settings["ssl_keyfile"] = ssl_context
    elif ssl_context is not None:
        raise ValueError("Several workers can only share a certificate that is in files.")
    uvicorn.run(app_import_string, factory=True, workers=workers, **settings)


def _serve(server: uvicorn.Server) -> None:
    try:
        server.run(sockets=_inherited)
    except KeyboardInterrupt:
        return
    if not server.started:
        sys.exit(3)


def _settings(app: Any, host: str, port: int) -> dict[str, Any]:
    return {
        "host": host,
        "port": port,
        "interface": "asgi3",
        "lifespan": "on",
        # Who the client is, is for ProxyFix to say, not for whoever sends the header.
        "proxy_headers": False,
        "timeout_graceful_shutdown": app.config.get("SHUTDOWN_TIMEOUT", 30),
    }


def make_adhoc_context() -> ssl.SSLContext:
    """An SSL context with a certificate of its own making, which no client trusts.

    :raises TypeError: without the library *cryptography*.
    :source: Werkzeug's documented ``"adhoc"``.
    """
    try:
        x509 = import_module("cryptography.x509")  # only who asks for it needs the library
        primitives = "cryptography.hazmat.primitives"
        hashes = import_module(f"{primitives}.hashes")
        serialization = import_module(f"{primitives}.serialization")
        ec = import_module(f"{primitives}.asymmetric.ec")
    except ImportError:
        raise TypeError("Using ad-hoc certificates requires the cryptography library.") from None

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        cert_file, key_file = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        with open(cert_file, "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        with open(key_file, "wb") as file:
            encoding, encryption = serialization.Encoding.PEM, serialization.NoEncryption()
            form = serialization.PrivateFormat.PKCS8
            file.write(key.private_bytes(encoding, form, encryption))
        context.load_cert_chain(cert_file, key_file)
    return context


# The reloader --------------------------------------------------------------------------------


def _watched(app: Any, extra_files: Sequence[str]) -> tuple[list[str], list[str]]:
    """The folders to watch, and the names of files in them that matter beside Python's."""
    folders = {os.getcwd(), app.root_path}
    names: list[str] = []
    for file in map(os.path.abspath, extra_files):
        folders.add(os.path.dirname(file))
        names.append(os.path.basename(file))
    return sorted(folders), names


def _relative(pattern: str) -> str:
    """A pattern as uvicorn takes it: it matches from the right, and may not be absolute."""
    return os.path.splitdrive(pattern)[1].lstrip("\\/")


def _supervise(config: uvicorn.Config, program: _Program) -> None:
    """Run the program in another process, and again whenever something has changed."""
    from uvicorn.supervisors import ChangeReload  # as in serve()

    # multiprocessing would import the main module in the new process, which is not yet the
    # moment: it is run there, as the main module.
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    listener = config.bind_socket()
    # Who comes while the program starts waits in the queue, instead of being turned away.
    listener.listen(config.backlog)
    try:
        ChangeReload(config, target=program, sockets=[listener]).run()
    finally:
        sys.modules["__main__"] = main


class _Program:
    """How this process was started, so that another one can do the same."""

    def __init__(self, module: str | None, path: str) -> None:
        self.module = module
        self.path = path

    @classmethod
    def running(cls) -> _Program:
        main = sys.modules["__main__"]
        spec = getattr(main, "__spec__", None)
        path = sys.argv[0]
        if not os.path.exists(path) and os.path.exists(f"{path}.exe"):  # Windows' launchers
            path += ".exe"
        return cls(spec and spec.name, path)

    @property
    def is_script(self) -> bool:
        """Whether it is a file of the user's, not a command or ``python -m``."""
        return self.module is None and self.path.endswith(".py")

    def __call__(self, sockets: list[socket.socket] | None = None) -> None:
        global _inherited
        _inherited = sockets
        if self.module is not None:
            runpy.run_module(self.module, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, os.path.dirname(os.path.abspath(self.path)))
            runpy.run_path(self.path, run_name="__main__")


# What is said and read before ----------------------------------------------------------------


def show_server_banner(debug: bool, app_import_path: str | None) -> None:
    """Say which application is served; not again after a reload.

    :source: Flask: the same.
    """
    if is_running_from_reloader():
        return
    if app_import_path is not None:
        print(f" * Serving Kolben app '{app_import_path}'")
    print(f" * Debug mode: {'on' if debug else 'off'}", flush=True)


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set environment variables from dotenv files, with the library *python-dotenv*.

    A variable that is set already keeps its value. Of the files, ``path`` is stronger than
    ``.env``, and ``.env`` than ``.kolbenenv``. The latter two are looked for in the working
    directory and above it.

    :param path: A file to be read.
    :param load_defaults: Whether to look for ``.env`` and ``.kolbenenv``.
    :return: Whether anything was found. ``False`` without the library, with a hint on standard
        error if there are files that it could read.
    :source: Flask: the same, with ``.flaskenv``.
    """
    try:
        import dotenv  # an extra
    except ImportError:
        if path or os.path.isfile(".env") or os.path.isfile(".kolbenenv"):
            _say(
                " * Tip: There are .env or .kolbenenv files present. Install 'kolben[dotenv]' to"
                " use them."
            )
        return False
    data: dict[str, str | None] = {}
    if load_defaults:
        for name in (".kolbenenv", ".env"):
            found = dotenv.find_dotenv(name, usecwd=True)
            if found:
                data.update(dotenv.dotenv_values(found, encoding="utf-8"))
    if path is not None and os.path.isfile(path):
        data.update(dotenv.dotenv_values(path, encoding="utf-8"))
    for key, value in data.items():
        if value is not None:
            os.environ.setdefault(key, value)
    return bool(data)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


_load_dotenv = load_dotenv  # where a parameter has that name
