"""Configuration: a dict of upper-case names, filled from files, objects and the environment."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import IO, Any, Generic, Self, TypeVar, cast, overload

T = TypeVar("T")

_NO_FILE = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR})


def import_string(name: str) -> Any:
    """Import a module, or an object in one, by its name.

    >>> import_string("json:dumps").__name__
    'dumps'

    :param name: ``"package.module"``, ``"package.module.object"`` or ``"package.module:object"``.
    :raises ImportError: if there is no such thing; the message names the part that is missing.
        What a module raises while it is being imported comes through as it is.
    """
    path, _, attribute = name.partition(":")
    if not path or (":" in name and not attribute):
        raise ImportError(f"{name!r} is not an import name such as 'package.module:object'.")
    try:
        found: Any = import_module(path)
    except ModuleNotFoundError as error:
        parent, _, last = path.rpartition(".")
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise  # the module is there; something that it imports is not
        if attribute or not parent:
            raise ImportError(f"Cannot import {name!r}: {error}.", name=error.name) from error
        found, attribute = import_string(parent), last
    for part in attribute.split(".") if attribute else ():
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise ImportError(f"Cannot import {name!r}: {error}.") from error
    return found


class ConfigAttribute(Generic[T]):
    """An attribute of an application that stands for a value in its ``config``.

    Reading it reads ``app.config[name]``; assigning to it sets that.

    :param name: The key in the configuration.
    :param get_converter: Applied to the value when it is read.
    :source: Flask: the same.
    """

    def __init__(self, name: str, get_converter: Callable[[Any], T] | None = None) -> None:
        self.__name__ = name
        self.get_converter = get_converter

    @overload
    def __get__(self, obj: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, obj: Any, owner: type | None = None) -> T: ...
    def __get__(self, obj: Any | None, owner: type | None = None) -> T | Self:
        if obj is None:
            return self
        value = obj.config[self.__name__]
        return cast("T", value) if self.get_converter is None else self.get_converter(value)

    def __set__(self, obj: Any, value: Any) -> None:
        obj.config[self.__name__] = value


class Config(dict[str, Any]):
    """The configuration of an application: a dict that can fill itself from elsewhere.

    Files, objects and mappings give their upper-case names only, so that lower-case ones may
    serve as helpers there.

    >>> config = Config("/srv/shop", {"DEBUG": False})
    >>> config.from_mapping(DEBUG=True, note="ignored")
    True
    >>> config
    <Config {'DEBUG': True}>

    :param root_path: The folder that relative file names are meant from.
    :param defaults: What it contains from the start.
    :source: Flask: the same.
    """

    def __init__(
        self, root_path: str | os.PathLike[str], defaults: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(defaults or {})
        self.root_path = root_path

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict.__repr__(self)}>"

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Read the Python file whose name an environment variable holds.

        :param variable_name: The variable, such as ``"SHOP_SETTINGS"``.
        :param silent: Do without, if the variable is not set or the file does not exist.
        :return: Whether the file was read.
        :raises RuntimeError: if the variable is not set or is empty.
        :raises OSError: as :meth:`from_pyfile`.
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"The environment variable {variable_name!r} is not set, so there is no file to read"
            " the configuration from. Set it to the name of a configuration file."
        )

    def from_prefixed_env(
        self, prefix: str = "KOLBEN", *, loads: Callable[[str], Any] = json.loads
    ) -> bool:
        """Take every environment variable that begins with a prefix and an underscore.

        Two underscores lead into a dict: ``KOLBEN_DATABASE__PORT=5432`` sets
        ``config["DATABASE"]["PORT"]``, and makes that dict where it is missing.

        :param prefix: What the names begin with; it is cut off.
        :param loads: Makes a value of the text. Where it raises, the text is the value. The
            default takes any JSON: numbers, booleans, lists, objects.
        :return: ``True``, always.
        :raises ValueError: if a variable leads into something that is not a dict.
        """
        start = f"{prefix}_"
        for variable in sorted(os.environ):
            if not variable.startswith(start):
                continue
            text = os.environ[variable]
            try:
                value = loads(text)
            except Exception:  # a loader may raise anything; its refusal means "plain text"
                value = text
            *path, last = variable.removeprefix(start).split("__")
            target: Any = self
            for part in path:
                target = target.setdefault(part, {})
                if not isinstance(target, dict):
                    raise ValueError(
                        f"The environment variable {variable!r} sets something inside {part!r},"
                        f" but that is {target!r} and not a dict."
                    )
            target[last] = value
        return True

    def from_pyfile(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Run a Python file, and take its upper-case names.

        :param filename: Absolute, or relative to :attr:`root_path`.
        :param silent: Do without, if the file does not exist.
        :return: Whether the file was read.
        :raises OSError: if it cannot be read; whatever the code in it raises.
        """
        filename = os.path.join(self.root_path, filename)
        module = ModuleType("config")
        module.__file__ = filename
        try:
            with open(filename, "rb") as file:
                source = file.read()
        except OSError as error:
            return _without(error, silent)
        exec(compile(source, filename, "exec"), module.__dict__)
        self.from_object(module)
        return True

    def from_object(self, obj: object | str) -> None:
        """Take the upper-case attributes of a module, a class or any other object.

        A property of a class counts only on an instance; a dict has no attributes, so give that
        to :meth:`from_mapping`.

        :param obj: The object, or its import name, ``"shop.settings"`` or
            ``"shop.settings:Production"``.
        :raises ImportError: if there is no object of that name.
        """
        if isinstance(obj, str):
            obj = import_string(obj)
        for name in dir(obj):
            if name.isupper():
                self[name] = getattr(obj, name)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[IO[Any]], Mapping[str, Any]],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Read a file in any format, and take the upper-case names at its top level.

        .. code-block:: python

            app.config.from_file("config.toml", load=tomllib.load, text=False)

        :param filename: Absolute, or relative to :attr:`root_path`.
        :param load: Called with the open file; returns a mapping.
        :param silent: Do without, if the file does not exist.
        :param text: Open it as UTF-8 text; ``False`` for bytes.
        :return: Whether the file was read.
        :raises OSError: if it cannot be read; whatever ``load`` raises.
        """
        filename = os.path.join(self.root_path, filename)
        try:
            file = open(  # noqa: SIM115 - an error of load() is not one of opening
                filename, "r" if text else "rb", encoding="utf-8" if text else None
            )
        except OSError as error:
            return _without(error, silent)
        with file:
            return self.from_mapping(load(file))

    def from_mapping(
        self,
        mapping: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        **kwargs: Any,
    ) -> bool:
        """Take the upper-case names of a mapping and of the keyword arguments.

        :param mapping: A mapping, or pairs of name and value.
        :return: ``True``, always.
        """
        values: dict[str, Any] = dict(mapping) if mapping is not None else {}
        values.update(kwargs)
        for key, value in values.items():
            if key.isupper():
                self[key] = value
        return True

    def get_namespace(
        self, namespace: str, lowercase: bool = True, trim_namespace: bool = True
    ) -> dict[str, Any]:
        """The settings whose names begin alike, for use as keyword arguments.

        >>> Config("", {"STORE_TYPE": "s3", "STORE_PATH": "/a"}).get_namespace("STORE_")
        {'type': 's3', 'path': '/a'}

        :param namespace: The beginning, with its underscore.
        :param lowercase: Give the names in lower case.
        :param trim_namespace: Leave the beginning out.
        """
        start = len(namespace) if trim_namespace else 0
        return {
            key[start:].lower() if lowercase else key[start:]: value
            for key, value in self.items()
            if key.startswith(namespace)
        }


def _without(error: OSError, silent: bool) -> bool:
    if silent and error.errno in _NO_FILE:
        return False
    error.strerror = f"Unable to load configuration file ({error.strerror})"
    raise error
