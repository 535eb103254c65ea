"""What is remembered of the traces in which events were recorded."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError, Notification, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.protos.application_pb2 import NotificationBatch
from eventsourcing_grpc.telemetry.event_contexts import EventContexts, ObservedRecorder

ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def stored(originator_id: UUID | None = None, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(originator_id or uuid4(), 1, "shop:Sold", state)


def notification(event: StoredEvent, number: int = 1) -> Notification:
    return Notification(
        event.originator_id, event.originator_version, event.topic, event.state, number
    )


def test_events_are_found_by_what_they_are() -> None:
    contexts = EventContexts(lambda: ONE)
    event = stored()
    contexts.note([event])
    assert contexts.find(notification(event)) == ONE
    assert contexts.find(notification(stored())) == ""


def test_events_outside_of_traces_are_not_remembered() -> None:
    contexts = EventContexts(lambda: "")
    event = stored()
    contexts.note([event])
    assert contexts.find(notification(event)) == ""


def test_event_that_was_not_recorded_does_not_give_its_trace_to_the_one_that_was() -> None:
    traces = iter((ONE, OTHER))
    contexts = EventContexts(lambda: next(traces))
    loser = stored(state=b'{"by": "loser"}')
    winner = replace(loser, state=b'{"by": "winner"}')
    contexts.note([loser])
    assert contexts.find(notification(winner)) == ""
    contexts.note([winner])
    assert contexts.find(notification(winner)) == OTHER


def test_only_the_newest_are_remembered() -> None:
    contexts = EventContexts(lambda: ONE, size=10)
    events = [stored() for _ in range(100)]
    for event in events:
        contexts.note([event])
    found = [bool(contexts.find(notification(event))) for event in events]
    assert found == [False] * 80 + [True] * 20


def test_recorder_is_observed_until_that_is_closed() -> None:
    recorder = POPOApplicationRecorder()
    contexts = EventContexts(lambda: ONE)
    observed = ObservedRecorder(recorder, contexts)
    first, second = stored(), stored()
    assert recorder.insert_events([first]) == [1]
    observed.close()
    assert recorder.insert_events([second]) == [2]
    assert contexts.find(notification(first)) == ONE
    assert contexts.find(notification(second)) == ""


def test_observed_recorder_raises_what_it_would_raise() -> None:
    recorder = POPOApplicationRecorder()
    ObservedRecorder(recorder, EventContexts(lambda: ONE))
    event = stored()
    recorder.insert_events([event])
    with pytest.raises(IntegrityError):
        recorder.insert_events([event])


def test_pages_that_are_read_for_late_subscribers_have_traces_too() -> None:
    recorder = POPOApplicationRecorder()
    contexts = EventContexts(lambda: ONE)
    ObservedRecorder(recorder, contexts)
    recorder.insert_events([stored(), stored()])
    # What was recorded before its start is not in the feed's ring.
    feed = NotificationFeed(recorder, 1.0, "Shop", trace_context=contexts.find)
    feed.start()
    try:
        recorder.insert_events([stored()])
        feed.catch_up()
        received: list[str] = []
        for batch in feed.subscribe(after=0):
            message = NotificationBatch.FromString(batch.encode())
            received += [each.trace_context for each in message.notifications]
            if message.read_through == 3:
                break
        assert received == [ONE] * 3
    finally:
        feed.stop()
