"""Tests of what becomes of PostgreSQL: nothing is lost, all goes on by itself, and is told meanwhile.

Of nothing here is anything heard by looking at intervals: what arrives was announced.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic

import psycopg
import pytest
from eventsourcing.persistence import OperationalError
from eventsourcing.postgres import PostgresApplicationRecorder

from tests.postgres_server import PostgresServer
from tests.serving import InBackground
from tests.system import applications
from tests.system.applications import Copies, Letters
from tests.system.conftest import CLASSES
from tests.system.serving import Operator, application_of, pb, serving
from tests.tcp_relay import relay_to
from tests.waiting import addresses_of, wait_until

pytest_plugins = ["tests.postgres"]

ONE_CONNECTION = {
    "POSTGRES_POOL_SIZE": "1",
    "POSTGRES_MAX_OVERFLOW": "0",
    "POSTGRES_CONNECT_TIMEOUT": "1",
}
"""A pool of one connection, for which everyone waits for a second, and ten times."""


@pytest.fixture
def env(postgres_env: dict[str, str]) -> dict[str, str]:
    """A new store, of which nothing is heard for a minute but what is announced."""
    return {**addresses_of(*CLASSES), **postgres_env, "MAX_PULL_INTERVAL": "60"}


@contextmanager
def copying(env: dict[str, str]) -> Iterator[tuple[Letters, Copies, Operator, Operator]]:
    """Letters and a follower that is live, and the views that operators have of them."""
    with (
        serving(Letters, env) as leader,
        serving(Copies, env, applications.one_way) as follower,
        Operator(leader.address) as leading,
        Operator(follower.address) as following,
    ):
        letters = application_of(leader, Letters)
        letters.write(1)
        following.wait_for_position("Letters", 1)
        yield letters, application_of(follower, Copies), leading, following


def write_elsewhere(env: dict[str, str], *numbers: int) -> None:
    """Writes as another process does, whose events nobody here is handed."""
    elsewhere = Letters(env)
    try:
        for number in numbers:
            elsewhere.write(number)
    finally:
        elsewhere.close()


def check_no_secret(text: str, env: dict[str, str]) -> None:
    assert text
    for name in ("POSTGRES_HOST", "POSTGRES_DBNAME", "POSTGRES_USER", "POSTGRES_PASSWORD"):
        assert env[name] not in text.replace("PostgreSQL", "")


def test_lost_sessions_are_told_and_replaced(
    env: dict[str, str], postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    with copying(env) as (_, copies, leading, following):
        failing = InBackground(
            lambda: following.wait_for_state("Letters", pb.FOLLOWING_STATE_FAILING)
        )
        broken = InBackground(lambda: leading.wait_for_status(lambda s: bool(s.log_error)))
        # Both have begun to watch.
        wait_until(lambda: leading.status().subscribers > 2)
        wait_until(lambda: following.status().subscribers > 1)
        assert postgres_server.end_sessions("%: Letters") == 1
        assert postgres_server.end_sessions("%: Copies") == 1
        assert failing.result().last_error.message == "PostgreSQL has ended the connection"
        assert broken.result().log_error == "PostgreSQL has ended the connection"
        following.wait_for_state("Letters", pb.FOLLOWING_STATE_LIVE)
        leading.wait_for_status(lambda s: not s.log_error)
        write_elsewhere(env, 2, 3)
        following.wait_for_position("Letters", 3)
        assert copies.numbers() == [1, 2, 3]
    assert "Letters: PostgreSQL has ended the connection" in caplog.text


def test_restarted_database_loses_nothing(
    env: dict[str, str], postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "eventsourcing_grpc")
    env["POSTGRES_PASSWORD"] = "unspeakable"
    with copying(env) as (letters, copies, leading, following):
        postgres_server.stop()
        try:
            status = following.wait_for_state("Letters", pb.FOLLOWING_STATE_FAILING)
            check_no_secret(status.last_error.message, env)
            assert status.last_error.HasField("next_try_at")
            check_no_secret(leading.wait_for_status(lambda s: bool(s.log_error)).log_error, env)
            # It is neither refused nor lost: the core library's recorder tries again.
            writing = InBackground(lambda: letters.write(2))
            following.following("Letters", lambda f: f.last_error.attempts >= 3)
            assert writing.is_running
        finally:
            postgres_server.start()
        started = monotonic()
        writing.result()
        following.following(
            "Letters", lambda f: f.state == pb.FOLLOWING_STATE_LIVE and f.position > 1
        )
        leading.wait_for_status(lambda s: not s.log_error)
        assert monotonic() - started < 5
        write_elsewhere(env, 3)
        wait_until(lambda: copies.numbers() == [1, 2, 3])
    assert "unspeakable" not in caplog.text


def test_exhausted_pools_are_told_and_waited_for(
    env: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "eventsourcing_grpc")
    with copying({**env, **ONE_CONNECTION}) as (letters, copies, leading, following):
        with kept_connection(copies):
            letters.write(2)
            with kept_connection(letters):
                write_elsewhere(env, 3)
                status = following.wait_for_state("Letters", pb.FOLLOWING_STATE_FAILING)
                assert "The only connection of Copies to PostgreSQL" in status.last_error.message
                log_error = leading.wait_for_status(lambda s: bool(s.log_error)).log_error
                assert "The only connection of Letters to PostgreSQL is in use" in log_error
                # It is told since when.
                later = following.following("Letters", lambda f: f.last_error.attempts > 2)
                assert later.last_error.first_at == status.last_error.first_at
                assert later.state_since == status.state_since
                assert caplog.text.count("The only connection of Copies to PostgreSQL") == 1
        following.wait_for_position("Letters", 3)
        following.following("Letters", lambda f: not f.HasField("last_error"))
        leading.wait_for_status(lambda s: not s.log_error)
        assert copies.numbers() == [1, 2, 3]
        assert "Copies: PostgreSQL can be used again" in caplog.text


def kept_connection(application: Letters | Copies) -> AbstractContextManager[object]:
    """Takes a connection out of an application's pool."""
    recorder = application.recorder
    assert isinstance(recorder, PostgresApplicationRecorder)
    return recorder.datastore.get_connection()


def test_one_connection_is_enough(env: dict[str, str]) -> None:
    with copying({**env, **ONE_CONNECTION}) as (letters, copies, _, following):
        letters.write_many(2, 10)
        write_elsewhere(env, 12)
        following.wait_for_position("Letters", 12)
        assert copies.numbers() == list(range(1, 13))


def test_servers_stop_in_time_while_the_database_is_away(
    env: dict[str, str], postgres_server: PostgresServer
) -> None:
    try:
        with copying(env) as (letters, _, leading, following):
            postgres_server.stop()
            writing = InBackground(lambda: letters.write(2))
            following.wait_for_state("Letters", pb.FOLLOWING_STATE_FAILING)
            leading.wait_for_status(lambda s: bool(s.log_error))
            started = monotonic()
        # Two servers, one after the other.
        assert monotonic() - started < 6
        # Nor does anybody wait any longer.
        with pytest.raises(OperationalError):
            writing.result()
    finally:
        postgres_server.start()


def test_network_that_swallows_everything_is_survived(env: dict[str, str]) -> None:
    socket_path = f"{env['POSTGRES_HOST']}/.s.PGSQL.{env['POSTGRES_PORT']}"
    with relay_to(socket_path) as relay, serving(Letters, env) as leader:
        over_tcp = {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(relay.port)}
        with (
            serving(Copies, {**env, **over_tcp}, applications.one_way) as follower,
            Operator(follower.address) as following,
        ):
            letters = application_of(leader, Letters)
            letters.write(1)
            following.wait_for_position("Letters", 1)
            relay.freeze()
            letters.write(2)
            status = following.wait_for_state("Letters", pb.FOLLOWING_STATE_FAILING)
            assert status.last_error.message == "PostgreSQL does not answer"
            # It has given up the connection, too.
            following.following("Letters", lambda f: "no answer in time" in f.last_error.message)
            relay.thaw()
            following.wait_for_position("Letters", 2)
            assert application_of(follower, Copies).numbers() == [1, 2]


def test_a_table_that_others_have_locked_costs_no_sessions_and_is_told_with_who_has_it(
    env: dict[str, str], postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    with copying({**env, **ONE_CONNECTION}) as (letters, copies, leading, following):
        recorder = letters.recorder
        assert isinstance(recorder, PostgresApplicationRecorder)
        table = f"{env['POSTGRES_SCHEMA']}.{recorder.events_table_name}"
        with psycopg.connect(postgres_server.uri) as other:
            other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            # It asks for the log's head, which can't be told.
            postgres_server.execute("SELECT pg_notify(%s, '')", recorder.channel_name)
            locked_at = monotonic()
            # Longer than a session that does not answer is waited for.
            wait_until(lambda: monotonic() - locked_at > 6)
            assert len(postgres_server.sessions("%: Letters")) == 1
            holder = f"session {other.info.backend_pid} of PostgreSQL has locked"
            leading.wait_for_status(
                lambda s: s.log_error.startswith(f"The log of Letters can't be read: {holder}")
            )
            # Who records waits, and is told of, too.
            writing = InBackground(lambda: letters.write(2))
            leading.wait_for_status(
                lambda s: s.log_error.startswith("The only connection of Letters")
                and holder in s.log_error
            )
            assert (
                caplog.text.count(
                    f"Letters: The only connection of Letters to PostgreSQL is in use: {holder}"
                )
                == 1
            )
        writing.result()
        following.wait_for_position("Letters", 2)
        assert copies.numbers() == [1, 2]


def test_a_database_that_has_lost_its_last_events_is_believed(
    env: dict[str, str], postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    with copying(env) as (letters, copies, _, following):
        letters.write_many(2, 9)
        following.wait_for_position("Letters", 10)
        # As when a copy of the database takes over that was 8 events behind.
        with psycopg.connect(postgres_server.uri) as connection:
            connection.execute(f"SET search_path TO {env['POSTGRES_SCHEMA']}".encode())
            for statement in (
                "DELETE FROM letters_events WHERE notification_id > 2",
                "DELETE FROM copies_events WHERE notification_id > 2",
                "UPDATE copies_tracking SET notification_id = 2",
                "SELECT setval(pg_get_serial_sequence('letters_events', 'notification_id'), 2)",
                "SELECT setval(pg_get_serial_sequence('copies_events', 'notification_id'), 2)",
            ):
                connection.execute(statement.encode())
        postgres_server.end_sessions("%: Letters")
        postgres_server.end_sessions("%: Copies")
        wait_until(lambda: "Letters's log has become shorter, from #10 to #2" in caplog.text)
        letters.write_many(101, 3)
        wait_until(lambda: copies.numbers() == [1, 2, 101, 102, 103])
        # What was heard last of its position is of before.
        following.following(
            "Letters", lambda f: f.state == pb.FOLLOWING_STATE_LIVE and f.position == 5
        )
