"""Runs what a command does, connected to its system, until it is done or somebody ends it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.names import find_name
from esgrpc_console.headless.output import Output
from esgrpc_console.headless.reading_end import noticing_end_of_reading
from esgrpc_console.outcome import FAILURE, NO, CommandFailed
from esgrpc_console.system_view import RequestFailed, SystemUnreachable, SystemView, words
from esgrpc_console.system_view.failures import ServerUnavailable
from esgrpc_console.system_view.options import ConnectionOptions, OptionError
from esgrpc_console.system_view.views import ApplicationView, Description, Health

_DESCRIBE_TIMEOUT = 8.0


def open_view(system: ChosenSystem, *, interval: float = 0.5) -> SystemView:
    """Returns the view of a system, which connects when it is entered.

    :param interval: how often servers are to tell how they are, in seconds.
    :raises OptionError: when an option can't be used.
    """
    options = ConnectionOptions(
        addresses=system.addresses_of,
        root_certificate=system.root_cert,
        certificate=system.cert,
        private_key=system.key,
        server_name=system.server_name,
        interval=interval,
    )
    return SystemView(*system.addresses, options=options)


def run(command: Callable[[], Coroutine[Any, Any, int]], output: Output) -> int:
    """Runs a command to its end, and returns its exit status.

    :raises CommandFailed: when there is no connection, or a server refuses.
    :raises KeyboardInterrupt: when SIGINT or SIGTERM ends it.
    :raises BrokenPipeError: when nobody reads standard output any more.
    """
    endings: list[BaseException] = []
    try:
        with explained():
            return asyncio.run(_supervised(command, output, endings))
    except asyncio.CancelledError:
        raise endings[0] if endings else KeyboardInterrupt from None


@contextmanager
def explained(what: str = "") -> Iterator[None]:
    """Turns a request that has failed into the end of the command.

    :param what: the message is about, where it doesn't say so itself.
    :raises CommandFailed: with status 2 when there is no connection, 1 when a server has refused.
    """
    try:
        yield
    except RequestFailed as e:
        is_connection = isinstance(e, (SystemUnreachable, ServerUnavailable, OptionError))
        told = str(e)
        if what and isinstance(e, ServerUnavailable):
            told = f"{what} can't be reached: {e}"
        elif what not in told:
            told = f"{what}: {e}"
        raise CommandFailed(words.line(told), status=FAILURE if is_connection else NO) from e


def find_application(view: SystemView, given: str) -> str:
    """Returns the name of the application that is meant.

    :raises CommandFailed: when there is none.
    """
    return find_name(given, view.state.applications, "application", "this system")


async def describe(view: SystemView, application: str) -> Description:
    """Returns what an application is, as soon as its server has told.

    :raises CommandFailed: when the server can't be reached within 8 s.
    """
    changes = view.state.changes
    try:
        async with asyncio.timeout(_DESCRIBE_TIMEOUT):
            while True:
                seen = changes.count
                known = view.state.applications[application]
                if known.description is not None:
                    return known.description
                if known.health is Health.UNREACHABLE:
                    break
                await changes.wait(seen)
    except TimeoutError:
        known = view.state.applications[application]
    raise CommandFailed(unreachable(known))


def unreachable(application: ApplicationView) -> str:
    """Returns in words that an application can't be reached."""
    why = application.why or "no answer in time"
    on = f" on {application.address}" if application.address else ""
    return words.line(f"{application.name} can't be reached{on}: {why}")


async def _supervised(
    command: Callable[[], Coroutine[Any, Any, int]], output: Output, endings: list[BaseException]
) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def end(ending: BaseException) -> None:
        endings.append(ending)
        task.cancel()

    loop.set_exception_handler(_complain)
    loop.add_signal_handler(signal.SIGTERM, end, KeyboardInterrupt())
    with noticing_end_of_reading(output.stdout, lambda: end(BrokenPipeError())):
        return await command()


def _complain(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    told = f"{type(error).__name__}: {error}" if error else context.get("message", "")
    sys.stderr.write(f"esgrpc-console: {words.line(str(told))}\n")
