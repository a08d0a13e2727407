"""What is illegal in ASGI or HTTP/1.1 fails the test that caused it."""

from __future__ import annotations

from typing import Any

import pytest

from kolben.testing import Client, IllegalResponse, build_scope
from kolben.testing.wire import Wire

START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body"}


def answering(*messages: Any) -> Client:
    """A client of an application that sends these messages, whatever is asked."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return Client(app)


def start(status: Any = 200, *headers: Any) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: Any = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


LENGTH = (b"content-length", b"5")


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "without starting a response"),
        ([START], "before the end of its response"),
        ([START, body(b"x", more=True)], "before the end of its response"),
        ([START, START, END], "started twice"),
        ([END], "before 'http.response.start'"),
        ([START, END, END], "after the end"),
        ([START, END, START], "after the end"),
        ([start(200, LENGTH), body(b"abcdef")], "longer than its Content-Length"),
        ([start(200, LENGTH), body(b"abc")], "shorter than its Content-Length"),
        ([start(200, LENGTH), body(b"abc", more=True), body(b"def")], "longer"),
        ([start(200, (b"content-length", b"x")), END], "Content-Length"),
        ([start(200, LENGTH, (b"content-length", b"6")), END], "Content-Length"),
        ([start(204), body(b"x")], "status 204 must not have a body"),
        ([start(304), body(b"x")], "status 304 must not have a body"),
        ([start(205), body(b"x")], "status 205 must not have a body"),
        ([start(204, (b"content-length", b"0")), END], "must not have b'content-length'"),
        ([start(204, (b"transfer-encoding", b"chunked")), END], "must not have b'transfer"),
        ([start(100), END], "100"),
        ([start("200"), END], "'200' is not an int"),
        ([start(200, (b"x-a", b"1\nset-cookie: a=b")), END], "header value"),
        ([start(200, (b"x-a", b"1\r\n")), END], "header value"),
        ([start(200, (b"x-a", b"\0")), END], "header value"),
        ([start(200, (b"x a", b"1")), END], "header name"),
        ([start(200, (b"", b"1")), END], "header name"),
        ([start(200, (b"X-A", b"1")), END], "lower case"),
        ([start(200, ("x-a", "1")), END], "must be bytes"),
        ([start(200, (b"x-a",)), END], "is not a pair"),
        ([{**START, "headers": {b"a": b"b"}}, END], "not pairs of bytes"),
        ([START, body("text")], "is not bytes"),
        ([START, {"type": "websocket.accept"}], "not a message of an HTTP response"),
        ([START, "message"], "not a message of an HTTP response"),
        ([START, {"type": "http.response.pathsend", "path": "/"}], "not a message"),
    ],
)
def test_an_illegal_response_fails_the_test(messages: Any, complaint: str) -> None:
    client = answering(*messages)
    with pytest.raises(IllegalResponse, match=complaint):
        client.get("/", buffered=True)
    client.close()


def test_a_body_for_head_is_illegal() -> None:
    with pytest.raises(IllegalResponse, match="HEAD must not have a body"):
        answering(START, body(b"x")).head("/")


def test_the_message_names_the_request() -> None:
    with pytest.raises(IllegalResponse, match=r"^Illegal response to POST /a b: "):
        answering().post("/a%20b")


@pytest.mark.parametrize(
    ("method", "messages"),
    [
        ("GET", [start(200, LENGTH), body(b"abc", more=True), body(b"de")]),
        ("GET", [START, body(b"")]),
        ("GET", [{"type": "http.response.start", "status": 200}, END]),
        ("GET", [start(200, (b"content-length", b"0")), END]),
        ("HEAD", [start(200, LENGTH), END]),
        ("GET", [start(304, LENGTH), END]),
        ("GET", [start(204), END]),
        ("GET", [start(205, (b"content-length", b"0")), END]),
        ("GET", [start(599), END]),
        ("GET", [start(200, (b"x-a", "ü".encode("latin-1")), (b"x-a", b"")), END]),
    ],
)
def test_legal_responses_pass(method: str, messages: Any) -> None:
    response = answering(*messages).open(method=method)
    assert response.status_code == messages[0]["status"]


def test_an_application_that_swallows_the_error_fails_the_test_all_the_same() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(END)
        except AssertionError:
            await send(START)
            await send(END)

    with pytest.raises(IllegalResponse, match=r"before 'http\.response\.start'"):
        Client(app).get("/")


@pytest.mark.parametrize("version", ["1.0", "1.1", "2", "3"])
def test_every_version_of_the_protocol_can_be_spoken(version: str) -> None:
    response = answering(START, body(b"ab", more=True), body(b"c")).get("/", http_version=version)
    assert response.data == b"abc"
    assert response.request.scope["http_version"] == version


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Length", "abc")],
        [("Content-Length", "1"), ("Content-Length", "2")],
        [("Host", "a"), ("Host", "b")],
        [("Transfer-Encoding", "gzip")],
    ],
)
def test_an_illegal_request_reaches_the_application(headers: Any) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])
        await send(start(400))
        await send(END)

    assert Client(app).post("/", headers=headers).status_code == 400
    for name, value in headers:
        assert (name.lower().encode(), value.encode()) in seen


def test_a_method_that_is_no_token_is_refused() -> None:
    with pytest.raises(ValueError, match="not a token"):
        answering(START, END).open("/", method="A B")


def test_files_can_be_sent_by_path_where_the_extension_is_offered(tmp_path: Any) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"x" * 100_000)
    message = {"type": "http.response.pathsend", "path": str(file)}
    client = answering(start(200, (b"content-length", b"100000")), message)
    offered = {"http.response.pathsend": {}}
    assert client.get("/", extensions=offered).data == b"x" * 100_000
    file.write_bytes(b"short")
    with pytest.raises(IllegalResponse, match="shorter"):
        client.get("/", extensions=offered)


def test_a_client_that_expects_100_is_told_to_continue_once() -> None:
    scope, _ = build_scope(None, method="POST", data=b"abc", headers={"Expect": "100-continue"})
    wire = Wire(scope)
    assert wire.expects_continue
    wire.send_continue()
    assert not wire.expects_continue
    wire.feed(START)
    wire.feed(END)
    wire.end()
