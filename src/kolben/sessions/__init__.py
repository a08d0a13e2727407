"""Sessions: what the server remembers of a client from one request to the next.

The default keeps the data itself in a signed cookie: the client can read it, but not change it.
Signature and format are Flask's, so that a session begun with one goes on with the other. For
another store, write a :class:`SessionInterface` and assign it to ``app.session_interface``.
"""

from __future__ import annotations

from .data import NullSession, SecureCookieSession, SessionMixin
from .interface import SessionInterface
from .signed_cookie import SecureCookieSessionInterface, session_json_serializer

__all__ = [
    "NullSession",
    "SecureCookieSession",
    "SecureCookieSessionInterface",
    "SessionInterface",
    "SessionMixin",
    "session_json_serializer",
]
