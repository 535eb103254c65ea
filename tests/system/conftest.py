"""Stores that several servers, in several processes, record in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.applications import (
    Copies,
    Juggler,
    Letters,
    Memos,
    Ping,
    Pong,
    Signatures,
    Summaries,
)
from tests.waiting import addresses_of

CLASSES = (Copies, Juggler, Letters, Memos, Ping, Pong, Signatures, Summaries)


def sqlite_env(path: Path) -> dict[str, str]:
    """Returns an environment in which each application is recorded in a file of its own."""
    return {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        **{
            f"{cls.name.upper()}_SQLITE_DBNAME": str(path / f"{cls.name.lower()}.db")
            for cls in CLASSES
        },
    }


@pytest.fixture(params=["sqlite", "postgres"])
def stored_env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Addresses, and a store that outlives the servers."""
    env: dict[str, str] = (
        request.getfixturevalue("postgres_env")
        if request.param == "postgres"
        else sqlite_env(tmp_path)
    )
    return {**addresses_of(*CLASSES), **env}


@pytest.fixture
def memory_env() -> dict[str, str]:
    """Addresses of applications that are recorded in memory."""
    return addresses_of(*CLASSES)
