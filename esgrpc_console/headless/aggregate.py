"""What ``esgrpc-console aggregate`` does: writes the state of an aggregate at one version."""

from __future__ import annotations

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.output import Output, Style
from esgrpc_console.headless.running import explained, find_application, open_view, run
from esgrpc_console.headless.shapes import aggregate_object, value_of
from esgrpc_console.outcome import SUCCESS


def show_aggregate(
    system: ChosenSystem,
    application: str,
    originator_id: str,
    version: int | None,
    *,
    is_json: bool,
) -> int:
    """Writes the state of an aggregate, and returns the exit status.

    :raises CommandFailed: when there is none (status 1) or no connection (2).
    """
    output = Output(is_json=is_json)

    async def show() -> int:
        async with open_view(system) as view:
            name = find_application(view, application)
            with explained(name):
                aggregate = await view.read_aggregate(name, originator_id, version)
        if is_json:
            output.write_json(aggregate_object(name, aggregate))
            return SUCCESS
        output.write_line(
            f"{aggregate.topic} {aggregate.originator_id} in {name}, version {aggregate.version:,}",
            Style.HEADING,
        )
        output.write_value(value_of(aggregate.state))
        return SUCCESS

    return run(show, output)
