"""What a client accepts, and how much it likes each of it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Any, SupportsIndex, overload

from .immutable import ImmutableList


class Accept(ImmutableList[tuple[str, float]]):
    """The ``(value, quality)`` pairs of an ``Accept`` header, the most specific and best first.

    >>> encodings = Accept([("gzip", 0.5), ("br", 1), ("*", 0.1)])
    >>> encodings.best, encodings["gzip"], encodings.quality("zstd")
    ('br', 0.5, 0.1)
    >>> encodings.best_match(["identity", "gzip"])
    'gzip'

    :param values: The pairs; ``None`` means that the client sent no such header, which
        ``provided`` then says.
    :source: RFC 9110, section 12.5. Werkzeug: the same.
    """

    __slots__ = ("provided",)

    def __init__(self, values: Iterable[tuple[str, float]] | None = ()) -> None:
        if values is None:
            super().__init__()
            self.provided = False
        elif isinstance(values, Accept):
            super().__init__(values)
            self.provided = values.provided
        else:
            super().__init__(
                sorted(values, key=lambda pair: (self._specificity(pair[0]), pair[1]), reverse=True)
            )
            self.provided = True

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (list(self) if self.provided else None,)

    def _specificity(self, value: str) -> tuple[bool, ...]:
        return (value != "*",)

    def _value_matches(self, value: str, item: str) -> bool:
        """Whether a value of the application's satisfies an item of the client's."""
        return item == "*" or item.lower() == value.lower()

    @overload
    def __getitem__(self, key: str) -> float: ...
    @overload
    def __getitem__(self, key: SupportsIndex) -> tuple[str, float]: ...
    @overload
    def __getitem__(self, key: slice) -> list[tuple[str, float]]: ...
    def __getitem__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, key: Any
    ) -> Any:
        return self.quality(key) if isinstance(key, str) else super().__getitem__(key)

    def _match(self, value: str) -> tuple[str, float] | None:
        # The most specific item stands first, so the first that matches decides.
        for pair in self:
            if self._value_matches(value, pair[0]):
                return pair
        return None

    def quality(self, key: str) -> float:
        """How much the client likes a value, from 0 (not at all) to 1."""
        pair = self._match(key)
        return pair[1] if pair else 0

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and self._match(value) is not None

    def index(self, key: str | tuple[str, float], *bounds: Any) -> int:
        """The position of the item that a value matches, or of a pair.

        :raises ValueError: if there is none.
        """
        if not isinstance(key, str):
            return super().index(key, *bounds)
        for index, (item, _) in enumerate(self):
            if self._value_matches(key, item):
                return index
        raise ValueError(key)

    def find(self, key: str | tuple[str, float]) -> int:
        """As :meth:`index`, but -1 if there is none."""
        try:
            return self.index(key)
        except ValueError:
            return -1

    def values(self) -> Iterator[str]:
        """Iterate over the values, best first."""
        return (value for value, _ in self)

    def to_header(self) -> str:
        """The pairs as the header has them."""
        return ",".join(
            value if quality == 1 else f"{value};q={quality}" for value, quality in self
        )

    @overload
    def best_match(self, matches: Iterable[str]) -> str | None: ...
    @overload
    def best_match(self, matches: Iterable[str], default: str) -> str: ...
    @overload
    def best_match(self, matches: Iterable[str], default: str | None) -> str | None: ...
    def best_match(self, matches: Iterable[str], default: str | None = None) -> str | None:
        """The value that the client likes best among those that the application has.

        Equal quality is decided by how specific the client was, then by the order given.

        :param matches: What the application can offer, in its own order of preference.
        :param default: Returned if the client accepts none of them.
        """
        result = default
        best: tuple[float, tuple[bool, ...]] = (0, ())
        for value in matches:
            pair = self._match(value)
            if pair is None or pair[1] <= 0:
                continue
            rank = pair[1], self._specificity(pair[0])
            if rank > best:
                result, best = value, rank
        return result

    @property
    def best(self) -> str | None:
        """The first value, or ``None``."""
        return self[0][0] if self else None

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        pairs = ", ".join(f"({value!r}, {quality})" for value, quality in self)
        return f"{type(self).__name__}([{pairs}])"


def _mime_parts(value: str) -> tuple[str, str, list[str]]:
    essence, *parameters = value.lower().split(";")
    kind, _, subtype = essence.strip(" \t").partition("/")
    return kind, subtype, sorted(parameter.strip(" \t") for parameter in parameters)


class MIMEAccept(Accept):
    """An :class:`Accept` of media types, with their wildcards and parameters.

    >>> MIMEAccept([("text/*", 0.5), ("text/html", 1)]).best_match(["text/css", "text/html"])
    'text/html'
    """

    __slots__ = ()

    def _specificity(self, value: str) -> tuple[bool, ...]:
        kind, subtype, parameters = _mime_parts(value)
        return (kind != "*", subtype != "*", *[True for _ in parameters])

    def _value_matches(self, value: str, item: str) -> bool:
        if "/" not in item:
            return False
        kind, subtype, parameters = _mime_parts(value)
        if "/" not in value or (kind == "*" and subtype != "*"):
            raise ValueError(f"{value!r} is not a media type; write it as 'type/subtype'.")
        item_kind, item_subtype, item_parameters = _mime_parts(item)
        if item_kind == "*":
            return item_subtype == "*"
        if kind == "*":
            return True
        if item_kind != kind:
            return False
        return "*" in (item_subtype, subtype) or (
            item_subtype == subtype and item_parameters == parameters
        )

    @property
    def accept_html(self) -> bool:
        """Whether the client accepts HTML, as such or as XHTML."""
        return self.quality("text/html") > 0 or self.accept_xhtml

    @property
    def accept_xhtml(self) -> bool:
        """Whether the client accepts XHTML or XML."""
        return self.quality("application/xhtml+xml") > 0 or self.quality("application/xml") > 0

    @property
    def accept_json(self) -> bool:
        """Whether the client accepts JSON."""
        return self.quality("application/json") > 0


_subtags = re.compile("[_-]").split


class LanguageAccept(Accept):
    """An :class:`Accept` of language tags, which may use ``-`` or ``_``.

    >>> LanguageAccept([("en-GB", 1), ("de", 0.5)]).best_match(["de", "en"])
    'de'
    >>> LanguageAccept([("en-GB", 1)]).best_match(["de", "en"])
    'en'
    """

    __slots__ = ()

    def _value_matches(self, value: str, item: str) -> bool:
        return item == "*" or _subtags(value.lower()) == _subtags(item.lower())

    @overload
    def best_match(self, matches: Iterable[str]) -> str | None: ...
    @overload
    def best_match(self, matches: Iterable[str], default: str) -> str: ...
    @overload
    def best_match(self, matches: Iterable[str], default: str | None) -> str | None: ...
    def best_match(self, matches: Iterable[str], default: str | None = None) -> str | None:
        """The supported language that the client likes best.

        A tag matches as a whole first. If none does, the client's tags are cut to their primary
        language (``en-GB`` accepts ``en``), then the application's (``en`` accepts ``en-GB``).
        """
        matches = list(matches)
        result = super().best_match(matches)
        if result is not None:
            return result
        primary = Accept([(_subtags(value, 1)[0], quality) for value, quality in self])
        result = primary.best_match(matches)
        if result is not None:
            return result
        result = super().best_match([_subtags(value, 1)[0] for value in matches])
        if result is None:
            return default
        return next(value for value in matches if _subtags(value, 1)[0] == result)


def _charset(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return name.lower()


class CharsetAccept(Accept):
    """An :class:`Accept` of charsets, which have many names for the same.

    >>> "UTF8" in CharsetAccept([("utf-8", 1)])
    True
    """

    __slots__ = ()

    def _value_matches(self, value: str, item: str) -> bool:
        return item == "*" or _charset(value) == _charset(item)
