"""Tests of the runner: the core library's interface, in one process and in many."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from uuid import UUID, uuid4

import psutil
import pytest
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.system import (
    MultiThreadedRunner,
    Runner,
    RunnerAlreadyStartedError,
    SingleThreadedRunner,
    System,
)

from eventsourcing_grpc import example
from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.application_client import GrpcError, connect
from eventsourcing_grpc.application_server import AddressUnavailableError
from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.example import Orders, Payments, Reservations
from eventsourcing_grpc.runner import GrpcRunner, RunnerStoppedError
from eventsourcing_grpc.server_process import ServerStartError
from eventsourcing_grpc.topics import TopicArgumentError
from tests.system import applications
from tests.system.applications import Copies, Letters, Memos, Slow
from tests.system.serving import Operator, serving
from tests.waiting import addresses_of, wait_until

both = pytest.mark.parametrize("with_subprocesses", [False, True], ids=["threads", "processes"])


def example_env() -> dict[str, str]:
    return addresses_of(Orders, Reservations, Payments)


def has_numbers(runner: Runner[UUID], numbers: list[int]) -> bool:
    return runner.get(Copies).numbers() == numbers


def run_the_example(runner: Runner[UUID]) -> None:
    """Code that is written for any runner."""
    orders = runner.get(Orders)
    order_id = orders.create_new_order()
    wait_until(lambda: orders.is_order_paid(order_id), "the order is paid")
    details = orders.get_order(order_id)
    assert details["is_reserved"]
    assert details["is_paid"]
    notifications = orders.notification_log.select(start=1, limit=10)
    assert [n.topic.partition(":")[2] for n in notifications] == [
        "Order.Created",
        "Order.Reserved",
        "Order.Paid",
    ]
    with pytest.raises(AggregateNotFoundError):
        orders.get_order(uuid4())


@pytest.mark.parametrize("runner_class", [SingleThreadedRunner, MultiThreadedRunner, GrpcRunner])
def test_code_for_any_runner_works(runner_class: type[Runner[UUID]]) -> None:
    with runner_class(example.system, example_env()) as runner:
        run_the_example(runner)


@both
def test_orders_are_paid(*, with_subprocesses: bool) -> None:
    runner = GrpcRunner(example.system, example_env())
    runner.start(with_subprocesses)
    try:
        assert runner.has_started.is_set()
        run_the_example(runner)
    finally:
        runner.stop()

    assert runner.has_stopped.is_set()
    assert not runner.has_errored.is_set()


def test_runner_can_be_started_only_once() -> None:
    runner = GrpcRunner(applications.single, addresses_of(Letters))
    runner.start()
    try:
        with pytest.raises(RunnerAlreadyStartedError):
            runner.start()
        runner.get(Letters).write(1)
    finally:
        runner.stop()
    with pytest.raises(RunnerAlreadyStartedError):
        runner.start()


@both
def test_stopping_again_changes_nothing(*, with_subprocesses: bool) -> None:
    runner = GrpcRunner(applications.single, addresses_of(Letters))
    runner.start(with_subprocesses)
    runner.stop()
    runner.stop()

    assert runner.has_stopped.is_set()
    with pytest.raises(KeyError):
        runner.get(Letters)


def test_runner_that_was_not_started_can_be_stopped() -> None:
    runner = GrpcRunner(applications.single)
    runner.stop()

    assert runner.has_stopped.is_set()
    assert runner.addresses == {}


@both
def test_environment_is_given_to_all_applications(
    tmp_path: Path, *, with_subprocesses: bool
) -> None:
    env = {
        **addresses_of(Letters, Copies),
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "LETTERS_SQLITE_DBNAME": str(tmp_path / "letters.db"),
        "COPIES_SQLITE_DBNAME": str(tmp_path / "copies.db"),
    }
    for number in (1, 2):
        runner = GrpcRunner(applications.one_way, env)
        assert runner.env == env
        runner.start(with_subprocesses)
        try:
            runner.get(Letters).write(number)
            wait_until(partial(has_numbers, runner, list(range(1, number + 1))))
        finally:
            runner.stop()

    assert {path.name for path in tmp_path.glob("*.db")} == {"letters.db", "copies.db"}


@both
def test_addresses_are_chosen_free_and_can_be_asked_for(*, with_subprocesses: bool) -> None:
    runner = GrpcRunner(applications.two_singles)
    runner.start(with_subprocesses)
    try:
        assert set(runner.addresses) == {"Letters", "Memos"}
        assert len(set(runner.addresses.values())) == 2
        for name, cls in (("Letters", Letters), ("Memos", Memos)):
            host, port = split_address(runner.addresses[name])
            assert host == "localhost"
            assert port >= 50051
            env = {f"{name.upper()}_GRPC_SERVER_ADDRESS": runner.addresses[name]}
            with connect(cls, env, max_attempts=1) as client:
                client.app.write(1)
    finally:
        runner.stop()


def test_configured_addresses_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    env = addresses_of(Letters, Memos)
    # One in the environment of the process, one in that of the runner.
    monkeypatch.setenv("LETTERS_GRPC_SERVER_ADDRESS", env["LETTERS_GRPC_SERVER_ADDRESS"])
    del env["LETTERS_GRPC_SERVER_ADDRESS"]
    with GrpcRunner(applications.two_singles, env) as runner:
        assert runner.addresses == {
            "Letters": os.environ["LETTERS_GRPC_SERVER_ADDRESS"],
            "Memos": env["MEMOS_GRPC_SERVER_ADDRESS"],
        }


def test_servers_know_each_other_s_addresses() -> None:
    with (
        GrpcRunner(applications.one_way, addresses_of(Letters)) as runner,
        Operator(runner.addresses["Copies"]) as operator,
    ):
        described = operator.describe().applications

    assert {(a.name, a.address, tuple(a.follows)) for a in described} == {
        ("Letters", runner.addresses["Letters"], ()),
        ("Copies", runner.addresses["Copies"], ("Letters",)),
    }


@both
def test_taken_address_is_an_error_that_names_it(*, with_subprocesses: bool) -> None:
    env = addresses_of(Letters, Copies)
    address = env["LETTERS_GRPC_SERVER_ADDRESS"]
    runner = GrpcRunner(applications.one_way, env, output=lambda name, line: None)
    with serving(Letters, env):
        with pytest.raises(
            (AddressUnavailableError, ServerStartError),
            match=f"Letters can't be served on {address}: the address is taken",
        ):
            runner.start(with_subprocesses)
        # The one that is in the way is not what the runner has started.
        with connect(Letters, env, max_attempts=1) as client:
            client.app.write(1)

    assert runner.has_stopped.is_set()
    assert not runner.has_started.is_set()


def test_malformed_address_is_an_error_that_names_it() -> None:
    runner = GrpcRunner(applications.single, {"LETTERS_GRPC_SERVER_ADDRESS": "localhost"})
    with pytest.raises(EnvironmentVariableError, match="LETTERS_GRPC_SERVER_ADDRESS='localhost'"):
        runner.start()


@both
def test_server_that_can_not_start_stops_the_others(*, with_subprocesses: bool) -> None:
    runner = GrpcRunner(
        applications.half_broken,
        addresses_of(Letters, applications.Broken),
        output=lambda name, line: None,
    )
    with pytest.raises((ServerStartError, RuntimeError), match="there is no paper"):
        runner.start(with_subprocesses)

    assert runner.has_stopped.is_set()
    assert not any(psutil.pid_exists(process.pid) for process in runner.processes.values())


def test_what_servers_write_goes_to_the_output() -> None:
    lines: list[tuple[str, str]] = []
    runner = GrpcRunner(
        applications.chatty,
        addresses_of(applications.Chatty, Copies),
        output=lambda name, line: lines.append((name, line)),
    )
    runner.start(with_subprocesses=True)
    runner.stop()

    assert ("Chatty", "Hello, I am Chatty") in lines


def test_killed_server_is_told() -> None:
    runner = GrpcRunner(applications.one_way, addresses_of(Letters, Copies))
    runner.start(with_subprocesses=True)
    try:
        assert not runner.has_errored.is_set()
        os.kill(runner.processes["Copies"].pid, signal.SIGKILL)

        assert runner.has_errored.wait(5)
        # The others go on.
        runner.get(Letters).write(1)
    finally:
        runner.stop()


@both
def test_stop_is_quick_and_leaves_nothing(*, with_subprocesses: bool) -> None:
    before = set(threading.enumerate())
    runner = GrpcRunner(example.system, example_env())
    runner.start(with_subprocesses)
    pids = [process.pid for process in runner.processes.values()]
    runner.get(Orders).create_new_order()
    started = monotonic()
    runner.stop()

    assert monotonic() - started < 3
    assert not any(map(psutil.pid_exists, pids))
    wait_until(lambda: not (set(threading.enumerate()) - before), "the threads end")


@both
def test_stop_is_quick_while_policies_and_calls_do_not_end(*, with_subprocesses: bool) -> None:
    runner = GrpcRunner(applications.slow, addresses_of(Letters, Memos, Slow))
    runner.start(with_subprocesses)
    for cls in (Letters, Memos):
        runner.get(cls).write(1)
    slow = runner.get(Slow)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(slow.sleep, 20.0)
        with Operator(runner.addresses["Slow"]) as operator:
            operator.wait_for_status(
                lambda status: status.calls.in_progress == 1
                and all(following.head == 1 for following in status.followings)
            )
        started = monotonic()
        runner.stop()

        # 3 s, and what a busy machine adds.
        assert monotonic() - started < 4
        assert isinstance(call.exception(5), GrpcError)
    Slow.never.set()
    Slow.never.clear()


@both
def test_what_was_acknowledged_is_recorded(tmp_path: Path, *, with_subprocesses: bool) -> None:
    env = {
        **addresses_of(Letters),
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(tmp_path / "letters.db"),
    }
    runner = GrpcRunner(applications.single, env)
    runner.start(with_subprocesses)
    letters = runner.get(Letters)
    acknowledged: list[object] = []

    def write() -> None:
        while True:
            acknowledged.append(letters.write(1))

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write) for _ in range(4)]
        wait_until(lambda: len(acknowledged) > 50)
        runner.stop()
        for writer in writers:
            assert isinstance(writer.exception(20), GrpcError)

    with serving(Letters, env), connect(Letters, env) as client:
        recorded = {n.originator_id for n in client.app.notification_log.select(1, 100_000)}
    assert recorded.issuperset(acknowledged)


@both
def test_runner_may_be_stopped_while_it_starts(*, with_subprocesses: bool) -> None:
    runner = GrpcRunner(example.system, example_env(), output=lambda name, line: None)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(runner.start, with_subprocesses)
        wait_until(lambda: runner.addresses)
        runner.stop()
        error = start.exception(10)

    # It may have been too late for that.
    assert error is None or isinstance(error, RunnerStoppedError)
    assert not any(
        psutil.pid_exists(process.pid) for process in runner.processes.values() if process.pid
    )


def make_system() -> System:
    return System([[Letters, Copies]])


def test_system_that_is_no_module_s_attribute_runs_in_this_process() -> None:
    with GrpcRunner(make_system(), addresses_of(Letters, Copies)) as runner:
        runner.get(Letters).write(7)
        wait_until(lambda: runner.get(Copies).numbers() == [7])


def test_system_that_is_no_module_s_attribute_does_not_run_in_other_processes() -> None:
    runner = GrpcRunner(make_system(), addresses_of(Letters, Copies))
    with pytest.raises(TopicArgumentError, match="make it an attribute of a module"):
        runner.start(with_subprocesses=True)

    assert runner.processes == {}
