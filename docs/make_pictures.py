"""Makes the pictures of the README and the guide from the running console, on a real system.

Run it with ``make pictures``. Each picture has a system of its own, whose payments fail after a few.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from textual.pilot import Pilot

from esgrpc_console.command_lines import Target
from esgrpc_console.local_system import LocalSystem
from esgrpc_console.system_view import FollowingState, SystemView
from esgrpc_console.tui.app import ConsoleApp, SystemToShow
from eventsourcing_grpc.topics import add_app_dir, resolve_system

DOCS = Path(__file__).parent
PICTURES = DOCS / "pictures"
SYSTEM = "shop_in_trouble:system"
WIDE = (160, 42)
ORDERS = 9
TIMEOUT = 30.0
FONTS = '"Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace'

Steps = Callable[[Pilot[Exception], SystemView], Awaitable[None]]


async def draw(steps: Steps) -> str:
    """Returns a picture of the console after some orders were made and some steps were taken."""
    add_app_dir(DOCS)
    with LocalSystem(resolve_system(SYSTEM)) as local:
        async with AsyncExitStack() as stack:
            views: list[SystemView] = []

            async def open_system() -> SystemView:
                views.append(await local.open(stack))
                return views[0]

            app = ConsoleApp(
                SystemToShow(
                    SYSTEM,
                    open_system,
                    progress=local.progress,
                    target=Target(("localhost:50051",)),
                    servers=local,
                )
            )
            async with asyncio.timeout(TIMEOUT), app.run_test(size=WIDE) as pilot:
                await until(pilot, lambda: bool(views) or app.return_value is not None)
                if app.return_value is not None:
                    raise app.return_value
                view = views[0]
                await until(pilot, lambda: _is_watched(view))
                for _ in range(ORDERS):
                    await view.call_method("Orders", "create_new_order", {})
                await until(pilot, lambda: _is_failing(view))
                # So that rates, positions and ages have something to show.
                await pilot.pause(3.0)
                await steps(pilot, view)
                await pilot.pause(1.0)
                return _without_foreign_fonts(app.export_screenshot(title="esgrpc-console"))


async def until(pilot: Pilot[Exception], is_so: Callable[[], bool]) -> None:
    """Waits until something is so. The picture's time limit ends it otherwise."""
    while not is_so():
        await pilot.pause(0.05)


def _is_watched(view: SystemView) -> bool:
    return all(application.status for application in view.state.applications.values())


def _is_failing(view: SystemView) -> bool:
    return any(following.state is FollowingState.FAILING for following in view.state.followings)


async def overview(pilot: Pilot[Exception], view: SystemView) -> None:
    """The overview, as it is."""


async def log(pilot: Pilot[Exception], view: SystemView) -> None:
    """The log of the orders, a few events above the newest."""
    await pilot.press("l")
    await pilot.pause(1.0)
    await pilot.press("k", "k", "k")


async def follower(pilot: Pilot[Exception], view: SystemView) -> None:
    """The follower that fails."""
    await pilot.press("exclamation_mark")


async def methods(pilot: Pilot[Exception], view: SystemView) -> None:
    """A query that was called."""
    order_id = await _newest_order(view)
    await pilot.press("m")
    await pilot.pause(1.0)
    await pilot.press("down", "enter")
    await pilot.press(*order_id, "f5")


async def aggregate(pilot: Pilot[Exception], view: SystemView) -> None:
    """An order at its last version."""
    await pilot.press("l")
    await pilot.pause(1.0)
    await pilot.press("A")


async def trace(pilot: Pilot[Exception], view: SystemView) -> None:
    """What happened to one order."""
    page = await view.read_events("Payments", limit=1)
    order_id = json.loads(page.events[0].state)["order_id"]
    await pilot.press("t")
    await pilot.pause(0.5)
    await pilot.press(*order_id, "enter")
    await pilot.pause(1.5)


async def _newest_order(view: SystemView) -> str:
    page = await view.read_events("Orders", limit=1, is_backwards=True)
    return page.events[0].originator_id


PLACES: Mapping[str, Steps] = {
    "overview": overview,
    "log": log,
    "follower": follower,
    "methods": methods,
    "aggregate": aggregate,
    "trace": trace,
}


def _without_foreign_fonts(svg: str) -> str:
    """Lets a picture be drawn with the fonts that are there: it fetches none."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", svg)


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes every picture, or those that are named."""
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PLACES)}")
    names = parser.parse_args(arguments).names or list(PLACES)
    if unknown := [name for name in names if name not in PLACES]:
        parser.error(f"there is no picture {unknown[0]!r}: there are {', '.join(PLACES)}")
    PICTURES.mkdir(exist_ok=True)
    for name in names:
        path = PICTURES / f"{name}.svg"
        path.write_text(asyncio.run(draw(PLACES[name])), "utf-8")
        print(f"made {path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
