"""A program that subscribes to a Notebook, says so, and never ends."""

from __future__ import annotations

import sys

from eventsourcing_grpc.application_client import connect
from tests.applications import Notebook


def main() -> None:
    """Writes the ID of each notification to standard output."""
    address = sys.argv[1]
    client = connect(Notebook, {"NOTEBOOK_GRPC_SERVER_ADDRESS": address}, max_attempts=10)
    for notification in client.subscribe():
        sys.stdout.write(f"{notification.id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
