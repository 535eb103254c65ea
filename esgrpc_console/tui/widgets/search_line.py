"""Searches a whole log for a text, says how far it is, and knows what it has found."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right

from rich.cells import cell_len
from rich.text import Text
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import LogFilter, RequestFailed, words
from esgrpc_console.system_view.searching import LogSearch
from esgrpc_console.tui.background import background
from esgrpc_console.tui.session import Session

PROGRESS_SECONDS = 0.25
"""Between two tellings of how far it is."""
REST_AFTER = 1_000
"""How many events are found before the search rests, until somebody wants to see more."""

_GAP = "   "
_MIN_TEXT = 12


class SearchLine(Widget):
    """Shown while there is something that was searched for. Begins at the newest event."""

    DEFAULT_CSS = """
    SearchLine {
        display: none;
        height: 1;
        padding: 0 1;
        background: $surface;

        &.-searching {
            display: block;
        }
    }
    """

    told: reactive[str] = reactive("")
    """How far it is."""

    class Found(Message):
        """Posted when the event to go to has been found."""

        def __init__(self, notification_id: int) -> None:
            super().__init__()
            self.notification_id = notification_id

    class Changed(Message):
        """Posted when more has been found, or all is forgotten."""

    class _Heard(Message):
        def __init__(self, search: LogSearch, found: list[int], error: str, is_over: bool) -> None:
            super().__init__()
            self.search = search
            self.found = found
            self.error = error
            self.is_over = is_over

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.text = ""
        """What is searched for. Empty: nothing."""
        self.is_searching = False
        self.hits: frozenset[int] = frozenset()
        """The IDs of the events that have been found."""
        self._session = session
        self._search: LogSearch | None = None
        self._sorted: list[int] = []
        self._limit = REST_AFTER
        self._go_on = asyncio.Event()
        self._is_next_wanted = False
        self._error = ""
        self._is_stopped = False

    def start(self, application: str, wanted: LogFilter) -> None:
        """Searches another log, or for another text."""
        self._forget()
        self.text = wanted.text
        self.is_searching = True
        self._is_next_wanted = True
        self._search = LogSearch(self._session.operations, application, wanted)
        self.set_class(True, "-searching")
        self._tell()
        self._run(self._search)

    def stop(self) -> None:
        """Searches no further. What was found stays."""
        self.workers.cancel_group(self, "search")
        self._is_stopped = self.is_searching
        self.is_searching = False
        self._tell()

    def forget(self) -> None:
        """Forgets all about it."""
        self.workers.cancel_group(self, "search")
        self._forget()
        self.set_class(False, "-searching")
        self.post_message(self.Changed())

    def next_hit(self, step: int, notification_id: int) -> int | None:
        """Returns what was found next to an event, newer for 1, older for -1.

        None: there is no such thing, or not yet. Then ``Found`` is posted as soon as there is.
        """
        if step > 0:
            index = bisect_right(self._sorted, notification_id)
            return self._sorted[index] if index < len(self._sorted) else None
        index = bisect_left(self._sorted, notification_id) - 1
        if index < len(self._sorted) - self._limit // 2:
            # Some are left, and by then there are more.
            self._more()
        if index >= 0:
            return self._sorted[index]
        self._is_next_wanted = self.is_searching
        return None

    def render(self) -> Text:
        """One line. What was found matters more than the end of a long text."""
        width = self.size.width
        text = Text(f"/{words.line(self.text)}", no_wrap=True, end="")
        text.truncate(max(_MIN_TEXT, width - cell_len(self.told) - len(_GAP)), overflow="ellipsis")
        line = Text(no_wrap=True, end="")
        line.append(text.plain, "bold").append(f"{_GAP}{self.told}")
        line.truncate(width, overflow="ellipsis")
        return line

    def _forget(self) -> None:
        self.text = ""
        self.is_searching = self._is_stopped = self._is_next_wanted = False
        self.hits = frozenset()
        self._sorted = []
        self._search = None
        self._limit = REST_AFTER
        self._error = ""
        self._go_on.clear()

    def _more(self) -> None:
        if len(self._sorted) >= self._limit:
            self._limit += REST_AFTER
            self._go_on.set()

    @background("search")
    async def _run(self, search: LogSearch) -> None:
        total = 0
        error = ""
        told_at = 0.0
        found: list[int] = []
        progress = self._watch(search)
        try:
            async for event in search:
                found.append(event.id)
                total += 1
                now = asyncio.get_running_loop().time()
                if total == 1 or now - told_at >= PROGRESS_SECONDS:
                    told_at = now
                    self.post_message(self._Heard(search, found, "", is_over=False))
                    found = []
                while total >= self._limit:
                    self.post_message(self._Heard(search, found, "", is_over=False))
                    found = []
                    await self._go_on.wait()
                    self._go_on.clear()
        except RequestFailed as e:
            error = str(e)
        finally:
            # What has been found counts also when it is stopped.
            self.post_message(self._Heard(search, found, error, is_over=True))
            progress.cancel()
            await search.aclose()

    @background("search progress")
    async def _watch(self, search: LogSearch) -> None:
        seen = search.changes.count
        while True:
            seen = await search.changes.wait(seen)
            self.post_message(self._Heard(search, [], "", is_over=False))
            await asyncio.sleep(PROGRESS_SECONDS)

    def on_search_line__heard(self, message: _Heard) -> None:
        """Tells what has been found so far."""
        message.stop()
        if message.search is not self._search:
            return
        if message.found:
            # They come from the newest to the oldest.
            self._sorted = message.found[::-1] + self._sorted
            self.hits |= frozenset(message.found)
            self.post_message(self.Changed())
            if self._is_next_wanted:
                self._is_next_wanted = False
                self.post_message(self.Found(message.found[0]))
        if message.is_over:
            self.is_searching = False
            self._error = message.error
        self._tell()

    def _tell(self) -> None:
        search = self._search
        if search is None:
            return
        progress = search.progress
        found = f"{words.number(len(self._sorted))} found"
        if progress.of:
            searched = f"searched {words.number(progress.looked_at)} of {words.number(progress.of)}"
        else:
            searched = "searching …"
        if self._error:
            how = f"✗ {words.line(self._error)}"
        elif search.note:
            how = f"○ {words.line(search.note)}"
        elif not self.is_searching:
            how = "stopped" if self._is_stopped else "done"
        elif len(self._sorted) >= self._limit:
            how = "resting"
        else:
            how = ""
        keys = "n/N go on", "esc stop" if self.is_searching else "esc forget"
        self.told = " · ".join(part for part in (found, searched, how, *keys) if part)
