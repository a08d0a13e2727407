"""What proxies say of a request, in ``X-Forwarded-*`` and ``Forwarded``, and how much is believed.

Each proxy on the way adds its value at the right end of a list, and everything to the left of the
values that trusted proxies have added may come from the client. So values are counted from the
right, and read from the right: nothing that stands further left can change how a trusted value is
read.

:source: RFC 7239.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from ..http.syntax import unquote_header_value
from ..wrappers.hosts import split_host

# Some proxies say of a websocket that its scheme is ws or wss.
_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_STANDARD_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}

# A list's item, read backwards. A quoted string begins at a quote that no backslash stands
# before, as one always does before a quote inside of it; RFC 9110, section 5.6.4.
_reversed_item = re.compile(r'(?:[^",]++|"(?:[^"]++|"\\)*+")*+', re.DOTALL)

# forwarded-pair = token "=" value; value = token / quoted-string.     RFC 7239, section 4
# Hosts with ports, and addresses with them, are often sent without the quotes that they need.
_forwarded_pair = re.compile(
    r'[ \t]*+(?:([!#$%&\'*+\-.^_`|~0-9A-Za-z]++)=("(?:[^"\\]++|\\.)*+"|[^";,\s]++)[ \t]*+)?(?:;|\Z)',
    re.DOTALL,
)

# node = nodename [ ":" node-port ]                                    RFC 7239, section 6
_node = re.compile(
    r"(?:\[([0-9A-Fa-f:.]++)\]|([0-9.]++))(?::(?:([0-9]{1,5})|_[\w.\-]++))?",
    re.ASCII,
)
_port = re.compile(r"[0-9]{1,5}", re.ASCII)
# No segment is empty, so that no prefix can be taken for a host: //example.org
_prefix = re.compile(r"(?:/[^/\\?#\x00-\x20\x7f]++)*+/?")


def nth_from_right(value: str, count: int) -> str | None:
    """An item of a comma-separated list, counted from its right end, without quotes around it.

    Quoted strings are read from the right too, so that no quote further left, where a client
    may have put it, changes what the item is. Empty items count.

    >>> nth_from_right("198.51.100.7, 203.0.113.9", 1)
    '203.0.113.9'
    >>> nth_from_right('for="[', 1), nth_from_right("a", 2)
    (None, None)

    :param value: Raw field value; several fields of one name joined with commas.
    :param count: 1 for the last item.
    :return: ``None`` if there are fewer items, or if a quoted string on the way has no
        beginning.
    """
    if '"' not in value:
        items = value.rsplit(",", count)
        return items[-count].strip(" \t") if len(items) >= count else None
    backwards = value[::-1]
    start = end = -1
    for _ in range(count):
        if end == len(backwards):
            return None
        start = end + 1
        item = _reversed_item.match(backwards, start)
        end = start if item is None else item.end()
        if backwards.startswith('"', end):
            return None
    return unquote_header_value(backwards[start:end][::-1].strip(" \t"))


def parse_forwarded(element: str) -> dict[str, str]:
    """The parameters of one element of a ``Forwarded`` field.

    >>> parse_forwarded('for="[2001:db8::1]:4711";proto=https')
    {'for': '[2001:db8::1]:4711', 'proto': 'https'}

    :return: Values without their quotes, names in lower case. Nothing at all if the element is
        malformed or a parameter occurs twice: part of it may have been smuggled in.
    :source: RFC 7239, section 4.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(element):
        pair = _forwarded_pair.match(element, position)
        if pair is None:
            return {}
        position = pair.end()
        if pair[1] is not None:
            name = pair[1].lower()
            if name in found:
                return {}
            found[name] = unquote_header_value(pair[2])
    return found


def _parse_node(node: str) -> tuple[str, int] | None:
    """Address and port (0 if it is not known) of a client; ``None`` if it gives no address."""
    address, number = node, 0
    if node.count(":") == 1 or node[:1] == "[":  # more colons without brackets: IPv6 alone
        match = _node.fullmatch(node)
        if match is None:
            return None
        six, four, port = match.groups()
        address, number = six or four, int(port or 0)
        if number > 65535 or (six and ":" not in six):
            return None
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.inet_pton(family, address)
    except (OSError, ValueError):  # "unknown", "_hidden", a name, or anything else
        return None
    return address, number


def _parse_scheme(value: str) -> str | None:
    return _SCHEMES.get(value.lower())


def _parse_host(value: str) -> str | None:
    return value if split_host(value) is not None else None


def parse_port(value: str) -> int | None:
    """A port between 1 and 65535; ``None`` if the text is none."""
    if _port.fullmatch(value) is None:
        return None
    return int(value) if 0 < int(value) <= 65535 else None


def _parse_prefix(value: str) -> str | None:
    if not value.isascii():
        return None
    try:
        decoded = unquote(value, errors="strict")
    except UnicodeDecodeError:
        return None
    if not decoded or _prefix.fullmatch(decoded) is None:
        return None
    return decoded.rstrip("/")


class Found:
    """What trusted proxies say of a request; ``None`` is what they say nothing of."""

    client: tuple[str, int] | None = None
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    prefix: str | None = None

    def address(
        self, host: str | None, name: str | None, port: int | None, scheme: str
    ) -> tuple[str | None, str | None, int]:
        """The Host field, and the server's name and port, as the client knows them.

        :param host: What the request's own Host field says.
        :param name: The server's name.
        :param port: The server's port; ``None`` if it has none.
        :param scheme: Of the request, as the client made it.
        """
        if self.host is not None:
            host = self.host
            name, own_port = split_host(host) or (name, None)
            port = own_port or port
        if self.port is not None:
            port = self.port
            if host is not None and (parts := split_host(host)) is not None:
                host = f"{parts[0]}:{port}"
        return host, name, port or _STANDARD_PORTS.get(scheme, 80)


#: For each field what of :class:`Found` it says, and the parser of its values.
_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "x-forwarded-for": ("client", _parse_node),
    "x-forwarded-proto": ("scheme", _parse_scheme),
    "x-forwarded-host": ("host", _parse_host),
    "x-forwarded-port": ("port", parse_port),
    "x-forwarded-prefix": ("prefix", _parse_prefix),
}
#: The fields that parameters of Forwarded stand for.
_PARAMETERS = {"for": "x-forwarded-for", "proto": "x-forwarded-proto", "host": "x-forwarded-host"}


class Trust:
    """How many values of each field are trusted, and what they say."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            if count < 0:
                raise ValueError(
                    f"ProxyFix was given {count} as the number of proxies that set {name}; it is"
                    " 0 or more."
                )
        self._counts = {name: count for name, count in counts.items() if count}
        self.fields = {name.encode(): name for name in self._counts}
        self.environ_keys = {
            f"HTTP_{name.upper().replace('-', '_')}": name for name in self._counts
        }

    def read(self, values: Mapping[str, str]) -> Found | None:
        """What the trusted values of some fields say; ``None`` if that is nothing.

        :param values: The whole value of each field that there is, by lower-case name.
        """
        found = Found()
        said: dict[str, str] = {}
        for name, value in values.items():
            item = nth_from_right(value, self._counts[name])
            if item is None:
                continue
            if name == "forwarded":
                said = parse_forwarded(item)
                continue
            part, parse = _FIELDS[name]
            if (parsed := parse(item)) is not None:
                setattr(found, part, parsed)
        for parameter, item in said.items():
            if parameter in _PARAMETERS:
                part, parse = _FIELDS[_PARAMETERS[parameter]]
                if (parsed := parse(item)) is not None:
                    setattr(found, part, parsed)
        return found if vars(found) else None
