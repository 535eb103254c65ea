"""Tests of systems of every shape: who follows whom, and that everything arrives once."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from eventsourcing.system import System

from eventsourcing_grpc.runner import GrpcRunner
from tests.system import applications
from tests.system.applications import (
    Copies,
    Juggler,
    Letters,
    Memos,
    Ping,
    Signatures,
    Summaries,
)
from tests.system.serving import Operator


@pytest.mark.parametrize("with_subprocesses", [False, True], ids=["threads", "processes"])
def test_one_way(memory_env: dict[str, str], *, with_subprocesses: bool) -> None:
    runner = GrpcRunner(applications.one_way, memory_env)
    runner.start(with_subprocesses)
    try:
        runner.get(Letters).write_many(1, 20)
        with Operator(runner.addresses["Copies"]) as operator:
            operator.wait_for_position("Letters", 20)
        assert runner.get(Copies).numbers() == list(range(1, 21))
    finally:
        runner.stop()


def test_two_pipes_from_one_leader(memory_env: dict[str, str]) -> None:
    with GrpcRunner(applications.two_pipes, memory_env) as runner:
        runner.get(Letters).write_many(1, 20)
        for name in ("Copies", "Summaries"):
            with Operator(runner.addresses[name]) as operator:
                operator.wait_for_position("Letters", 20)

        assert runner.get(Copies).numbers() == list(range(1, 21))
        assert runner.get(Summaries).numbers() == list(range(1, 21))
        with Operator(runner.addresses["Letters"]) as operator:
            assert set(operator.describe().leads) == {"Copies", "Summaries"}


def test_cycle(memory_env: dict[str, str]) -> None:
    with GrpcRunner(applications.cycle, memory_env) as runner, ExitStack() as stack:
        operators = {
            name: stack.enter_context(Operator(address))
            for name, address in runner.addresses.items()
        }
        runner.get(Ping).serve(9)
        # Each has recorded five of them, of which the last is 0.
        operators["Ping"].wait_for_position("Pong", 5)
        operators["Pong"].wait_for_position("Ping", 5)
        heads = {name: operator.status().head for name, operator in operators.items()}

    assert heads == {"Ping": 5, "Pong": 5}


def test_application_that_follows_itself(memory_env: dict[str, str]) -> None:
    with (
        GrpcRunner(applications.self_following, memory_env) as runner,
        Operator(runner.addresses["Juggler"]) as operator,
    ):
        runner.get(Juggler).serve(10)
        status = operator.wait_for_position("Juggler", 11)

        assert (status.head, status.lag_events) == (11, 0)
        described = operator.describe()
        assert (list(described.leads), list(described.follows)) == (["Juggler"], ["Juggler"])


def test_follower_with_topics(memory_env: dict[str, str]) -> None:
    with (
        GrpcRunner(applications.filtered, memory_env) as runner,
        Operator(runner.addresses["Signatures"]) as operator,
    ):
        letters = runner.get(Letters)
        letters.sign(letters.write(1), 1)
        letters.write_at_once(2, 1_000)
        operator.wait_for_position("Letters", 1_002)

        assert runner.get(Signatures).numbers() == [1]


@pytest.mark.parametrize(
    ("system", "names"),
    [(applications.single, {"Letters"}), (applications.two_singles, {"Letters", "Memos"})],
)
def test_singles_follow_nobody(system: System, names: set[str], memory_env: dict[str, str]) -> None:
    with GrpcRunner(system, memory_env) as runner:
        assert set(runner.addresses) == names
        for cls in (Letters, Memos):
            if cls.name in names:
                runner.get(cls).write(1)
                with Operator(runner.addresses[cls.name]) as operator:
                    assert list(operator.status().followings) == []


def test_system_of_four_with_a_process_each(memory_env: dict[str, str]) -> None:
    runner = GrpcRunner(applications.all_together, memory_env)
    runner.start(with_subprocesses=True)
    try:
        runner.get(Letters).write_many(1, 5)
        runner.get(Memos).write_many(101, 5)
        # One follows the others' copies as well, of which it makes none.
        with Operator(runner.addresses["Summaries"]) as operator:
            for leader, position in (("Letters", 5), ("Memos", 5), ("Copies", 10)):
                operator.wait_for_position(leader, position)
        both = [*range(1, 6), *range(101, 106)]
        for cls in (Copies, Summaries):
            assert sorted(runner.get(cls).numbers()) == both
    finally:
        runner.stop()


def test_subscribers_see_what_followers_record(memory_env: dict[str, str]) -> None:
    with (
        GrpcRunner(applications.one_way, memory_env) as runner,
        runner.client("Copies").subscribe() as subscription,
    ):
        runner.get(Letters).write_many(1, 3)
        ids = [next(subscription).id for _ in range(3)]

    assert ids == [1, 2, 3]
