"""The benchmarks work: a tiny run of one, the figures' table and JSON, and how programs fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.installations import this_library
from benchmarks.measuring import (
    OLDER,
    OURS,
    Amounts,
    Bench,
    Figure,
    Target,
    compare,
    interleave,
    percentile,
)
from benchmarks.processes import ProgramError, Programs
from benchmarks.report import table, write_results

TINY = Amounts(notification_rounds=1, notifications=60)


@pytest.fixture
def bench() -> Bench:
    return Bench(this_library(), None, TINY)


def test_tiny_run_measures_this_library_without_the_older_package(bench: Bench) -> None:
    figures = MEASUREMENTS["notifications"](bench)
    assert [figure.what for figure in figures] == [
        "notifications/s, in memory, 60 recorded",
        "notifications/s, SQLite, 60 recorded",
    ]
    for figure in figures:
        assert figure.measured > 0
        assert figure.measured == figure.others[OURS]
        assert figure.ratio is None
        assert figure.is_reached is None


def test_ratio_is_the_median_of_the_rounds_ratios() -> None:
    rounds = [{OURS: 9.0, OLDER: 3.0}, {OURS: 8.0, OLDER: 4.0}, {OURS: 1.0, OLDER: 4.0}]
    figure = compare("calls/s", "1/s", rounds, reference=OLDER, target=Target(2))
    assert figure.ratio == 2.0
    assert figure.is_reached
    assert (figure.measured, figure.reference_value) == (8.0, 4.0)


def test_contenders_take_turns_in_beginning() -> None:
    begun: list[str] = []
    rounds = interleave({"a": lambda: begun.append("a"), "b": lambda: begun.append("b")}, 2)
    assert begun == ["a", "b", "b", "a"]
    assert len(rounds) == 2


def test_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.99) == 4.0
    assert percentile([1.0], 0.0) == 1.0


def test_table_has_a_line_for_each_figure_and_says_what_is_missed() -> None:
    figures = [
        Figure("calls/s", "1/s", 1500.0, "echo", 2000.0, 0.75, Target(0.7), {OLDER: 1200.0}),
        Figure("start", "s", 2.0, target=Target(1.5, is_limit=True)),
        Figure("notifications/s", "1/s", 90_000.0, OLDER, target=Target(10)),
        Figure("p99", "ms", 9.87, "runner", 3.2, 3.08),
    ]
    lines = [" ".join(line.split()) for line in table(figures).splitlines()]
    assert lines == [
        "WHAT THIS LIBRARY COMPARED WITH IT RATIO TARGET REACHED 0.1.2",
        "calls/s 1,500 echo 2,000 0.75 ≥ 0.7 yes 1,200",
        "start 2 s – – – ≤ 1.5 NO –",
        "notifications/s 90,000 0.1.2 – – ≥ 10 – –",
        "p99 9.87 ms runner 3.2 ms 3.08 – –",
    ]


def test_results_hold_figures_targets_and_what_was_measured_on(
    bench: Bench, tmp_path: Path
) -> None:
    figure = compare(
        "calls/s", "1/s", [{OURS: 3.0, "echo": 4.0}], reference="echo", target=Target(0.9)
    )
    results = json.loads(write_results([figure], bench, tmp_path, is_quick=True).read_text("utf-8"))
    assert results["is_quick"]
    assert results["machine"]["cores"] >= 1
    assert results["versions"]["eventsourcing_grpc"] == bench.library.version
    assert results["versions"]["older_package"] is None
    assert results["figures"] == [
        {
            "what": "calls/s",
            "unit": "1/s",
            "measured": 3.0,
            "reference": "echo",
            "reference_value": 4.0,
            "ratio": 0.75,
            "target": {"value": 0.9, "is_limit": False},
            "others": {OURS: 3.0, "echo": 4.0},
            "rounds": [{OURS: 3.0, "echo": 4.0}],
            "is_reached": False,
        }
    ]


def test_failed_command_says_why_and_a_program_that_ended_says_what_it_wrote(bench: Bench) -> None:
    with Programs() as programs:
        reader = programs.start("reader", bench.library)
        missing = programs.start("no_such_program", bench.library)
        with pytest.raises(ProgramError, match="There is no connection"):
            reader.ask("subscribe", count=1)
        with pytest.raises(ProgramError, match=r"(?s)no_such_program ended.*No module named"):
            missing.ask("anything")
