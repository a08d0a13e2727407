from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import Any

import anyio
import anyio.to_thread
import pytest

from kolben.context import Context, current
from kolben.local import thread
from kolben.views import MethodView, View
from kolben.wrappers import Request


@contextmanager
def requesting(method: str) -> Iterator[None]:
    scope: dict[str, Any] = {
        "type": "http", "method": method, "path": "/", "headers": [], "query_string": b"",
    }  # fmt: skip
    app: Any = None
    token = current.set(Context(app, Request(scope)))
    try:
        yield
    finally:
        current.reset(token)


class Hello(View):
    def dispatch_request(self, name: str = "you") -> str:
        return f"Hello, {name}!"


class AsyncHello(View):
    async def dispatch_request(self, name: str = "you") -> str:
        await anyio.sleep(0)
        return f"Hello, {name}!"


def test_a_view_is_a_function_that_calls_the_class() -> None:
    view = Hello.as_view("hello")
    assert not iscoroutinefunction(view)
    assert view(name="Kolben") == "Hello, Kolben!"
    assert view.__name__ == "hello"
    assert view.__module__ == __name__
    assert view.view_class is Hello  # type: ignore[attr-defined]
    assert view.methods is None  # type: ignore[attr-defined]
    assert view.provide_automatic_options is None  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_an_async_view_is_an_async_function() -> None:
    view = AsyncHello.as_view("hello")
    assert iscoroutinefunction(view)
    assert await view(name="Kolben") == "Hello, Kolben!"


def test_what_the_class_says_is_on_the_function() -> None:
    class Documented(View):
        """What it does."""

        methods = ["GET", "POST"]
        provide_automatic_options = False

        def dispatch_request(self) -> str:
            return ""

    view = Documented.as_view("documented")
    assert view.__doc__ == "What it does."
    assert view.methods == ["GET", "POST"]  # type: ignore[attr-defined]
    assert view.provide_automatic_options is False  # type: ignore[attr-defined]


class Counting(View):
    made = 0

    def __init__(self, start: int, step: int = 1) -> None:
        type(self).made += 1
        self.n, self.step = start, step

    def dispatch_request(self) -> int:
        self.n += self.step
        return self.n


def test_an_instance_is_made_for_every_request() -> None:
    class Mine(Counting):
        made = 0

    view = Mine.as_view("count", 10, step=5)
    assert [view(), view()] == [15, 15]
    assert Mine.made == 2


def test_one_instance_may_serve_all_requests() -> None:
    class Mine(Counting):
        made = 0
        init_every_request = False

    view = Mine.as_view("count", 10, step=5)
    assert [view(), view()] == [15, 20]
    assert Mine.made == 1


def test_the_class_behind_a_view_can_be_replaced() -> None:
    class Other(Hello):
        def dispatch_request(self, name: str = "you") -> str:
            return "other"

    view = Hello.as_view("hello")
    view.view_class = Other  # type: ignore[attr-defined]
    assert view() == "other"


def test_decorators_are_applied_in_their_order() -> None:
    def adding(mark: str) -> Callable[..., Any]:
        def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
            def inner(*args: Any, **kwargs: Any) -> str:
                assert f.__name__ in ("hello", "inner")
                return mark + str(f(*args, **kwargs))

            return inner

        return decorate

    class Decorated(Hello):
        decorators = [adding("a"), adding("b")]

    view = Decorated.as_view("hello")
    assert view(name="x") == "baHello, x!"
    assert view.__name__ == "hello"
    assert view.view_class is Decorated  # type: ignore[attr-defined]


def test_a_view_without_dispatch_request_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"View must implement dispatch_request"):
        View.as_view("nothing")()


# By method


class Item(MethodView):
    def get(self, id: int = 0) -> str:
        return f"get {id}"

    def post(self) -> str:
        return "post"


class AsyncItem(MethodView):
    async def get(self, id: int = 0) -> str:
        await anyio.sleep(0)
        return f"get {id}"

    async def post(self) -> str:
        return "post"


class Mixed(MethodView):
    def get(self) -> str:
        return "get"

    async def post(self) -> str:
        await anyio.sleep(0)
        return "post"


def test_a_method_of_the_class_answers_each_http_method() -> None:
    view = Item.as_view("item")
    assert not iscoroutinefunction(view)
    assert view.methods == {"GET", "POST"}  # type: ignore[attr-defined]
    with requesting("GET"):
        assert view(id=3) == "get 3"
    with requesting("POST"):
        assert view() == "post"


@pytest.mark.anyio
async def test_methods_that_are_all_async_make_an_async_view() -> None:
    view = AsyncItem.as_view("item")
    assert iscoroutinefunction(view)
    with requesting("GET"):
        assert await view(id=3) == "get 3"
    with requesting("POST"):
        assert await view() == "post"


def test_methods_of_both_colours_make_a_plain_view() -> None:
    view = Mixed.as_view("item")
    assert not iscoroutinefunction(view)
    with requesting("GET"):
        assert view() == "get"
    with requesting("POST"):
        assert view() == "post"


@pytest.mark.anyio
async def test_an_async_method_beside_plain_ones_runs_on_the_requests_loop() -> None:
    task: list[Any] = []

    class Loop(Mixed):
        async def post(self) -> str:
            task.append(anyio.get_current_task())
            await anyio.sleep(0)
            return "post"

    view = Loop.as_view("item")

    def in_thread() -> Any:
        thread.portal = lambda awaitable: anyio.from_thread.run(_await, awaitable)
        try:
            return view()
        finally:
            thread.portal = None

    with requesting("POST"):
        assert await anyio.to_thread.run_sync(in_thread) == "post"
    assert len(task) == 1


async def _await(awaitable: Any) -> Any:
    return await awaitable


def test_head_is_answered_by_get_unless_there_is_head() -> None:
    class WithHead(Item):
        def head(self, id: int = 0) -> str:
            return "head"

    with requesting("HEAD"):
        assert Item.as_view("item")() == "get 0"
        assert WithHead.as_view("item")() == "head"


def test_methods_are_inherited() -> None:
    class Base(MethodView):
        def delete(self) -> str:
            return "delete"

    class Other:
        def patch(self) -> str:
            return "patch"

    class Both(Base, Other, Item):
        def put(self) -> str:
            return "put"

    assert Both.methods == {"DELETE", "PATCH", "GET", "POST", "PUT"}
    assert Base.methods == {"DELETE"}
    view = Both.as_view("both")
    for method in ("DELETE", "PATCH", "PUT"):
        with requesting(method):
            assert view() == method.lower()


def test_methods_of_a_base_class_are_kept() -> None:
    class Announced(MethodView):
        methods = ["GET", "PURGE"]

    class Mine(Announced):
        def get(self) -> str:
            return "get"

    assert Mine.methods == {"GET", "PURGE"}


def test_methods_that_are_set_stay_as_they_are() -> None:
    class Only(Item):
        methods = ["GET"]

    class Later(Only):
        pass

    assert Only.methods == ["GET"]
    assert Later.methods == {"GET", "POST"}


def test_a_method_that_is_announced_but_missing_is_named() -> None:
    class Announced(Item):
        methods = ["GET", "PURGE"]

    with requesting("PURGE"), pytest.raises(RuntimeError, match="no method 'purge'"):
        Announced.as_view("item")()


def test_a_method_added_to_the_class_counts() -> None:
    class Late(MethodView):
        pass

    async def get(self: Late) -> str:
        return "get"

    Late.get = get  # type: ignore[attr-defined]
    assert iscoroutinefunction(Late.as_view("late"))


def test_an_overridden_dispatch_gets_the_result_of_an_async_method() -> None:
    class Wrapping(AsyncItem):
        def dispatch_request(self, **kwargs: Any) -> Any:
            return super().dispatch_request(**kwargs).upper()

    view = Wrapping.as_view("item")
    assert not iscoroutinefunction(view)
    with requesting("POST"):
        assert view() == "POST"


@pytest.mark.anyio
@pytest.mark.parametrize("base", [Item, AsyncItem, Mixed])
async def test_an_async_override_awaits_the_dispatch(base: type[MethodView]) -> None:
    class Wrapping(base):  # type: ignore[misc,valid-type]
        async def dispatch_request(self, **kwargs: Any) -> Any:
            return (await super().dispatch_request(**kwargs)).upper()

    view = Wrapping.as_view("item")
    assert iscoroutinefunction(view)
    with requesting("POST"):
        assert await view() == "POST"
    with requesting("GET"):
        assert (await view()).startswith("GET")
