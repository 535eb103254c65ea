"""A real PostgreSQL server for tests. Use it with ``pytest_plugins = ["tests.postgres"]``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.postgres_server import PostgresServer

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for all tests. Who stops it starts it again."""
    # Not where pytest makes directories: the server's user may not read those.
    directory = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = PostgresServer(directory)
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(directory)


@pytest.fixture
def postgres_uri(postgres_server: PostgresServer) -> str:
    """The URI of the server."""
    return postgres_server.uri


@pytest.fixture
def postgres_env(postgres_server: PostgresServer) -> dict[str, str]:
    """The environment of applications that are recorded in a new schema."""
    schema = f"test_{next(_numbers)}"
    postgres_server.execute(f"CREATE SCHEMA {schema}")
    uri = urlsplit(postgres_server.uri)
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
