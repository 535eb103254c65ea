"""What ``esgrpc-console methods`` does: lists the methods that can be called."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.output import Cell, Column, Output, Style
from esgrpc_console.headless.running import describe, find_application, open_view, run
from esgrpc_console.headless.shapes import method_object
from esgrpc_console.outcome import FAILURE, SUCCESS, CommandFailed
from esgrpc_console.system_view import SystemView
from esgrpc_console.system_view.views import MethodView

_COLUMNS = (Column("KIND"), Column("METHOD"), Column("WHAT IT DOES"))


def show_methods(system: ChosenSystem, application: str | None, *, is_json: bool) -> int:
    """Writes the methods of one application or of all, and returns the exit status.

    It is 2 when those of an application are not known, for it can't be reached.

    :raises CommandFailed: when there is no such application, or no connection.
    """
    output = Output(is_json=is_json)

    async def show() -> int:
        async with open_view(system) as view:
            known = list(view.state.applications)
            names = known if application is None else [find_application(view, application)]
            methods, failures = await _read_methods(view, names)
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
        for failure in failures:
            output.complain(failure)
        return FAILURE if failures else SUCCESS

    return run(show, output)


async def _read_methods(
    view: SystemView, names: Sequence[str]
) -> tuple[dict[str, tuple[MethodView, ...]], list[str]]:
    """Returns methods by application, and why those of some are not known."""
    described = await asyncio.gather(
        *(describe(view, name) for name in names), return_exceptions=True
    )
    methods: dict[str, tuple[MethodView, ...]] = {}
    failures: list[str] = []
    for name, description in zip(names, described, strict=True):
        if isinstance(description, CommandFailed):
            failures.append(str(description))
        elif isinstance(description, BaseException):
            raise description
        else:
            methods[name] = description.methods
    return methods, failures


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
