"""HTTP over ASGI: from a scope to a plan, and from a response to messages.

:source: ASGI specification 3.0, HTTP & WebSocket message format 2.5.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..context import Context, current
from ..exceptions import ClientDisconnected, HTTPException, UpgradeRequired
from ..local import drive
from ..pipeline.convert import ApplicationResponse
from ..pipeline.plan import Plan
from ..pipeline.run import teardown
from ..registry.compile import Compiler
from ..routing import Redirection, Rule, WebsocketMismatch
from ..routing.paths import route_path
from ..wrappers import Request, Response
from ..wrappers.request_fields import path_of
from ..wrappers.response import LENGTHS
from .bodies import head_of, last, send_streamed
from .bridge import over_loop
from .disconnects import Gone, watch
from .mounting import OF_LITESTAR, remounted
from .mounts import Mounts
from .preflight import plan_of_preflight
from .process import WorkerProcess
from .threads import broken_stream, run_in_thread

if TYPE_CHECKING:
    from .._types import Receive, Scope, Send
    from ..context import Kolben

#: One of these must be there if an HTTP/1 request has a body, RFC 9112, section 6.3.
OF_A_BODY = frozenset((b"content-length", b"transfer-encoding"))
new = object.__new__


class Gateway:
    """What an application answers HTTP with, once registration has closed.

    It holds no reference to the application, which holds it.
    """

    def __init__(self, app: Kolben) -> None:
        self.compiler = Compiler(app)
        self.url_map = app.url_map
        self.url_map.compile()
        self.mounts = Mounts(app) if app.mounts else None
        self.told_of_websockets = False
        #: The process that WSGI requests have been prepared for.
        self.process: WorkerProcess | None = None
        #: Whether loading a body is as it stands here, so that WSGI may do it in one step.
        self.loads_plainly = app.request_class.load is Request.load
        #: Whether the host has a part in matching, so that it must be looked at first.
        self.by_host = (
            app.config["TRUSTED_HOSTS"] is not None
            or app.url_map.host_matching
            or (app.subdomain_matching and app.config["SERVER_NAME"] is not None)
        )
        #: Rules by path and method, for paths that can be looked up as they are.
        self.static: dict[str, dict[str, Rule]] = {} if self.by_host else app.url_map.static
        #: The plans of those that were asked for, where the path is one segment: in a longer one
        #: a slash may have been percent-encoded, and such a slash does not divide segments.
        self.plans: dict[str, dict[str, Plan]] = {}

    async def http(
        self, app: Kolben, scope: Scope, receive: Receive, send: Send, inline: bool = False
    ) -> None:
        """Answer one request: match, load the body, run the pipeline, send.

        :param inline: There is no event loop: a thread that may block drives this by hand.
        """
        ctx: Context = new(Context)  # the constructor's call alone costs more than all of this
        ctx.app = app
        ctx.scope = scope
        ctx.receive = receive
        ctx._request = ctx.rule = ctx.plan = ctx.view_args = ctx.token = ctx.watcher = None
        ctx.held = ctx.unfinished = False
        path, method = scope["path"], scope["method"]
        plans = self.plans.get(path)
        if plans is not None and method in plans and not scope.get("root_path"):
            plan = plans[method]
            ctx.rule = plan.rule
        else:
            plan = self.find_plan(ctx, scope, path, method)
        if inline:
            if plan.inline is None:
                return await over_loop(partial(self.http, app), scope, receive, send)
            plan = plan.inline
        ctx.plan = plan
        run = plan.run  # in a variable: CPython calls what is in a slot more slowly
        reading = False
        body_of: Request | None = None
        token = ctx.token = current.set(ctx)
        try:
            try:
                for name, _ in scope["headers"]:
                    if name in OF_A_BODY:
                        body_of = ctx.request
                        break
                else:
                    if method != "GET":  # what HTTP/2 sends need not be announced
                        body_of = ctx.request
                if body_of is not None and body_of.announces_body():
                    if not plan.stream:
                        await body_of.load()
                    reading = body_of._body is None
                if "kolben.preserve" in scope:
                    ctx.held = True
                    scope["kolben.preserve"].append(ctx)
                if plan.hops:
                    if await app.view_lane.run(
                        run_in_thread, ctx, send, reading, worker=scope.get("kolben.worker")
                    ):
                        return
                elif plan.waits and not reading:
                    await watch(run(ctx), ctx)
                else:  # there is no time to leave in, or messages belong to the body still
                    await run(ctx)
            finally:
                current.reset(token)
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
                try:
                    headers, complete = answer.to_asgi()
                except Exception as error:  # there is a field that cannot be sent
                    await self.end(ctx, error)
                    raise
                if complete is None:
                    return await self.send_streamed(ctx, send, reading)
                body, status = complete, answer.status_code
                close = ctx.held or answer.must_be_closed()
            try:
                await send({"type": "http.response.start", "status": status, "headers": headers})
                if method == "HEAD":
                    body = b""
                await send({"type": "http.response.body", "body": body})
            except OSError as error:
                raise Gone from error
            if close:
                await self.end(ctx, None)
        except ClientDisconnected:
            return
        finally:
            if ctx.watcher is not None:
                ctx.watcher.stop()
            if body_of is not None:
                body_of.close()

    def find_plan(
        self, ctx: Context, scope: Scope, path: str, method: str, plain: bool = False
    ) -> Plan:
        """Match the request; what routing has against it is kept for the pipeline to raise.

        :param path: As it is in the scope.
        :param plain: It can be matched as it is: there is no prefix, and nothing encoded.
        """
        mounted = OF_LITESTAR in scope
        if mounted:
            ctx.scope = scope = remounted(scope)
            self.plans.clear()  # they are found by what Litestar leaves of the path
        if method == "OPTIONS":
            url_map = None if self.by_host else self.url_map
            asked = plan_of_preflight(self.compiler, url_map, ctx, scope)
            if asked is not None:
                ctx.rule = asked.rule
                return asked
        try:
            if self.by_host:
                rule, ctx.view_args = ctx.url_adapter.match(return_rule=True)  # type: ignore[union-attr]
            elif plain:
                rule, ctx.view_args = self.url_map.match(path, method)
            else:
                root = scope.get("root_path", "")
                wanted = route_path(path_of(scope), scope.get("raw_path"), root)
                rule, ctx.view_args = self.url_map.match(wanted, method)
        except Redirection as redirection:
            return self.unmatched(ctx, ctx.url_adapter.redirect_for(redirection, method))  # type: ignore[union-attr]
        except HTTPException as error:
            return self.unmatched(ctx, error)
        ctx.rule = rule
        plan: Plan = rule.plan or self.compiler.plan_of(ctx.app, rule)
        if plan.options is not None and method == "OPTIONS":
            plan = plan.options
        # Under WSGI what is not ASCII is spelt in another way.
        is_segment = not mounted and path.rfind("/") == 0 and path.isascii()
        is_segment = is_segment and method != "OPTIONS"  # which may be a preflight the next time
        if is_segment and self.static.get(path, {}).get(method) is rule:
            self.plans.setdefault(path, {})[method] = plan
        if (request := ctx._request) is not None:  # made for the sake of its host
            request.url_rule, request.view_args = rule, ctx.view_args
            request._limits = plan.limits
        return plan

    def unmatched(self, ctx: Context, error: HTTPException) -> Plan:
        """The plan of a request that no rule matched; it raises the error in the view's place."""
        request: Request = ctx.request  # type: ignore[assignment]
        if isinstance(error, WebsocketMismatch) and "wsgi_environ" in request.scope:
            error = self.needs_websocket(ctx.app)
        request.routing_exception = error
        request.view_args = None
        return self.compiler.unmatched

    def needs_websocket(self, app: Kolben) -> HTTPException:
        """What is said, and once logged, to who asks for a websocket over WSGI."""
        if not self.told_of_websockets:
            self.told_of_websockets = True
            app.logger.warning(
                "A websocket route was asked for, but the application is served over WSGI, which"
                " has none. Serve it with an ASGI server, such as uvicorn."
            )
        return UpgradeRequired("websocket")

    async def send_streamed(self, ctx: Context, send: Send, reading: bool) -> None:
        """Send a body that is not complete in memory, then end what waited for it.

        :param reading: Messages belong to the request's body still.
        """
        request: Request = ctx.request  # type: ignore[assignment]
        response: Response = ctx.answer  # type: ignore[assignment]
        error: BaseException | None = None
        try:
            if request.method == "HEAD" and not isinstance(response, ApplicationResponse):
                if (aclose := getattr(response.response, "aclose", None)) is not None:
                    await aclose()
                await send(head_of(response))
                await send(last())
            else:
                if isinstance(response, ApplicationResponse):  # it wants the messages itself
                    reading = True
                    watcher, ctx.watcher = ctx.watcher, None
                    if watcher is not None:
                        watcher.stop()
                sending = send_streamed(ctx.app, request, send, response)
                await (sending if reading else watch(sending, ctx))
        except Exception as raised:
            error = raised
            broken_stream(ctx, raised)
        except BaseException as raised:
            error = raised
            raise
        finally:
            await self.end(ctx, error)
            del error

    async def end(self, ctx: Context, error: BaseException | None) -> None:
        """Close a response, and end a context that its body still needed."""
        scope: Scope = ctx.scope  # type: ignore[assignment]
        answer = ctx.answer
        lane, worker = ctx.app.view_lane, scope.get("kolben.worker")
        token = current.set(ctx)
        try:
            if isinstance(answer, Response) and answer.must_be_closed():
                await lane.run(answer.close, worker=worker)
        finally:
            try:
                if ctx.held and "kolben.preserve" not in scope:
                    if ctx.plan.hops:
                        await lane.run(drive, teardown(ctx, error), worker=worker)
                    else:
                        await teardown(ctx, error)
            finally:
                current.reset(token)
