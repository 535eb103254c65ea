"""The example system on a real Kubernetes: ``make test-minikube``, where minikube is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.example import Orders
from tests.deploy.containers.programs import ROOT, client_environment, run
from tests.deploy.containers.reasons import why_minikube_does_not_run
from tests.waiting import wait_until

REASON = why_minikube_does_not_run()
pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.timeout(3_600)]

NAMESPACE = "eventsourcing-grpc-test"
KUBECTL = ("kubectl", "--context=minikube", f"--namespace={NAMESPACE}")


@pytest.fixture(scope="module")
def cluster() -> None:
    """A cluster that has the image. It is left running."""
    run("make", "minikube-start")
    run("make", "minikube-image")


@pytest.fixture(params=["in-memory", "postgres"])
def overlay(request: pytest.FixtureRequest, cluster: None) -> Iterator[str]:
    """What is deployed in a namespace of its own, which is deleted at the end."""
    overlay = str(request.param)
    try:
        run("make", "minikube-deploy", f"OVERLAY={overlay}", f"KUBE_NAMESPACE={NAMESPACE}")
        yield overlay
    finally:
        run(*KUBECTL, "delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")


@contextmanager
def forwarded(service: str, port: int) -> Iterator[str]:
    """Lets this machine reach a service, and yields the address."""
    with subprocess.Popen(
        [*KUBECTL, "port-forward", f"service/{service}", f":{port}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found
            yield f"localhost:{found[1]}"
        finally:
            process.terminate()


def test_pods_take_orders_and_are_updated(overlay: str) -> None:
    with (
        forwarded("orders", 50051) as address,
        connect(Orders, client_environment(address), max_attempts=100) as client,
    ):
        order_id = client.app.create_new_order()
        wait_until(lambda: client.app.is_order_paid(order_id), timeout=60)

    if overlay == "in-memory":
        return
    run(*KUBECTL, "rollout", "restart", "deployment")
    for name in ("orders", "reservations", "payments"):
        run(*KUBECTL, "rollout", "status", f"deployment/{name}", "--timeout=300s")
    with (
        forwarded("orders", 50051) as address,
        connect(Orders, client_environment(address), max_attempts=100) as client,
    ):
        assert client.app.is_order_paid(order_id)
        second_id = client.app.create_new_order()
        wait_until(lambda: client.app.is_order_paid(second_id), timeout=60)
