from dataclasses import replace

from esgrpc_console.system_view import FollowingState, Health, SystemState
from tests.esgrpc_console.fake_system import NOW, a_following, an_application, the_example


def test_leads_are_known_from_who_follows() -> None:
    applications = the_example().state.applications
    assert list(applications) == ["Orders", "Payments", "Reservations"]
    assert applications["Orders"].leads == ("Payments", "Reservations")
    assert applications["Payments"].leads == ("Orders",)


def test_what_changes_nothing_is_not_announced() -> None:
    state = the_example().state
    count = state.changes.count
    orders = state.applications["Orders"]
    state.put(orders)
    assert orders.status is not None
    state.hear("Orders", orders.status)
    assert state.changes.count == count
    state.hear("Orders", replace(orders.status, head=13))
    assert state.changes.count == count + 1


def test_a_lost_application_keeps_its_numbers_as_stale_since_it_was_last_heard() -> None:
    state = the_example().state
    state.lose("Orders", "connection refused", since=NOW - 5)
    state.lose("Orders", "no answer in time", since=NOW)
    orders = state.applications["Orders"]
    assert (orders.health, orders.stale_since, orders.why) == (
        Health.UNREACHABLE,
        NOW - 5,
        "no answer in time",
    )
    assert orders.status is not None
    assert orders.status.head == 12


def test_an_application_that_is_heard_again_is_current() -> None:
    state = the_example().state
    orders = state.applications["Orders"]
    assert orders.status is not None
    state.lose("Orders", "connection refused", since=NOW - 5)
    state.hear("Orders", orders.status)
    assert state.applications["Orders"].stale_since is None
    assert state.applications["Orders"].why == ""


def test_followings_of_a_lost_follower_are_stale() -> None:
    state = the_example().state
    state.lose("Payments", "connection refused", since=NOW - 5)
    stale = {(f.follower, f.leader) for f in state.followings if f.stale_since is not None}
    assert stale == {("Payments", "Orders")}


def test_the_head_of_a_lost_leader_is_stale() -> None:
    state = SystemState()
    following = a_following("Orders", 12, 12, FollowingState.UNREACHABLE)
    state.put(an_application("Orders", 50051, head=14))
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    state.lose("Orders", "connection refused", since=NOW - 5)
    (view,) = state.followings
    assert (view.head, view.lag, view.head_stale_since) == (14, 2, NOW - 5)
    assert view.why == "connection refused"
    assert view.stale_since is None


def test_the_head_of_a_failing_follower_is_what_its_leader_says() -> None:
    state = SystemState()
    following = a_following("Orders", 12, 12, FollowingState.FAILING)
    state.put(an_application("Orders", 50051, head=500))
    state.put(an_application("Payments", 50053, follows=["Orders"], followings=[following]))
    assert state.followings[0].lag == 488


def test_the_lag_of_a_live_follower_is_its_own() -> None:
    state = SystemState()
    state.put(an_application("Orders", 50051, head=500))
    state.put(
        an_application(
            "Payments", 50053, follows=["Orders"], followings=[a_following("Orders", 490, 490)]
        )
    )
    assert state.followings[0].lag == 0


def test_a_following_that_nobody_has_told_of_is_there_without_numbers() -> None:
    state = SystemState()
    state.put(replace(an_application("Payments", 50053, follows=["Orders"]), status=None))
    (view,) = state.followings
    assert (view.state, view.head, view.lag) == (FollowingState.CONNECTING, None, None)
