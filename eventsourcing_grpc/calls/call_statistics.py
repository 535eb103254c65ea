"""Counts calls and measures how long they take: cheap enough to do for each call.

What the figures are shown as is left to ``operations_service``.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from time import monotonic, perf_counter
from types import TracebackType

_SHORTEST = 1e-5
_LONGEST = 100.0
_RATIO = 1.05
_MAX_UNCOUNTED = 256
_BUCKETS = math.ceil(math.log(_LONGEST / _SHORTEST, _RATIO))
# Where one bucket ends and the next begins, in seconds.
_BOUNDS = tuple(_SHORTEST * _RATIO**exponent for exponent in range(_BUCKETS + 1))


@dataclass(frozen=True)
class CallRates:
    """What happened between two snapshots."""

    seconds: float
    calls: int
    """How many calls ended, errors included."""
    errors: int
    p50_seconds: float | None
    """Half of the calls took less. None: no call ended."""
    p99_seconds: float | None

    @property
    def calls_per_second(self) -> float:
        """How many calls ended each second, on average."""
        return self.calls / self.seconds if self.seconds > 0 else 0.0

    @property
    def errors_per_second(self) -> float:
        """How many calls ended with an error each second, on average."""
        return self.errors / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class CallSnapshot:
    """The figures at one moment."""

    time: float
    """Seconds of the monotonic clock."""
    calls: int
    """How many calls have ended, errors included."""
    errors: int
    in_progress: int
    latencies: Sequence[int]
    """How many calls took how long, in buckets 5 % wide from 10 µs to 100 s."""

    def since(self, earlier: CallSnapshot) -> CallRates:
        """Returns what happened between an earlier snapshot of the same statistics and this one."""
        latencies = [
            now - then for now, then in zip(self.latencies, earlier.latencies, strict=True)
        ]
        return CallRates(
            seconds=self.time - earlier.time,
            calls=self.calls - earlier.calls,
            errors=self.errors - earlier.errors,
            p50_seconds=_percentile(latencies, 0.50),
            p99_seconds=_percentile(latencies, 0.99),
        )


class CallStatistics:
    """Counts calls, in any number of threads: ``with statistics.measure(): ...``.

    Taking a lock for each call would double what measuring costs. So calls that have ended are put
    into a queue, and are counted a few hundred at a time.
    """

    def __init__(self) -> None:
        self._in_progress: set[CallMeasurement] = set()
        # In seconds, negative for errors.
        self._ended: deque[float] = deque()
        self._lock = threading.Lock()
        self._calls = 0
        self._errors = 0
        self._latencies = [0] * (len(_BOUNDS) + 1)

    def measure(self) -> CallMeasurement:
        """Returns a context manager for one call, which has failed when its block raises."""
        return CallMeasurement(self)

    def snapshot(self) -> CallSnapshot:
        """Returns the figures as they are now."""
        with self._lock:
            self._count_ended()
            return CallSnapshot(
                time=monotonic(),
                calls=self._calls,
                errors=self._errors,
                in_progress=len(self._in_progress),
                latencies=tuple(self._latencies),
            )

    def begin(self, call: CallMeasurement) -> None:
        """Counts a call as being in progress. Done by entering what ``measure`` returns."""
        self._in_progress.add(call)

    def end(self, call: CallMeasurement, seconds: float) -> None:
        """Counts a call as ended. Done by leaving what ``measure`` returns.

        :param seconds: how long it took, negative when it failed.
        """
        self._in_progress.discard(call)
        self._ended.append(seconds)
        # When the lock is taken, another thread counts this call too.
        if len(self._ended) > _MAX_UNCOUNTED and self._lock.acquire(blocking=False):
            try:
                self._count_ended()
            finally:
                self._lock.release()

    def _count_ended(self) -> None:
        """Counts what is in the queue. Called with the lock."""
        for _ in range(len(self._ended)):
            seconds = self._ended.popleft()
            self._calls += 1
            self._latencies[bisect_right(_BOUNDS, abs(seconds))] += 1
            if seconds < 0:
                self._errors += 1


class CallMeasurement:
    """Measures one call, from entering to leaving it."""

    __slots__ = ("_started", "_statistics")

    def __init__(self, statistics: CallStatistics) -> None:
        self._statistics = statistics
        self._started = 0.0

    def __enter__(self) -> None:
        self._statistics.begin(self)
        self._started = perf_counter()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        seconds = max(perf_counter() - self._started, _SHORTEST)
        self._statistics.end(self, seconds if exc_type is None else -seconds)


def _percentile(latencies: Sequence[int], share: float) -> float | None:
    total = sum(latencies)
    if total <= 0:
        return None
    rank = math.ceil(total * share)
    bucket = next(i for i, seen in enumerate(accumulate(latencies)) if seen >= rank)
    # The middle of the bucket.
    return _SHORTEST * math.pow(_RATIO, bucket - 0.5)
