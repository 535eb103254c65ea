"""Events, one a row. Which of a log's events are here just now is left to ``event_list``."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import Enum

from textual.message import Message
from textual.reactive import var

from esgrpc_console.system_view import EventView, words
from esgrpc_console.tui.fitting import elide, pad
from esgrpc_console.tui.widgets.row_view import Cell, RowView

_MIN_ID_WIDTH = 6
_MAX_TOPIC_WIDTH = 36
_VERSION_WIDTH = 5
_FULL_AGGREGATE_WIDTH = 36
_MIN_AGGREGATE_WIDTH = 8
_GAP = "  "
_GAPS = 5
_PREFETCH_PAGES = 3
"""So many screens before the end of what is here, more is asked for."""


class Edge(Enum):
    """In which direction there is to be more."""

    OLDER = "older"
    NEWER = "newer"


class LogView(RowView):
    """Shows events of one log, and follows the newest until the cursor leaves it."""

    is_following: var[bool] = var(True)
    """Whether the newest event is to be in view."""

    class MoreWanted(Message):
        """Posted when the cursor comes near the end of what is here."""

        def __init__(self, edge: Edge) -> None:
            super().__init__()
            self.edge = edge

    class EndWanted(Message):
        """Posted when the log's first or last events are wanted."""

        def __init__(self, *, is_last: bool) -> None:
            super().__init__()
            self.is_last = is_last

    def __init__(self, *, shows_aggregate: bool = True, id: str | None = None) -> None:
        """
        :param shows_aggregate: whether events of more than one aggregate are shown.
        """
        super().__init__(id=id)
        self.hits: Collection[int] = frozenset()
        """IDs of events that are marked."""
        self.today: date = date.min
        """Events of other days are shown with their date."""
        self._shows_aggregate = shows_aggregate
        self._events: Sequence[EventView] = ()
        self._ids: list[int] = []
        self._empty = "reading …"
        self._topic_width = len("Order.Created")
        self._id_width = _MIN_ID_WIDTH
        self._time_width = len("00:00:00.000")

    @property
    def row_count(self) -> int:
        """How many events are here."""
        return len(self._events)

    @property
    def cursor_event(self) -> EventView | None:
        """The event that the cursor is on."""
        return self._events[self.cursor] if self.has_row else None

    @property
    def shown_ids(self) -> tuple[int, int] | None:
        """The first and the last ID on the screen. None: there is none."""
        if not self._ids:
            return None
        last = min(len(self._ids), self.top + self.page) - 1
        return self._ids[min(self.top, last)], self._ids[last]

    def show(
        self,
        shown: Sequence[EventView],
        *,
        at: int | None = None,
        empty: str = "nothing has been recorded yet",
    ) -> None:
        """Shows these events. The cursor stays on its event, or on the newest while following.

        :param at: the ID of the event that the cursor is to be on instead, in the middle.
        :param empty: what is said where there are none.
        """
        kept = self.key(self.cursor) if self.has_row else None
        top = self.key(self.top) if self.top < self.row_count else None
        self._events = shown
        self._ids = [event.id for event in shown]
        self._empty = empty
        self._grow(shown)
        if at is not None:
            row = self.row_of_key(at)
            self.top = row - self.page // 2
            self.move_to(row)
        elif self.is_following or kept is None:
            self.move_to(len(shown) - 1)
        else:
            if top is not None:
                self.top = self.row_of_key(top)
            self.move_to(self.row_of_key(kept))
        self.refresh()

    def forget(self) -> None:
        """Shows nothing, and follows the newest of what comes."""
        # Widths stay: the log is the same, or one like it.
        self._events, self._ids = (), []
        self._empty = "reading …"
        self.is_following = True
        self.forget_cursor()

    def key(self, row: int) -> int:
        """Returns an event's ID."""
        return self._ids[row]

    def row_of_key(self, key: int) -> int:
        """Returns the row of an event, or of the next one."""
        return bisect_left(self._ids, key)

    def action_move(self, rows: int) -> None:
        """Moves the cursor. At the end of the log that is following."""
        wanted = self.cursor + rows
        near = _PREFETCH_PAGES * self.page
        if rows < 0:
            self.is_following = False
            if wanted < near:
                self.post_message(self.MoreWanted(Edge.OLDER))
        elif wanted + near >= self.row_count:
            self.post_message(self.MoreWanted(Edge.NEWER))
        self.move_to(wanted)

    def move_by_hand(self, row: int) -> None:
        """Stays at what was pointed at."""
        self.is_following = False
        self.move_to(row)

    def action_first(self) -> None:
        """Goes to the log's first event."""
        self.post_message(self.EndWanted(is_last=False))

    def action_last(self) -> None:
        """Goes to the log's newest event and stays there."""
        self.post_message(self.EndWanted(is_last=True))

    def heading(self) -> str:
        """The names of the columns."""
        version = f"{'VER':>{_VERSION_WIDTH}}"
        at, topic = pad("TIME", self._time_width), pad("TOPIC", self._topic_width)
        if not self._shows_aggregate:
            number = f"{_GAP}{'ID':>{self._id_width}}" if self._has_room_for_id else ""
            return f"{version}{_GAP}{at}{_GAP}{topic}{number}"
        heading = f"{'ID':>{self._id_width}}{_GAP}{at}{_GAP}{topic}"
        aggregate = self._aggregate_width
        if aggregate:
            heading += _GAP + pad("AGGREGATE", aggregate)
        return f"{heading}{_GAP}{version}"

    def cells(self, row: int) -> Sequence[Cell]:
        """What is told of an event."""
        event = self._events[row]
        number = f"{words.number(event.id):>{self._id_width}}"
        version = f"{words.number(event.originator_version):>{_VERSION_WIDTH}}"
        at = f"{self._time(event.timestamp):>{self._time_width}}"
        topic = words.line(event.short_topic)
        # Said by a symbol too: some see no colours.
        topic_cell = (
            (pad(f"✗ {topic}", self._topic_width), "error")
            if event.error
            else (pad(topic, self._topic_width), "")
        )
        if not self._shows_aggregate:
            end = f"{_GAP}{number}" if self._has_room_for_id else ""
            return (f"{version}{_GAP}", ""), (f"{at}{_GAP}", "quiet"), topic_cell, (end, "quiet")
        width = self._aggregate_width
        aggregate = _GAP + elide(words.line(event.originator_id), width) if width else ""
        return (
            (f"{number}{_GAP}", ""),
            (f"{at}{_GAP}", "quiet"),
            topic_cell,
            (f"{aggregate}{_GAP}{version}", ""),
        )

    def is_marked(self, row: int) -> bool:
        """Whether it was found."""
        return self._ids[row] in self.hits

    def empty_words(self) -> str:
        """What is said where there are no events."""
        return self._empty

    @property
    def _has_room_for_id(self) -> bool:
        taken = _VERSION_WIDTH + self._time_width + self._topic_width + self._id_width
        return taken + _GAPS * len(_GAP) <= self.size.width

    @property
    def _aggregate_width(self) -> int:
        taken = self._id_width + self._time_width + self._topic_width + _VERSION_WIDTH
        left = self.size.width - taken - _GAPS * len(_GAP)
        return 0 if left < _MIN_AGGREGATE_WIDTH else min(left, _FULL_AGGREGATE_WIDTH)

    def _time(self, at: datetime | None) -> str:
        return words.NONE if at is None else time_words(at, self.today)

    def _grow(self, shown: Sequence[EventView]) -> None:
        """Makes room for what is wider. Columns that become narrow again can't be read."""
        if not shown:
            return
        self._id_width = max(self._id_width, len(words.number(shown[-1].id)))
        topics = {(event.topic, bool(event.error)) for event in shown}
        widest = max(
            len(topic.rpartition(":")[2]) + is_marked * len("✗ ") for topic, is_marked in topics
        )
        self._topic_width = max(self._topic_width, min(_MAX_TOPIC_WIDTH, widest))
        self._time_width = max(
            self._time_width,
            len(self._time(shown[0].timestamp)),
            len(self._time(shown[-1].timestamp)),
        )


def time_words(at: datetime, today: date) -> str:
    """Writes a local time to the millisecond, with its date where that is not today's."""
    local = words.local(at)
    time = f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"
    return time if local.date() == today else f"{local:%Y-%m-%d} {time}"
