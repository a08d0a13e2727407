"""What is measured, in parts, and what Kolben promises in each."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from statistics import median
from typing import Any

import over_asgi
import over_gunicorn
import over_wsgi
from cases import JSON, PATH_AND_QUERY, SENT_FORM, TEXT, TYPED_PATH, Case
from turns import Burst, Figures, Limit, take_turns

OURS = "Kolben"
Results = dict[str, Figures]


@dataclass(frozen=True)
class Requests:
    """One table: kinds of requests, on several applications.

    :param apps: The module in ``apps`` of each; the first is what the others are measured by.
    :param cases: What Kolben promises for each kind.
    :param rounds: Bursts of each application.
    :param length: Requests in a burst.
    """

    title: str
    driver: Callable[[Mapping[str, str]], AbstractAsyncContextManager[dict[str, Burst]]]
    apps: Mapping[str, str]
    cases: Sequence[tuple[Case, Sequence[Limit]]]
    rounds: int = 400
    length: int = 100
    run: Callable[[Coroutine[Any, Any, Results]], Results] = asyncio.run

    def measure(self, share: float) -> Results:
        """The figures of each kind of request.

        :param share: How much of the usual number of bursts.
        """
        return self.run(self.measured(max(4, round(self.rounds * share))))

    async def measured(self, rounds: int) -> Results:
        """The figures of each kind of request."""
        async with self.driver(self.apps) as bursts:
            for case, _ in self.cases:  # what is made at the first requests is not measured
                await take_turns(bursts, case, 4, self.length)
            gc.collect()
            gc.freeze()  # a collection looks at what requests leave, not at the imports
            return {
                case.name: await take_turns(bursts, case, rounds, self.length)
                for case, _ in self.cases
            }

    def broken(self, results: Results) -> list[str]:
        """Each promise that the figures do not bear out."""
        return [
            f"{case.name}: {fault}"
            for case, limits in self.cases
            for fault in results[case.name].broken(OURS, limits)
        ]


@dataclass(frozen=True)
class Pings:
    """One table: an ``async def`` view that answers at once, beside ``def`` views that sleep."""

    title: str
    apps: Mapping[str, str]
    limit: Limit
    views: int = 200
    rounds: int = 10

    @property
    def beside(self) -> str:
        """What is measured, beside a ping alone."""
        return f"beside {self.views} sleeping def views"

    def measure(self, share: float) -> Results:
        """The figures of each application."""
        return asyncio.run(self.measured(max(4, round(self.rounds * share))))

    async def measured(self, rounds: int) -> Results:
        """The figures of each application."""
        results = {name: Figures("alone", {"alone": [], self.beside: []}) for name in self.apps}
        for _ in range(rounds):
            for name, module in self.apps.items():
                app = import_module(f"apps.{module}").app
                gc.collect()
                beside, alone = await over_asgi.pings_beside(app, self.views)
                results[name].costs["alone"].append(median(alone))
                results[name].costs[self.beside].append(median(beside))
        return results

    def broken(self, results: Results) -> list[str]:
        """The promise, if the figures do not bear it out."""
        return results[OURS].broken(self.beside, [self.limit])


def without_loop(coro: Coroutine[Any, Any, Results]) -> Results:
    """Run a coroutine that never waits, in a thread that has no event loop, as WSGI has it."""
    try:
        coro.send(None)
    except StopIteration as stop:
        found: Results = stop.value
        return found
    raise RuntimeError("the driver waited for something")


def below(*others: str) -> list[Limit]:
    """Less than what each of the others takes."""
    return [Limit(1, other) for other in others]


RAW_ASGI, RAW_WSGI, RAW_DEF = "raw ASGI", "raw WSGI", "raw ASGI, anyio's thread"
ASGI_PEERS = {"Starlette": "starlette", "Falcon": "falcon", "BlackSheep": "blacksheep"}
WSGI_PEERS = {"Flask": "flask", "Falcon": "falcon_wsgi", "Bottle": "bottle"}
DEF_ASGI = {RAW_DEF: "raw_def", OURS: "kolben_def", "Starlette": "starlette_def"}

PARTS: dict[str, Requests | Pings] = {
    "asgi": Requests(
        "ASGI, `async def` view: µs a request",
        over_asgi.bursts,
        {RAW_ASGI: "raw", OURS: "kolben", **ASGI_PEERS},
        [
            (TEXT, [Limit(2, RAW_ASGI), *below(*ASGI_PEERS)]),
            (JSON, [Limit(2, RAW_ASGI), *below(*ASGI_PEERS)]),
            (PATH_AND_QUERY, [Limit(3, RAW_ASGI), *below(*ASGI_PEERS)]),
        ],
    ),
    "wsgi": Requests(
        "WSGI, `def` view: µs a request",
        over_wsgi.bursts,
        {RAW_WSGI: "raw_wsgi", OURS: "kolben_def", **WSGI_PEERS},
        [
            (TEXT, [Limit(0.1, "Flask"), *below("Falcon", "Bottle")]),
            (JSON, [Limit(0.2, "Flask"), *below("Falcon", "Bottle")]),
            (SENT_FORM, [Limit(0.2, "Flask"), *below("Falcon", "Bottle")]),
            (TYPED_PATH, [Limit(0.2, "Flask"), *below("Falcon", "Bottle")]),
        ],
        run=without_loop,
    ),
    "wsgi-async": Requests(
        "WSGI, `async def` view: µs a request",
        over_wsgi.bursts,
        {RAW_WSGI: "raw_wsgi", OURS: "kolben", "Quart, a2wsgi": "quart"},
        [(TEXT, [Limit(0.5, "Quart, a2wsgi")]), (JSON, [Limit(0.5, "Quart, a2wsgi")])],
        rounds=100,
        run=without_loop,
    ),
    "def": Requests(
        "ASGI, `def` view: µs a request",
        over_asgi.bursts,
        DEF_ASGI,
        [(TEXT, below("Starlette")), (TYPED_PATH, below("Starlette"))],
        rounds=200,
    ),
    "def-at-once": Requests(
        "ASGI, `def` view, 64 requests at once: µs a request",
        partial(over_asgi.bursts, send=over_asgi.at_once),
        DEF_ASGI,
        [(TEXT, below("Starlette")), (TYPED_PATH, below("Starlette"))],
        rounds=200,
        length=64,
    ),
    "ping": Pings(
        "ASGI, `async def` view beside `def` views that sleep: µs a ping",
        {OURS: "kolben_def", "Starlette": "starlette_def"},
        Limit(1.25, "alone"),
    ),
    "gunicorn": Requests(
        "Gunicorn gthread: µs of the worker's processor a request",
        over_gunicorn.bursts,
        {RAW_WSGI: "raw_wsgi", OURS: "kolben_def", "Flask": "flask"},
        [(TEXT, [Limit(1.15, RAW_WSGI)])],
        rounds=80,
        length=250,
    ),
}
