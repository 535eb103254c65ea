"""``python -m eventsourcing_grpc server|runner``: the commands, without their scripts."""

from __future__ import annotations

import sys

from eventsourcing_grpc.commands import eventsourcing_grpc_runner, eventsourcing_grpc_server


def main() -> None:
    """Runs the command that the first argument names."""
    commands = {"server": eventsourcing_grpc_server, "runner": eventsourcing_grpc_runner}
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in commands:
        sys.stderr.write("usage: python -m eventsourcing_grpc {server,runner} …\n")
        sys.exit(2)
    commands[name](sys.argv[2:])


if __name__ == "__main__":
    main()
