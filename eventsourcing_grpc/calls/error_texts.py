"""What exceptions say, as text that can always be sent: not too long, and without half characters.

The classes of exceptions are the application's own. What they say may be anything, and may fail.
"""

from __future__ import annotations

import logging

logger = logging.getLogger(__name__)


def message_of(error: BaseException) -> str:
    """Returns what an exception says. Empty: it says nothing, or can't be shown as text."""
    try:
        return str(error)
    except Exception:
        logger.exception("%s can't be shown as text", type(error).__name__)
        return ""


def hide_values(error: BaseException) -> None:
    """Takes out of what a database has said, which may be a whole row, all but its first sentence.

    What has been raised because of it repeats it, and loses it as well.
    """
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or each.__context__
    for each in chain:
        # As psycopg has it: https://www.psycopg.org/psycopg3/docs/api/errors.html
        said = getattr(getattr(each, "diag", None), "message_primary", None)
        if not isinstance(said, str):
            continue
        whole = message_of(each)
        for other in chain:
            if message_of(other) == whole:
                other.args = (said,)


def beginning_of(text: str, limit: int) -> str:
    """Returns as much of a text as there is room for.

    :param limit: in bytes.
    """
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"


def end_of(text: str, limit: int) -> str:
    """Returns as much of the end of a text as there is room for.

    :param limit: in bytes.
    """
    return text.encode(errors="replace")[-limit:].decode(errors="ignore")
