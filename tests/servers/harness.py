"""Servers as processes of their own, and a client that sees each byte that they send.

The client stands on h11, which refuses what is not legal HTTP/1.1, so that every answer in
these tests is checked for that too.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import h11
import pytest

#: Seconds that anything may take before a test gives up; nothing is expected to come near.
PATIENCE = 45.0
APPS = Path(__file__).parent / "apps"

HeaderPairs = Sequence[tuple[str, str]]


def until(condition: Callable[[], Any], what: str = "it") -> Any:
    """Ask again and again until something is true, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)
    return found


def need(*modules: str, programs: tuple[str, ...] = ()) -> None:
    """Skip a test where what it needs is not installed; in CI everything has to be."""
    missing = [module for module in modules if find_spec(module) is None]
    missing += [program for program in programs if shutil.which(program) is None]
    if missing:
        reason = f"not installed: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@dataclass(frozen=True)
class Kind:
    """A server, and how it is told what to serve.

    :ivar command: Python's arguments; ``{app}``, ``{port}``, ``{socket}`` and ``{prefix}`` are
        filled in.
    :ivar needs: The modules that it is made of.
    :ivar tcp: The arguments that make it listen at a port.
    :ivar unix: Those that make it listen at a Unix socket.
    :ivar front: How nginx, in front of it, speaks to it: not at all, ``tcp`` or ``unix``.
    :ivar language: What nginx speaks, as its directives are named: ``proxy`` or ``uwsgi``.
    :ivar protocol: How it calls the application, ``asgi`` or ``wsgi``.
    :ivar workers: Its processes.
    :ivar at_once: How many requests it works on at the same time.
    :ivar prefix: The arguments that say where the application is mounted, if it can be told.
    :ivar variables: Variables of its environment.
    :ivar reuses: One connection takes several requests.
    :ivar chunks: It takes bodies in chunks, and says where they end.
    :ivar breaks: A client can tell a response that was broken off from one that is complete.
    :ivar raw: It hands on paths as they were sent, and headers that are not ASCII.
    :ivar drains: After SIGTERM it answers what it has accepted.
    :ivar continues_early: It sends ``100 Continue`` before the application was asked.
    :ivar chunks_for_old: It sends chunks to clients of HTTP/1.0, which do not know them.
    :ivar exits: Its exit statuses after SIGTERM.
    :ivar remarks: Patterns of what it logs for reasons that are not the application's.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...]
    tcp: tuple[str, ...]
    unix: tuple[str, ...]
    front: str = ""
    language: str = "proxy"
    protocol: str = "asgi"
    workers: int = 1
    at_once: int = 1000
    prefix: tuple[str, ...] | None = None
    variables: tuple[tuple[str, str], ...] = ()
    reuses: bool = True
    chunks: bool = True
    breaks: bool = True
    raw: bool = True
    drains: bool = True
    continues_early: bool = False
    chunks_for_old: bool = False
    exits: tuple[int, ...] = (0,)
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name

    def need(self) -> None:
        """Skip a test where it is not installed."""
        need(*self.needs, programs=("nginx",) if self.front else ())


#: A body that nobody reads fills Hypercorn's queue; the task that fills it is cancelled when the
#: server ends, and says so.
HYPERCORN_STUCK = (
    r"(?s)Exception in callback StreamReaderProtocol\.connection_made[^\n]*\nhandle: [^\n]*\n"
    r"Traceback \(most recent call last\):\n(?:  [^\n]*\n)*?"
    r"[^\n]*in handle\n[^\n]*self\.app_put\(\n(?:  [^\n]*\n)*asyncio\.exceptions\.CancelledError"
)
#: On trio it may send "100 Continue" while the application sends its answer.
HYPERCORN_CONTINUE = (
    r"\[ERROR\] Error in ASGI Framework\nTraceback \(most recent call last\):\n(?:  [^\n]*\n)*"
    r"trio\.BusyResourceError: another task is currently sending"
)


#: uvicorn's parent process and Gunicorn's worker leave a socket to the garbage collector.
UNCLOSED = r"sys:1: ResourceWarning: unclosed <socket\.socket [^\n]*\n[^\n]*"


#: A client has left; it says so at each write.
UWSGI_GONE = r"OSError: write error"


def _uvicorn(name: str, http: str, loop: str, *needs: str, workers: int = 1) -> Kind:
    options = ("--http", http, "--loop", loop, "--workers", str(workers), "--no-access-log")
    return Kind(
        name,
        ("-m", "uvicorn", "{app}", *options),
        ("uvicorn", *needs),
        tcp=("--host", "127.0.0.1", "--port", "{port}"),
        unix=("--uds", "{socket}"),
        workers=workers,
        prefix=("--root-path", "{prefix}"),
        chunks_for_old=http != "h11",
        # It ends by the signal that it was sent, after everything is done.
        exits=(0, -signal.SIGTERM),
        remarks=(UNCLOSED,) if workers > 1 else (),
    )


def _hypercorn(worker: str, *needs: str) -> Kind:
    options = ("--worker-class", worker, "--workers", "1")
    return Kind(
        f"hypercorn-{worker}",
        ("-m", "hypercorn", "{app}", *options),
        ("hypercorn", *needs),
        tcp=("--bind", "127.0.0.1:{port}"),
        unix=("--bind", "unix:{socket}"),
        prefix=("--root-path", "{prefix}"),
        continues_early=True,
        remarks=(HYPERCORN_STUCK, HYPERCORN_CONTINUE),
    )


def _gunicorn(
    name: str, worker: str, *needs: str, options: tuple[str, ...] = (), **more: Any
) -> Kind:
    workers = more.get("workers", 1)
    own = ("--worker-class", worker, "--workers", str(workers))
    if more.get("protocol") == "wsgi":
        more |= {"continues_early": True, "prefix": ("--env", "SCRIPT_NAME={prefix}")}
    return Kind(
        f"gunicorn-{name}",
        ("-m", "gunicorn", "{app}", *own, "--no-control-socket", *options),
        ("gunicorn", *needs),
        tcp=("--bind", "127.0.0.1:{port}"),
        unix=("--bind", "unix:{socket}"),
        **more,
    )


def _granian(name: str, protocol: str, *options: str, **more: Any) -> Kind:
    return Kind(
        name,
        ("-m", "granian", "{app}", "--interface", protocol, "--workers", "1", *options),
        ("granian",),
        tcp=("--host", "127.0.0.1", "--port", "{port}"),
        unix=("--uds", "{socket}"),
        prefix=("--url-path-prefix", "{prefix}"),
        protocol=protocol,
        **more,
    )


def behind_nginx(kind: Kind, how: str) -> Kind:
    """The same, with nginx in front of it."""
    return replace(
        kind,
        name=f"nginx-{how}-{kind.name}",
        front=how,
        prefix=None,
        reuses=True,
        chunks=True,  # it puts them together, and tells the length
        chunks_for_old=False,
        continues_early=True,
    )


ASGI_KINDS = (
    _uvicorn("uvicorn-h11", "h11", "asyncio"),
    _uvicorn("uvicorn-httptools", "httptools", "uvloop", "httptools", "uvloop"),
    _uvicorn("uvicorn-workers", "auto", "auto", workers=2),
    _hypercorn("asyncio"),
    _hypercorn("trio", "trio"),
    _granian("granian", "asgi"),
    _gunicorn(
        "uvicorn",
        "uvicorn_worker.UvicornWorker",
        "uvicorn_worker",
        workers=2,
        chunks_for_old=True,
    ),
    _gunicorn("asgi", "asgi", prefix=("--root-path", "{prefix}")),
)

WSGI_KINDS = (
    _gunicorn(
        "sync",
        "sync",
        protocol="wsgi",
        workers=2,
        at_once=2,
        reuses=False,
        remarks=(UNCLOSED,),
    ),
    _gunicorn("gthread", "gthread", options=("--threads", "8"), protocol="wsgi", at_once=8),
    _gunicorn("gevent", "gevent", "gevent", protocol="wsgi"),
    Kind(
        "uwsgi",
        (
            *("-c", "import sys, pyuwsgi; pyuwsgi.run(sys.argv[1:])"),
            *("--module", "{app}", "--master", "--die-on-term", "--need-app"),
            *("--processes", "2", "--threads", "4", "--buffer-size", "32768"),
        ),
        ("pyuwsgi",),
        # Its own keep-alive cannot be had with streams and 204 both: it takes a length, or
        # makes chunks of what has no body.
        tcp=("--http", "127.0.0.1:{port}", "--http-chunked-input", "--http-manage-expect"),
        unix=("--socket", "{socket}"),
        language="uwsgi",
        protocol="wsgi",
        workers=2,
        at_once=8,
        reuses=False,
        chunks=False,
        breaks=False,
        drains=False,
        continues_early=True,
        remarks=(UWSGI_GONE,),
    ),
    _granian("granian-wsgi", "wsgi", "--blocking-threads", "8", at_once=8, breaks=False, raw=False),
)

BY_NAME = {kind.name: kind for kind in (*ASGI_KINDS, *WSGI_KINDS)}

NGINX_KINDS = (
    behind_nginx(BY_NAME["uvicorn-httptools"], "tcp"),
    behind_nginx(BY_NAME["hypercorn-asyncio"], "unix"),
    behind_nginx(BY_NAME["gunicorn-sync"], "tcp"),
    behind_nginx(BY_NAME["gunicorn-gthread"], "unix"),
    behind_nginx(BY_NAME["uwsgi"], "unix"),
)

KINDS = (*ASGI_KINDS, *WSGI_KINDS, *NGINX_KINDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server that runs an application until it is told to stop.

    :param kind: Which one.
    :param app: What it serves, ``module:name`` of a module in ``apps``.
    :param folder: For the files of the application.
    :param prefix: What the server is told that the application is mounted under.
    :param options: More arguments for the server.
    """

    def __init__(
        self,
        kind: Kind,
        app: str,
        folder: Path,
        prefix: str | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.kind, self.app, self.folder, self.prefix = kind, app, folder, prefix
        self.options = options
        self.token = uuid.uuid4().hex
        self.port = self.pid = 0
        self.extensions: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.nginx: Nginx | None = None
        self.log_file = folder / "log"
        #: Characters of the log that have been looked at.
        self.read_up_to = 0
        #: How often errors appear in the log because a test wanted them.
        self.expected_errors = 0
        #: And how often the server may say that a response has no end.
        self.expected_breaks = 0

    def __enter__(self) -> Server:
        try:
            for _ in range(5):  # somebody else may take the port before the server does
                if self._start():
                    return self
                self.kill()
        except BaseException:
            self.kill()
            raise
        raise AssertionError(self.log)

    def _start(self) -> bool:
        self.port = port = free_port()
        if self.kind.front:
            port = free_port()
            self.nginx = Nginx(self, port)
        names = {
            "app": self.app,
            "port": str(port),
            "socket": str(self.folder / "socket"),
            "prefix": self.prefix or "",
        }
        options = self.kind.unix if self.kind.front == "unix" else self.kind.tcp
        if self.prefix is not None:
            assert self.kind.prefix is not None
            options += self.kind.prefix
        parts = (*self.kind.command, *options, *self.options)
        command = [part.format(**names) for part in parts]
        env = {name: value for name, value in os.environ.items() if name[:7] != "KOLBEN_"}
        env |= {
            **dict(self.kind.variables),
            "KOLBEN_TEST_TOKEN": self.token,
            "KOLBEN_TEST_FOLDER": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(APPS), env.get("PYTHONPATH", "")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "default",
        }
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=APPS,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # SCRIPT_NAME is a part of the path.
        mounted = self.prefix or "" if self.kind.protocol == "wsgi" else ""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None or (self.nginx and self.nginx.has_ended):
                return False
            try:
                answer = self.ask("GET", f"{mounted}/ready")
                found = answer.json() if answer.status == 200 else {}
                if self.kind.front and answer.status == 502:
                    raise OSError("the server does not listen yet")
            except (OSError, ValueError, ClosedInOrder, h11.ProtocolError):
                time.sleep(0.05)
                continue
            if found.get("token") == self.token:
                self.pid, self.extensions = found["pid"], found["extensions"]
                return True
            assert answer.status == 200, self.log
        return False

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        process = self.process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        self.kill()

    def kill(self) -> None:
        """End whatever is left of the processes that this one has started."""
        if self.nginx is not None:
            self.nginx.kill()
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Send SIGTERM to the server itself, and give the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def new_log(self) -> str:
        return self.log[self.read_up_to :]

    def notes(self) -> dict[int, list[str]]:
        """What each process of the application wrote down."""
        path = self.folder / "notes"
        notes: dict[int, list[str]] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            pid, _, text = line.partition(" ")
            notes.setdefault(int(pid), []).append(text)
        return notes

    # Asking ----------------------------------------------------------------------------------

    def connect(self) -> Connection:
        return Connection(self.port, self.kind.reuses)

    def ask(
        self,
        method: str,
        target: str,
        headers: HeaderPairs = (),
        body: bytes | Iterable[bytes] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        with self.connect() as connection:
            return connection.ask(method, target, headers, body)

    def get(self, target: str, headers: HeaderPairs = ()) -> Answer:
        return self.ask("GET", target, headers)

    def happened(self, name: str, *events: str) -> list[str]:
        """What the application noted under a name, once all of ``events`` are among it."""
        path = self.folder / "happened" / quote(name, safe="")
        seen: list[str] = []

        def complete() -> bool:
            seen[:] = path.read_text().splitlines() if path.exists() else []
            return set(events) <= set(seen)

        try:
            until(complete)
        except AssertionError:
            raise AssertionError(f"only {seen} of {events}: {self.log}") from None
        return seen

    def release(self, name: str) -> None:
        """Let a request go on that waits for it."""
        (self.folder / "released" / quote(name, safe="")).touch()


NGINX = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 500; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    client_max_body_size 0;
    keepalive_requests 10000;
    # The path as the client has sent it: where nginx cuts a prefix off by itself, it decodes
    # what is left and encodes it in its own way.
    map $request_uri $below_prefix {{ "~^/stripped(?<rest>/.*)$" $rest; }}
    map $http_upgrade $next_connection {{ "" ""; default upgrade; }}
    map $http_host $asked_host {{ "" $host; default $http_host; }}
    upstream application {{ server {upstream}; }}
    server {{
        listen 127.0.0.1:{port};
        server_name localhost;
        {language}_buffering off;
        {directives}
    }}
}}
"""

NGINX_PROXY = """
        proxy_request_buffering off;
        proxy_http_version 1.1;
        proxy_set_header Connection $next_connection;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Host $asked_host;
        location / { proxy_pass http://application; }
        location /forwarded/ {
            # As an outer proxy at example.org says it.
            proxy_set_header Host application;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Forwarded-Host example.org;
            proxy_set_header X-Forwarded-Port 443;
            proxy_pass http://application/;
        }
        location /stripped/ {
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Prefix /stripped;
            proxy_pass http://application$below_prefix;
        }
"""

NGINX_UWSGI = """
        uwsgi_request_buffering off;
        uwsgi_param QUERY_STRING $query_string;
        uwsgi_param REQUEST_METHOD $request_method;
        uwsgi_param CONTENT_TYPE $content_type;
        uwsgi_param CONTENT_LENGTH $content_length;
        uwsgi_param REQUEST_URI $request_uri;
        uwsgi_param PATH_INFO $document_uri;
        uwsgi_param SERVER_PROTOCOL $server_protocol;
        uwsgi_param REQUEST_SCHEME $scheme;
        uwsgi_param REMOTE_ADDR $remote_addr;
        uwsgi_param SERVER_PORT $server_port;
        uwsgi_param SERVER_NAME $server_name;
        location / { uwsgi_pass application; }
"""


class Nginx:
    """nginx in front of a server, with all its files in the server's folder."""

    def __init__(self, server: Server, upstream_port: int) -> None:
        kind = server.kind
        folder = server.folder / "nginx"
        folder.mkdir(exist_ok=True)
        upstream = f"127.0.0.1:{upstream_port}"
        if kind.front == "unix":
            upstream = f"unix:{server.folder / 'socket'}"
        settings = NGINX.format(
            port=server.port,
            upstream=upstream,
            language=kind.language,
            directives={"proxy": NGINX_PROXY, "uwsgi": NGINX_UWSGI}[kind.language],
        )
        (folder / "nginx.conf").write_text(settings)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


class ClosedInOrder(Exception):
    """The server has closed the connection before a response, not within one."""


@dataclass
class Answer:
    """A response that has arrived whole."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    #: Statuses of informational responses before it.
    before: list[int] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The values of a field, as one."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    def cookies(self) -> dict[str, str]:
        """The cookies that it sets, without their attributes."""
        pairs = (value.partition(";")[0].partition("=") for value in self.all("set-cookie"))
        return {name: value for name, _, value in pairs}


class Connection:
    """One connection of a client, with all of HTTP/1.1 and with plain bytes.

    :param port: Of the server.
    :param reuses: Whether a second request may follow; else another connection is made for it.
    """

    def __init__(self, port: int, reuses: bool = True) -> None:
        self.port, self.reuses = port, reuses
        self.host = f"127.0.0.1:{port}"
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.h11 = h11.Connection(h11.CLIENT)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def abort(self) -> None:
        """Go away without a farewell: the server sees a reset."""
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()

    # Sending ---------------------------------------------------------------------------------

    def begin(self, method: str, target: str, headers: HeaderPairs = ()) -> bytes:
        """Say to h11 that a request is sent, and give its head."""
        pairs = [("Host", self.host), *headers]
        if any(name.lower() == "host" for name, _ in headers):
            pairs = list(headers)
        request = h11.Request(method=method, target=target, headers=pairs)
        return self.h11.send(request) or b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_body(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            self.send(self.h11.send(h11.Data(chunk)) or b"")
        self.end()

    def end(self) -> None:
        if data := self.h11.send(h11.EndOfMessage()):
            self.send(data)

    def ask(
        self,
        method: str,
        target: str,
        headers: HeaderPairs = (),
        body: bytes | Iterable[bytes] | None = None,
    ) -> Answer:
        """A request and its answer.

        :param body: Bytes are sent with their length, pieces as chunks.
        """
        if body is not None:
            if isinstance(body, bytes):
                headers = [*headers, ("Content-Length", str(len(body)))]
                body = [body]
            else:
                headers = [*headers, ("Transfer-Encoding", "chunked")]
        if not self.reuses and not self.is_reusable:
            assert self.socket.recv(1) == b""
            self.close()
            self.open()
        self.send(self.begin(method, target, headers))
        if body is not None:
            self.send_body(body)
        else:
            self.end()
        return self.read()

    # Reading ---------------------------------------------------------------------------------

    def event(self) -> Any:
        """The next thing that the server says."""
        while (event := self.h11.next_event()) is h11.NEED_DATA:
            data = self.socket.recv(64 * 1024)
            waits = self.h11.their_state is h11.SEND_RESPONSE and not self.h11.trailing_data[0]
            if not data and waits:
                raise ClosedInOrder
            self.h11.receive_data(data)
        return event

    def head(self) -> Answer:
        """The head of the response, which follows informational ones."""
        before = []
        while True:
            event = self.event()
            if isinstance(event, h11.InformationalResponse):
                before.append(event.status_code)
                continue
            assert isinstance(event, h11.Response), event
            pairs = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
            return Answer(event.status_code, pairs, before=before)

    def chunks(self) -> Iterator[bytes]:
        """The pieces of the body as they arrive."""
        while isinstance(event := self.event(), h11.Data):
            yield bytes(event.data)
        assert isinstance(event, h11.EndOfMessage), event

    def chunk(self, size: int) -> bytes:
        """The next ``size`` bytes of the body."""
        data = b""
        while len(data) < size:
            event = self.event()
            assert isinstance(event, h11.Data), event
            data += event.data
        return data

    def read(self) -> Answer:
        """The rest of the exchange; the connection is ready for the next one after it."""
        answer = self.head()
        answer.body = b"".join(self.chunks())
        done = self.h11.our_state is h11.DONE and self.h11.their_state is h11.DONE
        if done and self.reuses:
            self.h11.start_next_cycle()
        return answer

    @property
    def is_reusable(self) -> bool:
        return self.h11.our_state is h11.IDLE

    def read_raw(self) -> bytes:
        """Everything until the server closes the connection."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := self.socket.recv(64 * 1024):
                data += chunk
        return data


def exchange_raw(server: Server, data: bytes) -> tuple[int, bytes]:
    """Send bytes that may be no request at all, and give status and rest of the answer.

    The connection is half closed, so that a server that waits for more answers too.
    """
    with server.connect() as connection:
        connection.send(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.socket.recv(64 * 1024):
                answer += chunk
                if b"\r\n\r\n" in answer:
                    break
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), answer
    return int(head[9:12]), rest


def multipart(
    fields: dict[str, str], files: dict[str, tuple[str, str, bytes]], boundary: str = "=-limit-="
) -> tuple[HeaderPairs, bytes]:
    """The headers and the body of a multipart form."""
    parts = []
    for name, value in fields.items():
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())
    for name, (filename, content_type, content) in files.items():
        disposition = f'form-data; name="{name}"; filename="{filename}"'
        head = f"Content-Disposition: {disposition}\r\nContent-Type: {content_type}\r\n\r\n"
        parts.append(head.encode() + content)
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return [("Content-Type", f'multipart/form-data; boundary="{boundary}"')], body


def in_background(work: Callable[[], Any]) -> Callable[[], Any]:
    """Start something in a thread; calling the result waits for it and raises its error."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def finish() -> Any:
        thread.join(PATIENCE)
        assert not thread.is_alive()
        if errors:
            raise errors[0]
        return results[0]

    return finish
