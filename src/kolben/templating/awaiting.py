"""Rendering a template that may itself await."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import jinja2

from .. import signals
from ..context import current, require_app
from ..helpers import stream_with_context
from .plain import NameOrList
from .variables import update_awaiting


async def _render_awaiting(app: Any, template: jinja2.Template, context: dict[str, Any]) -> str:
    await update_awaiting(app, context)
    await signals.send_async(
        signals.before_render_template, app, template=template, context=context
    )
    if template.environment.is_async:
        text = await template.render_async(context)
    else:  # a template object that was compiled without `await`
        text = template.render(context)
    await signals.send_async(signals.template_rendered, app, template=template, context=context)
    return text


async def render_template_async(template_name_or_list: NameOrList, **context: Any) -> str:
    """Render a template that may await: asynchronous functions, methods, filters, iterators.

    Asynchronous context processors are awaited too.

    .. code-block:: python

        @app.get("/feed")
        async def feed():
            return await render_template_async("feed.html", load_posts=load_posts)

    :param template_name_or_list: As for :func:`render_template`.
    :param context: As for :func:`render_template`.
    :source: Kolben's own.
    """
    app = require_app().app
    env = app.jinja_env.awaiting
    return await _render_awaiting(app, env.get_or_select_template(template_name_or_list), context)


async def render_template_string_async(source: str, **context: Any) -> str:
    """Render the text of a template that may await; see :func:`render_template_async`."""
    app = require_app().app
    return await _render_awaiting(app, app.jinja_env.awaiting.from_source(source), context)


async def _generate_awaiting(
    app: Any, template: jinja2.Template, context: dict[str, Any]
) -> AsyncIterator[str]:
    if template.environment.is_async:
        async for chunk in template.generate_async(context):
            yield chunk
    else:
        for chunk in template.generate(context):
            yield chunk
    await signals.send_async(signals.template_rendered, app, template=template, context=context)


async def _stream_awaiting(
    app: Any, template: jinja2.Template, context: dict[str, Any]
) -> AsyncIterator[str]:
    await update_awaiting(app, context)
    await signals.send_async(
        signals.before_render_template, app, template=template, context=context
    )
    chunks = _generate_awaiting(app, template, context)
    ctx = current.get(None)
    return chunks if ctx is None or ctx.request is None else stream_with_context(chunks)


async def stream_template_async(
    template_name_or_list: NameOrList, **context: Any
) -> AsyncIterator[str]:
    """Render a template that may await, piece by piece.

    Awaited itself, so that a missing template or a failing context processor is an error of the
    view, and not of a response that has begun.

    .. code-block:: python

        @app.get("/feed")
        async def feed():
            return await stream_template_async("feed.html", posts=posts())

    :return: An asynchronous iterator of text that a view can return.
    :source: Kolben's own; see :func:`render_template_async`.
    """
    app = require_app().app
    env = app.jinja_env.awaiting
    return await _stream_awaiting(app, env.get_or_select_template(template_name_or_list), context)


async def stream_template_string_async(source: str, **context: Any) -> AsyncIterator[str]:
    """Render the text of a template that may await, piece by piece."""
    app = require_app().app
    return await _stream_awaiting(app, app.jinja_env.awaiting.from_source(source), context)
