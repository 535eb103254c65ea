"""What programs on the console's host have told: the watcher, and the one that creates orders."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Self

from tests.system.hosts.deployed_system import DeployedSystem
from tests.waiting import DEADLINE

_SOME = 3


@dataclass(frozen=True)
class Told:
    """What the console showed from a moment on."""

    time: float
    """A reading of the monotonic clock."""
    states: Mapping[str, str]
    """Words of applications and of followings such as ``Payments <- Orders``."""


class _Program:
    """A program whose lines are read by a thread."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="program reader")
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._end()

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                with self._changed:
                    self._lines.append(line.rstrip("\n"))
                    self._changed.notify_all()


class Watcher(_Program):
    """Attaches to the system, and knows what the console has told since."""

    def __init__(self, system: DeployedSystem) -> None:
        super().__init__(system.start_program("watching", system.address))

    def wait_until_told(
        self, expected: Mapping[str, str], since: float, within: float = DEADLINE
    ) -> float:
        """Returns after how many seconds all of these were shown at once.

        :param since: the moment, as ``monotonic()`` tells it.
        :param within: how many seconds that may take.
        """
        # Waits for longer, to be able to say how long it takes.
        given_up_at = monotonic() + within + DEADLINE
        with self._changed:
            while (told := self._first(expected, since)) is None:
                is_new = self._changed.wait(given_up_at - monotonic())
                assert is_new, f"{expected} is not told:\n{self._history(since)}"
        seconds = max(0.0, told.time - since)
        assert seconds <= within, f"told after {seconds:.1f} s:\n{self._history(since)}"
        return seconds

    def _history(self, since: float) -> str:
        told = [Told(**json.loads(line)) for line in self._lines]
        before = [one for one in told if one.time < since][-1:]
        after = [one for one in told if one.time >= since]
        return "\n".join(f"{one.time - since:6.2f} s {one.states}" for one in [*before, *after])

    def _first(self, expected: Mapping[str, str], since: float) -> Told | None:
        told = [Told(**json.loads(line)) for line in self._lines]
        for number, one in enumerate(told):
            is_past = number + 1 < len(told) and told[number + 1].time < since
            if not is_past and expected.items() <= one.states.items():
                return one
        return None


class Customer(_Program):
    """Creates orders all the time, and knows which ones were acknowledged."""

    def __init__(self, system: DeployedSystem) -> None:
        super().__init__(system.start_program("ordering"))

    def acknowledged(self) -> list[str]:
        """Returns the IDs of the orders that were acknowledged so far."""
        return [line for line in tuple(self._lines) if _is_order(line)]

    def failures(self) -> list[str]:
        """Returns why orders were not acknowledged, of each that was not."""
        return [line for line in tuple(self._lines) if not _is_order(line)]

    def wait_until_served(self) -> None:
        """Returns when some more orders have been acknowledged."""
        before, started = len(self._lines), monotonic()
        with self._changed:
            while sum(map(_is_order, self._lines[before:])) < _SOME:
                is_new = self._changed.wait(started + DEADLINE - monotonic())
                assert is_new, f"orders are not taken: {self._lines[before:]}"

    def stop(self) -> list[str]:
        """Creates no more orders. Returns those that were acknowledged."""
        self._end()
        assert self._process.returncode == 0
        return self.acknowledged()


class LogReader(_Program):
    """Reads a log as it grows, as ``esgrpc-console log --follow`` writes it."""

    def __init__(self, system: DeployedSystem, application: str) -> None:
        arguments = ("log", system.address, application, "--follow", "--json")
        super().__init__(system.start_console(*arguments))

    def ids(self) -> list[int]:
        """Returns the IDs of the events that it has written so far."""
        return [json.loads(line)["id"] for line in tuple(self._lines)]


def _is_order(line: str) -> bool:
    return ":" not in line
