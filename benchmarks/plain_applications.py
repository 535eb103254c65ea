"""Applications that this library and the older package serve alike. Imported with Python 3.10 too."""

from __future__ import annotations

from eventsourcing.application import Application

from eventsourcing_grpc.example import Order, Orders


class PlainEcho(Application):  # type: ignore[type-arg] # the older one has none
    """Has the least that an application can have: a method that does nothing."""

    def echo(self, text: str) -> str:
        """Returns what it is given."""
        return text


class RecordedOrders(Orders):
    """Has as many events as a benchmark wants it to have."""

    def record_orders(self, count: int) -> None:
        """Records so many new orders, one event each, in one transaction."""
        self.save(*[Order() for _ in range(count)])
