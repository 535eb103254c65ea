"""What is asked of a follower's loop from outside, and the one place where the loop waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

LISTENING_INTERVAL = 1.0
"""Seconds between two looks at the leader while the loop rests."""


class FollowingControl:
    """Lets a loop rest, and lets those who ask something of it wake it.

    The loop goes round and round. An *interruption* ends the round that it is in, when the event
    that is being processed is done: then the loop looks at what is asked of it. Whatever it
    waits for, it rests: until the time is over, or somebody interrupts or wakes it.
    """

    def __init__(self, listen: Callable[[], None], cancel: Callable[[], None]) -> None:
        """:param listen: is called each second by a loop that rests. It must not wait.
        :param cancel: ends at an interruption what the loop waits for elsewhere. It must not wait.
        """
        self.is_stopping = False
        self.is_paused = False
        self.interruptions = 0
        """How many there have been. The loop compares it before each event, without a lock."""
        self._listen = listen
        self._cancel = cancel
        self._wakes = 0
        self._is_resting = False
        self._is_held = False
        self._changed = threading.Condition(threading.Lock())

    def stop(self) -> None:
        """Asks the loop to end."""
        with self._changed:
            self.is_stopping = True
            self._interrupt()

    def pause(self) -> bool:
        """Asks the loop to rest until it is resumed. Returns False when it was asked before."""
        with self._changed:
            if self.is_paused:
                return False
            self.is_paused = True
            self._interrupt()
            return True

    def resume(self) -> bool:
        """Asks the loop to go on. Returns False when it was not asked to pause."""
        with self._changed:
            if not self.is_paused:
                return False
            self.is_paused = False
            self._interrupt()
            return True

    def interrupt(self) -> None:
        """Lets the loop begin another round."""
        with self._changed:
            self._interrupt()

    def wake(self, patience: float) -> bool:
        """Lets a loop that rests go on with what it was at.

        :param patience: seconds to wait for a loop that doesn't rest just now.
        :returns: whether it has come to rest.
        """
        with self._changed:
            is_resting = self._changed.wait_for(lambda: self._is_resting, patience)
            if is_resting:
                self._wakes += 1
                self._changed.notify_all()
            return is_resting

    @contextmanager
    def hold(self, patience: float) -> Iterator[bool]:
        """Keeps a loop at rest for the time of a 'with' block, one block at a time.

        The block is told whether the loop rests. It must be short: a loop that is being stopped
        waits for it too.

        :param patience: seconds to wait for a loop that doesn't rest just now.
        """
        with self._changed:
            is_held = self._changed.wait_for(
                lambda: self._is_resting and not self._is_held, patience
            )
            self._is_held = self._is_held or is_held
        try:
            yield is_held
        finally:
            if is_held:
                with self._changed:
                    self._is_held = False
                    self._changed.notify_all()

    def begin_round(self) -> int:
        """Returns the number of the round that begins, as the loop, before it looks at what is asked.

        What is asked from now on interrupts the round.
        """
        with self._changed:
            return self.interruptions

    def rest(self, round_number: int, seconds: float = inf) -> None:
        """Waits, as the loop.

        :param round_number: of the loop's round. If it has been interrupted already, this returns
            at once.
        :param seconds: after which it returns by itself.
        """
        end = monotonic() + seconds
        with self._changed:
            if self.interruptions != round_number:
                return
            wakes = self._wakes
            self._is_resting = True
            self._changed.notify_all()
        while not self._is_over(wakes, end):
            self._listen()

    def _is_over(self, wakes: int, end: float) -> bool:
        """Waits for the end of a rest, for a second at most, and tells whether it has come."""

        def is_over() -> bool:
            return not self._is_held and (self._wakes != wakes or monotonic() >= end)

        with self._changed:
            left = end - monotonic()
            # What is held may be late.
            self._changed.wait_for(is_over, min(left, LISTENING_INTERVAL) if left > 0 else None)
            if is_over():
                self._is_resting = False
                return True
            return False

    def _interrupt(self) -> None:
        self.interruptions += 1
        self._wakes += 1
        # Under the lock, so that it is never what the next round waits for that is ended.
        self._cancel()
        self._changed.notify_all()
