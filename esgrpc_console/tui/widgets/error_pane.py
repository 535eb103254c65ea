"""What a following fails on, or failed on last: class, message and traceback, to scroll and to select."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.system_view import FollowingError, words
from esgrpc_console.tui.json_text import Kind, Line, plain_lines
from esgrpc_console.tui.widgets.styled_lines import StyledLines

_MAX_CHARACTERS = 200_000


class ErrorTitle(Widget):
    """The error's class, and whether it is over."""

    DEFAULT_CSS = """
    ErrorTitle {
        height: 1;
        padding: 0 1;
        background: $surface;
        color: $text-error;
        text-style: bold;

        &.-over {
            color: $foreground;
            text-style: none;
        }
    }
    """

    title: reactive[str] = reactive("")

    def render(self) -> Text:
        """The title, shortened."""
        return Text(self.title, no_wrap=True, overflow="ellipsis", end="")


class ErrorPane(Vertical):
    """Shows an error."""

    DEFAULT_CSS = """
    ErrorPane StyledLines {
        height: 1fr;
        background: $background;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = ErrorTitle()
        self._lines = StyledLines()
        self._shown: tuple[str, str, str] | None = None

    def compose(self) -> ComposeResult:
        """The title, and everything else."""
        yield self._title
        yield self._lines

    def show_error(self, leader: str, error: FollowingError, *, is_over: bool) -> None:
        """Shows an error, unless it is the one that is shown.

        :param leader: whose event it happened on, if on any.
        :param is_over: whether what it happened on has been got past.
        """
        name = words.line(error.error_class or "error")
        number = error.notification_id
        where = f" on {words.line(leader)} #{words.number(number)}" if number else ""
        self._title.title = f"{name}{where}, which is over" if is_over else f"✗ {name}{where}"
        self._title.set_class(is_over, "-over")
        shown = error.error_class, error.message, error.traceback
        if shown == self._shown:
            return
        is_other = self._shown is None or shown[:2] != self._shown[:2]
        self._shown = shown
        lines = plain_lines(error.message[:_MAX_CHARACTERS] or "it has no message")
        if error.traceback:
            lines += [Line(), *plain_lines(error.traceback[:_MAX_CHARACTERS].rstrip(), Kind.QUIET)]
        else:
            lines += [Line(), Line([("its server shows no traceback", Kind.QUIET)])]
        self._lines.show(lines, keeps_place=not is_other)
