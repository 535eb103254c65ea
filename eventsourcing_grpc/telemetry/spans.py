"""What spans say of errors: their classes and where they were raised, and never what they say.

The message of an exception may have part of an event or an argument in it, or a secret of a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from opentelemetry.trace import Span, Status, StatusCode, Tracer, TracerProvider

from eventsourcing_grpc.calls.tracebacks import format_frames

SCOPE = "eventsourcing_grpc"


def tracer_of(provider: TracerProvider) -> Tracer:
    """Returns what makes the spans of this package."""
    try:
        own_version = version("eventsourcing-grpc")
    except PackageNotFoundError:
        # It runs from its source files.
        own_version = ""
    return provider.get_tracer(SCOPE, own_version)


def add_exception(
    span: Span, error: BaseException, attributes: Mapping[str, int] | None = None
) -> None:
    """Adds an exception to a span, without its message.

    See https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/.
    """
    span.add_event(
        "exception",
        {
            "exception.type": type_name(error),
            "exception.stacktrace": format_frames(error),
            **(attributes or {}),
        },
    )


def mark_failed(span: Span, error_type: str) -> None:
    """Lets a span count as failed.

    :param error_type: of few kinds: a status, or the name of a class.
    """
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))


def type_name(error: BaseException) -> str:
    """Returns the name of an exception's class, with its module unless that is ``builtins``."""
    cls = type(error)
    return (
        cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    )
