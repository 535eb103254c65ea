"""The commands that change something: they are refused where a system is only to be looked at."""

from __future__ import annotations

import click

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.cli.completers import (
    complete_argument,
    complete_follower,
    complete_leader,
    complete_method,
)
from esgrpc_console.cli.numbers import whole_number
from esgrpc_console.cli.system_options import (
    Command,
    SystemCommand,
    json_option,
    takes_system,
)

_reason_option = click.option(
    "--reason", metavar="TEXT", required=True, help="Why. It is written into the server's log."
)


def _following_command(function: Command) -> Command:
    for decorate in (
        json_option,
        click.argument("leader", shell_complete=complete_leader),
        click.argument("follower", shell_complete=complete_follower),
        takes_system(has_access=True),
    ):
        function = decorate(function)
    return function


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console call localhost:50051 Orders.create_new_order
  esgrpc-console call localhost:50051 Orders.get_order order_id=7b1c4f0e-0000-4000-8000-0000000091aa
  esgrpc-console call @staging Shop.add_item --json-args '{"price": "1.10", "tags": ["new"]}'
  generate-arguments | esgrpc-console call @staging Shop.add_item --json-args -
""",
)
@takes_system(has_access=True)
@click.argument("method", metavar="APP.METHOD", shell_complete=complete_method)
@click.argument("arguments", metavar="[NAME=VALUE]...", nargs=-1, shell_complete=complete_argument)
@click.option(
    "--json-args",
    metavar="JSON",
    help="Arguments as one JSON object; -: it is read from standard input. Those that are given as "
    "NAME=VALUE come on top.",
)
@json_option
def call(
    system: ChosenSystem,
    method: str,
    arguments: tuple[str, ...],
    *,
    json_args: str | None,
    is_json: bool,
) -> int:
    """Call a method of an application, and write its result as JSON.

    Values are taken as what the method's parameters want: text for text, JSON for numbers, lists
    and objects. When the application raises an exception, that is written to standard error and the
    status is 1. Where changes are not allowed, only queries can be called.
    """
    from esgrpc_console.headless.call import CallRequest, call_method

    request = CallRequest(method, arguments, json_args)
    return call_method(system, request, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Example:
  esgrpc-console pause @production Payments Orders --reason "the bank is closed"
""",
)
@_following_command
@_reason_option
def pause(
    system: ChosenSystem,
    follower: str,
    leader: str,
    *,
    reason: str,
    is_json: bool,
) -> int:
    """Let a follower wait.

    It waits until it is resumed, or until its server is restarted.
    """
    return _control("pause", system, follower, leader, reason, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Example:
  esgrpc-console resume @production Payments Orders --reason "the bank is open again"
""",
)
@_following_command
@_reason_option
def resume(
    system: ChosenSystem,
    follower: str,
    leader: str,
    *,
    reason: str,
    is_json: bool,
) -> int:
    """Let a follower that was paused go on where it was."""
    return _control("resume", system, follower, leader, reason, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Example:
  esgrpc-console retry @production Payments Orders --reason "the account was unlocked"
""",
)
@_following_command
@_reason_option
def retry(
    system: ChosenSystem,
    follower: str,
    leader: str,
    *,
    reason: str,
    is_json: bool,
) -> int:
    """Let a follower try at once what it waits to try again."""
    return _control("retry", system, follower, leader, reason, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console skip @production Payments Orders 8013 --dry-run
  esgrpc-console skip @production Payments Orders 8013 --reason "paid twice, see ticket 4711"
""",
)
@takes_system(has_access=True)
@click.argument("follower", shell_complete=complete_follower)
@click.argument("leader", shell_complete=complete_leader)
@click.argument("notification_id", callback=whole_number(1))
@click.option("--reason", metavar="TEXT", help="Why. It is written into the server's log.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only show what would be skipped.")
@json_option
def skip(
    system: ChosenSystem,
    follower: str,
    leader: str,
    notification_id: int,
    *,
    reason: str | None,
    is_dry_run: bool,
    is_json: bool,
) -> int:
    """Let a follower leave out the event that it does not get past.

    The event is recorded as processed. Only the event that the follower fails on, or is paused
    before, can be skipped. It is written as it was decoded by the follower.
    """
    if reason is None and not is_dry_run:
        msg = "Missing option '--reason'"
        raise click.UsageError(msg, click.get_current_context())
    from esgrpc_console.headless.control import SkipRequest, skip_event

    request = SkipRequest(follower, leader, notification_id, reason or "", is_dry_run)
    return skip_event(system, request, is_json=is_json)


def _control(
    action: str,
    system: ChosenSystem,
    follower: str,
    leader: str,
    reason: str,
    *,
    is_json: bool,
) -> int:
    from esgrpc_console.command_lines import ControlAction
    from esgrpc_console.headless.control import ControlRequest, control_following

    request = ControlRequest(ControlAction(action), follower, leader, reason)
    return control_following(system, request, is_json=is_json)


CHANGING_COMMANDS: tuple[click.Command, ...] = (call, pause, resume, retry, skip)
