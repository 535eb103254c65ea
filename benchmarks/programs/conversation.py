"""How a program answers the benchmark that started it: a line of JSON for a line of JSON.

The other side is ``benchmarks.processes``. Runs with Python 3.10 too.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence

Answer = float | Sequence[float] | None


def converse(commands: Mapping[str, Callable[..., Answer]]) -> None:
    """Executes commands until standard input is closed, as it is when the other side ends.

    Whatever else is printed in this process and its children goes to standard error.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            request = json.loads(line)
            try:
                result = commands[request["command"]](**request["arguments"])
                answer: dict[str, object] = {"result": result}
            except Exception:  # told to the other side, which decides
                answer = {"error": traceback.format_exc()}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
