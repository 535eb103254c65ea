"""``python -m eventsourcing_grpc server|runner|health``: the commands, without their scripts."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command that the first argument names."""
    name, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    match name:
        case "server":
            from eventsourcing_grpc.commands import eventsourcing_grpc_server

            eventsourcing_grpc_server(arguments)
        case "runner":
            from eventsourcing_grpc.commands import eventsourcing_grpc_runner

            eventsourcing_grpc_runner(arguments)
        case "health":
            from eventsourcing_grpc.server import health_check

            health_check.main(arguments)
        case _:
            sys.stderr.write("usage: python -m eventsourcing_grpc {server,runner,health} …\n")
            sys.exit(2)


if __name__ == "__main__":
    main()
