"""HTTP over WSGI, by the same pipeline.

A route on which nothing is asynchronous runs from start to end in the thread that the server
gave to the request. Whatever else there may be — asynchronous views, middleware, mounted
applications — is an ASGI application that :class:`Driven` drives by hand, in the same thread if
it never has to wait, and else over the process's one event loop.

:source: PEP 3333.
"""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    MutableMapping,
)
from contextvars import copy_context
from functools import partial
from types import coroutine
from typing import TYPE_CHECKING, Any

from ..context import Context, current
from ..exceptions import ClientDisconnected
from ..http.headers import HTTP_STATUS_CODES
from ..local import drive, running_backend
from ..pipeline.convert import ApplicationResponse
from ..wrappers.request_fields import PLAIN_TYPES
from .bridge import over_loop
from .environ import PIECE, Environ, EnvironScope, Input, input_of

if TYPE_CHECKING:
    from .._types import ASGIApp, Message, RawHeader, Receive, Scope, Send
    from ..context import Kolben
    from ..wrappers import Request, Response
    from .asgi import Gateway

StartResponse = Callable[..., Any]

new = object.__new__
new_scope: Any = dict.__new__
STATUS_LINES = {code: f"{code} {phrase}" for code, phrase in HTTP_STATUS_CODES.items()}
#: Field names as most servers and clients write them.
TITLES = {
    name.encode(): name.title()
    for name in (
        "accept-ranges allow cache-control content-disposition content-encoding content-language"
        " content-length content-location content-range content-type date etag expires"
        " last-modified link location retry-after server set-cookie vary"
    ).split()
} | {b"etag": "ETag", b"www-authenticate": "WWW-Authenticate"}
#: What only the server may send; PEP 3333, "Other HTTP Features".
HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
CHUNKED = "HTTP_TRANSFER_ENCODING"
PATHSEND = "http.response.pathsend"
#: What of a response WSGI has a place for.
MESSAGES = frozenset(("http.response.start", "http.response.body", PATHSEND))
#: Bytes that a server's file wrapper reads at once.
BLOCK = 64 * 1024


def status_line(status: int) -> str:
    """The status as WSGI wants it: with a phrase."""
    return STATUS_LINES.get(status) or f"{status} Unknown"


def line_of(status: int, response: Response | None) -> str:
    """The status as WSGI wants it, with the phrase that was chosen for it, if one was."""
    if response is not None and "_status" in response.__dict__ and response.status_code == status:
        return response.status
    return status_line(status)


def wsgi_headers(headers: Iterable[RawHeader]) -> list[tuple[str, str]]:
    """Header fields as WSGI wants them."""
    return [
        (TITLES.get(name) or name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name not in HOP_BY_HOP
    ]


#: The types of text and JSON, as they are usually sent.
TYPES = {
    text.encode(): text
    for text in ("text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json")
}


def serve_outer(
    gateway: Gateway,
    app: Kolben,
    application: ASGIApp | None,
    environ: Environ,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Answer one request to an application with something around its routes.

    :param application: The middleware, and what is around ``asgi_app``; ``None`` where there are
        mounts alone.
    """
    scope = EnvironScope(environ)
    if application is None:
        mount = None if gateway.mounts is None else gateway.mounts.find(app, scope)
        if mount is None:
            return copy_context().run(answer, gateway, app, environ, start_response)
        if mount.wsgi is not None:
            return mount.wsgi(environ, start_response)
        application = partial(over_loop, mount)
    return drive_app(application, app, scope, start_response)


def answer(
    gateway: Gateway, app: Kolben, environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer one request: :meth:`Gateway.http`, in this thread.

    To be run in a copy of the context variables, so that the thread's next request does not see
    what this one does to them.
    """
    ctx: Context = new(Context)
    ctx.app = app
    scope = ctx.scope = new_scope(EnvironScope)
    scope.environ = environ
    ctx._request = ctx.rule = ctx.plan = ctx.view_args = ctx.token = ctx.watcher = None
    ctx.held = ctx.unfinished = False
    path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
    body = ctx.receive = None
    if method != "GET" or "CONTENT_LENGTH" in environ or CHUNKED in environ:
        body = ctx.receive = input_of(environ)
    plans = gateway.plans.get(path)
    root = environ.get("SCRIPT_NAME")
    if plans is not None and method in plans and not root:
        plan = plans[method]
        ctx.rule = plan.rule
    else:
        plain = not root and is_plain(path, environ)
        plan = gateway.find_plan(ctx, scope, path if plain else scope["path"], method, plain)
    if plan.inline is None:
        return drive_app(partial(over_loop, partial(gateway.http, app)), app, scope, start_response)
    plan = ctx.plan = plan.inline
    token = ctx.token = current.set(ctx)
    run = plan.run  # in a variable, as in Gateway.http
    try:
        if body is not None:
            load(gateway, ctx, body)
        for _ in run(ctx).__await__():  # it never waits, and a loop ends without an exception
            raise RuntimeError("A request without an event loop had to wait for one.")
    except ClientDisconnected:
        return gone(start_response)
    except BaseException:
        if body is not None:
            ctx.request.close()  # type: ignore[union-attr]
        raise
    finally:
        current.reset(token)
    made: Any = ctx.answer
    content: Any
    if made.__class__ is tuple:
        content, (_, content_type) = made
        start_response(
            "200 OK",
            [
                ("Content-Type", TYPES.get(content_type) or content_type.decode("latin-1")),
                ("Content-Length", str(len(content))),
            ],
        )
        must_end = ctx.held
    else:
        try:
            headers, content = made.to_asgi()
        except Exception as error:  # there is a field that cannot be sent
            end(gateway, ctx, error)
            raise
        if content is None:
            return drive_app(sender(gateway, ctx), app, scope, start_response, body, made)
        start_response(line_of(made.status_code, made), wsgi_headers(headers))
        must_end = ctx.held or made.must_be_closed()
    if method == "HEAD":
        content = b""
    if must_end or (body is not None and ctx._request.has_files()):  # type: ignore[attr-defined]
        return Closing(content, partial(end, gateway, ctx))
    return (content,)


def load(gateway: Gateway, ctx: Context, body: Input) -> None:
    """Load the request's body, unless its route leaves that to the view.

    :raises ClientDisconnected: if the client went away before it was complete.
    """
    request: Any = ctx.request
    request._announced = length = body.length
    content_type = body.content_type
    if content_type in PLAIN_TYPES:  # then no header has to be looked at
        request._content_type = content_type, {}
    if ctx.plan.stream:
        return
    own = request._has_own_limits
    limit = request.max_content_length if own else ctx.plan.limits.max_content_length
    if gateway.loads_plainly and 0 < length <= PIECE and (limit is None or length <= limit):
        request._body = body.read_whole()
    else:
        drive(request.load())


def is_plain(path: str, environ: Environ) -> bool:
    """Whether a path without a prefix can be matched as it is: nothing in it was encoded."""
    uri: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "%2"
    return path[:1] == "/" and path[1:2] != "/" and path.isascii() and "%2" not in uri


def end(gateway: Gateway, ctx: Context, error: Exception | None = None) -> None:
    """Close what a response had open that was complete, or could not be sent."""
    try:
        drive(gateway.end(ctx, error))
    finally:
        ctx.request.close()  # type: ignore[union-attr]


def sender(gateway: Gateway, ctx: Context) -> ASGIApp:
    """What sends a response that is not complete in memory: an ASGI application of its own."""

    async def send_streamed(scope: Scope, receive: Receive, send: Send) -> None:
        request: Request = ctx.request  # type: ignore[assignment]
        request.scope, request._receive, ctx.receive = scope, receive, receive
        ctx.scope = scope
        try:
            await gateway.send_streamed(ctx, send, running_backend() is None)
        except ClientDisconnected:
            return
        finally:
            request.close()

    body = ctx.answer.raw_body()  # type: ignore[union-attr]
    if isinstance(body, AsyncIterable) or isinstance(ctx.answer, ApplicationResponse):
        return partial(over_loop, send_streamed)
    return send_streamed


def drive_app(
    application: ASGIApp,
    app: Kolben,
    scope: EnvironScope,
    start_response: StartResponse,
    body: Input | None = None,
    response: Response | None = None,
) -> Iterable[bytes]:
    """Let an ASGI application answer, driven by hand in this thread.

    :param application: Awaits nothing but what it is given.
    :param app: For the message of an error.
    :param body: The request's, if somebody has begun to read it.
    :param response: What is sent, where that is known.
    """
    body = body or input_of(scope.environ) or Input(scope.environ, 0, 0)
    driven = Driven(application(scope, body, hand_out))
    head = driven.next()
    if head is None:
        if not body.broken:
            raise RuntimeError(f"{app!r} gave no response to {scope['path']!r}.")
        return gone(start_response)
    # An error up to here is the server's to answer: nothing has been promised yet.
    first = driven.next()
    line = line_of(head["status"], response)
    try:
        sends_file = first is not None and first["type"] == PATHSEND
        file = SentFile(first["path"], driven) if sends_file else None  # type: ignore[index]
        start_response(line, wsgi_headers(head.get("headers", ())))
    except BaseException:
        driven.close()
        raise
    if file is None:
        return DrivenBody(driven, first)
    body_of_file: Iterable[bytes] = scope.environ["wsgi.file_wrapper"](file, BLOCK)
    return body_of_file


def gone(start_response: StartResponse) -> Iterable[bytes]:
    """Answer a client that has left."""
    start_response("400 Bad Request", [("Content-Length", "0")])
    return ()


@coroutine
def hand_out(message: Message) -> Generator[Message, None, None]:
    """What a driven application has for ``send``: whoever drives it gets the message."""
    yield message


class Driven:
    """An ASGI application that is run from one of its messages to the next.

    :param coro: The application's coroutine. Each step of it sees the context variables that the
        steps before have left.
    """

    def __init__(self, coro: Awaitable[None]) -> None:
        self.coro: Coroutine[Any, Any, None] = coro  # type: ignore[assignment]
        self.variables = copy_context()
        self.over = False

    def next(self) -> Message | None:
        """The next message of the response; ``None`` when there are no more."""
        while not self.over:
            try:
                message = self.variables.run(self.coro.send, None)
            except StopIteration:
                self.over = True
                break
            except BaseException:
                self.over = True
                raise
            if not isinstance(message, MutableMapping):
                self.close()
                raise RuntimeError(
                    "A middleware that says 'runs_inline = True' has waited for the event loop,"
                    " which there is none of under WSGI. It may await nothing but 'app',"
                    " 'receive' and 'send'."
                )
            if message["type"] in MESSAGES:
                return message
        return None

    def close(self) -> None:
        """Stop the application where it is."""
        if not self.over:
            self.over = True
            self.variables.run(self.coro.close)


class DrivenBody:
    """The body of a driven application's response, a part for each message.

    :param first: The message after the response's head.
    """

    def __init__(self, driven: Driven, first: Message | None) -> None:
        self.driven = driven
        self.message = first
        self.complete = False

    def __iter__(self) -> DrivenBody:
        return self

    def __next__(self) -> bytes:
        if self.complete:
            raise StopIteration
        message = self.message or self.driven.next()
        self.message = None
        if message is None:
            raise RuntimeError("The application ended before its response did.")
        self.complete = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body if body.__class__ is bytes else bytes(memoryview(body))

    def close(self) -> None:
        """Let the application end: by itself if it has sent all, else as when a client leaves.

        :source: PEP 3333: a server calls this in either case.
        """
        if self.complete:
            while self.driven.next() is not None:
                pass
        self.driven.close()


class SentFile:
    """A file that the server sends by itself, and what has to be done after that."""

    def __init__(self, path: str, driven: Driven) -> None:
        self.driven = driven
        self.file = open(path, "rb", buffering=0)  # noqa: SIM115 - the server closes it
        self.read = self.file.read
        self.fileno = self.file.fileno
        self.seek, self.tell = self.file.seek, self.file.tell

    def close(self) -> None:
        """Close the file, and let the application end."""
        self.file.close()
        while self.driven.next() is not None:
            pass


class Closing:
    """A body that is complete, after which something has to be done."""

    def __init__(self, body: bytes, end: Callable[[], None]) -> None:
        self.body = body
        self.end: Callable[[], None] | None = end
        self.variables = copy_context()

    def __iter__(self) -> Iterator[bytes]:
        return iter((self.body,))

    def __len__(self) -> int:
        return 1

    def close(self) -> None:
        """Do it, once."""
        end, self.end = self.end, None
        if end is not None:
            self.variables.run(end)
