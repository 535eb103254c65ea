"""Runs the example system with any runner, and sends orders through it. Runs with Python 3.10 too.

An order has been through all three applications when ``Orders`` has recorded that it is paid.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from uuid import UUID

from eventsourcing.system import MultiThreadedRunner, Runner, SingleThreadedRunner
from eventsourcing.utils import get_topic

from benchmarks.programs.conversation import converse
from eventsourcing_grpc.application_client import GrpcError
from eventsourcing_grpc.example import Order, Orders, Payments, Reservations, system
from eventsourcing_grpc.runner import GrpcRunner

IN_PROCESS_RUNNERS: dict[str, type[Runner[Any]]] = {
    "SingleThreadedRunner": SingleThreadedRunner,
    "MultiThreadedRunner": MultiThreadedRunner,
}
_EVENTS_OF_AN_ORDER = 3
_START_TIMEOUT = 20.0
_PROCESSING_TIMEOUT = 240.0
_POLL_INTERVAL = 0.005
_ORDER_POLL_INTERVAL = 0.001

Paid = Callable[[UUID], None]


class RunningSystem:
    """One run of the system, until it is stopped or this process ends."""

    def __init__(self) -> None:
        self._runner: Runner[Any] | None = None
        self._orders_created = 0

    @property
    def _running(self) -> Runner[Any]:
        if self._runner is None:
            msg = "The system does not run"
            raise RuntimeError(msg)
        return self._runner

    def start(self, runner: str, env: dict[str, str]) -> float:
        """Starts the system, and returns after how many seconds all applications have answered.

        :param runner: the name of the runner's class. Servers have processes of their own.
        """
        started = perf_counter()
        if runner == "GrpcRunner":
            grpc_runner = GrpcRunner(system, env)
            self._runner = grpc_runner
            grpc_runner.start(with_subprocesses=True)
        else:
            self._runner = IN_PROCESS_RUNNERS[runner](system, env)
            self._runner.start()
        for app_class in (Orders, Reservations, Payments):
            self._wait_for_answer(app_class)
        return perf_counter() - started

    def orders(self, count: int, callers: int) -> float:
        """Returns how many orders a second are created and paid.

        :param callers: threads that create orders, each the next one when it knows the last one's ID.
        """
        orders = self._running.get(Orders)

        def create_orders(share: int) -> None:
            for _ in range(share):
                orders.create_new_order()

        shares = [count // callers + (i < count % callers) for i in range(callers)]
        self._orders_created += count
        started = perf_counter()
        with ThreadPoolExecutor(callers) as executor:
            for future in [executor.submit(create_orders, share) for share in shares]:
                future.result()
        last = _EVENTS_OF_AN_ORDER * self._orders_created
        deadline = perf_counter() + _PROCESSING_TIMEOUT
        while not orders.notification_log.select(start=last, limit=1):
            _check_deadline(deadline, "The orders were not paid")
            time.sleep(_POLL_INTERVAL)
        return count / (perf_counter() - started)

    def latencies(self, count: int, seconds: float, notice: str, pause: float) -> list[float]:
        """Returns how many seconds pass, order after order, from creating it to its being paid.

        :param count: how many orders are created at most.
        :param seconds: after which no more are created.
        :param notice: how the payment is noticed: by ``subscribe`` on the log of ``Orders``, by
            asking (``poll``), or by the ``return`` of the method, for a runner that processes
            everything before that.
        :param pause: seconds between two orders.
        """
        orders = self._running.get(Orders)
        latencies: list[float] = []
        ends = perf_counter() + seconds
        with {"subscribe": self._subscribe, "poll": self._poll, "return": self._return}[
            notice
        ]() as wait_until_paid:
            while len(latencies) < count and perf_counter() < ends:
                time.sleep(pause)
                started = perf_counter()
                order_id = orders.create_new_order()
                wait_until_paid(order_id)
                latencies.append(perf_counter() - started)
                self._orders_created += 1
        return latencies

    def stop(self) -> None:
        """Stops the system."""
        if self._runner is not None:
            self._runner.stop()
            self._runner = None
            self._orders_created = 0

    @contextmanager
    def _subscribe(self) -> Iterator[Paid]:
        runner = self._running
        assert isinstance(runner, GrpcRunner)
        client = runner.client("Orders")
        after = _EVENTS_OF_AN_ORDER * self._orders_created
        topics = [get_topic(Order.Paid)]
        with client.subscribe(gt=after, topics=topics) as subscription:

            def wait_until_paid(order_id: UUID) -> None:
                for notification in subscription:
                    if notification.originator_id == order_id:
                        return

            yield wait_until_paid

    @contextmanager
    def _poll(self) -> Iterator[Paid]:
        orders = self._running.get(Orders)

        def wait_until_paid(order_id: UUID) -> None:
            deadline = perf_counter() + _PROCESSING_TIMEOUT
            while not orders.is_order_paid(order_id):
                _check_deadline(deadline, "The order was not paid")
                time.sleep(_ORDER_POLL_INTERVAL)

        yield wait_until_paid

    @contextmanager
    def _return(self) -> Iterator[Paid]:
        orders = self._running.get(Orders)
        last: list[UUID] = []
        yield last.append
        if not all(map(orders.is_order_paid, last)):
            msg = "An order was not paid when the method returned"
            raise RuntimeError(msg)

    def _wait_for_answer(self, app_class: type[Any]) -> None:
        deadline = perf_counter() + _START_TIMEOUT
        while True:
            try:
                self._running.get(app_class).notification_log.select(start=1, limit=1)
            except GrpcError:
                _check_deadline(deadline, f"{app_class.__name__} did not answer")
                time.sleep(_POLL_INTERVAL)
            else:
                return


def _check_deadline(deadline: float, message: str) -> None:
    if perf_counter() > deadline:
        raise TimeoutError(message)


if __name__ == "__main__":
    running_system = RunningSystem()
    try:
        converse(
            {
                "start": running_system.start,
                "orders": running_system.orders,
                "latencies": running_system.latencies,
                "stop": running_system.stop,
            }
        )
    finally:
        running_system.stop()
