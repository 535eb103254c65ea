from datetime import UTC, datetime, timedelta, timezone

import pytest

from esgrpc_console.system_view import words


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1, "0s"),
        (0.9, "0s"),
        (59.9, "59s"),
        (130, "2m 10s"),
        (3 * 3600 + 300, "3h 5m"),
        (187200, "2d 4h"),
    ],
)
def test_durations_have_two_units(seconds: float, expected: str) -> None:
    assert words.duration(seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (0, "0"),
        (0.01, "0.1"),
        (2.25, "2.2"),
        (9.94, "9.9"),
        (9.96, "10"),
        (12345.6, "12,346"),
    ],
)
def test_rates_show_slow_as_more_than_nothing(value: float | None, expected: str) -> None:
    assert words.rate(value) == expected


def test_numbers_have_grouped_thousands() -> None:
    assert words.number(12402) == "12,402"
    assert words.number(None) == "–"


def test_counts_know_one_from_many() -> None:
    assert words.count(1, "event") == "1 event"
    assert words.count(2000, "event") == "2,000 events"


@pytest.mark.parametrize(
    "code", [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x202E, 0x2066, 0x2028, 0xD800, 0xDFFF]
)
def test_no_control_character_reaches_a_line(code: int) -> None:
    shown = words.line(f"a{chr(code)}b")
    assert len(shown) == 3
    assert shown.isprintable()


def test_a_block_keeps_its_line_ends_and_nothing_else_that_controls() -> None:
    assert words.block("a\r\n\tb\x1b[31m\x07") == "a\n    b␛[31m␇"


def test_ordinary_foreign_text_is_left_alone() -> None:
    text = "héllo שלום 你好 🙂 [/red] [bold]"
    assert words.line(text) == text


def test_a_time_that_is_not_known_is_a_dash() -> None:
    assert words.seconds(None) == words.ago(None) == words.clock_time(None) == "–"
    assert words.seconds(0) == "0s"
    assert words.seconds(130) == "2m 10s"
    assert words.ago(130) == "2m 10s ago"


def test_clock_times_are_local_with_milliseconds() -> None:
    moment = datetime(2026, 11, 23, 14, 2, 9, 118_999, tzinfo=timezone(timedelta(hours=5)))
    local = moment.astimezone()
    assert words.clock_time(moment) == f"{local:%H:%M:%S}.118"


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
)
def test_the_first_and_the_last_moment_have_clock_times(moment: datetime) -> None:
    assert len(words.clock_time(moment)) == 12
