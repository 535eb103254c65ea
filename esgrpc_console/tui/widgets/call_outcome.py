"""What a call brought: its result as a tree or as text, or the error with its traceback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from esgrpc_console.system_view import CallFailed, CallResult, words
from esgrpc_console.system_view.json_values import JsonProblem, JsonValue, read_json
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.clipboard import copy
from esgrpc_console.tui.json_text import Kind, Line, json_lines, plain_lines
from esgrpc_console.tui.method_calls import CallEnd, Repetition
from esgrpc_console.tui.places import Open, TracePlace
from esgrpc_console.tui.widgets.json_tree import JsonTree
from esgrpc_console.tui.widgets.styled_lines import StyledLines

MAX_TREE_CHARACTERS = 1_000_000
"""Results of more are shown as text, which takes no time to read."""
_MAX_ERROR = 20_000


class CallOutcome(Vertical):
    """Shows how a call, or a repetition of calls, has ended."""

    DEFAULT_CSS = """
    CallOutcome {
        display: none;

        &.-shown {
            display: block;
        }

        .outcome-title {
            height: 1;
            padding: 0 1;
            background: $surface;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }

        &.-good .outcome-title {
            color: $text-success;
        }

        &.-bad .outcome-title {
            color: $text-error;
        }

        &.-unknown .outcome-title {
            color: $text-warning;
        }

        StyledLines, JsonTree {
            height: 1fr;
            background: $background;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("methods.trace-value")

    def __init__(self) -> None:
        super().__init__()
        self._title = Static(classes="outcome-title", markup=False)
        self._lines = StyledLines()
        self._tree = JsonTree()
        self._tree.display = False
        self._end: CallEnd | None = None
        self._value: JsonValue = None
        self._has_tree = False
        self._is_tree_wanted = True
        self._is_traceback_wanted = True
        self._shown: Sequence[Line] = ()
        self._laid_out = 0

    def compose(self) -> ComposeResult:
        """How it ended, and what it brought."""
        yield self._title
        yield self._lines
        yield self._tree

    @property
    def text(self) -> str:
        """All that it brought, for the clipboard. Empty: nothing has been called."""
        if self._end is None:
            return ""
        if self._end.result is not None:
            return self._end.result.result
        return "\n".join(line.text for line in self._failure_lines(with_traceback=True))

    def show(self, end: CallEnd) -> None:
        """Shows how a call ended."""
        self._end = end
        self._has_tree = False
        if end.result is not None and len(end.result.result) <= MAX_TREE_CHARACTERS:
            self._value = _value(end.result)
            self._has_tree = isinstance(self._value, dict | list) and bool(self._value)
            if self._has_tree:
                self._tree.show(self._value)
        self._be(end.outcome.value)
        self._draw()

    def show_repetition(self, repetition: Repetition) -> None:
        """Shows how far a repetition is, or how it ended."""
        if self._end is not repetition.last:
            self._end = repetition.last
        self._has_tree = False
        self._tree.display, self._lines.display = False, True
        self._be("failed" if repetition.failed or repetition.stopped else "returned")
        symbol = "✗" if repetition.failed else "✓" if repetition.is_over else "…"
        title = f"{symbol} {_repetition_title(repetition)}"
        self._title.update(Content(title), layout=False)
        self._show_lines(_repetition_lines(repetition), keeps_place=True)

    def follow_size(self) -> None:
        """Lays out text anew, where it has another width than before."""
        width = self._lines.size.width
        if self._lines.display and width != self._laid_out:
            self._laid_out = width
            self._lines.show(self._shown, keeps_place=True)

    def enter(self) -> None:
        """Takes the focus."""
        (self._tree if self._tree.display else self._lines).focus()

    @property
    def is_shown(self) -> bool:
        """Whether there is something to see."""
        return self.has_class("-shown")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hides what is of no use for what is shown."""
        if action == "trace_value":
            return self._tree.display and isinstance(self._tree.selected, str)
        return True

    def show_other_way(self) -> None:
        """Shows a result as tree or text, or an error with or without its traceback."""
        if self._end is not None and self._end.result is not None:
            self._is_tree_wanted = not self._is_tree_wanted
        else:
            self._is_traceback_wanted = not self._is_traceback_wanted
        had_focus = self.has_focus_within
        self._draw()
        if had_focus:
            self.enter()

    def copy_all(self) -> None:
        """Copies all of the result."""
        copy(self.app, self.text, f"the result, {words.count(len(self.text), 'character')}")

    def action_trace_value(self) -> None:
        """Finds everything that mentions the value that the cursor is on."""
        value = self._tree.selected
        if isinstance(value, str) and value:
            self.post_message(Open(TracePlace(value)))

    def on_click(self, event: events.Click) -> None:
        """Shows it in the other way, where the title was clicked."""
        if event.widget is self._title:
            self.show_other_way()

    def _show_lines(self, lines: Sequence[Line], *, keeps_place: bool = False) -> None:
        self._shown = lines
        self._laid_out = self._lines.size.width
        self._lines.show(lines, keeps_place=keeps_place)

    def _be(self, outcome: str) -> None:
        self.add_class("-shown")
        self.set_class(outcome == "returned", "-good")
        self.set_class(outcome == "failed", "-bad")
        self.set_class(outcome == "unknown", "-unknown")

    def _draw(self) -> None:
        end = self._end
        if end is None:
            return
        is_tree = self._has_tree and self._is_tree_wanted
        self._tree.display, self._lines.display = is_tree, not is_tree
        if end.result is not None:
            size = len(end.result.result)
            other = ("v text" if is_tree else "v tree") if self._has_tree else ""
            if size > MAX_TREE_CHARACTERS:
                other = f"{words.count(size, 'character')}  y copies all"
            title = f"✓ {words.milliseconds(end.result.seconds)}"
            if not is_tree:
                self._show_lines(json_lines(end.result.result))
        else:
            failure = end.failure
            has_traceback = isinstance(failure, CallFailed) and failure.traceback
            is_folded = not self._is_traceback_wanted
            other = f"v {'shows' if is_folded else 'hides'} the traceback" if has_traceback else ""
            title = _failure_title(end)
            self._show_lines(self._failure_lines(with_traceback=not is_folded))
        title = "   ".join(filter(None, (title, other)))
        self._title.update(Content(words.line(title)), layout=False)

    def _failure_lines(self, *, with_traceback: bool) -> list[Line]:
        end = self._end
        if end is None:
            return []
        lines: list[Line] = []
        failure = end.failure
        if failure is not None:
            lines += plain_lines(str(failure)[:_MAX_ERROR], Kind.ERROR)
        if end.is_unknown and end.call.method.is_command:
            lines += plain_lines("It may have been carried out all the same.", Kind.CHANGED)
        if isinstance(failure, CallFailed) and failure.traceback and with_traceback:
            traceback = failure.traceback
            cut = "" if len(traceback) <= _MAX_ERROR else "…\n"
            lines += [Line(), *plain_lines(cut + traceback[-_MAX_ERROR:])]
        return lines


def _value(result: CallResult) -> JsonValue:
    try:
        return read_json(result.result)
    except JsonProblem:
        # Shown as it came: it is for reading only.
        return None


def _failure_title(end: CallEnd) -> str:
    failure = end.failure
    if failure is None:
        return f"? given up after {end.seconds:.1f} s"
    if isinstance(failure, CallFailed):
        if failure.violations:
            return "✗ not called: see the arguments"
        if failure.error_class:
            return f"✗ {failure.error_class}  {words.milliseconds(end.seconds)}"
    if end.is_unknown:
        return f"? no answer after {end.seconds:.1f} s"
    return "✗ not called"


def _repetition_title(repetition: Repetition) -> str:
    told = repetition.told()
    keys = "" if repetition.is_over else "   esc stops it"
    return f"{told['calls']} calls   {told['failed']} failed{keys}"


def _repetition_lines(repetition: Repetition) -> list[Line]:
    told = repetition.told()
    width = max(map(len, told))
    lines = [
        Line([(f"{name:<{width}}  ", Kind.LABEL), (f"{value:>16}", Kind.PLAIN)])
        for name, value in told.items()
    ]
    if repetition.is_over and repetition.done < repetition.times:
        why = repetition.stopped or "it was given up"
        lines += [Line(), *plain_lines(f"Stopped: {why}.", Kind.CHANGED)]
        if "not known" in why or not repetition.stopped:
            lines += plain_lines("The last call may have been carried out all the same.")
    for error, count in repetition.errors.most_common():
        lines += plain_lines(f"{words.number(count)} × {error}", Kind.ERROR)
    return lines
