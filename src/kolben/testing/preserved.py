"""Contexts of requests that stay active after the request, inside ``with client:``."""

from __future__ import annotations

from ..context import Context, current
from ..gateway.background import BackgroundLoop
from ..local import thread


class PreservedContexts:
    """What the gateway left to the client instead of ending it.

    With ``scope["kolben.preserve"]`` in the scope, the gateway appends the context to that
    list when the request is over, and does not run its teardown.
    """

    def __init__(self) -> None:
        self.new: list[Context] = []
        self._active: list[Context] = []

    def resume(self) -> None:
        """Make the contexts of the last request current, in the caller's own context."""
        while self.new:
            ctx = self.new.pop(0)
            setattr(ctx, "tokens", [current.set(ctx)])
            self._active.append(ctx)

    def pop(self, loop: BackgroundLoop | None) -> None:
        """End them: their teardown functions run, the async ones on the client's loop."""
        while self._active:
            ctx = self._active.pop()
            before, thread.portal = thread.portal, None if loop is None else loop.run
            try:
                if current.get(None) is ctx:
                    ctx.pop(None)
                else:
                    ctx.app.teardown_context(ctx, None)
            finally:
                thread.portal = before

    async def pop_async(self) -> None:
        """End them from asynchronous code."""
        while self._active:
            ctx = self._active.pop()
            if current.get(None) is ctx:
                await ctx.__aexit__(None, None, None)
            else:
                await ctx.app.teardown_context_async(ctx, None)
