"""Describes an application to operators, who have none of its code."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from typing import Any

from eventsourcing.application import Application

from eventsourcing_grpc.methods import ExposedMethod, ExposedMethods, MethodKind
from eventsourcing_grpc.protos import operations_pb2 as pb
from eventsourcing_grpc.server.served_system import ServedSystem

logger = logging.getLogger(__name__)

_PERSISTENCE_KINDS = {
    "eventsourcing.popo": "memory",
    "eventsourcing.sqlite": "sqlite",
    "eventsourcing.postgres": "postgres",
}
_METHOD_KINDS = {
    MethodKind.COMMAND: pb.METHOD_KIND_COMMAND,
    MethodKind.QUERY: pb.METHOD_KIND_QUERY,
}
_ANY_PARAMETERS = '{"type":"object"}'


def describe(
    application: Application[Any],
    methods: ExposedMethods,
    identity: ServedSystem,
    event_topics: Iterable[str],
) -> pb.DescribeResponse:
    """Returns what there is to know of an application and its system, and no secret of it."""
    own = next((a for a in identity.applications if a.name == identity.name), None)
    return pb.DescribeResponse(
        name=identity.name,
        topic=identity.topic,
        versions=_versions(),
        persistence=_persistence_kind(application),
        methods=map(_describe_method, methods),
        event_topics=event_topics,
        leads=[a.name for a in identity.applications if identity.name in a.follows],
        follows=own.follows if own is not None else (),
        applications=[
            pb.SystemApplication(name=a.name, address=a.address, follows=a.follows)
            for a in identity.applications
        ],
        system_topic=identity.system_topic,
    )


def _persistence_kind(application: Application[Any]) -> str:
    module = type(application.factory).__module__
    return _PERSISTENCE_KINDS.get(module, module)


def _describe_method(method: ExposedMethod) -> pb.Method:
    return pb.Method(
        name=method.name,
        kind=_METHOD_KINDS[method.kind],
        docstring=method.docstring,
        signature=method.signature,
        parameters_schema=_parameters_schema(method),
    )


def _parameters_schema(method: ExposedMethod) -> str:
    # Importing pydantic takes longer than all else that a server does to start.
    from eventsourcing_grpc.calls.json_arguments import parameters_schema

    try:
        return parameters_schema(method)
    except Exception:
        # Annotations run code that is not ours: an application is described all the same.
        logger.exception(
            "The parameters of %s.%s can't be described", method.application_name, method.name
        )
        return _ANY_PARAMETERS


@cache
def _versions() -> pb.Versions:
    return pb.Versions(
        eventsourcing_grpc=_version("eventsourcing-grpc"),
        eventsourcing=_version("eventsourcing"),
        grpcio=_version("grpcio"),
        python=platform.python_version(),
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        # It runs from its source files.
        return ""
