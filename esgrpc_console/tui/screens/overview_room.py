"""How many lines each part of the overview gets."""

from __future__ import annotations

from dataclasses import dataclass

_HALF = 2


@dataclass(frozen=True)
class Room:
    """Lines for the parts of the overview, from the top down."""

    applications: int
    applications_gap: int
    followers: int
    followers_gap: int
    drawing: int


def drawing_room(lines: int, applications: int, followers: int) -> int:
    """Returns how many lines are left for a drawing when both tables are shown as a whole."""
    return max(0, lines - applications - followers - 2)


def share_room(lines: int, applications: int, followers: int, drawing: int) -> Room:
    """Returns what each part gets.

    Where the tables don't fit, each gets a half, or less where it needs less; then there is no
    drawing.

    :param lines: that there are.
    :param applications: lines that the table of the applications needs.
    :param followers: lines that the table of the followers needs.
    :param drawing: lines that the drawing needs. 0: there is none.
    """
    left = lines - applications - followers
    if left >= 2:
        # A line of text may stand where there is no drawing.
        return Room(applications, 1, followers, 1 if drawing else 0, left - 1 - bool(drawing))
    if left >= 0:
        return Room(applications, left, followers, 0, 0)
    half = lines // _HALF
    for_followers = min(followers, max(half, lines - applications))
    return Room(max(0, lines - for_followers), 0, for_followers, 0, 0)
