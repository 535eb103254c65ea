"""Aggregates, one a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from esgrpc_console.system_view import EventView, words
from esgrpc_console.tui.fitting import elide, pad
from esgrpc_console.tui.widgets.log_view import time_words
from esgrpc_console.tui.widgets.row_view import Cell, RowView

_TIME_WIDTH = len("00:00:00.000")
_VERSION_WIDTH = 7
_ID_WIDTH = 36
_MIN_ID_WIDTH = 13
_MAX_TYPE_WIDTH = 30
_MAX_EVENT_WIDTH = 30
_GAP = "  "


@dataclass(frozen=True)
class SeenAggregate:
    """An aggregate, and its newest event."""

    newest: EventView

    @property
    def kind(self) -> str:
        """The name of its class, as far as the event's topic tells it."""
        return self.newest.short_topic.rpartition(".")[0] or words.NONE

    @property
    def originator_id(self) -> str:
        """Its ID."""
        return self.newest.originator_id


def seen_aggregates(events: Iterable[EventView]) -> list[SeenAggregate]:
    """Returns the aggregates of events that come newest first, in this order."""
    seen: dict[str, SeenAggregate] = {}
    for event in events:
        if event.originator_id not in seen:
            seen[event.originator_id] = SeenAggregate(event)
    return list(seen.values())


class AggregatesView(RowView):
    """Shows aggregates, those that changed last first."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.today: date = date.min
        """Events of other days are shown with their date."""
        self._aggregates: Sequence[SeenAggregate] = ()
        self._empty = "reading …"
        self._kind_width = len("TYPE")
        self._event_width = len("LAST EVENT")
        self._time_width = _TIME_WIDTH

    @property
    def row_count(self) -> int:
        """How many aggregates there are."""
        return len(self._aggregates)

    @property
    def cursor_aggregate(self) -> SeenAggregate | None:
        """The aggregate that the cursor is on."""
        return self._aggregates[self.cursor] if self.has_row else None

    def show(self, aggregates: Sequence[SeenAggregate], *, empty: str) -> None:
        """Shows these. The cursor stays on its aggregate, unless it is on the first."""
        kept = self.cursor_aggregate if self.cursor else None
        self._aggregates, self._empty = aggregates, empty
        for aggregate in aggregates:
            self._grow(aggregate)
        row = 0
        if kept is not None:
            ids = [aggregate.originator_id for aggregate in aggregates]
            row = ids.index(kept.originator_id) if kept.originator_id in ids else self.cursor
        self.move_to(row)
        self.refresh()

    def heading(self) -> str:
        """The names of the columns."""
        return _GAP.join(
            (
                pad("TYPE", self._kind_width),
                pad("AGGREGATE", self._id_width),
                f"{'VERSION':>{_VERSION_WIDTH}}",
                pad("LAST EVENT", self._event_width),
                "AT",
            )
        )

    def cells(self, row: int) -> Sequence[Cell]:
        """What is told of an aggregate."""
        aggregate = self._aggregates[row]
        event = aggregate.newest
        name = words.line(event.short_topic.rpartition(".")[2])
        at = words.NONE if event.timestamp is None else time_words(event.timestamp, self.today)
        return (
            (pad(words.line(aggregate.kind), self._kind_width) + _GAP, ""),
            (elide(words.line(aggregate.originator_id), self._id_width) + _GAP, ""),
            (f"{words.number(event.originator_version):>{_VERSION_WIDTH}}{_GAP}", ""),
            (pad(name, self._event_width) + _GAP, ""),
            (at, "quiet"),
        )

    def empty_words(self) -> str:
        """What is said where there are no aggregates."""
        return self._empty

    @property
    def _id_width(self) -> int:
        taken = self._kind_width + _VERSION_WIDTH + self._event_width + self._time_width
        left = self.size.width - taken - 5 * len(_GAP)
        return min(_ID_WIDTH, max(_MIN_ID_WIDTH, left))

    def _grow(self, aggregate: SeenAggregate) -> None:
        """Makes room for what is wider. Columns that become narrow again can't be read."""
        event = aggregate.newest
        self._kind_width = max(self._kind_width, min(_MAX_TYPE_WIDTH, len(aggregate.kind)))
        name = event.short_topic.rpartition(".")[2]
        self._event_width = max(self._event_width, min(_MAX_EVENT_WIDTH, len(name)))
        if event.timestamp is not None:
            width = len(time_words(event.timestamp, self.today))
            self._time_width = max(self._time_width, width)
