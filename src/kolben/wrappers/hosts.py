"""Which host a message was sent to, and whether to believe it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..exceptions import SecurityError
from ..http.urls import uri_to_iri

if TYPE_CHECKING:
    from collections.abc import Sequence

# RFC 3986, section 3.2.2, without user information, percent-encoding and IPvFuture, which no
# client sends in a Host header.
_HOST = re.compile(
    r"(?P<name>[a-z0-9_.\-]{1,255}|\[[a-f0-9:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII | re.IGNORECASE,
)
_STANDARD_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}
# https://url.spec.whatwg.org/#url-path-segment-string, and what is percent-encoded already
_PATH_SAFE = "!$&'()*+,/:;=@%"
_QUERY_SAFE = "!$&'()*+,/:;=?@%"


def split_host(host: str) -> tuple[str, int | None] | None:
    """The name and port of a Host header's value; ``None`` if it is not well-formed.

    >>> split_host("Example.org:8080")
    ('example.org', 8080)
    >>> split_host("example.org/..") is None
    True

    :return: The name in lower case (an IPv6 address in its brackets), the port if one is given.
    :source: RFC 9110, section 7.2.
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return None
    name, digits = match["name"].lower(), match["port"]
    if name[0] == "[" and ":" not in name:
        return None
    if digits is None:
        return name, None
    port = int(digits)
    return (name, port) if 0 < port <= 65535 else None


def host_is_trusted(host: str | None, trusted: Collection[str] | str | None = None) -> bool:
    """Whether a Host header's value is well-formed and one of the trusted names.

    >>> host_is_trusted("api.example.org:8080", [".example.org"])
    True

    :param host: ``name`` or ``name:port``.
    :param trusted: Names; one that starts with a dot, or with ``*.``, means the name and all
        below it. A port in them plays no part. ``None`` or empty: every well-formed host is
        trusted.
    :source: Werkzeug: the same, but letters' case makes no difference.
    """
    found = split_host(host) if host else None
    if found is None:
        return False
    if not trusted:
        return True
    name = found[0]
    for reference in [trusted] if isinstance(trusted, str) else trusted:
        below = reference.startswith((".", "*."))
        wanted = _ascii_name(reference.partition(".")[2] if below else reference)
        if wanted and (name == wanted or (below and name.endswith(f".{wanted}"))):
            return True
    return False


def _ascii_name(reference: str) -> str:
    # The port goes, but not the groups of an IPv6 address.
    name, _, port = reference.rpartition(":")
    if not name or not port.isdigit() or (":" in name and name[-1] != "]"):
        name = reference
    if name.isascii():
        return name.lower()
    try:
        return name.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def get_host(
    scheme: str,
    host_headers: Sequence[str],
    server: tuple[str, int | None] | None = None,
    trusted_hosts: Collection[str] | None = None,
) -> str:
    """The ``host`` or ``host:port`` that a request was made to.

    It is that of the Host header; without one (HTTP/1.0), and if no trusted hosts are set,
    the address of the server. The scheme's standard port is left out.

    :param host_headers: The values of all Host headers.
    :param server: ``(name, port)`` or, for a Unix socket, ``(path, None)``.
    :return: ``""`` if nothing is known.
    :raises SecurityError: a 400, if the value is malformed or not trusted, if there are two
        Host headers, or if there is none although only some hosts are trusted.
    """
    if len(host_headers) > 1:
        raise SecurityError("The request has more than one Host header.")
    host = host_headers[0].strip() if host_headers else ""
    if not host:
        if trusted_hosts:
            raise SecurityError("The request has no Host header.")
        if host_headers or server is None or server[1] is None:
            return ""
        name = f"[{server[0]}]" if ":" in server[0] and server[0][0] != "[" else server[0]
        host = f"{name}:{server[1]}"
    host = host.removesuffix(_STANDARD_PORTS.get(scheme, "\0"))
    if not host_is_trusted(host, trusted_hosts):
        raise SecurityError(f"The host {host[:100]!r} is not trusted.")
    return host


def get_current_url(
    scheme: str,
    host: str,
    root_path: str | None = None,
    path: str | None = None,
    query_string: bytes | None = None,
) -> str:
    """Put a URL together again, as an IRI; parts after the first ``None`` are left out.

    >>> get_current_url("https", "example.org", "/app", "/café", b"a=1")
    'https://example.org/app/café?a=1'
    """
    url = f"{scheme}://{host}/"
    if root_path is not None:
        if root := quote(root_path.strip("/"), safe=_PATH_SAFE):
            url += f"{root}/"
        if path is not None:
            url += quote(path.lstrip("/"), safe=_PATH_SAFE)
            if query_string:
                url += "?" + quote(query_string, safe=_QUERY_SAFE)
    return uri_to_iri(url)
