"""Pictures of the screen that shows what servers write."""

from __future__ import annotations

from textual.pilot import Pilot

from esgrpc_console.system_view.views import STOPPED_BY_YOU
from tests.esgrpc_console.fake_servers import FakeServers, some_output
from tests.esgrpc_console.fake_system import NOW, FakeSystem, console_on, the_example
from tests.esgrpc_console.screen_reading import wait_for_text
from tests.esgrpc_console.tui.snapshots import SIZES, Compare


def compare(
    snap_compare: Compare,
    size: tuple[int, int],
    *keys: str,
    text: str,
    system: FakeSystem | None = None,
) -> bool:
    """Compares the screen, when keys have been pressed and a text is there."""
    system = system or the_example()
    servers = FakeServers(system)
    some_output(servers.output)

    async def run_before(pilot: Pilot[Exception]) -> None:
        await wait_for_text(pilot, "FOLLOWER")
        await pilot.press("O")
        await wait_for_text(pilot, "OUTPUT")
        await pilot.press(*keys)
        await wait_for_text(pilot, text)
        await pilot.pause()

    return snap_compare(
        console_on(system, servers=servers), terminal_size=size, run_before=run_before
    )


@SIZES
def test_output_of_all(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, text="line 11 of 11")


@SIZES
def test_a_search_in_the_output_of_one(snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = ["left_square_bracket", "slash", *"paid", "enter", "n"]
    assert compare(snap_compare, size, *keys, text="/paid: 2 of 3")


@SIZES
def test_a_stopped_server(snap_compare: Compare, size: tuple[int, int]) -> None:
    system = the_example()
    system.state.lose("Payments", "connection refused", since=NOW - 3)
    system.state.set_ending("Payments", STOPPED_BY_YOU)
    assert compare(snap_compare, size, "w", text="○ stopped by you", system=system)


@SIZES
def test_a_record(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, "up", "up", "enter", text="Payments, 5 lines")


@SIZES
def test_a_restart_is_confirmed(snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = ["left_square_bracket", "R"]
    assert compare(snap_compare, size, *keys, text="Restart the server of Payments?")


@SIZES
def test_a_server_is_chosen(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, "s", text="Show the output of")
