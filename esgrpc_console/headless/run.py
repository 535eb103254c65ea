"""Runs a system without a console, and tells each event of its life as a line of JSON.

::

    {"event": "started", "time": …, "system": …, "applications": {"Orders": {"address": …, "pid": …}, …}}
    {"event": "exited", "time": …, "application": …, "ending": …, "status": …, "last_lines": […]}
    {"event": "error", "time": …, "message": …}
    {"event": "stopped", "time": …, "reason": …, "status": …}
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from eventsourcing.system import System

from esgrpc_console.headless.reading_end import noticing_end_of_reading
from esgrpc_console.local_environment import local_environment
from esgrpc_console.outcome import FAILURE, INTERRUPTED, NO, SUCCESS, CommandFailed
from esgrpc_console.server_endings import in_one_line
from esgrpc_console.system_view.parameters import JsonValue
from eventsourcing_grpc.runner import GrpcRunner, RunnerStoppedError

_LOOK_SECONDS = 0.1
_LAST_LINES = 20
_STATUSES = {
    signal.SIGINT: INTERRUPTED,
    signal.SIGTERM: SUCCESS,
    signal.SIGHUP: SUCCESS,
}


def run_headless(system: System, system_topic: str, data_dir: Path | None) -> int:
    """Runs a system until a signal, or until none of its servers is left.

    What servers write goes to standard error.

    :returns: the exit status: 0 after SIGTERM and SIGHUP, 130 after SIGINT, 1 when all servers have
        exited by themselves.
    :raises DataDirError: when the directory can't be made or written in.
    :raises CommandFailed: when the system can't be started, which stops what was started of it.
    :raises BrokenPipeError: when nobody reads standard output any more. Then, too, it is stopped.
    """
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    runner = GrpcRunner(system, local_environment(tuple(system.nodes), data_dir))
    return asyncio.run(_Run(runner, system_topic, sys.stdout).run())


class _Run:
    """One run of a system."""

    def __init__(self, runner: GrpcRunner, system_topic: str, stdout: TextIO) -> None:
        self._runner = runner
        self._system_topic = system_topic
        self._stdout = stdout
        self._exited: set[str] = set()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        signalled: asyncio.Future[signal.Signals] = loop.create_future()

        def hear(number: signal.Signals) -> None:
            if not signalled.done():
                signalled.set_result(number)

        def end() -> None:
            if not signalled.done():
                signalled.set_exception(BrokenPipeError())

        for number in _STATUSES:
            loop.add_signal_handler(number, hear, number)
        try:
            with noticing_end_of_reading(self._stdout, end):
                status, reason = await self._start_and_watch(signalled)
        except CommandFailed as e:
            self._tell("error", message=str(e))
            self._tell("stopped", reason="not started", status=e.status)
            raise
        finally:
            await asyncio.to_thread(self._runner.stop)
        self._tell("stopped", reason=reason, status=status)
        return status

    async def _start_and_watch(self, signalled: asyncio.Future[signal.Signals]) -> tuple[int, str]:
        """Returns the exit status, and why the run ends, when it is to end."""
        starting = asyncio.ensure_future(asyncio.to_thread(self._runner.start, True))
        first: list[asyncio.Future[Any]] = [starting, signalled]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if signalled.done():
            # Ends the start, too.
            await asyncio.to_thread(self._runner.stop)
        try:
            await starting
        except RunnerStoppedError:
            return _ending(signalled)
        except Exception as e:
            # Whatever keeps a server from being started: an application's constructor may raise it.
            raise CommandFailed(in_one_line(e), status=FAILURE) from e
        self._tell_started()
        while not signalled.done():
            await asyncio.wait([signalled], timeout=_LOOK_SECONDS)
            self._tell_exits()
            if len(self._exited) == len(self._runner.processes):
                return NO, "all servers have exited"
        return _ending(signalled)

    def _tell_started(self) -> None:
        self._tell(
            "started",
            system=self._system_topic,
            applications={
                name: {"address": process.address, "pid": process.pid}
                for name, process in self._runner.processes.items()
            },
        )

    def _tell_exits(self) -> None:
        for name, process in self._runner.processes.items():
            if process.has_failed and name not in self._exited:
                self._exited.add(name)
                self._tell(
                    "exited",
                    application=name,
                    ending=process.ending,
                    status=process.status,
                    last_lines=list(process.lines[-_LAST_LINES:]),
                )

    def _tell(self, event: str, **facts: JsonValue) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._stdout.write(f"{json.dumps({'event': event, 'time': time, **facts})}\n")
        self._stdout.flush()


def _ending(signalled: asyncio.Future[signal.Signals]) -> tuple[int, str]:
    number = signalled.result()
    return _STATUSES[number], number.name
