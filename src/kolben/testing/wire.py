"""What an application sends, held against ASGI and against HTTP/1.1.

:class:`Wire` takes ASGI messages in and gives the parts of a response out. In between, the
response really becomes bytes: h11 in the server's role writes them, refusing what is not
legal, and h11 in the client's role reads them back. No I/O happens here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import h11

#: Room for the head of any request that a test may want to send.
_MAX_HEAD = 1 << 24


class IllegalResponse(AssertionError):
    """The application answered with something that is not legal ASGI or HTTP/1.1.

    The message names what was wrong. No client would have understood the response, or two
    clients would have understood it differently, so the test that caused it fails.
    """


class Wire:
    """The connection between a test client and an application, for one request.

    :param scope: The ASGI scope of the request.
    """

    def __init__(self, scope: dict[str, Any]) -> None:
        self.method: str = scope["method"]
        self.target: str = scope["path"]
        self.extensions: dict[str, Any] = scope.get("extensions") or {}
        self.server, self.client = _connect(scope)
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False

    @property
    def expects_continue(self) -> bool:
        """Whether the client holds its body back until it is told to continue."""
        return self.status is None and self.server.they_are_waiting_for_100_continue

    def send_continue(self) -> None:
        """What a server does when the application begins to read the body."""
        self._transfer(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))

    def feed(self, message: Any) -> list[bytes]:
        """Take one message of the application.

        :return: The parts of the body that a client has read now.
        :raises IllegalResponse: if the message, or the response it is part of, is not legal.
        """
        kind = message.get("type") if isinstance(message, dict) else None
        if self.complete:
            raise self._illegal(f"{kind!r} was sent after the end of the response")
        if kind == "http.response.start":
            self._start(message)
            return []
        if kind == "http.response.pathsend" and kind in self.extensions:
            return self._path(message)
        if kind == "http.response.body":
            return self._body(message)
        raise self._illegal(f"{message!r} is not a message of an HTTP response")

    def end(self) -> None:
        """The application has returned.

        :raises IllegalResponse: if its response is missing or not complete.
        """
        if self.status is None:
            raise self._illegal("the application returned without starting a response")
        if not self.complete:
            raise self._illegal(
                "the application returned before the end of its response: the last"
                " 'http.response.body' still said more_body=True, or there was none"
            )

    def _start(self, message: dict[str, Any]) -> None:
        if self.status is not None:
            raise self._illegal("the response was started twice")
        status = message.get("status")
        if not isinstance(status, int) or isinstance(status, bool):
            raise self._illegal(f"the status {status!r} is not an int")
        self.headers = self._check_headers(status, message.get("headers", ()))
        self.status = int(status)
        try:
            event = h11.Response(status_code=self.status, headers=self.headers)
        except h11.ProtocolError as error:
            raise self._illegal(f"{error}; status {status}, headers {self.headers}") from error
        self._transfer(event)

    def _check_headers(self, status: int, headers: Any) -> list[tuple[bytes, bytes]]:
        if not isinstance(headers, Iterable) or isinstance(headers, (str, bytes, dict)):
            raise self._illegal(f"the headers {headers!r} are not pairs of bytes")
        pairs = list(headers)
        for pair in pairs:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise self._illegal(f"the header {pair!r} is not a pair")
            name, value = pair
            if not isinstance(name, bytes) or not isinstance(value, bytes):
                raise self._illegal(f"name and value of the header {pair!r} must be bytes")
            if name != name.lower():
                raise self._illegal(f"ASGI wants the header name {name!r} in lower case")
            # RFC 9110, section 8.6, and RFC 9112, section 6.1; h11 lets these two pass.
            if (status < 200 or status == 204) and name in (
                b"content-length",
                b"transfer-encoding",
            ):
                raise self._illegal(f"a response with status {status} must not have {name!r}")
        return [(name, value) for name, value in pairs]

    def _body(self, message: dict[str, Any]) -> list[bytes]:
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.status is None:
            raise self._illegal("a body was sent before 'http.response.start'")
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise self._illegal(f"the body {body!r} is not bytes")
        if body and self.status == 205:  # RFC 9110, section 15.3.6
            raise self._illegal("a response with status 205 must not have a body")
        chunks = self._transfer(h11.Data(data=bytes(body))) if body else []
        if not more:
            chunks += self._finish()
        return chunks

    def _path(self, message: dict[str, Any]) -> list[bytes]:
        if self.status is None:
            raise self._illegal("a file was sent before 'http.response.start'")
        chunks: list[bytes] = []
        with open(message["path"], "rb") as file:
            while data := file.read(65536):
                chunks += self._transfer(h11.Data(data=data))
        return chunks + self._finish()

    def _finish(self) -> list[bytes]:
        chunks = self._transfer(h11.EndOfMessage())
        self.complete = True
        if self.server.our_state is h11.MUST_CLOSE:  # the end of the connection ends the body
            self.client.receive_data(b"")
            chunks += self._read()
        return chunks

    def _transfer(self, event: Any) -> list[bytes]:
        try:
            data = self.server.send(event)
            if data:
                self.client.receive_data(data)
            return self._read()
        except h11.ProtocolError as error:
            raise self._illegal(self._explain(event, error)) from error

    def _read(self) -> list[bytes]:
        data = bytearray()
        while True:
            event = self.client.next_event()
            if isinstance(event, h11.Data):
                data += event.data
            elif (
                event is h11.NEED_DATA
                or event is h11.PAUSED
                or isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed))
            ):
                break
        return [bytes(data)] if data else []

    def _explain(self, event: Any, error: h11.ProtocolError) -> str:
        if isinstance(event, h11.Data):
            if self.method == "HEAD":
                return f"a response to HEAD must not have a body ({error})"
            if self.status in (204, 304):
                return f"a response with status {self.status} must not have a body ({error})"
            return f"the body is longer than its Content-Length ({error})"
        if isinstance(event, h11.EndOfMessage):
            return f"the body is shorter than its Content-Length ({error})"
        return str(error)

    def _illegal(self, what: str) -> IllegalResponse:
        return IllegalResponse(f"Illegal response to {self.method} {self.target}: {what}.")


def _connect(scope: dict[str, Any]) -> tuple[h11.Connection, h11.Connection]:
    """Both ends of a connection on which the head of the request has been sent."""
    version = b"1.0" if scope["http_version"] == "1.0" else b"1.1"
    method = scope["method"].encode("latin-1", "replace")
    target = scope["raw_path"] or b"/"
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    headers = list(scope["headers"])
    if not any(name == b"host" for name, _ in headers):
        headers.insert(0, (b"host", b"localhost"))
    framing = [pair for pair in headers if pair[0] in (b"connection", b"expect")]
    # A test may send what no server would let through, an invalid Content-Length for example,
    # to see what the application makes of it. The response is checked all the same.
    for attempt in ((target, headers), (b"/", [(b"host", b"localhost"), *framing])):
        server, client = (
            h11.Connection(h11.SERVER, _MAX_HEAD),
            h11.Connection(h11.CLIENT, _MAX_HEAD),
        )
        try:
            server.receive_data(_dump_head(method, version, *attempt))
            server.next_event()
            client.send(h11.Request(method=method, target=attempt[0], headers=attempt[1]))
        except h11.ProtocolError:
            continue
        return server, client
    raise ValueError(f"The method {scope['method']!r} is not a token, or a header is not legal.")


def _dump_head(
    method: bytes, version: bytes, target: bytes, headers: list[tuple[bytes, bytes]]
) -> bytes:
    lines = [b"%s %s HTTP/%s" % (method, target, version)]
    lines += [b"%s: %s" % pair for pair in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"
