"""Actions of the place "Methods"."""

from __future__ import annotations

from esgrpc_console.tui.action_lists.action_info import ActionInfo

PLACE = "Methods"
ARGUMENTS = "Arguments of a method"

ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo(
        "methods.call",
        "ctrl+enter,ctrl+j,f5",
        "call",
        "call the method with the arguments that have been written",
        PLACE,
        key_display="f5",
    ),
    ActionInfo(
        "methods.leave",
        "escape",
        "cancel, back",
        "give up the call that is under way, or go back to the list of methods",
        PLACE,
        is_shown=False,
    ),
    ActionInfo("methods.history", "ctrl+r", "history", "search the calls that were made", PLACE),
    ActionInfo("methods.repeat", "n", "repeat", "call the method many times", PLACE),
    ActionInfo("methods.filter", "slash", "filter", "show only methods that have a text", PLACE),
    ActionInfo(
        "methods.form",
        "F",
        "form",
        "write the arguments in a form",
        PLACE,
        is_shown=False,
    ),
    ActionInfo("methods.json", "J", "JSON", "write the arguments as JSON", PLACE, is_shown=False),
    ActionInfo(
        "methods.other-tab",
        "f9",
        "form or JSON",
        "go to and fro between form and JSON, also while something is typed",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "methods.empty",
        "E",
        "empty",
        "forget the arguments that have been written",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "methods.tree",
        "v",
        "tree or text",
        "show the result as a tree or as text, or an error with its traceback or without",
        PLACE,
        is_shown=False,
    ),
    ActionInfo("methods.copy", "y", "copy result", "copy all of the result", PLACE, is_shown=False),
    ActionInfo(
        "methods.copy-command",
        "Y",
        "copy as command",
        "copy the command line that makes the same call",
        PLACE,
    ),
    ActionInfo(
        "methods.trace-value",
        "t",
        "trace",
        "find everything that mentions this part of the result",
        PLACE,
        is_shown=False,
    ),
    ActionInfo(
        "methods.absent",
        "ctrl+o",
        "default, None",
        "leave the argument out, or give None, or give a value",
        ARGUMENTS,
        is_shown=False,
    ),
    ActionInfo(
        "methods.seen-ids",
        "f4,ctrl+l",
        "IDs",
        "choose among the IDs that were seen lately",
        ARGUMENTS,
        is_shown=False,
    ),
    ActionInfo(
        "methods.now",
        "ctrl+t",
        "now",
        "write the time that it is now",
        ARGUMENTS,
        is_shown=False,
    ),
    ActionInfo(
        "methods.lines",
        "f3",
        "more lines",
        "write a text of several lines",
        ARGUMENTS,
        is_shown=False,
    ),
    ActionInfo(
        "methods.add-item",
        "ctrl+n",
        "add item",
        "add an item to the list",
        ARGUMENTS,
        is_shown=False,
    ),
    ActionInfo(
        "methods.remove-item",
        "f8",
        "remove item",
        "remove this item from the list",
        ARGUMENTS,
        is_shown=False,
    ),
)
