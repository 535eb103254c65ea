"""What a measurement is given and gives back, and how ratios are kept steady on a noisy machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import TypeVar

from benchmarks.installations import Installation

T = TypeVar("T")

Round = Mapping[str, float]
"""What each contender has done in one round, by their names."""

OURS = "this library"
OLDER = "0.1.2"
POSTING = "posting"


@dataclass(frozen=True)
class Amounts:
    """How much is measured."""

    call_rounds: int = 12
    call_seconds: float = 0.35
    latency_rounds: int = 5
    latency_orders: int = 60
    latency_seconds: float = 2.0
    """How long one contender may take for one round: the slow ones make fewer orders."""
    order_rounds: int = 3
    orders: int = 2_000
    long_orders: int = 20_000
    sqlite_rounds: int = 3
    sqlite_orders: int = 300
    notification_rounds: int = 5
    notifications: int = 20_000
    subscriptions: int = 200
    subscribers: int = 50
    subscriber_seconds: float = 5.0
    starts: int = 4
    console_starts: int = 5
    console_seconds: float = 10.0
    """For how long the CPU time of the console is measured."""
    console_events: int = 1_000_000
    console_jumps: int = 8
    console_keys: int = 100

    @classmethod
    def quick(cls) -> Amounts:
        """Returns enough to see that everything works, and roughly how fast it is."""
        return cls(
            call_rounds=3,
            call_seconds=0.3,
            latency_rounds=2,
            latency_orders=40,
            latency_seconds=1.0,
            order_rounds=1,
            orders=500,
            long_orders=3_000,
            sqlite_rounds=1,
            sqlite_orders=200,
            notification_rounds=2,
            notifications=5_000,
            subscriber_seconds=2.0,
            starts=2,
            console_starts=2,
            console_seconds=4.0,
            console_events=100_000,
            console_jumps=3,
            console_keys=30,
        )


@dataclass(frozen=True)
class Bench:
    """What measurements are made of."""

    library: Installation
    older: Installation | None
    """None: this machine has no Python 3.10."""
    amounts: Amounts


@dataclass(frozen=True)
class Target:
    """What a figure should reach."""

    value: float
    is_limit: bool = False
    """Whether the figure should stay at or below the value. Otherwise it should be at or above."""

    def is_reached(self, figure: float) -> bool:
        """Tells whether a figure is good enough."""
        return figure <= self.value if self.is_limit else figure >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.is_limit else '≥'} {self.value:g}"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    unit: str
    measured: float
    """This library's."""
    reference: str = ""
    """What it is compared with. Empty: nothing."""
    reference_value: float | None = None
    ratio: float | None = None
    """The median of the rounds' ratios of this library to what it is compared with."""
    target: Target | None = None
    """For the ratio, or for what was measured where there is nothing to compare it with."""
    others: Mapping[str, float] = field(default_factory=dict)
    """What all contenders have done: medians, by their names."""
    rounds: Sequence[Round] = ()

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is reached. None: there is none, or nothing to compare with."""
        figure = self.ratio if self.reference else self.measured
        return None if self.target is None or figure is None else self.target.is_reached(figure)


def interleave(contenders: Mapping[str, Callable[[], T]], rounds: int) -> list[dict[str, T]]:
    """Lets contenders take turns, so that what disturbs the machine disturbs all of them.

    Each round begins with another one.
    """
    names = list(contenders)
    results = []
    for i in range(rounds):
        first = i % len(names)
        order = names[first:] + names[:first]
        results.append({name: contenders[name]() for name in order})
    return results


def compare(
    what: str,
    unit: str,
    rounds: Sequence[Round],
    *,
    reference: str,
    target: Target | None = None,
    ours: str = OURS,
) -> Figure:
    """Returns the figure for one contender beside another.

    :param reference: the other one's name. When it took no part, nothing is compared.
    """
    medians = {name: median(round_[name] for round_ in rounds) for name in rounds[0]}
    has_reference = reference in medians
    return Figure(
        what=what,
        unit=unit,
        measured=medians[ours],
        reference=reference,
        reference_value=medians[reference] if has_reference else None,
        ratio=(
            median(round_[ours] / round_[reference] for round_ in rounds) if has_reference else None
        ),
        target=target,
        others=medians,
        rounds=rounds,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that a share of the values does not exceed."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]
