"""Mounts: other applications below a prefix, as registration collects them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isclass, signature
from typing import TYPE_CHECKING, Any

from ..helpers.places import calling_place
from ..pipeline.drivers import is_async
from .scaffold import Scaffold

if TYPE_CHECKING:
    from ..context import Kolben
    from ..routing import Rule


@dataclass(eq=False, slots=True)
class MountRecord:
    """An application that is mounted in another one.

    :ivar prefix: Where its paths begin, without a slash at the end; empty for all paths that
        nothing else answers.
    :ivar app: The application.
    :ivar name: What stands before its endpoints in ``url_for``; only a Kolben application has
        endpoints.
    :ivar wsgi: Whether it is a WSGI application and no ASGI application.
    :ivar place: The line of the user's code that mounted it.
    :ivar state: What its lifespan leaves for its requests, ASGI's ``scope["state"]``.
    """

    prefix: str
    app: Any
    name: str | None
    wsgi: bool
    place: str
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def is_kolben(self) -> bool:
        """Whether it is a Kolben application, which speaks both protocols."""
        return isinstance(self.app, Scaffold)

    @property
    def has_lifespan(self) -> bool:
        """Whether it may want to be started."""
        return not self.wsgi and (not self.is_kolben or self.app.has_lifespan)

    def __str__(self) -> str:
        what = getattr(self.app, "__qualname__", None) or type(self.app).__name__
        if self.is_kolben:
            what = repr(self.app)
        return f"{self.prefix or '/'!r} ({what}, mounted at {self.place})"


def make_record(prefix: str, other: Any, name: str | None, wsgi: bool | None) -> MountRecord:
    """A record of what a user wants to mount; see :meth:`Kolben.mount`.

    :raises ValueError: for a prefix or a name that cannot be one.
    :raises TypeError: for what is no application.
    """
    check_prefix(prefix)
    is_kolben = isinstance(other, Scaffold)
    if is_kolben and not callable(other):
        raise TypeError(f"{other!r} cannot be mounted; 'register_blueprint' takes blueprints.")
    if wsgi is None:
        wsgi = not is_kolben and not _is_asgi(other)
    if name is None:
        name = other.name if is_kolben else None
    elif not is_kolben:
        raise ValueError(
            f"The mount {prefix!r} cannot have the name {name!r}: a name is for 'url_for', which"
            " knows the endpoints of Kolben applications alone."
        )
    elif not name or "." in name:
        raise ValueError(f"The name {name!r} of a mount may not be empty or contain a dot.")
    return MountRecord(prefix.rstrip("/"), other, name, wsgi, calling_place())


def check_prefix(prefix: str) -> None:
    """Refuse what cannot be a prefix.

    :raises ValueError: saying why.
    """
    if not prefix.startswith("/"):
        raise ValueError(f"The prefix {prefix!r} of a mount must begin with a slash.")
    if "//" in prefix:
        raise ValueError(f"The prefix {prefix!r} of a mount may not have an empty segment.")
    if "<" in prefix:
        raise ValueError(
            f"The prefix {prefix!r} of a mount may not have variable parts: it is the same for"
            " each request."
        )


def _is_asgi(other: Any) -> bool:
    """Whether something is an ASGI application; if not, it is a WSGI application.

    :raises TypeError: if it is neither, or if nothing tells which.
    """
    if not callable(other) or isclass(other):
        raise TypeError(
            f"{other!r} cannot be mounted. An application is an object that is called with"
            " (scope, receive, send) or with (environ, start_response)."
        )
    if is_async(other):
        return True
    asgi, wsgi = _takes(other, 3), _takes(other, 2)
    if asgi is wsgi:
        raise TypeError(
            f"Cannot tell whether {other!r} is an ASGI or a WSGI application. Say 'wsgi=False' or"
            " 'wsgi=True'."
            if asgi
            else f"{other!r} cannot be mounted: it takes neither (scope, receive, send) nor"
            " (environ, start_response)."
        )
    return asgi


def _takes(func: Callable[..., Any], count: int) -> bool:
    try:
        signature(func).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # what is written in C need not tell
        return True
    return True


def add_mount(app: Kolben, record: MountRecord) -> None:
    """Mount an application in ``app``.

    :raises ValueError: if the prefix or the name is taken, or if the application is ``app``.
    :raises AssertionError: if a route of ``app`` could no longer be reached.
    """
    if record.app is app:
        raise ValueError(f"Cannot mount {app!r} on itself.")
    for other in app.mounts:
        if other.prefix == record.prefix:
            raise ValueError(
                f"There is a mount at {record.prefix or '/'!r} already: {other}, and now {record}."
            )
    if record.name is not None:
        check_name(app, record.name)
    if record.name in app.blueprints:
        raise ValueError(
            f"The name {record.name!r} is taken by a blueprint. Use 'name=' to give the mount"
            f" {record} a name of its own."
        )
    for rule in app.url_map.iter_rules():
        _check_reachable(record, rule)
    app.mounts.append(record)


def check_rule(app: Kolben, rule: Rule) -> None:
    """Refuse a route of ``app`` that a mount hides.

    :raises AssertionError: naming both.
    """
    for record in app.mounts:
        _check_reachable(record, rule)


def check_name(app: Kolben, name: str) -> None:
    """Refuse a name that a mount of ``app`` has.

    :raises ValueError: naming the mount.
    """
    for record in app.mounts:
        if record.name == name:
            raise ValueError(
                f"The name {name!r} is taken by the mount {record}. Use 'name=' to give one of"
                " them a name of its own."
            )


def _check_reachable(record: MountRecord, rule: Rule) -> None:
    prefix = record.prefix
    if not prefix or rule.build_only or not f"{rule.rule}/".startswith(f"{prefix}/"):
        return
    # Static files are there without anybody's having asked for them.
    if rule.endpoint.rpartition(".")[2] != "static":
        raise AssertionError(
            f"The rule {rule.rule!r} (endpoint {rule.endpoint!r}) cannot be reached: all paths"
            f" below a prefix belong to what is mounted there, {record}. Give one of them"
            " another prefix."
        )
