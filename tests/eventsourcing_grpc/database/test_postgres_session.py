"""Tests of a server's own session with PostgreSQL: its locks, its name, and what it says of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import OperationalError
from psycopg import errors
from psycopg_pool import PoolTimeout

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.database.postgres_errors import in_words
from eventsourcing_grpc.database.postgres_lock import LEASE, PostgresFollowerLock, lock_key
from eventsourcing_grpc.database.postgres_session import (
    IDLE_SESSION_TIMEOUT,
    INTERVAL,
    session_name,
)
from eventsourcing_grpc.environment import EnvironmentVariableError
from tests.postgres_server import PostgresServer
from tests.waiting import addresses_of

pytest_plugins = ["tests.postgres"]

Connection = psycopg.Connection[tuple[Any, ...]]


class Shop(Application[UUID]):
    """An application."""


@pytest.fixture
def sessions(postgres_server: PostgresServer) -> Iterator[list[Connection]]:
    """Two sessions with one database."""
    opened = [
        psycopg.connect(
            postgres_server.uri, autocommit=True, application_name=f"host-{number}, process 7: Shop"
        )
        for number in range(2)
    ]
    with closing(opened[0]), closing(opened[1]):
        yield opened


def a_lock(key: int = 5) -> PostgresFollowerLock:
    return PostgresFollowerLock(key, lambda: None, lambda: None)


@pytest.mark.parametrize("key", [0, -1, 5 << 32, -(2**63), 2**63 - 1])
def test_one_session_has_a_lock_at_a_time(sessions: list[Connection], key: int) -> None:
    mine, yours = a_lock(key), a_lock(key)
    mine.ask(sessions[0], monotonic())
    yours.ask(sessions[1], monotonic())
    assert (mine.is_held(), mine.is_taken(), mine.holder) == (True, False, "")
    assert (yours.is_held(), yours.is_taken()) == (False, True)
    assert yours.holder == "host-0, process 7"
    assert mine.release(sessions[0])
    yours.ask(sessions[1], monotonic())
    assert (mine.is_held(), yours.is_held(), yours.is_taken()) == (False, True, False)


def test_each_following_has_a_lock_of_its_own(sessions: list[Connection]) -> None:
    locks = [a_lock(lock_key("public", "shop_tracking", name)) for name in ("Orders", "Payments")]
    for lock, session in zip(locks, sessions, strict=True):
        lock.ask(session, monotonic())
        assert lock.is_held()


def test_lock_of_a_process_that_was_frozen_is_not_held(sessions: list[Connection]) -> None:
    lock = a_lock()
    lock.ask(sessions[0], monotonic())
    assert lock.is_held()
    # The last answer is that old.
    lock.ask(sessions[0], monotonic() - LEASE)
    assert not lock.is_held()
    lock.ask(sessions[0], monotonic())
    assert lock.is_held()
    lock.lose()
    assert not lock.is_held()


def test_lock_is_believed_to_be_held_for_less_time_than_it_is() -> None:
    # And two answers may come late.
    assert 2 * INTERVAL < LEASE < IDLE_SESSION_TIMEOUT
    # Another asks once a second, and has it within five.
    assert IDLE_SESSION_TIMEOUT + INTERVAL < 5


def test_lock_that_is_declined_is_not_given(sessions: list[Connection]) -> None:
    changes: list[bool] = []
    lock, other = a_lock(), a_lock()
    lock.on_change = lambda: changes.append(lock.is_held())
    lock.decline()
    lock.ask(sessions[0], monotonic())
    assert not lock.is_held()
    other.ask(sessions[1], monotonic())
    assert other.is_held()
    # Who has it is told all the same.
    lock.ask(sessions[0], monotonic())
    assert lock.holder == "host-1, process 7"
    other.release(sessions[1])
    lock.want()
    lock.ask(sessions[0], monotonic())
    # One that is held is not given up by declining it.
    lock.decline()
    lock.ask(sessions[0], monotonic())
    assert lock.is_held()
    assert changes == [False, True]


def test_keys_are_the_same_in_every_process() -> None:
    assert lock_key("public", "payments_tracking", "Orders") == 3572477400224991973
    keys = {
        lock_key(schema, table, leader)
        for schema in ("public", "shop")
        for table in ("a_tracking", "b_tracking")
        for leader in ("A", "B")
    }
    assert len(keys) == 8
    assert all(-(2**63) <= key < 2**63 for key in keys)


def test_sessions_have_names_that_postgres_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "payments-0")
    monkeypatch.setattr("os.getpid", lambda: 7)
    assert session_name("Payments") == "payments-0, process 7: Payments"
    monkeypatch.setattr("socket.gethostname", lambda: "h" * 63)
    name = session_name("Päyments" * 20)
    assert name == f"{'h' * 52}, process 7"
    assert len(name.encode()) <= 63


def test_functions_that_lose_events_are_refused(postgres_env: dict[str, str]) -> None:
    env = {**postgres_env, **addresses_of(Shop), "POSTGRES_ENABLE_DB_FUNCTIONS": "yes"}
    with pytest.raises(
        EnvironmentVariableError, match="POSTGRES_ENABLE_DB_FUNCTIONS is set for Shop"
    ):
        GrpcApplicationServer(Shop, env).start()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.AdminShutdown("host=db password=x"), "PostgreSQL has ended the connection"),
        (
            errors.TooManyConnections("x"),
            "PostgreSQL has no connections left (its max_connections)",
        ),
        (errors.CannotConnectNow("x"), "PostgreSQL is starting or stopping"),
        (errors.DivisionByZero("password=x"), "PostgreSQL reports DivisionByZero"),
        (PoolTimeout("x"), "no connection to PostgreSQL has come free in time"),
        (
            psycopg.OperationalError('connection to server at "db" failed: Connection refused'),
            "PostgreSQL can't be reached (connection refused)",
        ),
        (
            psycopg.OperationalError('FATAL:  password authentication failed for user "x"'),
            "PostgreSQL does not accept the user or the password",
        ),
        (psycopg.OperationalError("password=x"), "PostgreSQL can't be reached"),
        (ValueError("not of a database"), "ValueError: not of a database"),
    ],
)
def test_errors_are_told_in_words(error: Exception, words: str) -> None:
    assert in_words(error) == words


def test_error_of_a_recorder_is_told_by_its_cause() -> None:
    error = OperationalError("secret")
    error.__cause__ = errors.AdminShutdown("secret")
    assert in_words(error) == "PostgreSQL has ended the connection"
