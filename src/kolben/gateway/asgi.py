"""HTTP over ASGI: from a scope to a plan, and from a response to messages.

:source: ASGI specification 3.0, HTTP & WebSocket message format 2.5.
"""

from __future__ import annotations

from asyncio import _get_running_loop
from typing import TYPE_CHECKING

from ..context import Context, current
from ..exceptions import ClientDisconnected, HTTPException
from ..local import drive
from ..pipeline.plan import Plan
from ..pipeline.run import run, teardown
from ..registry.compile import Compiler
from ..routing import Redirection
from ..wrappers import Request, Response
from .bodies import head_of, send_streamed
from .disconnects import Gone, watched, watched_on_trio

if TYPE_CHECKING:
    from .._types import Receive, Scope, Send
    from ..context import Kolben


class Gateway:
    """What an application answers HTTP with, once registration has closed.

    It holds no reference to the application, which holds it.
    """

    def __init__(self, app: Kolben) -> None:
        self.compiler = Compiler(app)
        self.request_class = app.request_class
        self.url_map = app.url_map
        self.url_map.compile()
        #: Whether the host has a part in matching, so that it must be looked at first.
        self.by_host = (
            app.config["TRUSTED_HOSTS"] is not None
            or app.url_map.host_matching
            or (app.subdomain_matching and app.config["SERVER_NAME"] is not None)
        )

    async def http(self, app: Kolben, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = self.request_class(scope, receive)
        ctx = Context(app, request)
        above = current.get(None)
        if above is not None and above.app is app:
            ctx.base = above.base
        plan = ctx.plan = self.find_plan(ctx, request)
        # As long as the body is on its way, no message can be spared to learn of a disconnect.
        spare: Receive | None = receive
        has_body = request.announces_body()
        try:
            if has_body:
                request._limits = plan.limits
                if not plan.stream:
                    await request.load()
                if request._body is None:
                    spare = None
            if plan.hops or spare is None:
                await self.answer(ctx, send, spare)
            elif _get_running_loop() is not None:
                await watched(self.answer(ctx, send, None), spare)
            else:
                await watched_on_trio(self.answer(ctx, send, None), spare)
        except (Gone, ClientDisconnected):
            return
        finally:
            if has_body:
                request.close()

    def find_plan(self, ctx: Context, request: Request) -> Plan:
        """Match the request; what routing has against it is kept for the pipeline to raise."""
        try:
            if self.by_host or b"%2" in (request.scope.get("raw_path") or b""):
                rule, request.view_args = ctx.url_adapter.match(return_rule=True)  # type: ignore[union-attr]
            else:
                rule, request.view_args = self.url_map.match(request.path, request.method)
        except Redirection as redirection:
            request.routing_exception = ctx.url_adapter.redirect_for(redirection)  # type: ignore[union-attr]
            request.view_args = {}
            return self.compiler.unmatched
        except HTTPException as error:
            request.routing_exception = error
            request.view_args = {}
            return self.compiler.unmatched
        request.url_rule = rule
        plan: Plan = rule.plan or self.compiler.plan_of(ctx.app, rule)
        if request.method == "OPTIONS" and plan.options is not None:
            plan = plan.options
        return plan

    async def answer(self, ctx: Context, send: Send, spare: Receive | None) -> None:
        """Run the pipeline and send what it gives.

        :param spare: Tells of a disconnect while a body is streamed; ``None`` where it cannot,
            or where somebody watches already.
        """
        plan: Plan = ctx.plan
        request: Request = ctx.request  # type: ignore[assignment]
        if (preserve := request.scope.get("kolben.preserve")) is not None:
            ctx.held = True
            preserve.append(ctx)
        token = current.set(ctx)
        try:
            if plan.hops:
                worker = request.scope.get("kolben.worker")
                response = await ctx.app.view_lane.run(drive, run(ctx), worker=worker)
            else:
                response = await run(ctx)
        finally:
            current.reset(token)
        body = response.complete_body()
        if body is None:
            return await self.answer_streamed(ctx, send, spare, response)
        if request.method == "HEAD":
            body = b""
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": response.asgi_headers(),
            }
        )
        await send({"type": "http.response.body", "body": body})
        if ctx.held or response._on_close is not None or response._body.__class__ is not bytes:
            await self.end(ctx, response, None)

    async def answer_streamed(
        self, ctx: Context, send: Send, spare: Receive | None, response: Response
    ) -> None:
        """Send a body that is not complete in memory, then end what waited for it."""
        request: Request = ctx.request  # type: ignore[assignment]
        error: BaseException | None = None
        try:
            if request.method == "HEAD":
                await send(head_of(response))
                return await send({"type": "http.response.body", "body": b""})
            sending = send_streamed(ctx.app, request, send, response)
            if spare is None:
                await sending
            elif _get_running_loop() is not None:
                await watched(sending, spare)
            else:
                await watched_on_trio(sending, spare)
        except Exception as raised:
            error = raised
            await self.log_broken_stream(ctx, raised)
        except BaseException as raised:
            error = raised
            raise
        finally:
            await self.end(ctx, response, error)
            del error

    async def log_broken_stream(self, ctx: Context, error: Exception) -> None:
        """Log an error that ended a body which had begun, or pass it on to the test or server.

        The last message of the body is never sent, so that the server closes the connection
        and the client can tell that something is missing.
        """
        if isinstance(error, (Gone, ClientDisconnected)) or ctx.app.propagates_exceptions:
            raise error
        token = current.set(ctx)
        try:
            ctx.app.log_exception((type(error), error, error.__traceback__))
        finally:
            current.reset(token)

    async def end(self, ctx: Context, response: Response, error: BaseException | None) -> None:
        """Close a response, and end a context that its body still needed."""
        request: Request = ctx.request  # type: ignore[assignment]
        worker = request.scope.get("kolben.worker")
        lane = ctx.app.view_lane
        token = current.set(ctx)
        try:
            if response._on_close is not None or hasattr(response._body, "close"):
                await lane.run(response.close, worker=worker)
            if ctx.held and "kolben.preserve" not in request.scope:
                if ctx.plan.hops:
                    await lane.run(drive, teardown(ctx, error), worker=worker)
                else:
                    await teardown(ctx, error)
        finally:
            current.reset(token)
