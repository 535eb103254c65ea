"""A window on a log, kept current while it is seen, moved by keys and by the mouse."""

from __future__ import annotations

import asyncio
import logging

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import var

from esgrpc_console.system_view import (
    ApplicationView,
    EventView,
    LogFilter,
    LogWindow,
    RequestFailed,
)
from esgrpc_console.tui.background import background
from esgrpc_console.tui.list_status import ListStatus
from esgrpc_console.tui.log_reading import Wish, WishKind, read
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.log_scrollbar import LogScrollbar
from esgrpc_console.tui.widgets.log_view import Edge, LogView

logger = logging.getLogger(__name__)

MAX_EVENTS = 1_000
"""How many events are kept: several screens in both directions of the largest terminals."""
PROGRESS_SECONDS = 0.25
"""Between two looks at a read that takes long, because few events are wanted."""


class EventList(Horizontal):
    """Shows the events of one log that a filter lets through.

    Whoever has it calls ``open`` once, and ``hear`` whenever something new is known of the
    application, as long as the list is on the screen.
    """

    DEFAULT_CSS = """
    EventList {
        height: 1fr;

        LogView {
            width: 1fr;
        }
    }
    """

    # Watched, and not told by messages: what a key changes is to be in the next frame as a whole.
    status: var[ListStatus] = var(ListStatus)
    """How the list is."""

    class Selected(Message):
        """Posted when the cursor is on another event, which is in ``selected``."""

    class LogReplaced(Message):
        """Posted when the log is another than before: its store was lost or replaced."""

    class _Read(Message):
        def __init__(self, window: LogWindow, wish: Wish, at: int | None, error: str) -> None:
            super().__init__()
            self.window = window
            self.wish = wish
            self.at = at
            self.error = error

    class _Progress(Message):
        def __init__(self, window: LogWindow) -> None:
            super().__init__()
            self.window = window

    def __init__(
        self, session: Session, *, shows_aggregate: bool = True, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.view = LogView(shows_aggregate=shows_aggregate)
        self._session = session
        self._scrollbar = LogScrollbar()
        self._window: LogWindow | None = None
        self._reading: Wish | None = None
        self._failed: Wish | None = None
        self._paused_at: int | None = None
        self._heard_head = -1
        self._heard_start: object = None
        self._replacements = 0

    def compose(self) -> ComposeResult:
        """The rows, and where in the log they are."""
        yield self.view
        yield self._scrollbar

    def on_mount(self) -> None:
        """Says at once when the newest event is followed no more, or again."""
        self.watch(self.view, "is_following", self._note_following, init=False)

    @property
    def window(self) -> LogWindow | None:
        """What is shown is a part of it."""
        return self._window

    @property
    def selected(self) -> EventView | None:
        """The event that the cursor is on."""
        return self.view.cursor_event

    def open(self, application: str, wanted: LogFilter, *, at: int | None = None) -> None:
        """Shows another log, or other events of it: its newest, or those around an ID."""
        self._window = LogWindow(
            self._session.operations, application, filter=wanted, max_events=MAX_EVENTS
        )
        self._heard_head = -1
        self._replacements = 0
        self._failed = None
        self.status = ListStatus()
        self.view.forget()
        self.view.is_following = at is None
        self._watch(self._window)
        self._read(Wish(WishKind.LAST) if at is None else Wish(WishKind.GO_TO, at))

    def go_to(self, notification_id: int) -> None:
        """Goes to an event, or to the next one where there is none with this ID."""
        events = self.view.row_count
        row = self.view.row_of_key(notification_id)
        self.view.is_following = False
        if row < events and self.view.key(row) == notification_id:
            self.view.move_to(row)
        else:
            self._read(Wish(WishKind.GO_TO, notification_id))

    def follow(self) -> None:
        """Goes to the newest event and stays there."""
        self.view.is_following = True
        self._read(Wish(WishKind.LAST))

    def hear(self, application: ApplicationView) -> None:
        """Reads what is new, if it is wanted. What can't be seen just now is not read."""
        window = self._window
        if window is None:
            return
        is_stale = application.stale_since is not None
        if is_stale != self.view.is_stale:
            self.view.is_stale = is_stale
            self.view.refresh()
        if application.status is None or is_stale:
            return
        head = application.status.head
        started = application.description.started_at if application.description else None
        is_restarted = started != self._heard_start and self._heard_head >= 0
        is_news = head != self._heard_head or is_restarted
        self._heard_head, self._heard_start = head, started
        window.hear_head(head)
        if self._failed is not None:
            self._read(self._failed)
        elif self.view.is_following and is_news:
            self._read(Wish(WishKind.FOLLOW))
        elif is_restarted and self.selected is not None:
            # It is found out whether the log is still the same.
            self._read(Wish(WishKind.GO_TO, self.selected.id))
        elif head < window.last:
            self._read(Wish(WishKind.NEWER))
        self._tell()

    # What the view wants.

    @on(LogView.MoreWanted)
    def _read_more(self, message: LogView.MoreWanted) -> None:
        message.stop()
        window = self._window
        if window is None:
            return
        if message.edge is Edge.OLDER:
            if not window.is_at_first:
                self._read(Wish(WishKind.OLDER))
        elif window.newer:
            self._read(Wish(WishKind.NEWER))
        elif self.view.cursor == self.view.row_count - 1:
            self.view.is_following = True

    @on(LogView.EndWanted)
    def _go_to_end(self, message: LogView.EndWanted) -> None:
        message.stop()
        if message.is_last:
            self.follow()
        else:
            self.view.is_following = False
            self._read(Wish(WishKind.FIRST))

    @on(LogScrollbar.PlaceWanted)
    def _go_to_place(self, message: LogScrollbar.PlaceWanted) -> None:
        message.stop()
        self.view.is_following = False
        self._read(Wish(WishKind.GO_TO, message.notification_id))

    def _note_following(self) -> None:
        self._note_head()
        self._tell()

    def _note_head(self) -> None:
        """Notes from where on what is recorded is new, as soon as that is known."""
        self._paused_at = self._window.head or None if self._window is not None else None

    @on(LogView.CursorMoved)
    def _tell_selected(self, message: LogView.CursorMoved) -> None:
        # Not by letting it bubble: Textual ends that at whoever has moved the cursor, which is here.
        message.stop()
        self._place_scrollbar()
        self.post_message(self.Selected())

    def on_resize(self) -> None:
        """Shows the place in the log again, when it is known how much there is room for."""
        self.call_after_refresh(self._place_scrollbar)

    # Reading.

    def _read(self, wish: Wish) -> None:
        if self._window is None:
            return
        reading = self._reading
        if reading is not None and (wish.kind is WishKind.FOLLOW or wish == reading):
            return
        self._reading = wish
        self._run(self._window, wish)

    @background("read")
    async def _run(self, window: LogWindow, wish: Wish) -> None:
        error = ""
        at: int | None = None
        try:
            at = await read(window, wish)
        except RequestFailed as e:
            error = str(e)
        except Exception as e:
            # Whatever it is: a list that waited for this answer would read nothing any more.
            logger.exception("a log can't be read")
            error = f"{type(e).__name__}: {e}"
        self.post_message(self._Read(window, wish, at, error))

    @background("progress")
    async def _watch(self, window: LogWindow) -> None:
        """Tells of reads that take long, because the server has to look through much."""
        seen = window.changes.count
        while True:
            seen = await window.changes.wait(seen)
            await asyncio.sleep(PROGRESS_SECONDS)
            if window.looked_through is not None:
                self.post_message(self._Progress(window))

    def on_event_list__progress(self, message: _Progress) -> None:
        """Shows what has been found so far."""
        message.stop()
        if message.window is self._window:
            self._show(message.window, None)
            self._tell()

    def on_event_list__read(self, message: _Read) -> None:
        """Shows what has been read, unless another log is wanted by now."""
        message.stop()
        window, wish = message.window, message.wish
        if window is not self._window:
            return
        if wish == self._reading:
            self._reading = None
        self._failed = wish if message.error else None
        if self._paused_at is None:
            self._note_head()
        is_replaced = window.replacements != self._replacements
        if is_replaced:
            self._replacements = window.replacements
            self.view.forget()
            self.post_message(self.LogReplaced())
        at = message.at
        if wish.kind is WishKind.FIRST:
            at = 0
        elif wish.kind is WishKind.LAST and not self.view.is_following and window.events:
            # Somebody has paused meanwhile.
            at = window.events[-1].id
        self._show(window, None if message.error or is_replaced else at, message.error)
        self._tell(message.error)

    def _show(self, window: LogWindow, at: int | None, error: str = "") -> None:
        if error:
            empty = "nothing could be read yet"
        elif window.looked_through is not None:
            empty = "looking …"
        elif window.filter:
            empty = "there are no such events"
        else:
            empty = "nothing has been recorded yet"
        self.view.today = self._session.wall_clock().astimezone().date()
        self.view.show(tuple(window.events), at=at, empty=empty)
        self._place_scrollbar()

    def _place_scrollbar(self) -> None:
        window, shown = self._window, self.view.shown_ids
        if window is None or shown is None:
            return
        is_all = window.is_at_first and not window.newer and self.view.row_count <= self.view.page
        first, last = (1, window.head) if is_all else shown
        self._scrollbar.show(first, last, window.head)

    def _tell(self, error: str | None = None) -> None:
        window = self._window
        if window is None:
            return
        is_following = self.view.is_following
        new = 0 if self._paused_at is None else max(0, window.head - self._paused_at)
        self.status = ListStatus(
            is_following=is_following,
            new=0 if is_following else new,
            head=window.head,
            looked_through=window.looked_through,
            error=self.status.error if error is None else error,
        )
