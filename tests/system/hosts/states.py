"""What the console is to tell of the example system, and in what time."""

from __future__ import annotations

TOLD_WITHIN = 5.0
"""Seconds in which the console tells that something is wrong."""
LIVE_WITHIN = 5.0
"""Seconds in which everything is live again when nothing is wrong any more."""
ALL_LIVE = {
    **dict.fromkeys(("Orders", "Payments", "Reservations"), "serving"),
    "Orders <- Payments": "live",
    "Orders <- Reservations": "live",
    "Payments <- Orders": "live",
    "Reservations <- Orders": "live",
}
