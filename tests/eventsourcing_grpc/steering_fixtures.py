"""Stores, poison and a gate: ``pytest_plugins = ["tests.eventsourcing_grpc.steering_fixtures"]``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.eventsourcing_grpc.steering import CLASSES, Gated
from tests.system.applications import Fussy
from tests.waiting import addresses_of


@pytest.fixture
def sqlite_env(tmp_path: Path) -> dict[str, str]:
    """Addresses, and a SQLite file for each application."""
    return {
        **addresses_of(*CLASSES),
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        **{
            f"{cls.name.upper()}_SQLITE_DBNAME": str(tmp_path / f"{cls.name.lower()}.db")
            for cls in CLASSES
        },
    }


@pytest.fixture
def memory_env() -> dict[str, str]:
    """Addresses of applications that are recorded in memory."""
    return addresses_of(*CLASSES)


@pytest.fixture
def poisonous() -> Iterator[set[int]]:
    """The numbers of letters that a Fussy does not process."""
    yield Fussy.poisonous
    Fussy.poisonous.clear()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Lets a Gated go on. It is opened at the end."""
    opened = threading.Event()
    monkeypatch.setattr(Gated, "gate", opened)
    monkeypatch.setattr(Gated, "has_come", threading.Event())
    yield opened
    opened.set()
