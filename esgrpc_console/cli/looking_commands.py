"""The commands that look at a system and change nothing."""

from __future__ import annotations

import click

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.cli.completers import complete_application, complete_follower
from esgrpc_console.cli.numbers import seconds, whole_number
from esgrpc_console.cli.system_options import SystemCommand, json_option, takes_system


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console status localhost:50051
  esgrpc-console status @production --max-lag 1000 --max-lag-seconds 60
  esgrpc-console status @production --watch --json | jq .is_healthy
""",
)
@takes_system()
@click.option("--watch", "is_watching", is_flag=True, help="Again and again, as it changes.")
@click.option(
    "--max-lag",
    metavar="N",
    callback=whole_number(),
    help="End with status 1 when a follower is more events behind its leader.",
)
@click.option(
    "--max-lag-seconds",
    metavar="S",
    callback=seconds,
    help="End with status 1 when the oldest event that a follower has not processed is older.",
)
@json_option
def status(
    system: ChosenSystem,
    *,
    is_watching: bool,
    max_lag: int | None,
    max_lag_seconds: float | None,
    is_json: bool,
) -> int:
    """Tell how applications are, and how far behind followers are.

    Ends with status 1 when an application does not serve, when a following is failing, can't reach
    its leader or has diverged from it, and when one is further behind than is allowed. One that is
    paused or catching up is not unhealthy for that. With --watch it goes on until it is interrupted.
    """
    from esgrpc_console.headless.status import LagLimits, show_status

    limits = LagLimits(max_lag, max_lag_seconds)
    return show_status(system, limits, is_watching=is_watching, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console log localhost:50051 Orders --last 10
  esgrpc-console log localhost:50051 Orders --follow --topic Order.Paid
  esgrpc-console log @production Orders --after 12397 --limit 1 --json
  esgrpc-console log @production Orders --aggregate 7b1c4f0e-0000-4000-8000-0000000091aa
""",
)
@takes_system()
@click.argument("application", shell_complete=complete_application)
@click.option("--after", metavar="ID", callback=whole_number(), help="Only events behind this.")
@click.option(
    "--last",
    metavar="N",
    callback=whole_number(),
    help="Begin with the newest N events. 0: with what is recorded from now on.",
)
@click.option("--follow", "is_following", is_flag=True, help="Go on as events are recorded.")
@click.option(
    "--topic",
    "topics",
    metavar="TOPIC",
    multiple=True,
    help="Only events of this class: a topic, or its last part such as Order.Paid. May be given "
    "again.",
)
@click.option("--aggregate", metavar="ID", default="", help="Only events of this aggregate.")
@click.option("--text", default="", help="Only events that have this text somewhere in them.")
@click.option("--limit", metavar="N", callback=whole_number(1), help="End after N events.")
@json_option
def log(
    system: ChosenSystem,
    application: str,
    *,
    after: int | None,
    last: int | None,
    is_following: bool,
    topics: tuple[str, ...],
    aggregate: str,
    text: str,
    limit: int | None,
    is_json: bool,
) -> int:
    """Write the events of an application's notification log.

    It begins with the first one, if no option says where.

    With --json there is one JSON object on each line. When the connection is lost it is made again,
    and the log goes on behind the last event that was written: none is missing, none comes twice.
    """
    from esgrpc_console.headless.log import LogRequest, show_log

    if after is not None and last is not None:
        msg = "give either --after or --last, not both"
        raise click.UsageError(msg, click.get_current_context())
    request = LogRequest(
        application=application,
        after=after,
        last=last,
        topics=topics,
        originator_id=aggregate,
        text=text,
        limit=limit,
        is_following=is_following,
    )
    return show_log(system, request, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console aggregate localhost:50051 Orders 7b1c4f0e-0000-4000-8000-0000000091aa
  esgrpc-console aggregate @production Orders 7b1c4f0e-0000-4000-8000-0000000091aa --version 2
""",
)
@takes_system()
@click.argument("application", shell_complete=complete_application)
@click.argument("originator_id", metavar="ID")
@click.option(
    "--version",
    metavar="V",
    callback=whole_number(1),
    help="As it was then. Default: as it is.",
)
@json_option
def aggregate(
    system: ChosenSystem,
    application: str,
    originator_id: str,
    *,
    version: int | None,
    is_json: bool,
) -> int:
    """Write the state of an aggregate, at any version.

    Ends with status 1 when there is no such aggregate or version.
    """
    from esgrpc_console.headless.aggregate import show_aggregate

    return show_aggregate(system, application, originator_id, version, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console methods localhost:50051
  esgrpc-console methods @production Orders --json
""",
)
@takes_system()
@click.argument("application", required=False, shell_complete=complete_application)
@json_option
def methods(system: ChosenSystem, application: str | None, *, is_json: bool) -> int:
    """List the methods that can be called.

    They are those of one application, or of all.
    """
    from esgrpc_console.headless.methods import show_methods

    return show_methods(system, application, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console trace localhost:50051 7b1c4f0e-0000-4000-8000-0000000091aa
  esgrpc-console trace @production "order 4711" --json
""",
)
@takes_system()
@click.argument("text", metavar="ID")
@json_option
def trace(system: ChosenSystem, text: str, *, is_json: bool) -> int:
    """Find every event, in every application, that mentions an ID.

    Any other text will do as well. Events are written in the order of their times. Ends with
    status 1 when there is none.
    """
    from esgrpc_console.headless.trace import show_trace

    return show_trace(system, text, is_json=is_json)


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console wait localhost:50051
  esgrpc-console wait localhost:50051 --caught-up --timeout 120
  esgrpc-console wait @production --caught-up --follower Payments
""",
)
@takes_system()
@click.option(
    "--caught-up",
    "is_caught_up",
    is_flag=True,
    help="Wait until everything that was recorded before, and what it led to, has been followed.",
)
@click.option(
    "--follower",
    metavar="NAME",
    shell_complete=complete_follower,
    help="Look only at this application, and at those it follows.",
)
@click.option(
    "--timeout",
    metavar="S",
    callback=seconds,
    default="60",
    show_default=True,
    help="For how long, in seconds.",
)
@json_option
def wait(
    system: ChosenSystem,
    *,
    is_caught_up: bool,
    follower: str | None,
    timeout: float,
    is_json: bool,
) -> int:
    """Wait until a system is well, or has caught up.

    Well is what "status" calls healthy. Caught up is a system when each follower has read through
    all that its leaders had recorded when this command began, and through what that led to. Then
    the status is 0; 1 when it takes too long. Servers that don't answer yet are waited for.
    """
    from esgrpc_console.headless.wait import WaitRequest, wait_for_system

    request = WaitRequest(is_caught_up=is_caught_up, follower=follower, timeout=timeout)
    return wait_for_system(system, request, is_json=is_json)


LOOKING_COMMANDS: tuple[click.Command, ...] = (status, log, aggregate, methods, trace, wait)
