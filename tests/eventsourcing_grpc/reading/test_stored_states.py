"""Rejecting events by what is stored of them: nothing is lost, and what can be rejected is."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Notification, Transcoding

from eventsourcing_grpc.calls.json_values import attributes_to_json_text
from eventsourcing_grpc.reading.event_search import EventSearch
from eventsourcing_grpc.reading.search_text import SearchText
from eventsourcing_grpc.reading.stored_states import StoredStateFilter

ORIGINATOR_ID = UUID("0c9d4f0e-a8c8-4070-8000-37d7963591bb")
ORDER_ID = UUID("7b1c4f0e-a8c8-4070-8000-37d7963591aa")
TIME = datetime(2026, 11, 23, 14, 2, 9, 118_000, UTC)


class Noted(Aggregate.Event):
    content: object


class WithDefault(Aggregate.Event):
    content: object = "a default"


class WithOwnAccess(Aggregate.Event):
    content: object

    def __getattr__(self, name: str) -> object:
        if name == "content":
            return "made up"
        raise AttributeError(name)


class Letters:
    def __init__(self, text: str) -> None:
        self.text = text


class AsNumbers(Transcoding):
    type = Letters
    name = "letters"

    def encode(self, obj: Letters) -> list[int]:
        return [ord(letter) for letter in obj.text]

    def decode(self, data: list[int]) -> str:
        return "".join(map(chr, data))


class Notes(Application[UUID]):
    """Any application."""


@pytest.fixture
def notes() -> Application[UUID]:
    return Notes()


def stored(notes: Application[UUID], content: object, cls: type = Noted) -> Notification:
    """Returns an event as it is stored. Without content, it is not stored."""
    state = {"timestamp": TIME} | ({} if content is ... else {"content": content})
    return Notification(
        id=1,
        originator_id=ORIGINATOR_ID,
        originator_version=3,
        topic=f"{__name__}:{cls.__qualname__}",
        state=notes.mapper.transcoder.encode(state),
    )


def may_match(notes: Application[UUID], notification: Notification, text: str) -> bool:
    return StoredStateFilter(SearchText.of(text), notes.mapper).may_match(notification)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("something", "nothing"),
        ("something", '"content": "nothing"'),
        ("alréády", "ältere"),
        (ORDER_ID, str(ORIGINATOR_ID)),
        (ORDER_ID, ORIGINATOR_ID.hex),
        (ORDER_ID, "7b1c4f0f"),
        (ORDER_ID, "uuid_hexagon"),
        (12, "4711"),
        (Decimal("12.50"), "4711"),
        (None, "2026-11-24"),
        ([1, {"a": ORDER_ID}], "content2"),
    ],
)
def test_what_can_not_match_is_rejected(
    notes: Application[UUID], content: object, text: str
) -> None:
    assert not may_match(notes, stored(notes, content), text)


def test_event_whose_class_is_missing_is_rejected(notes: Application[UUID]) -> None:
    notification = Notification(ORIGINATOR_ID, 1, "no.such.module:Noted", b'{"text":"here"}', 1)
    assert not may_match(notes, notification, "here")


@pytest.mark.parametrize(
    ("content", "cls", "text"),
    [
        (..., WithDefault, "a default"),
        (..., WithOwnAccess, "made up"),
        (Letters("xyz"), Noted, "xyz"),
        ([{"inside": Letters("xyz")}], Noted, "xyz"),
        ("one\ntwo", Noted, "nothing"),
        (1.25, Noted, "4711"),
        (Decimal("1E+5"), Noted, "4711"),
        (2**12_000, Noted, "abc"),
    ],
)
def test_what_is_not_known_for_certain_is_left_to_others(
    notes: Application[UUID], content: object, cls: type, text: str
) -> None:
    notes.mapper.transcoder.register(AsNumbers())  # type: ignore[attr-defined]
    assert may_match(notes, stored(notes, content, cls), text)


class _Contents:
    """Makes up contents that are hard to find."""

    def __init__(self, chance: random.Random, *, can_have_letters: bool) -> None:
        self._chance = chance
        self._makers: list[Callable[[], object]] = [
            self._text,
            self._text,
            lambda: chance.choice([0, -1, 12_345, 10**30, 1.5, -0.0, 1e300, 1e-7, float("inf")]),
            lambda: chance.choice([True, False, None, Decimal("1.50"), Decimal("-NaN12")]),
            lambda: UUID(int=chance.getrandbits(128)),
            lambda: TIME + timedelta(microseconds=chance.randrange(10**15)),
            lambda: TIME.astimezone(timezone(timedelta(hours=-3, minutes=-30))),
            lambda: [self.make() for _ in range(chance.randrange(3))],
            lambda: Letters(self._text()) if can_have_letters else None,
            lambda: {self._text(): self.make() for _ in range(chance.randrange(3))},
        ]

    def make(self) -> object:
        return self._chance.choice(self._makers)()

    def _text(self) -> str:
        alphabet = self._chance.choice(
            [string.ascii_letters, 'ab "\\\n,:{}[]', "éßİſŉﬁΣσςЖ☃🎉\u212aab", "0123456789abcdef-"]
        )
        return "".join(self._chance.choices(alphabet, k=self._chance.randrange(12)))


@pytest.mark.parametrize("seed", range(5))
def test_nothing_that_is_shown_is_rejected(notes: Application[UUID], seed: int) -> None:
    chance = random.Random(seed)
    has_own_transcoding = bool(seed % 2)
    if has_own_transcoding:
        notes.mapper.transcoder.register(AsNumbers())  # type: ignore[attr-defined]
    contents = _Contents(chance, can_have_letters=has_own_transcoding)
    for _ in range(200):
        notification = stored(notes, contents.make())
        shown: Any = attributes_to_json_text(notes.mapper.to_domain_event(notification))
        if "\\" in shown:
            # With its escapes it is not what people see.
            continue
        for _ in range(20):
            begin = chance.randrange(len(shown))
            text = shown[begin : begin + chance.choice([1, 2, 4, 8, 16, 40])]
            text = chance.choice([str.upper, str.lower, str.swapcase])(text)
            if text.casefold() in shown.casefold():
                assert EventSearch(text, notes.mapper).matches(notification), (text, shown)
