"""The shapes of ASGI.

:source: ASGI specification 3.0, HTTP & WebSocket and Lifespan message formats.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
#: A header as ASGI has it: lower-case name and value, latin-1.
RawHeader: TypeAlias = tuple[bytes, bytes]
