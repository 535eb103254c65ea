"""A program in a real terminal of its own: a pseudo-terminal whose screen is read as it changes."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import psutil
import pyte

COLUMNS, LINES = 160, 45
TIMEOUT = 30.0
_CHUNK = 65536


class TerminalError(Exception):
    """Raised when the screen does not become what it should. The message holds what it shows."""


class Terminal:
    """Runs a program in a terminal. A thread reads what it draws. Both end with the block."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        directory: Path | None = None,
        columns: int = COLUMNS,
        lines: int = LINES,
    ) -> None:
        """Starts the program, and does not wait for its first screen.

        :param env: overrides ``os.environ``.
        :param directory: where the program runs. None: where this one does.
        """
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._drawn = threading.Condition()
        self._has_ended = False
        self._drawn_at = 0.0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.started_at = monotonic()
        self.process = subprocess.Popen(
            list(map(str, command)),
            cwd=directory,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "TZ": "UTC",
                **(env or {}),
            },
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
        with self._drawn:
            return self._text()

    def press(self, keys: str) -> float:
        """Types, and returns the reading of the monotonic clock just before."""
        pressed_at = monotonic()
        os.write(self._master, keys.encode())
        return pressed_at

    def wait_until(
        self, is_so: Callable[[str], bool], what: str, timeout: float = TIMEOUT
    ) -> float:
        """Waits until the screen is as it should be, and returns when what made it so was drawn.

        :param what: what is waited for, in words.
        :raises TerminalError: when it takes longer, or the program ends.
        """
        deadline = monotonic() + timeout
        with self._drawn:
            while not is_so(self._text()):
                if self._has_ended or not self._drawn.wait(deadline - monotonic()):
                    state = "when the program ended" if self._has_ended else f"after {timeout:g} s"
                    msg = f"{what} is not on the screen {state}:\n{self._text()}"
                    raise TerminalError(msg)
            return self._drawn_at

    def wait_for(self, *texts: str, timeout: float = TIMEOUT) -> float:
        """Does the same until all of these texts are on the screen."""
        return self.wait_until(
            lambda shown: all(text in shown for text in texts), repr(texts), timeout
        )

    def cpu_seconds(self) -> float:
        """How much CPU time the program has used, without the processes that it has started."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def memory_bytes(self) -> int:
        """The memory that is the program's alone."""
        return int(psutil.Process(self.process.pid).memory_full_info().uss)

    def children(self) -> list[psutil.Process]:
        """The processes that the program has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def close(self) -> None:
        """Ends the program, if it hasn't ended, and all that it has started."""
        if self.process.poll() is None:
            for child in self.children():
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        os.close(self._master)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, _CHUNK)
            except OSError:
                # The last process that had the terminal open is gone.
                data = b""
            # Before it is waited for whoever is looking at the screen just now.
            read_at = monotonic()
            with self._drawn:
                self._drawn_at = read_at
                if data:
                    # Private sequences of newer terminals are not pyte's to know.
                    self._stream.feed(data)
                else:
                    self._has_ended = True
                self._drawn.notify_all()
            if not data:
                return
