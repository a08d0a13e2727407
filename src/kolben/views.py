"""Views written as classes.

:class:`View` is one view with its state and its decorators in a class; :class:`MethodView` has
one method per HTTP method. Either may be ``async def``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from inspect import isawaitable, iscoroutinefunction
from typing import Any, ClassVar

from .globals import request
from .local import call

http_method_funcs = frozenset({"get", "post", "head", "options", "delete", "put", "trace", "patch"})


class View:
    """A view that is a class: override :meth:`dispatch_request`.

    .. code-block:: python

        class Hello(View):
            init_every_request = False

            def dispatch_request(self, name):
                return f"Hello, {name}!"

        app.add_url_rule("/hello/<name>", view_func=Hello.as_view("hello"))

    :source: Flask: the same.
    """

    #: The HTTP methods of the view; ``None`` leaves that to the route (``GET``).
    methods: ClassVar[Collection[str] | None] = None

    #: Whether ``OPTIONS`` is answered for it; ``None`` leaves that to the route (yes).
    provide_automatic_options: ClassVar[bool | None] = None

    #: Applied one after the other to the function that :meth:`as_view` makes. A decorator on
    #: the class itself does not reach that function.
    decorators: ClassVar[list[Callable[..., Any]]] = []

    #: Make an instance for every request. ``False`` makes one in all, for which threads and
    #: tasks then share ``self``: keep what belongs to a request in ``g``.
    init_every_request: ClassVar[bool] = True

    #: Whether dispatch_request gives something to await; found out once per class.
    _awaits: ClassVar[bool] = False

    def dispatch_request(self) -> Any:
        """Answer the request; the URL's variables come as keyword arguments.

        ``def`` or ``async def``.

        :return: Whatever a view may return.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement dispatch_request().")

    @classmethod
    def _is_async(cls) -> bool:
        return iscoroutinefunction(cls.dispatch_request)

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> Callable[..., Any]:
        """Make a view function of the class, for ``add_url_rule``.

        :param name: The function's name, which is the endpoint where none is given.
        :param class_args: For the class, whenever an instance is made.
        :param class_kwargs: Likewise.
        :return: An ``async def`` function if the class answers in ``async def``, else a
            ``def`` one. Its ``view_class`` is the class.
        """
        shared = None if cls.init_every_request else cls(*class_args, **class_kwargs)
        view: Any

        def instance() -> View:
            if shared is not None:
                return shared
            # Through the function, so that a test may put another class there.
            made: View = view.view_class(*class_args, **class_kwargs)
            return made

        cls._awaits = cls._is_async()  # methods may have been added to the class since
        if cls._awaits:

            async def view_async(**kwargs: Any) -> Any:
                result = instance().dispatch_request(**kwargs)
                return await result if isawaitable(result) else result

            view = view_async
        else:

            def view_sync(**kwargs: Any) -> Any:
                return call(instance().dispatch_request, **kwargs)

            view = view_sync

        view.__name__ = name
        view.__module__ = cls.__module__
        for decorator in cls.decorators:
            view = decorator(view)
        view.view_class = cls
        view.__name__ = name
        view.__qualname__ = name
        view.__doc__ = cls.__doc__
        view.__module__ = cls.__module__
        view.methods = cls.methods
        view.provide_automatic_options = cls.provide_automatic_options
        return view  # type: ignore[no-any-return]


class MethodView(View):
    """A view with one method for each HTTP method: ``get``, ``post``, and so on.

    :attr:`methods` follows from them. ``HEAD`` is answered by ``get`` where there is no
    ``head``. The methods may be ``def`` and ``async def``. If all are ``async def``, the view
    runs on the event loop; if some are, in a worker thread, from which those are sent to the
    loop.

    .. code-block:: python

        class Counter(MethodView):
            def get(self):
                return str(session.get("counter", 0))

            def post(self):
                session["counter"] = session.get("counter", 0) + 1
                return redirect(url_for("counter"))

        app.add_url_rule("/counter", view_func=Counter.as_view("counter"))

    :source: Flask: the same.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._awaits = cls._is_async()
        if "methods" in cls.__dict__:
            return
        methods = {name.upper() for name in http_method_funcs if hasattr(cls, name)}
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        if methods:
            cls.methods = methods

    @classmethod
    def _is_async(cls) -> bool:
        if cls.dispatch_request is not MethodView.dispatch_request:
            return iscoroutinefunction(cls.dispatch_request)
        handlers = [getattr(cls, name) for name in http_method_funcs if hasattr(cls, name)]
        return bool(handlers) and all(map(iscoroutinefunction, handlers))

    def dispatch_request(self, **kwargs: Any) -> Any:
        """Call the method of this class that is named like the request's HTTP method.

        An override that is ``async def`` awaits ``super().dispatch_request(**kwargs)``; in one
        that is ``def`` the result is there at once.

        :raises RuntimeError: if the class has none, though :attr:`methods` announces it.
        """
        method = request.method
        handler = getattr(self, method.lower(), None)
        if handler is None and method == "HEAD":
            handler = getattr(self, "get", None)
        if handler is None:
            raise RuntimeError(
                f"{type(self).__qualname__} is registered for {method}, but has no method"
                f" {method.lower()!r}."
            )
        if self._awaits:
            return _result(handler, kwargs)
        return call(handler, **kwargs)


async def _result(handler: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
    result = handler(**kwargs)
    return await result if isawaitable(result) else result
