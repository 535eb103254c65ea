"""What ``esgrpc-console wait`` does: waits until a system is well, or has caught up, or for too long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.output import Output
from esgrpc_console.headless.running import run
from esgrpc_console.headless.waiting import Waiting, WaitRequest
from esgrpc_console.outcome import NO, SUCCESS

_LOOK_TIMEOUT = 10.0


def wait_for_system(system: ChosenSystem, request: WaitRequest, *, is_json: bool) -> int:
    """Waits, and returns the exit status: 1 when it has taken too long.

    :raises CommandFailed: when there was no connection all the time, or is no such follower.
    """
    output = Output(is_json=is_json)
    started = time.monotonic()

    async def wait() -> int:
        missing: Sequence[str] = ()
        async with Waiting(system, request, output.show_progress) as waiting:
            try:
                # A single look takes the time that it takes.
                async with asyncio.timeout(request.timeout or _LOOK_TIMEOUT):
                    await waiting.wait()
            except TimeoutError:
                missing = waiting.missing()
            finally:
                output.show_progress("")
            seconds = time.monotonic() - started
        _tell(request, missing, seconds, output)
        return NO if missing else SUCCESS

    return run(wait, output)


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
