"""Lazies, proxies, and waiting from synchronous code."""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from kolben.local import Proxy, call, drive, lazy, running_backend, typed_proxy, wait

var: ContextVar[int] = ContextVar("var", default=0)


class Box:
    calls = 0

    @lazy
    def value(self) -> list[int]:
        """What is in the box."""
        self.calls += 1
        return [1]


def test_a_lazy_is_computed_once_and_can_be_set_and_deleted() -> None:
    box = Box()
    assert box.value is box.value
    assert box.calls == 1
    box.value = [2]  # type: ignore[misc]
    assert box.value == [2]
    del box.value  # type: ignore[misc]
    assert box.value == [1]
    assert isinstance(Box.value, lazy)
    assert Box.value.__doc__ == "What is in the box."


def test_a_lazy_that_fails_is_tried_again() -> None:
    class Trying:
        tries = 0

        @lazy
        def value(self) -> int:
            self.tries += 1
            if self.tries == 1:
                raise ValueError
            return self.tries

    box = Trying()
    with pytest.raises(ValueError):
        box.value
    assert box.value == 2


def test_no_backend_where_no_loop_runs() -> None:
    assert running_backend() is None


@pytest.mark.anyio
async def test_the_backend_that_runs(anyio_backend: str) -> None:
    assert running_backend() == anyio_backend


async def double(value: int) -> int:
    return value * 2


async def pausing(value: int) -> int:
    await asyncio.sleep(0)
    var.set(value)
    return value * 2


def test_wait_without_a_loop_uses_a_new_one() -> None:
    assert wait(pausing(2)) == 4


def test_wait_takes_any_awaitable() -> None:
    class Awaitable:
        def __await__(self) -> Any:
            return double(3).__await__()

    assert wait(Awaitable()) == 6


@pytest.mark.anyio
async def test_on_the_loop_what_does_not_wait_runs_through() -> None:
    assert wait(double(2)) == 4


@pytest.mark.anyio
async def test_on_the_loop_what_waits_is_refused_and_closed() -> None:
    import anyio

    closed: list[bool] = []

    async def waits() -> None:
        try:
            await anyio.sleep(1)
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match=r"waits had to wait.*make the calling view 'def'"):
        wait(waits())
    assert closed == [True]


def test_call_takes_both_colours() -> None:
    assert call(double, 2) == 4
    assert call(lambda value, *, add: value + add, 2, add=1) == 3


def test_drive_passes_errors() -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        drive(fail())


# Proxies ----------------------------------------------------------------------------------------


class Thing:
    name = "thing"

    def __init__(self) -> None:
        self.items = {"a": 1}

    def __enter__(self) -> str:
        return "entered"

    def __exit__(self, *exc: object) -> None:
        self.items["exited"] = 1

    def __call__(self, value: int) -> int:
        return value + 1


OPERATIONS: list[tuple[Any, Callable[[Any], Any]]] = [
    ([3, 1], len),
    ([3, 1], list),
    ([3, 1], lambda p: list(reversed(p))),
    ([3, 1], lambda p: p[0]),
    ([3, 1], lambda p: 3 in p),
    ([3, 1], lambda p: p == [3, 1]),
    ([3, 1], lambda p: p != [3, 1]),
    ({"a": 1}, lambda p: p | {"b": 2}),
    (3, lambda p: (p < 4, p <= 3, p > 4, p >= 3)),
    (3, hash),
    ("x", str),
    ("x", repr),
    (0, bool),
    (Thing(), lambda p: p(1)),
]


@pytest.mark.parametrize(("value", "operation"), OPERATIONS)
def test_a_proxy_does_what_its_object_does(value: Any, operation: Callable[[Any], Any]) -> None:
    assert operation(Proxy(lambda: value)) == operation(value)


def test_a_proxy_sets_and_deletes_items_and_attributes() -> None:
    thing = Thing()
    proxy: Any = Proxy(lambda: thing)
    proxy.name = "other"
    assert thing.name == "other"
    del proxy.name
    assert thing.name == "thing"
    items: Any = Proxy(lambda: thing.items)
    items["b"] = 2
    del items["a"]
    assert thing.items == {"b": 2}
    with proxy as entered:
        assert entered == "entered"
    assert "exited" in thing.items


def test_arithmetic_and_iteration_of_other_kinds() -> None:
    """Werkzeug's LocalProxy has all operators; what a view's g or session holds may need them."""
    number: Any = Proxy(lambda: 3)
    assert number + 1 == 4
    assert 1 + number == 4
    assert number * 2 == 6
    assert -number == -3
    assert int(number) == 3
    assert float(number) == 3.0
    assert divmod(number, 2) == (1, 1)
    assert 7 % number == 1
    assert [0, 1, 2, 4][number] == 4


def test_a_proxy_is_neither_awaitable_nor_an_iterator_by_itself() -> None:
    """A view may return one; what it stands for decides what becomes of it."""
    proxy = Proxy(lambda: "text")
    assert not inspect.isawaitable(proxy)
    assert not isinstance(proxy, Iterator)


def test_a_copy_of_a_proxy_is_a_copy_of_its_object() -> None:
    items = [1]
    proxy: Any = Proxy(lambda: items)
    assert copy.copy(proxy) == [1]
    assert copy.copy(proxy) is not items
    assert copy.deepcopy(proxy) == [1]


def test_an_unbound_proxy() -> None:
    def find() -> Any:
        raise RuntimeError("nothing here")

    proxy: Any = Proxy(find)
    assert not proxy
    assert repr(proxy) == "<Proxy unbound>"
    assert isinstance(proxy, Proxy)
    with pytest.raises(RuntimeError, match="nothing here"):
        proxy.name
    with pytest.raises(RuntimeError, match="nothing here"):
        len(proxy)


def test_a_typed_proxy_knows_the_class_and_more() -> None:
    thing = Thing()
    proxy = typed_proxy(Thing, lambda: thing, ("items",))
    assert proxy.name == "thing"
    assert proxy.items == {"a": 1}
    proxy.name = "set"
    assert thing.name == "set"
    thing.extra = 1  # type: ignore[attr-defined]
    assert proxy.extra == 1
    assert proxy(1) == 2
    assert isinstance(proxy, Thing)
