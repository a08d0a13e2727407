"""A dictionary that says when it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar, cast

K = TypeVar("K")
V = TypeVar("V")


class CallbackDict(dict[K, V]):
    """A dictionary that calls a function with itself whenever it has been changed.

    :param initial: Mapping or pairs to start with.
    :param on_update: The function, or ``None``.
    """

    def __init__(
        self,
        initial: Mapping[K, V] | Iterable[tuple[K, V]] | None = None,
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__(() if initial is None else initial)
        self.on_update = on_update

    # A copy is nobody's header, so nobody is told of its changes.
    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (dict(self),)

    def _changed(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._changed()

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._changed()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]
        super().update(other)
        self._changed()
        return self

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Change several values, and say so once."""
        super().update(*args, **kwargs)
        self._changed()

    def setdefault(self, key: K, default: Any = None) -> V:
        """The value of a key, which is set if it is missing."""
        if key in self:
            return self[key]
        self[key] = default
        return cast("V", default)

    def pop(self, key: K, *default: Any) -> Any:
        """Remove a key and return its value."""
        there = key in self
        value = super().pop(key, *default)
        if there:
            self._changed()
        return value

    def popitem(self) -> tuple[K, V]:
        """Remove the last key and return it with its value."""
        item = super().popitem()
        self._changed()
        return item

    def clear(self) -> None:
        """Remove every key."""
        super().clear()
        self._changed()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {super().__repr__()}>"
