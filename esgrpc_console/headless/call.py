"""What ``esgrpc-console call`` does: calls a method, and writes what it returns."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.command_lines import argument_from_word
from esgrpc_console.headless.access import refuse_changes
from esgrpc_console.headless.names import find_name
from esgrpc_console.headless.output import Output
from esgrpc_console.headless.running import describe, find_application, open_view, run
from esgrpc_console.headless.shapes import value_of
from esgrpc_console.outcome import FAILURE, NO, SUCCESS, CommandFailed
from esgrpc_console.system_view import CallFailed
from esgrpc_console.system_view.json_values import JsonObject, JsonProblem, read_json
from esgrpc_console.system_view.parameters import Parameter
from esgrpc_console.system_view.views import MethodView

_NOT_ALLOWED = "PermissionDeniedError"
"""What a server refuses a call with that its caller may not make."""
_OUTCOME_UNKNOWN = " (it may have been carried out all the same)"


@dataclass(frozen=True)
class CallRequest:
    """What is to be called."""

    method: str
    """As ``Orders.get_order``."""
    words: tuple[str, ...] = ()
    """Arguments, each as ``name=value``."""
    json_arguments: str | None = None
    """Arguments as a JSON object. ``-``: it is read from standard input."""


def call_method(system: ChosenSystem, request: CallRequest, *, is_json: bool) -> int:
    """Calls a method, writes its result, and returns the exit status.

    :raises CommandFailed: when there is no such method, or no connection.
    """
    output = Output(is_json=is_json)
    application, dot, method_name = request.method.partition(".")
    if not application or not dot or not method_name:
        msg = f"{request.method!r} must name an application and a method, as in Orders.get_order"
        raise CommandFailed(msg)
    given = _read_json_arguments(request.json_arguments)

    async def call() -> int:
        async with open_view(system) as view:
            name = find_application(view, application)
            methods = {method.name: method for method in (await describe(view, name)).methods}
            method = methods[find_name(method_name, methods, "method", name)]
            if method.is_command:
                refuse_changes(system, f"{name}.{method.name} is a command")
            arguments = {**given, **_arguments_from_words(method, request.words)}
            try:
                result = await view.call_method(name, method.name, arguments)
            except CallFailed as e:
                return _tell_failure(e, f"{name}.{method.name}", output)
            except asyncio.CancelledError:
                if method.is_command:
                    _tell_interruption(f"{name}.{method.name}", output)
                raise
        if is_json:
            output.write_json(value_of(result.result))
        else:
            output.write_value(value_of(result.result))
        return SUCCESS

    return run(call, output)


def _read_json_arguments(text: str | None) -> JsonObject:
    if text is None:
        return {}
    if text == "-" and sys.stdin is None:
        msg = "standard input, where --json-args - reads, is closed"
        raise CommandFailed(msg)
    try:
        arguments = read_json(sys.stdin.read() if text == "-" else text)
    except JsonProblem as e:
        msg = f"--json-args is not JSON: {e}"
        raise CommandFailed(msg) from e
    except UnicodeDecodeError as e:
        msg = "standard input is not text in UTF-8"
        raise CommandFailed(msg) from e
    if not isinstance(arguments, dict):
        msg = '--json-args must be a JSON object, such as {"order_id": "7b1c"}'
        raise CommandFailed(msg)
    return arguments


def _arguments_from_words(method: MethodView, given: Sequence[str]) -> JsonObject:
    parameters = {parameter.name: parameter for parameter in method.parameters}
    arguments: JsonObject = {}
    for word in given:
        name, sign, text = word.partition("=")
        if not sign or not name:
            msg = f"{word!r} must be an argument as name=value"
            raise CommandFailed(msg)
        if name in arguments:
            msg = f"{name} is given twice"
            raise CommandFailed(msg)
        # One that the method does not have is for the server to refuse.
        arguments[name] = argument_from_word(parameters.get(name, Parameter(name)), text)
    return arguments


def _tell_interruption(called: str, output: Output) -> None:
    message = "interrupted before the server answered"
    if output.is_json:
        output.complain_in_json({"message": message, "is_outcome_unknown": True})
    else:
        output.complain(f"{called}: {message}{_OUTCOME_UNKNOWN}")


def _tell_failure(error: CallFailed, called: str, output: Output) -> int:
    status = NO if error.error_class or error.refusal == _NOT_ALLOWED else FAILURE
    if output.is_json:
        output.complain_in_json(
            {
                "error_class": error.error_class or error.refusal,
                "message": error.message,
                "violations": dict(error.violations),
                "is_outcome_unknown": error.is_outcome_unknown,
                "traceback": error.traceback,
            }
        )
        return status
    if error.violations:
        for field, what in error.violations.items():
            output.complain(f"{called}: {field}: {what}" if field else f"{called}: {what}")
    elif error.error_class:
        output.complain_plainly(f"{error.error_class}: {error.message}".removesuffix(": "))
    elif error.refusal:
        output.complain(error.message)
    else:
        unknown = _OUTCOME_UNKNOWN if error.is_outcome_unknown else ""
        output.complain(f"{called}: {error.message}{unknown}")
    return status
