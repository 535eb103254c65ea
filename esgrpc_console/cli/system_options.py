"""The first argument of commands that connect, and the options that say how."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from esgrpc_console.cli.choosing import choose_system
from esgrpc_console.cli.completers import complete_system

Command = Callable[..., int]

_FILE = click.Path(exists=True, dir_okay=False)

_CONNECTION_NAMES = frozenset({"addresses", "root_cert", "cert", "key", "server_name"})

json_option = click.option("--json", "is_json", is_flag=True, help="Write JSON, for programs.")
_access_option = click.option(
    "--read-only/--read-write",
    "is_read_only",
    default=None,
    help="Refuse to change anything, or allow it. Default: as the context says, or allow it.",
)


class SystemCommand(click.Command):
    """A command that connects. Its help tells what is its own before how it connects."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the options in two sections."""
        own: list[tuple[str, str]] = []
        connection: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if isinstance(parameter, click.Option) and record is not None:
                (connection if parameter.name in _CONNECTION_NAMES else own).append(record)
        for title, records in (("Options", own), ("Connection", connection)):
            with formatter.section(title):
                formatter.write_dl(records)


def takes_system(*, nargs: int = 1, has_access: bool = False) -> Callable[[Command], Command]:
    """Gives a command the system that is named on its command line, as its first argument.

    :param nargs: how many words name it. -1: one or more.
    :param has_access: whether an option says if the system may be changed.
    """

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def run(
            *,
            system: str | tuple[str, ...],
            addresses: Sequence[str],
            root_cert: str | None,
            cert: str | None,
            key: str | None,
            server_name: str | None,
            is_read_only: bool | None = None,
            **others: object,
        ) -> int:
            words = [system] if isinstance(system, str) else system
            files = {"root_cert": root_cert, "cert": cert, "key": key}
            chosen = choose_system(words, addresses, files, server_name)
            if is_read_only is not None:
                chosen = replace(chosen, is_read_only=is_read_only)
            return function(chosen, **others)

        options = _connection_options()
        if has_access:
            options.insert(0, _access_option)
        decorated: Command = run
        for option in reversed(options):
            decorated = option(decorated)
        return click.argument(
            "system",
            metavar="ADDRESS|@CONTEXT" if nargs == 1 else "ADDRESS...|@CONTEXT",
            nargs=nargs,
            required=True,
            shell_complete=complete_system,
        )(decorated)

    return decorate


def _connection_options() -> list[Callable[[Command], Command]]:
    return [
        click.option(
            "--address",
            "addresses",
            metavar="NAME=HOST:PORT",
            multiple=True,
            help="Where an application is, instead of what the servers say of it: for forwarded "
            "ports. May be given again.",
        ),
        click.option(
            "--root-cert",
            metavar="FILE",
            type=_FILE,
            help="The certificate that has signed those of the servers. Default, also of the next "
            "two: what GRPC_SSL_ROOT_CERTIFICATE_PATH, GRPC_SSL_CERTIFICATE_PATH and "
            "GRPC_SSL_PRIVATE_KEY_PATH say.",
        ),
        click.option(
            "--cert", metavar="FILE", type=_FILE, help="The certificate to show to the servers."
        ),
        click.option("--key", metavar="FILE", type=_FILE, help="The key of that certificate."),
        click.option(
            "--server-name",
            metavar="NAME",
            help="The name in the servers' certificates. Default: the host of each address.",
        ),
    ]
