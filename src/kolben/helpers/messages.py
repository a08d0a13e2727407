"""Messages that wait in the session for the next page."""

from __future__ import annotations

from typing import Any, overload

from .. import signals
from ..context import require_request


def flash(message: Any, category: str = "message") -> None:
    """Keep a message for the next request; :func:`get_flashed_messages` shows it.

    :param message: Anything that the session can hold.
    :param category: For example ``"error"``, ``"info"`` or ``"warning"``.
    :raises RuntimeError: outside a request.
    :source: Flask: the same.
    """
    ctx = require_request()
    # Assigned, not appended to: a session that does not watch its values must see the change.
    ctx.session["_flashes"] = [*ctx.session.get("_flashes", ()), (category, message)]
    signals.send(signals.message_flashed, ctx.app, message=message, category=category)


@overload
def get_flashed_messages() -> list[Any]: ...
@overload
def get_flashed_messages(
    with_categories: bool, category_filter: Any = ()
) -> list[Any] | list[tuple[str, Any]]: ...
@overload
def get_flashed_messages(
    *, with_categories: bool = False, category_filter: Any = ()
) -> list[Any] | list[tuple[str, Any]]: ...
def get_flashed_messages(
    with_categories: bool = False, category_filter: Any = ()
) -> list[Any] | list[tuple[str, Any]]:
    """Take the messages out of the session; later calls in this request see the same ones.

    :param with_categories: Give ``(category, message)`` pairs.
    :param category_filter: Only the messages of these categories; empty means all.
    :raises RuntimeError: outside a request.
    :source: Flask: the same.
    """
    ctx = require_request()
    flashes = ctx.flashes
    if flashes is None:
        found = ctx.session.pop("_flashes") if "_flashes" in ctx.session else ()
        flashes = ctx.flashes = [(category, message) for category, message in found]
    if category_filter:
        flashes = [pair for pair in flashes if pair[0] in category_filter]
    if with_categories:
        return list(flashes)
    return [message for _, message in flashes]
