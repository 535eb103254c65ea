"""Reading decoded events, in either direction, a bounded piece at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.cryptography import AESCipher
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder

from eventsourcing_grpc.errors import RequestError
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.reading import event_reading
from eventsourcing_grpc.reading.event_reading import read_events

FORWARDS = pb.DIRECTION_FORWARDS
BACKWARDS = pb.DIRECTION_BACKWARDS


class Page(Aggregate):
    def __init__(self, text: str = "") -> None:
        self.text = text

    @event("Changed")
    def change(self, text: str) -> None:
        self.text = text


class Pages(Application[UUID]):
    def write(self, text: str = "", changes: int = 0) -> Page:
        page = Page(text)
        for i in range(changes):
            page.change(str(i))
        self.save(page)
        return page


CREATED = f"{__name__}:Page.Created"
CHANGED = f"{__name__}:Page.Changed"


@pytest.fixture(params=["memory", "sqlite"])
def pages(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pages]:
    env = {}
    if request.param == "sqlite":
        env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(tmp_path / "db")}
    with Pages(env=env) as application:
        yield application


def read(
    pages: Application[Any],
    start: int | None = None,
    limit: int = 1_000,
    direction: pb.Direction.ValueType = FORWARDS,
    topics: tuple[str, ...] = (),
    originator_id: object = "",
    omit_state: bool = False,
) -> pb.ReadEventsResponse:
    return read_events(
        pages,
        pb.ReadEventsRequest(
            start=start,
            limit=limit,
            direction=direction,
            topics=topics,
            originator_id=str(originator_id),
            omit_state=omit_state,
        ),
    )


def read_all(
    pages: Application[Any], direction: pb.Direction.ValueType, **wanted: Any
) -> list[pb.Event]:
    """Reads on until the end is reached, as a console does."""
    events: list[pb.Event] = []
    start: int | None = None
    for _ in range(1_000):
        page = read(pages, start, direction=direction, **wanted)
        events += page.events
        if page.is_end:
            return events
        start = page.read_through + (1 if direction == FORWARDS else -1)
        if start < 1:
            return events
    pytest.fail("the end was not reached")


def ids(page: pb.ReadEventsResponse) -> list[int]:
    return [e.id for e in page.events]


def delete(pages: Pages, first: int, last: int) -> None:
    """Makes a gap in the log of an application with SQLite."""
    with sqlite3.connect(pages.env["SQLITE_DBNAME"]) as connection:
        connection.execute("DELETE FROM stored_events WHERE rowid BETWEEN ? AND ?", (first, last))
    connection.close()


def test_event_is_decoded(pages: Pages) -> None:
    page = pages.write("hello")
    (read_event,) = read(pages).events
    assert read_event.id == 1
    assert read_event.topic == CREATED
    assert read_event.originator_id == str(page.id)
    assert read_event.originator_version == 1
    assert read_event.timestamp.ToDatetime() == page.created_on.replace(tzinfo=None)
    assert read_event.error == ""
    state = json.loads(read_event.state)
    assert state["text"] == "hello"
    assert state["originator_id"] == str(page.id)
    assert state["originator_version"] == 1
    assert state["timestamp"] == page.created_on.isoformat()


def test_empty_log_is_at_its_end_in_both_directions(pages: Pages) -> None:
    for direction in (FORWARDS, BACKWARDS):
        assert read(pages, direction=direction) == pb.ReadEventsResponse(is_end=True)


def test_events_are_read_forwards_from_the_first(pages: Pages) -> None:
    pages.write(changes=4)
    page = read(pages, limit=3)
    assert ids(page) == [1, 2, 3]
    assert (page.read_through, page.is_end, page.head) == (3, False, 5)
    page = read(pages, page.read_through + 1, limit=3)
    assert ids(page) == [4, 5]
    assert (page.read_through, page.is_end, page.head) == (5, True, 5)


def test_events_are_read_backwards_from_the_last(pages: Pages) -> None:
    pages.write(changes=4)
    page = read(pages, limit=3, direction=BACKWARDS)
    assert ids(page) == [5, 4, 3]
    assert (page.read_through, page.is_end, page.head) == (3, False, 5)
    page = read(pages, page.read_through - 1, limit=3, direction=BACKWARDS)
    assert ids(page) == [2, 1]
    assert (page.read_through, page.is_end, page.head) == (1, True, 5)


def test_no_direction_means_forwards(pages: Pages) -> None:
    pages.write(changes=1)
    assert ids(read(pages, direction=pb.DIRECTION_UNSPECIFIED)) == [1, 2]


@pytest.mark.parametrize("start", [6, 100, 2**63, 2**64 - 1])
def test_start_beyond_the_head_is_the_end(pages: Pages, start: int) -> None:
    pages.write(changes=4)
    page = read(pages, start)
    assert ids(page) == []
    assert page.is_end
    assert page.head == 5
    assert page.read_through == min(start, 2**63 - 1) - 1
    assert ids(read(pages, start, limit=1, direction=BACKWARDS)) == [5]


def test_start_at_zero_is_before_the_first(pages: Pages) -> None:
    pages.write()
    assert ids(read(pages, 0)) == [1]
    page = read(pages, 0, direction=BACKWARDS)
    assert ids(page) == []
    assert (page.read_through, page.is_end) == (0, True)


def test_limit_of_zero_is_refused(pages: Pages) -> None:
    with pytest.raises(RequestError) as caught:
        read(pages, limit=0)
    assert str(caught.value) == "The limit is 0: ask for 1 to 1,000 events"
    assert caught.value.violations == {"limit": "must be at least 1"}


def test_unknown_direction_is_refused(pages: Pages) -> None:
    with pytest.raises(RequestError, match="no direction 7"):
        read_events(pages, pb.ReadEventsRequest.FromString(b"\x10\x01\x18\x07"))


def test_great_limit_is_reduced(pages: Pages) -> None:
    pages.write(changes=1_100)
    page = read(pages, limit=2**32 - 1)
    assert 0 < len(page.events) <= 1_000
    assert not page.is_end
    assert ids(page) == list(range(1, len(page.events) + 1))


@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
def test_topics_are_filtered(pages: Pages, direction: pb.Direction.ValueType) -> None:
    for _ in range(5):
        pages.write(changes=100)
    events = read_all(pages, direction, topics=(CREATED,))
    expected = [1, 102, 203, 304, 405]
    assert [e.id for e in events] == (expected if direction == FORWARDS else expected[::-1])


@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
def test_topic_that_matches_nothing_comes_to_the_end(
    pages: Pages, direction: pb.Direction.ValueType
) -> None:
    pages.write(changes=300)
    assert read_all(pages, direction, topics=("no:Such",)) == []


@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
def test_aggregate_is_filtered(pages: Pages, direction: pb.Direction.ValueType) -> None:
    pages.write(changes=99)
    page = pages.write(changes=3)
    pages.write(changes=99)
    for written in (str(page.id), page.id.hex, str(page.id).upper(), f"{{{page.id}}}"):
        events = read_all(pages, direction, originator_id=written)
        expected = [101, 102, 103, 104]
        assert [e.id for e in events] == (expected if direction == FORWARDS else expected[::-1])
    only_created = read_all(pages, direction, originator_id=page.id, topics=(CREATED,))
    assert [e.id for e in only_created] == [101]


def test_log_is_not_searched_further_than_an_aggregates_last_event(pages: Pages) -> None:
    page = pages.write(changes=3)
    pages.write(changes=99)
    found = read(pages, originator_id=page.id)
    assert ids(found) == [1, 2, 3, 4]
    assert (found.read_through, found.is_end) == (104, True)


@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
def test_log_is_not_searched_for_an_unknown_aggregate(
    pages: Pages, direction: pb.Direction.ValueType
) -> None:
    pages.write(changes=99)
    for unknown in (uuid4(), "nobody"):
        found = read(pages, direction=direction, originator_id=unknown)
        assert ids(found) == []
        assert (found.is_end, found.head) == (True, 100)


@pytest.mark.parametrize("pages", ["sqlite"], indirect=True)
@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
@pytest.mark.parametrize("topics", [(), (CHANGED,)])
def test_gaps_are_stepped_over(
    pages: Pages, direction: pb.Direction.ValueType, topics: tuple[str, ...]
) -> None:
    pages.write(changes=2_000)
    delete(pages, 3, 1_500)
    delete(pages, 1_502, 1_502)
    expected = [2, 1_501, *range(1_503, 2_002)]
    if not topics:
        expected.insert(0, 1)
    if direction == BACKWARDS:
        expected.reverse()
    assert [e.id for e in read_all(pages, direction, topics=topics)] == expected


@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
def test_large_states_are_sent_in_pieces(pages: Pages, direction: pb.Direction.ValueType) -> None:
    for _ in range(9):
        pages.write("x" * 700_000)
    page = read(pages, direction=direction)
    assert len(page.events) == 2
    assert not page.is_end
    expected = list(range(1, 10))
    events = read_all(pages, direction)
    assert [e.id for e in events] == (expected if direction == FORWARDS else expected[::-1])


def test_event_that_alone_is_too_large_is_sent_alone(pages: Pages) -> None:
    for length in (3_000_000, 3_000_000, 1):
        pages.write("x" * length)
    assert ids(read(pages)) == [1]
    assert ids(read(pages, 2)) == [2]
    assert ids(read(pages, direction=BACKWARDS)) == [3]


@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
def test_long_search_is_done_in_pieces(
    pages: Pages, direction: pb.Direction.ValueType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_reading, "MAX_SECONDS", 0.0)
    first, last = pages.write(), pages.write(changes=500)
    sought = first if direction == BACKWARDS else last
    page = read(pages, direction=direction, topics=("no:Such",))
    assert not page.is_end
    assert 0 < page.read_through < 502
    events = read_all(pages, direction, originator_id=sought.id)
    assert len(events) == len({e.id for e in events}) == (1 if sought is first else 501)


@pytest.mark.parametrize("pages", ["memory"], indirect=True)
def test_search_for_an_aggregate_in_memory_reads_a_bounded_number_of_notifications(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_reading, "MAX_SCANNED", 100)
    pages.write(changes=2_000)
    last = pages.write()
    page = read(pages, originator_id=last.id)
    assert not page.is_end
    assert 100 <= page.read_through <= 1_000
    assert [e.id for e in read_all(pages, FORWARDS, originator_id=last.id)] == [2_002]


@pytest.mark.parametrize("pages", ["sqlite"], indirect=True)
@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
def test_aggregate_that_is_far_away_is_found_without_a_search(
    pages: Pages, direction: pb.Direction.ValueType, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages.write(changes=1_000)
    page = pages.write(changes=2)
    pages.write(changes=1_000)
    # As good as no time: only the first look can find something.
    monkeypatch.setattr(event_reading, "MAX_SECONDS", 0.0)
    first = 1_002 if direction == FORWARDS else 1_004
    assert ids(read(pages, direction=direction, originator_id=page.id)) == [first]
    found = read(pages, direction=direction, originator_id=page.id, topics=(CREATED,))
    assert ids(found) == [1_002]
    assert ids(read(pages, 1_003, direction=direction, originator_id=page.id)) == [1_003]


@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
def test_aggregate_with_many_events_is_read_page_by_page(
    pages: Pages, direction: pb.Direction.ValueType
) -> None:
    pages.write(changes=9)
    page = pages.write(changes=500)
    pages.write(changes=9)
    expected = list(range(11, 512))
    if direction == BACKWARDS:
        expected.reverse()
    found = read(pages, direction=direction, originator_id=page.id, limit=3)
    assert ids(found) == expected[:3]
    assert (found.read_through, found.is_end) == (expected[2], False)
    events = read_all(pages, direction, originator_id=page.id, limit=100)
    assert [e.id for e in events] == expected


class OddRecorder(SQLiteApplicationRecorder):
    """Shows another log than the one in its table."""

    def select_notifications(self, *args: Any, **kwargs: Any) -> Sequence[Notification]:
        notifications = super().select_notifications(*args, **kwargs)
        return [n for n in notifications if n.originator_version != 3]


def test_recorder_of_an_own_class_is_asked_itself(tmp_path: Path) -> None:
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(tmp_path / "db"),
        "APPLICATION_RECORDER_TOPIC": f"{__name__}:OddRecorder",
    }
    with Pages(env=env) as pages:
        page = pages.write(changes=3)
        assert ids(read(pages, originator_id=page.id)) == [1, 2, 4]


def test_states_are_left_out_and_times_are_not(pages: Pages) -> None:
    pages.write("hello", changes=2)
    complete = read(pages)
    for read_event in complete.events:
        assert read_event.state
        read_event.ClearField("state")
    assert read(pages, omit_state=True) == complete


def test_large_states_that_are_left_out_do_not_count(pages: Pages) -> None:
    for _ in range(50):
        pages.write("x" * 1_000_000)
    for direction in (FORWARDS, BACKWARDS):
        events = read_all(pages, direction, limit=50, omit_state=True)
        assert sorted(e.id for e in events) == list(range(1, 51))
        assert all(e.HasField("timestamp") for e in events)


def test_length_of_states_is_that_of_their_bytes(pages: Pages) -> None:
    for _ in range(3):
        pages.write("☃" * 400_000)
    assert ids(read(pages)) == [1]


def test_event_that_can_not_be_decoded_says_why_and_stops_nothing(pages: Pages) -> None:
    pages.write("before")
    pages.recorder.insert_events(
        [
            StoredEvent(uuid4(), 1, "no.such.module:Event", b"{}"),
            StoredEvent(uuid4(), 1, CREATED, b"\x00 not JSON\n"),
            StoredEvent(uuid4(), 1, CREATED, b'{"text": {"_type_": "unknown", "_data_": 1}}'),
            # Half a character, in what says that it is not known.
            StoredEvent(uuid4(), 1, CREATED, b'{"text": {"_type_": "\\ud800", "_data_": 1}}'),
        ]
    )
    pages.write("after")
    events = read(pages).events
    without_states = read(pages, omit_state=True).events
    assert [e.error for e in without_states] == [e.error for e in events]
    assert [bool(e.error) for e in events] == [False, True, True, True, True, False]
    for undecodable in events[1:5]:
        assert undecodable.state == ""
        assert "\n" not in undecodable.error
    assert events[1].topic == "no.such.module:Event"
    assert "no.such.module" in events[1].error


def test_compressed_and_encrypted_events_are_decoded() -> None:
    env = {
        "COMPRESSOR_TOPIC": "zlib",
        "CIPHER_TOPIC": "eventsourcing.cryptography:AESCipher",
        "CIPHER_KEY": AESCipher.create_key(16),
    }
    with Pages(env=env) as pages:
        pages.write("hello")
        assert json.loads(read(pages).events[0].state)["text"] == "hello"
