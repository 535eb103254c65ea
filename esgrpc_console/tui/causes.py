"""Where the cause of a problem is to be seen."""

from __future__ import annotations

from esgrpc_console.system_view import FollowingView, Problem, SystemState
from esgrpc_console.tui.places import ApplicationPlace, FollowingPlace, OutputPlace, Place
from esgrpc_console.tui.session import Session


def cause_of(problem: Problem, session: Session) -> Place:
    """Returns where to look: at a following, at what a server wrote, or at an application."""
    if problem.leader:
        return FollowingPlace(problem.application, problem.leader)
    if session.servers is not None:
        return OutputPlace(problem.application)
    return ApplicationPlace(problem.application)


def following_of(problem: Problem, state: SystemState) -> FollowingView | None:
    """Returns the following that a problem is about, if it is about one."""
    if not problem.leader:
        return None
    ends = problem.application, problem.leader
    return next(
        (known for known in state.followings if (known.follower, known.leader) == ends), None
    )
