"""What ends a view: a redirect, an error, a response made of parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import quote

from markupsafe import escape

from ..context import current, require_app
from ..exceptions import abort as _abort
from ..http.urls import encode_location
from ..json import jsonify as _jsonify
from ..wrappers import Response

#: :func:`kolben.json.jsonify`, which stands on a floor that does not know the response's type.
jsonify: Callable[..., Response] = _jsonify


def redirect(location: str, code: int = 302, Response: type[Response] | None = None) -> Response:  # noqa: N803
    """A response that sends the client to another URL.

    A relative location stays relative. Control characters, spaces and backslashes are
    percent-encoded, so that a location from outside can neither add a header nor pass as a path
    and lead to another host; whether the *host* of such a location is wanted, ask
    :func:`is_safe_redirect`.

    :param location: The URL; characters outside ASCII are encoded.
    :param code: 301, 302, 303, 305, 307 or 308.
    :param Response: The class to use where no application is active; the application's
        ``redirect`` method uses its ``response_class``.
    :source: Flask: the same. RFC 9110, section 10.2.2.
    """
    ctx = current.get(None)
    if ctx is not None:
        return ctx.app.redirect(location, code=code)
    return build_redirect(location, code, Response)


def build_redirect(
    location: str, code: int = 302, response_class: type[Response] | None = None
) -> Response:
    """What ``Kolben.redirect`` does; see :func:`redirect`."""
    try:
        location = encode_location(str(location))
    except ValueError:
        # A host that cannot be parsed, most likely from a client: nothing to fail over.
        location = quote(str(location), safe="%!#$&'()*+,/:;=?@~")
    shown = escape(location)
    response = (response_class or Response)(
        "<!doctype html>\n<html lang=en>\n<title>Redirecting</title>\n<h1>Redirecting</h1>\n"
        f'<p>The page is at <a href="{shown}">{shown}</a>.</p>\n',
        code,
        mimetype="text/html",
    )
    response.headers["Location"] = location
    return response


def abort(code: int | Response, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the HTTP error of a status code, or end the request with a finished response.

    :param code: The status code, or a response.
    :param args: Passed to the error, as are ``kwargs``; the first is its description.
    :raises HTTPException: always.
    :raises LookupError: if the code is not that of an error.
    :source: Flask: the same; ``app.aborter`` decides.
    """
    ctx = current.get(None)
    if ctx is not None:
        ctx.app.aborter(code, *args, **kwargs)
    _abort(code, *args, **kwargs)


def make_response(*args: Any) -> Response:
    """A response object of anything that a view may return.

    .. code-block:: python

        response = make_response(render_template("index.html"), 201)
        response.headers["X-Parachutes"] = "parachutes are cool"

    :param args: Nothing: an empty response. One value: as the view would return it. More: the
        parts of the tuple that the view would return.
    :source: Flask: the same.
    """
    app = require_app().app
    if not args:
        return app.response_class()
    return app.make_response(args[0] if len(args) == 1 else args)
