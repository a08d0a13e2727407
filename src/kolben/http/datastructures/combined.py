"""Several multi-valued dictionaries seen as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any, NoReturn, Self, TypeVar

from .multidict import ImmutableMultiDictMixin, MultiDict

K = TypeVar("K")
V = TypeVar("V")


class CombinedMultiDict(ImmutableMultiDictMixin[K, V], MultiDict[K, V]):
    """Several MultiDicts seen as one, which cannot be changed itself.

    A key's first value comes from the first dictionary that has it; :meth:`getlist` joins the
    values of all. Later changes of the dictionaries are seen.

    >>> values = CombinedMultiDict([MultiDict({"a": 1}), MultiDict({"a": 2, "b": 3})])
    >>> values["a"], values.getlist("a"), values["b"]
    (1, [1, 2], 3)

    :param dicts: The dictionaries, most important first.
    """

    def __init__(self, dicts: Iterable[MultiDict[K, V]] | None = None) -> None:
        super().__init__()
        self.dicts: list[MultiDict[K, V]] = list(dicts or ())

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.dicts,)

    @classmethod
    def fromkeys(cls, keys: Any, value: Any = None) -> NoReturn:
        """Refused: there would be nothing to combine."""
        raise TypeError(f"cannot create {cls.__name__!r} instances by fromkeys")

    def __getitem__(self, key: K) -> V:
        for each in self.dicts:
            if key in each:
                return each[key]
        raise self.key_error(key)

    def get(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, key: K, default: Any = None, type: Callable[[V], Any] | None = None
    ) -> Any:
        """The first value of a key that can be converted, searching the dictionaries in order."""
        for each in self.dicts:
            if key in each:
                if type is None:
                    return each[key]
                try:
                    return type(each[key])
                except (ValueError, TypeError):
                    continue
        return default

    def getlist(self, key: K, type: Callable[[V], Any] | None = None) -> list[Any]:
        """The values of a key in all dictionaries, in their order."""
        if type is None:
            return [value for each in self.dicts for value in each.getlist(key)]
        return [value for each in self.dicts for value in each.getlist(key, type)]

    def keys(self) -> Any:
        """The keys of all dictionaries, each once, in the order of their first appearance."""
        return dict.fromkeys(key for each in self.dicts for key in each).keys()

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self.dicts)

    def items(self, multi: bool = False) -> Iterable[tuple[K, V]]:  # type: ignore[override]
        """Iterate over the pairs of all dictionaries; each key once unless ``multi`` is set."""
        seen: set[K] = set()
        for each in self.dicts:
            for key, value in each.items(multi):
                if multi:
                    yield key, value
                elif key not in seen:
                    seen.add(key)
                    yield key, value

    def values(self) -> Iterable[V]:  # type: ignore[override]
        """Iterate over the first value of each key."""
        return (value for _, value in self.items())

    def lists(self) -> Iterable[tuple[K, list[V]]]:
        """Pairs of a key and its values in all dictionaries."""
        joined: dict[K, list[V]] = {}
        for each in self.dicts:
            for key, values in each.lists():
                joined.setdefault(key, []).extend(values)
        return joined.items()

    def listvalues(self) -> Iterable[list[V]]:
        """Iterate over the list of values of each key."""
        return (values for _, values in self.lists())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MultiDict):
            return NotImplemented
        return self.to_dict(flat=False) == other.to_dict(flat=False)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]
        return super().__hash__()

    def copy(self) -> MultiDict[K, V]:  # type: ignore[override]
        """A mutable :class:`MultiDict` with the values of this moment."""
        return MultiDict(self)

    def __copy__(self) -> Self:
        return type(self)(self.dicts)

    def deepcopy(self, memo: Any = None) -> Self:
        """A copy over deep copies of the dictionaries."""
        return type(self)(deepcopy(self.dicts, memo))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dicts!r})"
