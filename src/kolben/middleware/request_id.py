"""A name for each request, to find its lines in the logs of every service that it passed."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from ..http.syntax import is_token

if TYPE_CHECKING:
    from .._types import ASGIApp, Message, Receive, Scope, Send

_current: ContextVar[str | None] = ContextVar("kolben.request_id", default=None)

# What UUIDs, ULIDs, base64 and the trace ids of clouds are written in. It holds nothing that
# could end a line of a log, or a value in one.
_is_well_formed = re.compile(r"[A-Za-z0-9._~:;=+/@\-]{1,128}").fullmatch

_ANSWERS = frozenset(("http.response.start", "websocket.accept", "websocket.http.response.start"))


def request_id() -> str | None:
    """The id of the request that is being served; ``None`` outside of one.

    Works in views and hooks of either colour, and in whatever they call.
    """
    return _current.get()


class RequestIDFilter(logging.Filter):
    """Gives each log record a ``request_id``; ``-`` for those from outside a request.

    Add it to a handler, not to a logger, so that it sees the records of all loggers:

    .. code-block:: python

        handler.addFilter(RequestIDFilter())
        handler.setFormatter(logging.Formatter("%(request_id)s %(levelname)s %(message)s"))
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the id on a record; every record passes."""
        record.request_id = _current.get() or "-"
        return True


class RequestID:
    """Give each request an id, and send it back with the response.

    It stands in ``scope["kolben.request_id"]`` and is what :func:`request_id` returns. Responses
    of every kind carry it, error pages and accepted websockets too. Below an application that
    gave the request an id, that one is kept.

    .. code-block:: python

        app.add_middleware(RequestID, trust=True)

    :param app: The ASGI application.
    :param header: The field that carries the id, in requests and in responses.
    :param trust: Whether a request's own id is used, as it should be behind a proxy that sets
        one; or a function that takes the id and says so. An id of more than 128 characters, or
        with others than letters, digits and ``._~:;=+/@-``, never is.
    :param generate: Makes a new id; the same limits hold for it.
    :raises ValueError: if the header's name, or an id that ``generate`` made, is not valid.
    """

    settings: ClassVar[Mapping[str, str]] = {
        "header": "REQUEST_ID_HEADER",
        "trust": "REQUEST_ID_TRUST",
        "generate": "REQUEST_ID_GENERATE",
    }
    runs_inline: ClassVar[bool] = True

    def __init__(
        self,
        app: ASGIApp,
        header: str = "X-Request-ID",
        trust: bool | Callable[[str], bool] = False,
        generate: Callable[[], str] | None = None,
    ) -> None:
        if not is_token(header):
            raise ValueError(f"{header!r} cannot be the name of a header.")
        self.app = app
        self._header = header.lower().encode("ascii")
        self._trust = trust
        self._generate = generate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket") or "kolben.request_id" in scope:
            return await self.app(scope, receive, send)
        found = self._sent_id(scope) or self._new_id()
        header = self._header
        pair = (header, found.encode("ascii"))

        async def send_with_id(message: Message) -> None:
            if message["type"] in _ANSWERS:
                headers = [item for item in message.get("headers") or () if item[0] != header]
                headers.append(pair)
                message = {**message, "headers": headers}
            await send(message)

        # Not a token: a server may end the response in another context than it began in.
        before = _current.get()
        _current.set(found)
        try:
            await self.app({**scope, "kolben.request_id": found}, receive, send_with_id)
        finally:
            _current.set(before)

    def _sent_id(self, scope: Scope) -> str | None:
        """The id that the request brought, if it brought one that may be used."""
        trust = self._trust
        if not trust:
            return None
        values = [value for name, value in scope["headers"] if name == self._header]
        if len(values) != 1:
            return None
        sent: str = values[0].decode("latin-1")
        if _is_well_formed(sent) is None or not (trust is True or trust(sent)):
            return None
        return sent

    def _new_id(self) -> str:
        if self._generate is None:
            return uuid4().hex
        made = self._generate()
        if _is_well_formed(made) is None:
            raise ValueError(
                f"The function that generates request ids returned {made!r}. An id has 1 to 128"
                " characters: letters, digits and ._~:;=+/@- only."
            )
        return made
