"""Tests of servers in processes of their own: what they say, how they end, and with whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psutil
import pytest

from eventsourcing_grpc.application_client import ServiceUnavailable, connect
from eventsourcing_grpc.application_server import start_server_subprocess
from eventsourcing_grpc.environment import APPLICATION_TOPIC
from eventsourcing_grpc.server_process import ServerProcess, ServerStartError
from tests.system.applications import Broken, Chatty, ChattyAndBroken, Copies, Letters, Slow
from tests.system.serving import Operator
from tests.waiting import DEADLINE, addresses_of, wait_until

TOPIC = "tests.system.applications:{}"
ROOT = Path(__file__).parents[2]


@contextmanager
def running(process: ServerProcess) -> Iterator[ServerProcess]:
    try:
        yield process
    finally:
        process.stop()


def make_process(
    name: str, env: dict[str, str], lines: list[tuple[str, str]] | None = None
) -> ServerProcess:
    return ServerProcess(
        name,
        {**env, APPLICATION_TOPIC: TOPIC.format(name)},
        output=None if lines is None else lambda name, line: lines.append((name, line)),
    )


def test_server_in_a_process_of_its_own_serves_until_it_is_stopped() -> None:
    env = addresses_of(Letters)
    with running(start_server_subprocess(Letters, env)) as process:
        assert process.address == env["LETTERS_GRPC_SERVER_ADDRESS"]
        assert process.has_started.is_set()
        # What the keyboard interrupts is the group of this process.
        assert os.getpgid(process.pid) != os.getpgid(0)
        with connect(Letters, env) as letters:
            letters.app.write(1)
            assert len(letters.app.notification_log.select(1, 10)) == 1
        process.stop()

    assert process.has_stopped.is_set()
    assert not process.has_errored.is_set()
    assert not process.has_failed
    assert (process.status, process.ending) == (0, "with status 0")
    assert not psutil.pid_exists(process.pid)
    process.stop()


def test_process_that_was_not_started_can_be_stopped() -> None:
    process = make_process("Letters", {})
    process.stop()

    assert process.has_stopped.is_set()
    assert (process.pid, process.address, process.lines) == (0, "", [])


def test_what_keeps_a_server_from_starting_is_in_the_error() -> None:
    lines: list[tuple[str, str]] = []
    with running(make_process("Broken", addresses_of(Broken), lines)) as process:
        process.start()
        with pytest.raises(ServerStartError) as caught:
            process.wait_until_serving()

    assert "The server of Broken ended with status 2" in str(caught.value)
    assert "RuntimeError: there is no paper" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert [name for name, _ in lines] == ["Broken"]
    assert process.has_errored.is_set()


def test_server_that_prints_is_waited_for_until_it_serves() -> None:
    env = addresses_of(Chatty)
    lines: list[tuple[str, str]] = []
    with running(make_process("Chatty", env, lines)) as process:
        process.start()
        process.wait_until_serving()

        assert process.address == env["CHATTY_GRPC_SERVER_ADDRESS"]
        with connect(Chatty, env) as chatty:
            chatty.app.write(1)
    assert ("Chatty", "Hello, I am Chatty") in lines


def test_server_that_prints_an_address_and_ends_has_not_served() -> None:
    with running(make_process("ChattyAndBroken", addresses_of(ChattyAndBroken), [])) as process:
        process.start()
        with pytest.raises(ServerStartError, match="there is no paper"):
            process.wait_until_serving()


def test_server_that_does_not_serve_in_time_is_stopped() -> None:
    with running(make_process("Letters", addresses_of(Letters), [])) as process:
        process.start()
        with pytest.raises(ServerStartError, match="did not serve in time"):
            process.wait_until_serving(timeout=0.001)

    assert not psutil.pid_exists(process.pid)


def test_process_that_is_killed_has_errored() -> None:
    has_errored = threading.Event()
    with running(start_server_subprocess(Letters, addresses_of(Letters), has_errored)) as process:
        assert not has_errored.is_set()
        os.kill(process.pid, signal.SIGKILL)

        assert has_errored.wait(DEADLINE)
        assert process.has_stopped.wait(DEADLINE)
        assert process.has_failed
        assert (process.status, process.ending) == (-signal.SIGKILL, "by SIGKILL")


def test_process_that_does_not_stop_in_time_is_killed() -> None:
    with running(start_server_subprocess(Letters, addresses_of(Letters))) as process:
        psutil.Process(process.pid).suspend()
        started = monotonic()
        process.stop(timeout=0.5)

        assert monotonic() - started < 3
        assert not psutil.pid_exists(process.pid)
        assert not process.has_errored.is_set()


def test_process_stops_while_a_call_does_not_end() -> None:
    env = addresses_of(Slow)
    with running(start_server_subprocess(Slow, env)) as process, connect(Slow, env, "", 10) as slow:
        caller = threading.Thread(target=sleep_until_unavailable, args=(slow.app,))
        caller.start()
        with Operator(process.address) as operator:
            operator.wait_for_status(lambda status: status.calls.in_progress == 1)
        started = monotonic()
        process.stop()

        assert monotonic() - started < 4
        assert not psutil.pid_exists(process.pid)
        caller.join()


def sleep_until_unavailable(slow: Slow) -> None:
    with pytest.raises(ServiceUnavailable):
        slow.sleep(60)


def test_only_the_newest_lines_are_kept(tmp_path: Path) -> None:
    (tmp_path / "verbose.py").write_text(
        "import sys\nfor i in range(500): print(i, file=sys.stderr)"
    )
    lines: list[tuple[str, str]] = []
    process = ServerProcess(
        "Verbose",
        {APPLICATION_TOPIC: "verbose:Letters", "PYTHONPATH": str(tmp_path)},
        output=lambda name, line: lines.append((name, line)),
    )
    with running(process), pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        process.start()
        with pytest.raises(ServerStartError, match="module 'verbose' has no 'Letters'"):
            process.wait_until_serving()

    assert lines[:2] == [("Verbose", "0"), ("Verbose", "1")]
    assert len(lines) == 501
    assert len(process.lines) == 200


SCRIPT = """
import sys, threading
from eventsourcing_grpc.runner import GrpcRunner
from tests.system.applications import one_way
{extra}
runner = GrpcRunner(one_way, {env!r})
runner.start(with_subprocesses=True)
print(*[process.pid for process in runner.processes.values()], flush=True)
threading.Event().wait()
"""
# Holds everything open that this process has open.
FORKED = """
import os, time
from eventsourcing_grpc import server_process
popen = server_process.subprocess.Popen
def start_and_fork(*args, **kwargs):
    process = popen(*args, **kwargs)
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    return process
server_process.subprocess.Popen = start_and_fork
"""


@contextmanager
def script_with_a_runner(extra: str = "") -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process that has started a system, and the IDs of the processes of its servers."""
    env = addresses_of(Letters, Copies)
    script = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SCRIPT.format(env=env, extra=extra)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert script.stdout is not None
    try:
        pids = [int(pid) for pid in script.stdout.readline().split()]
        assert len(pids) == 2
        yield script, pids
    finally:
        script.kill()
        script.wait()
        script.stdout.close()


def test_processes_end_when_their_parent_is_killed() -> None:
    with script_with_a_runner() as (script, pids):
        assert all(map(psutil.pid_exists, pids))
        script.send_signal(signal.SIGKILL)
        script.wait()
        wait_until(lambda: not any(map(psutil.pid_exists, pids)), "the servers end", timeout=5)


def test_processes_end_when_their_parent_is_killed_and_has_forked() -> None:
    with script_with_a_runner(FORKED) as (script, pids):
        descendants = psutil.Process(script.pid).children()
        script.send_signal(signal.SIGKILL)
        script.wait()
        try:
            wait_until(lambda: not any(map(psutil.pid_exists, pids)), "the servers end", timeout=5)
        finally:
            for process in descendants:
                if process.is_running():
                    process.kill()
