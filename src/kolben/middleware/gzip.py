"""Compressed responses."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Iterable, Mapping
from functools import lru_cache, partial
from typing import ClassVar

from .._types import ASGIApp, Message, RawHeader, Receive, Scope, Send
from ..http.datastructures.sets import unquote_etag
from ..http.etags import parse_etags
from ..http.headers import parse_accept_header
from ..local import running_backend
from .fields import find_field, with_vary

#: A piece that is larger takes milliseconds to compress, and is not compressed on the event loop.
LARGE = 128 * 1024

# Fields of a response that must stay what it is: it is encoded already, a part of something, or
# has a checksum of what it is now.                     RFC 9110, sections 8.4 and 14.4; RFC 9530
_FINAL = frozenset(
    (
        b"content-digest",
        b"content-encoding",
        b"content-md5",
        b"content-range",
        b"digest",
        b"repr-digest",
    )
)
# What is true of the response before it is compressed, and not after. A part of what is
# compressed cannot be asked for, since the same bytes are not made again for sure.
_REPLACED = frozenset((b"accept-ranges", b"content-length", b"etag"))
# Without a body, or with a part of one.
_WITHOUT = frozenset((204, 205, 206, 304))

_FAMILIES = ("audio", "image", "video")
_COMPRESSED = frozenset(
    (
        "application/epub+zip",
        "application/font-woff",
        "application/font-woff2",
        "application/gzip",
        "application/java-archive",
        "application/octet-stream",  # nobody knows, and it is mostly a download
        "application/pdf",
        "application/vnd.rar",
        "application/x-7z-compressed",
        "application/x-brotli",
        "application/x-bzip",
        "application/x-bzip2",
        "application/x-compress",
        "application/x-gzip",
        "application/x-rar-compressed",
        "application/x-xz",
        "application/x-zip-compressed",
        "application/zip",
        "application/zstd",
        "font/woff",
        "font/woff2",
        "multipart/x-mixed-replace",
        "text/event-stream",  # tiny events, which have to arrive
    )
)
# Office documents, which are archives.
_ARCHIVES = ("application/vnd.openxmlformats-", "application/vnd.oasis.opendocument.")
# What hands a file to the server, whose content does not come by here.
_BY_FILE = ("http.response.pathsend", "http.response.zerocopysend")


@lru_cache(256)
def accepts_gzip(accept_encoding: bytes) -> bool:
    """Whether a client likes gzip, and likes it no less than the content as it is.

    >>> accepts_gzip(b"gzip;q=0.5, br"), accepts_gzip(b"gzip;q=0, *")
    (True, False)

    :param accept_encoding: Raw field value.
    :source: RFC 9110, sections 8.4.1.3 and 12.5.3.
    """
    text = accept_encoding.decode("latin-1").lower().replace("x-gzip", "gzip")
    accept = parse_accept_header(text)
    quality = accept.quality("gzip")
    return quality > 0 and quality >= accept.quality("identity")


@lru_cache(256)
def is_compressible(content_type: bytes) -> bool:
    """Whether content of a type becomes smaller, as far as is known.

    >>> is_compressible(b"image/svg+xml"), is_compressible(b"image/png")
    (True, False)

    :param content_type: Raw field value; without one, compressing is worth trying.
    """
    mimetype = content_type.decode("latin-1").partition(";")[0].strip(" \t").lower()
    if mimetype.partition("/")[0] in _FAMILIES:
        return mimetype.endswith("+xml")
    return not (
        mimetype in _COMPRESSED or mimetype.endswith("+zip") or mimetype.startswith(_ARCHIVES)
    )


class GZip:
    """Compresses responses for the clients that accept it.

    .. code-block:: python

        app.add_middleware(GZip, minimum_size=1000)

    What a stream yields is compressed and sent at once. A response stays as it is if it is
    short, has a ``Content-Encoding``, a ``Content-Range`` or a checksum, is of a type that is
    compressed already, is an event stream, or says ``Cache-Control: no-transform``. Since other
    bytes are sent, a strong entity tag becomes a weak one. A client that sends that back gets its
    304 all the same.

    Where an event loop runs, pieces of more than 128 KiB are compressed in a worker thread.

    :param app: The application.
    :param minimum_size: Bytes that a body must have, where its length is known. Setting
        ``GZIP_MINIMUM_SIZE``.
    :param level: 1 (fast) to 9 (small). Setting ``GZIP_LEVEL``.
    :raises ValueError: if the level is none.
    :source: RFC 9110, sections 8.4, 8.8.3.3 and 12.5.3; RFC 1952.
    """

    settings: ClassVar[Mapping[str, str]] = {
        "minimum_size": "GZIP_MINIMUM_SIZE",
        "level": "GZIP_LEVEL",
    }
    runs_inline: ClassVar[bool] = True

    def __init__(self, app: ASGIApp, *, minimum_size: int = 500, level: int = 6) -> None:
        if not 1 <= level <= 9:
            raise ValueError(
                f"level={level!r} is no level of compression; give one from 1 (fast) to 9 (small)."
            )
        self.app = app
        self.minimum_size = max(minimum_size, 1)
        self.level = level

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and compress what comes back."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        value = find_field(scope["headers"], b"accept-encoding")
        accepted = value is not None and accepts_gzip(value)
        # A body that goes from the file to the client would not be compressed.
        extensions = scope.get("extensions")
        if accepted and extensions and any(name in extensions for name in _BY_FILE):
            left = {name: extensions[name] for name in extensions if name not in _BY_FILE}
            scope = {**scope, "extensions": left}
        exchange: _Exchange | None = None

        def send_on(message: Message) -> Awaitable[None]:  # no coroutine of its own
            nonlocal exchange
            if exchange is not None:
                return exchange.send(message)
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                if message["status"] in _WITHOUT:
                    if message["status"] == 304:
                        message = {**message, "headers": _unchanged(scope, headers)}
                elif may_compress(headers, self.minimum_size):
                    if accepted:
                        exchange = _Exchange(self, scope, send)
                        return exchange.send(message)
                    message = {**message, "headers": with_vary(headers, b"Accept-Encoding")}
            return send(message)

        await self.app(scope, receive, send_on)


def may_compress(headers: Iterable[RawHeader], minimum_size: int) -> bool:
    """Whether a response is one that is compressed for the clients that accept it.

    >>> may_compress([(b"content-type", b"text/plain"), (b"content-length", b"2")], 500)
    False

    :param headers: Those of the response; without a length, it may be any.
    """
    content_type = b""
    for name, value in headers:
        if name == b"content-length":
            if int(value) < minimum_size:
                return False
        elif name == b"content-type":
            content_type = value
        elif name in _FINAL or (name == b"cache-control" and b"no-transform" in value.lower()):
            return False
    return is_compressible(content_type)


def _unchanged(scope: Scope, headers: Iterable[RawHeader]) -> list[RawHeader]:
    """The headers of a 304: those of the response that the client has."""
    known = parse_etags(_text(find_field(scope["headers"], b"if-none-match")))
    etag = find_field(headers, b"etag")
    if etag is not None and known.is_weak(unquote_etag(_text(etag))[0] or ""):
        headers = [field for field in headers if field[0] != b"etag"]
        headers.append((b"etag", _weak(etag)))
    return with_vary(headers, b"Accept-Encoding")


class _Exchange:
    """A response that is compressed, unless its body turns out to be short."""

    __slots__ = ("_send", "compressor", "head", "options", "scope")

    def __init__(self, options: GZip, scope: Scope, send: Send) -> None:
        self.options = options
        self.scope = scope
        self._send = send
        #: The message that begins the response, until it is known how its body comes.
        self.head: Message | None = None
        self.compressor: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        """Send a message of the application's on."""
        kind = message["type"]
        if kind == "http.response.start":
            self.head = message
            return None
        if kind == "http.response.body":
            if self.compressor is not None:
                return await self._send_piece(message)
            if self.head is not None:
                return await self._begin(self.head, message)
        elif self.head is not None:  # the body comes in a way that is not known here
            head, self.head = self.head, None
            headers = with_vary(head.get("headers", ()), b"Accept-Encoding")
            await self._send({**head, "headers": headers})
        await self._send(message)

    async def _begin(self, head: Message, message: Message) -> None:
        """Send the head, and the first piece of the body, which may be all of it."""
        self.head = None
        body: bytes = message.get("body", b"")
        headers: list[RawHeader] = list(head.get("headers", ()))
        complete = not message.get("more_body", False)
        reads = self.scope["method"] != "HEAD"
        if complete and reads and len(body) < self.options.minimum_size:
            await self._send(head)
            return await self._send(message)
        kept = [(name, value) for name, value in headers if name not in _REPLACED]
        if (etag := find_field(headers, b"etag")) is not None:
            kept.append((b"etag", _weak(etag)))
        kept.append((b"content-encoding", b"gzip"))
        headers = with_vary(kept, b"Accept-Encoding")
        compressor = zlib.compressobj(self.options.level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        if complete and reads:
            body = await self._compressed(compressor, body, zlib.Z_FINISH)
            headers.append((b"content-length", b"%d" % len(body)))
            message = {**message, "body": body}
        await self._send({**head, "headers": headers})
        if complete or not reads:
            return await self._send(message)
        self.compressor = compressor
        await self._send_piece(message)

    async def _send_piece(self, message: Message) -> None:
        """Compress a piece of a stream so that the client can read all of it at once."""
        body: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if body or not more:
            mode = zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH
            body = await self._compressed(self.compressor, body, mode)
            message = {**message, "body": body}
        await self._send(message)

    async def _compressed(self, compressor: zlib._Compress | None, body: bytes, mode: int) -> bytes:
        assert compressor is not None
        work = partial(_compress, compressor, body, mode)
        # Under WSGI the thread belongs to this request alone, and there may be no loop to wait on.
        if len(body) <= LARGE or "wsgi_environ" in self.scope or running_backend() is None:
            return work()
        from anyio.to_thread import run_sync  # dear to import, and seldom needed

        return await run_sync(work)


def _compress(compressor: zlib._Compress, body: bytes, mode: int) -> bytes:
    return compressor.compress(body) + compressor.flush(mode)


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("latin-1")


def _weak(etag: bytes) -> bytes:
    """An entity tag as a weak one: the same content, in other bytes. RFC 9110, section 8.8.1."""
    return etag if etag.startswith((b"W/", b"w/")) else b"W/" + etag
