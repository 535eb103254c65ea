"""Every theme can be chosen on every screen: Textual's own, and those that are safe for colour-blind people."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from esgrpc_console.tui.appearance import Tone
from esgrpc_console.tui.places import (
    AggregatePlace,
    ApplicationPlace,
    EventPlace,
    FollowingPlace,
    Open,
    OutputPlace,
    Place,
    TracePlace,
)
from esgrpc_console.tui.themes import COLOUR_BLIND_SAFE
from tests.esgrpc_console.fake_servers import FakeServers, some_output
from tests.esgrpc_console.fake_system import an_event, console_on
from tests.esgrpc_console.screen_reading import SMALL, screen_text, wait_for_text
from tests.esgrpc_console.tui.followings import a_failing_following, a_system_with
from tests.esgrpc_console.tui.log_screens import place_of_text

THEMES = {**BUILTIN_THEMES, **{theme.name: theme for theme in COLOUR_BLIND_SAFE}}
ALL = [*THEMES]
ODD = ["ansi-dark", "ansi-light", "textual-light", "colour-blind-safe-light"]
"""Those that are least like the usual one. The first ones leave their colours to the terminal."""
_LEAST_CONTRAST = 3.0
"""Of the "Web Content Accessibility Guidelines" 2.1, for what is not only text."""

PLACES: list[tuple[str, Place, str, list[str]]] = [
    ("log", ApplicationPlace("Orders", "log"), "AGGREGATE", ALL),
    ("methods", ApplicationPlace("Orders", "methods"), "QUERIES", ODD),
    ("followings", ApplicationPlace("Orders", "followings"), "LEADER", ODD),
    ("aggregates", ApplicationPlace("Orders", "aggregates"), "LAST EVENT", ODD),
    ("follower", FollowingPlace("Payments", "Orders"), "attempt", ALL),
    ("aggregate", AggregatePlace("Orders", an_event(1).originator_id), "in Orders", ODD),
    ("trace", TracePlace(an_event(1).originator_id), "everything that mentions", ODD),
    ("event", EventPlace("Orders", 1), "esc close", ODD),
    ("output", OutputPlace(), "OUTPUT", ODD),
]


@pytest.mark.parametrize(
    ("place", "shown", "themes"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES]
)
async def test_a_screen_is_shown_in_every_theme(
    place: Place, shown: str, themes: list[str]
) -> None:
    system = a_system_with(a_failing_following())
    system.record("Orders", *(an_event(n) for n in range(1, 40)))
    servers = FakeServers(system)
    some_output(servers.output)
    app = console_on(system, servers=servers)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "FOLLOWER")
        app.screen.post_message(Open(place))
        await wait_for_text(pilot, shown)
        for theme in themes:
            app.theme = theme
            await pilot.pause()
            assert shown in screen_text(app), theme


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_what_is_chosen_is_turned_round_where_colours_are_the_terminal_s(theme: str) -> None:
    app = console_on(a_system_with(a_failing_following()))
    app.theme = theme
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "FOLLOWER", "● serving")
        # The first one is under the cursor.
        assert app.screen.get_style_at(*place_of_text(app, "● serving")).reverse
        app.screen.post_message(Open(ApplicationPlace("Orders", "log")))
        await wait_for_text(pilot, "1 Log", "▸")
        assert app.screen.get_style_at(*place_of_text(app, "1 Log")).reverse
        assert app.screen.get_style_at(*place_of_text(app, "▸")).reverse
        assert not app.screen.get_style_at(*place_of_text(app, "2 Methods")).reverse


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_states_can_be_read_in_every_theme(theme: Theme) -> None:
    variables = theme.to_color_system().generate()
    background = Color.parse(variables["background"])
    for tone in Tone:
        colour = Color.parse(variables[tone.value])
        is_terminals = colour.ansi is not None
        assert is_terminals or _contrast(colour, background) >= _LEAST_CONTRAST, tone


def _contrast(colour: Color, other: Color) -> float:
    """Returns the ratio of two colours' luminances."""
    darker, lighter = sorted((_luminance(colour), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
