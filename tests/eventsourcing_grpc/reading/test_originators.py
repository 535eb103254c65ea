"""Finding originators in PostgreSQL, whose column of IDs is of one type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import StoredEvent

from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.reading import event_reading
from eventsourcing_grpc.reading.event_reading import read_events
from eventsourcing_grpc.reading.originators import find_first_event, last_version

pytest_plugins = ["tests.postgres"]


class Things(Application[UUID]):
    """Any application."""


@pytest.fixture
def things(
    request: pytest.FixtureRequest, postgres_env: dict[str, str]
) -> Iterator[Application[Any]]:
    """An application whose IDs are of the given type."""
    with Things(env={**postgres_env, "ORIGINATOR_ID_TYPE": request.param}) as application:
        yield application


def insert(things: Application[Any], originator_id: UUID | str, versions: int = 3) -> None:
    things.recorder.insert_events(
        [StoredEvent(originator_id, version, "a:B", b"{}") for version in range(1, versions + 1)]
    )


@pytest.mark.parametrize("things", ["uuid"], indirect=True)
def test_column_of_uuids_can_be_asked_for_text(things: Application[Any]) -> None:
    originator_id = uuid4()
    insert(things, originator_id)
    for written in (str(originator_id), originator_id.hex, f"{{{originator_id}}}"):
        first = find_first_event(things.recorder, written)
        assert first is not None
        assert first.originator_id == originator_id
    assert find_first_event(things.recorder, "nobody") is None
    assert find_first_event(things.recorder, str(uuid4())) is None
    assert last_version(things.recorder, originator_id) == 3


@pytest.mark.parametrize("things", ["text"], indirect=True)
def test_column_of_text_can_be_asked_for_uuids(things: Application[Any]) -> None:
    looks_like = str(uuid4())
    insert(things, looks_like)
    insert(things, "somebody")
    for written in (looks_like, "somebody"):
        first = find_first_event(things.recorder, written)
        assert first is not None
        assert first.originator_id == written
    assert find_first_event(things.recorder, "nobody") is None
    assert find_first_event(things.recorder, str(uuid4())) is None


@pytest.mark.parametrize("things", ["uuid", "text"], indirect=True)
@pytest.mark.parametrize(
    ("direction", "expected"),
    [(pb.DIRECTION_FORWARDS, [501, 502, 503]), (pb.DIRECTION_BACKWARDS, [503, 502, 501])],
)
def test_aggregate_that_is_far_away_is_found_without_a_search(
    things: Application[Any],
    direction: pb.Direction.ValueType,
    expected: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def some_id() -> UUID | str:
        return uuid4() if things.env["ORIGINATOR_ID_TYPE"] == "uuid" else str(uuid4())

    originator_id = some_id()
    insert(things, some_id(), 500)
    insert(things, originator_id, 3)
    insert(things, some_id(), 500)
    request = pb.ReadEventsRequest(
        limit=10, direction=direction, originator_id=str(originator_id), topics=["a:B", "c:D"]
    )
    found = read_events(things, request)
    assert [e.id for e in found.events] == expected
    assert found.is_end
    request.start = 502
    found = read_events(things, request)
    assert [e.id for e in found.events] == expected[1:]
    request.topics[:] = ["c:D"]
    found = read_events(things, request)
    assert (len(found.events), found.is_end) == (0, True)
    # As good as no time: only the first look can find something.
    monkeypatch.setattr(event_reading, "MAX_SECONDS", 0.0)
    del request.topics[:]
    assert [e.id for e in read_events(things, request).events] == [502]


@pytest.mark.parametrize("things", ["uuid"], indirect=True)
def test_gap_that_a_rollback_leaves_is_stepped_over(things: Application[Any]) -> None:
    insert(things, uuid4(), 2)
    with things.factory.datastore.transaction(commit=True) as cursor:  # type: ignore[attr-defined]
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence(%s, 'notification_id'), 100000)",
            (f"{things.env['POSTGRES_SCHEMA']}.things_events",),
        )
    originator_id = uuid4()
    insert(things, originator_id, 2)
    backwards = read_events(
        things, pb.ReadEventsRequest(limit=10, direction=pb.DIRECTION_BACKWARDS)
    )
    assert [e.id for e in backwards.events] == [100_002, 100_001, 2, 1]
    forwards = read_events(things, pb.ReadEventsRequest(limit=10, topics=["a:B"]))
    assert [e.id for e in forwards.events] == [1, 2, 100_001, 100_002]
    assert forwards.is_end
