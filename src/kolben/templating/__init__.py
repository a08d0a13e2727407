"""Templates: Jinja2 with the application's folders, its context, and both colours of function.

A view of either colour calls the plain functions. In them an ``async def`` context processor,
filter, test, global or method is run to its end through :func:`kolben.local.wait`. The
functions whose names end in ``_async`` compile the template a second time, in an environment of
its own, so that the template itself can await.
"""

from __future__ import annotations

from .awaiting import (
    render_template_async,
    render_template_string_async,
    stream_template_async,
    stream_template_string_async,
)
from .environment import Environment, create_jinja_environment
from .loading import DispatchingJinjaLoader
from .plain import (
    get_template_attribute,
    render_template,
    render_template_string,
    stream_template,
    stream_template_string,
)
from .variables import default_template_context, update_template_context

__all__ = [
    "DispatchingJinjaLoader",
    "Environment",
    "create_jinja_environment",
    "default_template_context",
    "get_template_attribute",
    "render_template",
    "render_template_async",
    "render_template_string",
    "render_template_string_async",
    "stream_template",
    "stream_template_async",
    "stream_template_string",
    "stream_template_string_async",
    "update_template_context",
]
