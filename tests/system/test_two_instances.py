"""Tests of two servers of one follower on one store: one stands by, and everything happens once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from eventsourcing_grpc import example
from eventsourcing_grpc.application_client import connect
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Orders, Payments, Reservations
from tests.system import applications
from tests.system.applications import Copies, Letters
from tests.system.serving import Operator, application_of, pb, serving
from tests.waiting import DEADLINE, addresses_of, wait_until

pytest_plugins = ["tests.postgres"]

GOOD = (pb.FOLLOWING_STATE_LIVE, pb.FOLLOWING_STATE_STANDBY)
"""Where there is a lock, one has it. Elsewhere, who comes too late stands by for a moment."""


def test_every_event_is_processed_once_and_in_order(stored_env: dict[str, str]) -> None:
    with serving(Letters, stored_env) as server:
        letters = application_of(server, Letters)
        letters.write_at_once(1, 100)
        other_env = {**stored_env, **addresses_of(Copies)}
        with (
            serving(Copies, stored_env, applications.one_way) as first,
            serving(Copies, other_env, applications.one_way) as second,
            Operator(first.address) as operator,
            Operator(second.address) as other_operator,
        ):
            letters.write_many(101, 50)
            for each in (operator, other_operator):
                # What one has processed, the other hears of at the next event.
                each.following("Letters", lambda following: following.read_through >= 100)
            head = letters.recorder.max_notification_id() or 0
            application_of(first, Copies).recorder.wait("Letters", head, timeout=DEADLINE)

            assert application_of(first, Copies).numbers() == list(range(1, 151))
            assert application_of(second, Copies).numbers() == list(range(1, 151))
            for each in (operator, other_operator):
                status = each.following("Letters", lambda following: following.state in GOOD)
                assert not status.HasField("last_error")


def test_one_goes_on_when_the_other_stops(stored_env: dict[str, str]) -> None:
    with serving(Letters, stored_env) as server, ExitStack() as stack:
        letters = application_of(server, Letters)
        first = stack.enter_context(serving(Copies, stored_env, applications.one_way))
        other_env = {**stored_env, **addresses_of(Copies)}
        with serving(Copies, other_env, applications.one_way):
            letters.write_many(1, 30)
        letters.write_many(31, 30)
        copies = application_of(first, Copies)
        head = letters.recorder.max_notification_id() or 0
        copies.recorder.wait("Letters", head, timeout=DEADLINE)

        assert copies.numbers() == list(range(1, 61))


def test_orders_are_paid_once_with_two_instances_of_each(stored_env: dict[str, str]) -> None:
    classes = (Orders, Reservations, Payments)
    store = {key: value for key, value in stored_env.items() if not key.endswith("SERVER_ADDRESS")}
    for cls in classes:
        if store["PERSISTENCE_MODULE"].endswith("sqlite"):
            store[f"{cls.name.upper()}_SQLITE_DBNAME"] = stored_env[
                "LETTERS_SQLITE_DBNAME"
            ].replace("letters", cls.name.lower())
    envs = [{**store, **addresses_of(*classes)} for _ in range(2)]
    with ExitStack() as stack:
        servers: list[GrpcApplicationServer] = [
            stack.enter_context(serving(cls, env, example.system))
            for env in envs
            for cls in classes
        ]
        clients = [stack.enter_context(connect(Orders, env, max_attempts=5)) for env in envs]
        with ThreadPoolExecutor(2) as pool:
            created = [
                pool.submit(client.app.create_new_order) for _ in range(10) for client in clients
            ]
            order_ids = [future.result(DEADLINE) for future in created]
        orders = clients[0].app
        wait_until(lambda: all(map(orders.is_order_paid, order_ids)), "all orders are paid")
        # Three events of each order, and one each of the others.
        topics = [n.topic for n in orders.notification_log.select(1, 1_000)]
        assert len(topics) == 3 * len(order_ids)
        for server in servers:
            with Operator(server.address) as operator:
                operator.wait_for_status(
                    lambda status: all(
                        following.state in GOOD and not following.HasField("last_error")
                        for following in status.followings
                    )
                )
