"""What ``esgrpc-console methods`` does: lists the methods that can be called."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.output import Cell, Column, Output, Style
from esgrpc_console.headless.running import describe, find_application, open_view, run
from esgrpc_console.headless.shapes import method_object
from esgrpc_console.outcome import SUCCESS
from esgrpc_console.system_view.views import MethodView

_COLUMNS = (Column("KIND"), Column("METHOD"), Column("WHAT IT DOES"))


def show_methods(system: ChosenSystem, application: str | None, *, is_json: bool) -> int:
    """Writes the methods of one application or of all, and returns the exit status.

    :raises CommandFailed: when there is no such application, or one can't be reached.
    """
    output = Output(is_json=is_json)

    async def show() -> int:
        async with open_view(system) as view:
            known = list(view.state.applications)
            names = known if application is None else [find_application(view, application)]
            descriptions = await asyncio.gather(*(describe(view, name) for name in names))
        methods = {
            name: description.methods for name, description in zip(names, descriptions, strict=True)
        }
        if is_json:
            output.write_json(
                {
                    "applications": [
                        {"name": name, "methods": [method_object(method) for method in of_one]}
                        for name, of_one in methods.items()
                    ]
                }
            )
        else:
            _write_table(methods, output)
        return SUCCESS

    return run(show, output)


def _write_table(methods: dict[str, tuple[MethodView, ...]], output: Output) -> None:
    rows: list[Sequence[Cell]] = []
    for name, of_one in methods.items():
        for method in of_one:
            summary = next(iter(method.docstring.strip().splitlines()), "")
            rows.append(
                (
                    Cell("command", Style.NOTICE) if method.is_command else Cell("query"),
                    Cell(f"{name}.{method.name}{method.signature}"),
                    Cell(summary, Style.QUIET),
                )
            )
    if rows:
        output.write_table(_COLUMNS, rows)
    for name, of_one in methods.items():
        if not of_one:
            output.write_line(f"{name} has no methods that can be called", Style.QUIET)
