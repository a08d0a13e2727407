"""Credentials and challenges."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import Any, Self

from ..syntax import dump_header, parse_dict_header, quote_header_value
from .observed import CallbackDict

# Challenge parameters that clients expect in quotes, be they tokens or not.
# RFC 9110, section 11.5; RFC 7616, section 3.3
_QUOTED = frozenset({"realm"})
_QUOTED_IN_DIGEST = frozenset({"realm", "domain", "nonce", "opaque", "qop"})


def _split(value: str) -> tuple[str, str, bool]:
    """A field's scheme, the rest, and whether that holds parameters and not one token."""
    scheme, _, rest = value.strip(" \t").partition(" ")
    rest = rest.strip(" \t")
    return scheme.lower(), rest, "=" in rest.rstrip("=")


class Authorization:
    """What a client sent in ``Authorization``.

    Schemes carry either parameters or one token; the token of ``Basic`` is decoded to the
    parameters ``username`` and ``password``. A parameter is an attribute, an item and a key of
    :meth:`get`; a missing one is ``None``.

    >>> auth = Authorization.from_header("Basic dXNlcjpwYXNz")
    >>> auth.type, auth.username, auth["password"]
    ('basic', 'user', 'pass')

    :param auth_type: The scheme, in lower case.
    :param data: The parameters.
    :param token: The token.
    :source: RFC 9110, section 11; RFC 7617. Werkzeug: the same.
    """

    def __init__(
        self,
        auth_type: str,
        data: Mapping[str, str | None] | None = None,
        token: str | None = None,
    ) -> None:
        self.type = auth_type
        self.parameters: dict[str, str | None] = {} if data is None else dict(data)
        self.token = token

    @classmethod
    def from_header(cls, value: str | None) -> Self | None:
        """Parse the field; ``None`` if it is absent, empty or not valid for its scheme."""
        if not value:
            return None
        scheme, rest, has_parameters = _split(value)
        if not scheme:
            return None
        if scheme == "basic":
            try:
                username, _, password = b64decode(rest, validate=True).decode().partition(":")
            except (Base64Error, ValueError):
                return None
            return cls(scheme, {"username": username, "password": password})
        if has_parameters:
            return cls(scheme, parse_dict_header(rest))
        return cls(scheme, None, rest)

    def to_header(self) -> str:
        """The field's value."""
        if self.type == "basic":
            username, password = self.parameters.get("username"), self.parameters.get("password")
            pair = f"{username or ''}:{password or ''}".encode()
            return f"Basic {b64encode(pair).decode('ascii')}"
        if self.token is not None:
            return f"{self.type.title()} {self.token}"
        return f"{self.type.title()} {dump_header(self.parameters)}"

    def __getattr__(self, name: str) -> str | None:
        # Copying and pickling ask for special methods before there are any parameters.
        if name.startswith("__") or name == "parameters":
            raise AttributeError(name)
        return self.parameters.get(name)

    def __getitem__(self, name: str) -> str | None:
        return self.parameters.get(name)

    def get(self, key: str, default: str | None = None) -> str | None:
        """A parameter, or ``default`` if it is missing."""
        return self.parameters.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self.parameters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Authorization):
            return NotImplemented
        return (self.type, self.token, self.parameters) == (
            other.type,
            other.token,
            other.parameters,
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        # Credentials do not belong into logs.
        return f"<{type(self).__name__} {self.type}>"


class WWWAuthenticate:
    """A challenge that a response sends in ``WWW-Authenticate``.

    Parameters are attributes and items, to be read, set (``None`` removes) and deleted.

    >>> challenge = WWWAuthenticate("basic", {"realm": "login"})
    >>> challenge.to_header()
    'Basic realm="login"'

    :param auth_type: The scheme.
    :param values: The parameters.
    :param token: The token, for schemes that have one.
    :source: RFC 9110, section 11.6.1; RFC 7616. Werkzeug: the same.
    """

    _type: str
    _parameters: dict[str, str | None]
    _token: str | None
    _on_update: Callable[[WWWAuthenticate], None] | None

    def __init__(
        self,
        auth_type: str,
        values: Mapping[str, str | None] | None = None,
        token: str | None = None,
    ) -> None:
        self._on_update = None
        self._type = auth_type.lower()
        self._parameters = CallbackDict(values, self._changed)
        self._token = token

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self._type, dict(self._parameters), self._token)

    def _changed(self, _: Any = None) -> None:
        if self._on_update is not None:
            self._on_update(self)

    @classmethod
    def from_header(cls, value: str | None) -> Self | None:
        """Parse the field; ``None`` if it is absent or empty."""
        if not value:
            return None
        scheme, rest, has_parameters = _split(value)
        if not scheme:
            return None
        if has_parameters:
            return cls(scheme, parse_dict_header(rest))
        return cls(scheme, None, rest or None)

    def to_header(self) -> str:
        """The field's value."""
        scheme = self._type.title()
        if self._token is not None:
            return f"{scheme} {self._token}"
        if not self._parameters:
            return scheme
        quoted = _QUOTED_IN_DIGEST if self._type == "digest" else _QUOTED
        pairs = [
            key
            if value is None
            else f"{key}={quote_header_value(value, allow_token=key not in quoted)}"
            for key, value in self._parameters.items()
        ]
        return f"{scheme} {', '.join(pairs)}"

    @property
    def type(self) -> str:
        """The scheme, in lower case."""
        return self._type

    @property
    def parameters(self) -> dict[str, str | None]:
        """The parameters; changing them changes the challenge."""
        return self._parameters

    @property
    def token(self) -> str | None:
        """The token of a scheme that has one instead of parameters."""
        return self._token

    def __getitem__(self, key: str) -> str | None:
        return self._parameters.get(key)

    def __setitem__(self, key: str, value: str | None) -> None:
        if value is None:
            self._parameters.pop(key, None)
        else:
            self._parameters[key] = value

    def __delitem__(self, key: str) -> None:
        self._parameters.pop(key, None)

    def __getattr__(self, name: str) -> str | None:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._parameters.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        elif name == "type":
            self._type = value.lower()
            self._changed()
        elif name == "parameters":
            self._parameters = CallbackDict(value, self._changed)
            self._changed()
        elif name == "token":
            self._token = value
            self._changed()
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def get(self, key: str, default: str | None = None) -> str | None:
        """A parameter, or ``default`` if it is missing."""
        return self._parameters.get(key, default)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WWWAuthenticate):
            return NotImplemented
        return (self._type, self._token, self._parameters) == (
            other._type,
            other._token,
            other._parameters,
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.to_header()}>"
