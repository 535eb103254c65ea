"""Mutual TLS: who is let in, and what is said of certificate files that can't be used."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from warnings import catch_warnings, simplefilter

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.application_client import ServiceUnavailable, connect
from eventsourcing_grpc.application_server import GrpcApplicationServer
from eventsourcing_grpc.credentials import (
    CertificateError,
    client_certificates,
    server_certificates,
)
from eventsourcing_grpc.environment import EnvironmentVariableError
from eventsourcing_grpc.example import Orders, system
from eventsourcing_grpc.runner import GrpcRunner
from eventsourcing_grpc.tls.certificate_decoding import shake_hands
from make_certificates import make_certificate, make_root, write
from tests.applications import Notebook
from tests.certificates import NAMES, new_certificates, write_certificates
from tests.serving import ClientOf, Serve, address_env
from tests.waiting import DEADLINE, wait_until

KEY = "GRPC_SSL_PRIVATE_KEY_PATH"
CERTIFICATE = "GRPC_SSL_CERTIFICATE_PATH"
ROOT = "GRPC_SSL_ROOT_CERTIFICATE_PATH"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return new_certificates(tmp_path / "files")


def test_server_and_client_authenticate_each_other(
    serve: Serve, client_of: ClientOf, files: dict[str, str]
) -> None:
    client = client_of(Notebook, serve(Notebook, **files), **files)
    client.connect(max_attempts=5)
    assert client.app.get_text(client.app.add_note("secret")) == "secret"
    assert next(client.subscribe()).id == 1


def test_server_on_another_root_is_not_trusted(
    serve: Serve, client_of: ClientOf, files: dict[str, str], tmp_path: Path
) -> None:
    client = client_of(Notebook, serve(Notebook, **files), **new_certificates(tmp_path / "others"))
    with pytest.raises(ServiceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        client.connect(max_attempts=1)


def test_client_without_a_certificate_is_refused(serve: Serve, files: dict[str, str]) -> None:
    server = serve(Notebook, **files)
    credentials = grpc.ssl_channel_credentials(Path(files[ROOT]).read_bytes())
    with (
        grpc.secure_channel(server.address, credentials) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        HealthStub(channel).Check(HealthCheckRequest(), timeout=5)
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_client_on_another_root_is_refused(
    serve: Serve, files: dict[str, str], tmp_path: Path
) -> None:
    server = serve(Notebook, **files)
    others = new_certificates(tmp_path / "others")
    credentials = grpc.ssl_channel_credentials(
        *(Path(path).read_bytes() for path in (files[ROOT], others[KEY], others[CERTIFICATE]))
    )
    with (
        grpc.secure_channel(server.address, credentials) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        HealthStub(channel).Check(HealthCheckRequest(), timeout=5)
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_client_with_an_expired_certificate_is_refused(serve: Serve, tmp_path: Path) -> None:
    root = make_root()
    server = serve(Notebook, **write_certificates(tmp_path / "server", root))
    now = datetime.now(UTC)
    expired = make_certificate(
        root, NAMES, not_before=now - timedelta(days=3), not_after=now - timedelta(days=2)
    )
    credentials = grpc.ssl_channel_credentials(
        root.certificate_pem, expired.key_pem, expired.certificate_pem
    )
    with (
        grpc.secure_channel(server.address, credentials) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        HealthStub(channel).Check(HealthCheckRequest(), timeout=5)
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def _context_of(version: ssl.TLSVersion, files: dict[str, str], protocol: int) -> ssl.SSLContext:
    """Returns a side of a connection that speaks one version of TLS, and trusts everyone."""
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with catch_warnings():
        # Older versions are deprecated, and not to be spoken: that is what is tested.
        simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(files[CERTIFICATE], files[KEY])
    return context


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_older_versions_of_tls_are_refused(
    serve: Serve, files: dict[str, str], version: str
) -> None:
    old = ssl.TLSVersion[version]
    client = _context_of(old, files, ssl.PROTOCOL_TLS_CLIENT)
    try:
        sides = shake_hands(_context_of(old, files, ssl.PROTOCOL_TLS_SERVER), client)
    except ssl.SSLError as e:
        pytest.skip(f"Python's OpenSSL can't speak {version} with itself: {e}")
    assert sides[0].version() == version.replace("_", ".")
    host, port = split_address(serve(Notebook, **files).address)
    with (
        socket.create_connection((host, port), DEADLINE) as connection,
        # The server closes the connection, with or without an alert.
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        client.wrap_socket(connection)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_newer_versions_of_tls_are_spoken(
    serve: Serve, files: dict[str, str], version: str
) -> None:
    client = _context_of(ssl.TLSVersion[version], files, ssl.PROTOCOL_TLS_CLIENT)
    client.set_alpn_protocols(["h2"])
    host, port = split_address(serve(Notebook, **files).address)
    with (
        socket.create_connection((host, port), DEADLINE) as connection,
        client.wrap_socket(connection) as secured,
    ):
        assert secured.version() == version.replace("_", ".")
        # The first frame of HTTP/2.
        assert secured.recv(9)


def test_plaintext_client_of_a_tls_server_is_refused(
    serve: Serve, client_of: ClientOf, files: dict[str, str]
) -> None:
    client = client_of(Notebook, serve(Notebook, **files))
    with pytest.raises(ServiceUnavailable):
        client.connect(max_attempts=1)


def test_tls_client_of_a_plaintext_server_is_refused(
    serve: Serve, client_of: ClientOf, files: dict[str, str]
) -> None:
    client = client_of(Notebook, serve(Notebook), **files)
    with pytest.raises(ServiceUnavailable):
        client.connect(max_attempts=1)


def test_server_with_another_name_is_not_trusted(
    serve: Serve, client_of: ClientOf, tmp_path: Path
) -> None:
    root = make_root()
    elsewhere = make_certificate(root, ["elsewhere.example"])
    servers = write_certificates(tmp_path / "server", root, elsewhere)
    server = serve(Notebook, **servers)
    client = client_of(Notebook, server, **write_certificates(tmp_path / "client", root))
    with pytest.raises(ServiceUnavailable, match=r"Hostname Verification|not in peer certificate"):
        client.connect(max_attempts=1)


def test_certificates_may_be_those_of_one_application(
    serve: Serve, client_of: ClientOf, files: dict[str, str]
) -> None:
    own = {f"NOTEBOOK_{name}": path for name, path in files.items()}
    client_of(Notebook, serve(Notebook, **own), **own).connect(max_attempts=5)


def test_owner_of_a_client_shows_its_own_certificate(
    serve: Serve, files: dict[str, str], tmp_path: Path
) -> None:
    server = serve(Notebook, **files)
    others = {f"BANK_{name}": path for name, path in new_certificates(tmp_path / "bank").items()}
    env = {**address_env(Notebook, server.address), **files, **others}
    with connect(Notebook, env, max_attempts=5):
        pass
    with pytest.raises(ServiceUnavailable):
        connect(Notebook, env, owner_name="Bank", max_attempts=1)


def test_system_runs_with_tls(files: dict[str, str]) -> None:
    with GrpcRunner(system, files) as runner:
        orders = runner.get(Orders)
        order_id = orders.create_new_order()
        wait_until(lambda: orders.is_order_paid(order_id))
        address = runner.addresses["Orders"]
        with (
            connect(Orders, address_env(Orders, address)) as stranger,
            pytest.raises(ServiceUnavailable),
        ):
            stranger.connect(max_attempts=1)


@pytest.mark.parametrize(
    "address", ["0.0.0.0:50051", "[::]:50051", "192.0.2.1:50051", "orders:50051"]
)
def test_address_off_loopback_is_refused_without_tls(address: str) -> None:
    server = GrpcApplicationServer(Notebook, address_env(Notebook, address))
    with pytest.raises(EnvironmentVariableError) as caught:
        server.start()
    message = str(caught.value)
    for words in ("Notebook", address, KEY, CERTIFICATE, ROOT):
        assert words in message
    assert "\n" not in message
    assert not server.has_started.is_set()


@pytest.mark.parametrize(
    "address", ["localhost:1", "127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "unix:/tmp/socket"]
)
def test_loopback_may_be_served_without_tls(address: str) -> None:
    assert server_certificates({}, "Notebook", address) is None


def test_address_off_loopback_may_be_served_with_tls(files: dict[str, str]) -> None:
    assert server_certificates(files, "Notebook", "0.0.0.0:50051") is not None


@pytest.mark.parametrize("missing", [KEY, CERTIFICATE, ROOT])
def test_missing_variable_is_named(files: dict[str, str], missing: str) -> None:
    del files[missing]
    with pytest.raises(EnvironmentVariableError, match=f"set {missing} too"):
        client_certificates(files, "", "localhost:50051")
    with pytest.raises(EnvironmentVariableError, match=f"set {missing} too"):
        server_certificates(files, "Notebook", "localhost:50051")


@pytest.mark.parametrize("variable", [KEY, CERTIFICATE, ROOT])
def test_missing_file_is_named(files: dict[str, str], variable: str) -> None:
    Path(files[variable]).unlink()
    with pytest.raises(CertificateError, match="No such file") as caught:
        client_certificates(files, "", "localhost:50051")
    assert f"{variable}='{files[variable]}'" in str(caught.value)


@pytest.mark.parametrize("variable", [KEY, CERTIFICATE, ROOT])
def test_unreadable_file_is_named(files: dict[str, str], variable: str, tmp_path: Path) -> None:
    # Permissions don't stop everyone who runs tests. That a directory can't be read does.
    files[variable] = str(tmp_path)
    with pytest.raises(CertificateError, match="can't be read: Is a directory") as caught:
        client_certificates(files, "", "localhost:50051")
    assert f"{variable}='{tmp_path}'" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\x00" * 100])
@pytest.mark.parametrize("variable", [KEY, CERTIFICATE, ROOT])
def test_file_in_another_format_is_named(
    files: dict[str, str], variable: str, content: bytes
) -> None:
    Path(files[variable]).write_bytes(content)
    with pytest.raises(CertificateError, match="PEM format") as caught:
        client_certificates(files, "", "localhost:50051")
    assert f"{variable}='{files[variable]}'" in str(caught.value)


def test_key_of_another_certificate_is_told(files: dict[str, str], tmp_path: Path) -> None:
    files[KEY] = new_certificates(tmp_path / "others")[KEY]
    with pytest.raises(CertificateError, match="is not the key of") as caught:
        client_certificates(files, "", "localhost:50051")
    assert files[KEY] in str(caught.value)
    assert files[CERTIFICATE] in str(caught.value)


def test_key_with_a_password_is_told(files: dict[str, str], tmp_path: Path) -> None:
    owner = make_certificate(make_root(), NAMES)
    encrypted = owner.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    Path(files[KEY]).write_bytes(encrypted)
    with pytest.raises(CertificateError, match="without a password") as caught:
        client_certificates(files, "", "localhost:50051")
    assert f"{KEY}='{files[KEY]}'" in str(caught.value)


def test_certificate_of_another_root_is_told(files: dict[str, str], tmp_path: Path) -> None:
    files[ROOT] = new_certificates(tmp_path / "others")[ROOT]
    with pytest.raises(CertificateError, match="is not trusted by") as caught:
        client_certificates(files, "", "localhost:50051")
    assert files[CERTIFICATE] in str(caught.value)
    assert files[ROOT] in str(caught.value)


@pytest.mark.parametrize(("days", "words"), [(-10, "expired"), (+10, "not yet valid")])
def test_certificate_that_is_not_valid_today_is_told(tmp_path: Path, days: int, words: str) -> None:
    root = make_root(not_before=datetime(2020, 1, 1, tzinfo=UTC))
    middle = datetime.now(UTC) + timedelta(days=days)
    owner = make_certificate(
        root,
        NAMES,
        not_before=middle - timedelta(days=1),
        not_after=middle + timedelta(days=1),
    )
    files = write_certificates(tmp_path, root, owner)
    with pytest.raises(CertificateError, match=words) as caught:
        client_certificates(files, "", "localhost:50051")
    assert files[CERTIFICATE] in str(caught.value)


def test_expired_root_is_told(tmp_path: Path) -> None:
    root = make_root(
        not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2021, 1, 1, tzinfo=UTC)
    )
    files = write_certificates(tmp_path, root)
    with pytest.raises(CertificateError, match="expired") as caught:
        client_certificates(files, "", "localhost:50051")
    assert files[ROOT] in str(caught.value)


def test_certificate_error_keeps_a_server_from_starting(files: dict[str, str]) -> None:
    write(Path(files[KEY]).parent, "owner", make_certificate(make_root(), NAMES))
    server = GrpcApplicationServer(Notebook, {**address_env(Notebook, "localhost:0"), **files})
    with pytest.raises(CertificateError, match="is not trusted by"):
        server.start()
    assert not server.has_started.is_set()


def test_nothing_is_configured_without_variables() -> None:
    assert client_certificates({}, "", "localhost:50051") is None
