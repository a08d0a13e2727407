"""What stands between a server and an application: ASGI middleware for deployments.

.. code-block:: python

    from kolben.middleware import ProxyFix

    app.add_middleware(ProxyFix, x_for=1, x_proto=1)
"""

from __future__ import annotations

from ..helpers.nonces import csp_nonce
from .cors import CORS, cors
from .gzip import GZip
from .https_redirect import HTTPSRedirect
from .proxy_fix import ProxyFix
from .request_id import RequestID, RequestIDFilter, request_id
from .security_headers import SecurityHeaders
from .timeout import Deadline, Timeout
from .trusted_hosts import TrustedHosts

__all__ = [
    "CORS",
    "Deadline",
    "GZip",
    "HTTPSRedirect",
    "ProxyFix",
    "RequestID",
    "RequestIDFilter",
    "SecurityHeaders",
    "Timeout",
    "TrustedHosts",
    "cors",
    "csp_nonce",
    "request_id",
]
