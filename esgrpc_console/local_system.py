"""A system whose servers this process starts, stops and restarts. How it is shown is left to others."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from eventsourcing.system import System

from esgrpc_console.local_environment import local_environment
from esgrpc_console.server_endings import in_one_line, last_words
from esgrpc_console.server_output import ServerOutput
from esgrpc_console.system_view import RequestFailed, SystemState, SystemView
from esgrpc_console.system_view.views import RESTARTING, STOPPED_BY_YOU
from eventsourcing_grpc.runner import GrpcRunner

_LOOK_SECONDS = 0.25
_SHOWN_LINES = 50
_LIBRARY = "eventsourcing_grpc"


class LocalSystem:
    """Runs a system's servers in processes of their own for as long as its context is entered."""

    def __init__(self, system: System, data_dir: Path | None = None) -> None:
        """
        :param data_dir: where each application has its SQLite database. None: as the environment
            says, by default in memory.
        :raises DataDirError: when the directory can't be made or written in.
        """
        self.output = ServerOutput()
        self.names = tuple(system.nodes)
        # What gRPC's core writes would go over the screen. Servers' output is kept: they may write.
        env = local_environment(self.names, data_dir)
        self._runner = GrpcRunner(system, env, output=self.output.keep)
        self._log_handler = _LogHandler(self.output.keep)
        self._log_level = logging.NOTSET
        self._threads: list[threading.Thread] = []
        self._being_changed: set[str] = set()
        self._state: SystemState | None = None
        self._doing = "starting"

    @property
    def address(self) -> str:
        """Where the first of the servers listens. Empty before they are started."""
        return next(iter(self._runner.addresses.values()), "")

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._log_handler)
        # Servers log what this process would log: that they serve, and what operators do.
        logger = logging.getLogger(_LIBRARY)
        self._log_level = logger.level
        logger.setLevel(logging.INFO)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stops the servers, also those that are being started. Takes less than 6 s."""
        self._runner.stop()
        for thread in self._threads:
            thread.join()
        self._runner.stop()
        logging.getLogger(_LIBRARY).setLevel(self._log_level)
        logging.getLogger().removeHandler(self._log_handler)

    def progress(self) -> tuple[str, Sequence[str]]:
        """Returns what is being waited for, and the last lines that servers have written."""
        newest = self.output.after(self.output.count - _SHOWN_LINES)
        return self._doing, [
            f"{line.application}: {line.text}" if line.application else line.text for line in newest
        ]

    async def open(self, stack: AsyncExitStack) -> SystemView:
        """Starts the servers, connects to them, and returns their view.

        :param stack: closes the view.
        :raises Exception: whatever keeps a server from being started.
        """
        servers = "1 server" if len(self.names) == 1 else f"{len(self.names)} servers"
        self._doing = f"starting {servers}: {', '.join(self.names)} …"
        await self._in_thread(lambda: self._runner.start(with_subprocesses=True), "start servers")
        self._doing = "connecting to them …"
        view = await stack.enter_async_context(SystemView(self.address))
        self._state = view.state
        watcher = asyncio.create_task(self._watch_processes(view.state), name="watch processes")
        stack.callback(watcher.cancel)
        return view

    async def stop_server(self, application: str) -> None:
        """Stops one server, and lets the state say that it was asked for.

        Cancelling does not stop the stop.

        :raises RequestFailed: when it can't be stopped.
        """
        await self._change(
            application, STOPPED_BY_YOU, STOPPED_BY_YOU, self._runner.stop_server, "stopped"
        )

    async def restart_server(self, application: str) -> None:
        """Stops one server, if it runs, and starts it. Returns when it serves.

        Cancelling does not stop the restart.

        :raises RequestFailed: when it does not start, with what it wrote last.
        """
        await self._change(application, RESTARTING, "", self._runner.restart_server, "restarted")

    async def _change(
        self, name: str, meanwhile: str, after: str, work: Callable[[str], None], participle: str
    ) -> None:
        """Stops or restarts a server.

        :param meanwhile: what the state is to say of its end while this is done.
        :param after: what it is to say when it has been done.
        """
        if name not in self.names:
            msg = f"there is no server of {name}: there are those of {', '.join(self.names)}"
            raise RequestFailed(msg)
        if name in self._being_changed:
            msg = f"the server of {name} is being stopped or restarted already"
            raise RequestFailed(msg)
        self._being_changed.add(name)
        self._say(name, meanwhile)
        done = self._in_thread(lambda: work(name), f"{participle} {name}")
        done.add_done_callback(lambda done: self._finish(name, after, done))
        try:
            await asyncio.shield(done)
        except Exception as e:
            # Whatever it is, it is for the person who asked. How a process ended is told besides.
            msg = f"the server of {name} was not {participle}: {in_one_line(e)}"
            raise RequestFailed(msg) from e

    def _finish(self, name: str, ending: str, done: asyncio.Future[None]) -> None:
        self._being_changed.discard(name)
        self._say(name, "" if done.cancelled() or done.exception() else ending)

    def _say(self, name: str, ending: str) -> None:
        if self._state is not None:
            self._state.set_ending(name, ending)

    def _in_thread(self, work: Callable[[], None], name: str) -> asyncio.Future[None]:
        """Does what takes its time beside the event loop, in a thread that is joined at the end.

        A loop's own threads are waited for before the runner is stopped, which ends their work.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def run() -> None:
            error: BaseException | None = None
            try:
                work()
            except BaseException as e:
                error = e
            # A loop that has been closed has nobody who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, done, error)

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=run, name=name)
        self._threads.append(thread)
        thread.start()
        return done

    async def _watch_processes(self, state: SystemState) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if not self._runner.has_errored.is_set():
                continue
            for name, process in self._runner.processes.items():
                is_settled = process.has_stopped.is_set() and name not in self._being_changed
                if is_settled and process.has_failed:
                    state.set_ending(name, last_words(process))


class _LogHandler(logging.Handler):
    """Keeps this process's log records off the screen."""

    def __init__(self, keep: Callable[[str, str], None]) -> None:
        super().__init__(level=logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a record, a line each."""
        for line in self.format(record).splitlines():
            self._keep("", line)


def _settle(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
