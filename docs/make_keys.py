"""Makes ``keys.md``, the table of the console's keys, from its own registry of actions.

Run it with ``make pictures``.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from esgrpc_console.tui.actions import ACTIONS
from esgrpc_console.tui.written_keys import written_keys

PATH = Path(__file__).parent / "keys.md"

_HEAD = """\
# Keys of the console

Every action is also in the command palette (`ctrl+p`) and works from there. Give one other keys by its ID in the
[configuration file](console.md#configuration):

```toml
[keys]
"log.follow" = "f,end"
```

This page is made from the program's own list of actions.
"""


def keys_page() -> str:
    """Returns the page."""
    parts = [_HEAD]
    for place, actions in groupby(ACTIONS, key=lambda info: info.place):
        parts.append(f"\n## {place}\n\n| keys | what they do | ID |\n| --- | --- | --- |\n")
        for info in actions:
            keys = " ".join(f"`{name}`" for name in written_keys(info.keys))
            note = " (changes something: asks first)" if info.is_changing else ""
            parts.append(f"| {keys} | {info.help}{note} | `{info.id}` |\n")
    return "".join(parts)


def main() -> None:
    """Writes the page."""
    PATH.write_text(keys_page(), "utf-8")
    print(f"made {PATH.relative_to(PATH.parents[1])}")


if __name__ == "__main__":
    main()
