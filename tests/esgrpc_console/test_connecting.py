"""How a system is found and connected to: addresses, certificates, and what is said when it fails."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from eventsourcing.utils import EnvType

from esgrpc_console.system_view import (
    ConnectionOptions,
    Health,
    OptionError,
    RequestFailed,
    SystemUnreachable,
    SystemView,
)
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.example import Payments
from eventsourcing_grpc.example import system as example
from make_certificates import make_certificate, make_root
from tests.certificates import new_certificates, write_certificates
from tests.esgrpc_console.conftest import QUICK, Servers, free_addresses, stop, wait_for
from tests.esgrpc_console.shop import Shop, system

ROOT = "GRPC_SSL_ROOT_CERTIFICATE_PATH"
CERTIFICATE = "GRPC_SSL_CERTIFICATE_PATH"
KEY = "GRPC_SSL_PRIVATE_KEY_PATH"

ServeShop: TypeAlias = Callable[..., GrpcApplicationServer]


@pytest.fixture
def serve_shop() -> Iterator[ServeShop]:
    servers: list[GrpcApplicationServer] = []

    def serve(**env: str) -> GrpcApplicationServer:
        server = GrpcApplicationServer(Shop, {**free_addresses(("Shop",)), **env}, system=system)
        server.start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.stop(wait=True)


def _nowhere() -> str:
    (address,) = free_addresses(("Nobody",)).values()
    return address


def _options(files: dict[str, str], server_name: str = "") -> ConnectionOptions:
    return replace(
        QUICK,
        root_certificate=files[ROOT],
        certificate=files[CERTIFICATE],
        private_key=files[KEY],
        server_name=server_name,
    )


async def _why_unreachable(address: str, env: dict[str, str]) -> str:
    with pytest.raises(SystemUnreachable) as caught:
        async with SystemView(address, env=env, options=QUICK):
            pass
    assert "\n" not in str(caught.value)
    return caught.value.reasons[address]


async def test_the_first_address_that_answers_is_used(servers: Servers) -> None:
    address = servers["Payments"].address
    async with SystemView(_nowhere(), address, _nowhere(), env={}, options=QUICK) as view:
        assert await view.wait_until_heard()
        assert set(view.state.applications) == {"Orders", "Payments", "Reservations"}
        assert view.state.applications["Payments"].address == address


async def test_when_none_answers_each_is_told_with_its_reason() -> None:
    addresses = (_nowhere(), _nowhere())
    with pytest.raises(SystemUnreachable) as caught:
        async with SystemView(*addresses, env={}):
            pass
    assert caught.value.reasons == dict.fromkeys(addresses, "connection refused")
    assert str(caught.value) == (
        f"There is no system to be reached on {addresses[0]}: connection refused; "
        f"on {addresses[1]}: connection refused"
    )


async def test_a_socket_that_does_not_exist_is_told(tmp_path: Path) -> None:
    assert await _why_unreachable(f"unix:{tmp_path}/nobody", {}) == "the socket does not exist"


async def test_a_host_that_does_not_exist_is_told(tmp_path: Path) -> None:
    files = new_certificates(tmp_path)
    assert await _why_unreachable("nobody.invalid:1", files) == "the host name is not known"


async def test_a_server_that_takes_connections_and_is_frozen_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        address = f"localhost:{frozen.getsockname()[1]}"
        why = await _why_unreachable(address, new_certificates(tmp_path))
    assert why == "it takes connections, and does not answer"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "it has no port"),
        ("localhost", "it has no port"),
        ("http://localhost:50051", "it is written without 'http://'"),
        ("localhost:http", "'http' is not a port from 0 to 65535"),
        ("::1:50051", "an IPv6 address is written in brackets"),
        ("\x1b[2J", "it has no port"),
    ],
)
def test_what_is_no_address_is_told_before_anything_is_sent(address: str, problem: str) -> None:
    with pytest.raises(OptionError, match=problem) as caught:
        SystemView(address, env={})
    assert str(caught.value).isprintable()
    with pytest.raises(OptionError, match=problem):
        SystemView(
            "localhost:50051", env={}, options=ConnectionOptions(addresses={"Orders": address})
        )


def test_an_address_must_be_given() -> None:
    with pytest.raises(OptionError, match="A good one is localhost:50051"):
        SystemView(env={})


@pytest.mark.parametrize("interval", [0.0, -1.0, 61.0, float("nan")])
def test_an_interval_that_servers_would_not_keep_is_refused(interval: float) -> None:
    with pytest.raises(OptionError, match=r"from 0\.1 to 60 seconds"):
        SystemView("localhost:50051", env={}, options=ConnectionOptions(interval=interval))


async def test_nothing_is_sent_to_other_machines_without_certificates() -> None:
    with pytest.raises(OptionError) as caught:
        async with SystemView("orders:50051", env={}):
            pass
    for part in ("'orders:50051'", "not on this machine", KEY, CERTIFICATE, ROOT):
        assert part in str(caught.value)


async def test_addresses_that_are_given_count_instead_of_what_servers_say(
    servers: Servers, example_env: EnvType
) -> None:
    await stop(servers["Payments"])
    elsewhere = {**example_env, "RESERVATIONS_GRPC_SERVER_ADDRESS": "reservations:50053"}
    payments = GrpcApplicationServer(Payments, elsewhere, system=example)
    payments.start()
    try:
        options = replace(QUICK, addresses={"Reservations": servers["Reservations"].address})
        async with SystemView(payments.address, env={}, options=options) as view:
            assert await view.wait_until_heard()
            found = view.state.applications["Reservations"]
            assert (found.address, found.health) == (
                servers["Reservations"].address,
                Health.SERVING,
            )
        async with SystemView(payments.address, env={}, options=QUICK) as view:
            assert await view.wait_until_heard()
            lost = view.state.applications["Reservations"]
            assert (lost.address, lost.health) == ("reservations:50053", Health.UNREACHABLE)
            assert "nothing is sent there without TLS" in lost.why
            with pytest.raises(RequestFailed, match="the address of Reservations is not known"):
                await view.read_events("Reservations")
    finally:
        await stop(payments)


async def test_the_address_of_the_application_that_answers_can_be_given_too(
    servers: Servers,
) -> None:
    nowhere = _nowhere()
    options = replace(QUICK, addresses={"Orders": nowhere})
    async with SystemView(servers["Orders"].address, env={}, options=options) as view:
        await view.wait_until_heard()
        orders = view.state.applications["Orders"]
        assert (orders.address, orders.health) == (nowhere, Health.UNREACHABLE)


async def test_an_address_for_no_application_of_the_system_is_an_error(servers: Servers) -> None:
    options = replace(QUICK, addresses={"Paymnets": "localhost:1"})
    with pytest.raises(OptionError, match="Paymnets=localhost:1 is for no application") as caught:
        async with SystemView(servers["Orders"].address, env={}, options=options):
            pass
    assert "it has Orders, Payments, Reservations" in str(caught.value)


async def test_an_address_of_another_application_is_told(servers: Servers) -> None:
    options = replace(QUICK, addresses={"Payments": servers["Reservations"].address})
    async with SystemView(servers["Orders"].address, env={}, options=options) as view:
        await view.wait_until_heard()
        payments = view.state.applications["Payments"]
        assert payments.health is Health.UNREACHABLE
        assert payments.why == "Reservations is served there"


async def test_behind_forwarded_ports_it_is_said_how_to_give_other_addresses(
    servers: Servers,
) -> None:
    await stop(servers["Payments"])
    async with (
        _forwarded(servers["Orders"].address) as orders,
        SystemView(orders, env={}, options=QUICK) as view,
    ):
        assert await view.wait_until_heard()
        assert view.state.applications["Orders"].address == orders
        assert view.state.applications["Reservations"].health is Health.SERVING
        assert view.state.applications["Payments"].why == (
            "connection refused (that is where its server says it is: "
            "--address Payments=HOST:PORT overrides it)"
        )


async def test_without_forwarded_ports_nothing_is_said_of_other_addresses(
    servers: Servers,
) -> None:
    await stop(servers["Payments"])
    address = servers["Orders"].address.replace("127.0.0.1", "localhost")
    async with SystemView(address, env={}, options=QUICK) as view:
        assert await view.wait_until_heard()
        assert view.state.applications["Payments"].why == "connection refused"


@asynccontextmanager
async def _forwarded(address: str) -> AsyncIterator[str]:
    """Forwards another port to an address."""
    host, _, port = address.rpartition(":")
    connections: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(host, int(port))
        both = asyncio.gather(pass_on(reader, to_writer), pass_on(to_reader, writer))
        try:
            await both
        except (ConnectionError, asyncio.CancelledError):
            both.cancel()
        for one in (writer, to_writer):
            one.close()
            with suppress(ConnectionError):
                await one.wait_closed()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(forward(reader, writer)))

    (here,) = free_addresses(("Forwarded",)).values()
    async with await asyncio.start_server(accept, host, int(here.rpartition(":")[2])):
        yield here
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections)


class TestTls:
    """Certificates, good ones and bad ones."""

    async def test_certificates_are_given_by_path(
        self, serve_shop: ServeShop, tmp_path: Path
    ) -> None:
        files = new_certificates(tmp_path)
        server = serve_shop(**files)
        async with SystemView(server.address, env={}, options=_options(files)) as view:
            assert await view.wait_until_heard()
            assert view.state.applications["Shop"].health is Health.SERVING
            assert (await view.call_method("Shop", "echo", {"text": "x"})).result == '"x"'

    async def test_certificates_are_given_by_the_environment(
        self, serve_shop: ServeShop, tmp_path: Path
    ) -> None:
        files = new_certificates(tmp_path)
        async with SystemView(serve_shop(**files).address, env=files, options=QUICK) as view:
            assert await view.wait_until_heard()
            assert view.state.applications["Shop"].health is Health.SERVING

    async def test_a_server_may_have_another_name_when_that_is_given(
        self, serve_shop: ServeShop, tmp_path: Path
    ) -> None:
        root = make_root()
        named = make_certificate(root, ["shop.example"])
        server = serve_shop(**write_certificates(tmp_path / "server", root, named))
        files = write_certificates(tmp_path / "client", root)
        why = await _why_unreachable(server.address, files)
        assert why.startswith("its certificate is for another name: ")
        options = _options(files, server_name="shop.example")
        async with SystemView(server.address, env={}, options=options) as view:
            assert await view.wait_until_heard()
            assert view.state.applications["Shop"].health is Health.SERVING

    async def test_a_server_that_is_not_trusted_is_told(
        self, serve_shop: ServeShop, tmp_path: Path
    ) -> None:
        server = serve_shop(**new_certificates(tmp_path / "server"))
        why = await _why_unreachable(server.address, new_certificates(tmp_path / "client"))
        assert why.startswith("its certificate is not trusted by the root certificate")

    async def test_a_certificate_that_the_server_does_not_trust_is_told(
        self, serve_shop: ServeShop, tmp_path: Path
    ) -> None:
        roots = make_root(), make_root()
        files = write_certificates(tmp_path / "server", roots[0])
        mine = write_certificates(tmp_path / "mine", roots[1])
        # It trusts the server, as its root file has both roots, and the server does not trust it.
        both = tmp_path / "both.crt"
        _join(both, files[ROOT], mine[ROOT])
        server = serve_shop(**files)
        why = await _why_unreachable(server.address, {**mine, ROOT: str(both)})
        assert why == f"the server there does not accept {CERTIFICATE}={mine[CERTIFICATE]!r}"

    async def test_a_server_with_tls_is_told_to_who_has_no_certificates(
        self, serve_shop: ServeShop, tmp_path: Path
    ) -> None:
        server = serve_shop(**new_certificates(tmp_path))
        assert await _why_unreachable(server.address, {}) == (
            "the server there speaks TLS, and no certificates are configured for calling it"
        )

    async def test_a_server_without_tls_is_told_to_who_has_certificates(
        self, serve_shop: ServeShop, tmp_path: Path
    ) -> None:
        why = await _why_unreachable(serve_shop().address, new_certificates(tmp_path))
        assert why == "certificates are configured, but the server there does not speak TLS"

    async def test_a_file_that_cannot_be_used_is_told_as_it_was_given(self, tmp_path: Path) -> None:
        files = new_certificates(tmp_path)
        given = replace(_options(files), certificate="nowhere.crt")
        with pytest.raises(
            OptionError, match=r"^certificate='nowhere\.crt' can't be read: No such"
        ):
            async with SystemView("localhost:1", env={}, options=given):
                pass
        with pytest.raises(OptionError, match=f"^{CERTIFICATE}='nowhere"):
            async with SystemView("localhost:1", env={**files, CERTIFICATE: "nowhere.crt"}):
                pass

    async def test_certificates_that_were_renewed_are_used_after_a_lost_connection(
        self, serve_shop: ServeShop, tmp_path: Path
    ) -> None:
        files = new_certificates(tmp_path)
        server = serve_shop(**files)
        async with SystemView(server.address, env=files, options=QUICK) as view:
            assert await view.wait_until_heard()
            await stop(server)
            assert new_certificates(tmp_path) == files
            server.start()
            await wait_for(
                lambda: view.state.applications["Shop"].health is Health.SERVING,
                "it is found again with the new certificates",
            )


def _join(path: Path, *parts: str) -> None:
    path.write_bytes(b"".join(Path(part).read_bytes() for part in parts))
