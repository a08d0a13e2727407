"""Dictionaries with several values to a key: query strings, forms, cookies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, ClassVar, Literal, Self, TypeVar, cast, overload

from .immutable import ImmutableDictMixin, refuse

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

# Below a MultiDict every value is a list; these reach it past the methods that hide that.
_get: Any = dict.get
_set: Any = dict.__setitem__
_items: Any = dict.items
_values: Any = dict.values
_setdefault: Any = dict.setdefault
_pop: Any = dict.pop
_popitem: Any = dict.popitem

_missing: Any = object()


def iter_multi_items(
    mapping: Mapping[K, Any] | Iterable[tuple[K, Any]],
) -> Iterator[tuple[K, Any]]:
    """Every ``(key, value)`` pair of a mapping or of an iterable of pairs.

    A list, tuple or set as the value in a plain mapping stands for several values.

    >>> list(iter_multi_items({"a": [1, 2], "b": 3}))
    [('a', 1), ('a', 2), ('b', 3)]
    """
    source: Any = mapping
    if isinstance(source, MultiDict):
        yield from source.items(multi=True)
    elif isinstance(source, Mapping):
        # Multi-valued dictionaries of other libraries have `lists`, too.
        for key, value in getattr(source, "lists", source.items)():
            if isinstance(value, (list, tuple, set, frozenset)):
                for item in value:
                    yield key, item
            else:
                yield key, value
    else:
        yield from source


class TypeConversionDict(dict[K, V]):
    """A dictionary whose :meth:`get` converts the value that it finds.

    >>> limits = TypeConversionDict(rows="42", page="last")
    >>> limits.get("rows", type=int), limits.get("page", 1, type=int)
    (42, 1)
    """

    @overload  # type: ignore[override]
    def get(self, key: K) -> V | None: ...
    @overload
    def get(self, key: K, default: V) -> V: ...
    @overload
    def get(self, key: K, default: T) -> V | T: ...
    @overload
    def get(self, key: K, *, type: Callable[[V], T]) -> T | None: ...
    @overload
    def get(self, key: K, default: T, type: Callable[[V], T]) -> T: ...
    def get(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, key: K, default: Any = None, type: Callable[[V], Any] | None = None
    ) -> Any:
        """The value of a key, converted if a type is given.

        :param key: The key to look up.
        :param default: Returned if the key is missing, or if ``type`` raises
            :exc:`ValueError` or :exc:`TypeError`.
        :param type: Called with the value.
        """
        try:
            value = self[key]
        except KeyError:
            return default
        if type is None:
            return value
        try:
            return type(value)
        except (ValueError, TypeError):
            return default


class ImmutableTypeConversionDict(ImmutableDictMixin[K, V], TypeConversionDict[K, V]):  # type: ignore[misc]
    """A :class:`TypeConversionDict` that refuses every change with :exc:`TypeError`."""

    def copy(self) -> TypeConversionDict[K, V]:
        """A mutable shallow copy."""
        return TypeConversionDict(self)


class MultiDict(TypeConversionDict[K, V]):
    """A dictionary that keeps every value of a key, in order, and shows the first.

    The methods of :class:`dict` see the first value of each key; those with ``list`` in their
    name see all of them. A missing key raises an error that is a :exc:`KeyError` and, where
    :mod:`kolben.exceptions` is loaded, a 400 Bad Request as well.

    >>> form = MultiDict([("color", "red"), ("color", "blue"), ("size", "M")])
    >>> form["color"], form.getlist("color")
    ('red', ['red', 'blue'])

    :param mapping: Another MultiDict, a mapping (a list, tuple or set gives several values to
        its key), or an iterable of pairs.
    :source: Werkzeug: the same.
    """

    #: Raised for a missing key. The floor above, which knows of HTTP errors, replaces it by one
    #: that is both a ``KeyError`` and a 400.
    key_error: ClassVar[type[KeyError]] = KeyError

    def __init__(self, mapping: Mapping[K, Any] | Iterable[tuple[K, V]] | None = None) -> None:
        if mapping.__class__ is list:  # most of them are made of parsed pairs
            pairs: Any = mapping
            for key, value in pairs:
                _setdefault(self, key, []).append(value)
            return
        super().__init__()
        if mapping is None:
            return
        if isinstance(mapping, MultiDict):
            for key, values in mapping.lists():
                _set(self, key, values)
        elif isinstance(mapping, Mapping) and not hasattr(mapping, "lists"):
            for key, value in mapping.items():
                if isinstance(value, (list, tuple, set, frozenset)):
                    if value:
                        _set(self, key, list(value))
                else:
                    _set(self, key, [value])
        else:
            for key, value in iter_multi_items(mapping):
                _setdefault(self, key, []).append(value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.to_dict(flat=False),)

    # dict(multidict) asks for the items one by one only where this is overridden; otherwise
    # CPython copies the lists.
    def __iter__(self) -> Iterator[K]:
        return super().__iter__()

    def __getitem__(self, key: K) -> V:
        values = _get(self, key)
        if not values:
            raise self.key_error(key)
        return values[0]  # type: ignore[no-any-return]

    def __setitem__(self, key: K, value: V) -> None:
        _set(self, key, [value])

    @overload  # type: ignore[override]
    def get(self, key: K) -> V | None: ...
    @overload
    def get(self, key: K, default: V) -> V: ...
    @overload
    def get(self, key: K, default: T) -> V | T: ...
    @overload
    def get(self, key: K, *, type: Callable[[V], T]) -> T | None: ...
    @overload
    def get(self, key: K, default: T, type: Callable[[V], T]) -> T: ...
    def get(self, key: K, default: Any = None, type: Callable[[V], Any] | None = None) -> Any:
        """The first value of a key, converted if a type is given; see
        :meth:`TypeConversionDict.get`.
        """
        values = _get(self, key)
        if not values:
            return default
        if type is None:
            return values[0]
        try:
            return type(values[0])
        except (ValueError, TypeError):
            return default

    def add(self, key: K, value: V) -> None:
        """Add one more value to a key."""
        _setdefault(self, key, []).append(value)

    @overload
    def getlist(self, key: K) -> list[V]: ...
    @overload
    def getlist(self, key: K, type: Callable[[V], T]) -> list[T]: ...
    def getlist(self, key: K, type: Callable[[V], Any] | None = None) -> list[Any]:
        """All values of a key, as a new list; empty if it is missing.

        :param type: Converts each value; those for which it raises :exc:`ValueError` or
            :exc:`TypeError` are left out.
        """
        values: list[Any] = _get(self, key) or []
        if type is None:
            return list(values)
        result = []
        for value in values:
            try:
                result.append(type(value))
            except (ValueError, TypeError):
                pass
        return result

    def setlist(self, key: K, new_list: Iterable[V]) -> None:
        """Replace all values of a key."""
        _set(self, key, list(new_list))

    @overload
    def setdefault(self, key: K) -> V | None: ...
    @overload
    def setdefault(self, key: K, default: V) -> V: ...
    def setdefault(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, key: K, default: Any = None
    ) -> Any:
        """The first value of a key, which is set to ``default`` if it is missing."""
        if key not in self:
            self[key] = default
        return self[key]

    def setlistdefault(self, key: K, default_list: Iterable[V] | None = None) -> list[V]:
        """All values of a key, set to ``default_list`` if it is missing.

        The list is the one inside: appending to it adds values.
        """
        if key not in self:
            _set(self, key, list(default_list or ()))
        return cast("list[V]", _get(self, key))

    def items(self, multi: bool = False) -> Iterable[tuple[K, V]]:  # type: ignore[override]
        """Iterate over pairs of a key and its first value.

        :param multi: Over a pair for each value of each key instead.
        """
        for key, values in _items(self):
            if multi:
                for value in values:
                    yield key, value
            elif values:
                yield key, values[0]

    def lists(self) -> Iterable[tuple[K, list[V]]]:
        """Iterate over pairs of a key and a new list of its values."""
        for key, values in _items(self):
            yield key, list(values)

    def values(self) -> Iterable[V]:  # type: ignore[override]
        """Iterate over the first value of each key."""
        for values in _values(self):
            if values:
                yield values[0]

    def listvalues(self) -> Iterable[list[V]]:
        """Iterate over the list of values of each key."""
        return cast("Iterable[list[V]]", _values(self))

    def copy(self) -> Self:
        """A shallow copy of the same class."""
        return type(self)(self)

    def deepcopy(self, memo: Any = None) -> Self:
        """A deep copy of the same class."""
        return type(self)(deepcopy(self.to_dict(flat=False), memo))

    @overload
    def to_dict(self, flat: Literal[True] = ...) -> dict[K, V]: ...
    @overload
    def to_dict(self, flat: Literal[False]) -> dict[K, list[V]]: ...
    @overload
    def to_dict(self, flat: bool) -> dict[K, V] | dict[K, list[V]]: ...
    def to_dict(self, flat: bool = True) -> dict[K, V] | dict[K, list[V]]:
        """A plain dictionary: of first values, or of lists of all values.

        :param flat: ``False`` gives the lists.
        """
        return dict(self.items()) if flat else dict(self.lists())

    def update(  # type: ignore[override]
        self, mapping: Mapping[K, Any] | Iterable[tuple[K, V]]
    ) -> None:
        """Add the values of another mapping to those that are there.

        >>> a = MultiDict({"x": 1})
        >>> a.update({"x": [2, 3]})
        >>> a.getlist("x")
        [1, 2, 3]
        """
        for key, value in iter_multi_items(mapping):
            self.add(key, value)

    def __or__(self, other: Mapping[K, Any]) -> MultiDict[K, V]:  # type: ignore[override]
        if not isinstance(other, Mapping):
            return NotImplemented
        result: MultiDict[K, V] = self.copy()
        result.update(other)
        return result

    def __ior__(  # type: ignore[override]
        self, other: Mapping[K, Any] | Iterable[tuple[K, V]]
    ) -> Self:
        if not isinstance(other, Iterable):
            return NotImplemented
        self.update(other)
        return self

    @overload
    def pop(self, key: K) -> V: ...
    @overload
    def pop(self, key: K, default: V) -> V: ...
    @overload
    def pop(self, key: K, default: T) -> V | T: ...
    def pop(self, key: K, default: Any = _missing) -> Any:
        """Remove a key with all its values and return the first."""
        values = _pop(self, key, None)
        if values:
            return values[0]
        if default is not _missing:
            return default
        raise self.key_error(key)

    def popitem(self) -> tuple[K, V]:
        """Remove the last key and return it with its first value."""
        key, values = self.popitemlist()
        if not values:
            raise self.key_error(key)
        return key, values[0]

    def poplist(self, key: K) -> list[V]:
        """Remove a key and return its values; an empty list if it is missing."""
        return cast("list[V]", _pop(self, key, []))

    def popitemlist(self) -> tuple[K, list[V]]:
        """Remove the last key and return it with all its values."""
        try:
            return cast("tuple[K, list[V]]", _popitem(self))
        except KeyError as error:
            raise self.key_error(*error.args) from None

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Self:
        return self.deepcopy(memo=memo)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.items(multi=True))!r})"


class ImmutableMultiDictMixin(ImmutableDictMixin[K, V]):
    """Put before a :class:`MultiDict`, it makes that one refuse every change."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (list(self.items(multi=True)),)  # type: ignore[attr-defined]

    def _hash_items(self) -> Iterable[Any]:
        return self.items(multi=True)  # type: ignore[attr-defined, no-any-return]

    add = setlist = setlistdefault = poplist = popitemlist = refuse


class ImmutableMultiDict(ImmutableMultiDictMixin[K, V], MultiDict[K, V]):  # type: ignore[misc]
    """A :class:`MultiDict` that refuses every change with :exc:`TypeError`.

    >>> ImmutableMultiDict([("a", 1)]).copy()
    MultiDict([('a', 1)])
    """

    def copy(self) -> MultiDict[K, V]:  # type: ignore[override]
        """A mutable shallow copy."""
        return MultiDict(self)

    def __copy__(self) -> Self:
        return self
