"""The line that tells keys."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.screen import Screen

from esgrpc_console.tui.places import ApplicationPlace
from esgrpc_console.tui.widgets.key_line import KeyLine
from tests.esgrpc_console.fake_system import the_example
from tests.esgrpc_console.screen_reading import screen_text, wait_for_text
from tests.esgrpc_console.tui.log_screens import opened


class KeysScreen(Screen[None], inherit_bindings=False):
    """Can do some things."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "first", "first"),
        Binding("slash", "second", "second"),
        Binding("ctrl+r", "third", "third"),
        Binding("x", "hidden", "hidden", show=False),
        Binding("f5", "forbidden", "forbidden"),
        Binding("question_mark", "help", "help", id="app.help"),
        Binding("z", "last", "last"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.is_first_possible = True

    def compose(self) -> ComposeResult:
        """The line alone."""
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Forbids one of them."""
        if action == "first":
            return self.is_first_possible
        return None if action == "forbidden" else True

    def action_first(self) -> None:
        """Notes that it was done."""
        self.done.append("first")

    def action_third(self) -> None:
        """Notes that it was done."""
        self.done.append("third")

    def action_forbidden(self) -> None:
        """Notes that it was done."""
        self.done.append("forbidden")


class KeysApp(App[Exception]):
    """Shows the screen."""

    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = False

    def on_mount(self) -> None:
        """Shows the screen."""
        self.push_screen(KeysScreen())


def line_of(pilot: Pilot[Exception]) -> str:
    """Returns the last line."""
    return screen_text(pilot.app).splitlines()[-1]


async def test_it_tells_what_can_be_done_and_always_how_to_find_the_rest() -> None:
    for width, told in (
        (80, " a first  / second  ^r third  f5 forbidden  ? help  z last"),
        (40, " a first  / second  ^r third  ? help"),
        (20, " a first  ? help"),
        (8, " ? help"),
    ):
        async with KeysApp().run_test(size=(width, 10)) as pilot:
            await wait_for_text(pilot, "? help")
            assert line_of(pilot).startswith(told)


async def test_what_can_be_done_may_change() -> None:
    async with KeysApp().run_test(size=(80, 10)) as pilot:
        await wait_for_text(pilot, "a first")
        screen = pilot.app.screen
        assert isinstance(screen, KeysScreen)
        screen.is_first_possible = False
        screen.refresh_bindings()
        await pilot.pause()
        await wait_for_text(pilot, " / second")
        assert "a first" not in line_of(pilot)


async def test_a_click_does_what_a_key_does() -> None:
    async with KeysApp().run_test(size=(80, 10)) as pilot:
        await wait_for_text(pilot, "a first")
        screen = pilot.app.screen
        assert isinstance(screen, KeysScreen)
        for word in ("third", "forbidden"):
            await pilot.click(KeyLine, offset=(line_of(pilot).index(word), 0))
            await pilot.pause()
        assert screen.done == ["third"]


async def test_where_a_key_does_something_else_another_one_is_told() -> None:
    async with opened(the_example(), ApplicationPlace("Orders"), (160, 24)) as pilot:
        await wait_for_text(pilot, "12  14:", ": ID", "^p command")
        await pilot.press("3")
        await wait_for_text(pilot, ": command")
