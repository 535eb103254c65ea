"""Which system the words and options of a command line mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from esgrpc_console.chosen_system import ChosenSystem

_EXAMPLE = "localhost:50051"


def choose_system(
    words: Iterable[str],
    overrides: Iterable[str] = (),
    files: Mapping[str, str | None] | None = None,
    server_name: str | None = None,
) -> ChosenSystem:
    """Returns the system that words and options name.

    :param overrides: each as ``NAME=HOST:PORT``.
    :param files: certificates, by the names that they have in a context.
    :raises click.UsageError: when one of them can't be used.
    :raises ConfigurationError: when there is no such context.
    """
    chosen = _named_system([part for word in words for part in word.split(",") if part])
    addresses_of = dict(map(_override, overrides))
    options = [("--address", f"{name}={address}") for name, address in addresses_of.items()]
    given = {name: str(Path(path).absolute()) for name, path in (files or {}).items() if path}
    options += [(f"--{name.replace('_', '-')}", path) for name, path in given.items()]
    if server_name:
        options.append(("--server-name", server_name))
    return replace(
        chosen,
        addresses_of={**chosen.addresses_of, **addresses_of},
        root_cert=given.get("root_cert", chosen.root_cert),
        cert=given.get("cert", chosen.cert),
        key=given.get("key", chosen.key),
        server_name=server_name or chosen.server_name,
        options=tuple(word for option in options for word in option),
    )


def _named_system(names: Sequence[str]) -> ChosenSystem:
    if any(name.startswith("@") for name in names):
        if len(names) > 1:
            raise _usage_error("give either addresses or one context, not both")
        return _system_of_context(names[0].removeprefix("@"))
    for name in names:
        _check_address(name, name)
    if not names:
        raise _usage_error(f"no address is given. A good one is {_EXAMPLE}")
    return ChosenSystem(addresses=tuple(names))


def _system_of_context(name: str) -> ChosenSystem:
    from esgrpc_console.configuration import read_configuration

    context = read_configuration().context(name)
    return ChosenSystem(
        addresses=context.addresses,
        context=context.name,
        addresses_of=context.addresses_of,
        root_cert=context.root_cert,
        cert=context.cert,
        key=context.key,
        server_name=context.server_name,
        is_read_only=context.is_read_only,
        colour=context.colour,
    )


def _override(text: str) -> tuple[str, str]:
    name, sign, address = text.partition("=")
    if not name or not sign:
        raise _usage_error(f"--address {text!r} must be such as Orders={_EXAMPLE}")
    _check_address(address, f"--address {text}")
    return name, address


def _check_address(address: str, given: str) -> None:
    from eventsourcing_grpc.addresses import check_address

    problem = check_address(address)
    if problem:
        raise _usage_error(f"{given!r} is not an address: {problem}. A good one is {_EXAMPLE}")


def _usage_error(text: str) -> click.UsageError:
    return click.UsageError(text, click.get_current_context(silent=True))
