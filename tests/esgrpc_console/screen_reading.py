"""Reads the screen of a console that a test drives."""

from __future__ import annotations

import pytest
from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot

from tests.esgrpc_console.conftest import wait_for

UNKIND = "[/red] [bold]x[/] \x1b[2J\x07\u202e {curly} $accent 你好"
WIDE, SMALL, TINY = (160, 45), (80, 24), (40, 10)


def screen_text(app: App[Exception]) -> str:
    """Returns what is on the screen, as text."""
    width, _ = app.size
    # Textual has no other way to ask for it. It must know what shines through a modal screen,
    # because it keeps what it has drawn.
    visible_screen_stack.set(app._background_screens)  # noqa: SLF001
    compositor = app.screen._compositor  # noqa: SLF001
    lines = compositor.render_strips(app.size)
    return "\n".join(line.text[:width].rstrip() for line in lines)


async def wait_for_text(pilot: Pilot[Exception], *texts: str) -> str:
    """Waits until all of these are on the screen, and returns what is."""

    def is_there() -> bool:
        shown = screen_text(pilot.app)
        return all(text in shown for text in texts)

    try:
        await wait_for(is_there, f"{texts} on the screen", timeout=5)
    except AssertionError as e:
        pytest.fail(f"{e}\n{screen_text(pilot.app)}")
    return screen_text(pilot.app)
