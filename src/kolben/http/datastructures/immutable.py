"""What makes a list or a dictionary refuse to change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


def refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Stands for every method that would change something."""
    raise TypeError(f"{type(self).__name__!r} objects are immutable")


class ImmutableList(list[T]):
    """A list that can be hashed and refuses every change with :exc:`TypeError`."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (list(self),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"

    __delitem__ = __iadd__ = __imul__ = __setitem__ = refuse
    append = remove = extend = insert = pop = reverse = sort = clear = refuse


class ImmutableDictMixin(Generic[K, V]):
    """Put before a dictionary class, it makes that one refuse every change."""

    __slots__ = ()

    @classmethod
    def fromkeys(cls, keys: Iterable[K], value: Any = None) -> Any:
        """A dictionary with the same value for every key."""
        return cls(dict.fromkeys(keys, value))  # type: ignore[call-arg]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (dict(self),)  # type: ignore[call-overload]

    def __hash__(self) -> int:
        return hash(frozenset(self._hash_items()))

    def _hash_items(self) -> Iterable[Any]:
        return self.items()  # type: ignore[attr-defined, no-any-return]

    def __copy__(self) -> Any:
        return self

    setdefault = update = pop = popitem = clear = refuse
    __setitem__ = __delitem__ = __ior__ = refuse


class ImmutableDict(ImmutableDictMixin[K, V], dict[K, V]):  # type: ignore[misc]
    """A dictionary that can be hashed and refuses every change with :exc:`TypeError`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict.__repr__(self)})"

    def copy(self) -> dict[K, V]:
        """A mutable shallow copy, a plain :class:`dict`."""
        return dict(self)
