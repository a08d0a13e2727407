"""HTTP over ASGI: from a scope to a plan, and from a response to messages.

:source: ASGI specification 3.0, HTTP & WebSocket message format 2.5.
"""

from __future__ import annotations

from contextvars import Token
from typing import TYPE_CHECKING

from ..context import Context, current
from ..exceptions import ClientDisconnected, HTTPException
from ..local import drive
from ..pipeline.convert import ApplicationResponse
from ..pipeline.plan import Plan
from ..pipeline.run import teardown
from ..registry.compile import Compiler
from ..routing import Redirection, Rule
from ..routing.paths import route_path
from ..wrappers import Request, Response
from ..wrappers.forms import DEFAULT_LIMITS
from ..wrappers.response import LENGTHS
from .bodies import head_of, send_streamed
from .disconnects import Gone, watch

if TYPE_CHECKING:
    from .._types import Receive, Scope, Send
    from ..context import Kolben

#: One of these must be there if an HTTP/1 request has a body, RFC 9112, section 6.3.
OF_A_BODY = frozenset((b"content-length", b"transfer-encoding"))
MISSING = Token.MISSING


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
        #: Rules by path and method, for paths that can be looked up as they are.
        self.static: dict[str, dict[str, Rule]] = {} if self.by_host else app.url_map.static

    async def http(self, app: Kolben, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: match, load the body, run the pipeline, send."""
        request = self.request_class(scope, receive)
        ctx = Context(app, request)
        path, method = scope["path"], scope["method"]
        by_method = self.static.get(path)
        if (
            by_method is not None
            and (rule := by_method.get(method)) is not None
            and rule.plan is not None
            and not scope.get("root_path")
            # Nothing in it was percent-encoded: a slash that was does not divide segments.
            and len(scope.get("raw_path") or path) == len(path)
        ):
            request.url_rule = rule
            request.view_args = {}
            plan: Plan = rule.plan
            if plan.options is not None and method == "OPTIONS":
                plan = plan.options
            ctx.plan = plan
        else:
            plan = ctx.plan = self.find_plan(ctx, request)
        if plan.limits is not DEFAULT_LIMITS:
            request._limits = plan.limits
        has_body = reading = False
        pushed = current.set(ctx)
        token: Token[Context] | None = pushed
        try:
            if (above := pushed.old_value) is not MISSING and above.app is app:
                ctx.share(above)
            for name, _ in scope["headers"]:
                if name in OF_A_BODY:
                    has_body = request.announces_body()
                    break
            else:
                if method != "GET":  # what HTTP/2 sends need not be announced
                    has_body = request.announces_body()
            if has_body:
                request._debug = app.debug
                if not plan.stream:
                    await request.load()
                reading = request._body is None
            if "kolben.preserve" in scope:
                ctx.held = True
                scope["kolben.preserve"].append(ctx)
            if plan.hops:
                worker = scope.get("kolben.worker")
                await app.view_lane.run(drive, plan.run(ctx), worker=worker)
            elif reading or not plan.waits:
                # Messages belong to the body still, or there is no time to leave in.
                await plan.run(ctx)
            else:
                await watch(plan.run(ctx), receive)
            current.reset(pushed)
            token = None
            answer = ctx.answer
            if isinstance(answer, tuple):
                body, content_type = answer
                length = len(body)
                headers = [
                    content_type,
                    LENGTHS[length] if length < 1024 else (b"content-length", b"%d" % length),
                ]
                status, close = 200, ctx.held
            else:
                headers, complete = answer.to_asgi()
                if complete is None:
                    return await self.send_streamed(ctx, send, None if reading else receive)
                body, status = complete, answer.status_code
                close = ctx.held or answer.must_be_closed()
            await send({"type": "http.response.start", "status": status, "headers": headers})
            if method == "HEAD":
                body = b""
            await send({"type": "http.response.body", "body": body})
            if close:
                await self.end(ctx, None)
        except (Gone, ClientDisconnected):
            return
        finally:
            if token is not None:
                current.reset(token)
            if has_body:
                request.close()

    def find_plan(self, ctx: Context, request: Request) -> Plan:
        """Match the request; what routing has against it is kept for the pipeline to raise."""
        scope = request.scope
        try:
            if self.by_host:
                rule, request.view_args = ctx.url_adapter.match(return_rule=True)  # type: ignore[union-attr]
            else:
                path = route_path(request.path, scope.get("raw_path"), scope.get("root_path", ""))
                rule, request.view_args = self.url_map.match(path, scope["method"])
        except Redirection as redirection:
            request.routing_exception = ctx.url_adapter.redirect_for(  # type: ignore[union-attr]
                redirection, request.method
            )
            return self.compiler.unmatched
        except HTTPException as error:
            request.routing_exception = error
            return self.compiler.unmatched
        request.url_rule = rule
        plan: Plan = rule.plan or self.compiler.plan_of(ctx.app, rule)
        if plan.options is not None and scope["method"] == "OPTIONS":
            return plan.options
        return plan

    async def send_streamed(self, ctx: Context, send: Send, spare: Receive | None) -> None:
        """Send a body that is not complete in memory, then end what waited for it.

        :param spare: Tells of a disconnect meanwhile; ``None`` where it cannot.
        """
        request: Request = ctx.request  # type: ignore[assignment]
        response: Response = ctx.answer  # type: ignore[assignment]
        error: BaseException | None = None
        try:
            if request.method == "HEAD" and not isinstance(response, ApplicationResponse):
                await send(head_of(response))
                await send({"type": "http.response.body", "body": b""})
            else:
                sending = send_streamed(ctx.app, request, send, response)
                await (sending if spare is None else watch(sending, spare))
        except Exception as raised:
            error = raised
            self.log_broken_stream(ctx, raised)
        except BaseException as raised:
            error = raised
            raise
        finally:
            await self.end(ctx, error)
            del error

    def log_broken_stream(self, ctx: Context, error: Exception) -> None:
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

    async def end(self, ctx: Context, error: BaseException | None) -> None:
        """Close a response, and end a context that its body still needed."""
        request: Request = ctx.request  # type: ignore[assignment]
        lane, worker = ctx.app.view_lane, request.scope.get("kolben.worker")
        token = current.set(ctx)
        try:
            answer = ctx.answer
            if isinstance(answer, Response) and answer.must_be_closed():
                await lane.run(answer.close, worker=worker)
        finally:
            try:
                if ctx.held and "kolben.preserve" not in request.scope:
                    if ctx.plan.hops:
                        await lane.run(drive, teardown(ctx, error), worker=worker)
                    else:
                        await teardown(ctx, error)
            finally:
                current.reset(token)
