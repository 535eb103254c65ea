"""Tests of stopping and restarting one server of a runner, while the others go on."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.application_client import ServiceUnavailable
from eventsourcing_grpc.application_server import AddressUnavailableError
from eventsourcing_grpc.runner import GrpcRunner, RunnerNotRunningError, RunnerStoppedError
from eventsourcing_grpc.server_process import ServerStartError
from tests.system import applications
from tests.system.applications import Copies, Letters
from tests.system.conftest import sqlite_env
from tests.waiting import DEADLINE, addresses_of, wait_until

both = pytest.mark.parametrize("with_subprocesses", [False, True], ids=["threads", "processes"])


def quiet(name: str, line: str) -> None:
    pass


@contextmanager
def running(path: Path, *, with_subprocesses: bool) -> Iterator[GrpcRunner]:
    """A letter writer and who copies its letters, with stores that outlive servers."""
    env = {**addresses_of(Letters, Copies), **sqlite_env(path)}
    runner = GrpcRunner(applications.one_way, env, output=quiet)
    runner.start(with_subprocesses)
    try:
        yield runner
    finally:
        runner.stop()


def has_copied(runner: GrpcRunner, numbers: list[int]) -> bool:
    return runner.get(Copies).numbers() == numbers


@both
def test_clients_and_followers_find_a_server_that_was_restarted(
    tmp_path: Path, *, with_subprocesses: bool
) -> None:
    with running(tmp_path, with_subprocesses=with_subprocesses) as runner:
        letters = runner.get(Letters)
        letters.write(1)
        runner.restart_server("Letters")
        letters.write(2)
        wait_until(partial(has_copied, runner, [1, 2]), "the follower goes on")
        runner.restart_server("Copies")
        letters.write(3)
        wait_until(partial(has_copied, runner, [1, 2, 3]), "the restarted follower goes on")

        assert not runner.has_errored.is_set()
        assert not runner.has_stopped.is_set()


@both
def test_a_stopped_server_is_no_error_and_can_be_started_again(
    tmp_path: Path, *, with_subprocesses: bool
) -> None:
    with running(tmp_path, with_subprocesses=with_subprocesses) as runner:
        runner.stop_server("Letters")
        runner.stop_server("Letters")

        assert not runner.has_errored.is_set()
        with pytest.raises(ServiceUnavailable):
            runner.client("Letters").ping()
        # The other one goes on.
        assert has_copied(runner, [])
        runner.restart_server("Letters")
        runner.get(Letters).write(1)
        wait_until(partial(has_copied, runner, [1]))


def test_a_restarted_server_is_another_process_on_the_same_address(tmp_path: Path) -> None:
    with running(tmp_path, with_subprocesses=True) as runner:
        before, other = runner.processes["Letters"], runner.processes["Copies"]
        runner.restart_server("Letters")
        after = runner.processes["Letters"]

        assert after.pid != before.pid
        assert after.address == before.address == runner.addresses["Letters"]
        assert not psutil.pid_exists(before.pid)
        assert runner.processes["Copies"] is other
    assert not psutil.pid_exists(after.pid)


def test_a_system_whose_dead_server_was_restarted_is_healthy_again(tmp_path: Path) -> None:
    with running(tmp_path, with_subprocesses=True) as runner:
        for name in ("Letters", "Copies"):
            os.kill(runner.processes[name].pid, signal.SIGKILL)
            assert runner.processes[name].has_stopped.wait(DEADLINE)
        assert runner.processes["Letters"].has_failed
        assert runner.has_errored.is_set()

        runner.restart_server("Letters")
        # The other one is still dead.
        assert runner.has_errored.is_set()
        runner.restart_server("Copies")
        assert not runner.has_errored.is_set()
        runner.get(Letters).write(1)
        wait_until(partial(has_copied, runner, [1]))


@both
def test_a_restart_that_failed_is_told_and_can_be_tried_again(
    tmp_path: Path, *, with_subprocesses: bool
) -> None:
    with running(tmp_path, with_subprocesses=with_subprocesses) as runner:
        runner.stop_server("Letters")
        with (
            socket.create_server(split_address(runner.addresses["Letters"])),
            pytest.raises((AddressUnavailableError, ServerStartError), match="address is taken"),
        ):
            runner.restart_server("Letters")
        assert runner.has_errored.is_set() is with_subprocesses

        runner.restart_server("Letters")
        assert not runner.has_errored.is_set()
        runner.get(Letters).write(1)


@both
def test_the_runner_may_be_stopped_while_a_server_restarts(
    tmp_path: Path, *, with_subprocesses: bool
) -> None:
    with running(tmp_path, with_subprocesses=with_subprocesses) as runner:
        before = set(runner.processes.values())
        with ThreadPoolExecutor(1) as pool:
            restart = pool.submit(runner.restart_server, "Letters")
            if with_subprocesses:
                wait_until(lambda: set(runner.processes.values()) != before, "it is being started")
            runner.stop()
            error = restart.exception(DEADLINE)
        # It may have been too late for that.
        assert error is None or isinstance(error, (RunnerStoppedError, RunnerNotRunningError))
        pids = {process.pid for process in (*before, *runner.processes.values())}
        assert not any(map(psutil.pid_exists, pids))


def test_a_server_that_is_restarted_twice_at_a_time_is_restarted_twice(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with running(tmp_path, with_subprocesses=True) as runner:
        with ThreadPoolExecutor(2) as pool:
            restarts = [pool.submit(runner.restart_server, "Letters") for _ in range(2)]
            for restart in restarts:
                restart.result(DEADLINE)
        runner.get(Letters).write(1)
        wait_until(partial(has_copied, runner, [1]))
        assert not runner.has_errored.is_set()
    wait_until(lambda: not (set(threading.enumerate()) - before), "the threads end")


def test_servers_of_a_runner_that_is_not_running_can_not_be_restarted(tmp_path: Path) -> None:
    runner = GrpcRunner(applications.one_way, addresses_of(Letters, Copies))
    with pytest.raises(RunnerNotRunningError):
        runner.restart_server("Letters")
    runner.stop()
    with pytest.raises(RunnerNotRunningError):
        runner.stop_server("Letters")
    with pytest.raises(KeyError):
        runner.stop_server("Nobody")
