"""What stands between a server and an application: ASGI middleware for deployments.

.. code-block:: python

    from kolben.middleware import ProxyFix

    app.add_middleware(ProxyFix, x_for=1, x_proto=1)
"""

from __future__ import annotations

from .https_redirect import HTTPSRedirect
from .proxy_fix import ProxyFix
from .request_id import RequestID, RequestIDFilter, request_id
from .trusted_hosts import TrustedHosts

__all__ = [
    "HTTPSRedirect",
    "ProxyFix",
    "RequestID",
    "RequestIDFilter",
    "TrustedHosts",
    "request_id",
]
