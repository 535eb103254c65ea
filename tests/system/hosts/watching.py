"""Run on a host: attaches to a system as the console does, and writes what it tells, as it changes.

Each line is a JSON object: the reading of the monotonic clock, which is that of all hosts, and the
word for each application and each following.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping

from esgrpc_console.system_view import SystemState, SystemView


def states_of(state: SystemState) -> Mapping[str, str]:
    """Returns the words that the console shows."""
    words = {name: one.health.word for name, one in state.applications.items()}
    for following in state.followings:
        word = following.state.word
        words[f"{following.follower} <- {following.leader}"] = (
            word if following.stale_since is None else f"{word}, not heard of"
        )
    return words


async def watch(address: str) -> None:
    """Writes until it is ended."""
    written: Mapping[str, str] = {}
    async with SystemView(address) as view:
        state = view.state
        while True:
            seen = state.changes.count
            states = states_of(state)
            if states != written:
                sys.stdout.write(f"{json.dumps({'time': time.monotonic(), 'states': states})}\n")
                sys.stdout.flush()
                written = states
            await state.changes.wait(seen)


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1]))
