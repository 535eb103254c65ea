"""Programs in processes of their own, that do what they are asked to and are ended at the end.

What programs can do is in ``benchmarks.programs``.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic
from types import TracebackType

from benchmarks.installations import Installation

ANSWER_TIMEOUT = 300.0
"""Seconds that a program may take for one answer."""
_STOP_TIMEOUT = 10.0
_INTERRUPT_TIMEOUT = 0.5
_SHOWN_LINES = 20


class ProgramError(Exception):
    """Raised when a program failed. The message holds what it said."""


class Program:
    """One program, which answers one command at a time.

    It has a process group of its own, so that an interrupt from the keyboard is for this
    process, which then ends it.
    """

    def __init__(self, name: str, installation: Installation) -> None:
        """:param name: of a module in ``benchmarks.programs``."""
        self.name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        self._received = b""
        path = os.pathsep.join((str(installation.python.parent), os.environ.get("PATH", "")))
        env = {**os.environ, "PATH": path}
        env.pop("PYTHONPATH", None)
        self._process = subprocess.Popen(
            [installation.python, "-m", f"benchmarks.programs.{name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=installation.directory,
            env=env,
            process_group=0,
        )

    def ask(self, command: str, **arguments: object) -> list[float]:
        """Has a command executed, and returns its answer. Arguments and errors: those of
        :meth:`tell` and :meth:`answer`.
        """
        self.tell(command, **arguments)
        return self.answer()

    def ask_number(self, command: str, **arguments: object) -> float:
        """Does the same for a command that answers with one number."""
        [number] = self.ask(command, **arguments)
        return number

    def tell(self, command: str, **arguments: object) -> None:
        """Has a command executed, whose answer is to be fetched with :meth:`answer`.

        :param arguments: what JSON can hold.
        """
        request = json.dumps({"command": command, "arguments": arguments})
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ProgramError(self._failure("ended")) from None

    def answer(self) -> list[float]:
        """Returns the answer to the last command.

        :raises ProgramError: when the command failed, or the program ended or stays silent.
        """
        answer = json.loads(self._read_line())
        if "error" in answer:
            msg = f"{self.name} failed:\n{answer['error']}"
            raise ProgramError(msg)
        result = answer["result"]
        if result is None:
            return []
        return [float(number) for number in (result if isinstance(result, list) else [result])]

    def request_stop(self) -> None:
        """Tells the program to end, and does not wait for it."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already
            self._process.stdin.close()

    def stop(self, timeout: float = _STOP_TIMEOUT) -> None:
        """Ends the program and the processes that it has started. Returns when all have ended.

        :param timeout: seconds for ending by themselves. Those that take longer are killed.
        """
        self.request_stop()
        assert self._process.stdout is not None
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        finally:
            with suppress(ProcessLookupError):  # nobody was left, as it should be
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process.stdout.close()
            self._errors.close()

    def _read_line(self) -> bytes:
        assert self._process.stdout is not None
        deadline = monotonic() + ANSWER_TIMEOUT
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(deadline - monotonic()):
                    raise ProgramError(self._failure("did not answer in time"))
                chunk = os.read(self._process.stdout.fileno(), 65536)
                if not chunk:
                    raise ProgramError(self._failure("ended"))
                self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _failure(self, what: str) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").splitlines()
        said = "\n".join(lines[-_SHOWN_LINES:]) or "It wrote nothing."
        return f"{self.name} {what}.\n{said}"


class Programs:
    """The programs and temporary files of one measurement. They end with its block."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._programs: list[Program] = []
        self._stop_timeout = _STOP_TIMEOUT

    def start(self, name: str, installation: Installation) -> Program:
        """Starts a program, and does not wait for it."""
        program = Program(name, installation)
        self._programs.append(program)
        self._stack.callback(lambda: program.stop(self._stop_timeout))
        return program

    def sqlite_env(self, *application_names: str) -> dict[str, str]:
        """Returns variables that give each application an empty SQLite database of its own."""
        directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
        for name in application_names:
            env[f"{name.upper()}_SQLITE_DBNAME"] = str(directory / f"{name.lower()}.db")
        return env

    def __enter__(self) -> Programs:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            # They may be in the middle of something long.
            self._stop_timeout = _INTERRUPT_TIMEOUT
        # All at once: some take a moment.
        for program in self._programs:
            program.request_stop()
        self._stack.close()


def free_addresses(count: int) -> list[str]:
    """Returns addresses of this machine that nobody listens on."""
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            sock.bind(("127.0.0.1", 0))
            ports.append(sock.getsockname()[1])
    return [f"localhost:{port}" for port in ports]


def address_env(*application_names: str) -> dict[str, str]:
    """Returns variables that give each application's server an address of its own."""
    addresses = free_addresses(len(application_names))
    return {
        f"{name.upper()}_GRPC_SERVER_ADDRESS": address
        for name, address in zip(application_names, addresses, strict=True)
    }
