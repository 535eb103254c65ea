"""What states and foreign text look like. Colours come from the theme; none says anything alone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from rich.style import Style
from rich.text import Text

from esgrpc_console.system_view import FollowingState, Health, words
from esgrpc_console.system_view.problems import Severity


class Tone(Enum):
    """How good or bad something is. The value is the name of a colour of the theme."""

    GOOD = "text-success"
    WAITING = "text-warning"
    BAD = "text-error"
    ACCENT = "accent"
    PLAIN = "foreground"


_HEALTH_TONES = {
    Health.SERVING: Tone.GOOD,
    Health.NOT_SERVING: Tone.BAD,
    Health.UNREACHABLE: Tone.BAD,
    Health.CONNECTING: Tone.PLAIN,
    Health.UNKNOWN: Tone.PLAIN,
}

_STATE_TONES = {
    FollowingState.LIVE: Tone.GOOD,
    FollowingState.CATCHING_UP: Tone.WAITING,
    FollowingState.PAUSED: Tone.WAITING,
    FollowingState.CONNECTING: Tone.PLAIN,
    FollowingState.FAILING: Tone.BAD,
    FollowingState.UNREACHABLE: Tone.BAD,
    FollowingState.DIVERGED: Tone.BAD,
}


class Appearance:
    """Writes cells in the colours of a theme."""

    def __init__(self, theme_variables: Mapping[str, str]) -> None:
        """
        :param theme_variables: colours by name, as the application's ``theme_variables``.
        """
        self._styles = {
            tone: Style(color=colour) if (colour := theme_variables.get(tone.value)) else Style()
            for tone in Tone
        }

    def style(self, tone: Tone) -> Style:
        """Returns a tone's style."""
        return self._styles[tone]

    def text(self, text: str, tone: Tone = Tone.PLAIN, *, is_dim: bool = False) -> Text:
        """Writes text from anywhere on one line. Nothing in it is taken for markup or control."""
        style = self._styles[tone] if tone is not Tone.PLAIN else Style()
        return Text(
            words.line(text),
            style + Style(dim=True) if is_dim else style,
            no_wrap=True,
            overflow="ellipsis",
            end="",
        )

    def number(self, text: str, *, is_dim: bool = False) -> Text:
        """Writes a number that is already words, right-aligned."""
        number = self.text(text, is_dim=is_dim)
        number.justify = "right"
        return number

    def health(self, health: Health, *, is_dim: bool = False) -> Text:
        """Writes symbol and word of an application's health in its colour."""
        return self.text(f"{health.symbol} {health.word}", _HEALTH_TONES[health], is_dim=is_dim)

    def state(self, state: FollowingState, *, is_dim: bool = False) -> Text:
        """Writes symbol and word of a following's state in its colour."""
        return self.text(f"{state.symbol} {state.word}", _STATE_TONES[state], is_dim=is_dim)


def severity_tone(severity: Severity) -> Tone:
    """Returns the tone in which a problem is told."""
    return Tone.WAITING if severity is Severity.WAITING else Tone.BAD
