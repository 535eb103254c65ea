"""A system on hosts, a console that watches it, and a customer: tests use them one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.system.hosts.console import Customer, LogReader, Watcher
from tests.system.hosts.deployed_system import DeployedSystem
from tests.system.hosts.states import ALL_LIVE
from tests.system.namespaces import missing_for_namespaces


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what is in this folder where it can't run."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    if here and (missing := missing_for_namespaces()):
        for item in here:
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="module", params=["sqlite.env", "postgres.env"])
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DeployedSystem]:
    """The system, with each of the stores that outlive servers."""
    with DeployedSystem(request.param, tmp_path_factory.mktemp("hosts")) as system:
        yield system


@pytest.fixture(scope="module")
def watcher(system: DeployedSystem) -> Iterator[Watcher]:
    with Watcher(system) as watcher:
        yield watcher


@pytest.fixture(scope="module")
def customer(system: DeployedSystem) -> Iterator[Customer]:
    with Customer(system) as customer:
        yield customer


@pytest.fixture(scope="module")
def reader(system: DeployedSystem) -> Iterator[LogReader]:
    with LogReader(system, "Orders") as reader:
        yield reader


@pytest.fixture
def working(watcher: Watcher, customer: Customer, reader: LogReader) -> Iterator[Watcher]:
    """The console of a system that works, and works again in the end: orders are taken."""
    watcher.wait_until_told(ALL_LIVE, monotonic())
    yield watcher
    customer.wait_until_served()
