"""Lines to read, select and search."""

from __future__ import annotations

from textual.app import App, ComposeResult

from esgrpc_console.tui.json_text import Kind, Line, json_lines
from esgrpc_console.tui.widgets.styled_lines import StyledLines
from tests.esgrpc_console.screen_reading import screen_text, wait_for_text
from tests.esgrpc_console.tui.log_screens import place_of_text


class LinesApp(App[Exception]):
    """Shows lines."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        """The lines."""
        yield StyledLines()


async def test_long_lines_are_whole_again_when_they_are_copied() -> None:
    async with LinesApp().run_test(size=(40, 12)) as pilot:
        lines = pilot.app.query_one(StyledLines)
        lines.show(json_lines('{"text": "' + "abcdefghij" * 8 + '", "end": 1}'))
        await wait_for_text(pilot, '"end": 1')
        start, end = place_of_text(pilot.app, '"text"'), place_of_text(pilot.app, '"end": 1')
        await pilot.mouse_down(offset=start)
        await pilot.hover(offset=end)
        await pilot.mouse_up(offset=end)
        selected = (pilot.app.screen.get_selected_text() or "").splitlines()
        assert selected[0] == '"text": "' + "abcdefghij" * 8 + '",'
        assert selected[1].startswith('  "')


async def test_lines_are_broken_anew_when_there_is_more_room() -> None:
    async with LinesApp().run_test(size=(40, 12)) as pilot:
        lines = pilot.app.query_one(StyledLines)
        lines.show([Line([("abcdefghij " * 5, Kind.PLAIN)])])
        await wait_for_text(pilot, "abcdefghij")
        assert "abcdefghij " * 5 not in screen_text(pilot.app) + " "
        await pilot.resize_terminal(100, 12)
        await wait_for_text(pilot, ("abcdefghij " * 5).strip())


async def test_other_lines_begin_at_the_first_unless_the_place_is_kept() -> None:
    numbered = [Line([(f"line {n}", Kind.PLAIN)]) for n in range(100)]
    async with LinesApp().run_test(size=(40, 12)) as pilot:
        lines = pilot.app.query_one(StyledLines)
        lines.show(numbered)
        lines.focus()
        await pilot.pause()
        await pilot.press("end")
        await wait_for_text(pilot, "line 99")
        lines.show(numbered, keeps_place=True)
        await wait_for_text(pilot, "line 99")
        lines.show(numbered)
        await wait_for_text(pilot, "line 0")
