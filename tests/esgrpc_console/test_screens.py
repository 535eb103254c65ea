"""Screens, driven by keys, on systems in a state that the test has chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from esgrpc_console.system_view import (
    CallFailed,
    CallResult,
    FollowingError,
    FollowingState,
    MethodView,
    SystemOperations,
    SystemUnreachable,
)
from esgrpc_console.system_view.parameters import JsonValue
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from tests.esgrpc_console.conftest import wait_for
from tests.esgrpc_console.fake_system import (
    NOW,
    ORDER_ID,
    FakeSystem,
    a_following,
    an_application,
    an_event,
    console_on,
    the_example,
)

UNKIND = "[/red] [bold]x[/] \x1b[2J\x07\u202e {curly} $accent 你好"
WIDE, SMALL, TINY = (160, 45), (80, 24), (40, 10)


def screen_text(app: App[Exception]) -> str:
    """Returns what is on the screen, as text."""
    width, height = app.size
    # Textual has no other way to ask for it.
    compositor = app.screen._compositor  # noqa: SLF001
    lines = compositor.render_strips(app.size)
    assert len(lines) == height
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


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_first_line_says_that_all_is_well(size: tuple[int, int]) -> None:
    app = console_on(the_example())
    async with app.run_test(size=size) as pilot:
        shown = await wait_for_text(pilot, "Order.Paid", "localhost:50053")
        first = shown.splitlines()[0]
        assert first.strip().startswith(
            "● all is well: 3 applications, 4 followings, all caught up"
        )


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_first_line_says_what_is_wrong(size: tuple[int, int]) -> None:
    system = the_example()
    error = FollowingError(
        "AssertionError", "already paid", notification_id=8, failing_since=NOW - 130
    )
    following = replace(a_following("Orders", 7, 12, FollowingState.FAILING), last_error=error)
    system.state.put(
        an_application("Payments", 50053, follows=["Orders"], followings=[following], head=4)
    )
    app = console_on(system)
    async with app.run_test(size=size) as pilot:
        shown = await wait_for_text(pilot, "✗ failing")
        first, *others = shown.splitlines()
        assert "✗ Payments has been failing on Orders #8 for 2m 10s: Asse" in first
        assert any("AssertionErr" in line and "✗ failing" in line for line in others)


async def test_stale_rows_say_their_age() -> None:
    system = the_example()
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        system.state.lose("Payments", "connection refused", since=NOW - 12)
        shown = await wait_for_text(
            pilot, "Payments has been unreachable on localhost:50053 for 12s: connection refused"
        )
        assert "○ unreachable 12s" in shown
        assert "● live 12s ago" in shown


async def test_the_log_follows_the_newest_event() -> None:
    system = the_example()
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        system.record("Orders", *(an_event(n) for n in range(13, 1001)))
        shown = await wait_for_text(pilot, "1,000  14:")
        assert "12  14:" not in shown


async def test_the_log_stays_where_the_cursor_is_and_tells_of_what_is_new() -> None:
    system = the_example()
    system.record("Orders", *(an_event(n) for n in range(13, 101)))
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "100  14:")
        await pilot.press("l", "up", "up")
        await wait_for_text(pilot, "‖ not following")
        system.record("Orders", *(an_event(n) for n in range(101, 301)))
        shown = await wait_for_text(pilot, "+200 new (f to follow)")
        assert "300  14:" not in shown
        await pilot.press("f")
        await wait_for_text(pilot, "300  14:", "following the newest")


async def test_the_whole_log_can_be_paged_through() -> None:
    system = the_example()
    system.record("Orders", *(an_event(n) for n in range(13, 451)))
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "450  14:")
        await pilot.press("l", "g")
        await wait_for_text(pilot, " 1  14:", "+250 new")
        seen: set[int] = set()
        while "following the newest" not in (shown := screen_text(app)):
            seen |= {int(line.split()[0]) for line in shown.splitlines() if "  14:0" in line}
            await pilot.press("pagedown")
            await pilot.pause()
    assert seen == set(range(1, 451))


async def test_enter_on_an_event_shows_all_of_it() -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "12  14:")
        await pilot.press("l", "enter")
        await wait_for_text(pilot, "Orders #12", '"originator_version": 1', "version 1")
        await pilot.press("escape")
        await wait_for_text(pilot, "FOLLOWER")


async def test_another_application_is_selected_with_the_arrow_keys() -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("a", "down")
        await wait_for_text(pilot, "Payment.Created")
        await pilot.press("m")
        await wait_for_text(pilot, "no methods are exposed")


async def test_a_command_is_called_with_two_keys_and_its_result_is_shown() -> None:
    system = the_example()
    system.answer = CallResult('"7b1c4f0e-0000-4000-8000-0000000091aa"', 0.0031)
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        shown = await wait_for_text(pilot, "7b1c4f0e-0000-4000-8000-0000000091aa", "✓ 3.1 ms")
        assert "create_new_order() -> UUID" in shown
        assert "Creates an order and returns its ID." in shown
        assert shown.index("COMMANDS") < shown.index("QUERIES")
    assert system.calls == [("Orders", "create_new_order", {})]


async def test_what_was_typed_is_sent_and_errors_are_shown_at_the_field() -> None:
    system = the_example()
    system.answer = CallFailed("no", violations={"order_id": "Input should be a valid UUID"})
    app = console_on(system)
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "down", "enter")
        await pilot.press(*"7b1c", "enter")
        shown = await wait_for_text(pilot, "Input should be a valid UUID", "✗ not called")
        lines = shown.splitlines()
        (field,) = [row for row, line in enumerate(lines) if "order_id  UUID" in line]
        assert "Input should be a valid UUID" in lines[field + 1]
        system.answer = CallResult("true", 0.001)
        await pilot.press(*"4f0e", "enter")
        shown = await wait_for_text(pilot, "✓ 1.0 ms")
        assert "valid UUID" not in shown
    assert [arguments for _, _, arguments in system.calls] == [
        {"order_id": "7b1c"},
        {"order_id": "7b1c4f0e"},
    ]


async def test_an_exception_is_shown_with_class_message_and_traceback() -> None:
    system = the_example()
    system.answer = CallFailed(
        f"already paid {UNKIND}", error_class="AssertionError", traceback="Traceback: line 41"
    )
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        shown = await wait_for_text(pilot, "✗ AssertionError", "Traceback: line 41")
        assert "already paid [/red] [bold]x[/] ␛[2J␇� {curly}" in shown


async def test_a_call_whose_outcome_is_unknown_says_so() -> None:
    system = the_example()
    system.answer = CallFailed("no answer in time", is_outcome_unknown=True)
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        await wait_for_text(pilot, "It may have been carried out all the same.")


async def test_the_outcome_of_each_method_is_kept() -> None:
    system = the_example()
    system.answer = CallResult('"first"', 0.001)
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        await wait_for_text(pilot, '"first"')
        await pilot.press("escape", "down")
        shown = await wait_for_text(pilot, "get_order(order_id: UUID)")
        assert '"first"' not in shown
        await pilot.press("up")
        await wait_for_text(pilot, '"first"')


@pytest.mark.parametrize("size", [WIDE, SMALL, TINY])
async def test_unkind_content_is_shown_and_does_no_harm(size: tuple[int, int]) -> None:
    system = FakeSystem()
    name = f"Shop{UNKIND}"
    parameters = tuple(replace(ORDER_ID, name=f"p{n}") for n in range(30))
    methods = (
        MethodView("label", True, f"({UNKIND})", UNKIND, parameters),
        MethodView("echo", False, "()", UNKIND),
    )
    error = FollowingError("Error", UNKIND * 50, UNKIND, notification_id=2**63, attempts=3)
    following = replace(a_following(name, 10**12, 10**13, FollowingState.FAILING), last_error=error)
    system.state.put(
        an_application(name, 50051, follows=[name], methods=methods, followings=[following])
    )
    topic = f"shop:{UNKIND * 20}"
    system.logs[name] = [
        replace(an_event(n, topic), originator_id=UNKIND * 5, state='{"a": "' + "[/red]" * 200_000)
        for n in range(1, 50)
    ]
    system.record(name, an_event(50, topic))
    app = console_on(system)
    async with app.run_test(size=size) as pilot:
        await wait_for_text(pilot, "Shop")
        for keys in ("l", "enter", "escape", "up", "enter", "escape", "m", "enter", "x", "enter"):
            await pilot.press(keys)
            await pilot.pause()
            shown = screen_text(app)
            assert "\x1b" not in shown
            assert "\x07" not in shown
            assert "\u202e" not in shown
    assert app.return_value is None


async def test_long_results_are_shortened_and_say_so() -> None:
    system = the_example()
    system.answer = CallResult('"' + "x" * 1_000_000 + '"', 0.1)
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "enter", "enter")
        await wait_for_text(pilot, "✓ 100 ms")
        await pilot.press(*["pagedown"] * 20)
        await wait_for_text(pilot, "… the first 20,000 of 1,000,002 characters")


async def test_help_lists_the_keys() -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("question_mark")
        await wait_for_text(pilot, "Everywhere", "quit")
        await pilot.press("question_mark")
        await wait_for_text(pilot, "FOLLOWER")


async def test_panes_are_side_by_side_where_there_is_room_and_one_at_a_time_where_not() -> None:
    app = console_on(the_example())
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "Order.Paid", "COMMANDS")
        await pilot.resize_terminal(*SMALL)
        await wait_for_text(pilot, "Order.Paid", "l log")
        assert "COMMANDS" not in screen_text(app)
        await pilot.press("m")
        await wait_for_text(pilot, "COMMANDS")
        assert "Order.Paid" not in screen_text(app)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_numbers_are_never_cut(size: tuple[int, int]) -> None:
    system = the_example()
    great = 18_446_744_073_709_551_615
    system.state.put(
        an_application(
            "Orders",
            50051,
            head=great,
            follows=["Payments"],
            followings=[a_following("Payments", great, great)],
        )
    )
    app = console_on(system)
    async with app.run_test(size=size) as pilot:
        shown = await wait_for_text(pilot, f"{great:,}")
        for line in shown.splitlines():
            assert "18,446" not in line or f"{great:,}" in line


@pytest.mark.parametrize("keys", ["q", "ctrl+c", "ctrl+q"])
async def test_it_quits(keys: str) -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press(keys)
        await wait_for(lambda: not app.is_running, "it has quit")
    assert app.return_value is None
    assert app.return_code == 0


async def test_q_is_a_letter_in_a_field() -> None:
    app = console_on(the_example())
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "Order.Paid")
        await pilot.press("m", "down", "enter", "q", "l", "question_mark")
        assert app.screen.query_one("Field Input:focus", Input).value == "ql?"


async def test_what_keeps_a_system_from_opening_is_the_result() -> None:
    failure = SystemUnreachable("There is no system")

    async def open_system() -> SystemOperations:
        raise failure

    app = ConsoleApp(SystemToShow("shop:system", open_system))
    async with app.run_test(size=SMALL):
        await wait_for(lambda: not app.is_running, "it has quit")
    assert app.return_value is failure


async def test_the_start_is_told_in_words_with_what_servers_say() -> None:
    app = ConsoleApp(
        SystemToShow(
            "shop:system",
            _never,
            progress=lambda: ("starting 2 servers: A, B …", [f"A: {UNKIND}", "B: hello"]),
        )
    )
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "shop:system", "starting 2 servers: A, B …", "B: hello")
        await pilot.press("q")


async def _never() -> SystemOperations:
    await asyncio.Event().wait()
    raise AssertionError


class SlowSystem(FakeSystem):
    """Answers calls when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def call_method(
        self, application: str, method: str, arguments: Mapping[str, JsonValue]
    ) -> CallResult:
        result = await super().call_method(application, method, arguments)
        await self.may_answer.wait()
        return result


async def test_a_call_under_way_is_not_sent_twice() -> None:
    system = SlowSystem()
    methods = (MethodView("order", True, "()", ""),)
    system.state.put(an_application("Orders", 50051, methods=methods))
    app = console_on(system)
    async with app.run_test(size=WIDE) as pilot:
        await wait_for_text(pilot, "COMMANDS")
        await pilot.press("m", "enter", "enter", "enter", "enter")
        await wait_for_text(pilot, "calling …")
        system.may_answer.set()
        await wait_for_text(pilot, "✓")
    assert len(system.calls) == 1
