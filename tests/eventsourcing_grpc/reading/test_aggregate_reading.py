"""Reading the state of an aggregate, at any version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import singledispatch
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import AggregateNotFoundError, Application, ProjectorFunction
from eventsourcing.domain import (
    Aggregate,
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
    MetaDomainEvent,
    event,
)
from eventsourcing.persistence import StoredEvent

from eventsourcing_grpc.errors import RequestError
from eventsourcing_grpc.reading.aggregate_reading import NotProjectableError, read_aggregate


class Account(Aggregate):
    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.balance = 0

    @event("Credited")
    def credit(self, amount: int) -> None:
        self.balance += amount

    @event("Closed")
    def close(self) -> None:
        """Nothing is remembered."""


class Bank(Application[UUID]):
    snapshotting_intervals: ClassVar[dict[type, int]] = {Account: 2}

    def open(self, owner: str, *credits: int) -> Account:
        account = Account(owner)
        for amount in credits:
            account.credit(amount)
        self.save(account)
        return account


@dataclass(frozen=True)
class Named:
    """The event of an aggregate that is made by functions."""

    originator_id: UUID
    originator_version: int
    timestamp: datetime
    name: str


@dataclass(frozen=True)
class Thing:
    id: UUID
    version: int
    name: str
    created_on: datetime


@dataclass(frozen=True)
class Other:
    id: UUID
    version: int


@singledispatch
def mutate_other(_event: object, _other: Other | None) -> Other | None:
    raise NotImplementedError


def project_other(other: Other | None, events: Iterable[Any]) -> Other | None:
    for domain_event in events:
        other = mutate_other(domain_event, other)
    return other


def project_thing(thing: Thing | None, events: Iterable[Named]) -> Thing | None:
    for e in events:
        thing = Thing(e.originator_id, e.originator_version, e.name, e.timestamp)
    return thing


class Things(Application[UUID]):
    snapshotting_projectors: ClassVar[dict[type, ProjectorFunction[Any, Any]]] = {
        Other: project_other,
        Thing: project_thing,
    }


class UnknownThings(Application[UUID]):
    """Does not tell how its events make an aggregate."""


class TextEvent(CanMutateAggregate[str], metaclass=MetaDomainEvent):
    originator_id: str
    originator_version: int
    timestamp: datetime


class TextAggregate(BaseAggregate[str]):
    class Event(TextEvent):
        pass

    class Created(Event, CanInitAggregate[str]):
        originator_topic: str


class Article(TextAggregate):
    """Its ID is its name."""

    @staticmethod
    def create_id(name: str) -> str:
        return name

    @event("Started")
    def __init__(self, name: str) -> None:
        self.name = name


class Articles(Application[str]):
    """Has IDs that are text."""


@pytest.fixture(params=["memory", "sqlite"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "memory":
        return {}
    return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(tmp_path / "db")}


@pytest.fixture
def bank(env: dict[str, str]) -> Iterator[Bank]:
    with Bank(env=env) as application:
        yield application


def state(
    application: Application[Any], originator_id: object, version: int | None = None
) -> dict[str, Any]:
    response = read_aggregate(application, str(originator_id), version)
    loaded: dict[str, Any] = json.loads(response.state)
    return loaded


def test_newest_state_is_read(bank: Bank) -> None:
    account = bank.open("Ann", 5, 10)
    response = read_aggregate(bank, str(account.id), None)
    assert response.topic == f"{__name__}:Account"
    assert response.originator_id == str(account.id)
    assert response.version == 3
    assert json.loads(response.state) == {
        "id": str(account.id),
        "version": 3,
        "created_on": account.created_on.isoformat(),
        "modified_on": account.modified_on.isoformat(),
        "owner": "Ann",
        "balance": 15,
    }


def test_state_is_read_at_any_version(bank: Bank) -> None:
    account = bank.open("Ann", 5, 10, 20)
    balances = [state(bank, account.id, version)["balance"] for version in (1, 2, 3, 4)]
    assert balances == [0, 5, 15, 35]
    assert read_aggregate(bank, str(account.id), 2).version == 2


def test_large_state_is_read(bank: Bank) -> None:
    account = bank.open("x" * 10_000_000)
    assert len(state(bank, account.id)["owner"]) == 10_000_000


@pytest.mark.parametrize("bank_env", [{"AGGREGATE_CACHE_MAXSIZE": "10"}])
def test_reading_leaves_the_applications_cache_alone(bank_env: dict[str, str]) -> None:
    with Bank(env=bank_env) as bank:
        account = bank.open("Ann", 5)
        read_aggregate(bank, str(account.id), None)
        assert bank.repository.cache is not None
        assert account.id not in bank.repository.cache.cache


@pytest.mark.parametrize("written", ["{}", "{{{}}}", "urn:uuid:{}"])
def test_uuid_is_taken_in_any_usual_form(bank: Bank, written: str) -> None:
    account = bank.open("Ann")
    assert state(bank, written.format(account.id))["owner"] == "Ann"
    assert state(bank, str(account.id).upper())["owner"] == "Ann"
    assert state(bank, account.id.hex)["owner"] == "Ann"


def test_unknown_aggregate_is_not_found(bank: Bank) -> None:
    unknown = uuid4()
    with pytest.raises(AggregateNotFoundError, match=f"Bank has no aggregate {unknown}"):
        read_aggregate(bank, str(unknown), None)
    with pytest.raises(AggregateNotFoundError, match="Bank has no aggregate nobody"):
        read_aggregate(bank, "nobody", None)


@pytest.mark.parametrize("version", [-1, 0, 3, 2**62])
def test_unknown_version_is_not_found(bank: Bank, version: int) -> None:
    account = bank.open("Ann", 5)
    with pytest.raises(AggregateNotFoundError, match=f"has no version {version}: it has 1 to 2"):
        read_aggregate(bank, str(account.id), version)


def test_missing_id_is_refused(bank: Bank) -> None:
    with pytest.raises(RequestError) as caught:
        read_aggregate(bank, "", None)
    assert caught.value.violations == {"originator_id": "is missing"}


def insert_thing(application: Application[UUID]) -> UUID:
    transcoder = application.mapper.transcoder
    originator_id = uuid4()
    application.recorder.insert_events(
        [
            StoredEvent(
                originator_id,
                version,
                f"{__name__}:Named",
                transcoder.encode({"timestamp": datetime.now(UTC), "name": name}),
            )
            for version, name in enumerate(("first", "second"), start=1)
        ]
    )
    return originator_id


def test_aggregate_of_functions_is_made_by_the_projector_that_fits(env: dict[str, str]) -> None:
    with Things(env=env) as things:
        originator_id = insert_thing(things)
        assert state(things, originator_id)["name"] == "second"
        first = state(things, originator_id, 1)
        assert (first["name"], first["version"]) == ("first", 1)


def test_aggregate_that_nothing_makes_is_told_of(env: dict[str, str]) -> None:
    with UnknownThings(env=env) as things:
        originator_id = insert_thing(things)
        with pytest.raises(NotProjectableError, match="Named has no mutate"):
            read_aggregate(things, str(originator_id), None)


@pytest.mark.parametrize(
    "name",
    ["one", "an article", str(uuid4()), uuid4().hex],
    ids=["word", "words", "UUID", "UUID without dashes"],
)
def test_originator_id_may_be_text_of_any_kind(env: dict[str, str], name: str) -> None:
    with Articles(env={**env, "ORIGINATOR_ID_TYPE": "text"}) as articles:
        articles.save(Article(name=name))
        response = read_aggregate(articles, name, None)
        assert response.originator_id == name
        assert json.loads(response.state)["name"] == name
