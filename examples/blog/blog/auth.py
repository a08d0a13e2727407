"""Accounts: ``def`` views, each of which has a worker thread for its slow password digest."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from kolben import Blueprint, flash, g, redirect, render_template, request, session, url_for
from kolben.http.urls import is_safe_redirect
from kolben.typing import ResponseReturnValue

from . import forms, queries
from .db import connection, database, one
from .passwords import NOBODY, check_password, hash_password

P = ParamSpec("P")

bp = Blueprint("auth", __name__, url_prefix="/auth")

#: What looks the same to everybody, so that shared caches may keep it.
IMPERSONAL = {"static", "posts.image"}


@bp.before_app_request
async def load_user() -> None:
    """Set ``g.user`` to the row of whoever is logged in, before every view of either colour."""
    g.user = None
    if request.endpoint in IMPERSONAL:
        return
    if (user_id := session.get("user_id")) is not None:
        g.user = await database().fetch_one(queries.USER, user_id)


def ask_to_log_in(target: str) -> ResponseReturnValue:
    """Send the visitor to the login form, and from there to ``target``."""
    flash("Log in first, please.", "info")
    return redirect(url_for("auth.login", next=target))


def login_required(
    view: Callable[P, ResponseReturnValue],
) -> Callable[P, ResponseReturnValue]:
    """Let only logged-in visitors see a ``def`` view; the others are asked to log in."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if g.user is None:
            return ask_to_log_in(request.path)
        return view(*args, **kwargs)

    return guarded


def _start_session(user_id: int) -> None:
    session.clear()  # also the CSRF token: what was known before the login is worth nothing now
    session["user_id"] = user_id


def _next_page() -> str:
    target = request.args.get("next", "")
    return target if is_safe_redirect(target, request.host) else url_for("posts.index")


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """Create an account, and log in with it."""
    if request.method == "GET":
        return render_template("auth/register.html", form={}, errors={})
    username = request.form.get("username", "").strip()
    password = request.form.get("password", "")
    errors = forms.check_registration(username, password)
    if not errors:
        try:
            with connection() as db:
                added = db.execute(queries.ADD_USER, (username, hash_password(password)))
        except sqlite3.IntegrityError:
            errors["username"] = "This name is taken."
        else:
            _start_session(added.lastrowid or 0)
            flash(f"Welcome, {username}!", "success")
            return redirect(_next_page())
    page = render_template("auth/register.html", form={"username": username}, errors=errors)
    return page, 422


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Log in, and go on to ``?next=`` when that is a page of this blog."""
    if request.method == "GET":
        return render_template("auth/login.html", form={}, errors={})
    username = request.form.get("username", "").strip()
    user = one(connection(), queries.USER_BY_NAME, username)
    stored = user["password"] if user else NOBODY
    if check_password(stored, request.form.get("password", "")) and user:
        _start_session(user["id"])
        flash(f"Good to see you again, {user['username']}.", "success")
        return redirect(_next_page())
    errors = {"form": "Name and password do not match."}
    return render_template("auth/login.html", form={"username": username}, errors=errors), 422


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """Forget who was logged in."""
    session.clear()
    flash("You are logged out.", "info")
    return redirect(url_for("posts.index"))
