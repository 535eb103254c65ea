"""How long to wait before the next try. What is tried is left to the caller."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class BackoffOptions:
    """Delays before the second, third, … try."""

    initial_seconds: float = 0.1
    """The first delay."""

    factor: float = 2.0
    """What each delay is multiplied with to get the next."""

    max_seconds: float = 2.0
    """No delay is longer."""

    jitter: float = 0.2
    """Delays are shortened at random by up to this part of them, so that clients don't come in step."""


class Backoff:
    """Tells the delays before tries that follow failures."""

    def __init__(self, options: BackoffOptions | None = None) -> None:
        self._options = options or BackoffOptions()
        self._next = self._options.initial_seconds

    def reset(self) -> None:
        """Begins anew: the last try went well."""
        self._next = self._options.initial_seconds

    def next_delay(self) -> float:
        """Returns the delay, in seconds, before the next try."""
        delay = self._next
        self._next = min(self._options.max_seconds, delay * self._options.factor)
        return delay * (1 - random.random() * self._options.jitter)
