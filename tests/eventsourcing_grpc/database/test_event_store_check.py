"""What is said of where events are recorded, before anything is: by ``--check``, and by a server that can't start."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from eventsourcing.persistence import OperationalError

from eventsourcing_grpc.application_server import start_server
from eventsourcing_grpc.database.event_store_check import check_event_store
from eventsourcing_grpc.environment import EnvironmentVariableError, application_environment
from eventsourcing_grpc.user_errors import UserError
from tests.applications import Notebook
from tests.waiting import addresses_of, free_port

POSTGRES = {
    "PERSISTENCE_MODULE": "eventsourcing.postgres",
    "POSTGRES_HOST": "127.0.0.1",
    "POSTGRES_PORT": "1",
    "POSTGRES_DBNAME": "shop",
    "POSTGRES_USER": "anna",
    "POSTGRES_PASSWORD": "unspeakable",
    "POSTGRES_CONNECT_TIMEOUT": "1",
}
FROM_FILE = {
    **POSTGRES,
    "POSTGRES_GET_PASSWORD_TOPIC": "eventsourcing_grpc.password_file:postgres_password",
}


def check(env: dict[str, str]) -> str:
    return check_event_store(application_environment(Notebook, env))


def test_where_events_are_recorded_is_told(tmp_path: Path) -> None:
    assert check({}) == "in memory, to be gone with the process"
    assert check(POSTGRES) == "in PostgreSQL's database shop on 127.0.0.1:1"
    sqlite = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": f"{tmp_path}/x.db"}
    assert check(sqlite) == f"in SQLite's file {tmp_path}/x.db"
    assert list(tmp_path.iterdir()) == []
    assert "gone with the process" in check({**sqlite, "SQLITE_DBNAME": ":memory:"})


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PERSISTENCE_MODULE": "nope.nope"}, "'nope.nope'"),
        ({"PERSISTENCE_MODULE": "eventsourcing.postgres"}, "POSTGRES_DBNAME"),
        ({**POSTGRES, "POSTGRES_CONNECT_TIMEOUT": "abc"}, "'abc'"),
        (
            {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": "/gone/x.db"},
            "SQLITE_DBNAME='/gone/x.db' is in a folder that is not there: make '/gone'",
        ),
    ],
)
def test_what_can_not_be_used_is_named(env: dict[str, str], said: str) -> None:
    with pytest.raises(EnvironmentVariableError) as raised:
        check(env)
    assert said in str(raised.value)


def test_password_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", "/gone")
    with pytest.raises(
        EnvironmentVariableError, match="POSTGRES_PASSWORD_FILE='/gone' can't be read"
    ):
        check(FROM_FILE)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "PostgreSQL can't be reached (connection refused)"),
        (
            {"POSTGRES_HOST": "nowhere.invalid"},
            "PostgreSQL can't be reached (its host name can't be resolved)",
        ),
    ],
)
def test_server_says_why_its_database_can_not_be_used(change: dict[str, str], said: str) -> None:
    env = {**addresses_of(Notebook), **POSTGRES, "POSTGRES_PORT": str(free_port()), **change}
    others = set(threading.enumerate())
    with pytest.raises(OperationalError) as raised:
        start_server(Notebook, env)
    assert set(threading.enumerate()) <= others
    assert isinstance(raised.value, UserError)
    assert str(raised.value) == f"Notebook can't use its database: {said}"
