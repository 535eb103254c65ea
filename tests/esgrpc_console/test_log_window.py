from esgrpc_console.system_view import LogWindow
from esgrpc_console.system_view.log_window import End
from tests.esgrpc_console.fake_system import FakeSystem, an_application, an_event


def _window(ids: range | list[int], max_events: int = 400) -> tuple[FakeSystem, LogWindow]:
    system = FakeSystem()
    system.state.put(an_application("Orders", 50051))
    if ids:
        system.record("Orders", *(an_event(n) for n in ids))
    return system, LogWindow(system, "Orders", max_events=max_events)


def _ids(window: LogWindow) -> list[int]:
    return [event.id for event in window.events]


async def test_an_empty_log_is_an_empty_window() -> None:
    _, window = _window([])
    await window.jump(End.LAST)
    assert _ids(window) == []
    assert window.is_at_first
    assert await window.read_older() == 0
    assert await window.read_newer() == 0


async def test_it_opens_at_the_end_and_reads_back_to_the_first() -> None:
    _, window = _window(range(1, 451), max_events=600)
    await window.jump(End.LAST)
    assert _ids(window) == list(range(251, 451))
    assert await window.read_older() == 200
    assert await window.read_older() == 50
    assert _ids(window) == list(range(1, 451))
    assert await window.read_older() == 0


async def test_it_never_holds_more_than_its_size() -> None:
    _, window = _window(range(1, 2001))
    await window.jump(End.LAST)
    for _ in range(9):
        await window.read_older()
        assert len(window.events) <= 400
    assert _ids(window) == list(range(1, 401))
    assert window.newer == 1600
    await window.read_newer()
    assert _ids(window) == list(range(201, 601))


async def test_it_catches_up_with_what_is_recorded() -> None:
    system, window = _window(range(1, 4))
    await window.jump(End.LAST)
    system.record("Orders", an_event(4), an_event(5))
    window.hear_head(5)
    assert await window.catch_up() == 2
    assert _ids(window) == [1, 2, 3, 4, 5]
    assert await window.catch_up() == 0


async def test_it_jumps_when_it_has_fallen_far_behind() -> None:
    system, window = _window(range(1, 4))
    await window.jump(End.LAST)
    system.record("Orders", *(an_event(n) for n in range(4, 3001)))
    window.hear_head(3000)
    await window.catch_up()
    assert _ids(window) == list(range(2801, 3001))


async def test_gaps_in_the_ids_are_normal() -> None:
    system, window = _window([3, 7, 20])
    await window.jump(End.LAST)
    assert _ids(window) == [3, 7, 20]
    system.record("Orders", an_event(31))
    window.hear_head(31)
    await window.catch_up()
    assert _ids(window) == [3, 7, 20, 31]
    assert window.is_at_first


async def test_it_starts_anew_when_the_log_is_another() -> None:
    system, window = _window(range(1, 10))
    await window.jump(End.LAST)
    system.logs["Orders"] = [an_event(1)]
    window.hear_head(1)
    await window.catch_up()
    assert _ids(window) == [1]


async def test_the_first_events_are_a_jump_away() -> None:
    _, window = _window(range(1, 1001))
    await window.jump(End.LAST)
    await window.jump(End.FIRST)
    assert _ids(window)[0] == 1
    assert window.is_at_first
    assert window.newer == 800
