"""The program ``esgrpc-console``: makes sure that what it is made of is installed."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

_NEEDED = ("click", "platformdirs", "rich", "textual")
_INTERRUPTED = 130
_INSTALL = "pip install 'eventsourcing-grpc[console]'"


def main() -> None:
    """Runs the command line, or says how to install what it needs."""
    if any(find_spec(name) is None for name in _NEEDED):
        sys.stderr.write(
            f"esgrpc-console is not installed completely. Install it with: {_INSTALL}\n"
        )
        sys.exit(2)
    # What eventsourcing_grpc.name_resolution does, without importing it for nothing.
    os.environ.setdefault("GRPC_DNS_RESOLVER", "native")
    # What gRPC's core writes would go over the screen, and is no use to the person, who is told
    # what is wrong. It looks at this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from esgrpc_console.cli import main as run
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
