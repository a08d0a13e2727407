"""What one request costs in process, beside a raw ASGI application and other frameworks.

The method, in order:

1. Every application answers the same requests, driven by the same loop in the same process.
   As in a server, each request has a scope of its own, with headers of its own, made while the
   clock runs, and an object of its own whose ``receive`` has an empty body and whose ``send``
   collects. An application that does nothing shows what the driver itself costs.
2. Bursts are short and alternate between the applications, so that what else the machine does
   falls on all of them. The least burst of each counts: noise only ever adds.
3. Before each burst, garbage is collected; during it the collector runs as it does in a server.
4. Every answer of every burst is checked, outside the clock. One wrong answer disqualifies.

Run it with ``nox -s bench``. Microseconds hold only beside others of the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from cases import CASES, Case, Message, Scope  # beside this file, which is run as a script

App = Callable[[Scope, Any, Any], Awaitable[None]]

RAW = "raw ASGI"
OURS = "Kolben"
APPS = {
    RAW: "raw",
    OURS: "kolben",
    "Starlette": "starlette",
    "Falcon": "falcon",
    "BlackSheep": "blacksheep",
}


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
        "method": "GET",
        "path": scope["path"],
        "raw_path": scope["raw_path"],
        "query_string": scope["query_string"],
    }


async def burst(app: App, scopes: list[Scope]) -> tuple[float, list[Exchange]]:
    """Microseconds for each request of a burst, and what was sent."""
    exchanges: list[Exchange] = []
    gc.collect()
    started = perf_counter_ns()
    for scope in scopes:
        exchange = Exchange()
        exchanges.append(exchange)
        await app(fresh(scope), exchange.receive, exchange.send)
    return (perf_counter_ns() - started) / 1000 / len(scopes), exchanges


def first_fault(case: Case, numbers: range, exchanges: list[Exchange]) -> str | None:
    """What is wrong with the answers of a burst, if anything is."""
    pairs = zip(numbers, exchanges, strict=True)
    faults = (case.fault(n, exchange.messages) for n, exchange in pairs)
    return next((fault for fault in faults if fault), None)


async def nothing(scope: Scope, receive: Any, send: Any) -> None:
    """Answers nothing: what remains is the driver."""


async def driver_alone(rounds: int, length: int) -> float:
    """Least microseconds that the measurement itself adds to every figure."""
    scopes = [CASES[0].request(n) for n in range(length)]
    return min([(await burst(nothing, scopes))[0] for _ in range(rounds)])


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


async def measure(apps: dict[str, App], case: Case, rounds: int, length: int) -> dict[str, Any]:
    """Least microseconds for each application, or the fault that disqualified it."""
    best: dict[str, float] = {}
    faults: dict[str, str] = {}
    names = list(apps)
    for number in range(rounds):
        numbers = range(number * length, (number + 1) * length)
        scopes = [case.request(n) for n in numbers]
        for name in names[number % len(names) :] + names[: number % len(names)]:
            if name in faults:
                continue
            cost, exchanges = await burst(apps[name], scopes)
            if fault := first_fault(case, numbers, exchanges):
                faults[name] = fault
            best[name] = min(cost, best.get(name, cost))
    return {"us": {name: best[name] for name in names if name not in faults}, "faults": faults}


def table(results: dict[str, dict[str, Any]]) -> str:
    """The results as Markdown."""
    lines = [f"| µs a request | {' | '.join(APPS)} |", f"|---|{'--:|' * len(APPS)}"]
    for name, result in results.items():
        cells = []
        for app in APPS:
            cost = result["us"].get(app)
            ratio = cost / result["us"][RAW] if cost and RAW in result["us"] else None
            cells.append(f"{cost:.2f} ({ratio:.2f} ×)" if cost and ratio else "wrong answer")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def broken_budgets(results: dict[str, dict[str, Any]]) -> list[str]:
    """Each promise of docs/design/performance that this run does not bear out."""
    broken = []
    for case in CASES:
        result = results[case.name]
        cost = result["us"]
        broken += [f"{case.name}: {app}: {fault}" for app, fault in result["faults"].items()]
        if OURS not in cost or RAW not in cost:
            continue
        if (ratio := cost[OURS] / cost[RAW]) > case.budget:
            broken.append(f"{case.name}: {ratio:.2f} × raw, at most {case.budget} allowed")
        peers = {app: us for app, us in cost.items() if app not in (RAW, OURS)}
        broken += [
            f"{case.name}: {cost[OURS]:.2f} µs, not below {app}'s {us:.2f}"
            for app, us in peers.items()
            if cost[OURS] >= us
        ]
    return broken


def versions() -> dict[str, str]:
    """What the figures were made with."""
    packages = [name for name in APPS.values() if name != "raw"]
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": platform.python_version(), **found}


async def run(rounds: int, length: int) -> dict[str, dict[str, Any]]:
    """Every case on every application."""
    apps = {name: importlib.import_module(f"apps.{module}").app for name, module in APPS.items()}
    async with AsyncExitStack() as started:
        for app in apps.values():
            await started.enter_async_context(lifespan(app))
        for case in CASES:  # what is made at the first requests is not what is measured
            await measure(apps, case, rounds=5, length=length)
        gc.collect()
        gc.freeze()  # so that a collection looks at what requests leave, not at the imports
        return {case.name: await measure(apps, case, rounds, length) for case in CASES}


def main() -> int:
    """Measure, print and, when asked to, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=400, help="bursts of each application")
    parser.add_argument("--length", type=int, default=100, help="requests in a burst")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to a file")
    parser.add_argument("--check", action="store_true", help="fail if a budget is broken")
    arguments = parser.parse_args()
    results = asyncio.run(run(arguments.rounds, arguments.length))
    driver = asyncio.run(driver_alone(arguments.rounds, arguments.length))
    made_with = versions()
    print(table(results))
    print(f"\nThe driver's share of each figure: {driver:.2f} µs.")
    print(", ".join(f"{name} {version}" for name, version in made_with.items()))
    if arguments.json:
        record = {"versions": made_with, "driver_us": driver, "results": results}
        arguments.json.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    broken = broken_budgets(results)
    for line in broken:
        print(f"budget broken: {line}", file=sys.stderr)
    return 1 if broken and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
