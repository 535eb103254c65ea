import sys
from dataclasses import replace

import pytest

from esgrpc_console.system_view import (
    ApplicationStatus,
    FollowingState,
    FollowingView,
    PositionSample,
    SystemState,
)
from tests.esgrpc_console.fake_system import a_following, an_application


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Followed:
    """Payments that follows Orders, and says where it is twice a second."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.state = SystemState(self.clock)
        self.state.put(an_application("Orders", 50051))
        self.state.put(an_application("Payments", 50053, follows=["Orders"]))

    @property
    def following(self) -> FollowingView:
        (following,) = self.state.followings
        return following

    def pass_time(
        self,
        seconds: float,
        position: int,
        head: int,
        following_state: FollowingState = FollowingState.CATCHING_UP,
    ) -> None:
        """Lets time pass, in which position and head move evenly to where they are then."""
        status = self.following.status
        before = (status.position, status.head) if status else (position, head)
        steps = round(seconds * 2)
        for step in range(1, steps + 1):
            self.clock.now += 0.5
            here, there = (
                round(was + (will - was) * step / steps)
                for was, will in zip(before, (position, head), strict=True)
            )
            following = a_following("Orders", here, there, following_state)
            self.state.hear("Orders", ApplicationStatus(there))
            self.state.hear("Payments", ApplicationStatus(0, followings=(following,)))


@pytest.fixture
def followed() -> Followed:
    followed = Followed()
    followed.pass_time(0.5, 0, 0)
    return followed


def test_rates_are_there_for_each_of_the_last_sixty_seconds(followed: Followed) -> None:
    followed.pass_time(10, 0, 3_000)
    assert followed.state.rates("Orders") == pytest.approx([300.0] * 10)
    followed.pass_time(3, 0, 3_000)
    assert followed.state.rates("Orders")[-4:] == pytest.approx([300.0, 0.0, 0.0, 0.0])
    followed.pass_time(100, 0, 3_000)
    assert followed.state.rates("Orders") == (0.0,) * 60


def test_seconds_in_which_nothing_was_heard_have_the_rate_that_they_had_together(
    followed: Followed,
) -> None:
    followed.state.lose("Orders", "connection refused", since=followed.clock.now)
    followed.clock.now += 20
    followed.state.hear("Orders", ApplicationStatus(200))
    assert followed.state.rates("Orders")[-20:] == pytest.approx([10.0] * 20)


def test_a_log_that_was_replaced_has_not_shrunk(followed: Followed) -> None:
    followed.pass_time(2, 0, 100)
    followed.clock.now += 1
    followed.state.hear("Orders", ApplicationStatus(5))
    followed.clock.now += 1
    followed.state.hear("Orders", ApplicationStatus(7))
    rates = followed.state.rates("Orders")
    assert min(rates) >= 0
    assert rates[-1] == 2.0


def test_an_application_that_nobody_has_heard_of_has_no_rates() -> None:
    state = SystemState()
    assert state.rates("Nobody") == ()
    assert state.positions("Nobody", "Orders") == ()


def test_positions_are_kept_for_a_quarter_of_an_hour(followed: Followed) -> None:
    followed.pass_time(40, 400, 4_000)
    samples = followed.state.positions("Payments", "Orders")
    assert len(samples) == 12
    assert samples[0] == PositionSample(1_000.5, 0, 0)
    assert samples[5] == PositionSample(1_020.5, 200, 2_000)
    assert samples[-1] == PositionSample(1_040.5, 400, 4_000)
    followed.pass_time(1_200, 400, 4_000)
    samples = followed.state.positions("Payments", "Orders")
    assert len(samples) == 226
    assert followed.clock.now - samples[0].time == pytest.approx(900, abs=5)


def test_a_lag_that_grows_is_told_with_its_growth(followed: Followed) -> None:
    assert followed.following.lag_growth is None
    followed.pass_time(12, 0, 1_200)
    assert followed.following.lag_growth == pytest.approx(100)
    assert followed.following.catch_up_seconds is None


def test_a_lag_that_shrinks_is_told_with_how_long_it_takes(followed: Followed) -> None:
    followed.pass_time(10, 0, 10_000)
    followed.pass_time(20, 6_000, 10_000)
    assert followed.following.lag_growth == pytest.approx(-300, rel=0.01)
    assert followed.following.catch_up_seconds == pytest.approx(4_000 / 300, rel=0.01)


def test_a_follower_that_has_caught_up_has_no_growth(followed: Followed) -> None:
    followed.pass_time(4, 0, 4_000)
    followed.pass_time(2, 4_000, 4_000)
    assert (followed.following.lag, followed.following.lag_growth) == (0, 0.0)
    assert followed.following.catch_up_seconds == 0.0


def test_a_lag_that_stands_still_is_never_caught_up_with(followed: Followed) -> None:
    followed.pass_time(2, 0, 100)
    followed.pass_time(12, 0, 100, FollowingState.PAUSED)
    assert followed.following.lag_growth == 0.0
    assert followed.following.catch_up_seconds is None


def test_what_a_lag_did_while_its_follower_was_away_is_not_known(followed: Followed) -> None:
    followed.pass_time(5, 0, 500)
    followed.state.lose("Payments", "connection refused", since=followed.clock.now)
    assert followed.following.lag_growth is None
    assert followed.following.catch_up_seconds is None
    followed.clock.now += 60
    followed.pass_time(0.5, 0, 6_000)
    assert followed.following.lag_growth is None
    followed.pass_time(3, 0, 6_000)
    assert followed.following.lag_growth == 0.0


def test_growth_is_announced_though_nothing_else_changes(followed: Followed) -> None:
    followed.pass_time(1, 0, 100)
    count = followed.state.changes.count
    followed.pass_time(12, 0, 100)
    assert followed.following.lag_growth == 0.0
    assert followed.state.changes.count > count
    count = followed.state.changes.count
    followed.pass_time(12, 0, 100)
    assert followed.state.changes.count == count


def test_only_followings_of_what_has_changed_are_new() -> None:
    state = SystemState()
    names = [f"App{n}" for n in range(50)]
    for n, name in enumerate(names):
        leaders = [names[(n + k) % 50] for k in range(1, 5)]
        followings = tuple(a_following(leader, 1, 1) for leader in leaders)
        state.put(an_application(name, n, follows=leaders, head=1, followings=followings))
    before = {(f.follower, f.leader): f for f in state.followings}
    assert len(before) == 200
    status = state.applications["App7"].status
    assert status is not None
    state.hear("App7", replace(status, head=2))
    renewed = {f.follower for f in state.followings if f is not before[f.follower, f.leader]}
    assert renewed == {"App7", "App3", "App4", "App5", "App6"}


def test_the_history_of_a_large_system_takes_little_memory() -> None:
    clock = Clock()
    state = SystemState(clock)
    state.put(an_application("Orders", 50051))
    state.put(an_application("Payments", 50053, follows=["Orders"]))
    for position in range(2_000):
        clock.now += 1
        following = a_following("Orders", position, 10**15 + position)
        state.hear("Payments", ApplicationStatus(position, followings=(following,)))
    samples = state.positions("Payments", "Orders")
    assert len(samples) == 226
    assert sum(map(sys.getsizeof, (samples[0].position, samples[0].head))) < 100
