"""Pausing, resuming, retrying and skipping, as people do it: they are asked, and told what came of it.

Which following is meant, and by which keys, is left to the widgets that show one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TypeVar

from textual.app import App
from textual.screen import Screen

from esgrpc_console.command_lines import ControlAction
from esgrpc_console.system_view import (
    EventView,
    FollowingState,
    FollowingView,
    RequestFailed,
    SystemOperations,
    words,
)
from esgrpc_console.tui.background import telling
from esgrpc_console.tui.screens.confirm_screen import ConfirmScreen
from esgrpc_console.tui.session import Session

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

_MAX_SHOWN_STATE = 300
_FAILURE_SECONDS = 15
_RETRIED = {FollowingState.FAILING, FollowingState.UNREACHABLE, FollowingState.DIVERGED}
_SKIPPED = {FollowingState.FAILING, FollowingState.PAUSED}


def is_applicable(action: ControlAction, following: FollowingView) -> bool:
    """Tells whether an action may do anything to a following, as far as its state is known."""
    if following.status is None or following.stale_since is not None:
        return False
    match action:
        case ControlAction.PAUSE:
            return following.state is not FollowingState.PAUSED
        case ControlAction.RESUME:
            return following.state is FollowingState.PAUSED
        case ControlAction.RETRY:
            return following.state in _RETRIED
        case ControlAction.SKIP:
            return following.state in _SKIPPED


def confirm_and_run(
    screen: Screen[Result], session: Session, action: ControlAction, following: FollowingView
) -> None:
    """Asks for a reason, does it, and tells what came of it. Returns at once.

    Where an event is to be skipped, the question shows it. Nothing is asked any more when the
    screen has been left meanwhile. A request that has been sent goes on whatever is shown.
    """
    if session.is_read_only:
        _tell_failure(screen.app, f"{session.title} is read-only here: nothing is changed")
        return
    screen.run_worker(
        telling(screen.app, _confirm_and_run(screen, session, action, following)),
        name=f"asks whether to {action.value}",
        group="following actions",
        exclusive=True,
        exit_on_error=False,
    )


@dataclass(frozen=True)
class _Question:
    question: str
    confirm: str
    consequences: tuple[str, ...]
    done: str


async def _confirm_and_run(
    screen: Screen[Result], session: Session, action: ControlAction, following: FollowingView
) -> None:
    event = None
    if action is ControlAction.SKIP:
        try:
            event = await _find_event_to_skip(session.operations, following)
        except RequestFailed as e:
            _tell_failure(screen.app, f"nothing is skipped: {e}")
            return
        if not screen.is_current:
            return
    asked = _question(action, following, event, session.clock())
    reason = await screen.app.push_screen_wait(
        ConfirmScreen(
            session,
            asked.question,
            confirm=asked.confirm,
            consequences=asked.consequences,
            needs_reason=True,
        )
    )
    if reason is not None:
        screen.app.run_worker(
            telling(
                screen.app,
                _run(screen.app, session.operations, action, following, event, reason, asked.done),
            ),
            name=f"asks a server to {action.value}",
            group="following requests",
            exit_on_error=False,
        )


async def _find_event_to_skip(operations: SystemOperations, following: FollowingView) -> EventView:
    """Returns the event that the following fails on, or is paused before.

    :raises RequestFailed: when there is none, or the servers can't be asked.
    """
    status = following.status
    follower, leader = following.follower, following.leader
    error = status.last_error if status else None
    notification_id = error.notification_id if error else 0
    is_on_it = status is not None and notification_id > status.read_through
    if status is not None and not is_on_it and status.state is FollowingState.PAUSED:
        after = status.read_through + 1
        page = await operations.read_events(leader, start=after, limit=1, with_state=False)
        notification_id = page.events[0].id if page.events else 0
        is_on_it = bool(page.events)
    if not is_on_it:
        msg = f"{follower} does not wait on an event of {leader}"
        raise RequestFailed(msg)
    return await operations.skip_event(follower, leader, notification_id, "", is_dry_run=True)


async def _run(
    app: App[object],
    operations: SystemOperations,
    action: ControlAction,
    following: FollowingView,
    event: EventView | None,
    reason: str,
    done: str,
) -> None:
    follower, leader = following.follower, following.leader
    try:
        match action:
            case ControlAction.PAUSE:
                await operations.pause_following(follower, leader, reason)
            case ControlAction.RESUME:
                await operations.resume_following(follower, leader, reason)
            case ControlAction.RETRY:
                await operations.retry_now(follower, leader, reason)
            case ControlAction.SKIP:
                assert event is not None
                await operations.skip_event(follower, leader, event.id, reason)
    except RequestFailed as e:
        logger.warning("%s of %s in %s failed: %s", action.value, leader, follower, e)
        _tell_failure(app, f"{action.value} of {leader} in {follower} failed: {e}")
    else:
        app.notify(words.line(done), markup=False)


def _question(
    action: ControlAction, following: FollowingView, event: EventView | None, now: float
) -> _Question:
    follower, leader = following.follower, following.leader
    status = following.status
    position = words.number(status.position if status else None)
    match action:
        case ControlAction.PAUSE:
            return _Question(
                f"Pause {follower} in following {leader}?",
                "Pause",
                (
                    f"It stays at position {position} until it is resumed, or its server is "
                    f"started again. What {leader} records meanwhile waits.",
                ),
                f"{follower} has paused following {leader}",
            )
        case ControlAction.RESUME:
            behind = words.count(following.lag, "event") if following.lag else "no event"
            return _Question(
                f"Let {follower} go on following {leader}?",
                "Resume",
                (f"It goes on from position {position}, {behind} behind.",),
                f"{follower} goes on following {leader}",
            )
        case ControlAction.RETRY:
            return _Question(
                _retry_question(following),
                "Retry",
                _retry_consequences(following, now),
                f"{follower} has tried {leader} again: see its state",
            )
        case ControlAction.SKIP:
            assert event is not None
            return _Question(
                f"Skip {leader} #{event.id:,} in {follower}?",
                "Skip",
                (
                    _describe(event),
                    f"{follower} records the event as processed without processing it. That can't "
                    "be undone: what its policy would have done is left to you.",
                ),
                f"{follower} has skipped {leader} #{event.id:,}",
            )


def _retry_question(following: FollowingView) -> str:
    follower, leader = following.follower, following.leader
    error = following.status.last_error if following.status else None
    if following.state is FollowingState.FAILING and error and error.notification_id:
        return f"Let {follower} try {leader} #{error.notification_id:,} again now?"
    if following.state is FollowingState.DIVERGED:
        return f"Let {follower} look at the log of {leader} again now?"
    return f"Let {follower} try to reach {leader} now?"


def _retry_consequences(following: FollowingView, now: float) -> tuple[str, ...]:
    if following.state is FollowingState.DIVERGED:
        return (
            f"If the log of {following.leader} has become long enough, it is followed again, "
            "whatever is in it.",
        )
    error = following.status.last_error if following.status else None
    if error is not None and error.next_try is not None and error.next_try > now:
        return (f"By itself it tries again in {words.duration(error.next_try - now)}.",)
    return ("By itself it tries again soon.",)


def _describe(event: EventView) -> str:
    at = event.timestamp
    when = f"  {words.local(at):%Y-%m-%d %H:%M:%S}" if at else ""
    lines = [f"{words.line(event.short_topic)}{when}", words.line(event.originator_id)]
    content = words.line(event.state or event.error)
    if len(content) > _MAX_SHOWN_STATE:
        content = f"{content[: _MAX_SHOWN_STATE - 1]}…"
    return "\n".join([*lines, content] if content else lines)


def _tell_failure(app: App[object], text: str) -> None:
    app.notify(words.line(text), severity="error", markup=False, timeout=_FAILURE_SECONDS)
