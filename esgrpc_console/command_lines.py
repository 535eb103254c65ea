"""Command lines that fetch or do again what a screen shows, quoted for a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from esgrpc_console.system_view.parameters import JsonValue, Parameter, argument_from_text

_PROGRAM = "esgrpc-console"


@dataclass(frozen=True)
class Target:
    """How command lines name a system."""

    arguments: tuple[str, ...]
    """An address or ``@context``, and the options that it takes to connect."""


NO_TARGET = Target(("ADDRESS",))
"""Stands where nobody has said how the system is named."""


class ControlAction(StrEnum):
    """What can be done to a following. The values are names of commands."""

    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    SKIP = "skip"


def status_command(target: Target) -> str:
    """Returns the command line that tells how the system is."""
    return _command_line("status", target)


def log_command(target: Target, application: str, notification_id: int) -> str:
    """Returns the command line that fetches one event of an application's log."""
    after = str(notification_id - 1)
    return _command_line("log", target, [application], ["--after", after, "--limit", "1"])


def aggregate_command(
    target: Target, application: str, originator_id: str, version: int | None = None
) -> str:
    """Returns the command line that fetches the state of an aggregate.

    :param version: by default the newest.
    """
    options = [] if version is None else ["--version", str(version)]
    return _command_line("aggregate", target, [application, originator_id], options)


def trace_command(target: Target, text: str) -> str:
    """Returns the command line that finds every event that mentions a text."""
    return _command_line("trace", target, [text])


def call_command(
    target: Target,
    application: str,
    method: str,
    arguments: Mapping[str, JsonValue],
    parameters: Sequence[Parameter] = (),
) -> str:
    """Returns the command line that calls a method again.

    :param parameters: of the method. Arguments that can be written as ``name=value`` are; without
        that, or for others, all are written as JSON.
    """
    called = f"{application}.{method}"
    by_name = {parameter.name: parameter for parameter in parameters}
    words: list[str] = []
    for name, value in arguments.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        parameter = by_name.get(name)
        is_plain = parameter is not None and argument_from_word(parameter, text) == value
        if not is_plain or not text.isprintable():
            as_json = json.dumps(dict(arguments))
            return _command_line("call", target, [called], ["--json-args", as_json])
        words.append(f"{name}={text}")
    return _command_line("call", target, [called, *words])


def argument_from_word(parameter: Parameter, text: str) -> JsonValue:
    """Returns the argument that ``name=text`` stands for: nothing behind the sign is empty text."""
    try:
        return argument_from_text(parameter, text)[1] if text else ""
    except RecursionError:
        # So deep a value is for the server to refuse.
        return text


def control_command(
    target: Target,
    action: ControlAction,
    follower: str,
    leader: str,
    *,
    reason: str,
    notification_id: int | None = None,
) -> str:
    """Returns the command line that pauses, resumes, retries or skips.

    :param notification_id: of the event to skip, and only for that.
    """
    event = [] if notification_id is None else [str(notification_id)]
    return _command_line(action.value, target, [follower, leader, *event], ["--reason", reason])


def _command_line(
    command: str, target: Target, words: Sequence[str] = (), own_options: Sequence[str] = ()
) -> str:
    system, *options = target.arguments
    if any(word.startswith("-") for word in words):
        # Behind "--", what begins with a dash is no option.
        return shlex.join([_PROGRAM, command, *options, *own_options, "--", system, *words])
    return shlex.join([_PROGRAM, command, system, *words, *own_options, *options])
