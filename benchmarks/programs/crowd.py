"""Serves a system of many applications that follow each other, all in this process and at rest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eventsourcing.system import ProcessApplication, System
from eventsourcing.utils import register_topic

from benchmarks.processes import free_addresses
from benchmarks.programs.conversation import converse
from eventsourcing_grpc.runner import GrpcRunner


class Crowd:
    """Serves the system, until this process ends."""

    def __init__(self) -> None:
        self._runner: GrpcRunner | None = None

    def serve(self, applications: int, follows: int, address: str) -> None:
        """Starts serving.

        :param follows: how many others each application follows.
        :param address: of the first of them.
        """
        classes = [_make_class(number) for number in range(applications)]
        pipes: list[list[type[Any]]] = [
            [leader, classes[(number + step) % applications]]
            for number, leader in enumerate(classes)
            for step in range(1, follows + 1)
        ]
        env = {
            f"{cls.name.upper()}_GRPC_SERVER_ADDRESS": other
            for cls, other in zip(
                classes, [address, *free_addresses(applications - 1)], strict=True
            )
        }
        self._runner = GrpcRunner(System(pipes), env)
        self._runner.start()

    def stop(self) -> None:
        """Stops serving."""
        if self._runner is not None:
            self._runner.stop()


def _make_class(number: int) -> type[ProcessApplication[UUID]]:
    name = f"Application{number:02}"
    cls = type(name, (ProcessApplication,), {"name": name, "__module__": __name__})
    register_topic(f"{__name__}:{name}", cls)
    return cls


if __name__ == "__main__":
    crowd = Crowd()
    try:
        converse({"serve": crowd.serve})
    finally:
        crowd.stop()
