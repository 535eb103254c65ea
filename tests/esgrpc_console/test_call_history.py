"""Calls in a file: kept, capped, and read whatever else is there."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from esgrpc_console.call_history import CallHistory, Outcome, PastCall

AT = datetime(2026, 11, 23, 14, 2, 9, 118_000, tzinfo=UTC)


def a_call(number: int = 1, text: str = "true") -> PastCall:
    return PastCall(
        AT,
        "shop:system",
        "Orders",
        "get_order",
        {"order_id": f"7b1c-{number}", "is_deep": True},
        Outcome.FAILED,
        0.0031,
        text,
        context="production",
        times=3,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "esgrpc-console" / "history.jsonl"


def read(path: Path) -> list[PastCall]:
    history = CallHistory(path)
    history.load()
    return list(history.calls)


def test_a_call_that_was_written_is_read_by_the_next_session(path: Path) -> None:
    CallHistory(path).write(a_call())
    assert read(path) == [a_call()]


def test_only_the_user_may_read_the_file(path: Path) -> None:
    CallHistory(path).write(a_call())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_remembered_call_is_known_before_it_is_written(path: Path) -> None:
    history = CallHistory(path)
    history.remember(a_call())
    assert list(history.calls) == [a_call()]
    assert not path.exists()


def test_without_a_file_calls_are_remembered_only() -> None:
    history = CallHistory(None)
    history.remember(a_call())
    history.write(a_call())
    history.load()
    assert list(history.calls) == [a_call()]
    assert history.problem == ""


def test_lines_that_are_no_calls_hide_no_others(path: Path) -> None:
    CallHistory(path).write(a_call(1))
    with path.open("ab") as file:
        file.write(
            b"\x00\xff no JSON\n[1]\n{}\n" + b"[" * 100_000 + b'\n{"at": "never"}\nhalf a li'
        )
    CallHistory(path).write(a_call(2))
    assert read(path) == [a_call(1), a_call(2)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("at", "yesterday"), ("outcome", "?"), ("system", None), ("seconds", "x"), ("times", [])],
)
def test_a_strange_member_raises_nothing(path: Path, name: str, value: object) -> None:
    CallHistory(path).write(a_call())
    members = json.loads(path.read_text())
    members[name] = value
    path.write_text(json.dumps(members))
    assert len(read(path)) <= 1


def test_the_file_stays_small_and_keeps_the_newest(path: Path) -> None:
    history = CallHistory(path, max_bytes=20_000)
    for number in range(500):
        history.write(a_call(number))
        assert path.stat().st_size <= 20_000
    kept = read(path)
    assert kept[-1] == a_call(499)
    assert kept == [a_call(number) for number in range(500 - len(kept), 500)]
    assert len(kept) > 20
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]


def test_arguments_that_are_too_large_are_not_kept(path: Path) -> None:
    call = PastCall(AT, "s", "Orders", "add", {"text": "x" * 1_000_000}, text="y" * 1_000_000)
    CallHistory(path).write(call)
    (kept,) = read(path)
    assert kept.arguments is None
    assert kept.text == "y" * 200
    assert path.stat().st_size < 1_000


def test_consoles_that_write_at_the_same_time_lose_nothing(path: Path) -> None:
    def write(first: int) -> None:
        history = CallHistory(path)
        for number in range(first, first + 50):
            history.write(a_call(number))

    threads = [threading.Thread(target=write, args=(i * 50,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = sorted(str((call.arguments or {})["order_id"]) for call in read(path))
    assert written == sorted(f"7b1c-{number}" for number in range(200))


def test_a_lock_that_is_never_released_is_a_problem_that_is_told(path: Path) -> None:
    history = CallHistory(path)
    history.write(a_call())
    descriptor = os.open(f"{path}.lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        history.write(a_call())
        assert str(path) in history.problem
    finally:
        os.close(descriptor)
    history.write(a_call())
    assert history.problem == ""


def test_a_directory_that_cannot_be_made_is_a_problem_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    history = CallHistory(tmp_path / "file" / "history.jsonl")
    history.write(a_call())
    assert "can't be written" in history.problem
    history.load()
    assert "can't be read: Not a directory" in history.problem
