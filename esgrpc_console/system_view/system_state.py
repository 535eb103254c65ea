"""The live state of a system, assembled from what each application's server says.

How it is heard of is left to ``connection``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from esgrpc_console.system_view.changes import Changes
from esgrpc_console.system_view.views import (
    ApplicationStatus,
    ApplicationView,
    Description,
    FollowingState,
    FollowingStatus,
    FollowingView,
    Health,
)

_HEARING = {FollowingState.LIVE, FollowingState.CATCHING_UP}


class SystemState:
    """The applications and followings of a system, as far as they are known just now.

    What it hands out is immutable: an application that has changed has a new view. Each change is
    announced by ``changes``.
    """

    def __init__(self) -> None:
        self.changes = Changes()
        self._applications: dict[str, ApplicationView] = {}
        self._followings: tuple[FollowingView, ...] | None = None

    @property
    def system_topic(self) -> str:
        """The topic of the system, or an empty string while no server has told it."""
        topics = (
            application.description.system_topic
            for application in self._applications.values()
            if application.description
        )
        return next((topic for topic in topics if topic), "")

    @property
    def applications(self) -> Mapping[str, ApplicationView]:
        """Applications by name, in the order of their names."""
        return MappingProxyType(self._applications)

    @property
    def followings(self) -> tuple[FollowingView, ...]:
        """Followings, in the order of their followers' and then their leaders' names."""
        if self._followings is None:
            self._followings = tuple(self._find_followings())
        return self._followings

    def put(self, application: ApplicationView) -> None:
        """Adds an application, or replaces what is known of it."""
        if self._applications.get(application.name) == application:
            return
        applications = {**self._applications, application.name: application}
        self._applications = _with_leads(applications)
        self._followings = None
        self.changes.announce()

    def describe(self, name: str, description: Description) -> None:
        """Records what an application's server says that it is."""
        known = self._applications[name]
        self.put(replace(known, description=description, follows=description.follows))

    def hear(self, name: str, status: ApplicationStatus) -> None:
        """Records how an application's server says that it is, which makes it current."""
        known = self._applications[name]
        health = known.health
        if health in {Health.CONNECTING, Health.UNREACHABLE}:
            health = Health.UNKNOWN
        self.put(replace(known, status=status, health=health, stale_since=None, why=""))

    def set_health(self, name: str, health: Health) -> None:
        """Records what an application's health service says."""
        self.put(replace(self._applications[name], health=health))

    def set_ending(self, name: str, ending: str) -> None:
        """Records how a server's process ended, in words."""
        known = self._applications.get(name)
        if known is not None:
            self.put(replace(known, ending=ending))

    def lose(self, name: str, why: str, *, since: float) -> None:
        """Records that an application's server can't be heard any more.

        :param since: when it was last heard of, or first tried.
        """
        known = self._applications[name]
        if known.stale_since is not None:
            since = known.stale_since
        self.put(replace(known, health=Health.UNREACHABLE, stale_since=since, why=why))

    def _find_followings(self) -> Iterable[FollowingView]:
        for follower in self._applications.values():
            statuses = {
                status.leader: status
                for status in (follower.status.followings if follower.status else ())
            }
            for leader in sorted({*follower.follows, *statuses}):
                yield self._following(follower, leader, statuses.get(leader))

    def _following(
        self, follower: ApplicationView, leader_name: str, status: FollowingStatus | None
    ) -> FollowingView:
        leader = self._applications.get(leader_name)
        told_head = leader.status.head if leader and leader.status else None
        heard_head = status.head if status else None
        if status and status.state in _HEARING and follower.stale_since is None:
            # The leader tells its head at other moments: the difference would look like lag.
            head, head_stale_since = heard_head, None
        else:
            heads = [known for known in (told_head, heard_head) if known is not None]
            head = max(heads, default=None)
            head_stale_since = leader.stale_since if leader else None
        lag = None if head is None or status is None else max(0, head - status.read_through)
        why = follower.why if follower.stale_since is not None else ""
        if not why and head_stale_since is not None and leader is not None:
            why = leader.why
        return FollowingView(
            follower=follower.name,
            leader=leader_name,
            status=status,
            head=head,
            lag=lag,
            head_stale_since=head_stale_since,
            stale_since=follower.stale_since,
            why=why,
        )


def _with_leads(applications: Mapping[str, ApplicationView]) -> dict[str, ApplicationView]:
    completed: dict[str, ApplicationView] = {}
    for name in sorted(applications):
        leads = tuple(
            follower for follower in sorted(applications) if name in applications[follower].follows
        )
        application = applications[name]
        completed[name] = (
            application if application.leads == leads else replace(application, leads=leads)
        )
    return completed
