"""One server in a process of its own, supervised.

The process is started with exec, never forked from one that uses gRPC. It stops when its
standard input is closed, which the operating system does when this process ends, however it ends.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic

from eventsourcing_grpc.user_errors import UserError

logger = logging.getLogger(__name__)

STOP_TIMEOUT = 2.5
"""Seconds that a process has for a graceful stop."""
START_TIMEOUT = 60.0
"""Seconds that a process has until it serves."""
_KEPT_LINES = 200
_SHOWN_LINES = 20

Output = Callable[[str, str], None]
"""Takes the name of an application, and a line that its server's process wrote to standard error."""


class ServerStartError(UserError, RuntimeError):
    """Raised when a server's process ends, or stays silent, before it serves.

    The message holds what the process wrote.
    """


class ServerProcess:
    """Supervises the process of one application's server, which logs what this process would log.

    Owns the process and three threads, which end with it: two read what it writes, and one
    waits for its end.
    """

    def __init__(
        self,
        name: str,
        env: Mapping[str, str],
        has_errored: threading.Event | None = None,
        output: Output | None = None,
    ) -> None:
        """:param name: the application's.
        :param env: overrides ``os.environ``. It has ``APPLICATION_TOPIC`` and, for a follower, ``SYSTEM_TOPIC``.
        :param has_errored: is set when the process ends without having been asked to.
        :param output: takes what the process writes to standard error, a line at a time.
        """
        self.name = name
        self.has_started = threading.Event()
        self.has_errored = has_errored or threading.Event()
        self.has_stopped = threading.Event()
        self._env = env
        self._output = output or write_to_stderr
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._is_serving_or_ended = threading.Condition()
        self._is_stopping = False
        self._has_failed = False
        self._address = ""
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []

    @property
    def pid(self) -> int:
        """The process's ID. 0: it has not been started."""
        return self._process.pid if self._process else 0

    @property
    def status(self) -> int | None:
        """The status with which the process ended; below 0: by which signal. None: it has not ended."""
        return self._process.poll() if self._process else None

    @property
    def ending(self) -> str:
        """How the process ended, in words: "with status 2", "by SIGKILL". Empty: it has not ended."""
        status = self.status
        if status is None:
            return ""
        return f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"

    @property
    def has_failed(self) -> bool:
        """Whether the process has ended without having been asked to."""
        return self._has_failed

    @property
    def address(self) -> str:
        """Where the server listens. Empty: it does not serve yet."""
        return self._address

    @property
    def lines(self) -> list[str]:
        """The last lines that the process wrote to standard error."""
        return list(self._lines)

    def start(self) -> None:
        """Starts the process, and does not wait for it."""
        env = {**os.environ, **self._env}
        # What can be imported here can be imported there.
        env["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
        arguments = ["server", "--supervised", "--log-level", _log_level()]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "eventsourcing_grpc", *arguments],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            # Interrupts from the keyboard are for this process, which passes them on in its own time.
            process_group=0,
        )
        for purpose, target in (("stdout", self._read_stdout), ("stderr", self._read_stderr)):
            reader = threading.Thread(target=target, name=f"{purpose} of {self.name}", daemon=True)
            self._readers.append(reader)
            reader.start()
        self._waiter = threading.Thread(
            target=self._wait_for_end, name=f"waiter for {self.name}", daemon=True
        )
        self._waiter.start()

    def wait_until_serving(self, timeout: float = START_TIMEOUT) -> None:
        """Returns when the server says that it is serving.

        :param timeout: in seconds.
        :raises ServerStartError: when the process ends, is stopped, or takes longer.
        """
        deadline = monotonic() + timeout
        with self._is_serving_or_ended:
            while not self.has_started.is_set() and not self.has_stopped.is_set():
                if not self._is_serving_or_ended.wait(deadline - monotonic()):
                    break
        if self.has_started.is_set() and not self.has_stopped.is_set():
            return
        if not self.has_stopped.is_set():
            self.stop()
            reason = "did not serve in time"
        else:
            reason = f"ended {self.ending}"
        said = "\n".join(self.lines[-_SHOWN_LINES:]) or "It wrote nothing."
        msg = f"The server of {self.name} {reason}.\n{said}"
        raise ServerStartError(msg)

    def request_stop(self) -> None:
        """Asks the process to stop gracefully, and does not wait for it."""
        was_asked = self._is_stopping
        self._is_stopping = True
        if self._process is not None and self._process.poll() is None and not was_asked:
            self._process.send_signal(signal.SIGTERM)

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Stops the process, and returns when it has ended.

        :param timeout: seconds for a graceful stop. A process that takes longer is killed.
        """
        self.request_stop()
        if self._process is None:
            self.has_stopped.set()
            return
        if not self.has_stopped.wait(timeout):
            logger.warning("The server of %s did not stop in time and is killed", self.name)
            self._process.kill()
        self._waiter.join()

    def _read_stdout(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                if not self.has_started.is_set():
                    # The first line is the address that the server listens on.
                    with self._is_serving_or_ended:
                        self._address = line.strip()
                        self.has_started.set()
                        self._is_serving_or_ended.notify_all()

    def _read_stderr(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            for line in stderr:
                text = line.rstrip("\n")
                self._lines.append(text)
                self._output(self.name, text)

    def _wait_for_end(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.wait()
        # What it said last is part of why it ended. A grandchild may hold the pipes open.
        for reader in self._readers:
            reader.join(timeout=1.0)
        self._process.stdin.close()
        if not self._is_stopping:
            # One that never served is told of by 'wait_until_serving'.
            level = logging.ERROR if self.has_started.is_set() else logging.DEBUG
            logger.log(level, "The server of %s ended %s", self.name, self.ending)
            # In this order: whoever clears the event looks at the processes after that.
            self._has_failed = True
            self.has_errored.set()
        with self._is_serving_or_ended:
            self.has_stopped.set()
            self._is_serving_or_ended.notify_all()


def _log_level() -> str:
    """Returns the name of the level at which this package logs in this process."""
    level = logger.getEffectiveLevel()
    names = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning"}
    return next((name for number, name in names.items() if level <= number), "error")


def write_to_stderr(name: str, line: str) -> None:
    """Writes a line of a server to this process's standard error."""
    sys.stderr.write(f"{name}: {line}\n")
