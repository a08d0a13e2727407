"""Where an application's URLs are, as a request or the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import SecurityError
from ..routing import MapAdapter
from ..routing.paths import route_path
from ..wrappers import Request

if TYPE_CHECKING:
    from ..context import Kolben

_DEFAULT_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


def bind_url_map(app: Kolben, request: Request | None) -> MapAdapter | None:
    """The application's URL map, bound to a request or to ``SERVER_NAME``.

    :return: ``None`` with neither.
    :raises SecurityError: if the request's host is malformed or not trusted.
    :source: Flask: the same.
    """
    config, url_map = app.config, app.url_map
    server_name: str | None = config["SERVER_NAME"]
    if request is None:
        if server_name is None:
            return None
        return url_map.bind(
            server_name,
            script_name=config["APPLICATION_ROOT"],
            url_scheme=config["PREFERRED_URL_SCHEME"],
        )
    if (trusted := config["TRUSTED_HOSTS"]) is not None:
        request.trusted_hosts = trusted
    try:
        host = request.host
    except SecurityError:
        if not isinstance(request.routing_exception, SecurityError):
            raise
        # The host was refused already, and this is the page that says so; it may have links.
        host = "localhost"
    subdomain = None
    if url_map.host_matching:
        server_name = None
    elif not app.subdomain_matching:
        subdomain = url_map.default_subdomain
    elif server_name is not None:
        subdomain = find_subdomain(host, server_name, request.scheme)
        if subdomain is None:
            # No rule has such a subdomain, so that nothing answers for a foreign host.
            subdomain = "<invalid>"
    scope = request.scope
    return url_map.bind(
        server_name or host or "localhost",
        script_name=request.root_path,
        subdomain=subdomain,
        url_scheme=request.scheme,
        default_method=request.method,
        path_info=route_path(request.path, scope.get("raw_path"), request.root_path),
        query_args=request.query_string.decode("latin-1"),
    )


def find_subdomain(host: str, server_name: str, scheme: str) -> str | None:
    """What stands before the server's name in a host; ``None`` for a foreign host.

    >>> find_subdomain("api.example.org:80", "example.org", "http")
    'api'
    """
    port = _DEFAULT_PORTS.get(scheme, "")
    host = host.lower().removesuffix(port)
    server_name = server_name.lower().removesuffix(port)
    if host == server_name:
        return ""
    if host.endswith(f".{server_name}"):
        return host[: -len(server_name) - 1]
    return None
