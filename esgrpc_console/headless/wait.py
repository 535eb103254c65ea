"""What ``esgrpc-console wait`` does: waits until a system is well, or has caught up, or for too long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.output import Output
from esgrpc_console.headless.running import find_application, open_view, run
from esgrpc_console.outcome import NO, SUCCESS, CommandFailed
from esgrpc_console.system_view import Condition, SystemUnreachable, SystemView
from esgrpc_console.system_view.waiting import Waiting

_INTERVAL = 0.1
_RETRY_SECONDS = 0.25


@dataclass(frozen=True)
class WaitRequest:
    """What is waited for."""

    is_caught_up: bool = False
    """That followers have caught up, and not that the system is well."""
    follower: str | None = None
    """Only this application and its leaders matter."""
    timeout: float = 60.0
    """Seconds. 0: looks once."""

    def missing(self, condition: Condition) -> Sequence[str]:
        """Returns in words what is not yet as it is wanted."""
        return condition.arrears if self.is_caught_up else condition.illnesses


def wait_for_system(system: ChosenSystem, request: WaitRequest, *, is_json: bool) -> int:
    """Waits, and returns the exit status: 1 when it has taken too long.

    :raises CommandFailed: when there was no connection all the time, or is no such follower.
    """
    output = Output(is_json=is_json)
    started = time.monotonic()

    async def wait() -> int:
        async with AsyncExitStack() as stack:
            view = await _connect(stack, system, request, output)
            left = max(0.01, started + request.timeout - time.monotonic())
            missing = await _wait(view, request, left if request.timeout else 0, output)
        seconds = time.monotonic() - started
        _tell(request, missing, seconds, output)
        return NO if missing else SUCCESS

    return run(wait, output)


async def _connect(
    stack: AsyncExitStack, system: ChosenSystem, request: WaitRequest, output: Output
) -> SystemView:
    """Connects to a system as soon as a server of it answers.

    :raises CommandFailed: when none has answered in time.
    :raises SystemUnreachable: when it is to look only once, and none answers.
    """
    failure = "no server has answered in time"
    try:
        async with asyncio.timeout(request.timeout or None):
            while True:
                try:
                    return await stack.enter_async_context(open_view(system, interval=_INTERVAL))
                except SystemUnreachable as e:
                    if request.timeout == 0:
                        raise
                    failure = str(e)
                    output.show_progress(f"waiting: {failure}")
                await asyncio.sleep(_RETRY_SECONDS)
    except TimeoutError as e:
        raise CommandFailed(failure) from e
    finally:
        output.show_progress("")


async def _wait(
    view: SystemView, request: WaitRequest, timeout: float, output: Output
) -> Sequence[str]:
    """Returns in words what is still not as it is wanted after a time in seconds."""

    def is_wanted(condition: Condition) -> bool:
        missing = request.missing(condition)
        output.show_progress(f"waiting: {'; '.join(missing)}" if missing else "")
        return not missing

    follower = _find_follower(view, request.follower) if request.follower is not None else ""
    waiting = Waiting(view, is_wanted, follower=follower)
    try:
        await waiting.run(timeout)
    except TimeoutError:
        return request.missing(waiting.condition) or ["events do not cease to be recorded"]
    finally:
        output.show_progress("")
    return ()


def _find_follower(view: SystemView, given: str) -> str:
    name = find_application(view, given)
    if not view.state.applications[name].follows:
        msg = f"{name} follows no application of this system"
        raise CommandFailed(msg)
    return name


def _tell(request: WaitRequest, missing: Sequence[str], seconds: float, output: Output) -> None:
    wanted = "caught up" if request.is_caught_up else "well"
    if output.is_json:
        output.write_json(
            {
                "is_done": not missing,
                "seconds": round(seconds, 3),
                "waiting_for": list(missing),
            }
        )
    elif not missing:
        output.write_line(f"{wanted} after {seconds:.1f} s")
    if missing:
        output.complain(f"not {wanted} after {seconds:.1f} s: {'; '.join(missing)}")
