"""Tools for tests: the test client, requests without a server, a runner for commands."""

from __future__ import annotations

from .cli_runner import CliRunner
from .client import Client
from .cookies import Cookie
from .exchange import Disconnected
from .redirects import ClientRedirectError
from .request_builder import RequestBuilder, build_scope
from .response import TestResponse
from .session import SessionTransaction
from .wire import IllegalResponse

__all__ = [
    "CliRunner",
    "Client",
    "ClientRedirectError",
    "Cookie",
    "Disconnected",
    "IllegalResponse",
    "RequestBuilder",
    "SessionTransaction",
    "TestResponse",
    "build_scope",
]
