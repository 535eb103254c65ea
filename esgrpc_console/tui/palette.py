"""The command palette: all that can be done here, and all places that one can go to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from textual.binding import ActiveBinding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList

from esgrpc_console.system_view import words
from esgrpc_console.tui.actions import ACTIONS_BY_ID
from esgrpc_console.tui.places import (
    ApplicationPlace,
    FollowingPlace,
    Open,
    OutputPlace,
    Place,
    Tab,
)
from esgrpc_console.tui.screens.live_screen import LiveScreen

_TABS: tuple[Tab, ...] = ("log", "methods", "followings", "aggregates")


@dataclass(frozen=True)
class _Command:
    name: str
    help: str
    run: Callable[[], object]


class Palette(CommandPalette):
    """Searches for something to do, or to have."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaves out moves where no line is shown yet: Textual would look for the first."""
        if action != "command_list":
            return True
        return any(commands.scrollable_content_region for commands in self.query(OptionList))


class ConsoleCommands(Provider):
    """What can be done on the screen under the palette, as the keys do it, and where one can go."""

    async def discover(self) -> Hits:
        """All commands, as long as nothing has been typed."""
        for command in self._commands():
            yield DiscoveryHit(
                Content(command.name), command.run, text=command.name, help=command.help
            )

    async def search(self, query: str) -> Hits:
        """The commands that match what was typed, letter by letter."""
        matcher = self.matcher(query)
        for command in self._commands():
            score = max(matcher.match(command.name) * 2, matcher.match(command.help))
            if score > 0:
                yield Hit(score, matcher.highlight(command.name), command.run, help=command.help)

    def _commands(self) -> Iterator[_Command]:
        yield from self._actions()
        yield from self._places()

    def _actions(self) -> Iterator[_Command]:
        found: dict[str, ActiveBinding] = {}
        for active in self.screen.active_bindings.values():
            action_id = active.binding.id or ""
            if active.enabled and action_id in ACTIONS_BY_ID:
                found.setdefault(action_id, active)
        # How to move is not what is searched for: what the footer tells comes first.
        for active in sorted(found.values(), key=lambda active: not active.binding.show):
            info = ACTIONS_BY_ID[active.binding.id or ""]
            run = partial(self.app.run_action, active.binding.action, active.node)
            key = self.app.get_key_display(active.binding)
            yield _Command(f"{info.label}  {key}", info.help, run)

    def _places(self) -> Iterator[_Command]:
        screen: Screen[object] = self.screen
        if not isinstance(screen, LiveScreen):
            return
        state = screen.session.operations.state
        for name in state.applications:
            for tab in _TABS:
                yield self._go(f"{name}: {tab}", ApplicationPlace(name, tab))
        for following in state.followings:
            place = FollowingPlace(following.follower, following.leader)
            yield self._go(f"{following.follower} ← {following.leader}", place)
        if screen.session.servers is not None:
            yield self._go("output of the servers", OutputPlace())

    def _go(self, name: str, place: Place) -> _Command:
        def go() -> None:
            self.screen.post_message(Open(place))

        return _Command(f"go to {words.line(name)}", "", go)
