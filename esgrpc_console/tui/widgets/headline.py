"""The first line: what is wrong, in words, or that nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.reactive import reactive
from textual.widget import Widget

from esgrpc_console.command_lines import ControlAction
from esgrpc_console.system_view import (
    FollowingView,
    Problem,
    SystemState,
    find_problems,
    summarise,
)
from esgrpc_console.tui.actions import bindings_of
from esgrpc_console.tui.appearance import Appearance, Tone, severity_tone
from esgrpc_console.tui.causes import cause_of, following_of
from esgrpc_console.tui.following_actions import confirm_and_run, is_applicable
from esgrpc_console.tui.key_names import active_keys
from esgrpc_console.tui.places import Open
from esgrpc_console.tui.session import Session

_PADDING = 2
_GAP = 2
_CONTROLS = {action.value: action for action in ControlAction}
_HINTS = {
    "headline.open": "to see it",
    "app.problem": "to see it",
    "headline.retry": "to retry",
    "headline.skip": "to skip",
    "headline.resume": "to resume",
    "headline.next": "for the next",
}


@dataclass(frozen=True)
class _Line:
    text: str = ""
    more: str = ""
    tone: Tone = Tone.PLAIN


class Headline(Widget, can_focus=True):
    """One line that says how the system is. While it has the focus, it tells one problem after the
    other."""

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(
        "headline.open",
        "headline.retry",
        "headline.skip",
        "headline.pause",
        "headline.resume",
        "headline.next",
        "headline.previous",
    )

    line: reactive[_Line] = reactive(_Line)
    hint: reactive[str] = reactive("")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._problems: Sequence[Problem] = ()
        self._told = 0
        self._offered: tuple[object, ...] = ()
        self._keys: Mapping[str, str] = {}

    def on_mount(self) -> None:
        """Names the keys that do something about it."""
        self.can_focus = False
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._name_keys())

    def on_blur(self) -> None:
        """Tells the worst again."""
        self._told = 0
        self._show()

    def show_state(self, state: SystemState, now: float) -> None:
        """Says how the system is just now."""
        told = self.problem
        self._problems = find_problems(state, now=now)
        self._told = next(
            (
                index
                for index, problem in enumerate(self._problems)
                if self.has_focus and told is not None and _is_same(problem, told)
            ),
            0,
        )
        # Where there is nothing to see, the keys had better do something else.
        self.can_focus = bool(self._problems) or self.has_focus
        self._show()

    @property
    def problem(self) -> Problem | None:
        """The problem that is told."""
        return self._problems[self._told] if self._told < len(self._problems) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offers what can be done about the problem that is told, as far as it is allowed."""
        control = _CONTROLS.get(action)
        if control is not None:
            following = self._following
            if following is None or not is_applicable(control, following):
                return False
            return None if self._session.is_read_only else True
        match action:
            case "open":
                return self.problem is not None
            case "turn":
                return len(self._problems) > 1
            case _:
                return True

    def action_open(self) -> None:
        """Goes to the cause of the problem."""
        if self.problem is not None:
            self.post_message(Open(cause_of(self.problem, self._session)))

    def action_turn(self, problems: int) -> None:
        """Tells another problem."""
        if self._problems:
            self._told = (self._told + problems) % len(self._problems)
            self._show()

    def action_retry(self) -> None:
        """Asks whether to try at once."""
        self._control(ControlAction.RETRY)

    def action_skip(self) -> None:
        """Asks whether to skip the event that is waited on."""
        self._control(ControlAction.SKIP)

    def action_pause(self) -> None:
        """Asks whether to let the follower wait."""
        self._control(ControlAction.PAUSE)

    def action_resume(self) -> None:
        """Asks whether to let the follower go on."""
        self._control(ControlAction.RESUME)

    def on_click(self) -> None:
        """Goes to the cause of the problem."""
        self.action_open()

    def render(self) -> Text:
        """Returns the line, shortened to what there is room for."""
        appearance = Appearance(self.app.theme_variables)
        line, room = self.line, max(1, self.size.width - _PADDING)
        text = appearance.text(line.text, line.tone)
        text.truncate(max(1, room - len(line.more)), overflow="ellipsis")
        text.append(line.more)
        if line.tone is Tone.BAD:
            text.stylize("bold")
        left = room - text.cell_len - len(self.hint)
        if self.hint and left >= _GAP:
            text.append(" " * left)
            text.append(self.hint, "dim not bold")
        return text

    @property
    def _following(self) -> FollowingView | None:
        """The following that the problem is about."""
        problem = self.problem
        return None if problem is None else following_of(problem, self._session.operations.state)

    def _show(self) -> None:
        problem, others = self.problem, len(self._problems) - 1
        if problem is None:
            self.line = _Line(f"● {summarise(self._session.operations.state)}", "", Tone.GOOD)
        else:
            more = f"  (and {others} more)" if others else ""
            if self._told:
                more = f"  ({self._told + 1} of {others + 1})"
            tone = severity_tone(problem.severity)
            self.line = _Line(f"{problem.symbol} {problem.text}", more, tone)
        following = self._following
        offered = (
            problem is None,
            others > 0,
            *(following and is_applicable(control, following) for control in ControlAction),
        )
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def _name_keys(self) -> None:
        if self.problem is None:
            self.hint = ""
            return
        keys = active_keys(self.screen)
        told: dict[str, str] = {}
        for action_id, purpose in _HINTS.items():
            if action_id in keys and purpose not in told:
                told[purpose] = keys[action_id]
        hints = ", ".join(f"{key} {purpose}" for purpose, key in told.items())
        self.hint = f"({hints})" if hints else ""

    def _control(self, action: ControlAction) -> None:
        following = self._following
        if following is not None:
            confirm_and_run(self.screen, self._session, action, following)


def _is_same(problem: Problem, other: Problem) -> bool:
    return (problem.application, problem.leader, problem.severity) == (
        other.application,
        other.leader,
        other.severity,
    )
