"""Finds applications and systems by topics that people type."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import Any

from eventsourcing.application import Application
from eventsourcing.system import System
from eventsourcing.utils import resolve_topic

from eventsourcing_grpc.user_errors import UserError


class TopicArgumentError(UserError, ValueError):
    """Raised when a topic doesn't lead to what it should. The message names topic and remedy."""


def add_app_dir(app_dir: str | os.PathLike[str] | None = None) -> None:
    """Lets modules be found in a directory, as ``python -m`` finds them in the working directory."""
    path = os.path.abspath(app_dir or os.getcwd())
    if path not in sys.path:
        sys.path.insert(0, path)


def resolve_application(topic: str) -> type[Application[Any]]:
    """Returns the application class of a topic such as ``shop.applications:Orders``.

    :raises TopicArgumentError: when the topic doesn't resolve, or to something else.
    """
    obj = _resolve(topic, "an application class", "shop.applications:Orders")
    if isinstance(obj, type) and issubclass(obj, Application):
        return obj
    msg = f"{topic!r} is {_describe(obj)}, not an application class"
    raise TopicArgumentError(msg)


def resolve_system(topic: str) -> System:
    """Returns the system of a topic such as ``shop.applications:system``,
    or the only system of a module such as ``shop.applications``.

    :raises TopicArgumentError: when the topic doesn't resolve, or not to one system.
    """
    obj = _resolve(topic, "a system", "shop.applications:system")
    if isinstance(obj, ModuleType):
        systems = {name: value for name, value in vars(obj).items() if isinstance(value, System)}
        if len({id(system) for system in systems.values()}) == 1:
            return next(iter(systems.values()))
        found = ", ".join(f"{topic}:{name}" for name in systems)
        msg = (
            f"{topic!r} is a module with {len(systems)} systems: name one of {found}"
            if systems
            else f"{topic!r} is a module without a system"
        )
        raise TopicArgumentError(msg)
    if isinstance(obj, System):
        return obj
    msg = f"{topic!r} is {_describe(obj)}, not a system"
    raise TopicArgumentError(msg)


def system_topic(system: System) -> str:
    """Returns a topic by which other processes find a system.

    :raises TopicArgumentError: when it is not an attribute of a module that they can import.
    """
    try:
        topic = system.topic
    except Exception as e:
        msg = (
            "Other processes can't find this system: make it an attribute of a module, "
            "such as shop.applications:system"
        )
        raise TopicArgumentError(msg) from e
    if topic.startswith("__main__:"):
        msg = (
            f"Other processes can't import the system {topic!r}: move it from the script "
            "that is being run to a module of its own"
        )
        raise TopicArgumentError(msg)
    return topic


def _resolve(topic: str, what: str, example: str) -> object:
    module_name = topic.partition(":")[0]
    if not module_name or any(not part.isidentifier() for part in module_name.split(".")):
        msg = f"{topic!r} is not a topic of {what}. A good one is {example}"
        raise TopicArgumentError(msg)
    try:
        importlib.import_module(module_name)
    except ModuleNotFoundError as e:
        if e.name is not None and (module_name + ".").startswith(e.name + "."):
            msg = f"{topic!r} doesn't resolve: there is no module {e.name!r} here"
        else:
            msg = f"{topic!r} doesn't resolve: its module needs {e.name!r}, which is not here"
        raise TopicArgumentError(msg) from e
    except (Exception, SystemExit) as e:
        msg = f"{topic!r} doesn't resolve: importing {module_name!r} raised {_one_line(e)}"
        raise TopicArgumentError(msg) from e
    try:
        return resolve_topic(topic)
    except Exception as e:
        attribute = topic.partition(":")[2]
        msg = f"{topic!r} doesn't resolve: module {module_name!r} has no {attribute!r}"
        raise TopicArgumentError(msg) from e


def _describe(obj: object) -> str:
    if isinstance(obj, System):
        return "a system"
    if isinstance(obj, ModuleType):
        return "a module"
    if isinstance(obj, type):
        kind = "an application class" if issubclass(obj, Application) else "a class"
        return f"{kind} ({obj.__name__})"
    return f"an object of type {type(obj).__name__}"


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
