"""Tests of systems in PostgreSQL: what one process records is announced to all."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.runner import GrpcRunner
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
    env: dict[str, str], postgres_uri: str
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
            with psycopg.connect(postgres_uri, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name LIKE '%: Letters'"
                )
            elsewhere.write(2)
            assert next(subscription).id == 2
            elsewhere.write(3)
            assert next(subscription).id == 3
        finally:
            elsewhere.close()


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
