"""What was recorded, as the console reads it: of each order everything, and everything once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from tests.system.hosts.deployed_system import DeployedSystem


@dataclass(frozen=True)
class _Event:
    id: int
    topic: str
    originator_id: str
    originator_version: int
    state: dict[str, Any]


def check_every_order_is_paid_once(
    system: DeployedSystem, acknowledged: Collection[str]
) -> Sequence[int]:
    """Makes sure that no event is missing, and none is there twice.

    Orders whose customer was not answered count as well: they were created, or they were not.

    :returns: the IDs of what is in the log of orders.
    """
    waited = system.run_console("wait", system.address, "--caught-up", "--timeout", "15")
    assert waited.returncode == 0, waited.stderr
    events = {name: _read(system, name) for name in ("Orders", "Reservations", "Payments")}
    for recorded in events.values():
        versions = Counter((event.originator_id, event.originator_version) for event in recorded)
        assert max(versions.values()) == 1
    by_topic = Counter((event.topic, event.originator_id) for event in events["Orders"])
    orders = {order for topic, order in by_topic if topic == "Order.Created"}
    assert orders >= set(acknowledged)
    assert by_topic == {
        (topic, order): 1
        for topic in ("Order.Created", "Order.Reserved", "Order.Paid")
        for order in orders
    }
    for name in ("Reservations", "Payments"):
        assert Counter(event.state["order_id"] for event in events[name]) == dict.fromkeys(
            orders, 1
        )
    return [event.id for event in events["Orders"]]


def _read(system: DeployedSystem, name: str) -> Sequence[_Event]:
    read = system.run_console("log", system.address, name, "--json")
    assert read.returncode == 0, read.stderr
    return [
        _Event(
            event["id"],
            event["topic"].rpartition(":")[2],
            event["originator_id"],
            event["originator_version"],
            event["state"],
        )
        for event in map(json.loads, read.stdout.splitlines())
    ]
