"""A pseudo-terminal that the console runs in, and whose screen is read."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep

import psutil
import pyte
import pytest

ROOT = Path(__file__).parents[2]
CONSOLE = (sys.executable, "-m", "esgrpc_console")
# Programs ask the terminal how large it is: those who run tests side by side tell another size.
_SIZES = frozenset({"COLUMNS", "LINES"})
_VARIABLES = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}


class Terminal:
    """Runs a program in a terminal of its own. A thread reads what it writes."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 160,
        lines: int = 45,
        command: Sequence[str] = CONSOLE,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """:param command: what begins the command line.
        :param env: all variables but those of terminals. None: those of this process.
        """
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        inherited = os.environ if env is None else env
        variables = {name: value for name, value in inherited.items() if name not in _SIZES}
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env={**variables, **_VARIABLES},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, name="terminal reader")
        self._reader.start()

    @property
    def text(self) -> str:
        """What is on the screen."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, keys: str) -> None:
        """Types."""
        os.write(self._master, keys.encode())

    def wait_for(self, condition: Callable[[str], bool], what: str, timeout: float = 15.0) -> str:
        """Waits until the screen is as it should be, and returns its text."""
        deadline = monotonic() + timeout
        while not condition(text := self.text):
            if monotonic() > deadline or self.process.poll() is not None:
                # What it wrote last may not have been read yet.
                self._reader.join(1)
                if condition(text := self.text):
                    return text
                pytest.fail(f"{what} is not on the screen after {timeout:.0f} s:\n{text}")
            sleep(0.05)
        return text

    def wait_for_text(self, *texts: str, timeout: float = 15.0) -> str:
        """Waits until all of these are on the screen, and returns its text."""
        return self.wait_for(lambda text: all(t in text for t in texts), repr(texts), timeout)

    def children(self) -> list[psutil.Process]:
        """Returns the processes that the program has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def close(self) -> None:
        """Ends the program, if it hasn't ended, and all that it started."""
        if self.process.poll() is None:
            for process in self.children():
                process.kill()
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        os.close(self._master)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                # The last process that had the terminal open is gone.
                return
            with self._lock:
                # Private sequences of newer terminals are not pyte's to know.
                self._stream.feed(data)
