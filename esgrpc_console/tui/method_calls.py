"""Calls of methods from forms: one, or many one after the other, and how they end."""

from __future__ import annotations

import asyncio
import logging
from bisect import insort
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from esgrpc_console.call_history import Outcome
from esgrpc_console.system_view import (
    CallFailed,
    CallResult,
    MethodView,
    RequestFailed,
    SystemOperations,
    words,
)
from esgrpc_console.system_view.json_values import JsonObject

logger = logging.getLogger(__name__)

MAX_TIMES = 100_000
"""How often a method can be called at once: the time of each call is kept."""
_MAX_ERRORS = 20
_MAX_TEXT = 200


@dataclass(frozen=True)
class Call:
    """One call that is to be made."""

    application: str
    method: MethodView
    arguments: JsonObject


@dataclass(frozen=True)
class CallEnd:
    """How a call ended: with a result, with a failure, or without either when it was given up."""

    call: Call
    at: datetime
    """When it began."""
    seconds: float
    """For how long it was waited."""
    result: CallResult | None = None
    failure: RequestFailed | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows if the method has been carried out."""
        if self.failure is None:
            return self.result is None
        return isinstance(self.failure, CallFailed) and self.failure.is_outcome_unknown

    @property
    def outcome(self) -> Outcome:
        """How it ended, in a word."""
        if self.is_unknown:
            return Outcome.UNKNOWN
        return Outcome.RETURNED if self.result is not None else Outcome.FAILED

    @property
    def text(self) -> str:
        """What it brought, or the beginning of it, on one line."""
        if self.result is not None:
            return words.line(self.result.result[:_MAX_TEXT])
        if self.failure is not None:
            return words.line(failure_words(self.failure)[:_MAX_TEXT])
        return "given up"


def failure_words(failure: RequestFailed) -> str:
    """Returns on one line why a call failed."""
    if not isinstance(failure, CallFailed):
        return " ".join(str(failure).split())
    if failure.violations:
        return "; ".join(f"{name}: {told}" for name, told in failure.violations.items())
    parts = filter(None, (failure.error_class, failure.message))
    return " ".join(": ".join(parts).split())


@dataclass(frozen=True)
class Clocks:
    """What tells the time."""

    wall_clock: Callable[[], datetime]
    """The time that is shown."""
    clock: Callable[[], float]
    """Seconds, of which only differences count."""


async def call_once(operations: SystemOperations, call: Call, clocks: Clocks) -> CallEnd:
    """Makes a call. Cancelling it leaves open whether the method is carried out."""
    at, started = clocks.wall_clock(), clocks.clock()
    result: CallResult | None = None
    failure: RequestFailed | None = None
    try:
        result = await operations.call_method(call.application, call.method.name, call.arguments)
    except RequestFailed as e:
        failure = e
    except Exception as e:
        # Whatever it is, it is shown: a call that never ends would keep all others from being made.
        logger.exception("%s.%s could not be called", call.application, call.method.name)
        failure = RequestFailed(f"the console failed: {type(e).__name__}: {e}")
    return CallEnd(call, at, clocks.clock() - started, result=result, failure=failure)


@dataclass
class Repetition:
    """Calls of one method, one after the other. May be looked at while it is under way."""

    call: Call
    clocks: Clocks
    times: int
    pause: float = 0.0
    """Seconds between two calls."""
    stops_at_error: bool = False
    at: datetime | None = None
    """When it began."""
    done: int = 0
    """How many calls have ended."""
    failed: int = 0
    """How many of them have failed."""
    errors: Counter[str] = field(default_factory=Counter)
    """What they failed with, and how often."""
    stopped: str = ""
    """Why not all of the calls were made."""
    is_over: bool = False
    last: CallEnd | None = None
    """How the last call ended."""
    _durations: list[float] = field(default_factory=list)
    _started: float | None = None
    _ended: float | None = None

    async def run(self, operations: SystemOperations) -> None:
        """Makes all calls. It ends before that when a call's outcome isn't known.

        Cancelling it leaves open whether the call that is under way is carried out.
        """
        self.at, self._started = self.clocks.wall_clock(), self.clocks.clock()
        try:
            while self.done < self.times and not self.stopped:
                end = await call_once(operations, self.call, self.clocks)
                self._count(end)
                if self.done < self.times:
                    # Others have their turn, whatever the pause is.
                    await asyncio.sleep(self.pause)
        finally:
            self.is_over = True
            self._ended = self.clocks.clock()

    @property
    def seconds(self) -> float:
        """For how long it has been, or was, under way."""
        if self._started is None:
            return 0.0
        return (self.clocks.clock() if self._ended is None else self._ended) - self._started

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.done / self.seconds if self.seconds else 0.0

    def percentile(self, percent: float) -> float | None:
        """Returns the time in seconds within which so many calls in a hundred have ended."""
        if not self._durations:
            return None
        index = min(len(self._durations) - 1, int(len(self._durations) * percent / 100))
        return self._durations[index]

    def told(self) -> Mapping[str, str]:
        """Returns the figures in words, by what they are."""
        fast, slow = self.percentile(50), self.percentile(99)
        return {
            "calls": f"{words.number(self.done)} of {words.number(self.times)}",
            "failed": words.number(self.failed),
            "calls/s": words.rate(self.rate),
            "p50": words.NONE if fast is None else words.milliseconds(fast),
            "p99": words.NONE if slow is None else words.milliseconds(slow),
            "time": f"{self.seconds:.1f} s",
        }

    def _count(self, end: CallEnd) -> None:
        self.done += 1
        self.last = end
        insort(self._durations, end.seconds)
        if end.outcome is Outcome.RETURNED:
            return
        self.failed += 1
        told = end.text
        if told in self.errors or len(self.errors) < _MAX_ERRORS:
            self.errors[told] += 1
        if end.is_unknown:
            self.stopped = "the outcome of the last call is not known"
        elif not isinstance(end.failure, CallFailed) or not end.failure.error_class:
            self.stopped = "the last call did not reach the application"
        elif self.stops_at_error:
            self.stopped = "the last call failed"
