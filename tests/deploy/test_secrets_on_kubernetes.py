"""What make does to secrets that are on a cluster already. The cluster is a script."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from make_certificates import make_root

PROJECT = Path(__file__).parents[2]
CLUSTER = """#!/bin/sh
case "$*" in
*" get "*) {answer} ;;
*" apply "*) cat >/dev/null ;;
*" create "*) echo "$*" >>{applied} ;;
esac
"""

Making = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def applied(tmp_path: Path) -> Path:
    """What has been stored, a line a secret."""
    return tmp_path / "applied"


@pytest.fixture
def make(tmp_path: Path, applied: Path) -> Making:
    """Makes the secrets of one application, on a cluster that answers with what it has."""

    def run(answer: str, *variables: str) -> subprocess.CompletedProcess[str]:
        kubectl = tmp_path / "kubectl"
        kubectl.write_text(CLUSTER.format(answer=answer, applied=applied), encoding="utf-8")
        kubectl.chmod(0o755)
        given = [f"KUBECTL={kubectl}", f"SSL={tmp_path / 'ssl'}", "NAMES=orders", *variables]
        env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return subprocess.run(
            ["make", "ssl-secrets", *given],
            cwd=PROJECT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def printing(pem: bytes) -> str:
    return f"echo {base64.b64encode(pem).decode()}"


def test_secrets_are_stored_where_there_are_none(make: Making, applied: Path) -> None:
    done = make(":")
    assert (done.returncode, done.stderr) == (0, "")
    assert "root-ssl-secret" in applied.read_text("utf-8")
    assert "orders-ssl-secret" in applied.read_text("utf-8")


def test_secrets_of_the_same_root_are_stored_again(
    make: Making, applied: Path, tmp_path: Path
) -> None:
    make(":")
    stored = (tmp_path / "ssl" / "root" / "root.crt").read_bytes()
    applied.unlink()
    assert make(printing(stored)).returncode == 0
    assert "root-ssl-secret" in applied.read_text("utf-8")


def test_another_root_is_replaced_only_when_that_is_asked_for(make: Making, applied: Path) -> None:
    other = printing(make_root().certificate_pem)
    done = make(other)
    assert done.returncode == 2
    assert "secret/root-ssl-secret has another root than" in done.stderr
    assert "make REPLACE_ROOT=yes ssl-secrets" in done.stderr
    assert not applied.exists()
    assert make(other, "REPLACE_ROOT=yes").returncode == 0
    assert "orders-ssl-secret" in applied.read_text("utf-8")


def test_nothing_is_stored_on_a_cluster_that_does_not_tell_what_it_has(
    make: Making, applied: Path
) -> None:
    assert make("echo refused >&2; exit 1").returncode == 2
    assert not applied.exists()
