# ruff: noqa: D102 - what a tag does with its methods, the base class says.
"""JSON that brings tuples, bytes, dates and other Python types back as what they were.

A value that JSON has no type for is written as an object with one member, whose name is the
tag: ``(1, 2)`` becomes ``{" t":[1,2]}``. The tags and their order are those of Flask, so that
what one of the two writes, the other reads.

Another type is added by registering a tag for it:

.. code-block:: python

    from decimal import Decimal
    from kolben.json.tag import JSONTag

    class TagDecimal(JSONTag):
        __slots__ = ()
        key = " de"

        def check(self, value):
            return isinstance(value, Decimal)

        def to_json(self, value):
            return str(value)

        def to_python(self, value):
            return Decimal(value)

    app.session_interface.serializer.register(TagDecimal)
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from markupsafe import Markup

from ..http.dates import http_date, parse_date
from .current import dumps, loads


class JSONTag:
    """How one Python type is written as JSON, and read back.

    A subclass sets :attr:`key` and defines :meth:`check`, :meth:`to_json` and
    :meth:`to_python`.

    :param serializer: The serializer that the tag belongs to; for tagging what a value contains.
    :source: Flask: the same.
    """

    __slots__ = ("serializer",)

    #: The tag: the name of the one member. Empty for a type that JSON has, but whose contents
    #: may need tags; such a class overrides :meth:`tag`.
    key: str = ""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Whether this tag is for ``value``."""
        raise NotImplementedError(f"{type(self).__name__} must implement check().")

    def to_json(self, value: Any) -> Any:
        """Turn a value into what JSON can hold; the tag is put around it afterwards."""
        raise NotImplementedError(f"{type(self).__name__} must implement to_json().")

    def to_python(self, value: Any) -> Any:
        """Turn what :meth:`to_json` returned back into the value."""
        raise NotImplementedError(f"{type(self).__name__} must implement to_python().")

    def tag(self, value: Any) -> Any:
        """The value as JSON, inside its tag."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """For a dict that looks like a tag itself: its only key gets two underscores."""

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        if not isinstance(value, dict) or len(value) != 1:
            return False
        return next(iter(value)) in self.serializer.tags

    def to_json(self, value: Any) -> Any:
        ((key, inner),) = value.items()
        return {f"{key}__": self.serializer.tag(inner)}

    def to_python(self, value: Any) -> Any:
        ((key, inner),) = value.items()
        return {key[:-2]: inner}


class PassDict(JSONTag):
    """For any other dict: the values are tagged, the dict is not. Keys become text."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: Any) -> Any:
        tag = self.serializer.tag
        return {key: tag(inner) for key, inner in value.items()}

    def tag(self, value: Any) -> Any:
        return self.to_json(value)


class TagTuple(JSONTag):
    """For a tuple."""

    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    def to_python(self, value: Any) -> Any:
        return tuple(value)


class PassList(JSONTag):
    """For a list: the items are tagged, the list is not."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, list)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    def tag(self, value: Any) -> Any:
        return self.to_json(value)


class TagBytes(JSONTag):
    """For bytes, written in base64."""

    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: Any) -> Any:
        return b64encode(value).decode("ascii")

    def to_python(self, value: Any) -> Any:
        return b64decode(value)


class TagMarkup(JSONTag):
    """For what has an ``__html__`` method; it is read back as :class:`markupsafe.Markup`."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> Any:
        return str(value.__html__())

    def to_python(self, value: Any) -> Any:
        return Markup(value)


class TagUUID(JSONTag):
    """For a :class:`uuid.UUID`."""

    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        return isinstance(value, UUID)

    def to_json(self, value: Any) -> Any:
        return value.hex

    def to_python(self, value: Any) -> Any:
        return UUID(value)


class TagDateTime(JSONTag):
    """For a :class:`~datetime.datetime`, written as an HTTP date: in UTC, in whole seconds."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        return http_date(value)

    def to_python(self, value: Any) -> Any:
        return parse_date(value)


#: Types that no tag below looks at.
_UNTAGGED = frozenset({str, int, float, bool, type(None)})

_BUILT_IN: frozenset[type[JSONTag]] = frozenset(
    {TagDict, PassDict, TagTuple, PassList, TagBytes, TagMarkup, TagUUID, TagDateTime}
)


class TaggedJSONSerializer:
    """Writes and reads JSON that keeps the types of :attr:`default_tags`.

    Sessions are written with it. It may be used from any thread.

    >>> serializer = TaggedJSONSerializer()
    >>> serializer.dumps({"pair": (1, b"2")})
    '{"pair":{" t":[1,{" b":"Mg=="}]}}'
    >>> serializer.loads('{"pair":{" t":[1,{" b":"Mg=="}]}}')
    {'pair': (1, b'2')}

    :source: Flask: the same.
    """

    __slots__ = ("_spaced", "_untagged", "order", "tags")

    #: The tag classes that a new serializer knows, in the order in which they are asked.
    default_tags: ClassVar[list[type[JSONTag]]] = [
        TagDict,
        PassDict,
        TagTuple,
        PassList,
        TagBytes,
        TagMarkup,
        TagUUID,
        TagDateTime,
    ]

    def __init__(self) -> None:
        self.tags: dict[str, JSONTag] = {}
        self.order: list[JSONTag] = []
        self._spaced = True
        self._untagged = _UNTAGGED
        for cls in self.default_tags:
            self.register(cls)

    def register(
        self, tag_class: type[JSONTag], force: bool = False, index: int | None = None
    ) -> None:
        """Add a tag.

        :param tag_class: A subclass of :class:`JSONTag`.
        :param force: Replace a tag that has the same key.
        :param index: Where in :attr:`order` to insert it; ``None`` for the end. A special case
            of another tag, such as a subclass of dict, has to come before that one.
        :raises KeyError: if the key is registered already, and not ``force``.
        """
        tag = tag_class(self)
        key = tag.key
        if key:
            if not force and key in self.tags:
                raise KeyError(f"The tag {key!r} is registered already; force=True replaces it.")
            self.tags[key] = tag
            self._spaced = self._spaced and key.startswith(" ")
        if index is None:
            self.order.append(tag)
        else:
            self.order.insert(index, tag)
        if tag_class not in _BUILT_IN:
            # It may be for plain text or numbers, too.
            self._untagged = frozenset()

    def tag(self, value: Any) -> Any:
        """The value as JSON can hold it, with tags where it needs them."""
        if type(value) in self._untagged:
            return value
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """What a dict stands for if it is a tag; else the dict."""
        if len(value) != 1:
            return value
        ((key, inner),) = value.items()
        tag = self.tags.get(key)
        return value if tag is None else tag.to_python(inner)

    def _untag_scan(self, value: Any) -> Any:
        if type(value) is dict:
            scan = self._untag_scan
            return self.untag({key: scan(inner) for key, inner in value.items()})
        if type(value) is list:
            return [self._untag_scan(item) for item in value]
        return value

    def dumps(self, value: Any) -> str:
        """Write a value as JSON text without white space."""
        return dumps(self.tag(value), separators=(",", ":"))

    def loads(self, value: str) -> Any:
        """Read what :meth:`dumps` wrote.

        :raises ValueError: if it is not JSON.
        """
        found = loads(value)
        if self._spaced and '" ' not in value and "\\" not in value:
            return found  # every tag begins with a space; there is none
        return self._untag_scan(found)
