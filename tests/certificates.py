"""Certificate files for tests: good ones, and ones with something wrong."""

from __future__ import annotations

from pathlib import Path

from make_certificates import KeyAndCertificate, make_certificate, make_root, write

NAMES = ("localhost", "127.0.0.1", "::1")


def write_certificates(
    folder: Path, root: KeyAndCertificate, owner: KeyAndCertificate | None = None
) -> dict[str, str]:
    """Writes a key, its certificate and the root, and returns the environment that names them."""
    write(folder, "owner", owner or make_certificate(root, NAMES))
    write(folder, "root", root)
    return {
        "GRPC_SSL_PRIVATE_KEY_PATH": str(folder / "owner.key"),
        "GRPC_SSL_CERTIFICATE_PATH": str(folder / "owner.crt"),
        "GRPC_SSL_ROOT_CERTIFICATE_PATH": str(folder / "root.crt"),
    }


def new_certificates(folder: Path) -> dict[str, str]:
    """Writes certificates of a root that nobody else has, and returns their environment."""
    return write_certificates(folder, make_root())
