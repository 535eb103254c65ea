"""How calls that were made are written, in lines and lists."""

from __future__ import annotations

from esgrpc_console.call_history import Outcome, PastCall
from esgrpc_console.system_view import words
from esgrpc_console.system_view.json_values import JsonObject, JsonValue, quoted

_MAX_ARGUMENT = 14
_MAX_ARGUMENTS = 40
_MAX_NAMED = 120
_MAX_TEXT = 40


def past_call_words(call: PastCall) -> str:
    """Returns a call on one line: ``14:01:58 get_order(7b1c…) ✓ 2.9 ms``."""
    what = f"{words.line(call.method)}{times_words(call)}({_values(call)})"
    return f"{call.at.astimezone():%H:%M:%S} {what} {call.outcome.symbol} {outcome_words(call)}"


def times_words(call: PastCall) -> str:
    """Returns how often a method was called, where that was more than once."""
    return f" ×{words.number(call.times)}" if call.times > 1 else ""


def outcome_words(call: PastCall) -> str:
    """Returns what a call brought, or how long it took, in a few words."""
    if call.outcome is Outcome.RETURNED and call.times == 1:
        return words.milliseconds(call.seconds)
    return _cut(words.line(call.text), _MAX_TEXT)


def named_arguments(arguments: JsonObject | None) -> str:
    """Returns arguments with their names, shortened."""
    if arguments is None:
        return "…"
    told = ", ".join(
        f"{name}={_cut(_text(value), _MAX_TEXT)}" for name, value in list(arguments.items())[:20]
    )
    return _cut(words.line(told), _MAX_NAMED)


def _values(call: PastCall) -> str:
    if call.arguments is None:
        return "…"
    told: list[str] = []
    room = _MAX_ARGUMENTS
    for value in call.arguments.values():
        text = words.line(_text(value)[: _MAX_ARGUMENT + 1])
        short = text if len(text) <= _MAX_ARGUMENT else f"{text[:4]}…"
        room -= len(short) + 2
        if room < 0:
            told.append("…")
            break
        told.append(short)
    return ", ".join(told)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else quoted(value)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
