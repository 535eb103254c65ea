"""Why tests with real containers do not run: they are asked for, and need programs that may be missing."""

from __future__ import annotations

import os
import shutil
import subprocess

DOCKER = os.environ.get("DOCKER", "docker")
MINIKUBE = os.environ.get("MINIKUBE", "minikube")


def why_docker_does_not_run() -> str:
    """Returns why there are no tests with a container engine, or an empty string."""
    return _why_not("docker") or _engine_problem()


def why_minikube_does_not_run() -> str:
    """Returns why there are no tests with minikube, or an empty string."""
    return _why_not("minikube") or _program_problem(MINIKUBE) or _engine_problem()


def _why_not(asked_for: str) -> str:
    if os.environ.get("TEST_CONTAINERS") == asked_for:
        return ""
    return f"it takes minutes: 'make test-{asked_for}' runs it"


def _engine_problem() -> str:
    return _program_problem(DOCKER) or (
        "" if _answers(DOCKER, "info") else "did not run here: no container engine answers"
    )


def _program_problem(program: str) -> str:
    return "" if shutil.which(program) else f"did not run here: {program} is not installed"


def _answers(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
