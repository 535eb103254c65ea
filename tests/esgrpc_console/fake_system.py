"""A system without servers, in a state that a test has chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from esgrpc_console.local_servers import LocalServers
from esgrpc_console.system_view import (
    AggregateView,
    ApplicationStatus,
    ApplicationView,
    CallFailed,
    CallResult,
    Description,
    EventPage,
    EventView,
    FollowingState,
    FollowingStatus,
    Health,
    MethodView,
    RequestFailed,
    SystemOperations,
    SystemState,
)
from esgrpc_console.system_view.parameters import JsonValue, Parameter
from esgrpc_console.tui.app import ConsoleApp, SystemToShow

NOW = 10_000.0
EPOCH = datetime(2026, 11, 23, 14, 2, 9, 118_000, tzinfo=UTC)
ORDER_ID = Parameter("order_id", type_words="UUID", types=frozenset({"string"}))
ORDER_ID_SCHEMA = (
    '{"type": "object", "properties": {"order_id": {"format": "uuid", "type": "string"}}, '
    '"required": ["order_id"]}'
)


class FakeSystem:
    """Holds a log for each application, and answers calls with what it was told to."""

    def __init__(self) -> None:
        self.state = SystemState()
        self.logs: dict[str, list[EventView]] = {}
        self.aggregates: dict[str, list[AggregateView]] = {}
        self.controls: list[tuple[str, ...]] = []
        self.calls: list[tuple[str, str, Mapping[str, JsonValue]]] = []
        self.answer: CallResult | CallFailed = CallResult("null", 0.0031)

    async def read_events(
        self,
        application: str,
        *,
        start: int | None = None,
        limit: int = 100,
        is_backwards: bool = False,
        topics: Sequence[str] = (),
        originator_id: str = "",
        text: str = "",
        with_state: bool = True,
    ) -> EventPage:
        """Reads a page as a server would."""
        log = self.logs.get(application, [])
        head = log[-1].id if log else 0
        log = [
            event if with_state else replace(event, state="")
            for event in log
            if (not topics or event.topic in topics)
            and originator_id in {"", event.originator_id}
            and text.lower() in f"{event.topic}\n{event.originator_id}\n{event.state}".lower()
        ]
        if is_backwards:
            found = [event for event in reversed(log) if start is None or event.id <= start]
        else:
            found = [event for event in log if event.id >= (start or 1)]
        page = tuple(found[:limit])
        is_end = len(found) <= limit
        last = page[-1].id if page else (start or 0)
        return EventPage(page, read_through=last, is_end=is_end, head=head)

    async def call_method(
        self, application: str, method: str, arguments: Mapping[str, JsonValue]
    ) -> CallResult:
        """Notes the call, and answers it."""
        self.calls.append((application, method, dict(arguments)))
        if isinstance(self.answer, CallFailed):
            raise self.answer
        return self.answer

    async def read_aggregate(
        self, application: str, originator_id: str, version: int | None = None
    ) -> AggregateView:
        """Returns the state that the test has chosen for this version."""
        versions = self.aggregates.get(originator_id)
        if not versions:
            msg = f"{application} has no aggregate {originator_id}"
            raise RequestFailed(msg)
        return versions[-1 if version is None else version - 1]

    async def pause_following(self, follower: str, leader: str, reason: str) -> None:
        """Notes that it was asked."""
        self.controls.append(("pause", follower, leader, reason))

    async def resume_following(self, follower: str, leader: str, reason: str) -> None:
        """Notes that it was asked."""
        self.controls.append(("resume", follower, leader, reason))

    async def retry_now(self, follower: str, leader: str, reason: str) -> None:
        """Notes that it was asked."""
        self.controls.append(("retry", follower, leader, reason))

    async def skip_event(
        self,
        follower: str,
        leader: str,
        notification_id: int,
        reason: str,
        *,
        is_dry_run: bool = False,
    ) -> EventView:
        """Notes that it was asked, and returns the event of the leader's log."""
        if not is_dry_run:
            self.controls.append(("skip", follower, leader, str(notification_id), reason))
        for event in self.logs.get(leader, ()):
            if event.id == notification_id:
                return event
        msg = f"{follower} does not wait on {leader} #{notification_id:,}"
        raise RequestFailed(msg)

    def record(self, application: str, *events: EventView) -> None:
        """Adds events to a log, and lets the application tell of its new head."""
        log = self.logs.setdefault(application, [])
        log.extend(events)
        view = self.state.applications[application]
        followings = view.status.followings if view.status else ()
        self.state.hear(application, ApplicationStatus(log[-1].id, followings=followings))


def an_event(
    notification_id: int, topic: str = "eventsourcing_grpc.example:Order.Created"
) -> EventView:
    """Returns an event whose ID, time and aggregate follow from its notification ID."""
    return EventView(
        id=notification_id,
        topic=topic,
        originator_id=str(UUID(int=notification_id * 0x10001000100010001)),
        originator_version=1,
        timestamp=EPOCH + timedelta(milliseconds=11 * notification_id),
        state='{"originator_version": 1}',
    )


def an_application(
    name: str,
    port: int,
    *,
    follows: Sequence[str] = (),
    methods: Sequence[MethodView] = (),
    head: int = 0,
    followings: Sequence[FollowingStatus] = (),
) -> ApplicationView:
    """Returns an application that serves."""
    return ApplicationView(
        name,
        f"localhost:{port}",
        health=Health.SERVING,
        description=Description(
            topic=f"eventsourcing_grpc.example:{name}",
            persistence="memory",
            methods=tuple(methods),
            follows=tuple(follows),
            system_topic="eventsourcing_grpc.example:system",
        ),
        status=ApplicationStatus(head, followings=tuple(followings)),
        follows=tuple(follows),
    )


def a_following(
    leader: str, position: int, head: int, state: FollowingState = FollowingState.LIVE
) -> FollowingStatus:
    """Returns a following that has read through its position."""
    return FollowingStatus(leader, state, NOW - 130, position, position, head)


def the_example() -> FakeSystem:
    """Returns the example system with four orders that are paid."""
    system = FakeSystem()
    methods = (
        MethodView("create_new_order", True, "() -> UUID", "Creates an order and returns its ID."),
        MethodView(
            "get_order",
            False,
            "(order_id: UUID) -> OrderDetails",
            "Returns what is known of an order.",
            (ORDER_ID,),
            ORDER_ID_SCHEMA,
        ),
        MethodView(
            "is_order_paid",
            False,
            "(order_id: UUID) -> bool",
            "Tells whether an order has been paid.",
            (ORDER_ID,),
            ORDER_ID_SCHEMA,
        ),
    )
    followings = (a_following("Payments", 4, 4), a_following("Reservations", 4, 4))
    system.state.put(
        an_application(
            "Orders",
            50051,
            follows=("Reservations", "Payments"),
            methods=methods,
            head=12,
            followings=followings,
        )
    )
    for name, port in (("Reservations", 50052), ("Payments", 50053)):
        system.state.put(
            an_application(
                name,
                port,
                follows=("Orders",),
                head=4,
                followings=(a_following("Orders", 12, 12),),
            )
        )
        topic = f"eventsourcing_grpc.example:{name.removesuffix('s')}.Created"
        system.logs[name] = [an_event(n, topic) for n in range(1, 5)]
    kinds = ("Created", "Reserved", "Paid")
    system.logs["Orders"] = [
        an_event(n, f"eventsourcing_grpc.example:Order.{kinds[(n - 1) % 3]}") for n in range(1, 13)
    ]
    return system


def console_on(
    system: SystemOperations,
    *,
    servers: LocalServers | None = None,
    context: str = "",
    is_read_only: bool = False,
    history_path: Path | None = None,
    clock: Callable[[], float] = lambda: NOW,
) -> ConsoleApp:
    """Returns the console on a system that is open already, with clocks that stand still."""

    async def open_system() -> SystemOperations:
        return system

    return ConsoleApp(
        SystemToShow(
            "eventsourcing_grpc.example:system",
            open_system,
            clock=clock,
            wall_clock=lambda: EPOCH,
            servers=servers,
            context=context,
            is_read_only=is_read_only,
            history_path=history_path,
        )
    )
