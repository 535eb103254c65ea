"""Environment variables: where they are looked for, and what is said of those that can't be used."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import pytest
from eventsourcing.application import Application

from eventsourcing_grpc.environment import (
    DEFAULT_MAX_PULL_INTERVAL,
    CertificatePaths,
    EnvironmentVariableError,
    application_environment,
    certificate_paths,
    has_server_address,
    max_pull_interval,
    server_address,
    variable_name,
)


class Configured(Application[UUID]):
    env: ClassVar[dict[str, str]] = {"MAX_PULL_INTERVAL": "3", "COLOUR": "red", "SIZE": "small"}


def test_environment_is_that_of_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLOUR", "green")
    monkeypatch.setenv("SIZE", "large")
    env = application_environment(Configured, {"SIZE": "medium"})
    assert env.name == "Configured"
    # The caller's word counts more than the process's, and that more than the class's.
    assert (env["MAX_PULL_INTERVAL"], env["COLOUR"], env["SIZE"]) == ("3", "green", "medium")


def test_variables_may_begin_with_the_applications_name() -> None:
    assert variable_name("Orders", "GRPC_SERVER_ADDRESS") == "ORDERS_GRPC_SERVER_ADDRESS"
    env = {"GRPC_SERVER_ADDRESS": "localhost:1", "ORDERS_GRPC_SERVER_ADDRESS": "localhost:2"}
    assert server_address(env, "Orders") == "localhost:2"
    assert server_address(env, "Payments") == "localhost:1"


def test_missing_address_is_named() -> None:
    with pytest.raises(EnvironmentVariableError) as caught:
        server_address({"PAYMENTS_GRPC_SERVER_ADDRESS": "localhost:1"}, "Orders")
    assert "Orders" in str(caught.value)
    assert "ORDERS_GRPC_SERVER_ADDRESS" in str(caught.value)
    assert "localhost:50051" in str(caught.value)
    assert not has_server_address({}, "Orders")
    assert has_server_address({"ORDERS_GRPC_SERVER_ADDRESS": "localhost:1"}, "Orders")


@pytest.mark.parametrize("value", ["localhost", ":1", "localhost:70000", "a b:1", "\n:1", "[::1]"])
def test_malformed_address_is_named(value: str) -> None:
    with pytest.raises(EnvironmentVariableError) as caught:
        server_address({"ORDERS_GRPC_SERVER_ADDRESS": value}, "Orders")
    message = str(caught.value)
    assert f"ORDERS_GRPC_SERVER_ADDRESS={value!r} is not an address" in message
    assert "A good one is localhost:50051" in message
    assert "\n" not in message


@pytest.mark.parametrize(("value", "seconds"), [("1", 1.0), ("0.05", 0.05), (" 2 ", 2.0)])
def test_interval_is_a_number_of_seconds(value: str, seconds: float) -> None:
    assert max_pull_interval({"MAX_PULL_INTERVAL": value}, "Orders") == seconds
    assert max_pull_interval({"ORDERS_MAX_PULL_INTERVAL": value}, "Orders") == seconds


def test_interval_has_a_default() -> None:
    assert max_pull_interval({}, "Orders") == DEFAULT_MAX_PULL_INTERVAL


@pytest.mark.parametrize("value", ["abc", "-1", "0", "inf", "nan", "1s", "1e999"])
def test_interval_that_is_none_is_named(value: str) -> None:
    with pytest.raises(EnvironmentVariableError) as caught:
        max_pull_interval({"MAX_PULL_INTERVAL": value}, "Orders")
    assert f"MAX_PULL_INTERVAL={value!r}" in str(caught.value)
    assert "A good one is 1" in str(caught.value)


def test_certificates_need_not_be_configured() -> None:
    assert certificate_paths({}, "Orders") is None


def test_certificates_may_be_those_of_one_application() -> None:
    env = {
        "GRPC_SSL_PRIVATE_KEY_PATH": "key",
        "ORDERS_GRPC_SSL_PRIVATE_KEY_PATH": "orders key",
        "GRPC_SSL_CERTIFICATE_PATH": "certificate",
        "GRPC_SSL_ROOT_CERTIFICATE_PATH": "root",
    }
    assert certificate_paths(env, "Orders") == CertificatePaths("orders key", "certificate", "root")
    assert certificate_paths(env, "Payments") == CertificatePaths("key", "certificate", "root")


def test_missing_certificates_are_named() -> None:
    with pytest.raises(EnvironmentVariableError) as caught:
        certificate_paths({"GRPC_SSL_PRIVATE_KEY_PATH": "key"}, "Orders")
    missing = "set GRPC_SSL_CERTIFICATE_PATH and GRPC_SSL_ROOT_CERTIFICATE_PATH too"
    assert str(caught.value).endswith(missing)
