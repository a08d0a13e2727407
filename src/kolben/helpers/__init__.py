"""What a view calls: URLs, redirects, errors, messages, streams that keep their request.

The functions that user code imports find the current context themselves; the ones that the
application's methods of the same meaning call (:func:`build_url`, :func:`build_redirect`,
:func:`inject_url_defaults`, :func:`handle_url_build_error`) are given the application.
"""

from __future__ import annotations

from ..http.urls import is_safe_redirect
from .binding import bind_url_map
from .messages import flash, get_flashed_messages
from .places import find_instance_path, find_package, get_root_path, place_of
from .responses import abort, build_redirect, jsonify, make_response, redirect
from .streams import stream_with_context
from .surroundings import get_debug_flag, get_load_dotenv
from .urls import build_url, handle_url_build_error, inject_url_defaults, url_for

__all__ = [
    "abort",
    "bind_url_map",
    "build_redirect",
    "build_url",
    "find_instance_path",
    "find_package",
    "flash",
    "get_debug_flag",
    "get_flashed_messages",
    "get_load_dotenv",
    "get_root_path",
    "handle_url_build_error",
    "inject_url_defaults",
    "is_safe_redirect",
    "jsonify",
    "make_response",
    "place_of",
    "redirect",
    "stream_with_context",
    "url_for",
]
