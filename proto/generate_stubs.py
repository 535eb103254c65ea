"""Generates ``eventsourcing_grpc/protos`` from the ``.proto`` files beside this one, or checks that it is current.

What it runs with decides what it writes: ``make grpc-stubs`` gives it the locked, oldest supported generator.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROTO = Path(__file__).resolve().parent
STUBS = PROTO.parent / "eventsourcing_grpc" / "protos"
PROTO_PACKAGE = "eventsourcing_grpc/v1"
STUB_PATTERN = "*_pb2*.py*"
"""What is generated. Everything else in the folder of stubs is left alone."""

# protoc derives Python packages from the folders of the .proto files; the stubs live in one of their own.
_GENERATED_IMPORT = re.compile(r"^(from|import) eventsourcing_grpc\.v1\b", re.MULTILINE)


class GenerationError(Exception):
    """The generator is not installed, or refuses the ``.proto`` files."""


def generate() -> dict[str, str]:
    """Returns the stubs of all ``.proto`` files: name of the file -> its text.

    Raises :class:`GenerationError` with what the generator says.
    """
    sources = sorted((PROTO / PROTO_PACKAGE).glob("*.proto"))
    mypy_plugin = Path(sys.executable).parent / "protoc-gen-mypy"
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}"),
            *(f"--plugin=protoc-gen-mypy={mypy_plugin}", f"--plugin={mypy_plugin}_grpc"),
            *(f"--{kind}_out={folder}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")),
            *(str(source) for source in sources),
        ]
        completed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if completed.returncode != 0:
            raise GenerationError(completed.stderr.strip())
        return {
            path.name: _GENERATED_IMPORT.sub(
                r"\1 eventsourcing_grpc.protos", path.read_text("utf-8")
            )
            for path in sorted((Path(folder) / PROTO_PACKAGE).iterdir())
        }


def differences(generated: dict[str, str]) -> list[str]:
    """Tells which stubs are not as generated: "missing", "outdated" or "left over", each with its name."""
    present = {path.name: path.read_text("utf-8") for path in STUBS.glob(STUB_PATTERN)}
    return [
        *(f"{name} is missing" for name in generated if name not in present),
        *(
            f"{name} is outdated"
            for name in generated
            if present.get(name, generated[name]) != generated[name]
        ),
        *(f"{name} is left over" for name in sorted(present) if name not in generated),
    ]


def write(generated: dict[str, str]) -> None:
    """Makes the stubs as generated. Files that are so already keep their times."""
    for path in STUBS.glob(STUB_PATTERN):
        if path.name not in generated:
            path.unlink()
    for name, text in generated.items():
        path = STUBS / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def main() -> int:
    """Runs from the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Generate the gRPC stubs from the .proto files.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the stubs are not current"
    )
    arguments = parser.parse_args()
    try:
        generated = generate()
    except GenerationError as error:
        sys.stderr.write(f"The stubs can't be generated: {error}\n")
        return 2
    found = differences(generated)
    if not arguments.check:
        write(generated)
        sys.stdout.write(f"{'; '.join(found)}: done\n" if found else "The stubs are current.\n")
        return 0
    if found:
        sys.stderr.write(f"The stubs are not current (make grpc-stubs): {'; '.join(found)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
