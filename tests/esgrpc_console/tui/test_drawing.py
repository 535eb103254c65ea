"""The drawing of a system, as text."""

from __future__ import annotations

from itertools import pairwise
from textwrap import dedent

import pytest
from rich.cells import cell_len

from esgrpc_console.system_view import FollowingState
from esgrpc_console.tui.appearance import Tone
from esgrpc_console.tui.drawing.canvas import draw
from esgrpc_console.tui.drawing.choice import best_drawing
from esgrpc_console.tui.drawing.compact import list_compactly
from esgrpc_console.tui.drawing.figures import figure_of
from esgrpc_console.tui.drawing.layout import lay_out
from esgrpc_console.tui.drawing.model import Arrow, Box, Drawing, SystemFigure
from tests.esgrpc_console.fake_system import a_following, an_application, the_example
from tests.esgrpc_console.screen_reading import UNKIND

PAIRS = (
    ("Orders", "Payments"),
    ("Payments", "Orders"),
    ("Orders", "Reservations"),
    ("Reservations", "Orders"),
)
CHAIN = tuple(pairwise(["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta"]))
STAR = tuple(("Hub", f"Leaf{n}") for n in range(7))
EVERYBODY = tuple((a, b) for a in "ABCDEF" for b in "ABCDEF" if a != b)
SHAPES = {
    "pairs": PAIRS,
    "chain": CHAIN,
    "star": STAR,
    "star of pairs": (*STAR, *((b, a) for a, b in STAR)),
    "sink": tuple((leaf, hub) for hub, leaf in STAR),
    "ring": (*pairwise("ABCDE"), ("E", "A")),
    "diamond": (("A", "B"), ("A", "C"), ("B", "D"), ("C", "D")),
    "everybody": EVERYBODY,
    "itself": (("A", "A"),),
    "two parts": (*PAIRS, ("X", "Y")),
}


def a_figure(*followings: tuple[str, str], alone: tuple[str, ...] = ()) -> SystemFigure:
    """Returns a figure of these leaders and followers."""
    names = sorted({name for ends in followings for name in ends} | set(alone))
    return SystemFigure(
        tuple(Box(name, "●", f"{1000 + len(name):,}") for name in names),
        tuple(Arrow(leader, follower, f"{n:,}") for n, (leader, follower) in enumerate(followings)),
    )


def a_drawing(figure: SystemFigure, width: int, *, is_low: bool = False) -> Drawing:
    """Returns the drawing of a figure that has room on lines of this width."""
    layout = lay_out(figure, width, is_low=is_low)
    assert layout is not None
    return draw(figure, layout, is_low=is_low)


def a_picture(text: str) -> str:
    """Returns a picture without the margin that it has in this file."""
    return dedent(text).strip("\n")


def test_pairs_are_drawn_beside_their_middle() -> None:
    assert a_drawing(a_figure(*PAIRS), 80).text == a_picture("""
        ┌──────────┐           ┌────────────────┐
        │ ● Orders ├────── 0 ─▶│ ● Payments     │
        │    1,006 │◀─ 1 ──────┤          1,008 │
        │          │           └────────────────┘
        │          │           ┌────────────────┐
        │          ├────── 2 ─▶│ ● Reservations │
        │          │◀─ 3 ──────┤          1,012 │
        └──────────┘           └────────────────┘
        """)


def test_a_pair_takes_one_line_where_there_are_few() -> None:
    assert a_drawing(a_figure(*PAIRS), 80, is_low=True).text == a_picture("""
        ┌─────────────────┐                    ┌───────────────────────┐
        │ ● Orders  1,006 │◀─ 1 ────────── 0 ─▶│ ● Payments      1,008 │
        │                 │                    └───────────────────────┘
        │                 │                    ┌───────────────────────┐
        │                 │◀─ 3 ────────── 2 ─▶│ ● Reservations  1,012 │
        └─────────────────┘                    └───────────────────────┘
        """)


def test_a_chain_goes_from_left_to_right() -> None:
    assert a_drawing(a_figure(("A", "B"), ("B", "C")), 60).text == a_picture("""
        ┌───────┐           ┌───────┐           ┌───────┐
        │ ● A   ├────── 0 ─▶│ ● B   ├────── 1 ─▶│ ● C   │
        │ 1,001 │           │ 1,001 │           │ 1,001 │
        └───────┘           └───────┘           └───────┘
        """)


def test_a_chain_that_is_too_long_goes_on_below() -> None:
    assert a_drawing(a_figure(*pairwise("ABCDE")), 62).text == a_picture("""
        ┌───────┐           ┌───────┐           ┌───────┐
        │ ● A   ├────── 0 ─▶│ ● B   ├────── 1 ─▶│ ● C   ├────── 2 ─▶ D
        │ 1,001 │           │ 1,001 │           │ 1,001 │
        └───────┘           └───────┘           └───────┘

        ┌───────┐           ┌───────┐
        │ ● D   ├────── 3 ─▶│ ● E   │
        │ 1,001 │           │ 1,001 │
        └───────┘           └───────┘
        """)


def test_leaders_of_a_sink_are_at_its_left() -> None:
    assert a_drawing(a_figure(("A", "S"), ("B", "S"), ("S", "T")), 60).text == a_picture("""
        ┌───────┐           ┌───────┐           ┌───────┐
        │ ● A   ├────── 0 ─▶│ ● S   ├────── 2 ─▶│ ● T   │
        │ 1,001 │           │ 1,001 │           │ 1,001 │
        └───────┘           │       │           └───────┘
        ┌───────┐           │       │
        │ ● B   ├────── 1 ─▶│       │
        │ 1,001 │           │       │
        └───────┘           └───────┘
        """)


def test_an_arrow_that_would_cross_others_goes_to_a_name() -> None:
    triangle = a_drawing(a_figure(("A", "B"), ("A", "C"), ("B", "C")), 80)
    assert triangle.text == a_picture("""
        ┌───────┐           ┌───────┐
        │ ● A   ├────── 0 ─▶│ ● B   ├────── 2 ─▶ C
        │ 1,001 │           │ 1,001 │
        │       │           └───────┘
        │       │           ┌───────┐
        │       ├────── 1 ─▶│ ● C   │
        │       │           │ 1,001 │
        └───────┘           └───────┘
        """)


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("is_low", [False, True])
@pytest.mark.parametrize("shape", list(SHAPES))
def test_everything_is_drawn_once_and_nothing_overlaps(
    shape: str, is_low: bool, width: int
) -> None:
    figure = a_figure(*SHAPES[shape], alone=("Lonely",))
    layout = lay_out(figure, width, is_low=is_low)
    assert layout is not None
    drawn = [box.name for box in layout.boxes if not box.is_mention]
    assert sorted(drawn) == sorted(box.name for box in figure.boxes)
    arrows = [arrow for link in layout.links for arrow in link.arrows]
    assert sorted(map(str, arrows)) == sorted(map(str, figure.arrows))
    taken: set[tuple[int, int]] = set()
    regions = [(box.x, box.y, box.width, box.height) for box in layout.boxes]
    regions += [(link.x, link.y, link.width, 1) for link in layout.links]
    for left, top, columns, lines in regions:
        cells = {(x, y) for x in range(left, left + columns) for y in range(top, top + lines)}
        assert not cells & taken
        taken |= cells
    drawing = draw(figure, layout, is_low=is_low)
    assert drawing.width <= width
    for line in drawing.lines:
        assert sum(cell_len(span.text) for span in line) == drawing.width
    for arrow in figure.arrows:
        assert f" {arrow.label} " in drawing.text


def test_heads_and_lags_that_grow_move_nothing() -> None:
    system = the_example()
    before = figure_of(system.state, SystemFigure((), ()))
    place = a_drawing(before, 80).targets
    system.state.put(
        an_application(
            "Payments",
            50053,
            follows=["Orders"],
            head=99_999,
            followings=[a_following("Orders", 0, 12)],
        )
    )
    grown = figure_of(system.state, before)
    assert grown != before
    assert a_drawing(grown, 80).targets == place


def test_a_label_that_was_long_keeps_its_room() -> None:
    system = the_example()
    failing = a_following("Orders", 7, 12_402, FollowingState.FAILING)
    application = an_application("Payments", 50053, follows=["Orders"], followings=[failing])
    system.state.put(application)
    wide = figure_of(system.state, SystemFigure((), ()))
    assert "✗ 12,395" in a_drawing(wide, 80).text
    system.state.put(the_example().state.applications["Payments"])
    narrow = figure_of(system.state, wide)
    assert "✗" not in a_drawing(narrow, 80).text
    assert a_drawing(narrow, 80).width == a_drawing(wide, 80).width


def test_what_is_sick_is_marked_in_words_and_colour() -> None:
    system = the_example()
    failing = a_following("Orders", 7, 12, FollowingState.FAILING)
    system.state.put(
        an_application("Payments", 50053, follows=["Orders"], head=4, followings=[failing])
    )
    system.state.lose("Reservations", "connection refused", since=0)
    drawing = a_drawing(figure_of(system.state, SystemFigure((), ())), 80)
    assert "✗ 5" in drawing.text
    assert "○ Reservations" in drawing.text
    spans = [span for line in drawing.lines for span in line]
    assert {span.tone for span in spans if "✗ 5" in span.text} == {Tone.BAD}
    assert {span.tone for span in spans if "Reservations" in span.text} == {Tone.BAD}
    assert {span.tone for span in spans if "Orders" in span.text} == {Tone.PLAIN}


def test_boxes_and_arrows_are_found_where_they_are() -> None:
    drawing = a_drawing(a_figure(*PAIRS), 80)
    lines = drawing.text.splitlines()
    box = drawing.target_at(lines[1].index("Payments"), 1)
    assert box is not None
    assert (box.application, box.leader) == ("Payments", "")
    arrow = drawing.target_at(lines[2].index("1 ─"), 2)
    assert arrow is not None
    assert (arrow.application, arrow.leader) == ("Orders", "Payments")
    assert drawing.target_at(14, 0) is None


def test_two_arrows_on_one_line_are_found_at_their_ends() -> None:
    drawing = a_drawing(a_figure(*PAIRS), 80, is_low=True)
    line = drawing.text.splitlines()[1]
    left, right = drawing.target_at(line.index("◀"), 1), drawing.target_at(line.index("▶"), 1)
    assert left is not None
    assert right is not None
    assert (left.application, left.leader) == ("Orders", "Payments")
    assert (right.application, right.leader) == ("Payments", "Orders")


def test_few_lines_list_who_follows_whom() -> None:
    drawing = list_compactly(a_figure(*PAIRS), 80)
    assert drawing.text == a_picture("""
        Orders → Payments 0, Reservations 2
        Payments → Orders 1
        Reservations → Orders 3
        """)
    target = drawing.target_at(drawing.text.index("Reservations"), 0)
    assert target is not None
    assert (target.application, target.leader) == ("Reservations", "Orders")


def test_lists_go_on_below_where_a_line_is_too_short() -> None:
    drawing = list_compactly(a_figure(*STAR), 30)
    assert drawing.width <= 30
    assert drawing.text.splitlines()[1].startswith("   Leaf")
    assert all(f"Leaf{n} {n}" in drawing.text for n in range(7))


def test_the_best_drawing_is_that_which_there_is_room_for() -> None:
    figure = a_figure(*PAIRS)
    heights = [
        drawing.height if (drawing := best_drawing(figure, 80, lines)) else 0
        for lines in (20, 8, 7, 6, 5, 3, 2, 0)
    ]
    assert heights == [8, 8, 6, 6, 3, 3, 0, 0]
    assert best_drawing(figure, 10, 40) is None
    assert best_drawing(SystemFigure((), ()), 80, 40) is None


def test_many_applications_are_listed_in_lines() -> None:
    drawing = best_drawing(a_figure(*(("Hub", f"Leaf{n:02}") for n in range(49))), 160, 400)
    assert drawing is not None
    assert "┌" not in drawing.text
    assert drawing.height < 10


@pytest.mark.parametrize("is_low", [False, True])
def test_unkind_names_stay_in_their_boxes(is_low: bool) -> None:
    names = (
        f"Shop{UNKIND}",
        "你好你好你好你好你好你好你好你好",
        "e\u0301tat",
        "👩‍👩‍👧",
        "x" * 100,
    )
    figure = a_figure(*((names[0], name) for name in names[1:]))
    drawing = a_drawing(figure, 160, is_low=is_low)
    for line in drawing.lines:
        text = "".join(span.text for span in line)
        assert not set(text) & {"\x1b", "\x07", "\u202e"}
        assert cell_len(text) == drawing.width
