"""Rendering by a plain call, from a view of either colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jinja2

from .. import signals
from ..context import current, require_app
from ..helpers import stream_with_context
from ..local import wait

NameOrList = str | jinja2.Template | list[str | jinja2.Template]


def _render(app: Any, template: jinja2.Template, context: dict[str, Any]) -> str:
    app.update_template_context(context)
    signals.send(signals.before_render_template, app, template=template, context=context)
    if template.environment.is_async:
        text = wait(template.render_async(context))
    else:
        text = template.render(context)
    signals.send(signals.template_rendered, app, template=template, context=context)
    return text


def render_template(template_name_or_list: NameOrList, **context: Any) -> str:
    """Render a template.

    :param template_name_or_list: A name, a template object, or a list of them, of which the
        first that exists is used.
    :param context: What the template sees, beside what context processors add.
    :raises TemplateNotFound: if there is none.
    :raises RuntimeError: where no application is active; or in an ``async def`` view, if
        something in the template has to wait: use :func:`render_template_async` there.
    :source: Flask: the same.
    """
    app = require_app().app
    return _render(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def render_template_string(source: str, **context: Any) -> str:
    """Render the text of a template; see :func:`render_template`.

    >>> from kolben import Kolben, render_template_string
    >>> with Kolben("__main__").app_context():
    ...     render_template_string("Hello {{ name }}", name="<Ada>")
    'Hello &lt;Ada&gt;'
    """
    app = require_app().app
    return _render(app, app.jinja_env.from_source(source), context)


def _generate(app: Any, template: jinja2.Template, context: dict[str, Any]) -> Iterator[str]:
    if template.environment.is_async:
        chunks = template.generate_async(context)
        while True:
            try:
                yield wait(chunks.__anext__())
            except StopAsyncIteration:
                break
    else:
        yield from template.generate(context)
    signals.send(signals.template_rendered, app, template=template, context=context)


def _stream(app: Any, template: jinja2.Template, context: dict[str, Any]) -> Iterator[str]:
    app.update_template_context(context)
    signals.send(signals.before_render_template, app, template=template, context=context)
    chunks = _generate(app, template, context)
    ctx = current.get(None)
    return chunks if ctx is None or ctx.request is None else stream_with_context(chunks)


def stream_template(template_name_or_list: NameOrList, **context: Any) -> Iterator[str]:
    """Render a template piece by piece; see :func:`render_template`.

    :return: An iterator of text that a view can return; the request stays available while it
        is being read.
    :source: Flask: the same.
    """
    app = require_app().app
    return _stream(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def stream_template_string(source: str, **context: Any) -> Iterator[str]:
    """Render the text of a template piece by piece; see :func:`stream_template`."""
    app = require_app().app
    return _stream(app, app.jinja_env.from_source(source), context)


def get_template_attribute(template_name: str, attribute: str) -> Any:
    """A macro, or a variable, that a template exports.

    .. code-block:: python

        hello = get_template_attribute("_cider.html", "hello")
        return hello("World")

    :raises AttributeError: if the template has no such name at its top level.
    :source: Flask: the same.
    """
    return getattr(require_app().app.jinja_env.get_template(template_name).module, attribute)
