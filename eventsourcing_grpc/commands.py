"""The commands ``eventsourcing_grpc_server`` and ``eventsourcing_grpc_runner``."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO

from eventsourcing_grpc.access.gathered_lines import GatheredLines
from eventsourcing_grpc.environment import APPLICATION_TOPIC, SYSTEM_TOPIC
from eventsourcing_grpc.name_resolution import resolve_as_other_programs
from eventsourcing_grpc.server.supervision import (
    exit_soon,
    stop_while_starting,
    stop_with_parent,
    take_standard_output,
)
from eventsourcing_grpc.server_process import write_to_stderr
from eventsourcing_grpc.tls.refused_connections import RefusedConnections, are_told
from eventsourcing_grpc.topics import add_app_dir, resolve_application, resolve_system
from eventsourcing_grpc.user_errors import UserError

if TYPE_CHECKING:
    from eventsourcing_grpc.application_server import GrpcApplicationServer

logger = logging.getLogger(__name__)
# That of call_audit, which is not to be imported yet.
_calls_logger = logging.getLogger("eventsourcing_grpc.audit.calls")

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LOG_LEVELS = ("debug", "info", "warning", "error")
_USER_ERROR_STATUS = 2
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def eventsourcing_grpc_server(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one application's server until it is interrupted."""
    parser = _parser(
        "eventsourcing_grpc_server",
        "Serves one event-sourced application with gRPC.",
        f"topic of the application class, such as shop.applications:Orders (default: ${APPLICATION_TOPIC})",
        "NAME_GRPC_SERVER_ADDRESS is the address of each application, and SYSTEM_TOPIC says whom a "
        "follower follows. SIGINT and SIGTERM stop the server gracefully.",
    )
    parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--check",
        action="store_true",
        help="say what would be served where, with which certificate, and what is wrong with that "
        "(status 2), and serve nothing",
    )
    parser.add_argument(
        "--audit-calls",
        action=argparse.BooleanOptionalAction,
        help="log a line for each command that a program calls (default: with TLS). "
        "What operators call, and what is refused, is logged anyway",
    )
    options = parser.parse_args(arguments)
    if options.audit_calls is not None:
        level = logging.DEBUG if options.audit_calls else logging.WARNING
        _calls_logger.setLevel(level)
    add_app_dir(options.app_dir)
    topic = options.topic or os.environ.get(APPLICATION_TOPIC)
    if not topic:
        parser.error(f"no application: name its topic, or set {APPLICATION_TOPIC}")
    if options.check:
        _run(parser, options.log_level, lambda stop: _check(topic))
    refusals = None
    if are_told(os.environ):
        refusals = RefusedConnections()
        refusals.start()
    try:
        _run(
            parser,
            options.log_level,
            lambda stop: _serve(topic, stop, refusals, is_supervised=options.supervised),
        )
    finally:
        if refusals is not None:
            refusals.close()


def eventsourcing_grpc_runner(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a system, each application in a process of its own, until it is interrupted."""
    parser = _parser(
        "eventsourcing_grpc_runner",
        "Serves a system of event-sourced applications with gRPC, each in a process of its own.",
        "topic of the system, such as shop.applications:system, or of a module that has just one "
        f"(default: ${SYSTEM_TOPIC})",
        "Applications without a NAME_GRPC_SERVER_ADDRESS get a free port of localhost, from 50051 "
        "upward. SIGINT and SIGTERM stop the system gracefully.",
    )
    options = parser.parse_args(arguments)
    add_app_dir(options.app_dir)
    topic = options.topic or os.environ.get(SYSTEM_TOPIC)
    if not topic:
        parser.error(f"no system: name its topic, or set {SYSTEM_TOPIC}")
    _run(parser, options.log_level, lambda stop: _run_system(topic, stop))


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(_USER_ERROR_STATUS, f"{self.prog}: error: {' '.join(message.split())}\n")


def _parser(
    program: str, description: str, topic_help: str, epilog: str
) -> argparse.ArgumentParser:
    parser = _Parser(prog=program, description=description, epilog=epilog)
    parser.add_argument("topic", metavar="TOPIC", nargs="?", help=topic_help)
    parser.add_argument(
        "--app-dir", metavar="DIR", help="where modules are found (default: the working directory)"
    )
    parser.add_argument(
        "--log-level", choices=LOG_LEVELS, default="info", help="what is logged (default: info)"
    )
    return parser


def _run(
    parser: argparse.ArgumentParser, log_level: str, run: Callable[[threading.Event], int]
) -> NoReturn:
    _begin_logging(log_level)
    resolve_as_other_programs()
    try:
        status = run(_event_of_signals())
    except Exception as e:
        logger.debug("This is where it was raised", exc_info=e)
        # Errors of this package say all by themselves.
        is_own = isinstance(e, UserError)
        text = str(e) if is_own else f"{type(e).__name__}: {e}"
        parser.error(text)
    # The interpreter's end puts the system's own handlers back, which kill.
    for signal_number in _STOP_SIGNALS:
        signal.signal(signal_number, signal.SIG_IGN)
    exit_soon(status)
    sys.exit(status)


def _begin_logging(level: str) -> None:
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format=_LOG_FORMAT)
    # There may be thousands a second of these. The interpreter's end writes the last of them.
    lines = GatheredLines(sys.stderr)
    lines.setFormatter(logging.Formatter(_LOG_FORMAT))
    _calls_logger.addHandler(lines)
    _calls_logger.propagate = False


def _event_of_signals() -> threading.Event:
    """Returns an event that is set when this process is asked to stop.

    Python runs handlers in the main thread, in the middle of anything, other handlers included,
    and not before it wakes up: a signal that comes just before it begins to wait is not heard.
    What the interpreter writes to the "wake-up" descriptor is heard at once, by a thread.
    """
    is_stopping = threading.Event()
    reading_end, writing_end = os.pipe()
    os.set_blocking(writing_end, False)
    signal.set_wakeup_fd(writing_end, warn_on_full_buffer=False)

    def wait_for_signal() -> None:
        # One byte for each signal, its number. Applications may have handlers of their own.
        while os.read(reading_end, 1)[0] not in _STOP_SIGNALS:
            pass
        is_stopping.set()

    def do_nothing(signal_number: int, frame: object) -> None:
        pass

    threading.Thread(target=wait_for_signal, name="signals", daemon=True).start()
    for signal_number in _STOP_SIGNALS:
        signal.signal(signal_number, do_nothing)
    return is_stopping


def _serve(
    topic: str,
    is_stopping: threading.Event,
    refusals: RefusedConnections | None,
    *,
    is_supervised: bool,
) -> int:
    parent: TextIO | None = None
    if is_supervised:
        stop_with_parent(is_stopping)
        parent = take_standard_output()
    has_started = threading.Event()
    stop_while_starting(
        is_stopping,
        has_started,
        lambda: logger.warning("%s was stopped before it served", topic),
    )
    try:
        server = _start(topic, is_stopping, refusals)
    finally:
        has_started.set()
    # What has been loaded by now stays: the garbage collector need not look at it again.
    gc.freeze()
    if parent is not None:
        # What 'ServerProcess' waits for.
        with parent:
            parent.write(f"{server.address}\n")
    server.wait_for_termination()
    return 0


def _start(
    topic: str, is_stopping: threading.Event, refusals: RefusedConnections | None
) -> GrpcApplicationServer:
    app_class = resolve_application(topic)
    # Imported late, so that a wrong argument is answered at once.
    from eventsourcing_grpc.application_server import start_server

    if refusals is not None:
        refusals.tell(app_class.name)
    return start_server(app_class, is_stopping=is_stopping)


def _check(topic: str) -> int:
    app_class = resolve_application(topic)
    from eventsourcing_grpc.server.configuration_check import check_configuration

    check = check_configuration(app_class)
    for what, text in check.facts:
        sys.stdout.write(f"{what:<12} {text}\n")
    for kind, texts in (("warning", check.warnings), ("error", check.problems)):
        for text in texts:
            sys.stderr.write(f"{kind}: {text}\n")
    if check.problems:
        return _USER_ERROR_STATUS
    sys.stdout.write(f"{app_class.name} can be served\n")
    return 0


def _run_system(topic: str, is_stopping: threading.Event) -> int:
    system = resolve_system(topic)
    from eventsourcing_grpc.runner import GrpcRunner, RunnerStoppedError

    output = _ServerOutput()
    runner = GrpcRunner(system, output=output)

    def stop_when_asked() -> None:
        is_stopping.wait()
        runner.stop()

    # A server that takes its time to start must not keep the system from being stopped.
    threading.Thread(target=stop_when_asked, name="stopper", daemon=True).start()
    try:
        runner.start(with_subprocesses=True)
        output.release()
        for name, address in runner.addresses.items():
            logger.info("%s is serving on %s", name, address)
        while not is_stopping.wait(0.2):
            if runner.has_errored.is_set():
                return 1
    except RunnerStoppedError:
        return 0
    finally:
        runner.stop()
    return 0


class _ServerOutput:
    """Holds back what servers write until all of them serve. If one does not, its error has it."""

    def __init__(self) -> None:
        self._held: list[tuple[str, str]] = []
        self._is_released = False
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self._lock:
            if self._is_released:
                write_to_stderr(name, line)
            else:
                self._held.append((name, line))

    def release(self) -> None:
        """Writes what was held back, and from now on everything at once."""
        with self._lock:
            for name, line in self._held:
                write_to_stderr(name, line)
            self._held.clear()
            self._is_released = True
