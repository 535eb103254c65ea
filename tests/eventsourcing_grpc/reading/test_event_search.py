"""Searching a log for a text: in topics, originator IDs and what people see of the states."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.cryptography import AESCipher
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import JSONTranscoder, StoredEvent, Transcoding

from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.reading import event_reading
from eventsourcing_grpc.reading.event_reading import read_events

FORWARDS = pb.DIRECTION_FORWARDS
BACKWARDS = pb.DIRECTION_BACKWARDS
ORDER_ID = UUID("7b1c4f0e-a8c8-4070-8000-37d7963591aa")


class Note(Aggregate):
    class Created(Aggregate.Created):
        content: Any

    def __init__(self, content: Any) -> None:
        self.content = content

    class Priced(Aggregate.Event):
        currency: str = "florins"

    class Moved(Aggregate.Event):
        place: str
        class_version = 2

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["place"] = "the attic"


class Colour:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Colour {self.name}"


class ColourAsLetters(Transcoding):
    type = Colour
    name = "letters"

    def encode(self, obj: Colour) -> list[str]:
        return list(obj.name)

    def decode(self, data: list[str]) -> Colour:
        return Colour("".join(data))


class Backwards(JSONTranscoder):
    """Stores nothing as it is shown."""

    def encode(self, obj: Any) -> bytes:
        return super().encode(obj)[::-1]

    def decode(self, data: bytes) -> Any:
        return super().decode(data[::-1])


class Notes(Application[UUID]):
    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        if self.env.get("HAS_COLOURS"):
            transcoder.register(ColourAsLetters())

    def write(self, *contents: object) -> UUID:
        notes = [Note(content=content) for content in contents]
        self.save(*notes)
        return notes[-1].id

    def insert(self, topic: str, state: bytes) -> UUID:
        originator_id = uuid4()
        self.recorder.insert_events([StoredEvent(originator_id, 1, topic, state)])
        return originator_id


CREATED = f"{__name__}:Note.Created"
TIME = b'"timestamp":{"_type_":"datetime_iso","_data_":"2026-11-23T14:02:09.118000+00:00"}'


@pytest.fixture(params=["memory", "sqlite"])
def notes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Notes]:
    env = {}
    if request.param == "sqlite":
        env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(tmp_path / "db")}
    with Notes(env=env) as application:
        yield application


def search(
    notes: Notes,
    text: str,
    direction: pb.Direction.ValueType = FORWARDS,
    **wanted: Any,
) -> list[pb.Event]:
    """Reads on until the end is reached, as a console does."""
    events: list[pb.Event] = []
    request = pb.ReadEventsRequest(direction=direction, text=text, **{"limit": 100, **wanted})
    for _ in range(10_000):
        page = read_events(notes, request)
        events += page.events
        request.start = page.read_through + (1 if direction == FORWARDS else -1)
        if page.is_end or request.start < 1:
            return events
    pytest.fail("the end was not reached")


def found(notes: Notes, text: str, **wanted: Any) -> list[int]:
    return [e.id for e in search(notes, text, **wanted)]


def test_topic_is_searched_in_any_case(notes: Notes) -> None:
    notes.write("one")
    notes.insert("shop.orders:Order.Paid", b"{}")
    assert found(notes, "order.paid") == [2]
    assert found(notes, "ORDERS:") == [2]
    assert found(notes, "note.CREATED") == [1]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("already paid", "ALREADY P"),
        ("Žluťoučký", "žLUŤ"),
        ("STRASSE", "straße"),
        ("\u212a", "k"),
        ("🎉 party", "🎉 p"),
        ('she said "no"', 'said "NO"'),
        ("C:\\new\\table", "c:\\NEW\\t"),
        ("C:\\new\\table", "\\table"),
        ("one\ntwo", "one\nTWO"),
        ("a\\u0041b", "a\\u0041B"),
        ({"Grand Total": 5}, "grand total"),
        ({"total": 1250}, '"total": 1250'),
        ({"total": 1250, "paid": True}, '1250, "PAID": t'),
        ([1, 2, 3], "1, 2, 3"),
        (None, '"content": null'),
        (1e16, "1e+16"),
        (float("inf"), "infinity"),
        (Decimal("12.50"), "12.50"),
        (Decimal("12.50"), '"12.5'),
        (datetime(2026, 11, 23, tzinfo=UTC), "2026-11-23t00:00"),
        ("https://example.com/orders?id=7", "EXAMPLE.com/orders?ID=7"),
        (ORDER_ID, "7b1c4f0e"),
        (ORDER_ID, "c4f0e-a8c8-40"),
        (ORDER_ID, '"7B1C4F0E-'),
    ],
)
def test_state_is_searched_as_people_see_it(notes: Notes, content: object, text: str) -> None:
    notes.write("one", content, "two")
    assert found(notes, text) == [2]
    assert found(notes, text, direction=BACKWARDS) == [2]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("one\ntwo", "\\n"),
        ("one\ntwo", "ntwo"),
        ('a "b"', '\\"'),
        ("é\x01", "u0001"),
        (ORDER_ID, "uuid_hex"),
        (ORDER_ID, "_data_"),
        ({"a": 1, "b": 2}, '"a":1'),
    ],
)
def test_what_only_storing_needs_is_not_found(notes: Notes, content: object, text: str) -> None:
    notes.write(content)
    assert found(notes, text) == []


@pytest.mark.parametrize("written", ["{}", "{{{}}}", "urn:uuid:{}", "  {} "])
@pytest.mark.parametrize("change", [str.lower, str.upper, lambda text: text.replace("-", "")])
def test_uuid_is_found_in_any_usual_form(notes: Notes, written: str, change: Any) -> None:
    text = written.format(change(str(ORDER_ID)))
    other = UUID(int=ORDER_ID.int + 1)
    notes.write(ORDER_ID, {"order": str(ORDER_ID)}, f"order {ORDER_ID}!", ORDER_ID.hex, other)
    notes.write(str(ORDER_ID).upper(), f"quoted: '{ORDER_ID}' \"{ORDER_ID}\"", str(other))
    assert found(notes, text) == [1, 2, 3, 4, 6, 7]


def test_originator_is_found_by_its_id_or_a_part_of_it(notes: Notes) -> None:
    first, second = notes.write("one"), notes.write("two")
    for text in (str(first), first.hex, str(first).upper(), f"{{{first}}}", first.urn):
        assert found(notes, text) == [1]
    for text in (str(second)[:15], second.hex[:15], second.hex[5:25], str(second)[-12:].upper()):
        assert found(notes, text) == [2]


def test_event_that_can_not_be_decoded_is_found_by_topic_and_originator(notes: Notes) -> None:
    lost = notes.insert("no.such.module:Needle", b'{"text":"in the haystack"}')
    broken = notes.insert(CREATED, b'{"text":"in the haystack"')
    notes.write("in the haystack")
    assert found(notes, "NEEDLE") == [1]
    assert found(notes, str(lost)) == [1]
    assert found(notes, broken.hex) == [2]
    assert found(notes, "in the haystack") == [3]
    assert search(notes, "needle")[0].error


def test_search_goes_with_the_other_filters(notes: Notes) -> None:
    notes.write("red", "green", "red")
    originator_id = notes.write("red")
    notes.insert(f"{__name__}:Note.Priced", b'{"currency":"red",' + TIME + b"}")
    assert found(notes, "red", topics=[CREATED]) == [1, 3, 4]
    assert found(notes, "red", topics=["no:Such"]) == []
    assert found(notes, "red", originator_id=originator_id.hex) == [4]
    assert found(notes, "green", originator_id=originator_id.hex) == []
    assert found(notes, "red", direction=BACKWARDS) == [5, 4, 3, 1]
    page = read_events(notes, pb.ReadEventsRequest(limit=2, text="red"))
    assert [e.id for e in page.events] == [1, 3]
    assert (page.read_through, page.is_end) == (3, False)


def test_no_text_finds_everything(notes: Notes) -> None:
    notes.write("one", "two")
    assert found(notes, "") == [1, 2]


def test_found_events_come_without_their_states_on_request(notes: Notes) -> None:
    notes.write("one", "two")
    (complete,) = search(notes, "two")
    (listed,) = search(notes, "two", omit_state=True)
    assert '"content": "two"' in complete.state
    complete.ClearField("state")
    assert listed == complete


@pytest.mark.parametrize("direction", [FORWARDS, BACKWARDS])
@pytest.mark.parametrize("text", ["needle", "471100471100471"])
def test_long_search_is_done_in_pieces(
    notes: Notes, direction: pb.Direction.ValueType, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_reading, "MAX_SECONDS", 0.0)
    sought = f"{text} in a haystack"
    notes.write(*["hay"] * 50, sought, *["hay"] * 50, sought)
    request = pb.ReadEventsRequest(limit=9, text=text, direction=direction, start=50)
    page = read_events(notes, request)
    assert not page.events
    assert not page.is_end
    assert page.read_through == 50
    expected = [51, 102]
    if direction == BACKWARDS:
        expected.reverse()
    assert found(notes, text, direction=direction) == expected


def test_search_reads_a_bounded_number_of_notifications(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_reading, "MAX_SCANNED", 100)
    notes.write(*["hay"] * 2_000, "needle")
    page = read_events(notes, pb.ReadEventsRequest(limit=9, text="needle"))
    assert not page.events
    assert not page.is_end
    assert 0 < page.read_through <= 1_000
    assert found(notes, "needle") == [2_001]


@pytest.mark.parametrize(
    "env",
    [
        {"COMPRESSOR_TOPIC": "zlib"},
        {
            "COMPRESSOR_TOPIC": "zlib",
            "CIPHER_TOPIC": "eventsourcing.cryptography:AESCipher",
            "CIPHER_KEY": AESCipher.create_key(16),
        },
        {"TRANSCODER_TOPIC": f"{__name__}:Backwards"},
        {"HAS_COLOURS": "yes"},
    ],
    ids=["compressor", "cipher", "transcoder", "transcoding"],
)
def test_what_is_stored_in_another_way_is_found(env: dict[str, str]) -> None:
    with Notes(env=env) as notes:
        notes.write("needle", "hay", ORDER_ID)
        assert found(notes, "NEEDLE") == [1]
        assert found(notes, "content") == [1, 2, 3]
        assert found(notes, str(ORDER_ID)) == [3]
        notes.insert(CREATED, b"\x00 broken")
        assert found(notes, "broken") == []


def test_value_of_an_own_transcoding_is_found_as_it_is_shown() -> None:
    with Notes(env={"HAS_COLOURS": "yes"}) as notes:
        notes.write("red", Colour("ultramarine"), [{"inside": Colour("ochre")}])
        assert found(notes, "ultramarine") == [2]
        assert found(notes, "colour OCHRE") == [3]
        assert found(notes, "letters") == []


def test_what_the_class_adds_to_what_is_stored_is_found(notes: Notes) -> None:
    notes.write("one")
    notes.insert(f"{__name__}:Note.Priced", b"{" + TIME + b"}")
    notes.insert(f"{__name__}:Note.Moved", b"{" + TIME + b"}")
    assert found(notes, "florins") == [2]
    assert found(notes, "THE ATTIC") == [3]
    assert found(notes, '"originator_version": 1') == [1, 2, 3]


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (b'"\\u00e9t\\u00e9"', "\u00c9T\u00c9"),
        (b'"\\ud83c\\udf89"', "\U0001f389"),
        (b'"a\\/b"', "a/b"),
        (b"1E3", "1000.0"),
        (b"1.50", "1.5"),
        (b'{"_type_": "datetime_iso", "_data_": "20261123T1402"}', "2026-11-23T14:02"),
        (b'{"_type_":"uuid_hex","_data_":"{7B1C4F0E-a8c8-4070-8000-37d7963591aa}"}', ORDER_ID.hex),
        (b'{"_data_":"7b1c4f0ea8c84070800037d7963591aa","_type_":"uuid_hex"}', "0e-a8c8-4"),
        (b'{"_type_":"decimal_str","_data_":"inf"}', "Infinity"),
        (b"[" * 150 + b"]" * 150, '"type": "builtins:list"'),
        (b"1" + b"0" * 4_000, f"{10**4_000:x}"[:40]),
    ],
)
def test_what_others_have_stored_is_found_as_it_is_shown(
    notes: Notes, stored: bytes, text: str
) -> None:
    notes.insert(CREATED, b'{"originator_topic":"x:Y",' + TIME + b',"content":' + stored + b"}")
    assert found(notes, text) == [1]
