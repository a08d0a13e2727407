"""Reading forms: what was typed, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping

Values = dict[str, str]
Errors = dict[str, str]

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,29}")
PASSWORD_MIN = 8
PASSWORD_MAX = 200
TITLE_MAX = 120
BODY_MAX = 50_000
COMMENT_MAX = 2_000
ALT_MAX = 200


def read(form: Mapping[str, str], *names: str) -> Values:
    """Return the named fields, without the space around them, empty where they are missing.

    Halves of characters, which JSON can hold and no database can store, become question marks.
    """
    values = {name: form.get(name, "").replace("\r\n", "\n").strip() for name in names}
    return {name: value.encode(errors="replace").decode() for name, value in values.items()}


def check_registration(username: str, password: str) -> Errors:
    """Say what is wrong with a new name and password, field by field."""
    errors: Errors = {}
    if not username:
        errors["username"] = "Choose a name; it is shown beside what you write."
    elif not USERNAME.fullmatch(username):
        errors["username"] = "Use 2 to 30 letters, digits, hyphens or underscores."
    if len(password) < PASSWORD_MIN:
        errors["password"] = f"Use at least {PASSWORD_MIN} characters."
    elif len(password) > PASSWORD_MAX:
        errors["password"] = f"Use at most {PASSWORD_MAX} characters."
    return errors


def _check_text(errors: Errors, values: Values, name: str, missing: str, limit: int) -> None:
    if not values[name]:
        errors[name] = missing
    elif len(values[name]) > limit:
        errors[name] = f"Shorten this to {limit:,} characters; it has {len(values[name]):,}."


def check_post(values: Values) -> Errors:
    """Say what is wrong with a post's ``title``, ``body`` and ``image_alt``."""
    errors: Errors = {}
    _check_text(errors, values, "title", "Give the post a title.", TITLE_MAX)
    _check_text(errors, values, "body", "Write something first.", BODY_MAX)
    if len(values["image_alt"]) > ALT_MAX:
        errors["image_alt"] = f"Shorten this to {ALT_MAX} characters."
    return errors


def check_comment(values: Values) -> Errors:
    """Say what is wrong with a comment's ``body``."""
    errors: Errors = {}
    _check_text(errors, values, "body", "Write a comment first.", COMMENT_MAX)
    return errors
