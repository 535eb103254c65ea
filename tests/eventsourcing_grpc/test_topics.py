"""Tests of topics that people type: what they lead to, and what is said of those that don't."""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path

import pytest
from eventsourcing.system import System

from eventsourcing_grpc import example
from eventsourcing_grpc.topics import (
    TopicArgumentError,
    add_app_dir,
    resolve_application,
    resolve_system,
    system_topic,
)

_numbers = count(1)

TWO_SYSTEMS = """
from eventsourcing.system import System
from eventsourcing_grpc.example import Orders
first = System([[Orders]])
second = System([[Orders]])
"""
ONE_SYSTEM = """
from eventsourcing.system import System
from eventsourcing_grpc.example import Orders
shop = System([[Orders]])
the_same = shop
"""


class Directory:
    """Where the modules of a test are found."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write_module(self, code: str) -> str:
        """Returns the name of a new module."""
        name = f"topics_test_{next(_numbers)}"
        (self.path / f"{name}.py").write_text(code)
        return name


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.syspath_prepend(tmp_path)
    return Directory(tmp_path)


def test_application_is_found_by_its_topic() -> None:
    assert resolve_application("eventsourcing_grpc.example:Orders") is example.Orders


def test_system_is_found_by_its_topic() -> None:
    assert resolve_system("eventsourcing_grpc.example:system") is example.system


def test_only_system_of_a_module_may_be_named_alone(directory: Directory) -> None:
    assert resolve_system("eventsourcing_grpc.example") is example.system

    name = directory.write_module(ONE_SYSTEM)
    assert list(resolve_system(name).nodes) == ["Orders"]


def test_module_with_two_systems_has_to_say_which(directory: Directory) -> None:
    name = directory.write_module(TWO_SYSTEMS)
    with pytest.raises(
        TopicArgumentError, match=f"with 2 systems: name one of {name}:first, {name}:second"
    ):
        resolve_system(name)


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("", "'' is not a topic of a system. A good one is shop.applications:system"),
        (":system", "is not a topic"),
        ("shop applications", "is not a topic"),
        ("../shop.py", "is not a topic"),
        ("no_such_module:system", "there is no module 'no_such_module' here"),
        ("eventsourcing_grpc.nothing:system", "there is no module 'eventsourcing_grpc.nothing'"),
        ("eventsourcing_grpc.example:shop", "'eventsourcing_grpc.example' has no 'shop'"),
        ("eventsourcing_grpc.example:system:x", "has no 'system:x'"),
        ("eventsourcing_grpc.example:Orders", r"an application class \(Orders\), not a system"),
        ("eventsourcing_grpc.example:Order", r"is a class \(Order\), not a system"),
        ("eventsourcing_grpc.methods", "is a module without a system"),
        ("math:pi", "is an object of type float, not a system"),
    ],
)
def test_topic_that_is_not_a_system_s(topic: str, message: str) -> None:
    with pytest.raises(TopicArgumentError, match=message) as caught:
        resolve_system(topic)
    assert "\n" not in str(caught.value)
    assert repr(topic) in str(caught.value)


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("", "'' is not a topic of an application class. A good one is shop.applications:Orders"),
        ("eventsourcing_grpc.example", "is a module, not an application class"),
        ("eventsourcing_grpc.example:system", "is a system, not an application class"),
        ("eventsourcing_grpc.example:Order", r"is a class \(Order\), not an application class"),
        ("eventsourcing_grpc.example:Invoices", "has no 'Invoices'"),
        ("os.path:join", "is an object of type function, not an application class"),
    ],
)
def test_topic_that_is_not_an_application_s(topic: str, message: str) -> None:
    with pytest.raises(TopicArgumentError, match=message) as caught:
        resolve_application(topic)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import no_such_module", "its module needs 'no_such_module', which is not here"),
        ("1 / 0", "raised ZeroDivisionError: division by zero"),
        ("raise ValueError('a\\nb')", "raised ValueError: a b"),
        ("raise ValueError", "raised ValueError$"),
        ("def f(:", "raised SyntaxError"),
        ("import sys; sys.exit(3)", "raised SystemExit: 3"),
    ],
)
def test_module_that_can_not_be_imported(directory: Directory, code: str, message: str) -> None:
    name = directory.write_module(code)
    with pytest.raises(TopicArgumentError, match=message) as caught:
        resolve_system(f"{name}:system")
    assert "\n" not in str(caught.value)


def test_modules_are_found_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = Directory(tmp_path).write_module(ONE_SYSTEM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    add_app_dir()
    add_app_dir()

    assert sys.path.count(os.fspath(tmp_path)) == 1
    assert system_topic(resolve_system(name)) in {f"{name}:shop", f"{name}:the_same"}


def test_modules_are_found_in_a_directory_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = Directory(tmp_path).write_module(ONE_SYSTEM)
    monkeypatch.setattr(sys, "path", sys.path[:])
    add_app_dir(tmp_path)

    assert isinstance(resolve_system(name), System)


def test_system_of_a_module_has_a_topic() -> None:
    assert system_topic(example.system) == "eventsourcing_grpc.example:system"


def test_system_that_no_module_has_as_an_attribute_has_no_topic() -> None:
    system = System([[example.Orders]])

    with pytest.raises(TopicArgumentError, match="make it an attribute of a module"):
        system_topic(system)
