"""An example system: orders are reserved, then paid.

Three applications follow each other: ``Reservations`` follows ``Orders``, ``Payments``
follows ``Orders``, and ``Orders`` follows both.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import ProcessingEvent
from eventsourcing.domain import Aggregate, DomainEventProtocol, event
from eventsourcing.system import ProcessApplication, System

from eventsourcing_grpc.methods import command, query


class Order(Aggregate):
    """Something a customer wants: first reserved, then paid."""

    def __init__(self) -> None:
        self.is_reserved = False
        self.is_paid = False
        self.reservation_id: UUID | None = None
        self.payment_id: UUID | None = None

    class Reserved(Aggregate.Event):
        """Stock was set aside for the order."""

        reservation_id: UUID

    class Paid(Aggregate.Event):
        """The order's payment was made."""

        payment_id: UUID

    @event(Reserved)
    def set_is_reserved(self, reservation_id: UUID) -> None:
        assert not self.is_reserved, f"Order {self.id} already reserved"
        self.is_reserved = True
        self.reservation_id = reservation_id

    @event(Paid)
    def set_is_paid(self, payment_id: UUID) -> None:
        assert not self.is_paid, f"Order {self.id} already paid"
        self.is_paid = True
        self.payment_id = payment_id


class Reservation(Aggregate):
    """What was set aside for one order. There is one for each order: its ID follows from the order's."""

    class Created(Aggregate.Created):
        """Stock was set aside."""

        order_id: UUID

    @event(Created)
    def __init__(self, order_id: UUID) -> None:
        self.order_id = order_id

    @classmethod
    def create_id(cls, order_id: UUID) -> UUID:
        return uuid5(NAMESPACE_URL, f"/reservations/{order_id}/")


class Payment(Aggregate):
    """What was paid for one order. There is one for each order: its ID follows from the order's."""

    class Created(Aggregate.Created):
        """A payment was made."""

        order_id: UUID

    @event(Created)
    def __init__(self, order_id: UUID) -> None:
        self.order_id = order_id

    @classmethod
    def create_id(cls, order_id: UUID) -> UUID:
        return uuid5(NAMESPACE_URL, f"/payments/{order_id}/")


class OrderDetails(TypedDict):
    """What ``Orders.get_order`` tells of an order."""

    id: UUID
    is_reserved: bool
    is_paid: bool
    reservation_id: UUID | None
    payment_id: UUID | None
    created_on: datetime
    modified_on: datetime


class Orders(ProcessApplication[UUID]):
    """Takes orders, and hears from the other two how they are getting on."""

    @command
    def create_new_order(self) -> UUID:
        """Creates an order and returns its ID."""
        order = Order()
        self.save(order)
        return order.id

    @query
    def get_order(self, order_id: UUID) -> OrderDetails:
        """Returns what is known of an order."""
        order = self._get_order(order_id)
        return OrderDetails(
            id=order.id,
            is_reserved=order.is_reserved,
            is_paid=order.is_paid,
            reservation_id=order.reservation_id,
            payment_id=order.payment_id,
            created_on=order.created_on,
            modified_on=order.modified_on,
        )

    @query
    def is_order_reserved(self, order_id: UUID) -> bool:
        """Tells whether stock has been set aside for an order."""
        return self._get_order(order_id).is_reserved

    @query
    def is_order_paid(self, order_id: UUID) -> bool:
        """Tells whether an order has been paid."""
        return self._get_order(order_id).is_paid

    def _get_order(self, order_id: UUID) -> Order:
        order: Order = self.repository.get(order_id)
        return order

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        match domain_event:
            case Reservation.Created():
                order = self._get_order(domain_event.order_id)
                order.set_is_reserved(domain_event.originator_id)
                processing_event.collect_events(order)
            case Payment.Created():
                order = self._get_order(domain_event.order_id)
                order.set_is_paid(domain_event.originator_id)
                processing_event.collect_events(order)


class Reservations(ProcessApplication[UUID]):
    """Sets stock aside for each order that is created."""

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        if isinstance(domain_event, Order.Created):
            processing_event.collect_events(Reservation(domain_event.originator_id))


class Payments(ProcessApplication[UUID]):
    """Takes the payment for each order that is reserved."""

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        if isinstance(domain_event, Order.Reserved):
            processing_event.collect_events(Payment(domain_event.originator_id))


system: System = System([[Orders, Reservations, Orders, Payments, Orders]])
