"""Which Python programs run with: this library's, or one of what it is compared with.

The older package needs Python 3.10. What is compared gets an environment of its own, once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
OLDER_VERSION = "0.1.2"
_OLDER_REQUIREMENT = f"eventsourcing_grpc=={OLDER_VERSION}"
_OLDER_DIRECTORY = PROJECT / "build" / "older-package"
POSTING_VERSION = "2.11.1"
# Releases of tree-sitter after this one end that posting with a segmentation fault.
_POSTING_REQUIREMENTS = (f"posting=={POSTING_VERSION}", "tree-sitter==0.25.2")
_POSTING_DIRECTORY = PROJECT / "build" / "posting"
_INSTALL_TIMEOUT = 300.0
_CHECK = "import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 10))"


@dataclass(frozen=True)
class Installation:
    """A Python, and with it the package that it imports as ``eventsourcing_grpc``."""

    version: str
    """The package's."""
    python: Path
    directory: Path
    """Where programs run."""


class NotInstalledError(Exception):
    """Raised when something can't be measured since it can't be installed. The message says why."""


def this_library() -> Installation:
    """Returns the installation that this process runs with."""
    return Installation(version("eventsourcing-grpc"), Path(sys.executable), PROJECT)


def older_package(python: Path | None = None) -> Installation:
    """Returns the installation of the older package. Makes it when it isn't there yet.

    :param python: a Python 3.10. None: one is looked for.
    :raises NotInstalledError: when there is no Python 3.10, or the package can't be installed.
    """
    environment = _OLDER_DIRECTORY / "venv"
    installed = environment / ".install.stamp"
    own_python = environment / "bin" / "python"
    if not installed.exists() or not _is_suitable(own_python):
        interpreter = next(filter(_is_suitable, [python] if python else _candidates()), None)
        if interpreter is None:
            msg = f"{python or 'nothing that was found'} is not a Python 3.10 with venv"
            raise NotInstalledError(msg)
        _run([str(interpreter), "-m", "venv", "--clear", str(environment)])
        _run([str(own_python), "-m", "pip", "install", "--quiet", _OLDER_REQUIREMENT])
        # Programs find this package behind the older one, and not this library before it.
        [site_packages] = environment.glob("lib/python*/site-packages")
        (site_packages / "benchmarks.pth").write_text(f"{PROJECT}\n", "utf-8")
        installed.write_text(f"{_OLDER_REQUIREMENT}\n", "utf-8")
    return Installation(OLDER_VERSION, own_python, _OLDER_DIRECTORY)


def posting() -> Installation:
    """Returns the installation of another program that was made with Textual, a client for HTTP.

    :raises NotInstalledError: when it can't be installed.
    """
    environment = _POSTING_DIRECTORY / "venv"
    installed = environment / ".install.stamp"
    python = environment / "bin" / "python"
    if not installed.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(environment)])
        _run([str(python), "-m", "pip", "install", "--quiet", *_POSTING_REQUIREMENTS])
        installed.write_text("\n".join(_POSTING_REQUIREMENTS), "utf-8")
    return Installation(POSTING_VERSION, python, _POSTING_DIRECTORY)


def _candidates() -> Iterator[Path]:
    if on_path := shutil.which("python3.10"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/3.10*/bin/python"), reverse=True)


def _is_suitable(python: Path) -> bool:
    # What is found on the path may be a shim, which stands for nothing here.
    try:
        checked = subprocess.run(
            [python, "-c", _CHECK], check=False, capture_output=True, timeout=30.0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return checked.returncode == 0


def _run(command: list[str]) -> None:
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT
        )
    except subprocess.TimeoutExpired as e:
        msg = f"{' '.join(command)} took too long"
        raise NotInstalledError(msg) from e
    except subprocess.CalledProcessError as e:
        last_line = (e.stderr.strip().splitlines() or ["it said nothing"])[-1]
        msg = f"{' '.join(command)} failed: {last_line}"
        raise NotInstalledError(msg) from e
