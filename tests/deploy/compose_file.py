"""Reads what each service of the Compose file runs, so that tests can run the same without containers.

It is read as Compose reads it, and nothing of it is copied: what a user deploys is what is tested.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tests.deploy.dockerfile import read_dockerfile

DIRECTORY = Path(__file__).parents[2] / "deploy" / "docker"
COMPOSE_FILE = DIRECTORY / "compose.yaml"
_SECRETS = PurePosixPath("/run/secrets")
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::?-(?P<default>[^}]*))?\})")


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host, or a volume, and where a container has it."""

    source: str
    """A path, or the name of a volume."""
    target: str
    is_read_only: bool


@dataclass(frozen=True)
class Service:
    """What a service runs, where, and with what."""

    name: str
    hostname: str
    image: str
    argv: tuple[str, ...]
    """Entry point and command. Empty: whatever the image has, which is not built here."""
    env: Mapping[str, str]
    """All of it: the image's and the service's."""
    mounts: tuple[Mount, ...]
    """Secrets included."""
    healthcheck: tuple[str, ...]
    ports: tuple[str, ...]
    networks: tuple[str, ...]
    document: Mapping[str, Any]
    """What else the file says of it."""


@dataclass(frozen=True)
class Process:
    """A service as a process of this machine."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    healthcheck: tuple[str, ...]


def environment_of(name: str) -> dict[str, str]:
    """Returns the variables in a file beside the Compose file, such as ``postgres.env``."""
    text = (DIRECTORY / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def read_document(variables: Mapping[str, str], path: Path = COMPOSE_FILE) -> dict[str, Any]:
    """Returns a Compose file as a document, with values in place of ``${VARIABLE:-default}``."""

    def value(found: re.Match[str]) -> str:
        name = found["name"]
        return "$" if name is None else variables.get(name) or found["default"] or ""

    document = yaml.safe_load(_VARIABLE.sub(value, path.read_text(encoding="utf-8")))
    assert isinstance(document, dict)
    return document


def read_services(
    variables: Mapping[str, str] | None = None, path: Path = COMPOSE_FILE
) -> dict[str, Service]:
    """Returns the services that ``docker compose up`` starts, by name.

    :param variables: what the file refers to: those of a file like ``postgres.env``, for one.
        ``COMPOSE_PROFILES`` says which services with profiles there are.
    """
    variables = variables or {}
    profiles = set(filter(None, variables.get("COMPOSE_PROFILES", "").split(",")))
    document = read_document(variables, path)
    secrets: Mapping[str, Mapping[str, str]] = document.get("secrets", {})
    services: Mapping[str, Mapping[str, Any]] = document["services"]
    return {
        name: _service(name, service, secrets, path.parent)
        for name, service in services.items()
        if not service.get("profiles") or profiles.intersection(service["profiles"])
    }


def as_process(
    service: Service, folders: Mapping[str, Path], replaced: Mapping[str, str], programs: Path
) -> Process:
    """Returns a service as a process that runs without a container.

    :param folders: what this machine has in place of folders and files of the container, such as
        ``/app/ssl``.
    :param replaced: variables with other values: addresses, that is, and nothing else.
    :param programs: the folder with the programs of the image's virtual environment.
    """
    unknown = replaced.keys() - service.env.keys()
    assert not unknown, f"{service.name} has no {unknown}"
    env = {name: _on_this_machine(value, folders) for name, value in service.env.items()}
    env.update(replaced)
    env["PATH"] = f"{programs}:{service.env['PATH']}"

    def located(words: Sequence[str]) -> tuple[str, ...]:
        return (str(programs / words[0]), *words[1:])

    return Process(located(service.argv), env, located(service.healthcheck))


def _on_this_machine(value: str, folders: Mapping[str, Path]) -> str:
    for inside, outside in folders.items():
        if value == inside or value.startswith(f"{inside}/"):
            return f"{outside}{value.removeprefix(inside)}"
    return value


def _service(
    name: str, document: Mapping[str, Any], secrets: Mapping[str, Mapping[str, str]], folder: Path
) -> Service:
    image = read_dockerfile(_dockerfile(document, folder)) if "build" in document else None
    env = dict(image.env) if image else {}
    env.update({key: str(value) for key, value in document.get("environment", {}).items()})
    entrypoint = _words(document.get("entrypoint")) or (image.entrypoint if image else [])
    command = _words(document.get("command")) or (image.command if image else [])
    kind, *test = document.get("healthcheck", {}).get("test", ["CMD"])
    assert kind == "CMD", f"the health check of {name} needs a shell"
    mounts = [_mount(volume, folder) for volume in document.get("volumes", ())]
    mounts += [
        Mount(str(folder / secrets[secret]["file"]), str(_SECRETS / secret), is_read_only=True)
        for secret in document.get("secrets", ())
    ]
    return Service(
        name=name,
        hostname=document.get("hostname", name),
        image=document.get("image", ""),
        argv=(*entrypoint, *command),
        env=env,
        mounts=tuple(mounts),
        healthcheck=tuple(test or (image.healthcheck if image else ())),
        ports=_texts(document.get("ports", ())),
        networks=_texts(document.get("networks", ())),
        document=document,
    )


def _dockerfile(document: Mapping[str, Any], folder: Path) -> Path:
    build: Mapping[str, str] = document["build"]
    return folder / build["context"] / build["dockerfile"]


def _mount(volume: str, folder: Path) -> Mount:
    source, target, *options = volume.split(":")
    if source.startswith("."):
        source = str((folder / source).resolve())
    return Mount(source, target, "ro" in options)


def _words(value: str | list[str] | None) -> list[str]:
    return shlex.split(value) if isinstance(value, str) else [str(word) for word in value or ()]


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)
