"""Applications that take turns, what came of it, and what was promised."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from cases import Answer, Asked, Case  # beside this file; run.py is run as a script

#: Sends a burst of requests, and says what each cost, in microseconds, and what was answered.
Burst = Callable[[list[Asked]], Awaitable[tuple[float, list[Answer]]]]
#: Stands for an application that answers nothing: what remains is what the measurement costs.
DRIVER = "the driver alone"


@dataclass(frozen=True)
class Limit:
    """A promise: at most so many times what another application takes."""

    times: float
    of: str


@dataclass
class Figures:
    """What one kind of request cost on each application.

    :ivar reference: What the others are compared with.
    :ivar costs: Microseconds, one figure for each burst.
    :ivar faults: What was wrong with the answers of those that are disqualified.
    """

    reference: str
    costs: dict[str, list[float]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """What was measured, in its order; those with wrong answers last."""
        return [*self.costs, *self.faults]

    def least(self, name: str) -> float:
        """Microseconds of the quickest burst: noise only ever adds."""
        return min(self.costs[name])

    def ratios(self, name: str, other: str) -> list[float]:
        """How many times the other's cost, burst by burst: a pair was sent moments apart."""
        return [a / b for a, b in zip(self.costs[name], self.costs[other], strict=True)]

    def cell(self, name: str) -> str:
        """Least microseconds; times the reference, and the middle half of those ratios."""
        if name in self.faults:
            return "failed"
        if name not in self.costs or self.reference not in self.costs:
            return ""
        if name in (self.reference, DRIVER):
            return f"{self.least(name):.2f}"
        ratios = self.ratios(name, self.reference)
        low, _, high = quantiles(ratios, n=4)
        return f"{self.least(name):.2f} ({median(ratios):.2f} ×, {low:.2f}–{high:.2f})"

    def broken(self, name: str, limits: Iterable[Limit]) -> list[str]:
        """Each promise that these figures do not bear out, and each wrong answer."""
        found = [f"{other}: {fault}" for other, fault in self.faults.items()]
        for limit in limits:
            if name in self.costs and limit.of in self.costs:
                ratio = median(self.ratios(name, limit.of))
                if ratio > limit.times:
                    found.append(f"{ratio:.3f} × {limit.of}, at most {limit.times:g} allowed")
        return found

    def record(self) -> dict[str, Any]:
        """What is kept in a file."""
        return {
            "least": {name: self.least(name) for name in self.costs},
            "ratio": {
                name: median(self.ratios(name, self.reference))
                for name in self.costs
                if self.reference in self.costs
            },
            "faults": self.faults,
        }


async def take_turns(bursts: Mapping[str, Burst], case: Case, rounds: int, length: int) -> Figures:
    """Send the same requests to each application, in short bursts that alternate."""
    names = list(bursts)
    figures = Figures(names[0], {name: [] for name in names})
    for number in range(rounds):
        numbers = range(number * length, (number + 1) * length)
        asked = [case.request(n) for n in numbers]
        for name in names[number % len(names) :] + names[: number % len(names)]:
            if name in figures.faults:
                continue
            gc.collect()
            try:
                cost, answers = await bursts[name](asked)
                fault = None if name == DRIVER else first_fault(case, numbers, answers)
            except Exception as error:
                fault = repr(error)
            if fault is None:
                figures.costs[name].append(cost)
            else:
                figures.faults[name] = fault
                del figures.costs[name]
    return figures


def first_fault(case: Case, numbers: range, answers: Sequence[Answer]) -> str | None:
    """What is wrong with the answers of a burst, if anything is."""
    pairs = zip(numbers, answers, strict=True)
    return next((fault for n, answer in pairs if (fault := case.fault(n, answer))), None)
