"""Tests of ``run --headless``: each event of a system's life is a line of JSON on standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from esgrpc_console.outcome import CommandFailed
from esgrpc_console.run_command import run_system
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.example import Orders

pytestmark = pytest.mark.usefixtures("own_addresses")

ROOT = Path(__file__).parents[2]
SYSTEM = "eventsourcing_grpc.example:system"
PROGRAM = """
import sys
from esgrpc_console.__main__ import main
sys.argv = ["esgrpc-console", "run", *{arguments!r}, "--headless"]
try:
    main()
finally:
    assert not {{"textual", "rich"}} & set(sys.modules)
"""


class Headless:
    """A system that runs without a console, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def event(self) -> dict[str, Any]:
        """Returns the next event. The test's timeout ends the wait."""
        assert self.process.stdout is not None
        event: dict[str, Any] = json.loads(self.process.stdout.readline())
        return event

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Ends it, and returns its status and all that it wrote to standard error."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """Returns its status and all that it wrote to standard error."""
        assert self.process.stderr is not None
        text = self.process.stderr.read()
        return self.process.wait(20), text


@contextmanager
def headless(topic: str = SYSTEM, data_dir: Path | None = None) -> Iterator[Headless]:
    arguments = [topic, *(["--data-dir", str(data_dir)] if data_dir else [])]
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(arguments=arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Headless(process)
        finally:
            process.kill()


def _pids(started: dict[str, Any]) -> dict[str, int]:
    return {name: facts["pid"] for name, facts in started["applications"].items()}


def test_it_tells_where_applications_are_served_and_that_it_has_stopped(tmp_path: Path) -> None:
    with headless(data_dir=tmp_path) as run:
        started = run.event()
        assert (started["event"], started["system"]) == ("started", SYSTEM)
        assert list(started["applications"]) == ["Orders", "Reservations", "Payments"]
        address = started["applications"]["Orders"]["address"]
        with connect(Orders, {"ORDERS_GRPC_SERVER_ADDRESS": address}, max_attempts=5) as client:
            client.app.create_new_order()
        status, written = run.stop()
        stopped = run.event()

    assert status == 0
    assert stopped.pop("time") > started["time"]
    assert stopped == {"event": "stopped", "reason": "SIGTERM", "status": 0}
    assert "Orders: " in written
    assert f"Orders is serving on {address}" in written
    assert not any(map(psutil.pid_exists, _pids(started).values()))
    assert (tmp_path / "orders.db").exists()


def test_an_interrupt_is_told_by_the_status() -> None:
    with headless() as run:
        started = run.event()
        assert run.stop(signal.SIGINT)[0] == 130
        assert run.event()["reason"] == "SIGINT"
    assert not any(map(psutil.pid_exists, _pids(started).values()))


def test_a_signal_ends_it_while_servers_start() -> None:
    with headless() as run:
        process = psutil.Process(run.process.pid)
        while not (children := process.children()):
            assert run.process.poll() is None
        assert run.stop()[0] == 0
        events = [run.event()["event"]]
        if events == ["started"]:
            events.append(run.event()["event"])
    assert events[-1] == "stopped"
    assert not any(child.is_running() for child in children)


def test_a_server_that_dies_is_told_and_the_others_go_on_until_the_last() -> None:
    with headless() as run:
        pids = _pids(run.event())
        os.kill(pids["Payments"], signal.SIGKILL)
        exited = run.event()
        assert (exited["event"], exited["application"]) == ("exited", "Payments")
        assert (exited["ending"], exited["status"]) == ("by SIGKILL", -9)
        assert "Payments is serving on" in exited["last_lines"][-1]
        assert psutil.pid_exists(pids["Orders"])

        os.kill(pids["Orders"], signal.SIGKILL)
        os.kill(pids["Reservations"], signal.SIGKILL)
        assert {run.event()["application"] for _ in range(2)} == {"Orders", "Reservations"}
        stopped = run.event()
        assert (stopped["reason"], stopped["status"]) == ("all servers have exited", 1)
        assert run.wait()[0] == 1


def test_a_system_that_can_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENTS_MAX_PULL_INTERVAL", "abc")
    with headless() as run:
        error, stopped = run.event(), run.event()
        status, written = run.wait()
    assert error["event"] == "error"
    assert "The server of Payments ended with status 2" in error["message"]
    assert "MAX_PULL_INTERVAL='abc'" in error["message"]
    assert (stopped["event"], stopped["reason"]) == ("stopped", "not started")
    assert status == stopped["status"] == 2
    assert written.splitlines()[-1] == f"esgrpc-console: {error['message']}"
    assert "Traceback" not in written


def test_it_stops_when_nobody_reads_what_it_tells() -> None:
    with headless() as run:
        pids = _pids(run.event())
        assert run.process.stdout is not None
        run.process.stdout.close()
        assert run.wait()[0] == 0
    assert not any(map(psutil.pid_exists, pids.values()))


def test_what_can_not_be_found_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(CommandFailed, match="nope"):
        run_system("eventsourcing_grpc.example:nope", data_dir=None, app_dir=ROOT, is_headless=True)
