"""What a template sees beside the values that its view passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..context import Context, current
from ..globals import session
from ..local import wait


def default_template_context() -> dict[str, Any]:
    """The context processor that every application has: ``g``, ``request``, ``session``."""
    ctx = current.get(None)
    if ctx is None:
        return {}
    if ctx.request is None:
        return {"g": ctx.g}
    # The proxy: a template that does not look at the session does not open it.
    return {"g": ctx.g, "request": ctx.request, "session": session}


def _processors(app: Any, ctx: Context | None) -> list[Callable[[], Any]]:
    processors: Mapping[str | None, list[Callable[[], Any]]] = app.template_context_processors
    found = list(processors.get(None, ()))
    if len(processors) > 1 and ctx is not None and ctx.request is not None:
        for name in reversed(ctx.request.blueprints):
            found.extend(processors.get(name, ()))
    return found


def _merge(context: dict[str, Any], values: Any, processor: Any) -> None:
    try:
        context.update(values)
    except (TypeError, ValueError):
        name = getattr(processor, "__qualname__", repr(processor))
        raise TypeError(
            f"The context processor {name} must return a dictionary, but it returned {values!r}."
        ) from None


def update_template_context(app: Any, context: dict[str, Any]) -> None:
    """What ``Kolben.update_template_context`` does: add what context processors give.

    The application's processors come first, then those of the request's blueprints, outermost
    first; the values that ``context`` came with win over all.

    :param context: The values that a view passed to its template; changed in place.
    :source: Flask: the same.
    """
    own = context.copy()
    for processor in _processors(app, current.get(None)):
        values = processor()
        if type(values) is not dict and hasattr(values, "__await__"):
            values = wait(values)
        _merge(context, values, processor)
    context.update(own)


async def update_awaiting(app: Any, context: dict[str, Any]) -> None:
    """:func:`update_template_context` for templates that await."""
    own = context.copy()
    for processor in _processors(app, current.get(None)):
        values = processor()
        if type(values) is not dict and hasattr(values, "__await__"):
            values = await values
        _merge(context, values, processor)
    context.update(own)
