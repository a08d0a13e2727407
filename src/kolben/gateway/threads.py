"""The whole of a request whose view is ``def``, in one worker thread.

A body that such a view streams is iterated, closed and torn down in the same thread, so that
what belongs to a thread, as a connection of :mod:`sqlite3`, can be used to its very end.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import TYPE_CHECKING

from ..context import Context, current
from ..exceptions import ClientDisconnected
from ..local import drive, thread, wait
from ..pipeline.convert import ApplicationResponse
from ..pipeline.run import teardown
from ..wrappers import FileBody, Response
from .bodies import head_of, last, piece
from .disconnects import Gone, deliver, watch_for

if TYPE_CHECKING:
    from .._types import Send


def run_in_thread(ctx: Context, send: Send, reading: bool) -> bool:
    """Run the pipeline, and send the body that it streams, if it does.

    :param reading: Messages belong to the request's body still, so that none can tell of a
        disconnect.
    :return: Whether everything has been sent and ended.
    """
    drive(ctx.plan.run(ctx))
    answer = ctx.answer
    if not isinstance(answer, Response) or not streams_here(ctx, answer):
        return False
    error: BaseException | None = None
    try:
        stream(ctx, send, answer, reading)
    except Exception as raised:
        error = raised
        broken_stream(ctx, raised)
    finally:
        try:
            answer.close()
        finally:
            if ctx.held and "kolben.preserve" not in (ctx.scope or ()):
                drive(teardown(ctx, error))
            del error
    return True


def streams_here(ctx: Context, response: Response) -> bool:
    """Whether a response's body is an iterator that belongs to this thread.

    A thread that somebody lent for the request may be the one that reads the body, and must not
    be kept; whoever lends it lends the same one for each step. So does a WSGI server.
    """
    body = response.raw_body()
    return not (
        thread.portal is None
        or "kolben.worker" in (ctx.scope or ())
        or isinstance(body, (bytes, FileBody, AsyncIterable))
        or isinstance(response, ApplicationResponse)
        or response.complete_body() is not None
        or ctx.request.method == "HEAD"  # type: ignore[union-attr]
    )


def stream(ctx: Context, send: Send, response: Response, reading: bool) -> None:
    """Send what an iterator gives, and stop when the client leaves."""
    watcher = None if reading else wait(watch_for(ctx))
    # The request is over for the body, unless it says that it wants the context.
    hidden = current.set(None)  # type: ignore[arg-type]
    try:
        wait(deliver(send, head_of(response)))
        for chunk in response.response:
            if watcher is not None and watcher.gone:
                raise Gone
            wait(deliver(send, piece(chunk)))
        wait(deliver(send, last()))
    finally:
        current.reset(hidden)


def broken_stream(ctx: Context, error: Exception) -> None:
    """Log an error that ended a body which had begun, or pass it on to the test or server.

    The last message of the body is never sent, so that the server closes the connection and the
    client can tell that something is missing. A WSGI server does that, and logs, when it gets the
    error.
    """
    if (
        isinstance(error, ClientDisconnected)
        or ctx.app.propagates_exceptions
        or "wsgi_environ" in (ctx.scope or ())
    ):
        raise error
    token = current.set(ctx)
    try:
        ctx.app.log_exception((type(error), error, error.__traceback__))
    finally:
        current.reset(token)
