"""What ``pause``, ``resume``, ``retry`` and ``skip`` do to a following."""

from __future__ import annotations

from dataclasses import dataclass

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.command_lines import ControlAction
from esgrpc_console.headless.access import refuse_changes
from esgrpc_console.headless.names import find_name
from esgrpc_console.headless.output import Output
from esgrpc_console.headless.running import explained, find_application, open_view, run
from esgrpc_console.headless.shapes import event_object, value_of
from esgrpc_console.outcome import SUCCESS, CommandFailed
from esgrpc_console.system_view import SystemView

_DONE = {
    ControlAction.PAUSE: "{follower} is paused in following {leader}",
    ControlAction.RESUME: "{follower} goes on following {leader}",
    ControlAction.RETRY: "{follower} tries again to follow {leader}",
}


@dataclass(frozen=True)
class ControlRequest:
    """What is to be done to a following, and why."""

    action: ControlAction
    follower: str
    leader: str
    reason: str


@dataclass(frozen=True)
class SkipRequest:
    """Which event is to be left out by a follower, and why."""

    follower: str
    leader: str
    notification_id: int
    reason: str
    is_dry_run: bool


def control_following(system: ChosenSystem, request: ControlRequest, *, is_json: bool) -> int:
    """Pauses, resumes or retries a following, and returns the exit status.

    :raises CommandFailed: when changes are refused (status 2), by the server (1), or there is no
        such following or no connection (2).
    """
    output = Output(is_json=is_json)
    _check_reason(request.reason)
    refuse_changes(system, f"{request.action} changes how an application follows")

    async def control() -> int:
        async with open_view(system) as view:
            follower, leader = _find_following(view, request.follower, request.leader)
            with explained(follower):
                match request.action:
                    case ControlAction.PAUSE:
                        await view.pause_following(follower, leader, request.reason)
                    case ControlAction.RESUME:
                        await view.resume_following(follower, leader, request.reason)
                    case _:
                        await view.retry_now(follower, leader, request.reason)
        if is_json:
            output.write_json(
                {
                    "action": request.action.value,
                    "follower": follower,
                    "leader": leader,
                    "reason": request.reason,
                }
            )
        else:
            output.write_line(_DONE[request.action].format(follower=follower, leader=leader))
        return SUCCESS

    return run(control, output)


def skip_event(system: ChosenSystem, request: SkipRequest, *, is_json: bool) -> int:
    """Lets a follower leave out an event, or says what it would leave out. Returns the exit status.

    :raises CommandFailed: as ``control_following``; the server refuses an event that the follower
        does not wait on.
    """
    output = Output(is_json=is_json)
    if not request.is_dry_run:
        _check_reason(request.reason)
        refuse_changes(system, "skip changes how an application follows")

    async def skip() -> int:
        async with open_view(system) as view:
            follower, leader = _find_following(view, request.follower, request.leader)
            with explained(follower):
                event = await view.skip_event(
                    follower,
                    leader,
                    request.notification_id,
                    request.reason,
                    is_dry_run=request.is_dry_run,
                )
        if is_json:
            output.write_json(
                {
                    "action": ControlAction.SKIP.value,
                    "follower": follower,
                    "leader": leader,
                    "notification_id": event.id,
                    "reason": request.reason,
                    "is_dry_run": request.is_dry_run,
                    "event": event_object(event),
                }
            )
            return SUCCESS
        would = "would skip" if request.is_dry_run else "has skipped"
        output.write_line(f"{follower} {would} {leader} #{event.id:,} {event.short_topic}")
        output.write_value(value_of(event.state) if event.state else event.error)
        return SUCCESS

    return run(skip, output)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        msg = "--reason must not be empty: it is written into the server's log"
        raise CommandFailed(msg)


def _find_following(view: SystemView, follower: str, leader: str) -> tuple[str, str]:
    """Returns the names that are meant."""
    name = find_application(view, follower)
    leaders = view.state.applications[name].follows
    return name, find_name(leader, leaders, "leader", name)
