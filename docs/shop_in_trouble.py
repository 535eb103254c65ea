"""The example system, with payments that can't be made for every order: something to look at.

Try it with ``esgrpc-console run shop_in_trouble --app-dir docs``.
"""

from __future__ import annotations

from uuid import UUID

from eventsourcing.application import ProcessingEvent
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.system import System

from eventsourcing_grpc import example
from eventsourcing_grpc.example import Order, Orders, Reservations

CARDS_ACCEPTED = 5


class CardDeclinedError(Exception):
    """Raised when a payment can't be made."""


class Payments(example.Payments):
    """Takes the payments for a few orders, and fails on the next."""

    name = "Payments"

    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        if isinstance(domain_event, Order.Reserved):
            made = self.recorder.max_notification_id() or 0
            if made >= CARDS_ACCEPTED:
                msg = f"the card for order {domain_event.originator_id} was declined"
                raise CardDeclinedError(msg)
        super().policy(domain_event, processing_event)


system: System = System([[Orders, Reservations, Orders, Payments, Orders]])
