"""What a shell is offered that only a running system knows. It is asked for half a second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.output import Output
from esgrpc_console.headless.running import open_view, run
from esgrpc_console.outcome import SUCCESS, CommandFailed
from esgrpc_console.system_view import SystemState, words
from esgrpc_console.system_view.views import ApplicationView

# Half a second together.
_CONNECT_TIMEOUT = 0.35
_DESCRIBE_TIMEOUT = 0.15
_WITH_METHODS = frozenset({"methods", "arguments"})


def read_completions(system: ChosenSystem, what: str, of: str = "") -> Sequence[tuple[str, str]]:
    """Returns values and what they mean, or none where the system does not answer in time.

    :param what: ``applications``, ``methods``, ``arguments``, ``followers`` or ``leaders``.
    :param of: which method the arguments are of, or which follower the leaders.
    """
    found: list[tuple[str, str]] = []

    async def read() -> int:
        view = open_view(system)
        async with asyncio.timeout(_CONNECT_TIMEOUT) as deadline, view:
            deadline.reschedule(None)
            with suppress(TimeoutError):
                await _wait_for_methods(view.state, what)
            for value, meaning in _completions(view.state, what, of):
                found.append((value, words.line(meaning)))
        return SUCCESS

    with suppress(CommandFailed, TimeoutError):
        run(read, Output(is_json=False))
    return found


async def _wait_for_methods(state: SystemState, what: str) -> None:
    if what not in _WITH_METHODS:
        return
    async with asyncio.timeout(_DESCRIBE_TIMEOUT):
        while not all(map(_is_known, state.applications.values())):
            await state.changes.wait(state.changes.count)


def _is_known(application: ApplicationView) -> bool:
    return application.description is not None or application.stale_since is not None


def _completions(state: SystemState, what: str, of: str) -> Iterator[tuple[str, str]]:
    applications = state.applications
    match what:
        case "applications":
            yield from ((name, one.address) for name, one in applications.items())
        case "followers":
            yield from ((name, "") for name, one in applications.items() if one.follows)
        case "leaders":
            followers = [one for name, one in applications.items() if name.lower() == of.lower()]
            yield from ((leader, "") for one in followers for leader in one.follows)
        case _:
            yield from _method_completions(applications.values(), what, of)


def _method_completions(
    applications: Iterable[ApplicationView], what: str, of: str
) -> Iterator[tuple[str, str]]:
    for application in applications:
        for method in application.methods:
            called = f"{application.name}.{method.name}"
            if what == "methods":
                yield called, method.signature
            elif called.lower() == of.lower():
                yield from ((f"{one.name}=", one.type_words) for one in method.parameters)
