"""Servers that are started again, also when that fails, and addresses that are somebody else's."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import AddressUnavailableError, GrpcApplicationServer
from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.example import Orders
from tests.waiting import addresses_of


def test_a_restart_that_failed_can_be_tried_again() -> None:
    env = addresses_of(Orders)
    server = GrpcApplicationServer(Orders, env)
    server.start()
    server.stop(wait=True)
    host, _, port = server.address.rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(AddressUnavailableError):
        server.start()
    server.start()
    with connect(Orders, env, max_attempts=5) as client:
        client.app.create_new_order()
    server.stop(wait=True)


def test_a_start_waits_for_a_stop_under_way() -> None:
    env = addresses_of(Orders)
    server = GrpcApplicationServer(Orders, env)
    server.start()
    server.stop()
    server.start()
    with connect(Orders, env, max_attempts=5) as client:
        client.ping()
    server.stop(wait=True)


def test_a_unix_socket_is_not_taken_from_its_server(tmp_path: Path) -> None:
    env = {"ORDERS_GRPC_SERVER_ADDRESS": f"unix:{tmp_path}/orders.sock"}
    first = GrpcApplicationServer(Orders, env)
    first.start()
    try:
        with pytest.raises(AddressUnavailableError, match=r"Orders .*orders\.sock: .*taken"):
            GrpcApplicationServer(Orders, env).start()
        with connect(Orders, env, max_attempts=5) as client:
            client.app.create_new_order()
        assert first.application.recorder.max_notification_id() == 1
    finally:
        first.stop(wait=True)


def test_nothing_is_sent_to_other_machines_without_tls() -> None:
    env = {"ORDERS_GRPC_SERVER_ADDRESS": "orders.example:50051"}
    with pytest.raises(EnvironmentVariableError, match="GRPC_SSL_ROOT_CERTIFICATE_PATH"):
        connect(Orders, env)


def test_closing_a_subscription_ends_it_in_the_middle_of_a_batch() -> None:
    env = addresses_of(Orders)
    server = GrpcApplicationServer(Orders, env)
    server.start()
    for _ in range(50):
        server.application.create_new_order()  # type: ignore[attr-defined]
    with connect(Orders, env, max_attempts=5) as client:
        subscription = client.subscribe()
        first = next(subscription)
        closer = threading.Thread(target=subscription.close)
        closer.start()
        closer.join()
        assert first.id == 1
        assert list(subscription) == []
    server.stop(wait=True)
