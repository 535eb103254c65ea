"""What an application and a following were like in the last minutes, in little memory.

Fed by ``system_state``. Times are readings of the view's monotonic clock, in seconds.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence

from esgrpc_console.system_view.views import PositionSample

RATES = 60
"""How many rates are kept: one a second."""
POSITION_SECONDS = 4.0
POSITIONS = 225
"""How many positions are kept: 15 minutes of them."""
GROWTH_SECONDS = 10.0
"""What the growth of a lag is measured over."""
_LEAST_GROWTH_SECONDS = 2.0
_SECOND = 0.9
"""Statuses that are to come each second come a little earlier now and then."""


class RateHistory:
    """By how much a log has grown in each of the last seconds."""

    def __init__(self) -> None:
        self._rates: deque[float] = deque(maxlen=RATES)
        self._time: float | None = None
        self._head = 0

    @property
    def rates(self) -> Sequence[float]:
        """Events per second, the newest last."""
        return tuple(self._rates)

    def add(self, time: float, head: int) -> None:
        """Notes a log's head. Seconds in which nothing was heard have the rate that they had together."""
        if self._time is None or head < self._head:
            # A shorter log is another one: it has not grown from there.
            self._time, self._head = time, head
            return
        seconds = time - self._time
        if seconds < _SECOND:
            return
        rate = (head - self._head) / seconds
        self._rates.extend([rate] * max(1, min(RATES, round(seconds))))
        self._time, self._head = time, head


class FollowingHistory:
    """Where a follower and its leader were in the last minutes, and how its lag grows."""

    __slots__ = ("_heads", "_lags", "_positions", "_times", "growth")

    def __init__(self) -> None:
        self.growth: float | None = None
        """Events per second by which the lag has grown lately. None: not known."""
        self._times = array("d")
        self._positions = array("Q")
        self._heads = array("Q")
        self._lags: deque[tuple[float, int]] = deque()

    @property
    def samples(self) -> Sequence[PositionSample]:
        """The oldest first."""
        columns = zip(self._times, self._positions, self._heads, strict=True)
        return tuple(PositionSample(*sample) for sample in columns)

    def add(self, time: float, position: int, head: int, lag: int) -> None:
        """Notes where both are now."""
        if not self._times or time - self._times[-1] >= POSITION_SECONDS:
            self._times.append(time)
            self._positions.append(position)
            self._heads.append(head)
            if len(self._times) > POSITIONS:
                for column in (self._times, self._positions, self._heads):
                    del column[0]
        if not self._lags or time - self._lags[-1][0] >= _SECOND:
            self._note_lag(time, lag)
        elif lag == 0:
            self.growth = 0.0 if self.growth is not None else None

    def interrupt(self) -> None:
        """Notes that the follower can't be heard: what its lag did meanwhile will not be known."""
        self._lags.clear()
        self.growth = None

    def _note_lag(self, time: float, lag: int) -> None:
        self._lags.append((time, lag))
        while len(self._lags) > 1 and time - self._lags[1][0] >= GROWTH_SECONDS:
            self._lags.popleft()
        then, was = self._lags[0]
        if time - then >= _LEAST_GROWTH_SECONDS:
            # One that has caught up has nothing that grows or shrinks.
            self.growth = (lag - was) / (time - then) if lag else 0.0


def catch_up_seconds(lag: int | None, growth: float | None) -> float | None:
    """Returns how long it takes to catch up if the lag goes on shrinking as it does. None: never."""
    if lag == 0:
        return 0.0
    if lag is None or growth is None or growth >= 0:
        return None
    return lag / -growth
