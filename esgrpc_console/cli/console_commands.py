"""The commands that open the console."""

from __future__ import annotations

from pathlib import Path

import click

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.cli.system_options import SystemCommand, takes_system
from esgrpc_console.outcome import SUCCESS, CommandFailed


@click.command(epilog="""\b
Examples:
  esgrpc-console run eventsourcing_grpc.example:system
  esgrpc-console run shop.applications:system --data-dir ./data
  esgrpc-console run applications --app-dir ./shop
""")
@click.argument("system_topic")
@click.option(
    "--data-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep each application's events in an SQLite database in this directory, which is made "
    "where there is none. Otherwise they are kept in memory, or where PERSISTENCE_MODULE says.",
)
@click.option(
    "--app-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="Where modules are found. Default: the working directory.",
)
def run(system_topic: str, data_dir: Path | None, app_dir: Path) -> int:
    """Start the servers of a system, and open the console on them.

    Each server is a process of its own. SYSTEM_TOPIC is the system's topic, such as
    shop.applications:system, or the name of a module that has just one system. The servers stop
    when the console is quit.
    """
    from esgrpc_console.run_command import CommandError, run_system

    try:
        run_system(system_topic, data_dir=data_dir, app_dir=app_dir)
    except CommandError as e:
        raise CommandFailed(str(e)) from e
    return SUCCESS


@click.command(
    cls=SystemCommand,
    epilog="""\b
Examples:
  esgrpc-console attach localhost:50051
  esgrpc-console attach orders.example.org:50051 payments.example.org:50051 --read-only
  esgrpc-console attach localhost:9001 --address Payments=localhost:9002
  esgrpc-console attach @production
""",
)
@takes_system(nargs=-1, has_access=True)
def attach(system: ChosenSystem) -> int:
    """Open the console on a system that is running.

    The address of any one of its servers will do: it knows the others. No application code needs
    to be installed.
    """
    from esgrpc_console.attach_command import attach_system

    attach_system(system)
    return SUCCESS
