"""Tests of the follower's loop: in order, exactly once, again after errors, and never silently."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import OperationalError, Tracking
from eventsourcing.system import Follower

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import start_server_subprocess
from tests.system import applications
from tests.system.applications import (
    Copies,
    Fussy,
    Letters,
    Memos,
    Signatures,
)
from tests.system.serving import Operator, pb, serving
from tests.waiting import DEADLINE, addresses_of, wait_until


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Applications with SQLite files and addresses of their own."""
    classes = (Letters, Memos, Copies, Fussy, Signatures)
    return {
        **addresses_of(*classes),
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        **{
            f"{cls.name.upper()}_SQLITE_DBNAME": str(tmp_path / f"{cls.name.lower()}.db")
            for cls in classes
        },
    }


@pytest.fixture
def memory_env() -> dict[str, str]:
    """Applications with addresses of their own, that are recorded in memory."""
    return addresses_of(Letters, Memos, Copies, Fussy, Signatures)


@pytest.fixture(autouse=True)
def poisonous() -> Iterator[set[int]]:
    """The numbers of letters that a Fussy does not process."""
    yield Fussy.poisonous
    Fussy.poisonous.clear()


def numbers_of(application: Application[object]) -> list[int]:
    assert isinstance(application, applications.Copying)
    return application.numbers()


def test_follower_processes_what_was_recorded_before_it_started(env: dict[str, str]) -> None:
    with serving(Letters, env) as letters:
        letters.application.write_many(1, 30)
        with (
            serving(Copies, env, applications.one_way) as copies,
            Operator(copies.address) as operator,
        ):
            operator.wait_for_position("Letters", 30)
            assert numbers_of(copies.application) == list(range(1, 31))


def test_follower_processes_what_is_recorded_while_it_follows(env: dict[str, str]) -> None:
    with (
        serving(Letters, env) as letters,
        serving(Copies, env, applications.one_way) as copies,
        Operator(copies.address) as operator,
    ):
        operator.wait_for_state("Letters", pb.FOLLOWING_STATE_LIVE)
        letters.application.write_many(1, 30)
        operator.wait_for_position("Letters", 30)

        assert numbers_of(copies.application) == list(range(1, 31))
