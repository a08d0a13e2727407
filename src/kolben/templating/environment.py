"""The environments: one for plain calls, one for templates that await."""

from __future__ import annotations

import functools
import threading
from collections import ChainMap
from collections.abc import Callable, Iterator, KeysView, Mapping, MutableMapping
from inspect import iscoroutinefunction
from types import CoroutineType
from typing import Any

import jinja2
from jinja2.async_utils import auto_aiter, auto_await
from jinja2.filters import prepare_select_or_reject
from jinja2.runtime import Context as RenderContext
from jinja2.utils import LRUCache, internalcode, pass_context

from ..globals import g, request, session
from ..helpers import get_flashed_messages
from ..helpers.nonces import csp_nonce
from ..local import call, wait


class _Compiling(threading.local):
    active = False


_compiling = _Compiling()


def _is_async(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _plain_form(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a template that cannot await calls it."""
    if not _is_async(function):
        return function

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if _compiling.active:
            # Jinja calls filters on constants while it compiles and keeps the result. What a
            # coroutine fetched must not be kept; any error tells Jinja to leave it for later.
            raise RuntimeError("not while compiling")
        return call(function, *args, **kwargs)

    return run


def _awaited_form(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a template that awaits calls it."""
    if iscoroutinefunction(function) or not _is_async(function):
        return function

    # A callable object; Jinja looks no deeper than this before it calls filters on constants.
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return run


class _Callables(dict[str, Callable[..., Any]]):
    """Filters or tests by name, made fit once, when they are registered.

    This dictionary is the plain environment's; ``awaited`` is what the asynchronous one uses.
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__()
        self.awaited: dict[str, Callable[..., Any]] = {}
        self.update(functions)

    def __setitem__(self, name: str, function: Callable[..., Any]) -> None:
        self.awaited[name] = _awaited_form(function)
        super().__setitem__(name, _plain_form(function))

    def update(self, *args: Any, **kwargs: Any) -> None:
        for name, function in dict(*args, **kwargs).items():
            self[name] = function

    def __ior__(self, other: Any) -> _Callables:  # type: ignore[override,misc]
        self.update(other)
        return self

    def setdefault(self, name: str, default: Any = None) -> Callable[..., Any]:
        if name not in self:
            self[name] = default
        return self[name]

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self.awaited.pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        self.awaited.pop(name, None)
        return super().pop(name, *default)

    def popitem(self) -> tuple[str, Callable[..., Any]]:
        name, function = super().popitem()
        self.awaited.pop(name, None)
        return name, function

    def clear(self) -> None:
        super().clear()
        self.awaited.clear()


def _selecting(keep: bool, lookup_attr: bool) -> Callable[..., Any]:
    """Jinja's ``select`` and its kin, with a test that may be awaited."""

    @pass_context
    async def select(context: RenderContext, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not value:
            return
        test = prepare_select_or_reject(context, args, kwargs, lambda found: found, lookup_attr)
        async for item in auto_aiter(value):
            if bool(await auto_await(test(item))) is keep:
                yield item

    return select


_SELECTING = {
    "select": _selecting(keep=True, lookup_attr=False),
    "reject": _selecting(keep=False, lookup_attr=False),
    "selectattr": _selecting(keep=True, lookup_attr=True),
    "rejectattr": _selecting(keep=False, lookup_attr=True),
}


class _PlainContext(RenderContext):
    """Names as a template sees them; a coroutine that a call returns is waited for."""

    @internalcode
    def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        # The names are Jinja's: a template may pass "self" or "obj" by keyword.
        result = super().call(__obj, *args, **kwargs)
        return wait(result) if type(result) is CoroutineType else result


class _Globals(ChainMap[str, Any]):
    """A template's own globals before the environment's, as Jinja has them.

    Jinja copies them for each rendering; through :class:`~collections.ChainMap` that takes longer
    than a small template does.
    """

    def __getitem__(self, key: str) -> Any:
        own, shared = self.maps
        return own[key] if key in own else shared[key]

    def keys(self) -> KeysView[str]:
        own, shared = self.maps
        return {**shared, **own}.keys() if own else shared.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())


class Environment(jinja2.Environment):
    """A Jinja environment that finds the templates of the application and its blueprints.

    Filters and tests are added to :attr:`filters` and :attr:`tests` as in any Jinja
    environment; they may be ``def`` or ``async def``.

    :param app: The application.
    :param options: Jinja's own; ``loader`` defaults to ``app.create_global_jinja_loader()``.
    :source: Flask: the same, without functions that are awaited.
    """

    context_class: type[RenderContext] = _PlainContext
    # Wider than what type checkers infer from Jinja's defaults.
    filters: dict[str, Any]
    tests: dict[str, Any]
    globals: dict[str, Any]

    def __init__(self, app: Any, **options: Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        super().__init__(**options)
        self.app = app
        self._strings: LRUCache = LRUCache(128)
        self._awaiting: Environment | None = None
        if self.is_async:  # `jinja_options` asked for it: there is one environment then
            self.context_class = RenderContext
            self.filters.update(_SELECTING)
            self._awaiting = self
            return
        filters, tests = _Callables(self.filters), _Callables(self.tests)
        filters.awaited.update(_SELECTING)
        self._awaited = (filters.awaited, tests.awaited)
        self.filters, self.tests = filters, tests

    @property
    def awaiting(self) -> Environment:
        """The same environment for templates that await: same loader and names, own cache."""
        env = self._awaiting
        if env is None:
            env = self.overlay(enable_async=True)
            env.context_class = RenderContext
            env.filters, env.tests = self._awaited
            env._strings = LRUCache(128)
            env._awaiting = env
            self._awaiting = env
        env.auto_reload = self.auto_reload
        return env

    def from_source(self, source: str) -> jinja2.Template:
        """A template made of its text; compiled once for as long as it is in use."""
        if len(source) > 65_536:
            return self.from_string(source)
        template: jinja2.Template | None = self._strings.get(source)
        if template is None:
            template = self._strings[source] = self.from_string(source)
        return template

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """A template's globals; Jinja's own method, with a faster mapping."""
        return _Globals({} if d is None else d, self.globals)

    def _generate(self, *args: Any, **kwargs: Any) -> str:
        _compiling.active = True
        try:
            return super()._generate(*args, **kwargs)
        finally:
            _compiling.active = False


def create_jinja_environment(app: Any) -> Environment:
    """What ``Kolben.create_jinja_environment`` does: the environment of its settings.

    :param app: Its ``jinja_options`` are used, and the settings ``TEMPLATES_AUTO_RELOAD``
        (``None``: as the debug mode).
    :source: Flask: the same.
    """
    options = dict(app.jinja_options)
    options.setdefault("autoescape", app.select_jinja_autoescape)
    if "auto_reload" not in options:
        reload = app.config["TEMPLATES_AUTO_RELOAD"]
        options["auto_reload"] = app.debug if reload is None else reload
    env: Environment = app.jinja_environment(app, **options)
    # The proxies are here beside the context processor's values, so that a template that is
    # imported without its context has them too.
    env.globals.update(
        url_for=app.url_for,
        get_flashed_messages=get_flashed_messages,
        csp_nonce=csp_nonce,
        config=app.config,
        request=request,
        session=session,
        g=g,
    )
    env.policies["json.dumps_function"] = app.json.dumps
    return env
