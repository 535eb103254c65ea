"""Tests of the ring: what is in it, what a batch has, what is trimmed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from uuid import uuid4

import pytest
from eventsourcing.persistence import Notification

from eventsourcing_grpc.notifications import notification_ring
from eventsourcing_grpc.notifications.notification_encoding import encode_batch
from eventsourcing_grpc.notifications.notification_ring import (
    MAX_BATCH_BYTES,
    MAX_RING_BYTES,
    PAGE_SIZE,
    RING_SIZE,
    NotificationRing,
)
from eventsourcing_grpc.protos.application_pb2 import NotificationBatch


def make_notification(id: int, topic: str = "shop:Made", state: bytes = b"{}") -> Notification:
    return Notification(
        id=id, originator_id=uuid4(), originator_version=1, topic=topic, state=state
    )


def make_ring(count: int, *, topic: str = "shop:Made", state: bytes = b"{}") -> NotificationRing:
    ring = NotificationRing()
    for id in range(1, count + 1):
        ring.append(make_notification(id, topic, state))
    return ring


def ids_of(fragments: Sequence[bytes]) -> list[int]:
    batch = NotificationBatch.FromString(encode_batch(fragments, 0, 0))
    return [message.id for message in batch.notifications]


def test_new_ring_has_nothing_and_starts_at_the_head() -> None:
    ring = NotificationRing(head=7)

    assert (ring.base, ring.head, len(ring)) == (7, 7, 0)
    assert ring.take(7, ()) == ((), 7)


def test_what_is_appended_can_be_taken() -> None:
    ring = make_ring(3)

    fragments, read_through = ring.take(1, ())

    assert ids_of(fragments) == [2, 3]
    assert read_through == ring.head == 3


def test_batch_has_no_more_than_a_page() -> None:
    ring = make_ring(PAGE_SIZE + 1)

    fragments, read_through = ring.take(0, ())

    assert len(fragments) == PAGE_SIZE
    assert read_through == PAGE_SIZE


def test_batch_has_no_more_bytes_than_its_limit() -> None:
    ring = make_ring(10, state=bytes(MAX_BATCH_BYTES // 3))

    taken, after = [], 0
    while after < ring.head:
        fragments, after = ring.take(after, ())
        assert sum(map(len, fragments)) <= MAX_BATCH_BYTES
        taken += ids_of(fragments)

    assert taken == list(range(1, 11))


def test_notification_larger_than_a_batch_travels_alone() -> None:
    ring = make_ring(3, state=bytes(MAX_BATCH_BYTES + 1))

    assert ids_of(ring.take(0, ())[0]) == [1]
    assert ids_of(ring.take(1, ())[0]) == [2]


def test_take_passes_over_thousands_of_other_topics() -> None:
    ring = make_ring(4_000)
    ring.append(make_notification(4_001, "shop:Sold"))
    ring.append(make_notification(4_002))

    fragments, read_through = ring.take(0, {"shop:Sold"})
    assert ids_of(fragments) == [4_001]
    fragments, read_through = ring.take(read_through, {"shop:Sold"})
    assert (ids_of(fragments), read_through) == ([], 4_002)


def test_read_through_is_the_head_when_nothing_matches() -> None:
    ring = make_ring(1_234)

    fragments, read_through = ring.take(0, {"shop:Sold"})

    assert (ids_of(fragments), read_through) == ([], 1_234)


def test_ring_forgets_the_oldest_when_it_has_too_many() -> None:
    ring = make_ring(2 * RING_SIZE + 1)

    assert len(ring) == RING_SIZE
    assert ring.base == RING_SIZE + 1
    assert ids_of(ring.take(ring.base, ())[0])[0] == RING_SIZE + 2


def test_ring_forgets_the_oldest_when_it_has_too_many_bytes() -> None:
    size = MAX_RING_BYTES // 8
    ring = make_ring(20, state=bytes(size))

    assert len(ring) * size <= MAX_RING_BYTES
    assert ring.head == 20


def test_notification_larger_than_the_ring_is_left_to_the_recorder() -> None:
    ring = make_ring(2)
    ring.append(make_notification(3, state=bytes(MAX_RING_BYTES + 1)))
    ring.append(make_notification(4))

    assert (ring.base, ring.head) == (3, 4)
    assert ids_of(ring.take(3, ())[0]) == [4]


@pytest.mark.parametrize("seed", range(10))
def test_any_reader_gets_what_matches_once_and_in_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(notification_ring, "RING_SIZE", rng.randrange(5, 40))
    monkeypatch.setattr(notification_ring, "PAGE_SIZE", rng.randrange(1, 20))
    monkeypatch.setattr(notification_ring, "MAX_BATCH_BYTES", rng.randrange(100, 1_000))
    monkeypatch.setattr(notification_ring, "MAX_RING_BYTES", rng.randrange(1_000, 5_000))
    topics = ["a", "b", "c"]
    wanted = set(rng.sample(topics, rng.randrange(0, 3)))
    ring = NotificationRing(head=rng.randrange(0, 100))
    log: list[Notification] = []
    received: list[int] = []
    position = ring.head
    start = ring.head
    for _ in range(300):
        # Gaps between IDs are normal.
        notification = make_notification(
            ring.head + rng.choice([1, 1, 1, 2, 9]),
            rng.choice(topics),
            bytes(rng.randrange(0, 120)),
        )
        log.append(notification)
        ring.append(notification)
        while rng.random() < 0.4 and position < ring.head:
            if position < ring.base:
                # As a subscriber does, from the recorder.
                received += [
                    n.id
                    for n in log
                    if position < n.id <= ring.base and (not wanted or n.topic in wanted)
                ]
                position = ring.base
            fragments, position = ring.take(position, wanted)
            received += ids_of(fragments)

    assert received == [
        n.id for n in log if start < n.id <= position and (not wanted or n.topic in wanted)
    ]
