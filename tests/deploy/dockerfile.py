"""Reads what a container of an image runs, from the last stage of its Dockerfile."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DOCKERFILE = Path(__file__).parents[2] / "deploy" / "docker" / "Dockerfile"


@dataclass
class Image:
    """What the image says of its containers."""

    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    healthcheck: list[str] = field(default_factory=list)
    user: str = ""
    working_directory: str = "/"
    stop_signal: str = "SIGTERM"


def read_dockerfile(path: Path = DOCKERFILE) -> Image:
    """Returns the image that a Dockerfile makes, without what its base image says.

    :raises ValueError: when a command is not written as a list: a shell would run it.
    """
    image = Image()
    for instruction, arguments in _instructions(path.read_text(encoding="utf-8")):
        match instruction:
            case "FROM":
                image = Image()
            case "ENV":
                pairs = (word.partition("=") for word in shlex.split(arguments))
                image.env.update({name: value for name, _, value in pairs})
            case "ENTRYPOINT":
                image.entrypoint = _words(arguments)
            case "CMD":
                image.command = _words(arguments)
            case "HEALTHCHECK":
                image.healthcheck = _words(arguments.partition("CMD")[2])
            case "USER":
                image.user = arguments
            case "WORKDIR":
                image.working_directory = arguments
            case "STOPSIGNAL":
                image.stop_signal = arguments
    return image


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n", " ", text).splitlines():
        instruction, _, arguments = line.strip().partition(" ")
        if instruction:
            yield instruction.upper(), arguments.strip()


def _words(arguments: str) -> list[str]:
    words = json.loads(arguments)
    if not isinstance(words, list):
        msg = f"{arguments} is not a list of words"
        raise TypeError(msg)
    return [str(word) for word in words]
