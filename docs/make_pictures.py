"""Makes the pictures of the README from the running program: the example system, with a few orders.

Run it with ``make pictures``.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from pathlib import Path

from textual.pilot import Pilot

from esgrpc_console.local_system import LocalSystem
from esgrpc_console.system_view import SystemView
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from eventsourcing_grpc.example import system

PICTURES = Path(__file__).parent / "pictures"
TITLE = "eventsourcing_grpc.example:system"
SIZE = (160, 45)
ORDERS = 8
TIMEOUT = 30.0
FONTS = '"Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace'


async def draw_console() -> str:
    """Returns a picture of the console on the example system, after some orders were made and one was asked for."""
    with LocalSystem(system) as local:
        async with AsyncExitStack() as stack:
            views: list[SystemView] = []

            async def open_system() -> SystemView:
                views.append(await local.open(stack))
                return views[0]

            app = ConsoleApp(SystemToShow(TITLE, open_system, progress=local.progress))
            async with asyncio.timeout(TIMEOUT), app.run_test(size=SIZE) as pilot:
                while not views or not _is_watched(views[0]):
                    if app.return_value is not None:
                        raise app.return_value
                    await pilot.pause(0.05)
                order_id = await _create_orders(views[0])
                await _ask_for_order(pilot, order_id)
                return _without_foreign_fonts(app.export_screenshot(title=TITLE))


def _is_watched(view: SystemView) -> bool:
    return all(application.status for application in view.state.applications.values())


async def _create_orders(view: SystemView) -> str:
    """Creates orders, waits until they are paid, and returns the ID of the last one."""
    order_id = ""
    for _ in range(ORDERS):
        created = await view.call_method("Orders", "create_new_order", {})
        order_id = json.loads(created.result)
        paid = "false"
        while paid != "true":
            await asyncio.sleep(0.02)
            paid = (
                await view.call_method("Orders", "is_order_paid", {"order_id": order_id})
            ).result
    return order_id


async def _ask_for_order(pilot: Pilot[Exception], order_id: str) -> None:
    """Calls ``get_order`` from its form, and lets the screen come to rest."""
    await pilot.pause(1.0)
    await pilot.press("m", "down", "enter")
    await pilot.press(*order_id.replace("-", ""), "enter")
    await pilot.pause(1.5)


def _without_foreign_fonts(svg: str) -> str:
    """Lets a picture be drawn with the fonts that are there: it fetches none."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", svg)


def main() -> None:
    """Makes every picture."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / "console.svg"
    path.write_text(asyncio.run(draw_console()))
    print(f"made {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
