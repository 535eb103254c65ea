"""The program: its commands, and how it ends. Each ending is told by a status and at most by
one line on standard error, never by a traceback that nobody has asked for.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import NoReturn

import click

from esgrpc_console.cli.changing_commands import CHANGING_COMMANDS
from esgrpc_console.cli.completion_command import answer_shell, completion
from esgrpc_console.cli.console_commands import attach, run
from esgrpc_console.cli.looking_commands import LOOKING_COMMANDS
from esgrpc_console.outcome import FAILURE, INTERRUPTED, SUCCESS, CommandFailed

PROGRAM = "esgrpc-console"
DEBUG_VARIABLE = "ESGRPC_CONSOLE_DEBUG"
_DISTRIBUTION = "eventsourcing-grpc"


@dataclass
class Invocation:
    """What is known of this run of the program."""

    is_debug: bool = False
    """Whether errors that nobody expects are shown with their tracebacks."""


class _OutputClosed(Exception):
    """Raised when nobody reads standard output any more."""


class _Program(click.Group):
    """Lists its commands in the order in which people meet them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of commands as they were added."""
        return list(self.commands)


def main() -> NoReturn:
    """Runs the command line and ends the process."""
    invocation = Invocation(is_debug=bool(os.environ.get(DEBUG_VARIABLE)))
    _replace_closed_streams()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # So scripts start what is to run in the background. Whoever sends it all the same means it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Text that a terminal's encoding does not have is better escaped than not told.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(invocation)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        status = SUCCESS
    except (click.Abort, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = INTERRUPTED
    except CommandFailed as e:
        _complain(str(e))
        status = e.status
    except Exception as e:
        if isinstance(e, OSError):
            _discard_output()
        status = _fail(e, invocation)
    sys.exit(status)


def _replace_closed_streams() -> None:
    """Makes streams of those that were closed by whoever started this: what is written is lost."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _run(invocation: Invocation) -> int:
    if answer_shell(cli, PROGRAM):
        return SUCCESS
    for word in sys.argv[1:]:
        if not _is_text(word):
            msg = f"{word!a} is not text in UTF-8"
            raise CommandFailed(msg)
    try:
        with cli.make_context(PROGRAM, sys.argv[1:], obj=invocation) as context:
            status = cli.invoke(context)
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.exceptions.NoArgsIsHelpError as e:
        click.echo(e.format_message())
        return SUCCESS
    except click.UsageError as e:
        hint = f" (see {e.ctx.command_path} --help)" if e.ctx else ""
        msg = f"{e.format_message()}{hint}"
        raise CommandFailed(msg) from e
    except click.ClickException as e:
        raise CommandFailed(e.format_message()) from e
    return status if isinstance(status, int) else SUCCESS


def _is_text(word: str) -> bool:
    # Bytes that were none are lone surrogates, which no message to a server can have.
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fail(error: Exception, invocation: Invocation) -> int:
    from eventsourcing_grpc.user_errors import UserError

    if isinstance(error, UserError):
        _complain(str(error))
    elif isinstance(error, OSError) and error.strerror and not invocation.is_debug:
        _complain(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    elif invocation.is_debug:
        import traceback

        traceback.print_exception(error)
    else:
        text = " ".join(str(error).split())
        _complain(
            f"unexpected {type(error).__name__}{': ' if text else ''}{text} "
            f"(set {DEBUG_VARIABLE}=1, or write {PROGRAM} --debug, to see where)"
        )
    return FAILURE


def _complain(text: str) -> None:
    click.echo(f"{PROGRAM}: {text}", err=True)


def _discard_output() -> None:
    """Lets the interpreter flush what is left to nobody, which it otherwise complains about."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
    cls=_Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  esgrpc-console run eventsourcing_grpc.example:system
  esgrpc-console attach localhost:50051
  esgrpc-console attach @production
  esgrpc-console status @production --max-lag 1000
  esgrpc-console log localhost:50051 Orders --follow --json
  esgrpc-console call localhost:50051 Orders.create_new_order
  esgrpc-console wait localhost:50051 --caught-up --timeout 60

\b
Commands that look at a system, or change something in it, take the address of any of its servers,
several with commas between them, or the name of a context in the configuration file: @production.

\b
Exit status: 0; 1 when the answer is "no"; 2 when a command can't be understood or there is no
connection; 130 when it was interrupted.
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
@click.option(
    "--debug",
    is_flag=True,
    help=f"Show tracebacks of unexpected errors. Also {DEBUG_VARIABLE}=1.",
)
@click.pass_obj
def cli(invocation: Invocation, debug: bool) -> None:
    """A terminal console for event-sourced systems served with gRPC."""
    invocation.is_debug = invocation.is_debug or debug


for _command in (run, attach, *LOOKING_COMMANDS, *CHANGING_COMMANDS, completion):
    cli.add_command(_command)
