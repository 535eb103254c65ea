"""What is known of one following."""

from __future__ import annotations

from eventsourcing_grpc.followers.following_record import FollowingRecord
from eventsourcing_grpc.followers.following_status import FollowingState


def test_log_that_has_been_restored_may_be_shorter_than_it_was() -> None:
    record = FollowingRecord("Orders", "localhost:50051")
    record.begin_round(50)
    record.begin_batch(100, 51)
    record.note_processed(51)
    record.note_unreachable(ConnectionError(), 1)
    record.begin_round(51)
    record.begin_batch(80, 51)
    assert record.snapshot().head == 80
    record.note_position(80)
    record.end_batch()
    assert record.snapshot().lag_events == 0
    assert record.snapshot().state is FollowingState.LIVE


def test_what_is_heard_late_takes_nothing_back() -> None:
    record = FollowingRecord("Orders", "localhost:50051")
    record.begin_round(0)
    record.begin_batch(5, 5)
    record.note_head(9)
    record.begin_batch(7, 7)
    record.note_head(8)
    assert record.snapshot().head == 9
