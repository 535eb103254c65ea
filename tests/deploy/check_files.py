"""Checks the files in ``deploy/``: ``make lint-deploy``, in an environment with what that takes.

Dockerfiles by hadolint, the Compose file by the Compose specification, what kustomize makes of the
Kubernetes files by the schemas of several versions of Kubernetes, and by what has to fit together.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.deploy.compose_file import DIRECTORY, environment_of, read_document
from tests.deploy.kubernetes_files import Document, problems_of, secrets_needed_by

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OPTIONAL_COMPONENTS = ("metrics", "network-policy")
PROGRAMS = Path(sys.executable).parent
KUBERNETES_VERSIONS = ("1.30", "1.33", "1.37")
"""The oldest that the files are for, and newer ones."""


def main() -> int:
    """Writes what is wrong, one a line. Returns the exit status."""
    count = 0
    for check in (check_dockerfiles, check_compose_file, check_kubernetes_files):
        for problem in check():
            count += 1
            sys.stderr.write(f"{problem}\n")
    return 1 if count else 0


def check_dockerfiles() -> Iterator[str]:
    """Yields what hadolint finds."""
    files = sorted(path.relative_to(ROOT) for path in DIRECTORY.glob("*Dockerfile"))
    done = run([str(PROGRAMS / "hadolint"), "--no-color", *map(str, files)])
    yield from (done.stdout + done.stderr).splitlines()
    if done.returncode and not done.stdout:
        yield f"hadolint ended with status {done.returncode}"


def check_compose_file() -> Iterator[str]:
    """Yields what is against the Compose specification, with each of the environment files."""
    from compose_spec import PyCompose

    for path in sorted(DIRECTORY.glob("*.env")):
        document = read_document(environment_of(path.name))
        try:
            # As JSON, which has no anchors left.
            PyCompose.from_json(json.dumps(document)).validate()
        except ValueError as e:
            yield f"compose.yaml with {path.name}: {e}"


def check_kubernetes_files() -> Iterator[str]:
    """Yields what is wrong with what kustomize makes of each overlay, and with secrets."""
    secrets = {str(document["metadata"]["name"]): document for document in make_secrets()}
    for name, secret in secrets.items():
        yield from (f"make {name}: {problem}" for problem in schema_problems(secret))
    with overlay_with_components() as with_components:
        overlays = [*sorted((KUBERNETES / "overlays").iterdir()), with_components]
        builds = {
            overlay: run([str(PROGRAMS / "kubectl"), "kustomize", str(overlay)])
            for overlay in overlays
        }
    for overlay, done in builds.items():
        if done.returncode or done.stderr:
            yield f"{overlay.name}: {done.stderr.strip()}"
            continue
        documents: list[Document] = list(yaml.safe_load_all(done.stdout))
        found = [problem for document in documents for problem in schema_problems(document)]
        found += problems_of(documents)
        for name, keys in secrets_needed_by(documents).items():
            missing = keys - secrets.get(name, {}).get("data", {}).keys()
            if missing:
                found.append(f"Secret {name}: make makes none with {', '.join(sorted(missing))}")
        yield from (f"{overlay.name}: {problem}" for problem in found)


@contextmanager
def overlay_with_components() -> Iterator[Path]:
    """Makes an overlay as a user would: with the components that none of the others has."""
    with tempfile.TemporaryDirectory(prefix="with-components-", dir=ROOT / "build") as folder:
        files = Path("../../deploy/kubernetes")
        kustomization = {
            "resources": [str(files / "overlays" / "postgres")],
            "components": [str(files / "components" / name) for name in OPTIONAL_COMPONENTS],
        }
        path = Path(folder) / "kustomization.yaml"
        path.write_text(yaml.safe_dump(kustomization), encoding="utf-8")
        yield path.parent


def schema_problems(document: Document) -> Iterator[str]:
    """Yields what no Kubernetes of the versions would take, fields that it doesn't know included."""
    import kubernetes_validate

    where = f"{document['kind']} {document['metadata']['name']}"
    for version in KUBERNETES_VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as e:
            path = ".".join(str(part) for part in e.path)
            yield f"{where}: Kubernetes {version}: {path}: {e.message}"


def make_secrets() -> list[Document]:
    """Returns the secrets that make creates, by the real kubectl, which no cluster gets."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kubectl, applied = folder / "kubectl", folder / "applied.yaml"
        kubectl.write_text(
            '#!/bin/sh\ncase "$*" in\n'
            f'*" apply "*) cat >>{applied}; echo --- >>{applied} ;;\n'
            '*" --ignore-not-found "*) ;;\n'
            f'*) exec {PROGRAMS / "kubectl"} "$@" ;;\n'
            "esac\n",
            encoding="utf-8",
        )
        kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
        variables = [f"KUBECTL={kubectl}", f"SSL={folder / 'ssl'}", f"PASSWORD={folder / 'word'}"]
        done = run(["make", *variables, "namespace", "ssl-secrets", "postgres-secret"])
        if done.returncode:
            raise SystemExit(done.stderr)
        text = applied.read_text(encoding="utf-8")
    return [document for document in yaml.safe_load_all(text) if document]


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs a program at the root of the repository. It reaches no cluster."""
    # What the make that runs this was told is not for the one that this runs.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    env["KUBECONFIG"] = os.devnull
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
