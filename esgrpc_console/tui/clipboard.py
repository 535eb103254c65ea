"""Puts text on the clipboard: through the terminal (OSC 52), and with the desktop's own program.

A terminal may ignore OSC 52 without a word, and a desktop's program is missing on most servers:
where both are there, both are used.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from shutil import which

from textual.app import App

from esgrpc_console.system_view import words

logger = logging.getLogger(__name__)

_MAX_OSC_52_BYTES = 74_994
"""What xterm takes. Others take more, but none takes it half."""
_TIMEOUT = 2.0
_MAX_SHOWN = 60


def copy(app: App[object], text: str, what: str = "") -> None:
    """Copies text, and says so.

    :param what: what it is, in words: "the event". By default the beginning of the text.
    """
    # Halves of characters can't be written.
    written = text.encode("utf-8", "replace")
    text = written.decode()
    is_for_terminal = len(written) <= _MAX_OSC_52_BYTES
    if is_for_terminal:
        app.copy_to_clipboard(text)
    command = next(_commands(), None)
    if command is not None:
        app.run_worker(_feed(command, text), group="clipboard", exclusive=True, exit_on_error=False)
    if is_for_terminal or command is not None:
        app.notify(f"copied {what or _beginning(text)}", markup=False, timeout=3)
    else:
        app.notify(
            f"{what or 'the text'} is too long for the terminal's clipboard, "
            "and no wl-copy, xclip, xsel or pbcopy was found",
            severity="warning",
            markup=False,
        )


def _commands() -> Iterator[tuple[str, ...]]:
    if os.environ.get("WAYLAND_DISPLAY") and which("wl-copy"):
        yield ("wl-copy",)
    if os.environ.get("DISPLAY"):
        if which("xclip"):
            yield ("xclip", "-selection", "clipboard")
        if which("xsel"):
            yield ("xsel", "--clipboard", "--input")
    if which("pbcopy"):
        yield ("pbcopy",)


async def _feed(command: tuple[str, ...], text: str) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(_TIMEOUT):
            await process.communicate(text.encode("utf-8", "replace"))
    except (OSError, TimeoutError) as e:
        logger.warning("%s could not copy: %s", command[0], e)


def _beginning(text: str) -> str:
    line = words.line(text)
    return line if len(line) <= _MAX_SHOWN else f"{line[: _MAX_SHOWN - 1]}…"
