"""Tests of systems in PostgreSQL: what one process records is announced to all."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from eventsourcing_grpc import example
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders
from eventsourcing_grpc.runner import GrpcRunner
from tests.postgres_server import PostgresServer
from tests.system import applications
from tests.system.applications import Copies, Letters
from tests.system.conftest import CLASSES
from tests.system.serving import Operator, application_of, serving
from tests.waiting import DEADLINE, addresses_of, wait_until

pytest_plugins = ["tests.postgres"]


@pytest.fixture
def env(postgres_env: dict[str, str]) -> dict[str, str]:
    """A new store, of which nothing is heard for a minute but what is announced."""
    return {**addresses_of(*CLASSES), **postgres_env, "MAX_PULL_INTERVAL": "60"}


def test_system_in_processes_of_their_own(env: dict[str, str]) -> None:
    runner = GrpcRunner(applications.two_pipes, env)
    runner.start(with_subprocesses=True)
    try:
        runner.get(Letters).write_many(1, 50)
        copies = runner.get(Copies)
        wait_until(lambda: len(copies.numbers()) == 50)
        assert copies.numbers() == list(range(1, 51))
        with Operator(runner.addresses["Letters"]) as operator:
            assert operator.describe().persistence == "postgres"
    finally:
        runner.stop()


def test_follower_hears_of_what_another_process_records(env: dict[str, str]) -> None:
    with (
        serving(Letters, env),
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        # Another process with the same application, that is not served.
        elsewhere = Letters(env)
        try:
            for number in (1, 2, 3):
                elsewhere.write(number)
                operator.wait_for_position("Letters", number)
        finally:
            elsewhere.close()

        assert application_of(follower, Copies).numbers() == [1, 2, 3]


def test_subscribers_hear_of_it_after_a_lost_connection(
    env: dict[str, str], postgres_server: PostgresServer
) -> None:
    with (
        serving(Letters, env),
        connect(Letters, env) as client,
        client.subscribe() as subscription,
    ):
        elsewhere = Letters(env)
        try:
            elsewhere.write(1)
            assert next(subscription).id == 1
            assert postgres_server.end_sessions("%: Letters") == 1
            elsewhere.write(2)
            assert next(subscription).id == 2
            elsewhere.write(3)
            assert next(subscription).id == 3
        finally:
            elsewhere.close()


def test_three_applications_share_a_database(postgres_env: dict[str, str]) -> None:
    runner = GrpcRunner(example.system, postgres_env)
    runner.start()
    try:
        orders = runner.get(Orders)
        order_ids = [orders.create_new_order() for _ in range(5)]
        wait_until(lambda: all(map(orders.is_order_paid, order_ids)))
        with Operator(runner.addresses["Orders"]) as operator:
            head = operator.wait_for_status(lambda status: status.head >= 15).head
        assert head == 15
    finally:
        runner.stop()


def test_fifty_subscribers_have_one_connection_that_listens(
    env: dict[str, str], postgres_server: PostgresServer
) -> None:
    with serving(Letters, env), ExitStack() as stack:
        clients = [stack.enter_context(connect(Letters, env)) for _ in range(5)]
        subscriptions = [
            stack.enter_context(client.subscribe()) for client in clients for _ in range(10)
        ]
        elsewhere = Letters(env)
        stack.callback(elsewhere.close)
        for number in (1, 2):
            elsewhere.write(number)
            assert {next(subscription).id for subscription in subscriptions} == {number}
        listening = postgres_server.sessions("%: Letters")
        # The others are those of pools, which have the statement that was executed last.
        others = postgres_server.execute(
            "SELECT query FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND pid <> pg_backend_pid() AND pid <> %s",
            listening[0],
        )

        assert len(listening) == 1
        assert not [query for (query,) in others if "LISTEN" in query]


def test_followers_do_not_wait_for_ids_that_were_rolled_back(env: dict[str, str]) -> None:
    with (
        serving(Letters, env) as server,
        serving(Copies, env, applications.one_way) as follower,
        Operator(follower.address) as operator,
    ):
        letters = application_of(server, Letters)
        for number in range(1, 6):
            letter_id = letters.write(number)
            with pytest.raises(IntegrityError):
                letters.recorder.insert_events([StoredEvent(letter_id, 1, "x:Y", b"{}")])
        ids = recorded_ids(letters)
        operator.wait_for_position("Letters", ids[-1])

        assert ids[-1] > len(ids)
        assert application_of(follower, Copies).numbers() == [1, 2, 3, 4, 5]


def recorded_ids(letters: Letters) -> Sequence[int]:
    return [n.id for n in letters.recorder.select_notifications(None, 100)]


def test_servers_that_start_together_in_a_new_store_all_start(env: dict[str, str]) -> None:
    servers = [GrpcApplicationServer(cls, env) for cls in CLASSES]
    with ThreadPoolExecutor(len(servers)) as pool:
        starts = [pool.submit(server.start) for server in servers]
        errors = [start.exception(DEADLINE) for start in starts]
        for server in servers:
            server.stop(wait=True)

    assert errors == [None] * len(servers)
