"""What a shell is offered for a word that is being typed: contexts, and what a system tells of itself.

Whatever fails, nothing is offered: a shell is no place for errors.
"""

from __future__ import annotations

import re

import click
from click.shell_completion import CompletionItem

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.cli.choosing import choose_system

_LOCAL = "localhost:50051"
# What a server tells is offered only where no shell finds a meaning in it.
_HARMLESS = re.compile(r"[\w.=-]+")


def complete_system(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Offers the contexts of the configuration file."""
    from esgrpc_console.configuration import ConfigurationError, read_configuration

    try:
        contexts = read_configuration().contexts
    except ConfigurationError:
        return []
    offered = [
        CompletionItem(f"@{name}", help=", ".join(context.addresses))
        for name, context in contexts.items()
    ]
    return [item for item in [*offered, CompletionItem(_LOCAL)] if _begins(item, incomplete)]


def complete_application(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Offers the names of the system's applications."""
    return _offer(incomplete, "applications", context)


def complete_method(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Offers methods, as ``Orders.get_order``."""
    return _offer(incomplete, "methods", context)


def complete_argument(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Offers the names of a method's parameters, as ``order_id=``."""
    called = str(context.params.get("method") or "")
    return [] if "=" in incomplete else _offer(incomplete, "arguments", context, called)


def complete_follower(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Offers the names of applications that follow another."""
    return _offer(incomplete, "followers", context)


def complete_leader(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Offers the names of the applications that a follower follows."""
    return _offer(incomplete, "leaders", context, str(context.params.get("follower") or ""))


def _offer(
    incomplete: str, what: str, context: click.Context, of: str = ""
) -> list[CompletionItem[str]]:
    system = _system(context)
    if system is None:
        return []
    from esgrpc_console.headless.completions import read_completions

    items = [
        CompletionItem(value, help=meaning or None)
        for value, meaning in read_completions(system, what, of)
        if _HARMLESS.fullmatch(value)
    ]
    return [item for item in items if _begins(item, incomplete)]


def _system(context: click.Context) -> ChosenSystem | None:
    from eventsourcing_grpc.user_errors import UserError

    params = context.params
    # While the value of an option is typed, click has not told arguments from each other.
    words = params.get("system") or context.args[:1]
    files = {name: params.get(name) for name in ("root_cert", "cert", "key")}
    try:
        return choose_system(
            [words] if isinstance(words, str) else words,
            params.get("addresses") or (),
            files,
            params.get("server_name"),
        )
    except (click.UsageError, UserError):
        return None


def _begins(item: CompletionItem[str], incomplete: str) -> bool:
    return item.value.lower().startswith(incomplete.lower())
