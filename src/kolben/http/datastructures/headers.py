"""Header fields as an ordered multimap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar, overload

from ..syntax import dump_options_header, validate_header
from .multidict import MultiDict, iter_multi_items

T = TypeVar("T")

_missing: Any = object()


def _text(name: str, value: Any, options: Mapping[str, Any] | None = None) -> str:
    """A value as it goes into the list: text, with its parameters, fit to be sent."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    elif value.__class__ is not str:
        value = str(value)
    if options:
        value = dump_options_header(
            value, {key.replace("_", "-"): option for key, option in options.items()}
        )
    validate_header(name, value)
    return value  # type: ignore[no-any-return]


class Headers:
    """Header fields in the order in which they are sent, found without regard to case.

    Iterating gives ``(name, value)`` pairs. Names and values are checked when they are
    written: a line break or NUL, or a name that is no token, raises :exc:`ValueError`. A missing
    name raises an error that is a :exc:`KeyError` and a 400 Bad Request.

    >>> headers = Headers({"Content-Type": "text/plain"})
    >>> headers.add("Content-Disposition", "attachment", filename="a b.txt")
    >>> headers["content-disposition"]
    'attachment; filename="a b.txt"'

    :param defaults: Other headers, a mapping (a list, tuple or set gives several fields), or an
        iterable of pairs.
    :source: RFC 9110, section 5. Werkzeug: the same.
    """

    # Fields that came from a server stay the bytes they are in ``_raw`` until someone needs them
    # all; ``_list`` is unset so long, and asking for it ends up in ``__getattr__``.
    __slots__ = ("__weakref__", "_list", "_raw")

    _list: list[tuple[str, str]]
    _raw: list[tuple[bytes, bytes]] | None

    #: As :attr:`MultiDict.key_error`.
    key_error: ClassVar[type[KeyError]] = KeyError

    def __init__(
        self, defaults: Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None
    ) -> None:
        self._raw = None
        self._list = []
        if defaults is not None:
            self.extend(defaults)

    @classmethod
    def from_asgi(cls, raw: Iterable[tuple[bytes, bytes]]) -> Self:
        """Headers over the list of byte pairs in an ASGI scope.

        Nothing is decoded until it is asked for, and the list itself is never changed.

        :param raw: Pairs of a lower-case name and a value, in latin-1.
        """
        headers = cls.__new__(cls)
        headers._raw = raw if isinstance(raw, list) else list(raw)
        return headers

    def to_asgi(self) -> list[tuple[bytes, bytes]]:
        """The fields as ASGI wants them: pairs of bytes, names in lower case.

        :raises ValueError: naming the field, if a value has characters beyond latin-1.
        """
        if self._raw is not None:
            return list(self._raw)
        try:
            return [
                # White space around a value is no part of it, and strict peers refuse it.
                (name.lower().encode("latin-1"), value.encode("latin-1").strip(b" \t"))
                for name, value in self._list
            ]
        except UnicodeEncodeError as error:
            bad = error.object
            name = next(name for name, value in self._list if value == bad)
            raise ValueError(
                f"The value of the header {name!r} has characters that a header cannot carry:"
                f" {bad!r}. Percent-encode it, or use the 'name*=' form of RFC 8187 for a"
                " parameter."
            ) from None

    def __getattr__(self, name: str) -> Any:
        if name == "_list" and (raw := self._raw) is not None:
            # The names look as they do under WSGI, for code that makes a dict of them.
            self._list = [
                (key.decode("latin-1").title(), value.decode("latin-1")) for key, value in raw
            ]
            self._raw = None
            return self._list
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _find(self, key: str) -> str | None:
        if (raw := self._raw) is not None:
            wanted = key.lower().encode("latin-1", "replace")
            for raw_name, raw_value in raw:
                if raw_name == wanted:
                    return raw_value.decode("latin-1")
            return None
        lowered = key.lower()
        for name, value in self._list:
            if name.lower() == lowered:
                return value
        return None

    @overload
    def __getitem__(self, key: str) -> str: ...
    @overload
    def __getitem__(self, key: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: str | int | slice) -> str | tuple[str, str] | Self:
        if isinstance(key, str):
            value = self._find(key)
            if value is None:
                raise self.key_error(key)
            return value
        if isinstance(key, int):
            return self._list[key]
        return type(self)(self._list[key])

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        assert isinstance(other, Headers)
        return {(name.lower(), value) for name, value in self._list} == {
            (name.lower(), value) for name, value in other._list
        }

    __hash__ = None  # type: ignore[assignment]

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    @overload
    def get(self, key: str, default: T) -> str | T: ...
    @overload
    def get(self, key: str, *, type: Callable[[str], T]) -> T | None: ...
    @overload
    def get(self, key: str, default: T, type: Callable[[str], T]) -> T: ...
    def get(self, key: str, default: Any = None, type: Callable[[str], Any] | None = None) -> Any:
        """The first value of a field, converted if a type is given.

        >>> Headers([("Content-Length", "42")]).get("content-length", type=int)
        42

        :param default: Returned if there is no such field, or if ``type`` raises
            :exc:`ValueError` or :exc:`TypeError`.
        """
        value = self._find(key)
        if value is None:
            return default
        if type is None:
            return value
        try:
            return type(value)
        except (ValueError, TypeError):
            return default

    @overload
    def getlist(self, key: str) -> list[str]: ...
    @overload
    def getlist(self, key: str, type: Callable[[str], T]) -> list[T]: ...
    def getlist(self, key: str, type: Callable[[str], Any] | None = None) -> list[Any]:
        """The values of all fields of a name, in order; those that ``type`` refuses left out."""
        values: list[str]
        if (raw := self._raw) is not None:
            wanted = key.lower().encode("latin-1", "replace")
            values = [value.decode("latin-1") for name, value in raw if name == wanted]
        else:
            lowered = key.lower()
            values = [value for name, value in self._list if name.lower() == lowered]
        if type is None:
            return values
        result = []
        for value in values:
            try:
                result.append(type(value))
            except (ValueError, TypeError):
                pass
        return result

    def get_all(self, name: str) -> list[str]:
        """The values of all fields of a name; :meth:`getlist` under wsgiref's name."""
        return self.getlist(name)

    def combined(self, key: str) -> str | None:
        """The values of all fields of a name, joined to one as a list header allows.

        :return: ``None`` if there is no such field.
        :source: RFC 9110, section 5.3.
        """
        values = self.getlist(key)
        return ", ".join(values) if values else None

    def items(self, lower: bool = False) -> Iterable[tuple[str, str]]:
        """Iterate over ``(name, value)`` pairs.

        :param lower: Names in lower case.
        """
        for name, value in self._list:
            yield (name.lower() if lower else name), value

    def keys(self, lower: bool = False) -> Iterable[str]:
        """Iterate over the names; one that is there twice comes twice."""
        for name, _ in self.items(lower):
            yield name

    def values(self) -> Iterable[str]:
        """Iterate over the values."""
        for _, value in self._list:
            yield value

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._list)

    def __len__(self) -> int:
        return len(self._list if self._raw is None else self._raw)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not None

    def add(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Append a field.

        :param kwargs: Parameters of the value; an underscore in a name becomes a dash.
        :raises ValueError: if the name or the value cannot be sent.
        """
        self._list.append((key, _text(key, value, kwargs)))

    def add_header(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Append a field; :meth:`add` under wsgiref's name."""
        self.add(key, value, **kwargs)

    def extend(
        self,
        arg: Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        /,
        **kwargs: Any,
    ) -> None:
        """Append fields, keeping those that are there; :meth:`update` replaces them."""
        if arg is not None:
            for key, value in iter_multi_items(arg):
                self.add(key, value)
        for key, value in iter_multi_items(kwargs):
            self.add(key, value)

    def set(self, key: str, value: Any, /, **kwargs: Any) -> None:
        """Make a field the only one of its name, at the place of the first such one.

        :param kwargs: As for :meth:`add`.
        """
        pair = key, _text(key, value, kwargs)
        lowered = key.lower()
        fields = self._list
        for index, (name, _) in enumerate(fields):
            if name.lower() == lowered:
                fields[index] = pair
                fields[index + 1 :] = [
                    field for field in fields[index + 1 :] if field[0].lower() != lowered
                ]
                return
        fields.append(pair)

    def setlist(self, key: str, values: Iterable[Any]) -> None:
        """Replace all fields of a name by one for each value; none removes them."""
        pairs = iter(values)
        first = next(pairs, _missing)
        if first is _missing:
            self.remove(key)
            return
        self.set(key, first)
        for value in pairs:
            self.add(key, value)

    def setdefault(self, key: str, default: Any) -> str:
        """The first value of a field, which is added if it is missing."""
        value = self._find(key)
        if value is None:
            self.add(key, default)
            value = self[key]
        return value

    def setlistdefault(self, key: str, default: Iterable[Any]) -> list[str]:
        """All values of a field, which are added if there are none.

        Changing the list that is returned does not change the headers.
        """
        if key not in self:
            self.setlist(key, default)
        return self.getlist(key)

    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    @overload
    def __setitem__(self, key: int, value: tuple[str, Any]) -> None: ...
    @overload
    def __setitem__(self, key: slice, value: Iterable[tuple[str, Any]]) -> None: ...
    def __setitem__(self, key: str | int | slice, value: Any) -> None:
        if isinstance(key, str):
            self.set(key, value)
        elif isinstance(key, int):
            self._list[key] = value[0], _text(value[0], value[1])
        else:
            self._list[key] = [(name, _text(name, each)) for name, each in value]

    def update(
        self,
        arg: Headers | Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        /,
        **kwargs: Any,
    ) -> None:
        """Replace fields by those of another object; :meth:`extend` keeps them.

        :param arg: Other headers, a mapping, or pairs.
        :param kwargs: More fields; a list, tuple or set gives several.
        """
        source: Any = arg
        if isinstance(source, (Headers, MultiDict)) or hasattr(source, "getlist"):
            for key in dict.fromkeys(source.keys()):
                self.setlist(key, source.getlist(key))
        elif isinstance(source, Mapping):
            self._update_from(source.items())
        elif source is not None:
            for key, value in source:
                self.set(key, value)
        self._update_from(kwargs.items())

    def _update_from(self, items: Iterable[tuple[str, Any]]) -> None:
        for key, value in items:
            if isinstance(value, (list, tuple, set, frozenset)):
                self.setlist(key, value)
            else:
                self.set(key, value)

    def __or__(self, other: Mapping[str, Any] | Headers) -> Self:
        if not isinstance(other, (Mapping, Headers)):
            return NotImplemented
        result = self.copy()
        result.update(other)
        return result

    def __ior__(self, other: Headers | Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        if not isinstance(other, Iterable):
            return NotImplemented
        self.update(other)
        return self

    def __delitem__(self, key: str | int | slice) -> None:
        if isinstance(key, str):
            self.remove(key)
        else:
            del self._list[key]

    def remove(self, key: str) -> None:
        """Remove all fields of a name; nothing happens if there are none."""
        lowered = key.lower()
        self._list[:] = [field for field in self._list if field[0].lower() != lowered]

    @overload
    def pop(self) -> tuple[str, str]: ...
    @overload
    def pop(self, key: str) -> str: ...
    @overload
    def pop(self, key: int | None = ...) -> tuple[str, str]: ...
    @overload
    def pop(self, key: str, default: str) -> str: ...
    @overload
    def pop(self, key: str, default: T) -> str | T: ...
    def pop(self, key: str | int | None = None, default: Any = _missing) -> Any:
        """Remove and return the first value of a name (all its fields go), or a pair by its index.

        :param key: A name or an index; ``None`` means the last pair.
        :param default: Returned if there is no field of that name.
        """
        if key is None:
            return self._list.pop()
        if isinstance(key, int):
            return self._list.pop(key)
        value = self._find(key)
        if value is None:
            if default is _missing:
                raise self.key_error(key)
            return default
        self.remove(key)
        return value

    def popitem(self) -> tuple[str, str]:
        """Remove and return the last pair."""
        return self._list.pop()

    def clear(self) -> None:
        """Remove every field."""
        self._list.clear()

    def to_wsgi_list(self) -> list[tuple[str, str]]:
        """A new list of the ``(name, value)`` pairs."""
        return list(self._list)

    def copy(self) -> Self:
        """A copy of the same class."""
        return type(self)(self._list)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Self:
        return self.copy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.to_wsgi_list(),)

    def __str__(self) -> str:
        """The fields as they are written on an HTTP/1.1 connection."""
        return "".join(f"{name}: {value}\r\n" for name, value in self._list) + "\r\n"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._list!r})"
