"""The command line: one function a command. What commands do is left to modules of their own,
which are imported when they are needed, so that help is quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

PROGRAM = "esgrpc-console"
_DISTRIBUTION = "eventsourcing-grpc"
_INTERRUPTED_STATUS = 130


def main() -> NoReturn:
    """Runs the command line. Each error is one line on standard error, and ends with status 2."""
    try:
        status = cli.main(prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as e:
        click.echo(e.format_message())
        sys.exit(0)
    except click.UsageError as e:
        hint = f" (see {e.ctx.command_path} --help)" if e.ctx else ""
        click.echo(f"{PROGRAM}: {e.format_message()}{hint}", err=True)
        sys.exit(2)
    except click.ClickException as e:
        click.echo(f"{PROGRAM}: {e.format_message()}", err=True)
        sys.exit(2)
    except click.Abort:
        sys.exit(_INTERRUPTED_STATUS)
    sys.exit(status or 0)


def _show_version(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted and not context.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version

        try:
            text = version(_DISTRIBUTION)
        except PackageNotFoundError:
            text = "(not installed)"
        click.echo(f"{PROGRAM} {text}")
        context.exit()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  esgrpc-console run eventsourcing_grpc.example:system
  esgrpc-console run shop.applications --data-dir ./data
""",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """A terminal console for event-sourced systems served with gRPC."""


@cli.command(epilog="""\b
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
def run(system_topic: str, data_dir: Path | None, app_dir: Path) -> None:
    """Start the servers of a system, each in a process of its own, and open the console on them.

    SYSTEM_TOPIC is the system's topic, such as shop.applications:system, or the name of a module
    that has just one system. The servers stop when the console is quit.
    """
    from esgrpc_console.run_command import CommandError, run_system

    try:
        run_system(system_topic, data_dir=data_dir, app_dir=app_dir)
    except CommandError as e:
        raise click.ClickException(str(e)) from e
