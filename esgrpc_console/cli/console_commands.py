"""The commands that open the console."""

from __future__ import annotations

from pathlib import Path

import click

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.cli.system_options import SystemCommand, takes_system


@click.command(epilog="""\b
Examples:
  esgrpc-console run eventsourcing_grpc.example:system
  esgrpc-console run shop.applications:system --data-dir ./data
  esgrpc-console run applications --app-dir ./shop
  esgrpc-console run shop.applications:system --headless | jq .
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
@click.option(
    "--headless",
    "is_headless",
    is_flag=True,
    help="Without the console: write a line of JSON for each event of the system's life, until "
    "SIGINT or SIGTERM.",
)
@click.option(
    "--read-only/--read-write",
    "is_read_only",
    default=False,
    help="Refuse to change anything from the console, or allow it. Default: allow it.",
)
def run(
    system_topic: str,
    *,
    data_dir: Path | None,
    app_dir: Path,
    is_headless: bool,
    is_read_only: bool,
) -> int:
    """Start the servers of a system, and open the console on them.

    Each server is a process of its own. SYSTEM_TOPIC is the system's topic, such as
    shop.applications:system, or the name of a module that has just one system. The servers stop
    when the console is quit.
    """
    from esgrpc_console.configuration import Configuration, read_configuration
    from esgrpc_console.run_command import run_system

    return run_system(
        system_topic,
        data_dir=data_dir,
        app_dir=app_dir,
        is_headless=is_headless,
        is_read_only=is_read_only,
        configuration=Configuration() if is_headless else read_configuration(),
    )


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
    from esgrpc_console.configuration import read_configuration

    return attach_system(system, read_configuration())
