"""Converters: the text of a placeholder to a Python value, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

if TYPE_CHECKING:
    from uuid import UUID

#: What RFC 3986 lets stand in a path segment beside letters, digits and ``-._~``.
SEGMENT_SAFE = "!$&'()*+,:;=@"
#: The same for a whole path.
PATH_SAFE = SEGMENT_SAFE + "/"

#: Most values need no encoding, and finding that out costs a fraction of it.
_is_unreserved = re.compile(r"[\w.~-]*", re.ASCII).fullmatch


class ValidationError(ValueError):
    """Raised by :meth:`BaseConverter.to_python`: the rule does not match, try the next one.

    Raised by :meth:`BaseConverter.to_url`: the rule cannot build a URL for this value.

    :source: Werkzeug: the same.
    """


class BaseConverter:
    """Base class of converters; matches one path segment, or a part of one.

    Write your own as a subclass, with :attr:`regex` and one or both methods, and register it in
    ``app.url_map.converters``:

    >>> class ListConverter(BaseConverter):
    ...     def to_python(self, value: str) -> list[str]:
    ...         return value.split("+")
    ...     def to_url(self, value: list[str]) -> str:
    ...         return "+".join(super(ListConverter, self).to_url(item) for item in value)
    >>> ListConverter(None).to_python("a+b")
    ['a', 'b']

    :param map: The :class:`Map` of the rule.
    :param args: Further arguments come from the rule: ``<name(1, key="x"):placeholder>``.
    :source: Werkzeug: the same.
    """

    #: What the placeholder matches. Yours may be set in the constructor, per placeholder. It is
    #: compiled as it stands: an expression that backtracks without end is your users' problem.
    regex: str = "[^/]+"
    #: The rule whose converters weigh less is tried first.
    weight: int = 100
    #: Whether a value never holds a slash. A class that sets a ``regex`` with a slash in it and
    #: does not say otherwise gets false.
    part_isolating: bool = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "regex" in cls.__dict__ and "part_isolating" not in cls.__dict__:
            regex = cls.__dict__["regex"]
            cls.part_isolating = not (isinstance(regex, str) and "/" in regex)

    def __init__(self, map: Any, *args: Any, **kwargs: Any) -> None:
        self.map = map

    def to_python(self, value: str) -> Any:
        """The value for the view.

        :param value: The matched text, percent-decoded.
        :raises ValidationError: if the rule should not match.
        """
        return value

    def to_url(self, value: Any) -> str:
        """The text for a URL, percent-encoded; the inverse of :meth:`to_python`."""
        text = str(value)
        if _is_unreserved(text):
            return text
        return quote(text, safe=SEGMENT_SAFE if self.part_isolating else PATH_SAFE)


class UnicodeConverter(BaseConverter):
    """``string``, the default: any text without a slash.

    >>> UnicodeConverter(None, length=2).regex
    '[^/]{2}'

    :param minlength: Least number of characters.
    :param maxlength: Greatest number of characters.
    :param length: Exact number of characters; the other two are ignored then.
    """

    def __init__(
        self,
        map: Any,
        minlength: int = 1,
        maxlength: int | None = None,
        length: int | None = None,
    ) -> None:
        super().__init__(map)
        if length is not None:
            counts = f"{int(length)}"
        else:
            counts = f"{int(minlength)},{'' if maxlength is None else int(maxlength)}"
        self.regex = f"[^/]{{{counts}}}"


class AnyConverter(BaseConverter):
    """``any``: one of the given words, ``<any(about, help, "foo,bar"):page>``.

    :param items: The words.
    """

    def __init__(self, map: Any, *items: str) -> None:
        super().__init__(map)
        self.words = [str(item) for item in items]
        self.items = set(self.words)
        self.regex = f"(?:{'|'.join([re.escape(word) for word in self.words])})"

    def to_url(self, value: Any) -> str:
        """The word, encoded.

        :raises ValueError: if it is none of the words.
        """
        if str(value) in self.items:
            return quote(str(value), safe=SEGMENT_SAFE)
        valid = ", ".join(repr(item) for item in sorted(self.items))
        raise ValueError(f"{str(value)!r} is not one of {valid}")


class PathConverter(BaseConverter):
    """``path``: text with slashes in it, but none in front: ``/<path:page>/edit``."""

    part_isolating = False
    regex = "[^/](?s:.*?)"
    weight = 200


class NumberConverter(BaseConverter):
    """What ``int`` and ``float`` share."""

    weight = 50
    num_convert: ClassVar[Callable[[Any], Any]] = int

    def __init__(
        self,
        map: Any,
        fixed_digits: int = 0,
        min: float | None = None,
        max: float | None = None,
        signed: bool = False,
    ) -> None:
        super().__init__(map)
        if signed:
            self.regex = self.signed_regex
        self.fixed_digits = fixed_digits
        self.min = min
        self.max = max
        self.signed = signed

    @property
    def signed_regex(self) -> str:
        """The regular expression for numbers that may have a minus sign."""
        return f"-?{type(self).regex}"

    def to_python(self, value: str) -> Any:
        """The number.

        :raises ValidationError: if it is out of bounds, or has the wrong number of digits.
        """
        if self.fixed_digits and len(value) != self.fixed_digits:
            raise ValidationError(value)
        try:
            number = type(self).num_convert(value)
        except ValueError as error:  # more digits than Python converts
            raise ValidationError(value) from error
        if (self.min is not None and number < self.min) or (
            self.max is not None and number > self.max
        ):
            raise ValidationError(value)
        return number

    def to_url(self, value: Any) -> str:
        """The digits, with zeros in front up to ``fixed_digits``."""
        text = self.dump(type(self).num_convert(value))
        return text.zfill(self.fixed_digits) if self.fixed_digits else text

    def dump(self, number: Any) -> str:
        """The text of a number."""
        return str(number)


class IntegerConverter(NumberConverter):
    r"""``int``: decimal digits.

    >>> IntegerConverter(None, fixed_digits=4).to_url(7)
    '0007'

    :param fixed_digits: Exact number of characters; shorter numbers are written with zeros.
    :param min: Least value.
    :param max: Greatest value.
    :param signed: Accept a minus sign.
    """

    regex = r"\d+"


class FloatConverter(NumberConverter):
    r"""``float``: digits, a dot, digits.

    >>> FloatConverter(None).to_url(1e21)
    '1000000000000000000000.0'

    :param min: Least value.
    :param max: Greatest value.
    :param signed: Accept a minus sign.
    """

    regex = r"\d+\.\d+"
    num_convert = float

    def __init__(
        self,
        map: Any,
        min: float | None = None,
        max: float | None = None,
        signed: bool = False,
    ) -> None:
        super().__init__(map, min=min, max=max, signed=signed)

    def to_python(self, value: str) -> Any:
        """The number.

        :raises ValidationError: if it is out of bounds, or of a float's range.
        """
        number = super().to_python(value)
        if number in (float("inf"), float("-inf")):
            raise ValidationError(value)
        return number

    def dump(self, number: Any) -> str:
        """The text without an exponent, which the rule would not match."""
        text = str(number)
        mantissa, has_exponent, exponent = text.partition("e")
        if not has_exponent:
            return text
        sign = "-" if mantissa.startswith("-") else ""
        whole, _, fraction = mantissa.lstrip("-").partition(".")
        shift = int(exponent)
        if shift < 0:
            return f"{sign}0.{whole.rjust(-shift, '0')}{fraction}"
        return f"{sign}{whole}{fraction.ljust(shift, '0')}.0"


class UUIDConverter(BaseConverter):
    """``uuid``: the usual form of 36 characters; the value is a :class:`uuid.UUID`."""

    regex = "[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}"

    def __init__(self, map: Any) -> None:
        super().__init__(map)
        from uuid import UUID  # imports the platform module: only who has such a rule pays for it

        self.uuid = UUID

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        return self.uuid(value)

    def to_url(self, value: Any) -> str:
        """The UUID's text."""
        return quote(str(value), safe=SEGMENT_SAFE)


#: The converters that every map knows.
DEFAULT_CONVERTERS: Mapping[str, type[BaseConverter]] = {
    "default": UnicodeConverter,
    "string": UnicodeConverter,
    "any": AnyConverter,
    "path": PathConverter,
    "int": IntegerConverter,
    "float": FloatConverter,
    "uuid": UUIDConverter,
}
