"""What belongs to the running thread or task: lazies, proxies, and waiting from synchronous code.

Nothing here knows of requests or applications; the floors above give it meaning.
"""

from __future__ import annotations

import copy
import operator
import sys
import threading
from asyncio import _get_running_loop
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from inspect import isawaitable
from typing import Any, Generic, TypeVar, cast, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - used as a decorator, like functools.cached_property
    """A method that becomes an attribute at its first access.

    Not a data descriptor: the value lands in the instance's ``__dict__`` and every later
    access is a plain one. Unlike :class:`functools.cached_property` on Python 3.11 it takes no
    lock; a message belongs to one request, and computing a value twice is harmless.

    >>> class Box:
    ...     @lazy
    ...     def value(self) -> list[int]:
    ...         return []
    >>> box = Box()
    >>> box.value is box.value
    True
    """

    def __init__(self, func: Callable[[Any], T]) -> None:
        self.func = func
        self.name = func.__name__
        self.__doc__ = func.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = self.func(instance)
        instance.__dict__[self.name] = value
        return value


def running_backend() -> str | None:
    """The name of the event loop that runs in this thread, ``"asyncio"`` or ``"trio"``.

    ``None`` where no loop runs. Costs under 0.1 µs where the loop is asyncio's.
    """
    if _get_running_loop() is not None:
        return "asyncio"
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return "trio"
    return None


#: Runs a coroutine on an event loop, and waits.
Portal = Callable[[Coroutine[Any, Any, Any]], Any]


class _Thread:
    _local: threading.local

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew if gevent has taken the place of threads since, after a fork for example."""
        if type(getattr(self, "_local", None)) is not threading.local:
            self._local = threading.local()

    @property
    def portal(self) -> Portal | None:
        """Runs a coroutine on the event loop that this thread works for."""
        return getattr(self._local, "portal", None)

    @portal.setter
    def portal(self, value: Portal | None) -> None:
        self._local.portal = value

    @property
    def box(self) -> Any:
        """Where the thread waits, if it does."""
        return getattr(self._local, "box", None)

    @box.setter
    def box(self, value: Any) -> None:
        self._local.box = value


#: What this thread knows of the event loop that it works for. A driver that runs code in a
#: worker thread sets ``portal`` for as long as that code runs.
thread = _Thread()


class _Process:
    portal: Portal | None = None


#: The same for all threads of a process that has an event loop of its own beside them, as
#: under WSGI.
process = _Process()


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def drive(coro: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, without an event loop.

    :raises RuntimeError: if it does suspend; it is closed then, so that its ``finally`` blocks run.
    """
    try:
        coro.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    coro.close()
    raise RuntimeError(
        f"{getattr(coro, '__qualname__', coro)} had to wait, but it was called from synchronous code on the event"
        " loop's own thread, which cannot wait. Await it: use the async form of the call (for"
        " example 'await render_template_async(...)'), or make the calling view 'def'."
    )


def wait(awaitable: Awaitable[T]) -> T:
    """Run an awaitable to its end from synchronous code.

    In the worker thread of a request it runs on the request's event loop, with the caller's
    context variables, and what it sets is visible afterwards. On the event loop's own thread
    it may not suspend. Under WSGI it runs on the process's one loop. Where there is no loop, it
    runs on a new one.

    :raises RuntimeError: on the loop's own thread, if the awaitable has to wait.
    """
    coro = awaitable if isinstance(awaitable, Coroutine) else _awaited(awaitable)
    if (portal := thread.portal) is not None:
        return cast("T", portal(coro))
    if running_backend() is not None:
        return drive(coro)
    if (portal := process.portal) is not None:
        return cast("T", portal(coro))
    import asyncio  # only a program outside any server comes here

    with asyncio.Runner() as runner:
        return runner.run(coro)


def call(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of either colour from synchronous code; see :func:`wait`."""
    result = func(*args, **kwargs)
    return wait(result) if isawaitable(result) else result


_BUILTINS: dict[str, Callable[..., Any]] = {
    "__len__": len,
    "__iter__": iter,
    "__hash__": hash,
    "__reversed__": reversed,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__divmod__": divmod,
    "__round__": round,
    "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy,
}


def _forward(name: str) -> Callable[..., Any]:
    op: Callable[..., Any] = _BUILTINS.get(name) or getattr(operator, name)

    def method(self: Proxy, *args: Any) -> Any:
        return op(self._get_current_object(), *args)

    method.__name__ = name
    return method


class Proxy:
    """Stands for the object that ``_get_current_object`` finds at the moment of each use.

    Attributes, items and operators go to that object; ``isinstance`` sees its class. Where
    there is none, the proxy is false and any other use raises :exc:`RuntimeError`.

    :source: Werkzeug's documented ``LocalProxy``.
    """

    __slots__ = ("_get_current_object",)

    def __init__(self, find: Callable[[], Any]) -> None:
        object.__setattr__(self, "_get_current_object", find)

    _get_current_object: Callable[[], Any]

    @property
    def __wrapped__(self) -> Any:
        try:
            return self._get_current_object()
        except RuntimeError as error:  # what unwraps functions asks for attributes only
            raise AttributeError("__wrapped__") from error

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        try:
            return type(self._get_current_object())
        except RuntimeError:
            return type(self)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # its property found nothing
            raise AttributeError(name)
        return getattr(self._get_current_object(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._get_current_object(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._get_current_object(), name)

    def __bool__(self) -> bool:
        try:
            return bool(self._get_current_object())
        except RuntimeError:
            return False

    def __repr__(self) -> str:
        try:
            return repr(self._get_current_object())
        except RuntimeError:
            return f"<{type(self).__name__} unbound>"

    def __str__(self) -> str:
        return str(self._get_current_object())

    def __dir__(self) -> Iterator[str]:
        try:
            return iter(dir(self._get_current_object()))
        except RuntimeError:
            return iter(())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object."""
        return self._get_current_object()(*args, **kwargs)

    def __enter__(self) -> Any:
        return self._get_current_object().__enter__()

    def __exit__(self, *exc: Any) -> Any:
        return self._get_current_object().__exit__(*exc)


for _name in (
    "__len__ __iter__ __hash__ __reversed__ __getitem__ __setitem__ __delitem__ __contains__ __eq__ __ne__"
    " __lt__ __le__ __gt__ __ge__ __or__ __ior__ __int__ __float__ __complex__ __index__ __round__"
    " __neg__ __pos__ __abs__ __invert__ __divmod__ __copy__ __deepcopy__"
).split():
    setattr(Proxy, _name, _forward(_name))


def _forward_reflected(name: str) -> Callable[..., Any]:
    op = getattr(operator, f"__{name}__")

    def method(self: Proxy, other: Any) -> Any:
        return op(other, self._get_current_object())

    method.__name__ = f"__r{name}__"
    return method


for _name in "add sub mul matmul truediv floordiv mod pow lshift rshift and xor or".split():
    setattr(Proxy, f"__{_name}__", _forward(f"__{_name}__"))
    setattr(Proxy, f"__r{_name}__", _forward_reflected(_name))


def typed_proxy(cls: type, find: Callable[[], Any], names: tuple[str, ...] = ()) -> Any:
    """A proxy with one property for each public attribute of ``cls``.

    A property costs a sixth of what ``__getattr__`` does; attributes that ``cls`` does not
    know still work through the latter.
    """

    def forward(name: str) -> property:
        get = operator.attrgetter(name)

        def fget(self: Proxy) -> Any:
            return get(find())

        def fset(self: Proxy, value: Any) -> None:
            setattr(find(), name, value)

        return property(fget, fset)

    members: dict[str, Any] = {
        name: forward(name) for name in {*dir(cls), *names} if not name.startswith("_")
    }
    return type(f"{cls.__name__}Proxy", (Proxy,), {"__slots__": (), **members})(find)
