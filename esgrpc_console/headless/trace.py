"""What ``esgrpc-console trace`` does: finds every event that mentions an ID, in every application."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from esgrpc_console.chosen_system import ChosenSystem
from esgrpc_console.headless.log import local_time
from esgrpc_console.headless.output import Cell, Column, Output, Style
from esgrpc_console.headless.running import open_view, run
from esgrpc_console.headless.shapes import event_object
from esgrpc_console.outcome import FAILURE, NO, SUCCESS
from esgrpc_console.system_view import words
from esgrpc_console.system_view.tracing import Trace, TracedEvent

_PATIENCE = 5.0
_COLUMNS = (
    Column("TIME"),
    Column("APPLICATION"),
    Column("ID", is_number=True),
    Column("TOPIC"),
    Column("MENTIONED IN"),
)


def show_trace(system: ChosenSystem, text: str, *, is_json: bool) -> int:
    """Writes the events found, in the order of their times, and returns the exit status.

    It is 2 when an application could not be looked through, and 1 when there is no such event.

    :raises CommandFailed: when there is no connection, or nothing to look for.
    """
    output = Output(is_json=is_json)

    async def show() -> int:
        async with open_view(system) as view:
            trace = Trace(view, text, patience=_PATIENCE)
            await _run_with_progress(trace, output)
        _write(trace.events, output)
        for note in trace.notes:
            output.complain(note)
        if trace.failures:
            return FAILURE
        if not trace.events:
            output.complain(f"nothing mentions {trace.text!r}")
            return NO
        return SUCCESS

    return run(show, output)


async def _run_with_progress(trace: Trace, output: Output) -> None:
    shower = asyncio.create_task(_show_progress(trace, output), name="show progress")
    try:
        await trace.run()
    finally:
        shower.cancel()
        output.show_progress("")


async def _show_progress(trace: Trace, output: Output) -> None:
    seen = 0
    while True:
        seen = await trace.changes.wait(seen)
        progress = trace.progress.values()
        looked_at, of = sum(one.looked_at for one in progress), sum(one.of for one in progress)
        found = words.count(len(trace.events), "event")
        output.show_progress(f"searched {looked_at:,} of {of:,} events, found {found}")


def _write(events: Sequence[TracedEvent], output: Output) -> None:
    if output.is_json:
        for traced in events:
            output.write_json(
                {
                    "application": traced.application,
                    **event_object(traced.event, with_state=False),
                    "mention": traced.mention,
                }
            )
    elif events:
        output.write_table(
            _COLUMNS,
            [
                (
                    Cell(local_time(traced.event.timestamp), Style.QUIET),
                    Cell(traced.application),
                    Cell(f"#{traced.event.id:,}"),
                    Cell(traced.event.short_topic),
                    Cell(traced.mention or traced.event.originator_id, Style.QUIET),
                )
                for traced in events
            ],
        )
