"""ASGI applications, driven in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from time import perf_counter_ns
from typing import Any

from cases import Answer, Asked  # beside this file; run.py is run as a script
from turns import DRIVER, Burst

Scope = dict[str, Any]
Message = dict[str, Any]
App = Callable[[Scope, Any, Any], Coroutine[Any, Any, None]]

#: Seconds between two pings.
PAUSE = 0.001


class Exchange:
    """The server's side of one request."""

    __slots__ = ("messages",)

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def receive(self) -> Message:
        """A body of no bytes."""
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        """Keep the message, to be checked after the burst."""
        self.messages.append(message)

    def answer(self) -> Answer:
        """What was sent, as it is checked."""
        if not self.messages:
            return Answer(0, {}, b"")
        start, *bodies = self.messages
        headers = {
            bytes(name).decode().lower(): bytes(value).decode() for name, value in start["headers"]
        }
        body = b"".join(message.get("body", b"") for message in bodies)
        return Answer(start["status"], headers, body)


def scope_of(asked: Asked) -> Scope:
    """What differs between the scopes of requests."""
    return {
        "headers": [(name.encode(), value.encode()) for name, value in asked.headers],
        "method": asked.method,
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "query_string": asked.query.encode(),
    }


def fresh(scope: Scope) -> Scope:
    """A scope as a server makes it for each request that it parses."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "headers": [(name, value) for name, value in scope["headers"]],
        "state": {},
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": scope["raw_path"],
        "query_string": scope["query_string"],
    }


PING = scope_of(Asked("/ping"))
SLEEP = scope_of(Asked("/sleep"))


async def nothing(scope: Scope, receive: Any, send: Any) -> None:
    """Answers nothing: what remains is the driver."""


async def one_by_one(app: App, scopes: list[Scope]) -> tuple[float, list[Exchange]]:
    """Send each request when the one before it has been answered."""
    exchanges: list[Exchange] = []
    started = perf_counter_ns()
    for scope in scopes:
        exchange = Exchange()
        exchanges.append(exchange)
        await app(fresh(scope), exchange.receive, exchange.send)
    return (perf_counter_ns() - started) / 1000 / len(scopes), exchanges


async def at_once(app: App, scopes: list[Scope]) -> tuple[float, list[Exchange]]:
    """Send all requests at the same time, each in a task as servers have it."""
    exchanges = [Exchange() for _ in scopes]
    started = perf_counter_ns()
    tasks = [
        asyncio.ensure_future(app(fresh(scope), exchange.receive, exchange.send))
        for scope, exchange in zip(scopes, exchanges, strict=True)
    ]
    await asyncio.gather(*tasks)
    return (perf_counter_ns() - started) / 1000 / len(scopes), exchanges


@asynccontextmanager
async def lifespan(app: App) -> Any:
    """The application between its startup and its shutdown, as a server runs it."""
    incoming: asyncio.Queue[Message] = asyncio.Queue()
    outgoing: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    running = asyncio.ensure_future(app(scope, incoming.get, outgoing.put))

    async def step(name: str) -> None:
        await incoming.put({"type": f"lifespan.{name}"})
        answer = asyncio.ensure_future(outgoing.get())
        await asyncio.wait([answer, running], return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and answer.result()["type"] == f"lifespan.{name}.failed":
            raise RuntimeError(answer.result().get("message", name))
        answer.cancel()

    await step("startup")
    try:
        yield
    finally:
        await step("shutdown")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def bursts(
    modules: Mapping[str, str], send: Callable[..., Any] = one_by_one
) -> AsyncIterator[dict[str, Burst]]:
    """What sends bursts to each application, from its startup to its shutdown."""

    def sender(app: App) -> Burst:
        async def burst(asked: list[Asked]) -> tuple[float, list[Answer]]:
            cost, exchanges = await send(app, [scope_of(one) for one in asked])
            return cost, [exchange.answer() for exchange in exchanges]

        return burst

    apps: dict[str, App] = {name: import_module(f"apps.{modules[name]}").app for name in modules}
    async with AsyncExitStack() as started:
        for app in apps.values():
            await started.enter_async_context(lifespan(app))
        yield {name: sender(app) for name, app in apps.items()} | {DRIVER: sender(nothing)}


async def ping(app: App) -> float:
    """Microseconds from the arrival of a request to the end of its answer.

    It runs in a task of its own, as in a server: what occupies the event loop, or keeps it from
    running, is a part of the figure.
    """
    exchange = Exchange()
    started = perf_counter_ns()
    await asyncio.ensure_future(app(fresh(PING), exchange.receive, exchange.send))
    cost = (perf_counter_ns() - started) / 1000
    if exchange.answer().body != b"pong":
        raise RuntimeError(f"a ping was answered with {exchange.answer()}")
    return cost


async def pings_beside(app: App, views: int) -> tuple[list[float], list[float]]:
    """What pings take while so many ``def`` views sleep, and what as many take alone."""
    exchanges = [Exchange() for _ in range(views)]
    sleeping = asyncio.gather(
        *[app(fresh(SLEEP), exchange.receive, exchange.send) for exchange in exchanges]
    )
    beside, alone = [], []
    while not sleeping.done():
        await asyncio.sleep(PAUSE)
        beside.append(await ping(app))
    if any(exchange.answer().body != b"Awake" for exchange in exchanges):
        raise RuntimeError("a sleeping view was not answered")
    for _ in beside:
        await asyncio.sleep(PAUSE)
        alone.append(await ping(app))
    return beside, alone
