"""What servers have written, a line a row. Draws only the lines that are on the screen."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType

from esgrpc_console.server_output import Level, OutputLine, ServerOutput, level_of
from esgrpc_console.system_view import words
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.fitting import pad
from esgrpc_console.tui.widgets.row_view import Cell, RowView

CONSOLE = "console"
"""Stands for this process, which has no application."""
MAX_SHOWN = 20_000
"""How many lines are shown, of all servers together."""
_MAX_NAME = 24
_SHIFT = 16
_LEVEL_STYLES = {
    Level.NONE: "",
    Level.DEBUG: "dim",
    Level.INFO: "info",
    Level.WARNING: "warning",
    Level.ERROR: "error",
}


class OutputView(RowView):
    """Shows the lines of one server, or of all. Follows the newest until the cursor leaves it.

    While it does not follow, what is shown stays as it is: nothing is taken away under the reader.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-view--mark", "row-view--info", "row-view--dim"}

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("output.left", "output.right")

    DEFAULT_CSS = """
    OutputView > .row-view--mark {
        background: $warning;
        color: $background;
    }
    OutputView > .row-view--info {
        color: $text-primary;
    }
    OutputView > .row-view--dim {
        text-style: dim;
    }
    """

    def __init__(self, output: ServerOutput, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.is_following = True
        self.new_count = 0
        """How many lines have been written since it stopped following."""
        self._output = output
        self._application: str | None = None
        self._least_level = Level.NONE
        self._lines: list[OutputLine] = []
        self._read = 0
        self._counted = 0
        self._shift = 0
        self._name_width = len(CONSOLE)
        self._searched = ""
        self._pattern: re.Pattern[str] | None = None
        self._hits: list[int] = []

    # What there is.

    @property
    def application(self) -> str | None:
        """Whose lines are shown. None: those of all."""
        return self._application

    @property
    def has_warnings_only(self) -> bool:
        """Whether only warnings and errors are shown."""
        return self._least_level is Level.WARNING

    @property
    def cursor_line(self) -> OutputLine | None:
        """The line that the cursor is on."""
        return self._lines[self.cursor] if self.has_row else None

    @property
    def search_text(self) -> str:
        """What is searched for. Empty: nothing is."""
        return self._searched

    @property
    def hits(self) -> tuple[int, int]:
        """Which of the lines that have the text the cursor is on, counted from the newest, or 0;
        and how many there are."""
        line = self.cursor_line
        index = bisect_left(self._hits, line.number) if line else len(self._hits)
        is_on_hit = line is not None and self._hits[index : index + 1] == [line.number]
        return (len(self._hits) - index if is_on_hit else 0), len(self._hits)

    def record(self) -> list[OutputLine]:
        """Returns the lines of the log record that the cursor is on: a traceback has many."""
        line = self.cursor_line
        if line is None:
            return []
        own = [other for other in self._lines if other.application == line.application]
        first = last = bisect_left(own, line.number, key=lambda other: other.number)
        while first and level_of(own[first].text)[0] is Level.NONE and own[first].level:
            first -= 1
        while last + 1 < len(own) and level_of(own[last + 1].text)[0] is Level.NONE and line.level:
            last += 1
        return own[first : last + 1]

    # What is wanted.

    def show(self, application: str | None, *, has_warnings_only: bool) -> None:
        """Shows other lines.

        :param application: whose. None: those of all.
        :param has_warnings_only: whether only warnings and errors are shown.
        """
        kept = self.cursor_line
        self._application = application
        self._least_level = Level.WARNING if has_warnings_only else Level.NONE
        self._lines.clear()
        self._hits.clear()
        self._read = self.new_count = 0
        self._take()
        if kept is not None and not self.is_following:
            self.move_to(self.row_of_key(kept.number))
        self.refresh()

    def look(self) -> bool:
        """Takes or counts what has been written since the last look, and tells whether anything has."""
        if self._output.count == self._counted:
            return False
        if self.is_following:
            self._take()
        else:
            newer = self._output.after(self._counted)
            self._counted = newer[-1].number if newer else self._counted
            self.new_count += sum(map(self._is_wanted, newer))
        return True

    def follow(self) -> None:
        """Goes to the newest line and stays there."""
        self.is_following = True
        self.new_count = 0
        self._take()

    def pause(self) -> None:
        """Stays where it is, whatever is written."""
        self.is_following = False

    def search(self, text: str) -> bool:
        """Marks a text wherever it is, in any case, and goes to the newest line that has it, from the
        cursor upwards. Empty: forgets what was searched for.

        :returns: whether any line has it.
        """
        self._searched = text
        self._pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self._hits = list(self._find(self._lines))
        self.refresh()
        if not self._hits:
            return False
        line = self.cursor_line
        if line is not None and line.number not in self._hits:
            self.go_to_hit(-1)
        return True

    def go_to_hit(self, step: int) -> None:
        """Goes to the next line that has the text: -1: an older one, 1: a newer one. Goes round at
        the ends."""
        line = self.cursor_line
        if not self._hits or line is None:
            return
        index = bisect_left(self._hits, line.number)
        is_on_hit = self._hits[index : index + 1] == [line.number]
        index += step if step < 0 or is_on_hit else 0
        self.is_following = False
        self.move_to(self.row_of_key(self._hits[index % len(self._hits)]))

    # Keys and the mouse.

    def action_move(self, rows: int) -> None:
        """Moves the cursor. Going up from the newest line is not following it; going down from the
        last one is."""
        if rows < 0:
            self.is_following = False
        elif self.cursor + rows >= self.row_count:
            self.follow()
            return
        super().action_move(rows)

    def action_shift(self, steps: int) -> None:
        """Shows what is further left or right in the lines."""
        longest = max((len(self._lines[row].text) for row in self._rows_on_screen()), default=0)
        self._shift = max(0, min(self._shift + steps * _SHIFT, longest - _SHIFT))
        self.refresh()

    def action_first(self) -> None:
        """Goes to the oldest line that is kept."""
        self.is_following = False
        super().action_first()

    def action_last(self) -> None:
        """Goes to the newest line and stays there."""
        self.follow()

    def move_by_hand(self, row: int) -> None:
        """Moves the cursor to a row that was pointed at."""
        self.is_following = False
        super().move_by_hand(row)

    # Drawing.

    @property
    def row_count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    def key(self, row: int) -> int:
        """Returns the number of a row's line."""
        return self._lines[row].number

    def row_of_key(self, key: int) -> int:
        """Returns the row of the line with a number, or the one behind where it would be."""
        return bisect_left(self._lines, key, key=lambda line: line.number)

    def is_marked(self, row: int) -> bool:
        """Tells whether a row's line has the text that is searched for."""
        number = self._lines[row].number
        index = bisect_left(self._hits, number)
        return self._hits[index : index + 1] == [number]

    def heading(self) -> str:
        """Returns the heading's text."""
        name = f"{pad('SERVER', self._name_width)}  " if self._application is None else ""
        further = f"  (from character {self._shift + 1})" if self._shift else ""
        return f"{name}OUTPUT{further}"

    def empty_words(self) -> str:
        """Returns what is said where there are no lines."""
        if self.has_warnings_only:
            return "no warnings and no errors have been written"
        return "nothing has been written yet"

    def cells(self, row: int) -> Sequence[Cell]:
        """Returns what a row says."""
        line = self._lines[row]
        cells: list[Cell] = []
        if self._application is None:
            name = words.line(line.application or CONSOLE)
            cells.append((f"{pad(name, self._name_width)}  ", ""))
        text = shown_text(line)
        _, start, end = level_of(text)
        style = _LEVEL_STYLES[line.level]
        if end:
            parts: list[Cell] = [
                (text[:start], "dim"),
                (text[start:end], style),
                (text[end:], ""),
            ]
        else:
            # What goes on with a warning or an error is a part of it.
            parts = [(text, style if line.level >= Level.WARNING else "")]
        window = self._shift, self._shift + self.size.width
        cells += self._marked(_cut(parts, *window), text, *window)
        return cells

    def _marked(self, parts: Iterator[Cell], text: str, start: int, end: int) -> Iterator[Cell]:
        """Splits texts where what is searched for begins and ends."""
        if self._pattern is None:
            yield from parts
            return
        found = [match.span() for match in self._pattern.finditer(text)]
        at = start
        for part, style in parts:
            edges = {at, at + len(part)}
            edges.update(edge for span in found for edge in span if at < edge < at + len(part))
            for first, last in zip(sorted(edges), sorted(edges)[1:], strict=False):
                is_found = any(begin <= first and last <= stop for begin, stop in found)
                yield part[first - at : last - at], "mark" if is_found else style
            at += len(part)

    # Lines.

    def _take(self) -> None:
        """Shows what has been written since it was last taken, and goes to the newest."""
        newer = self._output.after(self._read)
        if newer:
            self._read = self._counted = newer[-1].number
        wanted = [line for line in newer if self._is_wanted(line)]
        self._lines += wanted
        self._hits += self._find(wanted)
        for name in {line.application or CONSOLE for line in wanted}:
            self._name_width = max(self._name_width, min(_MAX_NAME, cell_len(words.line(name))))
        surplus = len(self._lines) - MAX_SHOWN
        if surplus > 0:
            # A quarter at a time: what is taken away at the beginning moves all the rest.
            del self._lines[: surplus + MAX_SHOWN // 4]
            self._hits = [hit for hit in self._hits if hit >= self._lines[0].number]
        if self.is_following:
            self.move_to(len(self._lines) - 1)
        if wanted:
            self.refresh()

    def _is_wanted(self, line: OutputLine) -> bool:
        return line.level >= self._least_level and self._application in {None, line.application}

    def _find(self, lines: Sequence[OutputLine]) -> Iterator[int]:
        if self._pattern is not None:
            for line in lines:
                if self._pattern.search(shown_text(line)):
                    yield line.number

    def _rows_on_screen(self) -> range:
        return range(self.top, min(self.row_count, self.top + self.page))


def shown_text(line: OutputLine) -> str:
    """Returns a line's text, fit for the screen."""
    return words.line(line.text.expandtabs(4))


def _cut(parts: Sequence[Cell], start: int, end: int) -> Iterator[Cell]:
    """Returns what there is of texts between two characters."""
    at = 0
    for text, style in parts:
        cut = text[max(0, start - at) : max(0, end - at)]
        if cut:
            yield cut, style
        at += len(text)
