"""``eventsourcing_grpc_server --check``, and what a server says of its certificate when it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.credentials import client_certificates, server_certificates
from eventsourcing_grpc.environment import CertificatePaths
from eventsourcing_grpc.example import Orders, Payments
from eventsourcing_grpc.server.configuration_check import ConfigurationCheck, check_configuration
from eventsourcing_grpc.tls.certificates import (
    CertificateError,
    Role,
    expiry_problems,
    read_certificates,
)
from make_certificates import make_certificate, make_root
from tests.applications import Notebook
from tests.certificates import NAMES, Authority, new_certificates, write_certificates, write_chain
from tests.serving import Serve, address_env, free_address
from tests.waiting import DEADLINE, free_port

PROJECT = Path(__file__).resolve().parents[3]
KEY = "GRPC_SSL_PRIVATE_KEY_PATH"
CERTIFICATE = "GRPC_SSL_CERTIFICATE_PATH"
ROOT = "GRPC_SSL_ROOT_CERTIFICATE_PATH"
SYSTEM = "eventsourcing_grpc.example:system"

Files = dict[str, str]
Checking = Callable[..., ConfigurationCheck]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def check(address: str = "", **env: str) -> ConfigurationCheck:
    """Checks a Notebook's server, on a free address of this machine by default."""
    return check_configuration(
        Notebook, {**address_env(Notebook, address or free_address()), **env}
    )


def facts_of(checked: ConfigurationCheck) -> dict[str, str]:
    return dict(checked.facts)


def dated(authority: Authority, begins_in: timedelta, ends_in: timedelta) -> Files:
    """Returns files of a certificate that is valid from and to some time from now."""
    now = datetime.now(UTC)
    owner = make_certificate(
        authority.root, NAMES, not_before=now + begins_in, not_after=now + ends_in
    )
    return authority.files_of("dated", owner)


def test_plaintext_is_good_on_this_machine() -> None:
    address = free_address()
    checked = check(address)
    assert (checked.problems, checked.warnings) == ([], [])
    assert facts_of(checked) == {
        "application": "Notebook (tests.applications:Notebook)",
        "address": address,
        "recorded": "in memory, to be gone with the process",
        "TLS": "none: plaintext, for this machine only",
        "permissions": "whoever is on this machine may call and operate it",
    }


def test_certificate_is_told(authority: Authority) -> None:
    files = authority.server_files()
    checked = check(**files, GRPC_OPERATORS="oscar")
    assert (checked.problems, checked.warnings) == ([], [])
    facts = facts_of(checked)
    assert facts["TLS"] == "mutual, 1.2 or newer"
    assert facts["certificate"] == files[CERTIFICATE]
    assert facts["names"] == "localhost, 127.0.0.1, ::1"
    assert facts["valid"].endswith(" UTC, 364 days left")
    assert facts["root"].startswith(f"{files[ROOT]}; eventsourcing_grpc test root, valid to ")
    assert facts["permissions"] == (
        "anyone with a certificate of the root may call it; oscar may operate it; "
        "only they may look into it"
    )


def test_expired_certificate_is_told_with_when(authority: Authority) -> None:
    files = dated(authority, timedelta(days=-9), timedelta(days=-2, minutes=-1))
    checked = check(**files)
    (problem,) = checked.problems
    ended = datetime.now(UTC) - timedelta(days=2, minutes=1)
    assert problem.startswith(f"{CERTIFICATE}={files[CERTIFICATE]!r} expired on {ended:%Y-%m-%d} ")
    assert problem.endswith(" UTC, 2 days ago: renew it")
    # It is told all the same what it is.
    assert facts_of(checked)["names"] == "localhost, 127.0.0.1, ::1"
    assert f"to {ended:%Y-%m-%d}" in facts_of(checked)["valid"]


def test_certificate_that_is_not_yet_valid_is_told_with_when(authority: Authority) -> None:
    files = dated(authority, timedelta(hours=3, minutes=1), timedelta(days=9))
    (problem,) = check(**files).problems
    assert problem.startswith(f"{CERTIFICATE}={files[CERTIFICATE]!r} is not yet valid: it is from ")
    assert "on, in 3 hours. If that is wrong, look at this machine's clock" in problem


@pytest.mark.parametrize(("days", "told"), [(29, "in 29 days"), (1, "in 1 day")])
def test_certificate_that_expires_within_30_days_is_warned_of(
    authority: Authority, days: int, told: str
) -> None:
    files = dated(authority, timedelta(days=-1), timedelta(days=days, minutes=5))
    checked = check(**files)
    assert checked.problems == []
    (warning,) = checked.warnings
    assert warning.startswith(f"{CERTIFICATE}={files[CERTIFICATE]!r} expires on ")
    assert warning.endswith(f" UTC, {told}: renew it")


def test_certificate_with_more_time_left_is_not_warned_of(authority: Authority) -> None:
    files = dated(authority, timedelta(days=-1), timedelta(days=30, minutes=5))
    assert check(**files).warnings == []


def test_intermediate_that_expires_within_30_days_is_warned_of(tmp_path: Path) -> None:
    files = write_chain(tmp_path, datetime.now(UTC) + timedelta(days=7, minutes=5))
    checked = check(**files)
    assert checked.problems == []
    (warning,) = checked.warnings
    assert warning.startswith(
        f"{CERTIFICATE}={files[CERTIFICATE]!r}: its intermediate certificate 'an intermediate' "
        "expires on "
    )
    assert warning.endswith(" UTC, in 7 days: renew it")


def test_intermediate_that_has_expired_is_told_with_when(tmp_path: Path) -> None:
    files = write_chain(tmp_path, datetime.now(UTC) - timedelta(days=2, minutes=5))
    (problem,) = check(**files).problems
    assert problem.startswith(
        f"{CERTIFICATE}={files[CERTIFICATE]!r}: its intermediate certificate 'an intermediate' "
        "expired on "
    )
    assert problem.endswith(" UTC, 2 days ago: renew it")


def test_what_expires_while_a_server_runs_is_told_as_expired(authority: Authority) -> None:
    paths = CertificatePaths(*authority.server_files().values())
    facts = read_certificates(paths, Role.SERVER).facts
    later = facts.not_after + timedelta(days=2, minutes=5)
    (problem,) = expiry_problems(paths, facts, later)
    assert "expired on" in problem
    assert problem.endswith(" UTC, 2 days ago: renew it")


def test_root_that_expires_within_30_days_is_warned_of(tmp_path: Path) -> None:
    root = make_root(not_after=datetime.now(UTC) + timedelta(days=7, minutes=5))
    files = write_certificates(tmp_path, root)
    (warning,) = check(**files).warnings
    assert warning.startswith(f"{ROOT}={files[ROOT]!r} expires on ")
    assert warning.endswith(" in 7 days: renew it")


def test_wrong_host_is_told(authority: Authority) -> None:
    files = authority.files("orders", "orders.example", "10.0.0.7")
    (problem,) = check(**files).problems
    assert problem == (
        f"{CERTIFICATE}={files[CERTIFICATE]!r} is for orders, orders.example, 10.0.0.7, and not "
        "for 'localhost': clients that call the server by that name will not trust it"
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_certificate_is_for_names_and_addresses(authority: Authority, host: str) -> None:
    assert check(f"{host}:{free_port()}", **authority.server_files()).problems == []


def test_certificate_is_for_where_the_server_is_found_and_not_where_it_listens(
    authority: Authority,
) -> None:
    listening = f"127.0.0.1:{free_port()}"
    env = {**authority.files("*.shop.example"), "GRPC_SERVER_LISTEN_ADDRESS": listening}
    checked = check("orders.shop.example:50051", **env)
    assert checked.problems == []
    assert facts_of(checked)["listens on"] == listening
    (problem,) = check("127.0.0.1:50051", **env).problems
    assert "not for '127.0.0.1'" in problem


def test_address_without_a_name_can_be_for_any(authority: Authority) -> None:
    checked = check(f"0.0.0.0:{free_port()}", **authority.files("orders"))
    assert checked.problems == []
    assert facts_of(checked)["host"].startswith("any: ")


def test_socket_is_called_localhost(authority: Authority, tmp_path: Path) -> None:
    assert check(f"unix:{tmp_path}/socket", **authority.files("localhost")).problems == []
    (problem,) = check(f"unix:{tmp_path}/socket", **authority.files("orders")).problems
    assert "not for 'localhost'" in problem


def test_other_key_is_told(authority: Authority) -> None:
    files = {**authority.server_files(), KEY: authority.files("other")[KEY]}
    (problem,) = check(**files).problems
    assert problem == (
        f"{KEY}={files[KEY]!r} is not the key of {CERTIFICATE}={files[CERTIFICATE]!r}"
    )


def test_other_root_is_told(authority: Authority, tmp_path: Path) -> None:
    files = {**authority.server_files(), ROOT: new_certificates(tmp_path / "others")[ROOT]}
    (problem,) = check(**files).problems
    assert problem == (
        f"{CERTIFICATE}={files[CERTIFICATE]!r} is not trusted by {ROOT}={files[ROOT]!r}: "
        "that root did not sign it"
    )


def test_missing_file_is_told(authority: Authority) -> None:
    files = authority.server_files()
    Path(files[KEY]).unlink()
    (problem,) = check(**files).problems
    assert problem == f"{KEY}={files[KEY]!r} can't be read: No such file or directory"


def test_certificate_for_clients_only_is_no_servers(authority: Authority) -> None:
    client_only = authority.sign("oscar", usages=[ExtendedKeyUsageOID.CLIENT_AUTH])
    files = authority.files_of("oscar", client_only)
    told = f"{CERTIFICATE}={files[CERTIFICATE]!r} is not for a server: its extended key usage"
    (problem,) = check(**files).problems
    assert problem.startswith(told)
    with pytest.raises(CertificateError, match="is not for a server"):
        server_certificates(files, "Notebook", "localhost:0")
    assert client_certificates(files, "", "localhost:1") is not None


def test_certificate_for_servers_only_is_no_followers(authority: Authority) -> None:
    server_only = authority.sign("localhost", usages=[ExtendedKeyUsageOID.SERVER_AUTH])
    files = authority.files_of("server", server_only)
    env = {f"{name}_GRPC_SERVER_ADDRESS": free_address() for name in ("ORDERS", "PAYMENTS")}
    assert check_configuration(Payments, {**env, **files}).problems == []
    (problem,) = check_configuration(Payments, {**env, **files, "SYSTEM_TOPIC": SYSTEM}).problems
    assert "is not for a client: its extended key usage" in problem


def test_all_that_is_wrong_is_told_at_once(authority: Authority) -> None:
    files = authority.files("orders")
    checked = check_configuration(
        Orders,
        {
            **files,
            "ORDERS_GRPC_SERVER_ADDRESS": free_address(),
            "SYSTEM_TOPIC": SYSTEM,
            "PAYMENTS_GRPC_SERVER_ADDRESS": "payments",
            "MAX_PULL_INTERVAL": "soon",
            "GRPC_OPERATORS": "*",
        },
    )
    told = "\n".join(checked.problems)
    for part in (
        "PAYMENTS_GRPC_SERVER_ADDRESS='payments' is not an address",
        "set RESERVATIONS_GRPC_SERVER_ADDRESS",
        "MAX_PULL_INTERVAL='soon'",
        "GRPC_OPERATORS='*'",
        "not for 'localhost'",
    ):
        assert part in told
    assert len(checked.problems) == 5
    assert all("\n" not in problem for problem in checked.problems)


def test_plaintext_for_other_machines_is_told() -> None:
    (problem,) = check(f"0.0.0.0:{free_port()}").problems
    assert "can't be served without TLS on '0.0.0.0" in problem


def test_lists_that_limit_nobody_are_warned_of() -> None:
    (warning,) = check(GRPC_ALLOWED_CLIENTS="alice").warnings
    assert warning.startswith("GRPC_ALLOWED_CLIENTS limit nobody, for Notebook is served without")


def test_server_that_runs_already_is_no_problem(serve: Serve) -> None:
    server = serve(Notebook)
    checked = check(server.address)
    assert checked.problems == []
    (warning,) = checked.warnings
    assert warning.endswith("the address is taken")


def test_host_that_is_not_known_is_told() -> None:
    checked = check("nobody.invalid:50051")
    assert "'nobody.invalid' can't be resolved" in checked.problems[0]


def run(env: Files, *arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if "GRPC" not in k and "TOPIC" not in k}
    return subprocess.run(
        [sys.executable, "-m", "eventsourcing_grpc", "server", "--check", *arguments],
        env={**inherited, **env},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def test_command_tells_what_it_found(authority: Authority) -> None:
    env = {**address_env(Notebook, free_address()), **authority.server_files()}
    result = run(env, "tests.applications:Notebook")
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == "application  Notebook (tests.applications:Notebook)"
    assert lines[-1] == "Notebook can be served"
    assert result.returncode == 0


def test_command_tells_what_is_wrong(authority: Authority) -> None:
    env = {**address_env(Notebook, free_address()), **authority.files("orders")}
    result = run({**env, "APPLICATION_TOPIC": "tests.applications:Notebook"})
    assert result.returncode == 2
    assert "names        orders\n" in result.stdout
    assert "can be served" not in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {CERTIFICATE}=")
    assert "is for orders, and not for 'localhost'" in line


def test_command_warns(authority: Authority) -> None:
    files = dated(authority, timedelta(days=-1), timedelta(days=12, minutes=5))
    result = run({**address_env(Notebook, free_address()), **files}, "tests.applications:Notebook")
    assert result.returncode == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: ")
    assert line.endswith(" in 12 days: renew it")


def test_command_tells_of_a_topic_that_resolves_to_nothing() -> None:
    result = run({}, "nowhere:Notebook")
    assert (result.returncode, result.stdout) == (2, "")
    assert "there is no module 'nowhere' here" in result.stderr


def test_server_that_starts_warns_of_its_host_and_expiry(
    serve: Serve, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    now = datetime.now(UTC)
    owner = make_certificate(
        authority.root, ["orders"], not_after=now + timedelta(days=12, minutes=5)
    )
    serve(Notebook, **authority.files_of("owner", owner))
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 2
    assert warnings[0].endswith(" in 12 days: renew it")
    assert "is for orders, and not for 'localhost'" in warnings[1]


def test_server_with_an_expired_certificate_does_not_start(authority: Authority) -> None:
    files = dated(authority, timedelta(days=-9), timedelta(days=-2))
    server = GrpcApplicationServer(Notebook, {**address_env(Notebook, free_address()), **files})
    with pytest.raises(CertificateError, match="expired on"):
        server.start()


def test_database_that_can_not_be_used_is_warned_of() -> None:
    postgres = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(free_port()),
        "POSTGRES_DBNAME": "shop",
        "POSTGRES_USER": "anna",
        "POSTGRES_PASSWORD": "unspeakable",
    }
    checked = check(**postgres)
    assert checked.problems == []
    assert checked.warnings == [
        "Notebook can't use its database just now: PostgreSQL can't be reached (connection refused)"
    ]
