"""Actions that are there on every screen."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Everywhere"

ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo("app.back", "escape", "back", "go back to where you came from", PLACE),
    ActionInfo(
        "app.overview",
        "o",
        "overview",
        "go to the overview of the system",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "app.problem",
        "exclamation_mark",
        "problem",
        "go to the cause of what the first line says is wrong",
        PLACE,
        is_shown=False,
        key_display="!",
    ),
    ActionInfo(
        "app.trace",
        "t",
        "trace",
        "find everything that mentions an ID or a text, in all applications",
        PLACE,
    ),
    ActionInfo(
        "app.output",
        "O",
        "output",
        "show what the servers write, which this console has started",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "app.commands",
        "ctrl+p,colon",
        "command",
        "search for what can be done here, and do it",
        PLACE,
        key_display=":",
    ),
    ActionInfo("app.help", "question_mark,f1", "help", "tell the keys", PLACE, key_display="?"),
    ActionInfo(
        "app.next-part",
        "tab",
        "next",
        "go to the next part of the screen",
        PLACE,
        action="app.focus_next",
        is_shown=False,
    ),
    ActionInfo(
        "app.previous-part",
        "shift+tab",
        "previous",
        "go to the previous part of the screen",
        PLACE,
        action="app.focus_previous",
        is_shown=False,
    ),
    ActionInfo(
        "app.theme",
        "f2",
        "theme",
        "choose the colours, among them some that are safe for colour-blind people",
        PLACE,
        action="choose_theme",
        is_shown=False,
    ),
    ActionInfo(
        "app.picture",
        "f12,ctrl+s",
        "picture",
        "save a picture of the screen, as SVG",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "app.interrupt",
        "ctrl+c",
        "copy or quit",
        "copy what is selected with the mouse, or quit where nothing is",
        PLACE,
        is_shown=False,
        is_priority=True,
    ),
    ActionInfo("app.quit", "q", "quit", "quit, and stop the servers that were started", PLACE),
    ActionInfo(
        "app.quit-at-once",
        "ctrl+q",
        "quit",
        "quit, also while something is typed",
        PLACE,
        action="app.quit",
        is_shown=False,
        is_priority=True,
    ),
)
