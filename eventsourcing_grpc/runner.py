"""Runs a system as gRPC servers, with the core library's ``Runner`` interface."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from time import monotonic
from typing import Any

from eventsourcing.application import TApplication
from eventsourcing.system import Runner, System
from eventsourcing.utils import EnvType

from eventsourcing_grpc.addresses import choose_free_address
from eventsourcing_grpc.application_client import GrpcApplicationClient, create_client
from eventsourcing_grpc.application_server import (
    AddressUnavailableError,
    GrpcApplicationServer,
)
from eventsourcing_grpc.environment import (
    APPLICATION_TOPIC,
    SERVER_ADDRESS,
    SYSTEM_TOPIC,
    application_environment,
    has_server_address,
    server_address,
    variable_name,
)
from eventsourcing_grpc.server_process import (
    START_TIMEOUT,
    STOP_TIMEOUT,
    Output,
    ServerProcess,
    ServerStartError,
)
from eventsourcing_grpc.topics import system_topic

_CONNECT_ATTEMPTS = 20
_NEWS_INTERVAL = 0.02
_START_ATTEMPTS = 5
"""How often addresses are chosen, if others take them meanwhile."""


class RunnerStoppedError(Exception):
    """Raised by a start when another thread stops the runner in the meantime."""


class RunnerNotRunningError(Exception):
    """Raised when a server of a runner is to be stopped or restarted that has none running."""


class GrpcRunner(Runner[Any]):
    """Starts a server for each application of a system, in this process or in processes of their own.

    Servers whose addresses are not configured get free ports of localhost, from 50051 upward.
    """

    def __init__(
        self, system: System, env: EnvType | None = None, *, output: Output | None = None
    ) -> None:
        """:param env: overrides ``os.environ`` for all applications.
        :param output: takes what servers' processes write to standard error, a line at a time,
            with the application's name. None: it is written to standard error.
        """
        super().__init__(system=system, env=env)
        self.has_started = threading.Event()
        self.has_errored = threading.Event()
        self.has_stopped = threading.Event()
        self._output = output
        self._addresses: dict[str, str] = {}
        self._configured: set[str] = set()
        self._servers: dict[str, GrpcApplicationServer] = {}
        self._processes: dict[str, ServerProcess] = {}
        self._clients: dict[str, GrpcApplicationClient[Any]] = {}
        self._server_env: EnvType = {}
        self._is_stopping = False
        # Guards what is started and stopped: a runner may be stopped while it starts.
        self._lock = threading.Lock()
        # One thread at a time stops or restarts a server. Taken before the other lock.
        self._server_locks = {name: threading.Lock() for name in system.nodes}

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where the servers listen, by the names of the applications. Empty before the start."""
        return dict(self._addresses)

    @property
    def servers(self) -> Mapping[str, GrpcApplicationServer]:
        """The servers in this process, by the names of the applications."""
        return dict(self._servers)

    @property
    def processes(self) -> Mapping[str, ServerProcess]:
        """The servers' processes, by the names of the applications."""
        return dict(self._processes)

    def start(self, with_subprocesses: bool = False) -> None:
        """Starts the servers, and returns when all of them are serving.

        If one can't be started, those that were are stopped.

        :param with_subprocesses: whether each server has a process of its own.
        :raises RunnerAlreadyStartedError: when the runner has been started before.
        :raises ServerStartError: when a server's process ended, with what it wrote.
        :raises RunnerStoppedError: when another thread stops the runner in the meantime.
        :raises TopicArgumentError: when other processes can't find the system.
        :raises Exception: what starting a server in this process raises.
        """
        super().start()
        try:
            for attempts_left in reversed(range(_START_ATTEMPTS)):
                env = self._choose_addresses()
                try:
                    self._start(env, with_subprocesses=with_subprocesses)
                    break
                except (AddressUnavailableError, ServerStartError) as e:
                    self._stop_servers()
                    if self._is_stopping or not attempts_left or not self._has_lost_address(e):
                        raise
                    self.has_errored.clear()
                    # Whoever else is choosing now chooses at another time.
                    threading.Event().wait(random.uniform(0.0, 0.5))
        except BaseException as e:
            was_stopped = self._is_stopping
            self.stop()
            if was_stopped and isinstance(e, Exception):
                msg = "The runner was stopped while it was starting"
                raise RunnerStoppedError(msg) from e
            raise
        self.has_started.set()

    def _start(self, env: EnvType, *, with_subprocesses: bool) -> None:
        if with_subprocesses:
            self._server_env = {**env, SYSTEM_TOPIC: system_topic(self.system)}
            self._start_processes()
        else:
            self._start_servers(env)
        self._connect(env)

    def _has_lost_address(self, error: Exception) -> bool:
        """Tells whether somebody else has taken a chosen address before its server listened on it."""
        return any(
            f"can't be served on {address}" in str(error)
            for name, address in self._addresses.items()
            if name not in self._configured
        )

    def get(self, cls: type[TApplication]) -> TApplication:
        """Returns a proxy for an application of the system.

        :raises KeyError: when the system has no such application, or is not running.
        """
        client: GrpcApplicationClient[TApplication] = self._clients[cls.name]
        return client.app

    def client(self, name: str) -> GrpcApplicationClient[Any]:
        """Returns the client of the application with the given name."""
        return self._clients[name]

    def stop_server(self, name: str) -> None:
        """Stops one server gracefully, in less than 3 s. The others go on.

        Stopping a stopped one changes nothing. Calls of its application fail until it is restarted.

        :raises KeyError: when the system has no such application.
        :raises RunnerNotRunningError: when the runner has not been started, or was stopped.
        """
        with self._server_locks[name]:
            self._check_running()
            self._stop_server(name)

    def restart_server(self, name: str) -> None:
        """Stops one server, if it runs, and starts it on the same address. Returns when it serves.

        Clients and followers reconnect by themselves. Where events are kept in the memory of a
        process, they end with it.

        :raises KeyError: when the system has no such application.
        :raises ServerStartError: when its process ended before it served, with what it wrote.
        :raises RunnerNotRunningError: when the runner has not been started, or was stopped.
        :raises RunnerStoppedError: when another thread stops the runner in the meantime.
        :raises Exception: what starting a server in this process raises.
        """
        with self._server_locks[name]:
            self._check_running()
            self._stop_server(name)
            try:
                if name in self._processes:
                    self._start_process(name)
                    self._processes[name].wait_until_serving()
                else:
                    with self._lock:
                        self._check_not_stopped()
                        self._servers[name].start()
            except Exception as e:
                if self._is_stopping:
                    msg = f"The runner was stopped while the server of {name} was starting"
                    raise RunnerStoppedError(msg) from e
                raise
            self._forget_errors()

    def stop(self) -> None:
        """Stops the servers gracefully, in less than 3 s. Stopping again changes nothing.

        May be called by any thread, also while another one starts the runner.
        """
        self._is_stopping = True
        self._stop_servers()
        self.has_stopped.set()

    def _stop_servers(self) -> None:
        with self._lock:
            deadline = monotonic() + STOP_TIMEOUT
            for client in self._clients.values():
                client.close()
            self._clients.clear()
            for process in self._processes.values():
                process.request_stop()
            for server in self._servers.values():
                server.stop()
            for process in self._processes.values():
                process.stop(max(0.0, deadline - monotonic()))
            for server in self._servers.values():
                server.wait_for_termination()

    def _choose_addresses(self) -> dict[str, str]:
        env = dict(self.env or {})
        self._addresses.clear()
        for name in self.system.nodes:
            scope = application_environment(self.system.get_app_cls(name), self.env)
            if has_server_address(scope, name):
                self._configured.add(name)
                self._addresses[name] = server_address(scope, name)
        for name in self.system.nodes:
            if name not in self._configured:
                self._addresses[name] = choose_free_address(self._addresses.values())
            env[variable_name(name, SERVER_ADDRESS)] = self._addresses[name]
        return env

    def _start_servers(self, env: EnvType) -> None:
        for name in self.system.nodes:
            server = GrpcApplicationServer(self.system.get_app_cls(name), env, system=self.system)
            with self._lock:
                self._check_not_stopped()
                self._servers[name] = server
                server.start()

    def _start_processes(self) -> None:
        for name in self.system.nodes:
            self._start_process(name)
        deadline = monotonic() + START_TIMEOUT
        starting = list(self._processes.values())
        while starting:
            for process in tuple(starting):
                is_late = monotonic() > deadline
                if process.has_started.is_set() or process.has_stopped.is_set() or is_late:
                    # Raises when it has ended, whatever the others are doing.
                    process.wait_until_serving(0.0)
                    starting.remove(process)
            if starting:
                starting[0].has_started.wait(_NEWS_INTERVAL)

    def _start_process(self, name: str) -> None:
        env = {**self._server_env, APPLICATION_TOPIC: self.system.nodes[name]}
        process = ServerProcess(name, env, self.has_errored, self._output)
        with self._lock:
            self._check_not_stopped()
            self._processes[name] = process
            process.start()

    def _stop_server(self, name: str) -> None:
        process = self._processes.get(name)
        if process is not None:
            process.stop()
        else:
            self._servers[name].stop(wait=True)

    def _forget_errors(self) -> None:
        """Lets the runner count as healthy again, if no server has failed that was not restarted."""
        if not self._has_failed_processes():
            self.has_errored.clear()
            # One may have failed just now.
            if self._has_failed_processes():
                self.has_errored.set()

    def _has_failed_processes(self) -> bool:
        return any(process.has_failed for process in self.processes.values())

    def _connect(self, env: EnvType) -> None:
        for name in self.system.nodes:
            client = create_client(self.system.get_app_cls(name), env)
            with self._lock:
                self._check_not_stopped()
                # From here on, stopping ends its waiting.
                self._clients[name] = client
            client.connect(_CONNECT_ATTEMPTS)

    def _check_not_stopped(self) -> None:
        if self._is_stopping:
            raise RunnerStoppedError

    def _check_running(self) -> None:
        if self._is_stopping or not self.has_started.is_set():
            msg = "The runner is not running: its servers can't be stopped or restarted one by one"
            raise RunnerNotRunningError(msg)
