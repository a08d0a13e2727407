"""A middleware's own answer, where it does not pass a request on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._types import Receive, Scope, Send
    from ..wrappers import Response


async def answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request in the application's place, or refuse a websocket.

    A websocket is refused with the response where the server can send one, otherwise it is
    closed with code 1008 before it was accepted, which the client sees as a 403.

    :param response: One whose body is complete.
    :source: ASGI specification 3.0, Websocket Denial Response extension.
    """
    headers, body = response.to_asgi()
    prefix = "http"
    if scope["type"] == "websocket":
        await receive()  # the message that asks to connect
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        prefix = "websocket.http"
    elif scope["method"] == "HEAD":
        body = b""
    await send(
        {"type": f"{prefix}.response.start", "status": response.status_code, "headers": headers}
    )
    await send({"type": f"{prefix}.response.body", "body": body or b""})
