"""A system of many applications, without servers."""

from __future__ import annotations

from dataclasses import replace

from esgrpc_console.system_view import FollowingStatus
from tests.esgrpc_console.fake_system import NOW, FakeSystem, a_following, an_application


def a_large_system(applications: int = 50, leaders: int = 4) -> FakeSystem:
    """Returns a system in which each application follows so many others."""
    system = FakeSystem()
    for number in range(applications):
        names = [f"App{(number + step) % applications:02}" for step in range(1, leaders + 1)]
        followings = [_following(name, number) for name in names]
        application = an_application(
            f"App{number:02}",
            50_000 + number,
            follows=names,
            head=1_000 * number,
            followings=followings,
        )
        assert application.status is not None
        status = replace(application.status, serving_since=NOW - 3600 * number)
        system.state.put(replace(application, status=status))
    return system


def _following(leader: str, number: int) -> FollowingStatus:
    head = 1_000 * int(leader.removeprefix("App"))
    return a_following(leader, max(0, head - number), head)
