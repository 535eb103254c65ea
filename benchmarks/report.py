"""Shows figures: a plain table for people, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.installations import PROJECT
from benchmarks.measuring import OLDER, Bench, Figure

RESULTS = PROJECT / "benchmarks" / "results"
_HEADINGS = ("WHAT", "THIS LIBRARY", "COMPARED WITH", "IT", "RATIO", "TARGET", "REACHED", OLDER)
_IS_NUMBER = (False, True, False, True, True, True, False, True)


def table(figures: Sequence[Figure]) -> str:
    """Returns the table: a line for each figure, in columns."""
    rows = [_HEADINGS, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, _IS_NUMBER, strict=True)
        ).rstrip()
        for row in rows
    )


def write_results(
    figures: Sequence[Figure], bench: Bench, directory: Path = RESULTS, *, is_quick: bool = False
) -> Path:
    """Writes figures, and what they were measured on, into a new file, and returns its path.

    :param is_quick: whether less was measured than usual.
    """
    now = datetime.now(UTC)
    path = directory / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results(figures, bench, now, is_quick=is_quick), indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", "utf-8")
    return path


def results(
    figures: Sequence[Figure], bench: Bench, time: datetime, *, is_quick: bool
) -> dict[str, object]:
    """Returns figures, and what they were measured on, as JSON can hold them."""
    return {
        "time": time.isoformat(timespec="seconds"),
        "is_quick": is_quick,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "architecture": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "versions": {
            "eventsourcing_grpc": bench.library.version,
            "older_package": bench.older.version if bench.older else None,
            **{name: version(name) for name in ("eventsourcing", "grpcio", "protobuf")},
        },
        "figures": [{**_plain(figure), "is_reached": figure.is_reached} for figure in figures],
    }


def _plain(figure: Figure) -> dict[str, object]:
    return asdict(
        replace(figure, others=dict(figure.others), rounds=list(map(dict, figure.rounds)))
    )


def _row(figure: Figure) -> tuple[str, ...]:
    older = figure.others.get(OLDER)
    reached = {True: "yes", False: "NO", None: "–"}[figure.is_reached]
    return (
        figure.what,
        _number(figure.measured, figure.unit),
        figure.reference or "–",
        "–" if figure.reference_value is None else _number(figure.reference_value, figure.unit),
        "–" if figure.ratio is None else f"{figure.ratio:.2f}",
        "–" if figure.target is None else str(figure.target),
        reached if figure.target else "",
        "–" if older is None else _number(older, figure.unit),
    )


def _number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return text if unit == "1/s" else f"{text} {unit}"
