"""The example system in real containers: ``make test-docker``, where a container engine is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.example import Orders
from tests.deploy.compose_file import COMPOSE_FILE
from tests.deploy.containers.programs import NAMES, client_environment, run
from tests.deploy.containers.reasons import DOCKER, why_docker_does_not_run
from tests.waiting import wait_until

REASON = why_docker_does_not_run()
pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.timeout(1_800)]

# Its volumes are deleted: they must not be those of a system that somebody runs.
PROJECT = {"COMPOSE_PROJECT_NAME": "eventsourcing-grpc-test"}
ADDRESS = "localhost:50051"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def persistence(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the running containers record. They are stopped, and their volumes deleted, at the end."""
    persistence = str(request.param)
    try:
        run("make", "docker-up", f"PERSISTENCE={persistence}", **PROJECT)
        yield persistence
    finally:
        run("make", "docker-down", "ARGS=--volumes", **PROJECT)


def compose(*arguments: str) -> str:
    return run(DOCKER, "compose", "--file", str(COMPOSE_FILE), *arguments, **PROJECT)


def container(name: str) -> str:
    return compose("ps", "--all", "--quiet", name).strip()


def test_containers_take_orders_outlive_restarts_and_stop_gracefully(persistence: str) -> None:
    with connect(Orders, client_environment(ADDRESS), max_attempts=100) as client:
        order_id = client.app.create_new_order()
        wait_until(lambda: client.app.is_order_paid(order_id))

        for name in NAMES:
            (state,) = json.loads(run(DOCKER, "inspect", container(name)))
            assert state["State"]["Health"]["Status"] == "healthy"
            assert compose("exec", "-T", name, "id", "-u").strip() not in {"", "0"}

        if persistence != "memory":
            compose("restart", *NAMES)
            wait_until(lambda: client.app.is_order_paid(order_id), timeout=60)
            second_id = client.app.create_new_order()
            wait_until(lambda: client.app.is_order_paid(second_id), timeout=60)

    compose("stop", *NAMES)
    for name in NAMES:
        (state,) = json.loads(run(DOCKER, "inspect", container(name)))
        assert state["State"]["ExitCode"] == 0
        assert state["State"]["OOMKilled"] is False
