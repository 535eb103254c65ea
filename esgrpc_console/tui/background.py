"""Work that goes on beside the handling of keys and messages.

What goes wrong in it that nobody expected is told and logged, and ends nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from textual.app import App
from textual.dom import DOMNode
from textual.worker import Worker

from esgrpc_console.system_view import words

logger = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Node = TypeVar("Node", bound=DOMNode)

_SECONDS = 15
_MAX_MESSAGE = 200


def background(
    group: str,
) -> Callable[
    [Callable[Concatenate[Node, Arguments], Awaitable[None]]],
    Callable[Concatenate[Node, Arguments], Worker[None]],
]:
    """Makes a method return at once, and do its work in a task of its own.

    Work of the same group of the same widget that is still under way is cancelled; so is all of it
    when the widget goes.
    """

    def decorate(
        method: Callable[Concatenate[Node, Arguments], Awaitable[None]],
    ) -> Callable[Concatenate[Node, Arguments], Worker[None]]:
        @wraps(method)
        def start(
            node: Node, /, *arguments: Arguments.args, **named: Arguments.kwargs
        ) -> Worker[None]:
            async def run() -> None:
                await telling(node.app, method(node, *arguments, **named))

            return node.run_worker(
                run, name=method.__name__, group=group, exclusive=True, exit_on_error=False
            )

        return start

    return decorate


async def telling(app: App[object], work: Awaitable[None]) -> None:
    """Waits for work, and tells people when it fails."""
    try:
        await work
    except Exception as e:
        # Whatever it is: a console that goes on without saying so is worse.
        logger.exception("the console failed at something")
        message = words.line(f"{type(e).__name__}: {e}"[:_MAX_MESSAGE])
        app.notify(
            f"the console failed at something: {message}",
            severity="error",
            markup=False,
            timeout=_SECONDS,
        )
