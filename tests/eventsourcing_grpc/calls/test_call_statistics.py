"""Counting calls and measuring how long they take."""

from __future__ import annotations

import threading
import timeit

import pytest

from eventsourcing_grpc.calls.call_statistics import CallSnapshot, CallStatistics


def test_calls_and_errors_are_counted() -> None:
    statistics = CallStatistics()
    for _ in range(3):
        with statistics.measure():
            pass
    with pytest.raises(ValueError, match="bad"), statistics.measure():
        raise ValueError("bad")
    snapshot = statistics.snapshot()
    assert (snapshot.calls, snapshot.errors, snapshot.in_progress) == (4, 1, 0)


def test_call_is_in_progress_until_it_ends() -> None:
    statistics = CallStatistics()
    with statistics.measure(), statistics.measure():
        snapshot = statistics.snapshot()
        assert (snapshot.calls, snapshot.in_progress) == (0, 2)
    assert statistics.snapshot().in_progress == 0


def test_no_call_is_lost_between_threads() -> None:
    statistics = CallStatistics()

    def make_calls() -> None:
        for _ in range(2_000):
            with statistics.measure():
                pass

    threads = [threading.Thread(target=make_calls) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        statistics.snapshot()
    for thread in threads:
        thread.join()
    snapshot = statistics.snapshot()
    assert (snapshot.calls, snapshot.errors, snapshot.in_progress) == (16_000, 0, 0)
    assert sum(snapshot.latencies) == 16_000


def test_rates_are_those_between_two_snapshots() -> None:
    earlier = CallSnapshot(time=10.0, calls=5, errors=1, in_progress=0, latencies=[5, 0])
    later = CallSnapshot(time=12.0, calls=25, errors=2, in_progress=0, latencies=[5, 20])
    rates = later.since(earlier)
    assert (rates.calls, rates.errors) == (20, 1)
    assert rates.calls_per_second == 10.0
    assert rates.errors_per_second == 0.5


def test_there_is_no_latency_when_no_call_ended() -> None:
    snapshot = CallStatistics().snapshot()
    rates = snapshot.since(snapshot)
    assert rates.p50_seconds is None
    assert rates.p99_seconds is None
    assert rates.calls_per_second == 0.0


@pytest.mark.parametrize("seconds", [2e-5, 1e-3, 0.0123, 1.0, 99.0])
def test_percentiles_are_right_within_five_per_cent(seconds: float) -> None:
    statistics = CallStatistics()
    before = statistics.snapshot()
    for _ in range(98):
        statistics.end(statistics.measure(), seconds / 1.5)
    for _ in range(2):
        statistics.end(statistics.measure(), seconds)
    rates = statistics.snapshot().since(before)
    assert rates.p50_seconds == pytest.approx(seconds / 1.5, rel=0.05)
    assert rates.p99_seconds == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, 1e-5), (1e-9, 1e-5), (1e6, 100.0)])
def test_extreme_latencies_are_counted_at_the_ends(seconds: float, shown: float) -> None:
    statistics = CallStatistics()
    before = statistics.snapshot()
    statistics.end(statistics.measure(), seconds)
    assert statistics.snapshot().since(before).p50_seconds == pytest.approx(shown, rel=0.1)


def test_measuring_costs_a_few_microseconds_at_most() -> None:
    statistics = CallStatistics()

    def call() -> None:
        with statistics.measure():
            pass

    # The best of many: other processes make a single run slower, and none faster.
    seconds = min(timeit.repeat(call, number=1_000, repeat=20)) / 1_000
    assert seconds < 5e-6
