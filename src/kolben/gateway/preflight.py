"""A browser's question before a request of another site's script: hooks and views are not asked.

It is an ``OPTIONS`` request about another one, and the policy of the route that *that* one would
reach answers it.

:source: Fetch Standard, section 3.2.2, "CORS-preflight request".
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from ..exceptions import HTTPException
from ..routing import Redirection
from ..routing.paths import route_path
from ..wrappers import Response
from ..wrappers.request_fields import path_of

if TYPE_CHECKING:
    from .._types import Scope
    from ..context import Context
    from ..pipeline.plan import Plan
    from ..registry.compile import Compiler
    from ..routing import Map, Rule
    from ..wrappers import Request


def plan_of_preflight(
    compiler: Compiler, url_map: Map | None, ctx: Context, scope: Scope
) -> Plan | None:
    """What answers a preflight: the nearest policy among the route's middleware.

    Where there is none, the application's own (``kolben.cors`` in the scope) answers in place of
    what is sent from here.

    :param url_map: The rules; ``None`` if the host has a part in matching.
    :return: ``None`` if the request is no preflight, or nobody has a policy: then it is one like
        any other.
    """
    asked = None
    for name, value in scope["headers"]:
        if name == b"access-control-request-method":
            asked = value.decode("latin-1")
    if asked is None:
        return None
    rule: Rule | None = None
    try:
        if url_map is None:
            rule, _ = ctx.url_adapter.match(method=asked, return_rule=True)  # type: ignore[union-attr]
        else:
            path = route_path(path_of(scope), scope.get("raw_path"), scope.get("root_path", ""))
            rule, _ = url_map.match(path, asked)
    except (Redirection, HTTPException):
        pass
    found: Plan = compiler.unmatched
    if rule is not None:
        found = rule.plan or compiler.plan_of(ctx.app, rule)
    policies = [step for step in found.middleware if getattr(step, "answers_preflight", False)]
    if not policies and "kolben.cors" not in scope:
        return None

    async def nothing(request: Request) -> Response:
        return Response(status=204)

    async def run(ctx: Context) -> None:
        answer = policies[-1] if policies else None  # the innermost is the nearest
        request: Request = ctx.request  # type: ignore[assignment]
        ctx.answer = await (answer(request, nothing) if answer else nothing(request))

    plan = copy(compiler.unmatched)
    plan.rule, plan.run, plan.inline = rule, run, plan
    plan.waits = plan.hops = False
    plan.teardown = plan.teardown_app = ()
    return plan
