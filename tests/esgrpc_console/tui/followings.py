"""The example system with a follower in whatever state a test wants."""

from __future__ import annotations

from dataclasses import replace

from esgrpc_console.system_view import (
    ApplicationStatus,
    FollowingError,
    FollowingState,
    FollowingStatus,
    FollowingView,
    SystemState,
)
from tests.esgrpc_console.fake_system import (
    NOW,
    FakeSystem,
    a_following,
    an_application,
    an_event,
    the_example,
)

TRACEBACK = """Traceback (most recent call last):
  File "eventsourcing/application.py", line 1203, in process_event
    self.policy(tracked.domain_event, processing_event)
  File "shop/payments.py", line 41, in policy
    raise AssertionError(f"Order {order_id} already paid")
AssertionError: Order 55e0 already paid
"""


def an_error(**changes: object) -> FollowingError:
    """Returns what a policy has raised for two minutes."""
    error = FollowingError(
        "AssertionError",
        "Order 55e0 already paid",
        traceback=TRACEBACK,
        notification_id=8013,
        attempts=11,
        failing_since=NOW - 130,
        next_try=NOW + 21.4,
    )
    return replace(error, **changes)  # type: ignore[arg-type]


def a_failing_following() -> FollowingStatus:
    """Returns the following of one that does not get past an event."""
    following = a_following("Orders", 8012, 12402, FollowingState.FAILING)
    return replace(following, last_error=an_error(), lag_seconds=130.0)


def a_system_with(following: FollowingStatus) -> FakeSystem:
    """Returns the example, in which Payments follows Orders like that, and followed it closely until
    it had come so far."""
    system = the_example()
    clock = _Clock()
    state = SystemState(clock)
    for application in system.state.applications.values():
        state.put(application)
    system.state = state
    system.logs["Orders"].append(an_event(8013, "eventsourcing_grpc.example:Order.Reserved"))
    for step in range(225, 0, -1):
        clock.reading = NOW - 4 * step
        head = round(following.head * (1 - step / 300))
        put(system, a_following("Orders", min(following.position, head), head))
    clock.reading = NOW
    put(system, following)
    return system


class _Clock:
    reading = 0.0

    def __call__(self) -> float:
        return self.reading


def put(system: FakeSystem, following: FollowingStatus) -> None:
    """Lets Payments tell how it follows Orders."""
    system.state.put(an_application("Payments", 50053, follows=["Orders"]))
    system.state.hear("Payments", ApplicationStatus(4, followings=(following,)))


def payments(system: FakeSystem) -> FollowingView:
    """Returns what is known of how Payments follows Orders."""
    return next(
        following for following in system.state.followings if following.follower == "Payments"
    )
