"""Certificates that are replaced while servers, clients and followers run."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509

from eventsourcing_grpc.addresses import split_address
from eventsourcing_grpc.application_client import ServiceUnavailable
from eventsourcing_grpc.channels import open_channel
from eventsourcing_grpc.credentials import channel_credentials
from eventsourcing_grpc.environment import CertificatePaths
from eventsourcing_grpc.followers.following_status import FollowingState
from eventsourcing_grpc.protos.application_pb2 import SubscribeRequest
from eventsourcing_grpc.protos.application_pb2_grpc import ApplicationStub
from eventsourcing_grpc.protos.operations_pb2 import DescribeRequest, WatchRequest
from eventsourcing_grpc.protos.operations_pb2_grpc import OperationsStub
from eventsourcing_grpc.tls.certificate_files import CertificateFiles
from eventsourcing_grpc.tls.certificates import Certificates, Role
from eventsourcing_grpc.tls.reloading_channel import ReloadingChannel
from make_certificates import KeyAndCertificate, make_certificate, make_root, write
from tests.applications import Notebook
from tests.certificates import NAMES, channel_with, write_certificates, write_chain
from tests.serving import ClientOf, InBackground, Serve, free_address
from tests.system import applications
from tests.system.applications import Fussy, Letters
from tests.system.serving import application_of, serving
from tests.waiting import DEADLINE, addresses_of, wait_until

KEY = "GRPC_SSL_PRIVATE_KEY_PATH"
CERTIFICATE = "GRPC_SSL_CERTIFICATE_PATH"
ROOT = "GRPC_SSL_ROOT_CERTIFICATE_PATH"

Files = dict[str, str]


class Owner:
    """Has files, and replaces them."""

    def __init__(self, folder: Path, root: KeyAndCertificate, names: Sequence[str] = NAMES) -> None:
        self._folder = folder
        self.current = make_certificate(root, names)
        self.files = write_certificates(folder, root, self.current)

    def renew(self, root: KeyAndCertificate, names: Sequence[str] = NAMES) -> int:
        """Writes another certificate, and returns its serial number."""
        self.current = make_certificate(root, names)
        write_certificates(self._folder, root, self.current)
        return self.serial

    @property
    def serial(self) -> int:
        """Of the newest certificate."""
        return self.current.certificate.serial_number


class Watched(grpc.Channel):
    """A channel that tells whether it is closed."""

    def __init__(self, address: str, certificates: Certificates) -> None:
        self._channel = grpc.secure_channel(address, channel_credentials(certificates))
        self.is_closed = False

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        return self._channel.unary_unary(*args, **kwargs)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._channel.unary_stream(*args, **kwargs)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def subscribe(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def unsubscribe(self, *args: Any) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        self.is_closed = True
        self._channel.close()

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def callers(caplog: pytest.LogCaptureFixture) -> Callable[[], set[str]]:
    """Tells who has called commands, as the audit log says it."""
    caplog.set_level(logging.DEBUG, logger="eventsourcing_grpc.audit.calls")

    def take() -> set[str]:
        return {
            record.getMessage().partition(" what=")[0]
            for record in caplog.records
            if record.name == "eventsourcing_grpc.audit.calls"
        }

    return take


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Returns what has been warned of."""
    return lambda: [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]


@pytest.fixture
def root() -> KeyAndCertificate:
    return make_root()


@pytest.fixture
def server_owner(tmp_path: Path, root: KeyAndCertificate) -> Owner:
    return Owner(tmp_path / "server", root)


@pytest.fixture
def client_owner(tmp_path: Path, root: KeyAndCertificate) -> Owner:
    return Owner(tmp_path / "client", root)


def served_serial(address: str, files: Files) -> int:
    """Makes a new connection, and returns the serial number of the certificate that is shown there."""
    context = ssl.create_default_context(cafile=files[ROOT])
    context.load_cert_chain(files[CERTIFICATE], files[KEY])
    host, port = split_address(address)
    with (
        socket.create_connection((host, port), DEADLINE) as sock,
        context.wrap_socket(sock, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def test_new_connections_get_the_new_certificate(
    serve: Serve,
    client_of: ClientOf,
    root: KeyAndCertificate,
    server_owner: Owner,
    client_owner: Owner,
) -> None:
    server = serve(Notebook, **server_owner.files)
    client = client_of(Notebook, server, **client_owner.files)
    assert served_serial(server.address, client_owner.files) == server_owner.serial
    subscription = client.subscribe()
    client.app.add_note("before")
    assert next(subscription).id == 1

    serial = server_owner.renew(root)
    wait_until(lambda: served_serial(server.address, client_owner.files) == serial)

    # Who was connected still is.
    client.app.add_note("after")
    assert next(subscription).id == 2


def test_new_root_is_the_one_that_counts(
    serve: Serve, client_of: ClientOf, server_owner: Owner, client_owner: Owner, tmp_path: Path
) -> None:
    server = serve(Notebook, **server_owner.files)
    client_of(Notebook, server, **client_owner.files).connect(max_attempts=5)

    root = make_root()
    server_owner.renew(root)
    newcomer = Owner(tmp_path / "newcomer", root)
    client_of(Notebook, server, **newcomer.files).connect(max_attempts=20)
    with pytest.raises(ServiceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        client_of(Notebook, server, **client_owner.files).connect(max_attempts=1)


def test_client_connects_again_with_its_new_certificate(
    serve: Serve, client_of: ClientOf, server_owner: Owner, client_owner: Owner
) -> None:
    server = serve(Notebook, **server_owner.files)
    client = client_of(Notebook, server, **client_owner.files)
    client.app.add_note("before")
    subscription = client.subscribe()
    assert next(subscription).id == 1

    root = make_root()
    server_owner.renew(root)
    client_owner.renew(root)
    server.stop(wait=True)
    server.start()

    # The old one would not be trusted.
    assert client.app.get_name() == "Notebook"
    client.app.add_note("after")
    assert next(subscription).id == 2


def test_calls_in_progress_come_to_their_end_on_the_old_connection(
    serve: Serve,
    client_of: ClientOf,
    root: KeyAndCertificate,
    server_owner: Owner,
    tmp_path: Path,
    callers: Callable[[], set[str]],
) -> None:
    server = serve(Notebook, **server_owner.files)
    owner = Owner(tmp_path / "client", root, ["alice"])
    client = client_of(Notebook, server, **owner.files)
    waiting = InBackground(client.app.wait_in_command)
    assert client.app.await_waiting()
    owner.renew(root, ["bob"])
    wait_until(lambda: client.app.add_note("x") and 'who="bob"' in callers())
    client.app.release()
    assert waiting.result() == 1
    assert callers() == {'who="alice"', 'who="bob"'}


def test_old_connection_is_closed_when_nothing_is_under_way_on_it(
    serve: Serve, root: KeyAndCertificate, server_owner: Owner, client_owner: Owner
) -> None:
    server = serve(Notebook, **server_owner.files)
    notebook = application_of(server, Notebook)
    notebook.add_note("one")
    opened: list[Watched] = []

    def open_watched(certificates: Certificates) -> grpc.Channel:
        opened.append(Watched(server.address, certificates))
        return opened[-1]

    files = CertificateFiles(CertificatePaths(*client_owner.files.values()), Role.CLIENT)
    with ReloadingChannel(files, open_watched) as channel:
        stub, programs = OperationsStub(channel), ApplicationStub(channel)
        subscription = programs.Subscribe(SubscribeRequest())
        batches = iter(subscription)
        assert next(batches).head == 1
        client_owner.renew(root)
        wait_until(lambda: stub.Describe(DescribeRequest()) and len(opened) == 2)
        # It still has a subscription.
        notebook.add_note("two")
        assert next(batches).read_through == 2
        assert not opened[0].is_closed
        subscription.cancel()
        wait_until(lambda: stub.Describe(DescribeRequest()) and opened[0].is_closed)
        assert not opened[1].is_closed
    assert opened[1].is_closed
    assert len(opened) == 2


def test_channel_that_is_closed_ends_what_waits(server_owner: Owner) -> None:
    channel = open_channel(free_address(), server_owner.files)
    call = ApplicationStub(channel).Subscribe(SubscribeRequest(), wait_for_ready=True)
    waiting = InBackground(lambda: next(iter(call)))
    call.cancel()
    with pytest.raises(grpc.RpcError):
        waiting.result()
    channel.close()
    with pytest.raises(ValueError, match="closed"):
        OperationsStub(channel).Describe(DescribeRequest())
    channel.close()


def test_follower_goes_on_with_its_new_certificate(tmp_path: Path) -> None:
    old, new = make_root(), make_root()
    leader, follower = Owner(tmp_path / "leader", old), Owner(tmp_path / "follower", old)
    env = addresses_of(Letters, Fussy)
    with (
        serving(Letters, {**env, **leader.files}) as letters,
        serving(Fussy, {**env, **follower.files}, applications.fussy) as fussy,
    ):
        copies = application_of(fussy, Fussy)
        application_of(letters, Letters).write(1)
        wait_until(lambda: copies.recorder.max_tracking_id("Letters") == 1)
        leader.renew(new)
        follower.renew(new)
        application_of(letters, Letters).write(2)
        # As it was connected.
        wait_until(lambda: copies.recorder.max_tracking_id("Letters") == 2)
        letters.stop(wait=True)
        letters.start()
        application_of(letters, Letters).write(3)
        wait_until(lambda: copies.recorder.max_tracking_id("Letters") == 3)


def test_follower_that_has_lost_its_leader_takes_a_new_certificate(tmp_path: Path) -> None:
    old, new = make_root(), make_root()
    leader, follower = Owner(tmp_path / "leader", old), Owner(tmp_path / "follower", old)
    env = addresses_of(Letters, Fussy)
    with (
        serving(Letters, {**env, **leader.files}) as letters,
        serving(Fussy, {**env, **follower.files}, applications.fussy) as fussy,
    ):
        following = fussy.followings[0]
        wait_until(lambda: following.status().state is FollowingState.LIVE)
        leader.renew(new)
        letters.stop(wait=True)
        letters.start()
        application_of(letters, Letters).write(1)
        # The leader has come back, and is not trusted.
        wait_until(lambda: following.status().state is FollowingState.UNREACHABLE)
        follower.renew(new)
        wait_until(lambda: following.status().state is FollowingState.LIVE)
        assert application_of(fussy, Fussy).recorder.max_tracking_id("Letters") == 1


def test_broken_new_file_of_a_server_is_told_once_and_the_old_one_is_kept(
    serve: Serve,
    root: KeyAndCertificate,
    server_owner: Owner,
    client_owner: Owner,
    warnings: Callable[[], list[str]],
) -> None:
    server = serve(Notebook, **server_owner.files)
    certificate = Path(server_owner.files[CERTIFICATE])
    certificate.write_bytes(b"garbage")

    def connects() -> bool:
        return served_serial(server.address, client_owner.files) == server_owner.serial

    wait_until(lambda: connects() and warnings())
    told = (
        f"New certificate files can't be used, the old ones are: {KEY}={server_owner.files[KEY]!r} "
        f"and {CERTIFICATE}={server_owner.files[CERTIFICATE]!r} are not a private key and a "
        "certificate in PEM format"
    )
    assert warnings() == [told]
    certificate.unlink()
    wait_until(lambda: connects() and len(warnings()) == 2)
    assert warnings()[1] == (
        "New certificate files can't be used, the old ones are: "
        f"{CERTIFICATE}={server_owner.files[CERTIFICATE]!r} can't be read: No such file or directory"
    )
    serial = server_owner.renew(root)
    wait_until(lambda: served_serial(server.address, client_owner.files) == serial)
    assert len(warnings()) == 2


def test_broken_new_file_of_a_client_is_told_once_and_the_old_one_is_kept(
    serve: Serve,
    client_of: ClientOf,
    server_owner: Owner,
    client_owner: Owner,
    warnings: Callable[[], list[str]],
) -> None:
    server = serve(Notebook, **server_owner.files)
    client = client_of(Notebook, server, **client_owner.files)
    # The key of somebody else.
    Path(client_owner.files[KEY]).write_bytes(server_owner.current.key_pem)
    wait_until(lambda: client.app.get_name() and warnings())
    assert warnings() == [
        f"New certificate files can't be used, the old ones are: {KEY}={client_owner.files[KEY]!r} "
        f"is not the key of {CERTIFICATE}={client_owner.files[CERTIFICATE]!r}"
    ]
    server.stop(wait=True)
    server.start()
    assert client.app.get_name() == "Notebook"


def test_expired_new_file_is_not_used(
    serve: Serve,
    root: KeyAndCertificate,
    server_owner: Owner,
    client_owner: Owner,
    warnings: Callable[[], list[str]],
) -> None:
    server = serve(Notebook, **server_owner.files)
    now = datetime.now(UTC)
    expired = make_certificate(
        root, NAMES, not_before=now - timedelta(days=3), not_after=now - timedelta(days=2)
    )
    serial = server_owner.serial
    write(Path(server_owner.files[KEY]).parent, "owner", expired)
    wait_until(
        lambda: served_serial(server.address, client_owner.files) == serial
        and any("expired on" in warning for warning in warnings())
    )


def test_new_certificate_that_clients_will_not_take_is_warned_of(
    serve: Serve,
    root: KeyAndCertificate,
    server_owner: Owner,
    client_owner: Owner,
    warnings: Callable[[], list[str]],
) -> None:
    server = serve(Notebook, **server_owner.files)
    with channel_with(server.address, client_owner.files) as channel:
        statuses = iter(OperationsStub(channel).Watch(WatchRequest()))
        assert next(statuses).name == "Notebook"
        server_owner.renew(root, ["elsewhere.example"])
        wait_until(lambda: next(statuses) and warnings())
    (warning,) = warnings()
    assert "is for elsewhere.example, and not for 'localhost'" in warning


def test_certificate_that_expires_while_a_server_runs_is_warned_of_then(
    serve: Serve,
    root: KeyAndCertificate,
    server_owner: Owner,
    client_owner: Owner,
    warnings: Callable[[], list[str]],
) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=3)
    soon = make_certificate(root, NAMES, not_after=ends)
    write(Path(server_owner.files[CERTIFICATE]).parent, "owner", soon)
    server = serve(Notebook, **server_owner.files)
    with channel_with(server.address, client_owner.files) as channel:
        statuses = iter(OperationsStub(channel).Watch(WatchRequest()))
        wait_until(lambda: next(statuses) and len(warnings()) == 2)
    assert [" expires on " in warning for warning in warnings()] == [True, False]
    assert " expired on " in warnings()[1]


def test_status_tells_of_the_newest_certificate(
    serve: Serve, root: KeyAndCertificate, server_owner: Owner, client_owner: Owner
) -> None:
    server = serve(Notebook, **server_owner.files)
    with channel_with(server.address, client_owner.files) as channel:
        stub = OperationsStub(channel)
        statuses = iter(stub.Watch(WatchRequest()))
        told = next(statuses).certificate
        assert list(told.names) == list(NAMES)
        expected = server_owner.current.certificate.not_valid_after_utc
        assert told.not_after.ToDatetime(tzinfo=UTC) == expected
        server_owner.renew(root, [*NAMES, "notes.example"])
        # Without another connection.
        wait_until(lambda: "notes.example" in next(statuses).certificate.names)
        assert told.refusal == ""
        Path(server_owner.files[CERTIFICATE]).write_bytes(b"garbage")
        wait_until(lambda: "not a private key and a cert" in next(statuses).certificate.refusal)


def test_status_tells_when_those_expire_that_have_signed_the_certificate(
    serve: Serve, tmp_path: Path
) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
    files = write_chain(tmp_path, ends)
    with channel_with(serve(Notebook, **files).address, files) as channel:
        told = next(iter(OperationsStub(channel).Watch(WatchRequest()))).certificate
    assert told.intermediate_not_after.ToDatetime(tzinfo=UTC) == ends
    assert told.root_not_after.ToDatetime(tzinfo=UTC) > ends


def test_status_without_tls_has_no_certificate(serve: Serve) -> None:
    with grpc.insecure_channel(serve(Notebook).address) as channel:
        assert not next(iter(OperationsStub(channel).Watch(WatchRequest()))).HasField("certificate")


def test_files_are_the_same_object_until_they_change(
    server_owner: Owner, root: KeyAndCertificate
) -> None:
    files = CertificateFiles(CertificatePaths(*server_owner.files.values()), Role.SERVER)
    first = files.look()
    for path in server_owner.files.values():
        Path(path).touch()
    assert all(files.look() is first for _ in range(100))
    server_owner.renew(root)
    wait_until(lambda: files.look() is not first)
    assert files.look().certificate == server_owner.current.certificate_pem
