"""Tests of servers that are killed and restarted: nothing is lost, nothing is recorded twice."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from eventsourcing_grpc.application_client import ClientClosedError, connect
from eventsourcing_grpc.application_server import start_server_subprocess
from eventsourcing_grpc.environment import SYSTEM_TOPIC
from eventsourcing_grpc.server_process import ServerProcess
from tests.system.applications import Copies, Letters, Patient
from tests.system.serving import Operator, application_of, serving
from tests.waiting import DEADLINE, addresses_of, wait_until

pytest_plugins = ["tests.postgres"]

ONE_WAY = {SYSTEM_TOPIC: "tests.system.applications:one_way"}
TOTAL = 300


@contextmanager
def follower_process(env: dict[str, str]) -> Iterator[ServerProcess]:
    process = start_server_subprocess(Copies, {**env, **ONE_WAY})
    try:
        yield process
    finally:
        process.stop()


def kill(process: ServerProcess) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.stop()


def has_processed(copies: Copies, count: int) -> bool:
    return len(copies.numbers()) >= count


def test_killed_follower_goes_on_where_it_stopped(stored_env: dict[str, str]) -> None:
    with serving(Letters, stored_env) as server, connect(Copies, stored_env) as copies:
        letters = application_of(server, Letters)
        letters.write_many(1, TOTAL // 2)
        writer = threading.Thread(target=letters.write_many, args=(TOTAL // 2 + 1, TOTAL // 2))
        writer.start()
        for count in (20, 80):
            # Killed in the middle of it.
            with follower_process(stored_env) as process:
                wait_until(partial(has_processed, copies.app, count))
                kill(process)
        writer.join()
        with (
            follower_process(stored_env),
            Operator(stored_env["COPIES_GRPC_SERVER_ADDRESS"]) as operator,
        ):
            head = server.application.recorder.max_notification_id() or 0
            operator.wait_for_position("Letters", head)

            assert copies.app.numbers() == list(range(1, TOTAL + 1))


def test_killed_leader_is_followed_on(stored_env: dict[str, str]) -> None:
    with (
        serving(Copies, {**stored_env, **ONE_WAY}) as follower,
        Operator(follower.address) as operator,
        connect(Letters, stored_env) as letters,
    ):
        for first in (1, 51):
            process = start_server_subprocess(Letters, stored_env)
            try:
                letters.connect(max_attempts=20)
                letters.app.write_many(first, 50)
                # Not everything of it has been followed.
                kill(process)
            finally:
                process.stop()
        with serving(Letters, stored_env) as server:
            head = server.application.recorder.max_notification_id() or 0
            operator.wait_for_position("Letters", head)

            assert application_of(follower, Copies).numbers() == list(range(1, 101))


def test_store_is_not_closed_under_a_call_whose_caller_has_gone(tmp_path: Path) -> None:
    env = {
        **addresses_of(Patient),
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(tmp_path / "letters.db"),
    }
    Patient.has_begun.clear()
    Patient.may_write.clear()
    with ThreadPoolExecutor(1) as pool:
        with serving(Patient, env) as server:
            client = connect(Patient, env, max_attempts=10)
            call = pool.submit(client.app.write_when_allowed, 1)
            assert Patient.has_begun.wait(DEADLINE)
            client.close()
            assert isinstance(call.exception(DEADLINE), ClientClosedError)
            server.stop()
            assert server.is_stopping.wait(DEADLINE)
            # It is not held up, and goes on without its caller.
            assert not server.has_stopped.wait(0.2)
            Patient.may_write.set()
        with serving(Patient, env), connect(Patient, env, max_attempts=10) as client:
            assert len(client.app.notification_log.select(1, 10)) == 1
