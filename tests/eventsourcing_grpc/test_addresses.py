"""Addresses: which are good, which are private to this machine, which are free."""

from __future__ import annotations

import socket

import pytest

from eventsourcing_grpc.addresses import (
    check_address,
    choose_free_address,
    is_loopback,
    is_loopback_peer,
    split_address,
)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("localhost:50051", "localhost", 50051),
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("[::1]:65535", "::1", 65535),
        ("orders.shop.svc.cluster.local:50051", "orders.shop.svc.cluster.local", 50051),
        ("0.0.0.0:1", "0.0.0.0", 1),
    ],
)
def test_address_has_a_host_and_a_port(address: str, host: str, port: int) -> None:
    assert split_address(address) == (host, port)
    assert check_address(address) == ""


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "no port"),
        ("localhost", "no port"),
        ("localhost:", "'' is not a port"),
        (":50051", "no host"),
        ("[]:50051", "no host"),
        ("localhost:http", "'http' is not a port"),
        ("localhost:-1", "'-1' is not a port"),
        ("localhost:65536", "'65536' is not a port"),
        ("localhost:" + "9" * 5_000, "is not a port"),
        ("localhost:٣", "is not a port"),
        ("local host:50051", "'local host' is not a host"),
        ("me@localhost:50051", "is not a host"),
        ("::1:50051", "in brackets"),
        ("http://localhost:50051", "without 'http://'"),
        ("localhost:50051/", "is not a port"),
        ("unix:", "no path"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(address: str, problem: str) -> None:
    assert problem in check_address(address)


@pytest.mark.parametrize(
    "address", ["localhost:1", "127.0.0.1:1", "127.255.0.1:1", "[::1]:1", "unix:/tmp/x", "unix:x"]
)
def test_addresses_that_only_this_machine_reaches(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "orders:1", "localhost.example.com:1", "[fe80::1]:1"],
)
def test_addresses_that_others_reach(address: str) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize(
    "peer",
    [
        "ipv4:127.0.0.1:4321",
        "ipv4:127.0.0.1",
        "ipv6:%5B::1%5D:4321",
        "ipv6:[::1]",
        "unix:",
        "unix:/x",
    ],
)
def test_peers_on_this_machine(peer: str) -> None:
    assert is_loopback_peer(peer)


@pytest.mark.parametrize("peer", ["ipv4:10.0.0.1:4321", "ipv6:%5B2001:db8::1%5D:4321", "", "x"])
def test_peers_elsewhere(peer: str) -> None:
    assert not is_loopback_peer(peer)


def test_free_address_can_be_listened_on() -> None:
    host, port = split_address(choose_free_address())
    assert host == "localhost"
    assert port >= 50051
    socket.create_server(("127.0.0.1", port)).close()


def test_free_address_is_not_one_that_is_listened_on_or_taken() -> None:
    first = choose_free_address()
    assert choose_free_address({first}) != first
    _, port = split_address(first)
    with socket.create_server(("127.0.0.1", port)):
        assert choose_free_address() != first
