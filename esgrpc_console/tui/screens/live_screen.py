"""What all screens that show a live system have in common: the first lines, the pace, the footer."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from esgrpc_console.system_view import SystemState
from esgrpc_console.tui.actions import bindings_of, is_changing
from esgrpc_console.tui.appearance import Appearance
from esgrpc_console.tui.background import background
from esgrpc_console.tui.session import Session
from esgrpc_console.tui.widgets.header_line import HeaderLine
from esgrpc_console.tui.widgets.headline import Headline
from esgrpc_console.tui.widgets.key_line import KeyLine

REFRESH_SECONDS = 0.25
"""Between two drawings, at least."""
WIDTHS = [(0, "-narrow"), (100, "-medium"), (130, "-wide")]
HEIGHTS = [(0, "-low"), (30, "-high")]
"""The classes that a screen has, from which number of columns and lines on."""
AGE_SECONDS = 1.0
"""Between two drawings of ages, which grow though nothing changes."""


class LiveScreen(Screen[None], inherit_bindings=False):
    """Shows the live state of a system, at most four times a second, only when it has changed, and
    only while it is the screen that is seen."""

    CSS_PATH: ClassVar[CSSPathType | None] = "live_screen.tcss"

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("app.next-part", "app.previous-part")

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    class Changed(Message):
        """Posted when there is something new to show."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._header = HeaderLine(session)
        self._headline = Headline(session)

    @abstractmethod
    def compose_body(self) -> Iterable[Widget]:
        """What is between the first lines and the footer."""

    @abstractmethod
    def show_state(self, state: SystemState, appearance: Appearance, now: float) -> None:
        """Shows what is known just now. Called in the event loop: it waits for nothing.

        :param now: the reading of the state's clock.
        """

    def compose(self) -> ComposeResult:
        """The first lines, the screen's own part, and the footer."""
        yield self._header
        yield self._headline
        yield from self.compose_body()
        yield KeyLine()

    def on_mount(self) -> None:
        """Shows what is known, and goes on doing so, when its parts have been mounted too."""
        self.call_after_refresh(self._begin)

    def on_screen_resume(self) -> None:
        """Shows what has changed under another screen."""
        self.show_now()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disables what changes something, visibly, where that is not allowed."""
        return None if self.session.is_read_only and is_changing(action) else True

    @property
    def is_current(self) -> bool:
        """Whether no other screen is above it, be it a modal one.

        For Textual, the screen right below another is current too, whatever that is: then, whenever
        anything happens there, all of the screen above is drawn anew.
        """
        stack = self.app.screen_stack
        return bool(stack) and stack[-1] is self

    @on(Changed)
    def show_now(self) -> None:
        """Shows what is known just now, if this is the screen that is seen."""
        if not (self.is_current and self.is_mounted):
            return
        state, now = self.session.operations.state, self.session.clock()
        self._header.show_state(state, now)
        self._headline.show_state(state, now)
        self.show_state(state, Appearance(self.app.theme_variables), now)

    def _begin(self) -> None:
        if self not in self.app.screen_stack:
            # It was left before it could be shown.
            return
        self._watch()
        self.set_interval(AGE_SECONDS, self._show_ages)
        self.app.theme_changed_signal.subscribe(self, lambda _: self.show_now())
        self.show_now()

    @background("watch")
    async def _watch(self) -> None:
        changes = self.session.operations.state.changes
        seen = changes.count
        while True:
            seen = await changes.wait(seen)
            self.post_message(self.Changed())
            await asyncio.sleep(REFRESH_SECONDS)

    def _show_ages(self) -> None:
        if not self.is_current:
            return
        state = self.session.operations.state
        self._header.show_state(state, self.session.clock())
        is_aging = any(view.stale_since is not None for view in state.applications.values())
        if is_aging or any(following.state.word != "live" for following in state.followings):
            self.show_now()
