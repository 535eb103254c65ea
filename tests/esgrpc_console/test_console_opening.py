"""What is made sure of before the console is opened."""

from __future__ import annotations

import os
import sys

import pytest

from esgrpc_console.configuration import Configuration
from esgrpc_console.console_opening import check_console


@pytest.mark.parametrize(("chosen", "expected"), [(None, "120"), ("30", "30")])
def test_frames_follow_each_other_quickly_unless_another_pace_is_chosen(
    chosen: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    # Also so that it is taken back.
    monkeypatch.setenv("TEXTUAL_FPS", chosen or "")
    if chosen is None:
        monkeypatch.delenv("TEXTUAL_FPS")
    check_console(Configuration(), otherwise="status")
    assert os.environ["TEXTUAL_FPS"] == expected
