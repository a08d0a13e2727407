"""Compressed responses."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kolben import Kolben, Response, request, send_file
from kolben.local import drive
from kolben.middleware import GZip
from kolben.middleware import gzip as module

TEXT = b"so it goes, and so it goes on. " * 100


def zipped(app: Any, **options: Any) -> GZip:
    return GZip(app, **options)


@pytest.fixture
def app() -> Kolben:
    app = Kolben(__name__)
    app.asgi_app = GZip(app.asgi_app)  # type: ignore[attr-defined]
    return app


# What is compressed


def test_a_body_is_compressed_and_its_length_is_right(ask: Any) -> None:
    app = ask.app(TEXT, content_type="text/plain", content_length=str(len(TEXT)))
    answer = ask(zipped(app), accept_encoding="gzip, deflate, br")
    assert gzip.decompress(answer.body) == TEXT
    assert answer.headers == {
        "content-type": "text/plain",
        "content-encoding": "gzip",
        "vary": "Accept-Encoding",
        "content-length": str(len(answer.body)),
    }


def test_the_same_body_gives_the_same_bytes(ask: Any) -> None:
    app = zipped(ask.app(TEXT, content_type="text/plain"))
    bodies = {ask(app, accept_encoding="gzip").body for _ in range(2)}
    assert len(bodies) == 1


@pytest.mark.parametrize(
    ("accept_encoding", "compressed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0, gzip;q=0.1", True),
        ("br", False),
        ("gzip;q=none", False),
        ("", False),
    ],
)
def test_the_client_decides(ask: Any, accept_encoding: str, compressed: bool) -> None:
    answer = ask(zipped(ask.app(TEXT, content_type="text/css")), accept_encoding=accept_encoding)
    assert ("content-encoding" in answer.headers) is compressed
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (answer.body == TEXT) is not compressed


def test_without_accept_encoding_caches_learn_that_it_matters(ask: Any) -> None:
    answer = ask(zipped(ask.app(TEXT, content_type="text/plain")))
    assert (answer.body, answer.headers["vary"]) == (TEXT, "Accept-Encoding")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Cookie", "Cookie, Accept-Encoding"),
        ("accept-encoding, Cookie", "accept-encoding, Cookie"),
        ("*", "*"),
    ],
)
def test_vary_is_added_to(ask: Any, before: str, after: str) -> None:
    app = zipped(ask.app(TEXT, content_type="text/plain", vary=before))
    assert ask(app, accept_encoding="gzip").headers["vary"] == after
    assert ask(app).headers["vary"] == after


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; charset=utf-8",
        "application/json",
        "image/svg+xml",
        "application/wasm",
        "application/vnd.api+json",
    ],
)
def test_types_that_become_smaller(ask: Any, content_type: str) -> None:
    answer = ask(zipped(ask.app(TEXT, content_type=content_type)), accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"


# What stays as it is


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "image/png"},
        {"content_type": "Video/MP4"},
        {"content_type": "audio/ogg"},
        {"content_type": "font/woff2"},
        {"content_type": "application/zip"},
        {"content_type": "application/octet-stream"},
        {"content_type": "application/vnd.example+zip"},
        {"content_type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
        {"content_type": "text/event-stream; charset=utf-8"},
        {"content_type": "text/plain", "content_encoding": "br"},
        {"content_type": "text/plain", "content_encoding": "identity"},
        {"content_type": "text/plain", "cache_control": "public, No-Transform"},
        {"content_type": "text/plain", "repr_digest": "sha-256=:AAAA:"},
        {"content_type": "text/plain", "content_length": "499"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
def test_such_responses_are_passed_on(ask: Any, headers: dict[str, str]) -> None:
    app = ask.app(TEXT[:200], TEXT[200:499], **headers)
    assert ask(zipped(app), accept_encoding="gzip").messages == ask(app).messages


def test_a_short_body_is_passed_on(ask: Any) -> None:
    app = ask.app(TEXT[:499], content_type="text/plain")
    assert ask(zipped(app), accept_encoding="gzip").messages == ask(app).messages
    longer = ask(zipped(app, minimum_size=499), accept_encoding="gzip")
    assert longer.headers["content-encoding"] == "gzip"


def test_an_empty_body_is_never_compressed(ask: Any) -> None:
    app = ask.app(b"", content_type="text/plain")
    assert ask(zipped(app, minimum_size=0), accept_encoding="gzip").messages == ask(app).messages


@pytest.mark.parametrize("status", [204, 205])
def test_a_response_without_a_body_is_passed_on(ask: Any, status: int) -> None:
    app = ask.app(status=status)
    assert ask(zipped(app), accept_encoding="gzip").messages == ask(app).messages


def test_a_part_of_something_is_passed_on(ask: Any) -> None:
    app = ask.app(TEXT, status=206, content_type="text/plain", content_range="bytes 0-9/10")
    answer = ask(zipped(app), accept_encoding="gzip", range="bytes=0-9")
    assert answer.messages == ask(app).messages


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_websockets_and_lifespans_are_passed_on(kind: str) -> None:
    seen = []

    async def app(*args: Any) -> None:
        seen.append(args)

    args: Any = ({"type": kind}, object(), object())
    drive(GZip(app)(*args))
    assert seen == [args]


# Streams


def test_each_piece_of_a_stream_can_be_read_when_it_comes(ask: Any) -> None:
    pieces = [b"one", b"two", b"", b"three", b""]
    answer = ask(zipped(ask.app(*pieces, content_type="text/plain")), accept_encoding="gzip")
    assert "content-length" not in answer.headers
    reader = zlib.decompressobj(31)
    assert [reader.decompress(piece) for piece in answer.pieces] == pieces
    assert reader.eof


def test_a_stream_whose_length_is_known_loses_it(ask: Any) -> None:
    app = ask.app(TEXT[:50], TEXT[50:], content_length=str(len(TEXT)))
    answer = ask(zipped(app), accept_encoding="gzip")
    assert "content-length" not in answer.headers
    assert gzip.decompress(answer.body) == TEXT


def test_trailers_pass(ask: Any) -> None:
    trailers = {"type": "http.response.trailers", "headers": [(b"a", b"b")]}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": [], "trailers": True}
        for message in (start, {"type": "http.response.body", "body": TEXT}, trailers):
            await send(message)

    answer = ask(zipped(app), accept_encoding="gzip")
    assert answer.messages[0]["trailers"] is True
    assert answer.messages[-1] == trailers
    assert gzip.decompress(answer.body) == TEXT


@pytest.mark.parametrize("asynchronous", [True, False], ids=["async def", "def"])
def test_a_view_streams(app: Kolben, asynchronous: bool) -> None:
    if asynchronous:

        @app.get("/stream")
        async def stream() -> AsyncIterator[str]:
            async def generate() -> AsyncIterator[str]:
                yield "a"
                yield "b"

            return generate()
    else:

        @app.get("/stream")
        def stream() -> Iterator[str]:
            return iter(["a", "b"])

    response = app.test_client().get("/stream", headers={"Accept-Encoding": "gzip"})
    reader = zlib.decompressobj(31)
    assert [reader.decompress(piece) for piece in response.iter_chunks()] == [b"a", b"b", b""]


# Conditional requests


@pytest.fixture
def tagged(app: Kolben) -> Kolben:
    @app.get("/")
    def index() -> Response:
        response = Response(TEXT)
        response.set_etag("v1")
        return response.make_conditional(request)

    return app


def test_a_strong_tag_becomes_weak_and_still_gives_304(tagged: Kolben) -> None:
    client = tagged.test_client()
    headers = {"Accept-Encoding": "gzip"}
    response = client.get("/", headers=headers)
    assert response.headers["ETag"] == 'W/"v1"'
    assert gzip.decompress(response.data) == TEXT
    again = client.get("/", headers={**headers, "If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == 'W/"v1"', "the tag of what the client has"
    assert again.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in again.headers


def test_a_client_with_the_plain_content_keeps_its_strong_tag(tagged: Kolben) -> None:
    client = tagged.test_client()
    response = client.get("/")
    assert (response.headers["ETag"], response.data) == ('"v1"', TEXT)
    again = client.get("/", headers={"If-None-Match": '"v1"'})
    assert (again.status_code, again.headers["ETag"]) == (304, '"v1"')
    assert again.headers["Vary"] == "Accept-Encoding"


def test_a_weak_tag_stays(ask: Any) -> None:
    app = ask.app(TEXT, content_type="text/plain", etag='W/"v1"')
    assert ask(zipped(app), accept_encoding="gzip").headers["etag"] == 'W/"v1"'


def test_parts_of_compressed_content_are_not_offered(ask: Any) -> None:
    app = zipped(ask.app(TEXT, content_type="text/plain", accept_ranges="bytes"))
    assert "accept-ranges" not in ask(app, accept_encoding="gzip").headers
    assert ask(app).headers["accept-ranges"] == "bytes"


def test_head_has_the_headers_of_get(tagged: Kolben) -> None:
    client = tagged.test_client()
    headers = {"Accept-Encoding": "gzip"}
    head, get = client.head("/", headers=headers), client.get("/", headers=headers)
    assert head.data == b""
    unknown = dict(get.headers)
    del unknown["Content-Length"]
    assert dict(head.headers) == unknown


def test_head_of_what_is_short_has_its_length(app: Kolben) -> None:
    @app.get("/")
    def index() -> str:
        return "short"

    response = app.test_client().head("/", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Length"] == "5"
    assert "Content-Encoding" not in response.headers


# Files that the server sends


def test_a_file_is_compressed_where_the_server_would_have_sent_it(
    app: Kolben, tmp_path: Path
) -> None:
    file = tmp_path / "style.css"
    file.write_bytes(TEXT)

    @app.get("/")
    def index() -> Response:
        return send_file(file)

    client = app.test_client()
    offer: dict[str, Any] = {"extensions": {"http.response.pathsend": {}, "tls": {}}}
    response = client.get("/", headers={"Accept-Encoding": "gzip"}, **offer)
    assert gzip.decompress(response.data) == TEXT
    assert client.get("/", **offer).data == TEXT


def test_other_extensions_stay(ask: Any) -> None:
    seen = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope["extensions"])
        await ask.app(b"")(scope, receive, send)

    extensions: dict[str, Any] = {"http.response.pathsend": {}, "tls": {"a": 1}}
    scope = ask.scope_of("GET", [("Accept-Encoding", "gzip")], extensions=extensions)
    ask.with_scope(GZip(app), scope)
    assert seen == {"tls": {"a": 1}}
    assert "http.response.pathsend" in extensions, "what the server gave is not changed"


def test_a_file_sent_by_its_path_all_the_same_is_passed_on(ask: Any) -> None:
    by_path = {"type": "http.response.pathsend", "path": "/style.css"}
    headers = [(b"content-type", b"text/css"), (b"content-length", b"10000")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(by_path)

    answer = ask(zipped(app), accept_encoding="gzip")
    assert answer.messages[1] == by_path
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == "10000"


# Large bodies, settings


@pytest.mark.anyio
async def test_a_large_body_leaves_the_event_loop_free(ask: Any, monkeypatch: Any) -> None:
    threads = []
    compress: Callable[..., bytes] = module._compress

    def note(*args: Any) -> bytes:
        threads.append(threading.get_ident())
        return compress(*args)

    monkeypatch.setattr(module, "_compress", note)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    large = b"x" * (module.LARGE + 1)
    scope = ask.scope_of("GET", [("Accept-Encoding", "gzip")])
    app = GZip(ask.app(large, content_type="text/plain"))
    await app(dict(scope), None, send)  # type: ignore[arg-type]
    assert threads and threads[0] != threading.get_ident()
    assert gzip.decompress(sent[1]["body"]) == large
    await app({**scope, "wsgi_environ": {}}, None, send)  # type: ignore[arg-type]
    assert threads[1] == threading.get_ident(), "nobody else waits for a WSGI server's thread"


def test_a_large_body_without_an_event_loop(ask: Any) -> None:
    answer = ask(zipped(ask.app(b"x" * 200_000, content_type="text/css")), accept_encoding="gzip")
    assert gzip.decompress(answer.body) == b"x" * 200_000


@pytest.mark.parametrize("level", [0, 10, -1])
def test_a_level_that_is_none(level: int) -> None:
    with pytest.raises(ValueError, match=r"from 1 \(fast\) to 9"):
        GZip(None, level=level)  # type: ignore[arg-type]


def test_settings() -> None:
    assert GZip.settings == {"minimum_size": "GZIP_MINIMUM_SIZE", "level": "GZIP_LEVEL"}


# As it is added to an application


def test_the_example(example: Any, reach: Any) -> None:
    app = example("careful")
    reply = reach(app, "/table", accept_encoding="gzip")
    assert gzip.decompress(reply.body) == reach(app, "/table").body
    assert reply.headers["Content-Length"] == str(len(reply.body))
    assert "Content-Encoding" not in reach(app, "/", accept_encoding="gzip").headers


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_from_settings(reach: Any, colour: str) -> None:
    app = Kolben(__name__)
    app.config.update(GZIP_MINIMUM_SIZE=10, GZIP_LEVEL=1)
    app.add_middleware(GZip)
    if colour == "def":

        @app.get("/<int:size>")
        def view(size: int) -> str:
            return "x" * size
    else:

        @app.get("/<int:size>")
        async def view(size: int) -> str:
            return "x" * size

    for size in (10, 500_000):
        reply = reach(app, f"/{size}", accept_encoding="gzip")
        assert gzip.decompress(reply.body) == b"x" * size
    assert reach(app, "/9", accept_encoding="gzip").body == b"x" * 9


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_streams_and_tags_under_either_protocol(reach: Any, colour: str) -> None:
    app = Kolben(__name__)
    app.add_middleware(GZip)
    if colour == "def":

        @app.get("/stream")
        def stream() -> Iterator[str]:
            return iter(["a", "b" * 1000])
    else:

        @app.get("/stream")
        async def stream() -> AsyncIterator[str]:
            async def generate() -> AsyncIterator[str]:
                yield "a"
                yield "b" * 1000

            return generate()

    @app.get("/tagged")
    def index() -> Response:
        response = Response(TEXT)
        response.set_etag("v1")
        return response.make_conditional(request)

    streamed = reach(app, "/stream", accept_encoding="gzip")
    assert gzip.decompress(streamed.body) == b"a" + b"b" * 1000
    etag = reach(app, "/tagged", accept_encoding="gzip").headers["ETag"]
    again = reach(app, "/tagged", accept_encoding="gzip", if_none_match=etag)
    assert (again.status, again.headers["ETag"]) == (304, etag)


def test_files_under_either_protocol(reach: Any, tmp_path: Path) -> None:
    file = tmp_path / "style.css"
    file.write_bytes(TEXT)
    app = Kolben(__name__)
    app.add_middleware(GZip)

    @app.get("/")
    def index() -> Response:
        return send_file(file, conditional=True)

    reply = reach(app, "/", accept_encoding="gzip")
    assert gzip.decompress(reply.body) == TEXT
    part = reach(app, "/", accept_encoding="gzip", range="bytes=0-4")
    assert (part.status, part.body) == (206, TEXT[:5])
    assert "Content-Encoding" not in part.headers
    changed = reach(
        app, "/", accept_encoding="gzip", range="bytes=0-4", if_range=reply.headers["ETag"]
    )
    assert changed.status == 200, "a weak tag is no ground for sending a part"
