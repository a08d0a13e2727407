"""What protects forms and pages: CSRF tokens and response headers."""

from __future__ import annotations

import secrets

from markupsafe import Markup

from kolben import Kolben, Response, abort, request, session

POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' blob:",  # blob: is the preview of a picture before its upload
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def csrf_token() -> str:
    """Return the visitor's token; the session keeps it."""
    if "csrf_token" not in session:
        session["csrf_token"] = secrets.token_urlsafe(24)
    return str(session["csrf_token"])


def csrf_field() -> Markup:
    """Return the hidden field that every form with ``method="post"`` needs."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(csrf_token())


def check_csrf_token() -> None:
    """Refuse a form that does not come from one of the blog's own pages.

    JSON is let through: a browser sends it to another site only after that site agreed.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"} or request.is_json:
        return
    given = request.form.get("csrf_token", "")
    known = session.get("csrf_token", "")
    if not known or not secrets.compare_digest(given.encode(), known.encode()):
        abort(400, "This form is too old, or it comes from somewhere else. Go back and try again.")


def add_headers(response: Response) -> Response:
    """Let pages load nothing from elsewhere, and be framed nowhere."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


def init_app(app: Kolben) -> None:
    """Protect every form of an application, and give templates ``csrf_field()``."""
    app.before_request(check_csrf_token)
    app.after_request(add_headers)
    app.add_template_global(csrf_field)
