"""Tests of the feed: nothing is missed or repeated, and the log is read once for everyone."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    OperationalError,
    Recording,
    StoredEvent,
)
from eventsourcing.popo import POPOApplicationRecorder
from eventsourcing.system import RecordingEvent
from eventsourcing.utils import Environment

from eventsourcing_grpc import notification_feed
from eventsourcing_grpc.database.database_session import session_of
from eventsourcing_grpc.notification_feed import NotificationFeed
from eventsourcing_grpc.notifications import feed_subscription, notification_ring
from eventsourcing_grpc.notifications.feed_subscription import Batch, FeedSubscription
from eventsourcing_grpc.notifications.notification_ring import MAX_BATCH_BYTES, PAGE_SIZE, RING_SIZE
from eventsourcing_grpc.protos.application_pb2 import NotificationBatch
from tests.postgres_server import PostgresServer
from tests.waiting import DEADLINE, wait_until

pytest_plugins = ["tests.postgres"]

NEVER = 60.0
"""A pull interval that is longer than any of these tests."""
OFTEN = 0.05


class Store:
    """A log that any number of processes may have open: each has a recorder of its own."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = Environment("Shop", env)
        self._factories: list[InfrastructureFactory[Any]] = []

    def recorder(self) -> ApplicationRecorder:
        factory: InfrastructureFactory[Any] = InfrastructureFactory.construct(self._env)
        self._factories.append(factory)
        return factory.application_recorder()

    def close(self) -> None:
        for factory in self._factories:
            factory.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with closing(Store(_env(request, tmp_path))) as store:
        yield store


@pytest.fixture(params=["sqlite", "postgres"])
def shared_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with closing(Store(_env(request, tmp_path))) as store:
        yield store


@pytest.fixture
def postgres_store(postgres_env: dict[str, str]) -> Iterator[Store]:
    with closing(Store(postgres_env)) as store:
        yield store


def _env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "postgres":
        env: dict[str, str] = request.getfixturevalue("postgres_env")
        return env
    if request.param == "sqlite":
        return {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(tmp_path / "shop.db"),
        }
    return {"PERSISTENCE_MODULE": "eventsourcing.popo"}


@contextmanager
def feeding(
    recorder: ApplicationRecorder, max_pull_interval: float = NEVER, *, is_announced: bool = True
) -> Iterator[NotificationFeed]:
    session = session_of(recorder, "Shop")
    feed = NotificationFeed(recorder, max_pull_interval, "Shop", session=session)
    feed.start()
    if is_announced:
        session.start(feed.announce, feed.head)
    try:
        yield feed
    finally:
        feed.stop()
        session.stop()


def record(
    recorder: ApplicationRecorder, count: int, topic: str = "shop:Made", state: bytes = b"{}"
) -> Sequence[Notification]:
    """Records events as somebody else does: nobody is told."""
    events = [StoredEvent(uuid4(), 1, topic, state) for _ in range(count)]
    ids = recorder.insert_events(events)
    assert ids is not None
    return [
        Notification(e.originator_id, e.originator_version, e.topic, e.state, id)
        for e, id in zip(events, ids, strict=True)
    ]


def tell(feed: NotificationFeed, notifications: Sequence[Notification]) -> None:
    """Hands over what was recorded, as the library's recording hook does."""
    # The domain event itself is not looked at.
    recordings: list[Recording[UUID]] = [
        Recording(None, notification) for notification in notifications  # type: ignore[arg-type]
    ]
    feed.receive_recording_event(RecordingEvent("Shop", recordings, None))


def record_and_tell(feed: NotificationFeed, count: int, topic: str = "shop:Made") -> None:
    tell(feed, record(feed.recorder, count, topic))


class Reader:
    """A subscriber with a thread of its own."""

    def __init__(
        self,
        feed: NotificationFeed,
        after: int = 0,
        topics: Sequence[str] = (),
        on_batch: Callable[[Batch], object] | None = None,
    ) -> None:
        self.ids: list[int] = []
        self.read_through = 0
        self.error: Exception | None = None
        self._on_batch = on_batch
        self._subscription = feed.subscribe(after, topics)
        self._thread = threading.Thread(target=self._read, name="reader")
        self._thread.start()

    def _read(self) -> None:
        try:
            for batch in self._subscription:
                self.ids += ids_of(batch)
                self.read_through = batch.read_through
                if self._on_batch:
                    self._on_batch(batch)
        except Exception as e:  # the test looks at it
            self.error = e

    def wait_for(self, read_through: int) -> None:
        wait_until(lambda: self.read_through >= read_through or self.error, f"#{read_through}")
        assert self.error is None

    def close(self) -> None:
        self._subscription.close()
        self.join()

    def join(self) -> None:
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()


def ids_of(batch: Batch) -> list[int]:
    return [message.id for message in NotificationBatch.FromString(batch.encode()).notifications]


def first_batch(subscription: FeedSubscription) -> Batch:
    return next(iter(subscription))


def test_first_batch_comes_at_once_from_an_empty_log(store: Store) -> None:
    with feeding(store.recorder()) as feed, closing(feed.subscribe(0)) as subscription:
        batch = first_batch(subscription)

    assert (ids_of(batch), batch.read_through, batch.head) == ([], 0, 0)


def test_what_is_recorded_and_what_is_being_recorded_has_no_seam(store: Store) -> None:
    recorder = store.recorder()
    record(recorder, PAGE_SIZE + 300)
    with feeding(recorder) as feed:
        is_reading = threading.Event()
        with closing(Reader(feed, on_batch=lambda batch: is_reading.set())) as reader:
            assert is_reading.wait(DEADLINE)
            for _ in range(20):
                record_and_tell(feed, 10)
            reader.wait_for(PAGE_SIZE + 500)

    assert reader.ids == list(range(1, PAGE_SIZE + 501))


def test_subscriber_gets_only_what_is_after_its_position(store: Store) -> None:
    recorder = store.recorder()
    record(recorder, 10)
    with feeding(recorder) as feed, closing(Reader(feed, after=7)) as reader:
        record_and_tell(feed, 2)
        reader.wait_for(12)

    assert reader.ids == [8, 9, 10, 11, 12]


def test_what_this_process_records_is_not_read(store: Store) -> None:
    with feeding(store.recorder(), is_announced=False) as feed, closing(Reader(feed)) as reader:
        at_start = feed.statistics().reads
        for _ in range(50):
            record_and_tell(feed, 3)
        reader.wait_for(150)

        assert feed.statistics().reads == at_start
        assert feed.head == 150


def test_announcements_of_what_this_process_records_do_not_make_it_read_each_time(
    store: Store,
) -> None:
    with feeding(store.recorder()) as feed, closing(Reader(feed)) as reader:
        for _ in range(50):
            record_and_tell(feed, 3)
        reader.wait_for(150)

        # An announcement of the database may overtake the recording hook now and then.
        assert feed.statistics().reads < 10
        assert feed.head == 150


def test_reading_fills_a_gap_in_what_is_handed_over(store: Store) -> None:
    recorder = store.recorder()
    with feeding(recorder) as feed, closing(Reader(feed)) as reader:
        record(recorder, 5)
        record_and_tell(feed, 1)
        reader.wait_for(6)

    assert reader.ids == [1, 2, 3, 4, 5, 6]


def test_hand_overs_in_the_wrong_order_are_sent_in_the_right_one(store: Store) -> None:
    recorder = store.recorder()
    with feeding(recorder) as feed, closing(Reader(feed)) as reader:
        recorded = [record(recorder, 2) for _ in range(20)]
        random.Random(1).shuffle(recorded)
        for notifications in recorded:
            tell(feed, notifications)
        reader.wait_for(40)

    assert reader.ids == list(range(1, 41))


def test_commands_of_many_threads_are_sent_once_and_in_order(store: Store) -> None:
    with (
        feeding(store.recorder()) as feed,
        closing(Reader(feed)) as reader,
        ThreadPoolExecutor(8) as pool,
    ):
        for future in [pool.submit(record_and_tell, feed, 1) for _ in range(200)]:
            future.result(DEADLINE)
        reader.wait_for(200)

    assert reader.ids == list(range(1, 201))


def test_what_other_processes_record_is_found_at_intervals(shared_store: Store) -> None:
    other = shared_store.recorder()
    with feeding(shared_store.recorder(), OFTEN) as feed, closing(Reader(feed)) as reader:
        record(other, 3)
        reader.wait_for(3)
        record(other, 2)
        reader.wait_for(5)

    assert reader.ids == [1, 2, 3, 4, 5]


def test_postgres_announces_what_other_processes_record(postgres_store: Store) -> None:
    other = postgres_store.recorder()
    with feeding(postgres_store.recorder(), NEVER) as feed, closing(Reader(feed)) as reader:
        for count in range(1, 6):
            record(other, 1)
            reader.wait_for(count)

    assert reader.ids == [1, 2, 3, 4, 5]


def test_postgres_announcements_survive_a_lost_connection(
    postgres_store: Store, postgres_server: PostgresServer
) -> None:
    other = postgres_store.recorder()
    with feeding(postgres_store.recorder(), NEVER) as feed, closing(Reader(feed)) as reader:
        record(other, 1)
        reader.wait_for(1)
        assert postgres_server.end_sessions("%: Shop") == 1
        record(other, 1)
        reader.wait_for(2)
        record(other, 1)
        reader.wait_for(3)
        # Nor does it say for long that something is wrong.
        wait_until(lambda: not feed.statistics().last_error, "the error is over")

    assert reader.ids == [1, 2, 3]


def test_gaps_between_ids_are_not_waited_for(postgres_store: Store) -> None:
    recorder = postgres_store.recorder()
    taken = StoredEvent(uuid4(), 1, "shop:Made", b"{}")
    recorder.insert_events([taken])
    with feeding(recorder) as feed, closing(Reader(feed)) as reader:
        expected = [1]
        for _ in range(5):
            with pytest.raises(IntegrityError):
                # It was given an ID, and is rolled back.
                recorder.insert_events([taken])
            notifications = record(recorder, 1)
            expected += [notification.id for notification in notifications]
            tell(feed, notifications)
        reader.wait_for(expected[-1])

    assert reader.ids == expected
    assert expected[-1] > len(expected)


def test_fifty_subscribers_are_sent_everything_and_the_log_is_not_read(store: Store) -> None:
    with feeding(store.recorder()) as feed:
        readers = [Reader(feed) for _ in range(50)]
        for _ in range(30):
            record_and_tell(feed, 10)
        for reader in readers:
            reader.wait_for(300)
        statistics = feed.statistics()
        for reader in readers:
            reader.close()

    assert statistics.reads <= 3
    assert statistics.subscribers == 50
    assert all(reader.ids == list(range(1, 301)) for reader in readers)
    assert feed.statistics().subscribers == 0


def test_fifty_subscribers_make_one_reader_of_what_others_record(shared_store: Store) -> None:
    other = shared_store.recorder()
    with feeding(shared_store.recorder(), NEVER) as feed:
        readers = [Reader(feed) for _ in range(50)]
        record(other, 300)
        feed.catch_up()
        for reader in readers:
            reader.wait_for(300)
        statistics = feed.statistics()
        for reader in readers:
            reader.close()

    assert statistics.reads <= 4
    assert all(reader.ids == list(range(1, 301)) for reader in readers)


def test_slow_subscriber_slows_no_one_and_misses_nothing() -> None:
    with feeding(POPOApplicationRecorder()) as feed:
        may_go_on = threading.Event()
        with (
            closing(Reader(feed, on_batch=lambda batch: may_go_on.wait(DEADLINE))) as slow,
            closing(Reader(feed)) as fast,
        ):
            total = 2 * RING_SIZE + 1_000
            for _ in range(total // 100):
                record_and_tell(feed, 100)
            fast.wait_for(total)
            assert len(slow.ids) <= 100
            # What it has not read is no longer in the ring.
            assert feed.statistics().ring_length < total
            may_go_on.set()
            slow.wait_for(total)

    assert slow.ids == fast.ids == list(range(1, total + 1))


def test_batches_are_limited_by_their_bytes() -> None:
    # In memory: psycopg's pipelines hang when they send megabytes.
    recorder = POPOApplicationRecorder()
    # What the ring hasn't, and what it has.
    record(recorder, 5, state=bytes(MAX_BATCH_BYTES // 2 - 1_000))
    record(recorder, 1, state=bytes(2 * MAX_BATCH_BYTES))
    sizes: list[tuple[int, int]] = []

    def measure(batch: Batch) -> None:
        sizes.append((len(batch.encode()), len(batch.fragments)))

    with feeding(recorder) as feed, closing(Reader(feed, on_batch=measure)) as reader:
        reader.wait_for(6)
        tell(feed, record(recorder, 5, state=bytes(MAX_BATCH_BYTES // 2 - 1_000)))
        reader.wait_for(11)

    assert reader.ids == list(range(1, 12))
    assert all(size < MAX_BATCH_BYTES or count == 1 for size, count in sizes)


def test_topics_are_filtered_in_what_is_recorded_and_what_is_being_recorded(store: Store) -> None:
    recorder = store.recorder()
    record(recorder, 2_000)
    record(recorder, 1, "shop:Sold")
    record(recorder, 1_999)
    with feeding(recorder) as feed, closing(Reader(feed, topics=["shop:Sold"])) as reader:
        reader.wait_for(4_000)
        record_and_tell(feed, 3_000)
        reader.wait_for(7_000)
        record_and_tell(feed, 1, "shop:Sold")
        reader.wait_for(7_001)

    assert reader.ids == [2_001, 7_001]


def test_subscriber_with_topics_hears_seldom_that_nothing_matches() -> None:
    batches: list[Batch] = []
    with (
        feeding(POPOApplicationRecorder()) as feed,
        closing(Reader(feed, topics=["shop:Sold"], on_batch=batches.append)) as reader,
    ):
        for _ in range(2_000):
            record_and_tell(feed, 1)
        reader.wait_for(2_000)

    assert reader.ids == []
    assert len(batches) < 100


def test_subscriber_ahead_of_the_log_is_told_how_long_it_is(shared_store: Store) -> None:
    other = shared_store.recorder()
    with feeding(shared_store.recorder()) as feed, closing(feed.subscribe(7)) as subscription:
        record(other, 5)
        batch = first_batch(subscription)

    assert (ids_of(batch), batch.head) == ([], 5)


def test_event_topics_are_those_of_the_newest_and_of_what_comes(store: Store) -> None:
    recorder = store.recorder()
    record(recorder, 3)
    with feeding(recorder) as feed:
        assert feed.event_topics() == ["shop:Made"]
        record_and_tell(feed, 1, "shop:Sold")

        assert feed.event_topics() == ["shop:Made", "shop:Sold"]


def test_stopping_ends_the_iteration_of_all_subscribers(store: Store) -> None:
    with feeding(store.recorder()) as feed:
        readers = [Reader(feed) for _ in range(3)]
        record_and_tell(feed, 1)
        for reader in readers:
            reader.wait_for(1)
    for reader in readers:
        reader.join()


def test_closing_ends_the_iteration_of_one_subscriber(store: Store) -> None:
    with feeding(store.recorder()) as feed, closing(Reader(feed)) as other:
        reader = Reader(feed)
        reader.wait_for(0)
        reader.close()
        reader.close()
        assert feed.statistics().subscribers == 1
        record_and_tell(feed, 1)
        other.wait_for(1)

    assert reader.ids == []


def test_threads_end_with_the_feed(store: Store) -> None:
    recorder = store.recorder()
    before = set(threading.enumerate())
    with feeding(recorder) as feed, closing(Reader(feed)) as reader:
        record_and_tell(feed, 1)
        reader.wait_for(1)
    started = [
        thread
        for thread in threading.enumerate()
        if thread not in before and "pool" not in thread.name
    ]

    assert started == []


class FailingRecorder(POPOApplicationRecorder):
    """A recorder whose database can go away."""

    is_failing = False

    def select_notifications(self, *args: Any, **kwargs: Any) -> Sequence[Notification]:
        if self.is_failing:
            msg = "disk I/O error"
            raise OperationalError(msg)
        return super().select_notifications(*args, **kwargs)


def test_log_that_can_not_be_read_is_told_and_tried_again() -> None:
    recorder = FailingRecorder()
    with feeding(recorder, OFTEN) as feed, closing(Reader(feed)) as reader:
        recorder.is_failing = True
        record(recorder, 3)
        wait_until(lambda: feed.statistics().last_error, "an error")
        assert feed.statistics().last_error == "OperationalError: disk I/O error"
        recorder.is_failing = False
        reader.wait_for(3)
        wait_until(lambda: not feed.statistics().last_error, "no error")

    assert reader.ids == [1, 2, 3]


def test_subscriber_hears_that_its_part_of_the_log_can_not_be_read() -> None:
    recorder = FailingRecorder()
    record(recorder, 3)
    with feeding(recorder) as feed:
        recorder.is_failing = True
        with closing(Reader(feed)) as reader:
            reader.join()

    assert isinstance(reader.error, OperationalError)


@pytest.mark.parametrize("seed", range(5))
def test_any_subscriber_gets_what_matches_once_and_in_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    page_size = rng.randrange(1, 30)
    for module in (notification_ring, notification_feed, feed_subscription):
        monkeypatch.setattr(module, "PAGE_SIZE", page_size)
    monkeypatch.setattr(notification_ring, "RING_SIZE", rng.randrange(5, 60))
    monkeypatch.setattr(notification_ring, "MAX_BATCH_BYTES", rng.randrange(200, 3_000))
    monkeypatch.setattr(notification_ring, "MAX_RING_BYTES", rng.randrange(3_000, 20_000))
    topics = ["shop:A", "shop:B", "shop:C"]
    recorder = POPOApplicationRecorder()
    record(recorder, rng.randrange(0, 100), rng.choice(topics))
    with feeding(recorder) as feed:
        wishes = [(rng.randrange(0, 50), rng.sample(topics, rng.randrange(0, 3))) for _ in range(6)]
        readers = [Reader(feed, after, wanted) for after, wanted in wishes]
        for _ in range(200):
            notifications = record(
                recorder, rng.randrange(1, 4), rng.choice(topics), bytes(rng.randrange(0, 100))
            )
            if rng.random() < 0.8:
                tell(feed, notifications)
        record_and_tell(feed, 1)
        head = recorder.max_notification_id() or 0
        for reader in readers:
            reader.wait_for(head)
        for reader in readers:
            reader.close()

    log = recorder.select_notifications(None, 10_000)
    for reader, (after, wanted) in zip(readers, wishes, strict=True):
        assert reader.ids == [
            n.id for n in log if n.id > after and (not wanted or n.topic in wanted)
        ]
