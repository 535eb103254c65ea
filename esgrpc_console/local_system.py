"""A system whose servers this process starts and stops. How it is shown is left to others."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from eventsourcing.system import System

from esgrpc_console.system_view import SystemState, SystemView
from eventsourcing_grpc.environment import variable_name
from eventsourcing_grpc.runner import GrpcRunner
from eventsourcing_grpc.user_errors import UserError

_KEPT_LINES = 2_000
_LOOK_SECONDS = 0.25
_GRPC_VERBOSITY = "GRPC_VERBOSITY"


class DataDirError(UserError):
    """Raised when a directory can't hold databases. The message names it and says why."""


@dataclass(frozen=True)
class OutputLine:
    """One line that a server's process, or this one's logging, has written."""

    application: str
    """Empty: it is this process's."""
    text: str


class LocalSystem:
    """Runs a system's servers in processes of their own for as long as its context is entered.

    What the servers write is kept in ``output``, the newest lines of it.
    """

    def __init__(self, system: System, data_dir: Path | None = None) -> None:
        """
        :param data_dir: where each application has its SQLite database. None: as the environment
            says, by default in memory.
        :raises DataDirError: when the directory can't be made or written in.
        """
        self.output: deque[OutputLine] = deque(maxlen=_KEPT_LINES)
        self._names = tuple(system.nodes)
        self._env = _sqlite_environment(self._names, data_dir) if data_dir else {}
        # What gRPC's core writes would go over the screen. Servers' output is kept: they may write.
        self._env[_GRPC_VERBOSITY] = os.environ.get(_GRPC_VERBOSITY, "ERROR")
        self._runner = GrpcRunner(system, self._env, output=self._keep)
        self._log_handler = _LogHandler(self._keep)
        self._starter = threading.Thread(target=self._start, name="starter of servers")
        self._started: Future[None] = Future()
        self._doing = "starting"

    def __enter__(self) -> Self:
        os.environ.setdefault(_GRPC_VERBOSITY, "NONE")
        logging.getLogger().addHandler(self._log_handler)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stops the servers, also those that are being started. Takes less than 6 s."""
        self._runner.stop()
        if self._starter.is_alive():
            self._starter.join()
            self._runner.stop()
        logging.getLogger().removeHandler(self._log_handler)

    def progress(self) -> tuple[str, Sequence[str]]:
        """Returns what is being waited for, and what servers have said."""
        lines = [
            f"{line.application}: {line.text}" if line.application else line.text
            for line in tuple(self.output)
        ]
        return self._doing, lines

    async def open(self, stack: AsyncExitStack) -> SystemView:
        """Starts the servers, connects to them, and returns their view.

        :param stack: closes the view.
        :raises Exception: whatever keeps a server from being started.
        """
        servers = "1 server" if len(self._names) == 1 else f"{len(self._names)} servers"
        self._doing = f"starting {servers}: {', '.join(self._names)} …"
        self._starter.start()
        await asyncio.wrap_future(self._started)
        self._doing = "connecting to them …"
        address = next(iter(self._runner.addresses.values()))
        view = await stack.enter_async_context(SystemView(address))
        watcher = asyncio.create_task(self._watch_processes(view.state), name="watch processes")
        stack.callback(watcher.cancel)
        return view

    def _start(self) -> None:
        if not self._started.set_running_or_notify_cancel():
            return
        try:
            self._runner.start(with_subprocesses=True)
        except BaseException as e:
            self._started.set_exception(e)
        else:
            self._started.set_result(None)

    async def _watch_processes(self, state: SystemState) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if not self._runner.has_errored.is_set():
                continue
            for name, process in self._runner.processes.items():
                if process.has_stopped.is_set():
                    state.set_ending(name, _last_words(process.ending, process.lines))

    def _keep(self, application: str, text: str) -> None:
        self.output.append(OutputLine(application, text))


class _LogHandler(logging.Handler):
    """Keeps this process's log records off the screen."""

    def __init__(self, keep: Callable[[str, str], None]) -> None:
        super().__init__(level=logging.WARNING)
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a record as a line."""
        self._keep("", self.format(record))


def _last_words(ending: str, lines: Sequence[str]) -> str:
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    # What it says in the ordinary course of things does not tell why it died.
    return ending if not last or " INFO " in last else f"{ending}, it wrote {last!r}"


def _sqlite_environment(names: Sequence[str], data_dir: Path) -> dict[str, str]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        msg = f"--data-dir {str(data_dir)!r} can't be made: {e.strerror}"
        raise DataDirError(msg) from e
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        msg = f"--data-dir {str(data_dir)!r} can't be written in"
        raise DataDirError(msg)
    env = {}
    for name in names:
        env[variable_name(name, "PERSISTENCE_MODULE")] = "eventsourcing.sqlite"
        path = data_dir.absolute() / f"{name.lower()}.db"
        env[variable_name(name, "SQLITE_DBNAME")] = str(path)
    return env
