"""Subscriptions to a log: what is recorded, then what is being recorded, whatever happens to the server."""

from __future__ import annotations

import gc
from itertools import islice
from pathlib import Path

import grpc
import pytest
from eventsourcing.persistence import Notification
from eventsourcing.utils import get_topic

from eventsourcing_grpc.errors import ClientClosedError, RequestError
from eventsourcing_grpc.example import Orders
from eventsourcing_grpc.notifications.notification_subscription import (
    LogDivergedError,
    NotificationSubscription,
)
from eventsourcing_grpc.protos.application_pb2 import SubscribeRequest
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub
from tests.applications import Note, Notebook
from tests.serving import ClientOf, InBackground, Serve, sqlite_env, status_of
from tests.waiting import DEADLINE, wait_until

CREATED = get_topic(Note.Created)
EXTENDED = f"{get_topic(Note)}.Extended"


def take(subscription: NotificationSubscription, count: int) -> list[int]:
    """Returns the next IDs."""
    return [notification.id for notification in islice(subscription, count)]


def collect(subscription: NotificationSubscription, into: list[int]) -> None:
    into.extend(notification.id for notification in subscription)


def test_subscription_yields_what_is_recorded_and_what_is_being_recorded(
    serve: Serve, client_of: ClientOf
) -> None:
    client = client_of(Notebook, serve(Notebook))
    client.app.add_notes(3)
    subscription = client.subscribe()
    assert take(subscription, 3) == [1, 2, 3]
    note_id = client.app.add_note("text")
    notification = next(subscription)
    assert isinstance(notification, Notification)
    assert notification.id == 4
    assert notification.originator_id == note_id
    assert notification.originator_version == 1
    assert notification.topic == CREATED
    assert [notification] == list(client.get_notifications(4, 10))


def test_subscription_begins_after_a_position(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    client.app.add_notes(10)
    assert take(client.subscribe(gt=7), 3) == [8, 9, 10]
    assert take(client.subscribe(gt=0), 1) == [1]
    assert take(client.subscribe(gt=-1), 1) == [1]
    beyond = client.subscribe(gt=11)
    client.app.add_notes(2)
    assert take(beyond, 1) == [12]


def test_subscription_yields_only_the_topics_asked_for(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    note_id = client.app.add_note("a")
    extensions = client.subscribe(topics=[EXTENDED])
    client.app.add_notes(1_200)
    client.app.extend_note(note_id, "b")
    assert take(extensions, 1) == [1_202]
    client.app.extend_note(note_id, "c")
    assert take(extensions, 1) == [1_203]
    assert take(client.subscribe(topics=[EXTENDED, CREATED]), 3) == [1, 2, 3]


def test_subscription_waits_for_the_first_notification(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    waiting = InBackground(client.subscribe().__next__)
    client.app.add_note("x")
    assert waiting.result().id == 1


def test_subscription_waits_for_a_server_that_starts_later(
    serve: Serve, client_of: ClientOf
) -> None:
    server = serve(Notebook)
    server.stop(wait=True)
    client = client_of(Notebook, server)
    waiting = InBackground(client.subscribe().__next__)
    server.start()
    client.app.add_note("x")
    assert waiting.result().id == 1


@pytest.mark.parametrize("persistence", ["memory", "sqlite"])
def test_subscription_survives_restarts_without_gap_or_repeat(
    serve: Serve, client_of: ClientOf, tmp_path: Path, persistence: str
) -> None:
    env = sqlite_env(tmp_path / "notes.db") if persistence == "sqlite" else {}
    server = serve(Notebook, **env)
    client = client_of(Notebook, server)
    received: list[int] = []
    subscription = client.subscribe()
    collecting = InBackground(lambda: collect(subscription, received))
    last = 0
    for _ in range(3):
        # The stop comes while notifications are on their way.
        last = client.app.add_notes(1_000)
        server.stop(wait=True)
        server.start()
    last = client.app.add_notes(5)
    wait_until(lambda: len(received) >= last)
    assert received == list(range(1, last + 1))
    subscription.close()
    collecting.result()


def test_subscription_survives_a_restart_while_it_waits(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    client.app.add_note("x")
    subscription = client.subscribe()
    assert take(subscription, 1) == [1]
    waiting = InBackground(subscription.__next__)
    server.stop(wait=True)
    server.start()
    client.app.add_note("y")
    assert waiting.result().id == 2


def test_log_that_was_replaced_ends_the_subscription_with_an_error(
    serve: Serve, client_of: ClientOf
) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    client.app.add_notes(10)
    subscription = client.subscribe()
    assert take(subscription, 10) == list(range(1, 11))
    waiting = InBackground(subscription.__next__)
    server.stop(wait=True)
    replacement = serve(Notebook, address=server.address)
    assert replacement.application is not server.application
    with pytest.raises(LogDivergedError, match=r"Notebook has 0 notifications, but .* 10 "):
        waiting.result()


def test_closing_a_subscription_ends_it(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    client.app.add_note("x")
    with client.subscribe() as subscription:
        assert take(subscription, 1) == [1]
    assert list(subscription) == []
    subscription.close()
    client.ping()


@pytest.mark.parametrize("who", ["subscription", "client"])
def test_closing_from_another_thread_ends_waiting_promptly(
    serve: Serve, client_of: ClientOf, who: str
) -> None:
    client = client_of(Notebook, serve(Notebook))
    client.app.add_note("x")
    subscription = client.subscribe()
    received: list[int] = []
    collecting = InBackground(lambda: collect(subscription, received))
    wait_until(lambda: received == [1])
    closing = subscription.close if who == "subscription" else client.close
    closing()
    collecting.result(timeout=2)


@pytest.mark.parametrize("who", ["subscription", "client"])
def test_closing_ends_waiting_for_a_server_that_is_gone(
    serve: Serve, client_of: ClientOf, who: str
) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    client.app.add_note("x")
    subscription = client.subscribe()
    received: list[int] = []
    collecting = InBackground(lambda: collect(subscription, received))
    wait_until(lambda: received == [1])
    server.stop(wait=True)
    assert collecting.is_running
    closing = subscription.close if who == "subscription" else client.close
    closing()
    collecting.result(timeout=2)


def test_closing_a_subscription_that_was_never_used(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    subscription = client.subscribe()
    subscription.close()
    assert list(subscription) == []


def test_closed_client_has_no_subscriptions(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    subscriptions = [client.subscribe() for _ in range(3)]
    client.close()
    assert [list(subscription) for subscription in subscriptions] == [[], [], []]
    with pytest.raises(ClientClosedError):
        client.subscribe()


def test_server_knows_how_many_subscribers_it_has(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    client.app.add_note("x")
    subscriptions = [client.subscribe() for _ in range(3)]
    assert [take(subscription, 1) for subscription in subscriptions] == [[1], [1], [1]]
    assert status_of(server).subscribers >= 3
    for subscription in subscriptions:
        subscription.close()
    # The stream of 'status_of' itself may be counted.
    wait_until(lambda: status_of(server).subscribers <= 1)


def test_subscription_that_is_dropped_leaves_no_stream_behind(
    serve: Serve, client_of: ClientOf
) -> None:
    server = serve(Notebook)
    client = client_of(Notebook, server)
    client.app.add_notes(10)
    for _ in range(5):
        for notification in client.subscribe():
            if notification.id == 3:
                break

    def has_no_subscribers() -> bool:
        gc.collect()
        return status_of(server).subscribers <= 1

    wait_until(has_no_subscribers)


def test_large_notifications_pass(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Notebook, serve(Notebook))
    texts = [letter * 5 * 1024 * 1024 for letter in "abc"]
    for text in texts:
        client.app.add_note(text)
    for text, notification in zip(texts, client.subscribe(), strict=False):
        assert text.encode() in notification.state


def test_subscription_to_another_application_is_refused(serve: Serve, client_of: ClientOf) -> None:
    client = client_of(Orders, serve(Notebook))
    with pytest.raises(RequestError, match="Orders was asked for, but Notebook is served"):
        next(client.subscribe())


def test_each_batch_tells_how_far_the_log_has_been_read(serve: Serve, client_of: ClientOf) -> None:
    server = serve(Notebook)
    app = client_of(Notebook, server).app
    app.add_notes(7)
    with grpc.insecure_channel(server.address) as channel:
        request = SubscribeRequest(topics=[EXTENDED])
        batches = iter(ApplicationStub(channel).Subscribe(request, timeout=DEADLINE))
        first = next(batches)
        assert not first.notifications
        assert (first.read_through, first.head) == (7, 7)
        app.add_notes(3)
        second = next(batches)
        while second.read_through < 10:
            second = next(batches)
        assert not second.notifications
        assert (second.read_through, second.head) == (10, 10)
