"""JSON for an application: the base class of providers, and the one on Python's :mod:`json`.

Speed comes from preparing once what :func:`json.dumps` prepares on every call. The C encoder is
made once per set of options and kept until an option changes, and the C scanner is asked
directly, so that only unusual input takes the library's longer way. Neither keeps state between
calls; threads share them.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from json import JSONDecodeError, JSONDecoder, JSONEncoder
from json import encoder as _encoder
from typing import IO, Any, NoReturn, TypeAlias
from uuid import UUID

from ..http.dates import http_date

#: How an encoder separates items and keys: as :func:`json.dumps` does, and without spaces.
SPACED = (", ", ": ")
COMPACT = (",", ":")

_TOO_DEEP_OUT = (
    "The value cannot be written as JSON: it contains itself, or is nested more deeply than"
    " Python's recursion limit allows."
)
_TOO_DEEP_IN = "The JSON text is nested too deeply."


def jsonable(o: Any) -> Any:
    """Turn an object that JSON has no type for into one that it has.

    Dates become HTTP dates; decimals and UUIDs text; dataclasses objects; what has
    ``__html__`` its markup.

    >>> jsonable(UUID(int=1))
    '00000000-0000-0000-0000-000000000001'

    :raises TypeError: for anything else; the message names the type.
    :source: Flask: the same conversions.
    """
    if isinstance(o, date):
        return http_date(o)
    if isinstance(o, (Decimal, UUID)):
        return str(o)
    if hasattr(type(o), "__dataclass_fields__"):
        # Whoever made a dataclass has paid for this import already.
        from dataclasses import asdict

        return asdict(o)
    if hasattr(o, "__html__"):
        return str(o.__html__())
    raise TypeError(
        f"Object of type {type(o).__name__} is not JSON serializable. Convert it to a dict, list"
        " or str, or give the JSON provider a 'default' that does."
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON (RFC 8259, section 6).")


def _finite(text: str) -> float:
    # "1e999" is within the grammar, yet what Python makes of it could not be written again.
    value = float(text)
    if value - value != 0.0:
        raise ValueError(f"The number {text[:40]} is out of range.")
    return value


_Encode: TypeAlias = Callable[[Any, int], Iterable[str]]

#: Makes an encoder in C; ``None`` in an interpreter without that accelerator.
_make_encoder: Callable[..., _Encode] | None = getattr(_encoder, "c_make_encoder", None)

_decoder = JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
# typeshed does not know it, though json.decoder shows it to subclasses.
_scan: Callable[[str, int], tuple[Any, int]] = vars(_decoder)["scan_once"]


def parse(s: str | bytes | bytearray) -> Any:
    """Read one JSON text, which is Unicode or UTF-8 bytes.

    A byte order mark before the bytes is skipped; RFC 8259 allows that. Any thread.

    >>> parse(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}

    :raises ValueError: for anything that is not JSON in UTF-8: broken syntax (then it is a
        :exc:`json.JSONDecodeError`), ``NaN`` and ``Infinity``, a number out of range, nesting
        deeper than Python can go, an integer of thousands of digits, undecodable bytes.
    :source: RFC 8259. Flask accepts ``NaN``, UTF-16 and UTF-32 too.
    """
    if isinstance(s, (bytes, bytearray)):
        # UTF-16 and UTF-32 fail here, or as NULs in the syntax.
        s = s.decode("utf-8-sig" if s.startswith(b"\xef\xbb\xbf") else "utf-8")
    elif not isinstance(s, str):
        raise TypeError(f"JSON is read from str or bytes, not {type(s).__name__}.")
    try:
        value, end = _scan(s, 0)
        if end == len(s):
            return value
    except StopIteration:
        # White space comes first, or nothing that begins a value; decode() knows which.
        return _decode(s)
    except RecursionError:
        raise ValueError(_TOO_DEEP_IN) from None
    if s[end:].strip(" \t\n\r"):
        raise JSONDecodeError("Extra data", s, end)
    return value


def _decode(s: str) -> Any:
    try:
        return _decoder.decode(s)
    except RecursionError:
        raise ValueError(_TOO_DEEP_IN) from None


class JSONProvider:
    """What an application uses to write and read JSON; the base class of every provider.

    A subclass for another library implements :meth:`dumps` and :meth:`loads`; the rest follows
    from them. It is used by naming it as ``json_provider_class`` on the application class, or by
    assigning an instance to ``app.json``.

    :param app: The application. It is held weakly, as ``_app``.
    :source: Flask: the same.
    """

    def __init__(self, app: Any) -> None:
        # Any: the application is defined floors above.
        self._app: Any = weakref.proxy(app)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write a value as JSON text.

        :param kwargs: For the underlying library.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement dumps().")

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Write a value as JSON to a file that is open for text, best in UTF-8."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read a value from JSON text or UTF-8 bytes.

        :param kwargs: For the underlying library.
        :raises ValueError: if it is not JSON; ``request.json`` answers that with 400.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement loads().")

    def load(self, fp: IO[Any], **kwargs: Any) -> Any:
        """Read a value from a file that is open for text or UTF-8 bytes."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args and kwargs:
            raise TypeError(
                "A JSON response is made from positional or from keyword arguments, not from both."
            )
        if len(args) == 1:
            return args[0]
        return args or kwargs or None

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """Make a response with a JSON body; ``jsonify`` and views that return data come here.

        :param args: One value, or several that become a list; none at all means ``None``.
        :param kwargs: Instead: the members of an object.
        :return: An ``app.response_class``.
        :raises TypeError: if both positional and keyword arguments are given.
        """
        obj = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(self.dumps(obj), mimetype="application/json")


class DefaultJSONProvider(JSONProvider):
    """JSON through Python's own :mod:`json`, with Flask's extra types.

    :class:`~datetime.datetime` and :class:`~datetime.date` are written as HTTP dates,
    :class:`~decimal.Decimal` and :class:`~uuid.UUID` as text, dataclasses as objects, and what
    has an ``__html__`` method as the markup that it returns. ``NaN`` and ``Infinity`` are
    refused both ways, because they are not JSON.

    The options below may be set on a subclass, or at any time on ``app.json``.
    """

    #: Called with what :mod:`json` cannot write; returns something that it can, or raises
    #: :exc:`TypeError`. A method of a subclass works as well.
    default: Callable[[Any], Any] = staticmethod(jsonable)

    #: Write other than ASCII characters as ``\\u`` escapes. ``False`` gives smaller text.
    ensure_ascii: bool = True

    #: Sort the members of objects, so that equal data gives equal text. Keys must be of one
    #: type then.
    sort_keys: bool = True

    #: ``True``: :meth:`response` writes no white space. ``False``: it indents.
    #: ``None``: it indents in debug mode only.
    compact: bool | None = None

    #: The media type of :meth:`response`.
    mimetype: str = "application/json"

    #: One prepared C encoder per pair of separators; empty again after any option changed.
    _encoders: dict[tuple[str, str], _Encode]

    #: Whether :meth:`dumps` is the one below, so that :meth:`response_body` may go past it.
    _plain_dumps: bool = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._plain_dumps = cls.dumps is DefaultJSONProvider.dumps

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "dumps":
            object.__setattr__(self, "_plain_dumps", False)
        object.__setattr__(self, "_encoders", {})

    def _prepare(self, separators: tuple[str, str]) -> _Encode:
        # An option that changes meanwhile replaces this dictionary, and so forgets what is stored.
        encoders = self._encoders
        convert = self.default
        if _make_encoder is None:
            python = JSONEncoder(
                ensure_ascii=self.ensure_ascii,
                sort_keys=self.sort_keys,
                separators=separators,
                default=convert,
                allow_nan=False,
            )
            return lambda obj, _level: [python.encode(obj)]
        escape = (
            _encoder.encode_basestring_ascii if self.ensure_ascii else _encoder.encode_basestring
        )
        item, key = separators
        # Without the table of visited objects: shared between threads it would call one object
        # that two of them write "circular". A real circle ends at the recursion limit.
        encode = _make_encoder(None, convert, escape, None, key, item, self.sort_keys, False, False)
        encoders[separators] = encode
        return encode

    def _encode(self, obj: Any, separators: tuple[str, str]) -> str:
        encode = self._encoders.get(separators) or self._prepare(separators)
        try:
            return "".join(encode(obj, 0))
        except RecursionError as exc:
            raise ValueError(_TOO_DEEP_OUT) from exc

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write a value as JSON text, under the options of this provider.

        :param kwargs: For :func:`json.dumps`; each replaces the provider's own choice.
        :raises ValueError: for ``NaN``, ``Infinity``, circles, and endless nesting.
        :raises TypeError: for what cannot be written.
        """
        if not kwargs:
            return self._encode(obj, SPACED)
        if kwargs == {"separators": COMPACT}:
            return self._encode(obj, COMPACT)
        kwargs.setdefault("default", self.default)
        kwargs.setdefault("ensure_ascii", self.ensure_ascii)
        kwargs.setdefault("sort_keys", self.sort_keys)
        kwargs.setdefault("allow_nan", False)
        try:
            return json.dumps(obj, **kwargs)
        except RecursionError as exc:
            raise ValueError(_TOO_DEEP_OUT) from exc

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read a value from JSON text or UTF-8 bytes; see :func:`parse` for what is refused.

        :param kwargs: For :func:`json.loads`.
        :raises ValueError: if it is not JSON.
        """
        if not kwargs:
            return parse(s)
        if isinstance(s, (bytes, bytearray)):
            s = s.decode("utf-8-sig")
        if "cls" not in kwargs:
            kwargs.setdefault("parse_constant", _refuse_constant)
            kwargs.setdefault("parse_float", _finite)
        try:
            return json.loads(s, **kwargs)
        except RecursionError:
            raise ValueError(_TOO_DEEP_IN) from None

    def response_body(self, obj: Any) -> bytes:
        """The body of :meth:`response`, as UTF-8 bytes with a line feed at the end.

        A :meth:`dumps` that a subclass defines is used.
        """
        compact = self.compact
        if compact or (compact is None and not self._app.debug):
            if self._plain_dumps:
                # What _encode() does, without its call: most JSON answers come this way.
                encode = self._encoders.get(COMPACT) or self._prepare(COMPACT)
                try:
                    return ("".join(encode(obj, 0)) + "\n").encode()
                except RecursionError as exc:
                    raise ValueError(_TOO_DEEP_OUT) from exc
            return (self.dumps(obj, separators=COMPACT) + "\n").encode()
        return (self.dumps(obj, indent=2) + "\n").encode()

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """Make a response with a JSON body and :attr:`mimetype`; see the base class.

        It ends with a line feed, and is indented or not as :attr:`compact` says.
        """
        body = self.response_body(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(body, mimetype=self.mimetype)
