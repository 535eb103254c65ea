"""The project's own files: locks, make targets, scripts, and the certificates for trying TLS."""

from __future__ import annotations

import re
import ssl
import stat
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from tomllib import loads

import pytest

import make_certificates

PROJECT = Path(__file__).resolve().parent.parent
LOCKS = sorted((PROJECT / "requirements").glob("*.lock"))


def _scripts() -> dict[str, str]:
    project = loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    return {str(name): str(target) for name, target in project["scripts"].items()}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_has_hashes_and_names_no_index(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links)\b", text, re.MULTILINE)
    requirements = re.findall(r"^[A-Za-z0-9].*(?:\n .*)*", text, re.MULTILINE)
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==\S+", requirement)
        assert "--hash=sha256:" in requirement


def test_oldest_lock_has_the_lower_bounds_of_the_library() -> None:
    project = loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    lock = (PROJECT / "requirements" / "oldest.lock").read_text("utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    bounds = [re.match(r"([a-z0-9-]+) >=([0-9.]+)", line) for line in project["dependencies"]]
    for bound in bounds:
        assert bound is not None
        assert locked[bound[1]] == bound[2]


def test_make_has_every_target_that_the_readme_names() -> None:
    readme = (PROJECT / "README.md").read_text("utf-8")
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"(?:`|^\$? *)make ([a-z][a-z-]+)", readme, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert {"run", "test"} <= named
    assert named <= targets


@pytest.mark.parametrize("name", sorted(_scripts()))
def test_script_resolves(name: str) -> None:
    assert callable(EntryPoint(name, _scripts()[name], "console_scripts").load())


def _context(folder: Path, name: str, purpose: ssl.Purpose) -> ssl.SSLContext:
    context = ssl.create_default_context(purpose, cafile=str(folder / name / "root.crt"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / name / f"{name}.crt", folder / name / f"{name}.key")
    return context


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, server_name: str) -> str:
    """Lets both sides authenticate each other in memory. Returns the client's common name, as the server sees it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    client_side = client.wrap_bio(to_client, to_server, server_hostname=server_name)
    waiting = [client_side, server_side]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
        if not waiting:
            break
    assert not waiting
    certificate = server_side.getpeercert()
    assert certificate
    subject = certificate["subject"]
    assert isinstance(subject, tuple)
    return str(subject[0][0][1])


@pytest.mark.parametrize("server_name", ["payments", *make_certificates.machine_names()])
def test_certificates_authenticate_each_other(tmp_path: Path, server_name: str) -> None:
    make_certificates.make_all(tmp_path, ["orders", "payments"])
    client = _context(tmp_path, "orders", ssl.Purpose.SERVER_AUTH)
    server = _context(tmp_path, "payments", ssl.Purpose.CLIENT_AUTH)
    assert _handshake(client, server, server_name) == "orders"


def test_certificates_of_another_root_are_refused(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        make_certificates.make_all(tmp_path / name, ["orders"])
    ours = _context(tmp_path / "ours", "orders", ssl.Purpose.SERVER_AUTH)
    theirs = _context(tmp_path / "theirs", "orders", ssl.Purpose.CLIENT_AUTH)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(ours, theirs, "orders")


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    make_certificates.make_all(tmp_path, ["orders"])
    keys = sorted(tmp_path.rglob("*.key"))
    assert [key.name for key in keys] == ["orders.key", "root.key"]
    assert all(stat.S_IMODE(key.stat().st_mode) == 0o600 for key in keys)


def test_good_certificates_are_kept_and_others_made_anew(tmp_path: Path) -> None:
    names = ["orders", "payments"]
    assert make_certificates.make_all(tmp_path, names) == ["root", "orders", "payments"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assert make_certificates.make_all(tmp_path, names) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == before

    root = make_certificates.read(tmp_path / "root", "root")
    assert root is not None
    soon = datetime.now(UTC) + timedelta(days=1)
    own_names = ["orders", *make_certificates.machine_names()]
    expiring = make_certificates.make_certificate(root, own_names, not_after=soon)
    make_certificates.write(tmp_path / "orders", "orders", expiring)
    (tmp_path / "payments" / "payments.key").write_bytes(expiring.key_pem)
    assert make_certificates.make_all(tmp_path, names) == ["orders", "payments"]

    (tmp_path / "root" / "root.key").unlink()
    assert make_certificates.make_all(tmp_path, names) == ["root", "orders", "payments"]
    assert make_certificates.make_all(tmp_path, names, force=True) == ["root", "orders", "payments"]


def test_certificates_are_for_one_application_each(tmp_path: Path) -> None:
    make_certificates.make_all(tmp_path, ["orders", "payments"])
    client = _context(tmp_path, "orders", ssl.Purpose.SERVER_AUTH)
    server = _context(tmp_path, "payments", ssl.Purpose.CLIENT_AUTH)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(client, server, "orders")
