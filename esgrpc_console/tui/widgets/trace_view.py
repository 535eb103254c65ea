"""Events of all applications that mention the same, one a row, by time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from esgrpc_console.system_view import words
from esgrpc_console.system_view.tracing import TracedEvent
from esgrpc_console.tui.fitting import pad
from esgrpc_console.tui.widgets.log_view import time_words
from esgrpc_console.tui.widgets.row_view import Cell, RowView

_TIME_WIDTH = len("00:00:00.000")
_AFTER_WIDTH = 9
_MAX_APPLICATION_WIDTH = 24
_MAX_TOPIC_WIDTH = 30
_MIN_MENTION_WIDTH = 12
_WIDE = 90
"""From this width on, there is room for how much later something was."""
_GAP = "  "
_GAPS = 5


class TraceView(RowView):
    """Shows traced events. The cursor stays at the first until somebody moves it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.today: date = date.min
        """Events of other days are shown with their date."""
        self._events: Sequence[TracedEvent] = ()
        self._empty = "nothing found yet"
        self._is_moved = False
        self._time_width = _TIME_WIDTH
        self._application_width = len("APPLICATION")
        self._id_width = len("#100,000")
        self._topic_width = len("Order.Created")

    @property
    def row_count(self) -> int:
        """How many events were found."""
        return len(self._events)

    @property
    def cursor_event(self) -> TracedEvent | None:
        """The event that the cursor is on."""
        return self._events[self.cursor] if self.has_row else None

    def show(self, found: Sequence[TracedEvent], *, empty: str) -> None:
        """Shows these events, in their order.

        :param empty: what is said where there are none.
        """
        kept = self.cursor_event if self._is_moved else None
        offset = self.cursor - self.top
        self._events, self._empty = found, empty
        for traced in found:
            self._grow(traced)
        row = found.index(kept) if kept is not None and kept in found else 0
        if kept is not None:
            self.top = max(0, row - offset)
        self.move_to(row)
        self.refresh()

    def forget(self) -> None:
        """Shows nothing."""
        self._events = ()
        self._is_moved = False
        self.forget_cursor()

    def action_move(self, rows: int) -> None:
        """Moves the cursor, which stays on its event from now on."""
        self._is_moved = True
        super().action_move(rows)

    def move_by_hand(self, row: int) -> None:
        """Moves the cursor to the row that was pointed at, and keeps it there."""
        self._is_moved = True
        super().move_by_hand(row)

    def action_last(self) -> None:
        """Goes to the newest."""
        self._is_moved = True
        super().action_last()

    def heading(self) -> str:
        """The names of the columns."""
        heading = f"{pad('TIME', self._time_width)}{_GAP}"
        if self._has_after:
            heading += f"{'AFTER':>{_AFTER_WIDTH}}{_GAP}"
        heading += f"{pad('APPLICATION', self._application_width)}{_GAP}"
        heading += f"{'ID':>{self._id_width}}{_GAP}{pad('TOPIC', self._topic_width)}"
        return f"{heading}{_GAP}MENTIONED IN" if self._mention_width else heading

    def cells(self, row: int) -> Sequence[Cell]:
        """What is told of an event."""
        traced = self._events[row]
        event = traced.event
        at = words.NONE if event.timestamp is None else time_words(event.timestamp, self.today)
        after = ""
        if self._has_after:
            before = self._events[row - 1].event.timestamp if row else None
            after = f"{_after(before, event.timestamp):>{_AFTER_WIDTH}}{_GAP}"
        application = pad(words.line(traced.application), self._application_width)
        number = f"#{words.number(event.id)}"
        topic = words.line(event.short_topic)
        cells = [
            (f"{at:>{self._time_width}}{_GAP}{after}", "quiet"),
            (f"{application}{_GAP}{number:>{self._id_width}}{_GAP}", ""),
            (
                (pad(f"✗ {topic}", self._topic_width), "error")
                if event.error
                else (pad(topic, self._topic_width), "")
            ),
        ]
        if self._mention_width:
            mention = words.line(traced.mention) or "its originator ID"
            cells.append((_GAP + pad(mention, self._mention_width), "quiet"))
        return cells

    def empty_words(self) -> str:
        """What is said where there are no events."""
        return self._empty

    @property
    def _has_after(self) -> bool:
        # What mentions it says more.
        return self.size.width >= _WIDE

    @property
    def _mention_width(self) -> int:
        taken = self._time_width + self._application_width
        taken += _AFTER_WIDTH if self._has_after else -len(_GAP)
        taken += self._id_width + self._topic_width + (_GAPS + 1) * len(_GAP)
        left = self.size.width - taken
        return left if left >= _MIN_MENTION_WIDTH else 0

    def _grow(self, traced: TracedEvent) -> None:
        """Makes room for what is wider. Columns that become narrow again can't be read."""
        event = traced.event
        if event.timestamp is not None:
            width = len(time_words(event.timestamp, self.today))
            self._time_width = max(self._time_width, width)
        name = min(_MAX_APPLICATION_WIDTH, len(traced.application))
        self._application_width = max(self._application_width, name)
        self._id_width = max(self._id_width, len(words.number(event.id)) + 1)
        topic = min(_MAX_TOPIC_WIDTH, len(event.short_topic))
        self._topic_width = max(self._topic_width, topic)


def _after(before: datetime | None, at: datetime | None) -> str:
    """Writes how much later something was."""
    if before is None or at is None:
        return ""
    seconds = max(0.0, (at - before).total_seconds())
    if seconds < 1:
        return f"+{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"+{seconds:.1f} s"
    return f"+{words.duration(seconds)}"
