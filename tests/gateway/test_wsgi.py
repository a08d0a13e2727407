"""Requests over WSGI: bodies, responses, hooks and errors, in both colours."""

from __future__ import annotations

import contextvars
import gc
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix as WerkzeugProxyFix

from kolben import (
    Kolben,
    Response,
    abort,
    after_this_request,
    flash,
    g,
    get_flashed_messages,
    has_request_context,
    request,
    send_file,
    session,
)
from kolben.gateway.process import worker_process
from kolben.middleware import ProxyFix
from kolben.sessions import SecureCookieSessionInterface


@pytest.fixture
def app() -> Kolben:
    app = Kolben(__name__)
    app.secret_key = "only for these tests"
    return app


BODY = b"name=Ada&age=36"
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
CHUNKED = {**FORM, "HTTP_TRANSFER_ENCODING": "chunked"}


class Untouchable:
    """A body that nobody may read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")

    readline = readlines = __iter__ = read


class Leaving(BytesIO):
    """A client that goes away before all is sent."""

    def read(self, size: int | None = -1, /) -> bytes:
        if data := super().read(size):
            return data
        raise ConnectionResetError("gone")


# Bodies -------------------------------------------------------------------------------------


def test_a_body_with_a_length(app: Kolben, ask: Any, colour: Any) -> None:
    @app.post("/")
    @colour
    def view() -> Any:
        return request.form.to_dict()

    assert app.json.loads(ask(app, "/", "POST", BODY, **FORM).body) == {"name": "Ada", "age": "36"}


def test_a_body_that_comes_a_little_at_a_time(app: Kolben, ask: Any, colour: Any) -> None:
    @app.post("/")
    @colour
    def view() -> Any:
        return request.form["name"]

    class Little(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    environ = {**FORM, "CONTENT_LENGTH": str(len(BODY)), "wsgi_input": Little(BODY)}
    assert ask(app, "/", "POST", **environ).body == b"Ada"


def test_a_body_in_chunks_that_the_server_has_decoded(app: Kolben, ask: Any, colour: Any) -> None:
    @app.post("/")
    @colour
    def view() -> Any:
        return request.form["name"]

    environ = {**CHUNKED, "wsgi_input": BytesIO(BODY), "wsgi_input_terminated": True}
    assert ask(app, "/", "POST", **environ).body == b"Ada"
    # RFC 9112, section 6.3: the chunks count, whatever the length says.
    environ = {**environ, "wsgi_input": BytesIO(BODY), "CONTENT_LENGTH": "3"}
    assert ask(app, "/", "POST", **environ).body == b"Ada"


@pytest.mark.parametrize("path", ["/form", "/data", "/json", "/stream"])
def test_a_body_in_chunks_that_the_server_cannot_decode(
    app: Kolben, ask: Any, colour: Any, path: str
) -> None:
    app.config["TRAP_HTTP_EXCEPTIONS"] = False

    @app.post("/<name>")
    @colour
    def view(name: str) -> Any:
        return str(getattr(request, name))

    @app.post("/stream", stream=True)
    @colour
    def stream() -> Any:
        return str(request.stream)

    @app.post("/nobody")
    @colour
    def nobody_asks() -> Any:
        return "fine"

    environ = {**CHUNKED, "CONTENT_TYPE": "application/json", "wsgi_input": Untouchable()}
    assert ask(app, path, "POST", validated=False, **environ).line == "411 Length Required"
    assert ask(app, "/nobody", "POST", validated=False, **environ).body == b"fine"


def test_no_body(app: Kolben, ask: Any, colour: Any) -> None:
    @app.route("/", methods=["GET", "POST"])
    @colour
    def view() -> Any:
        return f"{request.data!r} {request.form.to_dict()}"

    for method in ("GET", "POST"):
        answer = ask(app, "/", method, wsgi_input=Untouchable(), validated=False)
        assert answer.body == b"b'' {}"


@pytest.mark.parametrize("environ", [FORM, {"CONTENT_TYPE": "multipart/form-data; boundary=x"}])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("terminated", [False, True])
def test_a_client_that_leaves_while_it_sends(
    app: Kolben,
    ask: Any,
    colour: Any,
    caplog: pytest.LogCaptureFixture,
    environ: Any,
    stream: bool,
    terminated: bool,
) -> None:
    called: list[str] = []

    @app.before_request
    def hook() -> None:
        called.append("hook")

    @app.post("/", stream=stream)
    @colour
    def view() -> Any:
        called.append("view")
        return "fine"

    class Early(BytesIO):
        pass

    for source in (Leaving, Early):
        if terminated and source is Early:
            continue  # it looks like the end
        more: dict[str, Any] = {"wsgi_input": source(b"some"), "CONTENT_LENGTH": "1000", **environ}
        if terminated:
            more |= {"wsgi_input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        answer = ask(app, "/", "POST", validated=False, **more)
        if stream:  # who does not ask for the body does not see that it is missing
            assert answer.status == 200
        else:
            assert answer.status == 400 and called == []
    assert caplog.records == []


def test_a_client_that_leaves_while_the_view_reads(
    app: Kolben, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[Any] = []

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        ended.append(error)

    @app.post("/def", stream=True)
    def in_thread() -> Any:
        return request.stream.read()

    @app.post("/async", stream=True)
    async def on_loop() -> Any:
        return await request.stream.read()

    for path in ("/def", "/async"):
        stream = Leaving(b"some")
        answer = ask(app, path, "POST", wsgi_input=stream, CONTENT_LENGTH="9", validated=False)
        assert answer.status == 400
    assert len(ended) == 2
    assert caplog.records == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_that_says_that_it_is_too_large_is_not_read(
    app: Kolben, ask: Any, colour: Any, stream: bool
) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10

    @app.post("/", stream=stream)
    @colour
    def view() -> Any:
        return str(request.stream if stream else request.data)

    environ = {"wsgi_input": Untouchable(), "CONTENT_LENGTH": "11"}
    assert ask(app, "/", "POST", validated=False, **environ).status == 413


def test_a_body_in_chunks_that_becomes_too_large(app: Kolben, ask: Any, colour: Any) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10

    @app.post("/")
    @colour
    def view() -> Any:
        return request.data

    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi_input_terminated": True}
    for body, status in ((bytes(10), 200), (bytes(11), 413)):
        assert ask(app, "/", "POST", wsgi_input=BytesIO(body), **environ).status == status


def multipart(content: bytes) -> tuple[bytes, dict[str, str]]:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    return head + content + b"\r\n--x--\r\n", {"CONTENT_TYPE": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize("fails", ["", "view", "stream"])
def test_an_uploaded_file_is_open_until_the_response_is_closed(
    app: Kolben, exchange: Any, colour: Any, fails: str
) -> None:
    files: list[Any] = []

    @app.post("/")
    @colour
    def view() -> Any:
        files.append(request.files["file"])
        assert not files[0].stream.closed and len(files[0].read()) == 2_000_000
        if fails == "view":
            raise LookupError
        if fails == "stream":
            return (str(number) for number in range(3))
        return "fine"

    body, environ = multipart(bytes(2_000_000))
    one = exchange(app, "/", "POST", body, **environ).begin()
    assert one.take()
    if worker_process().loop is None:  # where there is one, the view's task ends by itself
        assert not files[0].stream.closed
    one.close()
    assert one.status == (500 if fails == "view" else 200)
    assert files[0].stream.closed


def test_files_are_closed_when_the_error_is_the_servers(
    app: Kolben, exchange: Any, colour: Any
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = True
    files: list[Any] = []

    @app.post("/")
    @colour
    def view() -> Any:
        files.append(request.files["file"])
        raise LookupError("raised")

    body, environ = multipart(bytes(2_000_000))
    one = exchange(app, "/", "POST", body, **environ)
    with pytest.raises(LookupError, match="raised"):
        one.begin()
    assert one.started == [] and files[0].stream.closed


def test_a_body_as_it_arrives(app: Kolben, ask: Any) -> None:
    @app.post("/def", stream=True)
    def in_thread() -> Any:
        first = request.stream.read(3)
        return first + b"|" + b"".join(request.stream)

    @app.post("/async", stream=True)
    async def on_loop() -> Any:
        first = await request.stream.read(3)
        return first + b"|" + b"".join([chunk async for chunk in request.stream])

    @app.post("/lines", stream=True)
    def lines() -> Any:
        return (chunk.upper() for chunk in request.stream)

    for path in ("/def", "/async"):
        assert ask(app, path, "POST", b"abcdef").body == b"abc|def"
    assert ask(app, "/lines", "POST", b"abcdef").body == b"ABCDEF"


def test_a_def_view_reads_the_stream_beside_async_hooks(app: Kolben, ask: Any) -> None:
    @app.before_request
    async def before() -> None:
        g.start = (await request.stream.read(2)).decode()

    @app.post("/", stream=True)
    def view() -> Any:
        return g.start + "|" + request.stream.read().decode()

    assert ask(app, "/", "POST", b"abcdef").body == b"ab|cdef"


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_that_nobody_reads(app: Kolben, ask: Any, colour: Any, stream: bool) -> None:
    @app.post("/", stream=stream)
    @colour
    def view() -> Any:
        return "fine"

    assert ask(app, "/", "POST", bytes(300_000)).body == b"fine"


def test_another_application_gets_what_is_left_of_the_body(
    app: Kolben, exchange: Any, colour: Any
) -> None:
    left = threading.Event()
    seen: list[Any] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        message = await receive()
        while message["type"] == "http.request":
            seen.append(message["body"])
            message = await receive()
        seen.append((message["type"], left.is_set()))

    @app.post("/loaded")
    @colour
    def loaded() -> Any:
        assert request.data == b"body"
        return other

    @app.post("/stream", stream=True)
    @colour
    def stream() -> Any:
        return other

    for path in ("/loaded", "/stream"):
        left.clear()
        one = exchange(app, path, "POST", b"body", validated=False).begin()
        assert one.take() == b"first" and one.status == 201
        left.set()
        one.close()
    assert seen == [("http.disconnect", True), b"body", ("http.disconnect", True)]


# Responses ----------------------------------------------------------------------------------


def test_what_the_server_is_told(app: Kolben, ask: Any, colour: Any) -> None:
    @app.route("/")
    @colour
    def index() -> Any:
        return "text"

    @app.route("/headers")
    @colour
    def headers() -> Any:
        fields = [
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("X-Latin", "\xe4\xff"),
            ("Connection", "close"),
            ("Keep-Alive", "timeout=5"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("Trailer", "X-A"),
        ]
        return "", 299, fields

    for method in ("GET", "HEAD"):
        answer = ask(app, "/", method)
        assert answer.started == [
            ("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "4")])
        ]
        assert answer.body == (b"text" if method == "GET" else b"")
    answer = ask(app, "/headers")
    assert answer.line.startswith("299 ")
    assert answer.started[0][1] == [
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("x-latin", "\xe4\xff"),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", "0"),
    ]
    status, fields = answer.started[0]
    assert type(status) is str and type(fields) is list
    assert {type(pair) for pair in fields} == {tuple}
    assert {type(text) for pair in fields for text in pair} == {str}


@pytest.mark.parametrize("status", [204, 304, 205])
def test_statuses_without_content(app: Kolben, ask: Any, colour: Any, status: int) -> None:
    @app.route("/<kind>")
    @colour
    def view(kind: str) -> Any:
        return iter(["content"]) if kind == "stream" else "content", status

    for path in ("/text", "/stream"):
        # RFC 9110 lets a response without content go without a type, the validator does not.
        answer = ask(app, path, validated=status != 205)
        assert answer.status == status and answer.body == b""
        assert answer.headers.get("content-length") in (None, "0")


@pytest.mark.parametrize("path", ["/text", "/stream"])
def test_a_phrase_of_the_views_own(app: Kolben, ask: Any, path: str) -> None:
    @app.route("/text")
    def text() -> Any:
        return "x", "200 Fine"

    @app.route("/stream")
    def stream() -> Any:
        return iter("x"), "200 Fine"

    assert ask(app, path).line == "200 Fine"


def test_hundreds_of_kinds_of_requests_are_valid_wsgi(app: Kolben, ask: Any, colour: Any) -> None:
    values: dict[str, Any] = {
        "text": lambda: "text",
        "bytes": lambda: b"bytes",
        "json": lambda: {"a": 1},
        "empty": lambda: "",
        "stream": lambda: (part for part in ("a", "", "b")),
        "nothing": lambda: iter(()),
        "status": lambda: ("made", 201, {"X-A": "1"}),
        "redirect": lambda: Response("", 302, {"Location": "/ä"}),
        "cookie": lambda: Response("x", headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]),
        "none": lambda: ("", 204),
        "error": lambda: 1 / 0,
        "abort": lambda: abort(418),
    }

    @app.route("/<name>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    @colour
    def view(name: str) -> Any:
        return values[name]() if name in values else abort(404)

    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        for name in (*values, "missing", "deep/down"):
            for environ in ({}, {"SCRIPT_NAME": "/app"}, {"SERVER_PROTOCOL": "HTTP/1.0"}):
                body = b"body" if method in ("POST", "PUT") else None
                answer = ask(app, f"/{name}", method, body, **environ)
                assert len(answer.started) == 1
                if method == "HEAD":
                    assert answer.body == b""


# Files --------------------------------------------------------------------------------------


class FileWrapper:
    """A server's own way to send a file."""

    made: list[FileWrapper] = []

    def __init__(self, file: Any, block: int = 8192) -> None:
        self.file, self.block = file, block
        assert os.fstat(file.fileno()).st_size == 100_000
        self.made.append(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(self.block), b"")

    def close(self) -> None:
        self.file.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(b"0123456789" * 10_000)
    FileWrapper.made = []
    return path


def open_files() -> set[str]:
    return {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is(fd)}


def _is(fd: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{fd}")


@pytest.mark.parametrize("wrapper", [FileWrapper, None])
def test_a_file(app: Kolben, exchange: Any, colour: Any, file: Path, wrapper: Any) -> None:
    closed: list[str] = []

    @app.route("/")
    @colour
    def view() -> Any:
        response = send_file(file, conditional=True)
        response.call_on_close(lambda: closed.append("closed"))
        return response

    environ = {"wsgi_file_wrapper": wrapper} if wrapper else {}
    one = exchange(app, **environ).begin()
    assert one.headers["content-length"] == "100000"
    assert len(FileWrapper.made) == bool(wrapper) and closed == []
    assert one.finish().body == file.read_bytes()
    assert closed == ["closed"]
    # A client that leaves before the end.
    two = exchange(app, **environ).begin()
    two.take()
    two.close()
    assert closed == ["closed"] * 2
    # A part of it is not what a server's wrapper sends.
    FileWrapper.made = []
    three = exchange(app, HTTP_RANGE="bytes=10-19", **environ).begin().finish()
    assert three.status == 206 and three.body == b"0123456789" and FileWrapper.made == []
    four = exchange(app, method="HEAD", **environ).begin().finish()
    assert four.headers["content-length"] == "100000" and four.body == b""
    tag = one.headers["etag"]
    assert exchange(app, HTTP_IF_NONE_MATCH=tag, **environ).begin().finish().status == 304
    assert closed == ["closed"] * 5 and FileWrapper.made == []
    if os.path.exists("/proc/self/fd"):
        assert str(file) not in open_files()


def test_a_static_file(exchange: Any, file: Path) -> None:
    app = Kolben(__name__, static_folder=file.parent, static_url_path="/static")
    one = exchange(app, "/static/a.bin", wsgi_file_wrapper=FileWrapper).begin().finish()
    assert one.body == file.read_bytes() and len(FileWrapper.made) == 1
    assert worker_process().loop is None


def test_a_file_that_is_gone_when_it_is_to_be_sent(
    app: Kolben, exchange: Any, file: Path, colour: Any
) -> None:
    closed: list[str] = []

    @app.route("/")
    @colour
    def view() -> Any:
        response = send_file(file)
        response.call_on_close(lambda: closed.append("closed"))
        file.unlink()
        return response

    one = exchange(app, wsgi_file_wrapper=FileWrapper)
    with pytest.raises(FileNotFoundError):
        one.begin()
    assert one.started == [] and closed == ["closed"]


# Hooks, and what they share -----------------------------------------------------------------


def test_all_def_code_runs_in_the_servers_thread(app: Kolben, ask: Any, colour: Any) -> None:
    threads: list[int] = []

    def note(*args: Any) -> Any:
        threads.append(threading.get_ident())
        return args[0] if args and isinstance(args[0], Response) else None

    @app.before_request
    def connect() -> None:
        note()
        g.db = sqlite3.connect(":memory:")
        g.db.execute("create table t (x)")

    @app.before_request
    async def on_loop() -> None:
        g.loop_thread = threading.get_ident()

    @app.after_request
    def insert(response: Any) -> Any:
        after_this_request(note)
        g.db.execute("insert into t values (1)")
        return note(response)

    @app.teardown_request
    def close(error: BaseException | None) -> None:
        note()
        assert g.db.execute("select count(*) from t").fetchone() == (1,)
        g.db.close()

    @app.errorhandler(LookupError)
    def handle(error: LookupError) -> Any:
        note()
        return "handled"

    @app.get("/<path>")
    @colour
    def view(path: str) -> Any:
        if path == "error":
            raise LookupError
        return str(g.loop_thread)

    here = threading.get_ident()
    assert ask(app, "/view").body != str(here).encode()
    assert set(threads) == {here} and len(threads) >= 3
    threads.clear()
    assert ask(app, "/error").body == b"handled"
    assert set(threads) == {here} and len(threads) >= 4


def test_a_purely_def_application_makes_no_thread_and_no_loop(app: Kolben, ask: Any) -> None:
    before = set(threading.enumerate())

    @app.before_request
    def hook() -> None:
        flash("message")

    @app.get("/")
    def view() -> Any:
        return (part for part in get_flashed_messages())

    @app.route("/file")
    def itself() -> Any:
        return send_file(__file__)

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        g.ended = True

    assert ask(app).body == b"message"
    assert ask(app, "/missing").status == 404
    assert ask(app, "/file", wsgi_file_wrapper=None).status == 200
    assert ask(app, "/", "OPTIONS").status == 200
    assert worker_process().loop is None
    assert set(threading.enumerate()) == before


def test_async_hooks_around_a_def_view_share_its_variables(app: Kolben, ask: Any) -> None:
    own: contextvars.ContextVar[str] = contextvars.ContextVar("own", default="unset")
    seen: list[str] = []

    def note(text: str) -> None:
        seen.append(f"{own.get()} {text}")
        own.set(text)

    @app.before_request
    async def before_async() -> None:
        note("async before")

    @app.before_request
    def before() -> None:
        note("before")

    @app.get("/def")
    def view() -> Any:
        note("view")
        return "x"

    @app.get("/async")
    async def view_async() -> Any:
        note("view")
        return "x"

    @app.after_request
    async def after_async(response: Any) -> Any:
        note("async after")
        return response

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        note("teardown")

    @app.teardown_request
    async def teardown_async(error: BaseException | None) -> None:
        note("async teardown")

    expected = [
        "unset async before",
        "async before before",
        "before view",
        "view async after",
        "async after async teardown",
        "async teardown teardown",
    ]
    for path in ("/def", "/async"):
        ask(app, path)
        assert seen == expected
        assert own.get() == "unset"
        seen.clear()


def test_variables_do_not_pass_from_one_request_to_the_next(
    app: Kolben, ask: Any, colour: Any
) -> None:
    own: contextvars.ContextVar[int] = contextvars.ContextVar("own", default=0)

    @app.get("/")
    @colour
    def view() -> Any:
        own.set(own.get() + 1)
        return str(own.get())

    @app.get("/stream")
    @colour
    def stream() -> Any:
        def parts() -> Any:
            own.set(own.get() + 1)
            yield str(own.get())

        return parts()

    for path in ("/", "/", "/stream", "/stream"):
        assert ask(app, path).body == b"1"
    assert own.get() == 0 and not has_request_context()


def test_sessions_and_flashes(app: Kolben, ask: Any, colour: Any) -> None:
    @app.get("/")
    @colour
    def view() -> Any:
        session["count"] = session.get("count", 0) + 1
        found = get_flashed_messages()
        flash(f"visit {session['count']}")
        return {"count": session["count"], "flashes": found}

    first = ask(app)
    cookie = first.headers["set-cookie"].partition(";")[0]
    assert app.json.loads(first.body) == {"count": 1, "flashes": []}
    second = ask(app, HTTP_COOKIE=cookie)
    assert app.json.loads(second.body) == {"count": 2, "flashes": ["visit 1"]}


def test_an_async_session_interface(ask: Any, colour: Any) -> None:
    class Waiting(SecureCookieSessionInterface):
        lazy = False

        async def open_session(self, app: Any, request: Any) -> Any:  # type: ignore[override]
            return super().open_session(app, request)

        async def save_session(self, app: Any, session: Any, response: Any) -> None:  # type: ignore[override]
            super().save_session(app, session, response)

    app = Kolben(__name__)
    app.secret_key = "only for this test"
    app.session_interface = Waiting()

    @app.get("/")
    @colour
    def view() -> Any:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    cookie = ask(app).headers["set-cookie"].partition(";")[0]
    assert ask(app, HTTP_COOKIE=cookie).body == b"2"


def test_two_colours_of_error_handlers(app: Kolben, ask: Any, colour: Any) -> None:
    @app.errorhandler(404)
    async def not_found(error: Any) -> Any:
        return "async 404", 404

    @app.errorhandler(ZeroDivisionError)
    @colour
    def zero(error: Any) -> Any:
        return "zero", 500

    @app.get("/")
    def view() -> Any:
        return str(1 / 0)

    assert ask(app, "/missing").body == b"async 404"
    assert ask(app).body == b"zero"


# Errors -------------------------------------------------------------------------------------


def test_an_error_is_a_page_and_logged_once(
    app: Kolben, ask: Any, colour: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    @colour
    def view() -> Any:
        raise LookupError("of the view")

    answer = ask(app)
    assert answer.line == "500 Internal Server Error" and b"of the view" not in answer.body
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "of the view"
    ]


@pytest.mark.parametrize("kind", [LookupError, SystemExit, KeyboardInterrupt])
def test_errors_that_are_the_servers(app: Kolben, exchange: Any, colour: Any, kind: Any) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = True
    ended: list[Any] = []

    @app.get("/")
    @colour
    def view() -> Any:
        raise kind("raised")

    @app.get("/fine")
    @colour
    def fine() -> Any:
        return "fine"

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        ended.append(type(error))

    one = exchange(app)
    with pytest.raises(kind, match="raised"):
        one.begin()
    assert one.started == [] and ended == [kind]
    assert exchange(app, "/fine").begin().finish().body == b"fine"


# Around the application ---------------------------------------------------------------------

FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "192.0.2.1",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "example.org",
    "HTTP_X_FORWARDED_PREFIX": "/app",
    "REMOTE_ADDR": "127.0.0.1",
}


@pytest.mark.parametrize("way", ["werkzeug", "asgi_app", "add_middleware"])
def test_proxy_headers(app: Kolben, ask: Any, colour: Any, way: str) -> None:
    @app.get("/x/<name>")
    @colour
    def view(name: str) -> Any:
        return f"{request.remote_addr} {request.host_url} {request.root_path} {name}"

    if way == "werkzeug":
        app.wsgi_app = WerkzeugProxyFix(app.wsgi_app, x_prefix=1, x_host=1)  # type: ignore[method-assign]
    elif way == "asgi_app":
        app.asgi_app = ProxyFix(app.asgi_app, x_prefix=1, x_host=1)  # type: ignore[method-assign]
    else:
        app.add_middleware(ProxyFix, x_prefix=1, x_host=1)
    for _ in range(2):
        answer = ask(app, "/x/a/b", RAW_URI="/x/a%2Fb", **FORWARDED)
        assert answer.body == b"192.0.2.1 https://example.org/ /app a/b"


def test_what_is_around_both_is_used_by_its_own_protocol(app: Kolben, ask: Any) -> None:
    seen: list[str] = []
    inner_wsgi, inner_asgi = app.wsgi_app, app.asgi_app

    def around_wsgi(environ: Any, start_response: Any) -> Any:
        seen.append("wsgi")
        return inner_wsgi(environ, start_response)

    def around_asgi(scope: Any, receive: Any, send: Any) -> Any:
        seen.append("asgi")
        return inner_asgi(scope, receive, send)

    app.asgi_app = around_asgi  # type: ignore[method-assign]
    app.wsgi_app = around_wsgi  # type: ignore[method-assign]

    @app.get("/")
    def view() -> Any:
        return "x"

    assert ask(app).body == b"x" and seen == ["wsgi"]


# What is left of a request ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "error", "stream", "form", "missing"])
def test_nothing_waits_for_the_garbage_collector(
    ask: Any, colour: Any, until: Any, kind: str
) -> None:
    app = Kolben(__name__)
    app.secret_key = "only for this test"
    app.log_exception = lambda exc_info: None  # type: ignore[method-assign, assignment]
    values: list[weakref.ref[Any]] = []

    class Value:
        pass

    @app.before_request
    def before() -> None:
        g.value = Value()
        values.append(weakref.ref(g.value))

    @app.teardown_request
    @colour
    def after(error: BaseException | None) -> None:
        pass

    @app.route("/<name>", methods=["GET", "POST"])
    @colour
    def view(name: str) -> Any:
        if name == "error":
            raise LookupError
        if name == "form":
            return request.form["name"]
        return iter("ab") if name == "stream" else "text"

    path = "/a/b" if kind == "missing" else f"/{kind}"
    for _ in range(2):
        gc.collect()
        gc.disable()
        try:
            if kind == "form":
                ask(app, path, "POST", BODY, validated=False, **FORM)
            else:
                ask(app, path, validated=False)
            assert len(values) == 1
            until(lambda: values[0]() is None)  # the loop's thread may be a little behind
            values.clear()
        finally:
            gc.enable()


def test_an_application_is_freed_with_its_last_reference(ask: Any, colour: Any, until: Any) -> None:
    app = Kolben(__name__)

    @app.get("/")
    @colour
    def view() -> Any:
        return "x"

    ask(app, validated=False)
    ref = weakref.ref(app)
    gc.collect()
    gc.disable()
    try:
        del app, view
        worker_process().end()
        until(lambda: ref() is None)
    finally:
        gc.enable()
