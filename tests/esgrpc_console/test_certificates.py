"""What the console shows of servers' certificates, and that it takes new ones for itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from esgrpc_console.system_view import (
    CallFailed,
    CertificateView,
    Health,
    SystemState,
    SystemUnreachable,
    SystemView,
    find_problems,
)
from esgrpc_console.tui.places import ApplicationPlace
from eventsourcing_grpc.application_server import GrpcApplicationServer
from make_certificates import make_certificate, write
from tests.certificates import NAMES, Authority
from tests.esgrpc_console.conftest import QUICK, free_addresses, stop, wait_for
from tests.esgrpc_console.fake_system import NOW, an_application, the_example
from tests.esgrpc_console.screen_reading import WIDE, wait_for_text
from tests.esgrpc_console.shop import Shop, system
from tests.esgrpc_console.tui.log_screens import opened

CERTIFICATE = "GRPC_SSL_CERTIFICATE_PATH"
TODAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATER = TODAY + timedelta(days=99)


def _state(certificate: CertificateView) -> SystemState:
    state = SystemState()
    application = an_application("Orders", 50051, head=1)
    assert application.status is not None
    status = replace(application.status, certificate=certificate)
    state.put(replace(application, status=status))
    return state


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(days=30), []),
        (
            timedelta(days=29, hours=23),
            [("WAITING", "!", "the certificate of Orders expires in 29 days")],
        ),
        (timedelta(days=12), [("WAITING", "!", "the certificate of Orders expires in 12 days")]),
        (
            timedelta(days=1, hours=1),
            [("WAITING", "!", "the certificate of Orders expires in 1 day")],
        ),
        (
            timedelta(hours=5, minutes=3),
            [("WAITING", "!", "the certificate of Orders expires in 5h 3m")],
        ),
        (
            timedelta(hours=-2),
            [
                (
                    "FAILING",
                    "✗",
                    "the certificate of Orders expired 2h 0m ago: who isn't connected yet can't "
                    "connect",
                )
            ],
        ),
    ],
)
def test_certificate_that_expires_soon_is_a_problem(
    left: timedelta, told: list[tuple[str, str, str]]
) -> None:
    state = _state(CertificateView(expires_at=TODAY + left))
    problems = find_problems(state, now=NOW, wall_time=TODAY)
    assert [(one.severity.name, one.symbol, one.text) for one in problems] == told
    assert all(one.application == "Orders" for one in problems)


@pytest.mark.parametrize(
    ("certificate", "told"),
    [
        (
            CertificateView(LATER, intermediate_expires_at=TODAY + timedelta(days=3)),
            "the intermediate certificate of Orders expires in 3 days",
        ),
        (
            CertificateView(LATER, root_expires_at=TODAY - timedelta(hours=2)),
            "the root certificate of Orders expired 2h 0m ago: who isn't connected yet can't "
            "connect",
        ),
        (
            CertificateView(LATER, LATER, LATER, refusal="its key is\nof another"),
            "Orders goes on with its old certificate, for the new files can't be used: "
            "its key is␊of another",
        ),
    ],
)
def test_whatever_else_will_end_connections_is_a_problem(
    certificate: CertificateView, told: str
) -> None:
    problems = find_problems(_state(certificate), now=NOW, wall_time=TODAY)
    assert [problem.text for problem in problems] == [told]


async def test_application_is_shown_with_the_day_that_its_certificate_expires() -> None:
    fake = the_example()
    orders = fake.state.applications["Orders"]
    assert orders.status is not None
    certificate = CertificateView(expires_at=datetime(2040, 2, 29, tzinfo=UTC))
    fake.state.put(replace(orders, status=replace(orders.status, certificate=certificate)))
    async with opened(fake, ApplicationPlace("Orders"), WIDE) as pilot:
        await wait_for_text(pilot, "localhost:50051   certificate until 2040-02-29")


class Serving:
    """A server of the shop with a certificate, and whom else its root has signed."""

    def __init__(self, folder: Path, days: int = 365) -> None:
        self._folder = folder
        self.authority = Authority(folder)
        self.files = self.authority.server_files()
        self.renew(days)
        env = {**free_addresses(("Shop",)), **self.files}
        self.server = GrpcApplicationServer(Shop, env, system=system)
        self.console_files = self.authority.files("console")

    def renew(self, days: int) -> None:
        """Replaces the server's certificate by one that is good for some days, and an hour."""
        ends = datetime.now(UTC) + timedelta(days=days, hours=1)
        owner = make_certificate(self.authority.root, NAMES, not_after=ends)
        write(Path(self.files[CERTIFICATE]).parent, "owner", owner)

    def change_root(self) -> None:
        """Replaces the server's and the console's files by those of another root."""
        self.authority = Authority(self._folder)
        assert self.authority.server_files() == self.files
        assert self.authority.files("console") == self.console_files

    def spoil_console_certificate(self) -> None:
        Path(self.console_files[CERTIFICATE]).write_bytes(b"garbage")

    async def __aenter__(self) -> Serving:
        await asyncio.to_thread(self.server.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop(self.server)

    def view(self, files: dict[str, str] | None = None) -> SystemView:
        return SystemView(self.server.address, env=files or self.console_files, options=QUICK)


def _problems(view: SystemView) -> list[str]:
    return [problem.text for problem in find_problems(view.state, now=time.monotonic())]


async def test_expiry_is_told_by_servers_until_the_certificate_is_renewed(tmp_path: Path) -> None:
    async with Serving(tmp_path, days=12) as serving, serving.view() as view:
        assert await view.wait_until_heard()
        assert _problems(view) == ["the certificate of Shop expires in 12 days"]
        serving.renew(365)
        # The connection is the same.
        await wait_for(lambda: not _problems(view), "it is heard that there is a new certificate")
        assert view.state.applications["Shop"].health is Health.SERVING


async def test_server_without_tls_has_no_expiry(servers: dict[str, GrpcApplicationServer]) -> None:
    async with SystemView(servers["Orders"].address, env={}, options=QUICK) as view:
        assert await view.wait_until_heard()
        status = view.state.applications["Orders"].status
        assert status is not None
        assert status.certificate is None


async def test_console_connects_again_with_its_new_certificate(tmp_path: Path) -> None:
    async with Serving(tmp_path) as serving, serving.view() as view:
        assert await view.wait_until_heard()
        serving.change_root()
        assert (await view.call_method("Shop", "echo", {"text": "x"})).result == '"x"'
        await stop(serving.server)
        await wait_for(
            lambda: view.state.applications["Shop"].health is Health.UNREACHABLE, "it is missed"
        )
        await asyncio.to_thread(serving.server.start)
        await wait_for(
            lambda: view.state.applications["Shop"].health is Health.SERVING,
            "it is found again, with the new certificate",
        )


async def test_broken_new_certificate_of_the_console_is_told_and_the_old_one_is_kept(
    tmp_path: Path,
) -> None:
    async with Serving(tmp_path) as serving, serving.view() as view:
        assert await view.wait_until_heard()
        serving.spoil_console_certificate()
        await stop(serving.server)
        await wait_for(
            lambda: "new certificate files can't be used" in view.state.applications["Shop"].why,
            "why is told",
        )
        assert "are not a private key and a certificate" in view.state.applications["Shop"].why
        await asyncio.to_thread(serving.server.start)
        await wait_for(
            lambda: view.state.applications["Shop"].health is Health.SERVING,
            "it is found again, with the old certificate",
        )


async def test_console_that_may_not_look_is_told(tmp_path: Path) -> None:
    serving = Serving(tmp_path)
    env = {**serving.files, "SHOP_GRPC_SERVER_ADDRESS": serving.server.address}
    limited = {**env, "GRPC_ALLOWED_CLIENTS": "orders", "GRPC_OPERATORS": "oscar"}
    serving.server = GrpcApplicationServer(Shop, limited, system=system)
    async with serving:
        with pytest.raises(SystemUnreachable) as caught:
            async with serving.view():
                pass
        assert "console may not look into Shop" in str(caught.value)
        # Programs may look, and not change anything.
        async with serving.view(serving.authority.files("orders")) as view:
            assert await view.wait_until_heard()
            assert (await view.call_method("Shop", "echo", {"text": "x"})).result == '"x"'
            with pytest.raises(CallFailed, match="orders may not operate Shop"):
                await view.call_method("Shop", "label", {"label": "x"})
        async with serving.view(serving.authority.files("oscar")) as view:
            assert await view.wait_until_heard()
            await view.call_method("Shop", "label", {"label": "x"})
