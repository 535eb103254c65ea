"""The example system as the Compose file deploys it, each server on a host of its own.

Names, addresses, commands and environments are the file's. Only where files are differs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from make_certificates import make_all, make_certificate, read, write
from tests.deploy.compose_file import Process, as_process, environment_of, read_services
from tests.system.hosts.database import Database
from tests.system.namespaces import Host, Network
from tests.waiting import DEADLINE, wait_until

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(sys.executable).parent
NAMES = ("orders", "reservations", "payments")
CONSOLE = "console"
DATABASE = "postgres"
PASSWORD = "correct horse"
# What authors of programs have to say, whose hosts have no name server. Commands do so themselves.
_LIKE_OTHER_PROGRAMS = {"GRPC_DNS_RESOLVER": "native"}
_SERVING = "is serving on"
_START_TIMEOUT = 60.0
"""Seconds that three servers may take that are started at once."""


class Server:
    """One server on its host, and what it has logged there."""

    def __init__(self, host: Host, process: Process, directory: Path) -> None:
        self.name = host.name
        self._host = host
        self._process = process
        self._directory = directory
        self._log_file = directory / f"{host.name}.log"
        self._running: subprocess.Popen[str] | None = None
        self._starts = 0

    @property
    def log(self) -> str:
        """All that it has written to standard error."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def wait_until_serving(self) -> None:
        """Returns when it says that it serves."""
        wait_until(
            lambda: self.log.count(_SERVING) == self._starts,
            f"{self.name} serves",
            timeout=_START_TIMEOUT,
        )

    def wait_until_healthy(self) -> None:
        """Returns when it serves, and the container's health check says so too."""
        self.wait_until_serving()
        wait_until(lambda: self._is_healthy, f"{self.name} is healthy", timeout=_START_TIMEOUT)

    @property
    def _is_healthy(self) -> bool:
        done = self._host.run(self._process.healthcheck, self._process.env, cwd=self._directory)
        return done.returncode == 0

    def start(self) -> None:
        """Starts it, and does not wait for it."""
        self._starts += 1
        with self._log_file.open("a", encoding="utf-8") as log:
            self._running = self._host.start(
                self._process.argv, self._process.env, cwd=self._directory, stderr=log
            )

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Lets it do nothing, as a host does that is out of memory."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it without a chance to say anything."""
        self._signal(signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        """Ends it as containers are ended."""
        if self._running is not None:
            self._signal(signal.SIGTERM)
            self._end()

    def _signal(self, number: signal.Signals) -> None:
        assert self._running is not None
        os.kill(self._running.pid, number)

    def _end(self) -> None:
        running, self._running = self._running, None
        assert running is not None
        try:
            running.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            # Its log, which is shown, has what each of its threads does.
            running.send_signal(signal.SIGABRT)
            running.wait(DEADLINE)
            raise
        finally:
            running.kill()
            running.wait()


class DeployedSystem:
    """Three hosts with servers, one for the console, and one with the database, where there is one."""

    def __init__(self, store: str, directory: Path) -> None:
        """:param store: the file beside the Compose file that says where events are recorded."""
        self.certificates = directory / "ssl"
        self._directory = directory
        make_all(self.certificates, NAMES)
        root = read(self.certificates / "root", "root")
        assert root is not None
        self.root = root
        write(self.certificates / CONSOLE, CONSOLE, make_certificate(root, [CONSOLE]))
        write(self.certificates / CONSOLE, "root", root)
        services = read_services(environment_of(store))
        self._database = services.get(DATABASE)
        self.network = Network(
            [*NAMES, CONSOLE, *([DATABASE] if self._database else [])], directory
        )
        self.processes = {
            name: as_process(services[name], self._folders(name), {}, PROGRAMS) for name in NAMES
        }
        self.servers: dict[str, Server] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Starts everything, and returns when all servers are healthy."""
        with ExitStack() as stack:
            stack.enter_context(self.network)
            if self._database is not None:
                port = self.processes[NAMES[0]].env["POSTGRES_PORT"]
                host = self.network[DATABASE]
                stack.enter_context(Database(host, self._database.env, port, PASSWORD))
            for name in NAMES:
                server = Server(self.network[name], self.processes[name], self._directory)
                self.servers[name] = server
                stack.callback(server.stop)
                server.start()
            for server in self.servers.values():
                server.wait_until_healthy()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends everything."""
        self._stack.close()

    @property
    def has_database(self) -> bool:
        """Whether there is a host with one."""
        return self._database is not None

    @property
    def address(self) -> str:
        """One address, which is enough to attach to the system."""
        return self.processes[NAMES[0]].env["ORDERS_GRPC_SERVER_ADDRESS"]

    @property
    def console_host(self) -> Host:
        """The host that has no server."""
        return self.network[CONSOLE]

    @property
    def console_env(self) -> Mapping[str, str]:
        """The environment of programs there: addresses, and a certificate of its own."""
        addresses = {
            name: value
            for name, value in self.processes[NAMES[0]].env.items()
            if name.endswith("_GRPC_SERVER_ADDRESS")
        }
        folder = self.certificates / CONSOLE
        return {
            **addresses,
            "GRPC_SSL_PRIVATE_KEY_PATH": str(folder / f"{CONSOLE}.key"),
            "GRPC_SSL_CERTIFICATE_PATH": str(folder / f"{CONSOLE}.crt"),
            "GRPC_SSL_ROOT_CERTIFICATE_PATH": str(folder / "root.crt"),
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(self._directory / "config"),
            "XDG_STATE_HOME": str(self._directory / "state"),
        }

    def run_console(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the console to its end."""
        return self.console_host.run(
            [str(PROGRAMS / "esgrpc-console"), *arguments], self.console_env, cwd=self._directory
        )

    def run_program(self, module: str, *arguments: str) -> str:
        """Runs a module of this package on the console's host, and returns what it writes."""
        command = [sys.executable, "-m", f"{__package__}.{module}", *arguments]
        env = {**self.console_env, **_LIKE_OTHER_PROGRAMS, "GRPC_VERBOSITY": "NONE"}
        done = self.console_host.run(command, env, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start_console(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command of the console."""
        return self._start([str(PROGRAMS / "esgrpc-console"), *arguments], {})

    def start_program(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """Starts a module of this package on the console's host."""
        command = [sys.executable, "-m", f"{__package__}.{module}", *arguments]
        return self._start(command, _LIKE_OTHER_PROGRAMS)

    def _start(self, command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[str]:
        return self.console_host.start(
            command,
            {**self.console_env, **env},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
        )

    def _folders(self, name: str) -> Mapping[str, Path]:
        data = self._directory / "data" / name
        data.mkdir(parents=True)
        secrets = self._directory / "secrets"
        secrets.mkdir(exist_ok=True)
        (secrets / "postgres-password").write_text(PASSWORD, encoding="utf-8")
        return {
            "/app/ssl": self.certificates / name,
            "/data": data,
            "/run/secrets": secrets,
        }
