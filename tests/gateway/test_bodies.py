"""How each kind of body is sent, and what happens when one breaks."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from kolben import Kolben, Response, g, request, send_file, stream_with_context

pytestmark = pytest.mark.anyio


@pytest.fixture
def app() -> Kolben:
    return Kolben("bodies")


BOTH = pytest.mark.parametrize("async_view", [True, False])


def add(app: Kolben, function: Any, async_view: bool) -> None:
    async def view() -> Any:
        return function()

    app.add_url_rule("/", "view", view if async_view else function)


@BOTH
@pytest.mark.parametrize("async_body", [True, False])
async def test_the_context_lives_while_the_body_is_sent(
    app: Kolben, wire: Any, async_view: bool, async_body: bool
) -> None:
    log: list[str] = []

    @app.before_request
    async def before() -> None:
        g.value = 1

    app.teardown_request(lambda error: log.append(f"teardown {error} {g.value}"))

    def generate() -> Any:
        for _ in range(2):
            yield f"{request.path}{g.value}"
            g.value += 1
        log.append("generated")

    async def agenerate() -> Any:
        for chunk in generate():
            yield chunk

    add(app, lambda: stream_with_context(agenerate() if async_body else generate()), async_view)
    one = wire("/")
    await one.run(app)
    assert one.body == b"/1/2"
    assert one.complete
    assert b"content-length" not in one.headers
    assert log == ["generated", "teardown None 3"]


@BOTH
async def test_without_it_the_context_is_over(app: Kolben, wire: Any, async_view: bool) -> None:
    log: list[str] = []
    app.teardown_request(lambda error: log.append("teardown"))

    def generate() -> Any:
        log.append(f"request {bool(request)}")
        yield "x"

    add(app, generate, async_view)
    await wire("/").run(app)
    assert log == ["teardown", "request False"]


@BOTH
@pytest.mark.parametrize("with_context", [True, False])
@pytest.mark.parametrize("async_body", [True, False])
async def test_head_runs_no_generator_and_closes_it_once(
    app: Kolben, wire: Any, async_view: bool, with_context: bool, async_body: bool
) -> None:
    log: list[str] = []

    class Body:
        """An iterator that must be closed even when nobody has asked for a part of it."""

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> bytes:
            log.append("ran")
            return b""

        def close(self) -> None:
            log.append("closed")

    class AsyncBody:
        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> bytes:
            log.append("ran")
            return b""

        async def aclose(self) -> None:
            log.append("closed")

    def view() -> Any:
        body = AsyncBody() if async_body else Body()
        return stream_with_context(body) if with_context else body  # type: ignore[call-overload]

    add(app, view, async_view)
    app.teardown_request(lambda error: log.append("teardown"))
    one = wire("/", "HEAD")
    await one.run(app)
    assert one.body == b""
    assert one.complete
    assert log == (["closed", "teardown"] if with_context else ["teardown", "closed"])


@BOTH
@pytest.mark.parametrize("async_body", [True, False])
@pytest.mark.parametrize("with_context", [True, False])
async def test_an_error_in_the_middle_is_logged_once_and_breaks_the_connection(
    app: Kolben,
    wire: Any,
    async_view: bool,
    async_body: bool,
    with_context: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    torn: list[Any] = []
    app.teardown_request(lambda error: torn.append(type(error)))

    def generate() -> Any:
        yield "x"
        raise ZeroDivisionError

    async def agenerate() -> Any:
        yield "x"
        raise ZeroDivisionError

    def view() -> Any:
        body = agenerate() if async_body else generate()
        return stream_with_context(body) if with_context else body

    add(app, view, async_view)
    one = wire("/")
    try:
        await one.run(app)
    except ZeroDivisionError:
        raise AssertionError("the server would log it a second time") from None
    assert one.body == b"x"
    assert not one.complete
    assert [record.getMessage() for record in caplog.records] == ["Exception on / [GET]"]
    assert torn == [ZeroDivisionError if with_context else type(None)]
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        await wire("/").run(app)


@BOTH
async def test_a_stream_that_an_after_hook_replaces_is_torn_down(
    app: Kolben, wire: Any, async_view: bool
) -> None:
    log: list[str] = []

    def generate() -> Any:
        yield "x"

    add(app, lambda: stream_with_context(generate()), async_view)
    app.after_request(lambda response: Response("replaced"))
    app.teardown_request(lambda error: log.append("teardown"))
    one = wire("/")
    await one.run(app)
    assert one.body == b"replaced"
    assert log == ["teardown"]


@BOTH
@pytest.mark.parametrize("testing", [True, False])
async def test_a_stream_that_an_error_replaces_is_torn_down_with_the_error(
    app: Kolben, wire: Any, async_view: bool, testing: bool
) -> None:
    log: list[Any] = []
    app.config["PROPAGATE_EXCEPTIONS"] = testing

    def generate() -> Any:
        yield "x"

    add(app, lambda: stream_with_context(generate()), async_view)

    @app.after_request
    def after(response: Response) -> Response:
        raise KeyError

    app.teardown_request(lambda error: log.append(type(error)))
    one = wire("/")
    if testing:
        with pytest.raises(KeyError):
            await one.run(app)
    else:
        await one.run(app)
        assert one.status == 500
    assert log == [KeyError]


async def test_plain_iterators_run_in_a_worker_thread(app: Kolben, wire: Any) -> None:
    threads: list[str] = []

    def generate() -> Any:
        threads.append(threading.current_thread().name)
        yield "x"

    @app.get("/")
    async def view() -> Any:
        return generate()

    await wire("/").run(app)
    assert threads != [threading.current_thread().name]


async def test_other_types_of_parts(app: Kolben, wire: Any) -> None:
    @app.get("/")
    async def view() -> Response:
        return Response(iter(["é", b"b"]))

    one = wire("/")
    await one.run(app)
    assert one.body == "éb".encode()


async def test_a_file_is_sent_in_parts(app: Kolben, wire: Any, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"0123456789" * 20_000)

    @app.get("/")
    async def view() -> Response:
        return send_file(path)

    one = wire("/")
    await one.run(app)
    assert one.body == path.read_bytes()
    assert one.headers[b"content-length"] == b"200000"
    assert max(len(m.get("body", b"")) for m in one.sent) <= 65536


async def test_a_file_is_sent_by_its_name_where_the_server_can(
    app: Kolben, wire: Any, tmp_path: Path
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("text")

    @app.get("/")
    def view() -> Response:
        return send_file(path)

    one = wire("/", extensions={"http.response.pathsend": {}})
    await one.run(app)
    assert [m["type"] for m in one.sent] == ["http.response.start", "http.response.pathsend"]
    assert one.sent[1]["path"] == str(path)
    head = wire("/", "HEAD", extensions={"http.response.pathsend": {}})
    await head.run(app)
    assert head.complete
    assert head.headers[b"content-length"] == b"4"


async def test_a_file_that_is_gone_is_no_half_answer(
    app: Kolben, wire: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("text")

    @app.get("/")
    def view() -> Response:
        response = send_file(path)
        path.unlink()
        return response

    one = wire("/")
    await one.run(app)
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) <= 1
    assert not one.sent or one.status >= 400


async def test_headers_of_hooks_are_added_to_an_applications(app: Kolben, wire: Any) -> None:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-in", b"1")]})
        await send({"type": "http.response.body", "body": b"in"})

    @app.get("/")
    async def view() -> Any:
        return inner

    @app.after_request
    def after(response: Response) -> Response:
        response.headers["X-After"] = "2"
        return response

    one = wire("/")
    await one.run(app)
    assert one.sent[0]["headers"] == [(b"x-in", b"1"), (b"x-after", b"2")]


class Writes:
    """Middleware that writes into the messages that it gets, as Starlette's GZip does."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def write(message: Any) -> None:
            if message["type"] == "http.response.body":
                message["body"] += b"!"
            else:
                fields = message["headers"]
                fields[:] = [field for field in fields if field[0] != b"content-length"]
                fields.append((b"x-more", b"1"))
            await send(message)

        await self.app(scope, receive, write)


@BOTH
@pytest.mark.parametrize("body", ["text", "list", "stream", "astream", "file"])
async def test_what_middleware_writes_into_a_message_stays_in_its_response(
    async_view: bool, body: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"file")

    def make() -> Any:
        async def parts() -> Any:
            yield "part"

        return {
            "text": "text",
            "list": Response(["a", "b"]),
            "stream": iter(["part"]),
            "astream": parts(),
            "file": send_file(tmp_path / "file"),
        }[body]

    app = Kolben("bodies")
    add(app, make, async_view)
    app.add_middleware(Writes)
    first = await app.test_client().get("/", buffered=True)
    second = await app.test_client().get("/", buffered=True)
    assert first.get_data() == second.get_data()
    assert first.headers.getlist("X-More") == second.headers.getlist("X-More") == ["1"]
