"""``dumps``, ``loads`` and ``jsonify`` of the application that is active, or of none.

These functions stand on a lower floor than the context that knows which application is active.
So the context tells them: it calls :func:`provided_by` once, when it is imported, as the
response class registers itself with :class:`~kolben.exceptions.HTTPException`. Until then, and
where no application is active, :data:`standalone` does the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from .provider import DefaultJSONProvider, JSONProvider


class _Standalone(DefaultJSONProvider):
    """Plain :mod:`json` with the extra types, for code that runs outside any application."""

    sort_keys = False
    compact = True

    def __init__(self) -> None:
        self._app = None

    def response(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "jsonify() needs the current application, and none is active. Call it in a view or"
            " a hook, or inside 'with app.app_context():'; json.dumps() works anywhere."
        )


#: The provider where no application is active.
standalone: JSONProvider = _Standalone()


def _nobody() -> JSONProvider | None:
    return None


_find: Callable[[], JSONProvider | None] = _nobody


def provided_by(find: Callable[[], JSONProvider | None]) -> None:
    """Say how to find the JSON provider of the active application.

    :param find: Called without arguments on every use; ``None`` where no application is active.
    """
    global _find
    _find = find


def current_provider() -> JSONProvider:
    """The provider of the active application, else :data:`standalone`."""
    return _find() or standalone


def dumps(obj: Any, **kwargs: Any) -> str:
    """Write a value as JSON text, with ``current_app.json`` where an application is active.

    >>> dumps({"ok": True})
    '{"ok": true}'

    :param kwargs: For the provider's :meth:`~kolben.json.JSONProvider.dumps`.
    :source: Flask: the same, except that ``NaN`` and ``Infinity`` raise :exc:`ValueError`.
    """
    return current_provider().dumps(obj, **kwargs)


def dump(obj: Any, fp: IO[str], **kwargs: Any) -> None:
    """Write a value as JSON to a file that is open for text; see :func:`dumps`."""
    current_provider().dump(obj, fp, **kwargs)


def loads(s: str | bytes, **kwargs: Any) -> Any:
    """Read a value from JSON, with ``current_app.json`` where an application is active.

    >>> loads(b'{"ok": true}')
    {'ok': True}

    :param s: Text, or UTF-8 bytes.
    :param kwargs: For the provider's :meth:`~kolben.json.JSONProvider.loads`.
    :raises ValueError: if it is not JSON.
    :source: Flask: the same.
    """
    return current_provider().loads(s, **kwargs)


def load(fp: IO[Any], **kwargs: Any) -> Any:
    """Read a value from a file that is open for text or UTF-8 bytes; see :func:`loads`."""
    return current_provider().load(fp, **kwargs)


def jsonify(*args: Any, **kwargs: Any) -> Any:
    """Make a JSON response with ``current_app.json``.

    A view may return a dict or a list as it is; this is for adding headers or cookies, and for
    other values.

    :param args: One value, or several that become a list; none at all means ``None``.
    :param kwargs: Instead: the members of an object.
    :return: An ``app.response_class``, with the media type ``application/json``.
    :raises RuntimeError: where no application is active.
    :source: Flask: the same.
    """
    return current_provider().response(*args, **kwargs)
