"""Bodies: loading, forms, files, JSON, streams, and what happens to bad ones."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import anyio
import pytest

from kolben import local
from kolben.exceptions import ClientDisconnected, HTTPException
from kolben.http.datastructures import FileStorage, MultiDict
from kolben.wrappers import Limits, Request

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Client:
    """Hands out the pieces of a body, and knows how much of it was taken."""

    def __init__(self, pieces: Iterable[bytes], *, gone: bool = False) -> None:
        self.pieces = list(pieces) or [b""]
        self.gone = gone
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        index, self.taken = self.taken, self.taken + 1
        if index >= len(self.pieces):
            assert self.gone, "more was received than there is"
            return {"type": "http.disconnect"}
        more = self.gone or index + 1 < len(self.pieces)
        return {"type": "http.request", "body": self.pieces[index], "more_body": more}


def make(
    body: bytes | Iterable[bytes] = b"",
    content_type: str | None = None,
    *,
    length: int | bytes | None = -1,
    method: str = "POST",
    cls: type[Request] = Request,
    receive: Any = None,
    **scope: Any,
) -> Request:
    pieces = [body] if isinstance(body, bytes) else list(body)
    headers = []
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    if length is None:
        headers.append((b"transfer-encoding", b"chunked"))
    else:
        value = b"%d" % sum(map(len, pieces)) if length == -1 else length
        value = value if isinstance(value, bytes) else b"%d" % value
        headers.append((b"content-length", value))
    return cls(
        {"type": "http", "method": method, "path": "/", "headers": headers, **scope},
        receive or Client(pieces),
    )


def given(body: bytes, content_type: str | None = None, cls: type[Request] = Request) -> Request:
    request = make(body, content_type, cls=cls)
    request.set_body(body)
    return request


def multipart(*parts: tuple[str, bytes] | tuple[str, bytes, str]) -> bytes:
    pieces = []
    for name, data, *filename in parts:
        head = f'Content-Disposition: form-data; name="{name}"'
        if filename:
            head += f'; filename="{filename[0]}"\r\nContent-Type: image/png'
        pieces.append(b"--b\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n")
    return b"".join(pieces) + b"--b--\r\n"


def code(func: Callable[[], object]) -> int | None:
    with pytest.raises(HTTPException) as caught:
        func()
    return caught.value.code


# Loading


async def test_a_body_in_one_piece_and_in_many() -> None:
    for pieces in ([b"abc"], [b"a", b"", b"bc"], [b"a", b"bc", b""]):
        for length in (-1, None):
            request = make(pieces, "text/plain", length=length)
            await request.load()
            assert request.data == request.get_data() == b"abc"


async def test_loading_twice_receives_once() -> None:
    client = Client([b"abc"])
    request = make(receive=client)
    await request.load()
    await request.load()
    assert client.taken == 1


@pytest.mark.parametrize(
    ("method", "version", "headers", "expected"),
    [
        ("GET", "1.1", [], False),
        ("POST", "1.1", [], False),
        ("POST", "1.1", [(b"content-length", b"0")], False),
        ("GET", "1.1", [(b"content-length", b"3")], True),
        ("POST", "1.1", [(b"transfer-encoding", b"chunked")], True),
        ("POST", "1.1", [(b"content-length", b"x")], True),
        ("POST", "2", [], True),
        ("POST", "3", [], True),
        ("GET", "2", [], False),
        ("DELETE", "2", [], False),
        ("POST", "2", [(b"content-length", b"0")], False),
    ],
)
def test_a_body_is_announced(
    method: str, version: str, headers: list[tuple[bytes, bytes]], expected: bool
) -> None:
    request = Request({"method": method, "path": "/", "headers": headers, "http_version": version})
    assert request.announces_body() is expected


def test_without_a_body_everything_is_empty() -> None:
    request = Request({"method": "GET", "path": "/", "headers": []}, Client([], gone=True))
    assert request.data == request.get_data() == b""
    assert request.form == {}
    assert request.files == {}
    assert request.stream.read() == b""
    assert request.get_json(silent=True) is None


async def test_a_body_announced_as_too_large_is_not_read() -> None:
    client = Client([b"x" * 100])
    request = make(receive=client, length=100)
    request.max_content_length = 99
    await request.load()
    assert client.taken == 0
    assert code(lambda: request.data) == 413
    assert code(lambda: request.form) == 413
    assert code(lambda: request.get_json(force=True)) == 413
    assert code(lambda: request.stream) == 413


async def test_a_chunked_body_is_counted() -> None:
    client = Client([b"x" * 50] * 10)
    request = make(receive=client, length=None)
    request.max_content_length = 120
    await request.load()
    assert client.taken == 3
    assert code(lambda: request.data) == 413
    assert code(lambda: request.data) == 413


async def test_the_default_limit_is_16_mib_and_none_lifts_it() -> None:
    request = make(length=16 * 1024 * 1024 + 1)
    await request.load()
    assert code(lambda: request.data) == 413
    request = make([b"x" * 1024 * 1024] * 17, "text/plain")
    request.max_content_length = None
    await request.load()
    assert len(request.data) == 17 * 1024 * 1024


async def test_a_raised_limit_lets_loading_go_on() -> None:
    for length in (-1, None):
        request = make([b"x" * 50] * 10, "text/plain", length=length)
        request.max_content_length = 120
        await request.load()
        assert code(lambda request=request: request.data) == 413
        request.max_content_length = 1000
        with pytest.raises(RuntimeError, match=r"await request\.load\(\)"):
            _ = request.data
        await request.load()
        assert request.data == b"x" * 500


async def test_a_lowered_limit_is_obeyed() -> None:
    request = make(b"a=1", FORM)
    await request.load()
    request.max_content_length = 2
    assert code(lambda: request.form) == 413
    assert code(lambda: request.get_data()) == 413
    request.max_content_length = 3
    assert request.form["a"] == "1"


def test_limits_of_the_route_of_a_subclass_and_of_the_request() -> None:
    request = given(b"a=1", FORM)
    assert request.max_content_length == 16 * 1024 * 1024
    assert request.max_form_memory_size == 500_000
    assert request.max_form_parts == 1000
    request._limits = Limits(10, 20, 30)
    assert request.max_content_length == 10
    assert request.max_form_memory_size == 20
    assert request.max_form_parts == 30
    request.max_content_length = request.max_form_memory_size = request.max_form_parts = None
    assert request.max_content_length is None
    assert request.max_form_memory_size is None
    assert request.max_form_parts is None

    class Small(Request):
        max_content_length = 2  # type: ignore[assignment]
        max_form_parts = 1  # type: ignore[assignment]

    small = given(b"abc", "text/plain", Small)
    assert code(lambda: small.data) == 413
    small.max_content_length = 3
    assert small.data == b"abc"
    assert code(lambda: given(b"a=1&b=2", FORM, Small).form) == 413


def test_limits_do_not_change() -> None:
    limits = Limits()
    assert limits == Limits(16 * 1024 * 1024, 500_000, 1000)
    assert hash(limits) == hash(Limits())
    assert limits != Limits(1)
    assert repr(Limits(None, 2, 3)) == "Limits(None, 2, 3)"
    with pytest.raises(AttributeError):
        limits.max_form_parts = 3


@pytest.mark.parametrize("value", [b"x", b"-1", b"", b"1 1", b"9" * 20])
async def test_an_invalid_content_length_is_a_400_where_the_body_is_asked_for(
    value: bytes,
) -> None:
    client = Client([b"abc"])
    request = make(length=value, receive=client)
    await request.load()
    assert client.taken == 0
    assert code(lambda: request.data) == 400
    assert code(lambda: request.form) == 400
    assert code(lambda: make(length=value, receive=client).stream) == 400


async def test_a_client_that_goes_away_is_told_to_the_gateway() -> None:
    for pieces in ([], [b"abc"], [b"x" * 600_000]):
        request = make(receive=Client(pieces or [b""], gone=True), length=1_000_000)
        with pytest.raises(ClientDisconnected):
            await request.load()
    request = make(
        receive=Client([multipart(("f", b"x" * 900_000, "f"))[:-8]], gone=True),
        content_type=MULTIPART,
        length=None,
    )
    with pytest.raises(ClientDisconnected):
        await request.load()
    request.close()


async def test_bytearrays_and_memoryviews_of_servers_become_bytes() -> None:
    for body in (bytearray(b"abc"), memoryview(b"abc")):

        async def receive(body: Any = body) -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        request = make(receive=receive, length=3, content_type="text/plain")
        await request.load()
        assert type(request.data) is bytes
        assert request.data == b"abc"


# Forms


def test_an_urlencoded_form() -> None:
    request = given("a=1&a=2&b=%C3%BC+x&c&&=d&ü=ö".encode(), FORM)
    assert request.form.getlist("a") == ["1", "2"]
    assert request.form.to_dict() == {"a": "1", "b": "ü x", "c": "", "": "d", "ü": "ö"}
    assert request.files == {}
    with pytest.raises(TypeError):
        request.form["a"] = "3"
    assert code(lambda: request.form["none"]) == 400


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "us-ascii"])
def test_a_charset_that_is_utf_8_under_any_name(charset: str) -> None:
    assert given(b"a=%C3%BC", f"{FORM}; charset={charset}").form["a"] == "ü"


def test_other_charsets() -> None:
    assert given(b"a=%FC", f"{FORM}; charset=ISO-8859-1").form["a"] == "ü"
    assert given(b"a=%80", f"{FORM}; charset=windows-1252").form["a"] == "€"
    for charset in ("klingon", "utf-16", "zip", "idna"):
        request = given(b"a=1", f"{FORM}; charset={charset}")
        assert code(lambda request=request: request.form) == 415


@pytest.mark.parametrize(
    "body", [b"a=%", b"a=%f", b"a=%zz", b"a=%ff", b"a=\xff", b"%c3=1", b"a=1&b=%C3%28"]
)
def test_invalid_percent_encoding_is_a_400(body: bytes) -> None:
    request = given(body, FORM)
    assert code(lambda: request.form) == 400
    assert code(lambda: request.values) == 400
    assert request.get_data() == body


def test_the_limits_of_an_urlencoded_form() -> None:
    assert len(given(b"&".join([b"a=1"] * 1000), FORM).form.getlist("a")) == 1000
    assert code(lambda: given(b"&".join([b"a=1"] * 1001), FORM).form) == 413
    assert code(lambda: given(b"a=" + b"x" * 500_000, FORM).form) == 413
    request = given(b"&".join([b"a=1"] * 1001), FORM)
    assert code(lambda: request.form) == 413
    request.max_form_parts = None
    assert len(request.form.getlist("a")) == 1001


def test_a_multipart_form() -> None:
    body = multipart(("a", b"1"), ("a", "ü".encode()), ("f", b"\x89PNG", "x.png"), ("g", b"", ""))
    request = given(body, MULTIPART)
    assert request.form.getlist("a") == ["1", "ü"]
    file = request.files["f"]
    assert file.filename == "x.png"
    assert file.name == "f"
    assert file.mimetype == "image/png"
    assert file.headers["Content-Disposition"] == 'form-data; name="f"; filename="x.png"'
    assert file.read() == b"\x89PNG"
    assert request.files["g"].filename == ""
    assert "f" not in request.form
    request.close()
    assert file.closed


def test_the_charset_of_a_field_in_a_multipart_form() -> None:
    head = 'Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset={}'
    for charset, data, text in (
        ("iso-8859-1", b"\xfc", "ü"),
        ("utf-8", b"\xfc", "\ufffd"),
        ("klingon", "ü".encode(), "ü"),
    ):
        body = b"--b\r\n" + head.format(charset).encode() + b"\r\n\r\n" + data + b"\r\n--b--"
        assert given(body, MULTIPART).form["a"] == text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", MULTIPART),
        (b"--b\r\n", MULTIPART),
        (multipart(("a", b"1"))[:-6], MULTIPART),
        (b"--b\r\n\r\n1\r\n--b--", MULTIPART),
        (multipart(("a", b"1")), "multipart/form-data"),
        (multipart(("a", b"1")), "multipart/form-data; boundary=other"),
        (multipart(("a", b"1")), f"multipart/form-data; boundary={'x' * 71}"),
        (multipart(("a", b"1")), 'multipart/form-data; boundary="a;b"'),
    ],
    ids=[
        "empty",
        "only a boundary",
        "cut off",
        "no disposition",
        "no boundary named",
        "other boundary",
        "long boundary",
        "bad boundary",
    ],
)
async def test_a_broken_multipart_form_is_a_400(body: bytes, content_type: str) -> None:
    request = make(body, content_type, length=None)
    await request.load()
    assert code(lambda: request.form) == 400
    assert code(lambda: request.files) == 400
    assert request.get_data() == body


def test_the_limits_of_a_multipart_form() -> None:
    many = multipart(*[("a", b"1")] * 1001)
    assert code(lambda: given(many, MULTIPART).form) == 413
    large = multipart(("a", b"x" * 300_000), ("b", b"x" * 200_001))
    request = given(large, MULTIPART)
    assert code(lambda: request.form) == 413
    request.max_form_memory_size = 600_000
    assert len(request.form["a"]) == 300_000
    # A file does not count as a field.
    assert given(multipart(("f", b"x" * 510_000, "f")), MULTIPART).files["f"].read(1) == b"x"


def test_storage_classes() -> None:
    class File(FileStorage):
        pass

    class Own(Request):
        parameter_storage_class = MultiDict
        file_storage_class = File

    request = given(multipart(("a", b"1"), ("f", b"1", "f")), MULTIPART, Own)
    request.form["a"] = "2"
    assert request.form["a"] == "2"
    assert type(request.files["f"]) is File
    assert type(request.files) is MultiDict


def test_values_are_args_and_form_but_for_get() -> None:
    request = make(b"a=2&b=3", FORM, query_string=b"a=1")
    request.set_body(b"a=2&b=3")
    assert request.values.getlist("a") == ["1", "2"]
    assert request.values["b"] == "3"
    request = make(b"a=2", FORM, query_string=b"a=1", method="GET")
    request.set_body(b"a=2")
    assert request.values.getlist("a") == ["1"]


def test_in_debug_mode_a_missing_file_says_why() -> None:
    class Debugging(Request):
        _debug = staticmethod(lambda: True)

    request = given(b"f=x.png&{0}=1", FORM, Debugging)
    with pytest.raises(KeyError, match=r'enctype="multipart/form-data"') as caught:
        _ = request.files["f"]
    assert "'f', '{0}'" in str(caught.value)
    assert request.files.get("f") is None
    assert code(lambda: given(b"f=x.png", FORM).files["f"]) == 400


# Raw data


def test_get_data_and_forms() -> None:
    # Asked for first, the data is kept, and the form works too.
    request = given(b"a=1", FORM)
    assert request.get_data() == b"a=1"
    assert request.form["a"] == "1"
    assert request.get_data() == request.data == b"a=1"
    # Asked for after the form, it is gone.
    request = given(b"a=1", FORM)
    assert request.form["a"] == "1"
    assert request.get_data() == b""
    # data is what is no form.
    request = given(b"a=1", FORM)
    assert request.data == b""
    assert request.form["a"] == "1"
    request = given(b"a=1", "text/plain")
    assert request.data == b"a=1"
    assert request.form == {}
    # Not kept, it is gone for everybody.
    request = given(b"a=1", FORM)
    assert request.get_data(cache=False) == b"a=1"
    assert request.get_data(cache=False) == b""
    assert request.form == {}
    request = given(b"a=1", FORM)
    assert request.get_data(parse_form_data=True) == b""
    assert request.form["a"] == "1"


def test_data_as_text() -> None:
    assert given("ü".encode()).get_data(as_text=True) == "ü"
    assert given(b"\xff").get_data(as_text=True) == "\ufffd"


# Large bodies


async def test_large_multipart_bodies_are_parsed_while_they_arrive() -> None:
    small, large = b"s" * 1000, os.urandom(700_000)
    body = multipart(("a", b"1"), ("s", small, "s"), ("l", large, "l"), ("b", b"2"))
    for size in (1000, 65536, 10**9):
        request = make(
            [body[at : at + size] for at in range(0, len(body), size)], MULTIPART, length=None
        )
        await request.load()
        assert request.form.to_dict() == {"a": "1", "b": "2"}
        assert request.files["s"].read() == small
        assert request.files["l"].read() == large
        assert request.files["l"].filename == "l"
        assert request.get_data() == b""
        # A file below the spool size is in memory; one above has a file of its own.
        with pytest.raises(OSError):
            request.files["s"].stream.fileno()
        assert request.files["l"].stream.fileno() > 0
        request.close()
        assert request.files["s"].closed
        assert request.files["l"].closed


async def test_temporary_files_are_written_outside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import tempfile

    writers = []
    real = tempfile.TemporaryFile

    def temporary_file(*args: Any) -> Any:
        writers.append(threading.current_thread())
        return real(*args)

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary_file)
    body = multipart(("f", b"x" * 600_000, "f"), ("g", b"y" * 600_000, "g"))
    request = make([body[at : at + 9999] for at in range(0, len(body), 9999)], MULTIPART)
    await request.load()
    assert len(writers) == 2
    assert threading.current_thread() not in writers
    assert request.files["g"].read() == b"y" * 600_000
    request.close()


async def test_a_large_multipart_body_obeys_the_limits_too() -> None:
    body = multipart(*[("a", b"x" * 1000)] * 1001)
    request = make([body], MULTIPART)
    await request.load()
    assert code(lambda: request.form) == 413
    body = multipart(("f", b"x" * 600_000, "f"), ("a", b"x" * 500_001))
    request = make([body], MULTIPART)
    await request.load()
    assert code(lambda: request.files) == 413
    assert code(lambda: request.data) == 413
    request.close()
    body = multipart(("f", b"x" * 600_000, "f"))[:-4]
    request = make([body], MULTIPART)
    await request.load()
    assert code(lambda: request.files) == 400


async def test_a_raised_limit_lets_a_large_multipart_body_go_on() -> None:
    body = multipart(("f", b"x" * 1_000_000, "f"))
    pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    request = make(pieces, MULTIPART, length=None)
    request.max_content_length = 800_000
    await request.load()
    assert code(lambda: request.files) == 413
    request.max_content_length = 2_000_000
    await request.load()
    assert len(request.files["f"].read()) == 1_000_000
    request.close()


async def test_cancelling_closes_the_temporary_files() -> None:
    body = multipart(("f", b"x" * 1_000_000, "f"))
    sent = anyio.Event()

    async def receive() -> dict[str, Any]:
        if sent.is_set():
            await anyio.sleep_forever()
        sent.set()
        return {"type": "http.request", "body": body[:900_000], "more_body": True}

    request = make(receive=receive, content_type=MULTIPART, length=None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(request.load)
        await sent.wait()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert request._partial is not None
    assert request._partial.builder is not None
    assert all(file.stream.closed for file in request._partial.builder._files)


# JSON


def test_json() -> None:
    request = given('{"a": ["ü"]}'.encode(), "application/json")
    assert request.json == {"a": ["ü"]}
    assert request.json is request.get_json()
    assert request.get_json(cache=False) is not request.json
    assert request.get_data() == '{"a": ["ü"]}'.encode()
    assert given(b"\xef\xbb\xbf[]", "application/json").json == []


def test_json_of_another_type_is_a_415() -> None:
    for content_type in ("text/plain", None, "application/jsonp"):
        request = given(b"[1]", content_type)
        assert code(lambda request=request: request.json) == 415
        assert request.get_json(silent=True) is None
        assert request.get_json(force=True) == [1]
    assert given(b"[1]", "application/problem+json").json == [1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1] 2",
        b"\xff",
        '"\u00fc"'.encode("latin-1"),
        "[1]".encode("utf-16"),
        b"NaN",
        b"[Infinity]",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=[
        "empty",
        "cut off",
        "more",
        "no UTF-8",
        "latin-1",
        "UTF-16",
        "NaN",
        "Infinity",
        "deep list",
        "deep object",
    ],
)
def test_malformed_json_is_a_400(body: bytes) -> None:
    request = given(body, "application/json")
    assert code(lambda: request.json) == 400
    assert code(lambda: request.get_json()) == 400
    assert request.get_json(silent=True) is None
    assert code(lambda: request.json) == 400


def test_what_json_was_wrong_is_told_in_debug_mode_only() -> None:
    class Debugging(Request):
        _debug = staticmethod(lambda: True)

    for cls, told in ((Debugging, True), (Request, False)):
        with pytest.raises(HTTPException) as caught:
            _ = given(b"{", "application/json", cls).json
        assert ("Failed to decode JSON object" in str(caught.value.description)) is told


def test_json_errors_may_be_replaced() -> None:
    calls = []

    class Own(Request):
        def on_json_loading_failed(self, e: ValueError | None) -> Any:
            calls.append(e)
            return {"failed": True}

    request = given(b"{", "application/json", Own)
    assert request.json == {"failed": True}
    assert request.json == {"failed": True}
    assert isinstance(calls[0], ValueError)
    assert len(calls) == 1
    assert request.get_json(silent=True) is None
    assert given(b"{", "text/plain", Own).json == {"failed": True}
    assert request.on_json_loading_failure(None) == {"failed": True}
    assert calls[1:] == [None, None]


def test_the_json_module_may_be_replaced() -> None:
    class Own(Request):
        json_module = json

    assert given(b"NaN", "application/json", Own).json != 0


# Streams


async def test_a_stream_gives_the_pieces_as_they_come() -> None:
    client = Client([b"ab", b"", b"cd\nef", b"g"])
    request = make(receive=client, length=7)
    stream = request.stream
    assert request.stream is stream
    assert await anext(stream) == b"ab"
    assert client.taken == 1
    assert await stream.read(1) == b"c"
    assert await stream.readline() == b"d\n"
    assert await stream.read(2) == b"ef"
    assert [chunk async for chunk in stream] == [b"g"]
    assert await stream.read() == b""
    assert await stream.readline() == b""
    assert stream.readable()


async def test_a_stream_is_counted() -> None:
    request = make([b"x" * 50] * 10, length=None)
    request.max_content_length = 120
    got = []
    with pytest.raises(HTTPException) as caught:
        async for chunk in request.stream:
            got.append(chunk)
    assert caught.value.code == 413
    assert len(got) == 2
    request.max_content_length = 1000
    assert await request.stream.read() == b"x" * 400


async def test_a_client_that_goes_away_ends_a_stream_with_an_error() -> None:
    request = make(receive=Client([b"a"], gone=True), length=10)
    with pytest.raises(ClientDisconnected):
        await request.stream.read()


async def test_an_unread_body_in_an_async_view_says_what_to_do() -> None:
    def attempts(request: Request) -> list[Callable[[], object]]:
        return [
            lambda: request.form,
            lambda: request.files,
            lambda: request.data,
            lambda: request.get_data(),
            lambda: request.get_json(force=True),
            lambda: request.values,
        ]

    request = make(b"a=1", FORM)
    for attempt in attempts(request):
        with pytest.raises(RuntimeError, match="stream=True"):
            attempt()
    with pytest.raises(RuntimeError, match="async for"):
        next(iter(request.stream))
    await request.load()
    assert request.form["a"] == "1"


async def test_what_was_streamed_is_not_loaded_again() -> None:
    request = make([b"abc", b"def"], "text/plain")
    assert await request.stream.read(2) == b"ab"
    await request.load()
    assert request.data == b"cdef"
    request = make([b"abc"], "text/plain")
    assert await request.stream.read() == b"abc"
    assert request.data == b""


def test_without_a_running_loop_access_just_loads() -> None:
    assert make([b"a=", b"1"], FORM).form["a"] == "1"
    request = make([b"ab", b"cd"], "text/plain")
    assert list(request.stream) == [b"ab", b"cd"]
    assert make([b"ab", b"cd"]).stream.read() == b"abcd"
    assert make([b"a\nb", b"c\nd"]).stream.readline() == b"a\n"


async def test_in_a_worker_thread_access_just_loads() -> None:
    def in_thread(func: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            local.thread.portal = lambda awaitable: anyio.from_thread.run(_awaited, awaitable)
            try:
                return func()
            finally:
                local.thread.portal = None

        return run

    async def _awaited(awaitable: Awaitable[Any]) -> Any:
        return await awaitable

    request = make([b"a=", b"1"], FORM)
    assert await anyio.to_thread.run_sync(in_thread(lambda: request.form["a"])) == "1"
    streamed = make([b"ab", b"cd"])
    assert await anyio.to_thread.run_sync(in_thread(lambda: list(streamed.stream))) == [
        b"ab",
        b"cd",
    ]
    limited = make(b"abc", "text/plain")
    limited.max_content_length = 2
    await limited.load()

    def raise_limit() -> bytes:
        assert code(lambda: limited.data) == 413
        limited.max_content_length = 3
        return limited.data

    assert await anyio.to_thread.run_sync(in_thread(raise_limit)) == b"abc"


async def test_the_stream_of_a_loaded_body_works_in_both_ways() -> None:
    request = make([b"ab\n", b"cd"])
    await request.load()
    stream = request.stream
    assert stream.read(1) == b"a"
    assert await stream.read(1) == b"b"
    assert stream.readline() == b"\n"
    assert list(stream) == [b"cd"]
    assert request.get_data() == b"ab\ncd"
    request = make([b"ab\n", b"cd"])
    await request.load()
    assert [chunk async for chunk in request.stream] == [b"ab\ncd"]


def test_reading_lines_does_not_copy_the_rest_each_time() -> None:
    request = given(b"x\n" * 200_000)
    lines = 0
    while request.stream.readline():
        lines += 1
    assert lines == 200_000


# What matched


def test_endpoint_and_blueprints() -> None:
    class Matched:
        endpoint = "a.b.view"

    request = given(b"")
    assert request.endpoint is request.blueprint is request.view_args is None
    assert request.blueprints == []
    request.url_rule = Matched()  # type: ignore[assignment]
    assert request.endpoint == "a.b.view"
    assert request.blueprint == "a.b"
    assert request.blueprints == ["a.b", "a"]
    Matched.endpoint = "view"
    assert request.blueprint is None
    assert request.blueprints == []


def test_a_request_is_a_context_manager_that_closes_files() -> None:
    with given(multipart(("f", b"1", "f")), MULTIPART) as request:
        file = request.files["f"]
    assert file.closed


def test_a_subclass_may_add_slots_and_methods() -> None:
    class Own(Request):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.extra = 1

        @property
        def user(self) -> str:
            return "ann"

    assert given(b"", cls=Own).user == "ann"


async def test_a_form_that_was_streamed_is_empty_and_nobodys_fault() -> None:
    request = make(multipart(("a", b"1")), MULTIPART)
    assert await request.stream.read()
    assert request.form == {}
    assert request.files == {}
