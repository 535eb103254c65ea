"""What states and foreign text look like. Colours come from the theme; none says anything alone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from rich.color import Color as RichColor
from rich.style import Style
from rich.text import Text
from textual.color import Color

from esgrpc_console.system_view import FollowingState, Health, words
from esgrpc_console.system_view.problems import Severity


class Tone(Enum):
    """How good or bad something is. The value is the name of a colour of the theme."""

    GOOD = "text-success"
    WAITING = "text-warning"
    BAD = "text-error"
    ACCENT = "text-accent"
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
    FollowingState.STANDBY: Tone.PLAIN,
}


class Cell(NamedTuple):
    """A few words on one line in one style: quicker to compare and to draw than a ``Text``."""

    text: str
    style: Style


class Appearance:
    """Writes cells in the colours of a theme."""

    def __init__(self, theme_variables: Mapping[str, str]) -> None:
        """
        :param theme_variables: colours by name, as the application's ``theme_variables``.
        """
        self._styles = {
            (tone, is_dim): _style(_colour(theme_variables, tone), is_dim)
            for tone in Tone
            for is_dim in (False, True)
        }
        self._empty = Cell("", _style(None, False))

    @property
    def empty(self) -> Cell:
        """A cell in which there is nothing."""
        return self._empty

    def style(self, tone: Tone, *, is_dim: bool = False) -> Style:
        """Returns a tone's style."""
        return self._styles[tone, is_dim]

    def cell(self, text: str, tone: Tone = Tone.PLAIN, *, is_dim: bool = False) -> Cell:
        """Writes text from anywhere on one line. Nothing in it is taken for control."""
        return Cell(words.line(text), self._styles[tone, is_dim])

    def health_cell(self, health: Health) -> Cell:
        """Writes symbol and word of an application's health in its colour."""
        return Cell(f"{health.symbol} {health.word}", self._styles[_HEALTH_TONES[health], False])

    def state_cell(self, state: FollowingState, *, is_dim: bool = False) -> Cell:
        """Writes symbol and word of a following's state in its colour."""
        return Cell(f"{state.symbol} {state.word}", self._styles[_STATE_TONES[state], is_dim])

    def text(self, text: str, tone: Tone = Tone.PLAIN, *, is_dim: bool = False) -> Text:
        """Writes text from anywhere on one line. Nothing in it is taken for markup or control."""
        return Text(
            words.line(text),
            self._styles[tone, is_dim],
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
        return self.text(f"{health.symbol} {health.word}", health_tone(health), is_dim=is_dim)

    def state(self, state: FollowingState, *, is_dim: bool = False) -> Text:
        """Writes symbol and word of a following's state in its colour."""
        return self.text(f"{state.symbol} {state.word}", state_tone(state), is_dim=is_dim)


def health_tone(health: Health) -> Tone:
    """Returns the tone in which an application's health is told."""
    return _HEALTH_TONES[health]


def state_tone(state: FollowingState) -> Tone:
    """Returns the tone in which a following's state is told."""
    return _STATE_TONES[state]


def severity_tone(severity: Severity) -> Tone:
    """Returns the tone in which a problem is told."""
    return Tone.WAITING if severity is Severity.WAITING else Tone.BAD


def theme_colour(theme_variables: Mapping[str, str], name: str) -> RichColor | None:
    """Returns a colour of a theme, for a style. None: the theme has none of this name."""
    colour = theme_variables.get(name)
    # Textual knows more names of colours than Rich does.
    return Color.parse(colour).rich_color if colour else None


def _colour(theme_variables: Mapping[str, str], tone: Tone) -> RichColor | None:
    # Plain text is left to what it stands on.
    return None if tone is Tone.PLAIN else theme_colour(theme_variables, tone.value)


@lru_cache(maxsize=64)
def _style(colour: RichColor | None, is_dim: bool) -> Style:
    """Returns the one style of its kind, so that most comparisons end before they begin."""
    return Style(color=colour, dim=is_dim or None)
