"""What tests need that compare a screen with a picture that is kept."""

from __future__ import annotations

from typing import Protocol

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])


class Compare(Protocol):
    """Compares what is on the screen with the picture that is kept."""

    def __call__(
        self, app: App[Exception], *, terminal_size: tuple[int, int], run_before: object
    ) -> bool: ...


def stop_blinking(pilot: Pilot[Exception]) -> None:
    """Lets the cursor of fields stand still."""
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
