"""The live state of a system, assembled from what each application's server says.

How it is heard of is left to ``connection``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from esgrpc_console.system_view.changes import Changes
from esgrpc_console.system_view.state_history import (
    FollowingHistory,
    RateHistory,
    catch_up_seconds,
)
from esgrpc_console.system_view.views import (
    ApplicationStatus,
    ApplicationView,
    Description,
    FollowingState,
    FollowingStatus,
    FollowingView,
    Health,
    PositionSample,
)


class SystemState:
    """The applications and followings of a system, as far as they are known just now.

    What it hands out is immutable: an application that has changed has a new view. Each change is
    announced by ``changes``. The last minutes are kept in samples.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """
        :param clock: tells when statuses are heard, in seconds.
        """
        self.changes = Changes()
        self._clock = clock
        self._applications: dict[str, ApplicationView] = {}
        self._followings: tuple[FollowingView, ...] | None = None
        self._followings_of: dict[str, tuple[FollowingView, ...]] = {}
        """By followers. Those of ``_outdated`` followers have to be assembled again."""
        self._outdated: set[str] = set()
        self._rates: dict[str, RateHistory] = {}
        self._histories: dict[tuple[str, str], FollowingHistory] = {}

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
            for name in self._outdated:
                self._assemble(name)
            self._outdated.clear()
            self._followings = tuple(
                following for name in self._applications for following in self._followings_of[name]
            )
        return self._followings

    def rates(self, application: str) -> Sequence[float]:
        """Returns by how many events a second a log has grown, for each of the last 60 s.

        The newest is the last. There are fewer while it has not been heard of for so long.
        """
        history = self._rates.get(application)
        return history.rates if history else ()

    def positions(self, follower: str, leader: str) -> Sequence[PositionSample]:
        """Returns where a follower and its leader were in the last 15 minutes, every 4 s, and now."""
        history = self._histories.get((follower, leader))
        if history is None:
            return ()
        samples = history.samples
        for following in self.followings:
            status = following.status
            if (following.follower, following.leader) != (follower, leader) or status is None:
                continue
            if following.head is not None and following.stale_since is None:
                now = PositionSample(self._clock(), status.position, following.head)
                return (*samples, now)
        return samples

    def put(self, application: ApplicationView) -> None:
        """Adds an application, or replaces what is known of it."""
        name = application.name
        known = self._applications.get(name)
        if known == application:
            return
        if known is None or known.follows != application.follows:
            self._applications = _with_leads({**self._applications, name: application})
            self._outdated.update(self._applications)
        else:
            if application.leads != known.leads:
                application = replace(application, leads=known.leads)
            self._applications = {**self._applications, name: application}
            self._outdated.add(name)
            if _is_other_leader(known, application):
                self._outdated.update(known.leads)
        self._followings = None
        self.changes.announce()

    def describe(self, name: str, description: Description) -> None:
        """Records what an application's server says that it is."""
        known = self._applications[name]
        self.put(replace(known, description=description, follows=description.follows))

    def hear(self, name: str, status: ApplicationStatus) -> None:
        """Records how an application's server says that it is, which makes it current."""
        now = self._clock()
        known = self._applications[name]
        health = known.health
        if health is Health.CONNECTING or health is Health.UNREACHABLE:
            health = Health.UNKNOWN
        self._rates.setdefault(name, RateHistory()).add(now, status.head)
        self.put(replace(known, status=status, health=health, stale_since=None, why=""))
        self._keep_positions(name, now)

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
        for following in self._followings_of.get(name, ()):
            history = self._histories.get((name, following.leader))
            if history:
                history.interrupt()
        self.put(replace(known, health=Health.UNREACHABLE, stale_since=since, why=why))

    def _keep_positions(self, name: str, now: float) -> None:
        if name in self._outdated:
            self._outdated.discard(name)
            self._assemble(name)
        has_changed = False
        for following in self._followings_of[name]:
            if following.status is None or following.head is None or following.lag is None:
                continue
            key = name, following.leader
            history = self._histories.get(key)
            if history is None:
                history = self._histories[key] = FollowingHistory()
            history.add(now, following.status.position, following.head, following.lag)
            has_changed = has_changed or history.growth != following.lag_growth
        if has_changed:
            self._assemble(name)
            self._followings = None
            self.changes.announce()

    def _assemble(self, name: str) -> None:
        self._followings_of[name] = tuple(self._find_followings(self._applications[name]))

    def _find_followings(self, follower: ApplicationView) -> Iterable[FollowingView]:
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
        if status and _is_hearing(status) and follower.stale_since is None:
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
        history = self._histories.get((follower.name, leader_name))
        growth = history.growth if history else None
        return FollowingView(
            follower=follower.name,
            leader=leader_name,
            status=status,
            head=head,
            lag=lag,
            head_stale_since=head_stale_since,
            stale_since=follower.stale_since,
            why=why,
            lag_growth=growth,
            catch_up_seconds=(
                catch_up_seconds(lag, growth) if follower.stale_since is None else None
            ),
        )


def _is_hearing(status: FollowingStatus) -> bool:
    return status.state is FollowingState.LIVE or status.state is FollowingState.CATCHING_UP


def _is_other_leader(before: ApplicationView, after: ApplicationView) -> bool:
    """Tells whether an application has changed in what those that follow it are shown with."""
    head = before.status.head if before.status else None
    return (
        (after.status.head if after.status else None) != head
        or before.stale_since != after.stale_since
        or before.why != after.why
    )


def _with_leads(applications: Mapping[str, ApplicationView]) -> dict[str, ApplicationView]:
    leads: dict[str, list[str]] = {name: [] for name in sorted(applications)}
    for follower in leads:
        for leader in dict.fromkeys(applications[follower].follows):
            if leader in leads:
                leads[leader].append(follower)
    return {
        name: replace(applications[name], leads=tuple(followers))
        for name, followers in leads.items()
    }
