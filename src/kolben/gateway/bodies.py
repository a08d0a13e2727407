"""Sending responses: each kind of body in the way that suits it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..pipeline.convert import ApplicationResponse
from ..wrappers.body import FileBody
from .disconnects import deliver, undisturbed

if TYPE_CHECKING:
    from .._types import Message, Send
    from ..context import Kolben
    from ..wrappers import Request, Response

_end: Any = object()


async def send_streamed(app: Kolben, request: Request, send: Send, response: Response) -> None:
    """Send a response whose body is not complete in memory."""
    body: Any = response.response
    if isinstance(response, ApplicationResponse):
        await _send_application(request, send, response)
    elif isinstance(body, FileBody):
        await _send_file(app, request, send, response, body)
    elif hasattr(body, "__aiter__"):
        await _send_async_iterable(send, response, body)
    else:
        await _send_iterable(app, request, send, response, body)


async def _send_application(request: Request, send: Send, response: ApplicationResponse) -> None:
    """Let another ASGI application answer, with the response's headers added to its own."""
    extra = response.headers.to_asgi()

    async def send_with_headers(message: Message) -> None:
        if extra and message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await deliver(send, message)

    await response.application(request.scope, request._receive, send_with_headers)


async def _send_async_iterable(send: Send, response: Response, body: Any) -> None:
    iterator = body.__aiter__()
    try:
        await deliver(send, head_of(response))
        async for chunk in iterator:
            await deliver(send, piece(chunk))
        await deliver(send, last())
    finally:
        if (close := getattr(iterator, "aclose", None)) is not None:
            await undisturbed(close)


async def _send_iterable(
    app: Kolben, request: Request, send: Send, response: Response, body: Any
) -> None:
    """Send what a plain iterator gives; each step of it runs in a worker thread."""
    lane, worker = app.file_lane, request.scope.get("kolben.worker")
    iterator = iter(body)
    await deliver(send, head_of(response))
    step: Callable[..., Any] = next
    while (chunk := await lane.run(step, iterator, _end, worker=worker)) is not _end:
        await deliver(send, piece(chunk))
    await deliver(send, last())


async def _send_file(
    app: Kolben, request: Request, send: Send, response: Response, body: FileBody
) -> None:
    """Send a file: by its name where the server can, else read in a worker thread."""
    if body.path is not None and "http.response.pathsend" in (
        request.scope.get("extensions") or ()
    ):
        await deliver(send, head_of(response))
        await deliver(send, {"type": "http.response.pathsend", "path": body.path})
        return
    lane = app.file_lane
    chunk = await lane.run(body.read)  # opens it, before anything is promised to the client
    await deliver(send, head_of(response))
    while chunk:
        await deliver(send, piece(chunk))
        chunk = await lane.run(body.read)
    await deliver(send, last())


def head_of(response: Response) -> Message:
    """The message that begins a response."""
    return {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": response.asgi_headers(),
    }


def piece(chunk: str | bytes) -> Message:
    """A message with a part of a body."""
    body = chunk.encode() if isinstance(chunk, str) else chunk
    return {"type": "http.response.body", "body": body, "more_body": True}


def last() -> Message:
    """The message that ends a body. A new one each time: middleware may write into it."""
    return {"type": "http.response.body", "body": b""}
