"""Counts calls, and how long they take, by method: cheap enough to do for each call."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import grpc
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from eventsourcing_grpc.telemetry.call_interceptor import OTHER, status_of

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds at which buckets end."""


class CallMetrics(Collector):
    """The calls of one application's methods, by whichever service, in any number of threads."""

    def __init__(self, application_name: str, method_names: list[str]) -> None:
        """:param method_names: of all methods that may be called. They are told from the start."""
        self._name = application_name
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, str], int] = {(name, "OK"): 0 for name in method_names}
        self._seconds = dict.fromkeys([*method_names, OTHER], 0.0)
        self._buckets = {name: [0] * (len(BOUNDS) + 1) for name in self._seconds}

    @contextmanager
    def observe(self, _rpc: str, method: str, context: grpc.ServicerContext) -> Iterator[None]:
        """Counts a call, if it is one of a method."""
        if not method:
            yield
            return
        code = "OK"
        started = perf_counter()
        try:
            yield
        except BaseException:
            code = status_of(context).name
            raise
        finally:
            seconds = perf_counter() - started
            with self._lock:
                self._calls[method, code] = self._calls.get((method, code), 0) + 1
                self._seconds[method] += seconds
                self._buckets[method][bisect_left(BOUNDS, seconds)] += 1

    def collect(self) -> Iterator[Metric]:
        """Returns the figures as they are now."""
        with self._lock:
            calls = dict(self._calls)
            seconds = dict(self._seconds)
            buckets = {name: list(counts) for name, counts in self._buckets.items()}
        counter = CounterMetricFamily(
            "eventsourcing_grpc_calls",
            "Calls of the application's methods that have ended, by their gRPC status.",
            labels=("application", "method", "code"),
        )
        for (method, code), count in calls.items():
            counter.add_metric((self._name, method, code), count)
        yield counter
        histogram = HistogramMetricFamily(
            "eventsourcing_grpc_call_duration_seconds",
            "How long calls of the application's methods took on the server.",
            labels=("application", "method"),
        )
        for method, counts in buckets.items():
            histogram.add_metric((self._name, method), _cumulated(counts), seconds[method])
        yield histogram


def _cumulated(counts: list[int]) -> list[tuple[str, float]]:
    total = 0
    cumulated: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
        total += count
        cumulated.append((bound, total))
    return cumulated
