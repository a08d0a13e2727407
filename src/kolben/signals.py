"""Signals: what the framework tells to whoever listens.

They are blinker's, and work as blinker documents. Two things are added. A receiver may be
``async def``: it is awaited where the signal is sent from asynchronous code, and otherwise run
to its end by :func:`kolben.local.wait`. And :data:`request_path` tells in one attribute whether
anybody ever listened to what happens on a request, so that nobody pays for signals that have no
receiver.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutinefunction
from typing import Any, TypeVar

import blinker

from .local import wait

F = TypeVar("F", bound=Callable[..., Any])

#: What sending returns: each receiver with the value that it gave back.
Results = list[tuple[Callable[..., Any], Any]]


class Listening:
    """Whether a receiver was ever connected to one of a group of signals.

    It never turns false again: who listened once may do so on the next request, too.
    """

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = False


#: The signals of each request and its context, from ``appcontext_pushed`` to
#: ``appcontext_popped``.
request_path = Listening()


def _waiting(receiver: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        return wait(receiver(*args, **kwargs))

    return run


def _inline(receiver: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        return receiver(*args, **kwargs)

    return run


class Signal(blinker.NamedSignal):
    """A named signal of blinker's that takes receivers of either colour.

    :param name: Its name in the namespace.
    :param doc: Its documentation.
    :param listening: Learns of every connection.
    """

    def __init__(
        self, name: str, doc: str | None = None, listening: Listening | None = None
    ) -> None:
        super().__init__(name, doc)
        self._listening = listening

    def connect(self, receiver: F, sender: Any = blinker.ANY, weak: bool = True) -> F:
        """Call ``receiver(sender, **data)`` whenever the signal is sent.

        :param receiver: ``def`` or ``async def``.
        :param sender: Only for signals of this sender, such as an application.
        :param weak: Forget the receiver when nothing else refers to it. ``False`` for one that
            is defined inside a function.
        """
        if self._listening is not None:
            self._listening.used = True
        return super().connect(receiver, sender, weak)

    def send(
        self,
        sender: Any | None = None,
        /,
        *,
        _async_wrapper: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
        **kwargs: Any,
    ) -> Results:
        """Call the receivers, from synchronous code.

        :param sender: Who sends; usually the application.
        :param _async_wrapper: Makes an ``async def`` receiver callable; in place of waiting.
        :param kwargs: For the receivers.
        :raises RuntimeError: on the event loop's own thread, if an ``async def`` receiver has
            to wait.
        """
        return super().send(sender, _async_wrapper=_async_wrapper or _waiting, **kwargs)

    async def send_async(
        self,
        sender: Any | None = None,
        /,
        *,
        _sync_wrapper: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
        **kwargs: Any,
    ) -> Results:
        """Call the receivers, and await those that are ``async def``.

        :param _sync_wrapper: Makes a ``def`` receiver awaitable, for example in a worker
            thread. Without it, it is called where the signal is sent.
        """
        return await super().send_async(sender, _sync_wrapper=_sync_wrapper or _inline, **kwargs)


class Namespace(blinker.Namespace):
    """A group of signals by name; an extension makes its own.

    >>> shop = Namespace()
    >>> order_placed = shop.signal("order-placed")
    >>> order_placed is shop.signal("order-placed")
    True
    """

    def signal(
        self, name: str, doc: str | None = None, *, listening: Listening | None = None
    ) -> Signal:
        """The signal of that name, made if it is new.

        :param listening: Learns of every connection to a new signal.
        """
        found = self.get(name)
        if not isinstance(found, Signal):
            found = self[name] = Signal(name, doc, listening)
        return found


def send(signal: blinker.Signal, sender: object, /, **kwargs: Any) -> None:
    """Send a signal from synchronous code; at once done if nobody listens.

    :raises RuntimeError: on the event loop's own thread, if an ``async def`` receiver has to
        wait.
    """
    if not signal.receivers or signal.is_muted:
        return
    for receiver in signal.receivers_for(sender):
        result = receiver(sender, **kwargs)
        if isawaitable(result):
            wait(result)


async def send_async(
    signal: blinker.Signal,
    sender: object,
    /,
    *,
    _call: Callable[..., Awaitable[Any]] | None = None,
    **kwargs: Any,
) -> None:
    """Send a signal from asynchronous code; at once done if nobody listens.

    :param _call: How to call a ``def`` receiver, ``await _call(receiver, sender, **kwargs)``:
        a driver's way into a worker thread. Without it, the receiver is called right here.
    """
    if not signal.receivers or signal.is_muted:
        return
    for receiver in signal.receivers_for(sender):
        if _call is None or iscoroutinefunction(receiver):
            result = receiver(sender, **kwargs)
        else:
            result = await _call(receiver, sender, **kwargs)
        if isawaitable(result):
            await result


_signals = Namespace()


def _on_path(name: str, doc: str) -> Signal:
    return _signals.signal(name, doc, listening=request_path)


before_render_template = _signals.signal(
    "before-render-template", "Before a template is rendered; ``template``, ``context``."
)
template_rendered = _signals.signal(
    "template-rendered", "After a template was rendered; ``template``, ``context``."
)
message_flashed = _signals.signal(
    "message-flashed", "A message was flashed; ``message``, ``category``."
)

appcontext_pushed = _on_path("appcontext-pushed", "A context was pushed.")
appcontext_popped = _on_path("appcontext-popped", "A context was popped.")
appcontext_tearing_down = _on_path("appcontext-tearing-down", "A context is torn down; ``exc``.")
request_started = _on_path("request-started", "Before the first hook of a request.")
request_finished = _on_path(
    "request-finished", "The response is complete, and about to be sent; ``response``."
)
request_tearing_down = _on_path("request-tearing-down", "A request is torn down; ``exc``.")
got_request_exception = _on_path(
    "got-request-exception", "A request failed with an error that nobody handled; ``exception``."
)

got_background_exception = _signals.signal(
    "got-background-exception", "A background task failed; ``exception``."
)
got_serving_exception = _signals.signal(
    "got-serving-exception", "A function around serving failed; ``exception``."
)
websocket_started = _on_path("websocket-started", "Before the first hook of a websocket.")
websocket_received = _on_path("websocket-received", "A message came in; ``data``.")
websocket_sent = _on_path("websocket-sent", "A message was sent; ``data``.")
websocket_finished = _on_path("websocket-finished", "A websocket's view is done; ``response``.")
websocket_tearing_down = _on_path("websocket-tearing-down", "A websocket is torn down; ``exc``.")
got_websocket_exception = _on_path(
    "got-websocket-exception", "A websocket failed with an error nobody handled; ``exception``."
)
