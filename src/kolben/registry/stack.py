"""ASGI middleware: records of what was added, and the stack that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..helpers.places import calling_place

if TYPE_CHECKING:
    from .._types import ASGIApp


class MiddlewareRecord(NamedTuple):
    """One middleware that was added.

    :ivar factory: Its class; called with the application around which it goes.
    :ivar place: The line of the user's code that added it.
    """

    factory: Callable[..., ASGIApp]
    options: dict[str, Any]
    place: str


def make_record(factory: Callable[..., ASGIApp], options: dict[str, Any]) -> MiddlewareRecord:
    """A record of what a user adds.

    :raises TypeError: for what is not a class or function.
    """
    if not callable(factory):
        raise TypeError(
            f"add_middleware takes a class, and its options as keyword arguments, not {factory!r}."
        )
    return MiddlewareRecord(factory, options, calling_place())


def build_stack(
    records: list[MiddlewareRecord], inner: ASGIApp, config: Mapping[str, Any]
) -> ASGIApp:
    """Put each middleware around those before it, the first around ``inner``.

    An option that was not given is taken from the configuration, where the middleware's
    ``settings`` name a key for it.
    """
    application = inner
    for factory, options, place in records:
        settings: Mapping[str, str] = getattr(factory, "settings", {})
        configured = {name: config[key] for name, key in settings.items() if key in config}
        try:
            application = factory(application, **{**configured, **options})
        except Exception as error:
            error.add_note(f"The middleware was added at {place}.")
            raise
    return application


def runs_inline(records: list[MiddlewareRecord]) -> bool:
    """Whether none of them awaits anything but what it is given, and so needs no event loop."""
    return all(getattr(record.factory, "runs_inline", False) for record in records)
