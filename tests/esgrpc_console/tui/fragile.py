"""A system with a follower that fails for as long as a test wants."""

from __future__ import annotations

from uuid import UUID

from eventsourcing.application import ProcessingEvent
from eventsourcing.domain import Aggregate, DomainEventProtocol, event
from eventsourcing.system import ProcessApplication, System


class Item(Aggregate):
    """Something in a shop."""

    @event("Added")
    def __init__(self, label: str) -> None:
        self.label = label


class Shop(ProcessApplication[UUID]):
    """Has items."""

    def add(self, label: str) -> UUID:
        """Adds an item."""
        item = Item(label)
        self.save(item)
        return item.id


class Stock(ProcessApplication[UUID]):
    """Counts items, or fails."""

    is_broken = False

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        if self.is_broken:
            msg = "the shelf is full"
            raise ValueError(msg)


system: System = System([[Shop, Stock]])
