"""Sets that headers hold: names without regard to case, and entity tags."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, MutableSet
from typing import Any, SupportsIndex, overload

from ..syntax import quote_header_value


class HeaderSet(MutableSet[str]):
    """An ordered set of names without regard to case: ``Vary``, ``Allow``, ``Content-Language``.

    >>> names = HeaderSet(["Cookie", "Accept"])
    >>> "cookie" in names, names.to_header()
    (True, 'Cookie, Accept')

    :param headers: The names.
    :param on_update: Called with the set whenever it has been changed.
    """

    def __init__(
        self,
        headers: Iterable[str] | None = None,
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        self._names: dict[str, str] = {}
        for name in headers or ():
            self._names.setdefault(name.lower(), name)
        self.on_update = on_update

    def _changed(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def add(self, header: str) -> None:
        """Add a name, unless it is there in any spelling."""
        self.update((header,))

    def update(self, iterable: Iterable[str]) -> None:
        """Add several names."""
        before = len(self._names)
        for name in iterable:
            self._names.setdefault(name.lower(), name)
        if len(self._names) != before:
            self._changed()

    def remove(self, header: str) -> None:
        """Remove a name.

        :raises KeyError: if it is not there.
        """
        if self._names.pop(header.lower(), None) is None:
            raise KeyError(header)
        self._changed()

    def discard(self, header: str) -> None:
        """Remove a name if it is there."""
        if header in self:
            self.remove(header)

    def find(self, header: str) -> int:
        """The index of a name, or -1."""
        lowered = header.lower()
        for index, name in enumerate(self._names):
            if name == lowered:
                return index
        return -1

    def index(self, header: str) -> int:
        """The index of a name.

        :raises IndexError: if it is not there.
        """
        index = self.find(header)
        if index < 0:
            raise IndexError(header)
        return index

    def clear(self) -> None:
        """Remove every name."""
        self._names.clear()
        self._changed()

    def as_set(self, preserve_casing: bool = False) -> set[str]:
        """The names as a plain set.

        :param preserve_casing: As they were written; otherwise in lower case.
        """
        return set(self._names.values() if preserve_casing else self._names)

    def to_header(self) -> str:
        """The names as a comma-separated list."""
        return ", ".join(map(quote_header_value, self._names.values()))

    def __getitem__(self, index: SupportsIndex) -> str:
        return list(self._names.values())[index]

    def __delitem__(self, index: SupportsIndex) -> None:
        del self._names[self[index].lower()]
        self._changed()

    def __setitem__(self, index: SupportsIndex, value: str) -> None:
        names = list(self._names.values())
        names[index] = value
        self._names = {name.lower(): name for name in names}
        self._changed()

    def __contains__(self, header: object) -> bool:
        return isinstance(header, str) and header.lower() in self._names

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._names.values()))

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._names.values())!r})"


def quote_etag(etag: str, weak: bool = False) -> str:
    """Write an entity tag as a header has it.

    >>> quote_etag("abc"), quote_etag("abc", weak=True)
    ('"abc"', 'W/"abc"')

    :raises ValueError: if the tag contains a double quote.
    :source: RFC 9110, section 8.8.3.
    """
    if '"' in etag:
        raise ValueError(f"The entity tag {etag!r} contains a double quote; leave it out.")
    return f'W/"{etag}"' if weak else f'"{etag}"'


@overload
def unquote_etag(etag: str) -> tuple[str, bool]: ...
@overload
def unquote_etag(etag: None) -> tuple[None, None]: ...
def unquote_etag(etag: str | None) -> tuple[str, bool] | tuple[None, None]:
    """Read one entity tag: the text between the quotes, and whether it is weak.

    >>> unquote_etag('W/"abc"')
    ('abc', True)

    :return: ``(None, None)`` for nothing; a tag without quotes is taken as it is.
    """
    if not etag:
        return None, None
    weak = etag.startswith(("W/", "w/"))
    if weak:
        etag = etag[2:]
    if etag[:1] == '"' == etag[-1:]:
        etag = etag[1:-1]
    return etag, weak


def generate_etag(data: bytes) -> str:
    """An entity tag for some content: its SHA-1 in hexadecimal digits."""
    from hashlib import sha1  # loads OpenSSL, which most programs that import this never need

    return sha1(data, usedforsecurity=False).hexdigest()


class ETags(Collection[str]):
    """The entity tags of an ``If-Match`` or ``If-None-Match`` header.

    Iterating gives the strong ones.

    >>> tags = ETags(["a"], ["b"])
    >>> "a" in tags, "b" in tags, tags.contains_weak("b")
    (True, False, True)

    :param strong_etags: Tags without their quotes.
    :param weak_etags: Tags without ``W/`` and quotes.
    :param star_tag: The header was ``*``, which contains every tag.
    """

    def __init__(
        self,
        strong_etags: Iterable[str] | None = None,
        weak_etags: Iterable[str] | None = None,
        star_tag: bool = False,
    ) -> None:
        # Dictionaries, so that they are written in the order in which they were given.
        self._strong = {} if star_tag else dict.fromkeys(strong_etags or ())
        self._weak = dict.fromkeys(weak_etags or ())
        self.star_tag = star_tag

    def as_set(self, include_weak: bool = False) -> set[str]:
        """The tags as a plain set: the strong ones, or all."""
        return {*self._strong, *self._weak} if include_weak else set(self._strong)

    def is_weak(self, etag: str) -> bool:
        """Whether a tag is listed as a weak one."""
        return etag in self._weak

    def is_strong(self, etag: str) -> bool:
        """Whether a tag is listed as a strong one."""
        return etag in self._strong

    def contains(self, etag: str) -> bool:
        """Whether a tag matches under the strong comparison; ``in`` asks the same."""
        return self.star_tag or etag in self._strong

    def contains_weak(self, etag: str) -> bool:
        """Whether a tag matches under the weak comparison."""
        return etag in self._weak or self.contains(etag)

    def contains_raw(self, etag: str) -> bool:
        """Whether a quoted tag matches: a weak one weakly, a strong one strongly."""
        tag, weak = unquote_etag(etag)
        if not tag:
            return self.star_tag
        return self.contains_weak(tag) if weak else self.contains(tag)

    def to_header(self) -> str:
        """The tags as the header has them."""
        if self.star_tag:
            return "*"
        return ", ".join(
            [f'"{tag}"' for tag in self._strong] + [f'W/"{tag}"' for tag in self._weak]
        )

    def __call__(
        self, etag: str | None = None, data: bytes | None = None, include_weak: bool = False
    ) -> bool:
        """Whether a tag, or that of some content, is listed.

        :raises TypeError: if neither is given.
        """
        if etag is None:
            if data is None:
                raise TypeError("Give either 'etag' or 'data'.")
            etag = generate_etag(data)
        return (include_weak and etag in self._weak) or etag in self._strong

    def __bool__(self) -> bool:
        return bool(self.star_tag or self._strong or self._weak)

    def __len__(self) -> int:
        return len(self._strong)

    def __iter__(self) -> Iterator[str]:
        return iter(self._strong)

    def __contains__(self, etag: object) -> bool:
        return isinstance(etag, str) and self.contains(etag)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"
