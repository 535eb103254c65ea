"""An application that is unkind to those who show it, and a system of it alone."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from eventsourcing.application import ProcessingEvent
from eventsourcing.domain import Aggregate, DomainEventProtocol, event
from eventsourcing.system import ProcessApplication, System

from eventsourcing_grpc.methods import query

UNKIND = "[/red] [bold]\x1b[2J\x07\u202e {curly} 你好"


class OutOfStockError(Exception):
    """Raised when there is none left."""


class Item(Aggregate):
    """Something with a label."""

    @event("Labelled")
    def __init__(self, label: str) -> None:
        self.label = label


class Shop(ProcessApplication[UUID]):
    """Says unkind things."""

    def label(self, label: str = UNKIND) -> UUID:
        """Labels an item [/red] \x1b[31m with what is given."""
        item = Item(label)
        self.save(item)
        return item.id

    def add_item(
        self,
        item_id: UUID,
        price: Decimal,
        amount: int = 1,
        note: str | None = None,
        tags: list[str] = [],  # noqa: B006 (a default that is a list is what is tried here)
    ) -> None:
        """Does nothing."""

    def fail(self) -> None:
        """Raises."""
        raise OutOfStockError(UNKIND)

    @query
    def echo(self, text: str) -> str:
        """Returns what it is given."""
        return text

    @query
    def much(self, characters: int) -> str:
        """Returns a long text."""
        return "x" * characters


class Complaints(ProcessApplication[UUID]):
    """Can't process anything."""

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        raise OutOfStockError(UNKIND)


system: System = System([[Shop]])
failing_system: System = System([[Shop, Complaints]])
