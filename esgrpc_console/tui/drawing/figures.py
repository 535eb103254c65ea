"""What of a system's state is drawn."""

from __future__ import annotations

from esgrpc_console.system_view import (
    ApplicationView,
    FollowingState,
    FollowingView,
    Health,
    SystemState,
    words,
)
from esgrpc_console.tui.appearance import Tone, health_tone, state_tone
from esgrpc_console.tui.drawing.model import Arrow, Box, SystemFigure


def figure_of(state: SystemState, before: SystemFigure) -> SystemFigure:
    """Returns what is to be drawn of a system just now.

    :param before: what was drawn before: nothing becomes narrower than it was.
    """
    boxes = tuple(map(_box, state.applications.values()))
    arrows = tuple(
        _arrow(following)
        for following in state.followings
        if following.leader in state.applications
    )
    return SystemFigure(
        boxes,
        arrows,
        max([before.head_width, *(len(box.head) for box in boxes)]),
        max([before.label_width, *(len(arrow.label) for arrow in arrows)]),
    )


def _box(application: ApplicationView) -> Box:
    status = application.status
    return Box(
        application.name,
        application.health.symbol,
        words.number(status.head if status else None),
        health_tone(application.health),
        is_stale=application.stale_since is not None,
    )


def _arrow(following: FollowingView) -> Arrow:
    label, tone = words.number(following.lag), Tone.PLAIN
    is_stale = following.stale_since is not None
    if is_stale:
        label = f"{Health.UNREACHABLE.symbol} {label}"
    elif following.state is not FollowingState.LIVE:
        # Most of what is drawn is well: it is what isn't that is to meet the eye.
        label, tone = f"{following.state.symbol} {label}", state_tone(following.state)
    is_old = is_stale or following.head_stale_since is not None
    return Arrow(following.leader, following.follower, label, tone, is_stale=is_old)
