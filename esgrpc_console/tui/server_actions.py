"""Stopping and restarting one server of ``run``, as people do it: they are asked, and told what came of it.

Which server is meant, and by which keys, is left to the screens that show servers.
"""

from __future__ import annotations

import time
from enum import Enum

from textual.app import App
from textual.screen import Screen

from esgrpc_console.local_servers import LocalServers
from esgrpc_console.system_view import ApplicationView, RequestFailed, words
from esgrpc_console.tui.background import telling
from esgrpc_console.tui.screens.confirm_screen import ConfirmScreen
from esgrpc_console.tui.session import Session

_FAILURE_SECONDS = 15
_IN_MEMORY = "memory"


class ServerAction(Enum):
    """What can be done to a server: the verb, and what it has been done."""

    RESTART = ("Restart", "restarted")
    STOP = ("Stop", "stopped")

    def __init__(self, verb: str, participle: str) -> None:
        self.verb = verb
        self.participle = participle


def confirm_and_run(
    screen: Screen[object], session: Session, action: ServerAction, name: str
) -> None:
    """Asks, does it, and tells what came of it. Returns at once.

    What has been begun goes on whatever is shown.
    """
    servers = session.servers
    if servers is None or session.is_read_only:
        return
    application = session.operations.state.applications.get(name)

    def run(reason: str | None) -> None:
        if reason is not None:
            screen.app.run_worker(
                telling(screen.app, _run(screen.app, servers, action, name)),
                name=f"{action.participle} {name}",
                group=f"servers {name}",
                exit_on_error=False,
            )

    screen.app.push_screen(
        ConfirmScreen(
            session,
            f"{action.verb} the server of {name}?",
            confirm=action.verb,
            consequences=_consequences(action, name, application),
        ),
        run,
    )


def _consequences(
    action: ServerAction, name: str, application: ApplicationView | None
) -> list[str]:
    lines = ["Calls in progress have a moment to come to their end."]
    if action is ServerAction.STOP:
        lines.append("It is down until it is restarted.")
    described = application.description if application else None
    followers = ", ".join(application.leads) if application else ""
    if described is not None and described.persistence == _IN_MEMORY:
        lines.append(f"The events of {name} are in its memory only: they are lost.")
        if followers:
            lines.append(f"What follows it will then have diverged: {followers}.")
    elif followers:
        lines.append(f"What follows it goes on when it is back: {followers}.")
    return lines


async def _run(app: App[object], servers: LocalServers, action: ServerAction, name: str) -> None:
    began_at = time.monotonic()
    try:
        match action:
            case ServerAction.RESTART:
                await servers.restart_server(name)
            case ServerAction.STOP:
                await servers.stop_server(name)
    except RequestFailed as e:
        app.notify(words.line(str(e)), severity="error", markup=False, timeout=_FAILURE_SECONDS)
    else:
        took = words.milliseconds(time.monotonic() - began_at)
        app.notify(
            words.line(f"the server of {name} was {action.participle}, in {took}"), markup=False
        )
