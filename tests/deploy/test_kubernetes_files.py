"""What is checked of Kubernetes files beyond their schemas, and what must be the same in several files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from tomllib import loads
from typing import Any

import pytest
import yaml

from tests.deploy.compose_file import DIRECTORY, read_services
from tests.deploy.dockerfile import read_dockerfile
from tests.deploy.kubernetes_files import (
    environment_of_container,
    pod_problems,
    problems_of,
    secrets_needed_by,
)

PROJECT = Path(__file__).parents[2]
BASE = PROJECT / "deploy" / "kubernetes" / "base"


def good_pod() -> dict[str, Any]:
    """Returns what all servers have in common, with a version of the image."""
    document = yaml.safe_load((BASE / "server.yaml").read_text("utf-8"))
    pod = document["spec"]["template"]["spec"]
    assert isinstance(pod, dict)
    pod["containers"][0]["image"] += ":1"
    return pod


def test_pods_of_servers_are_as_restricted_as_can_be() -> None:
    assert list(pod_problems(good_pod())) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"securityContext": {"runAsUser": 0}}, "it may run as root"),
        ({"securityContext": {}}, "it has no seccomp profile"),
        ({"automountServiceAccountToken": True}, "it gets a token of Kubernetes"),
        ({"enableServiceLinks": True}, "services set variables of its environment"),
        ({"hostNetwork": True}, "it has hostNetwork"),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
            "volume v is a folder of the host",
        ),
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
            "volume v can be read by everyone in the pod",
        ),
    ],
)
def test_pod_that_may_more_is_named(change: Mapping[str, Any], problem: str) -> None:
    assert problem in list(pod_problems({**good_pod(), **change}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"securityContext": {"privileged": True}}, "it has capabilities"),
        ({"resources": {"requests": {"cpu": 1}}}, "its resources have no limits"),
        ({"livenessProbe": {"grpc": {"port": 1}}}, "it has no livenessProbe with a command"),
        ({"image": "server"}, "its image 'server' has no version"),
        ({"image": "server:latest"}, "its image 'server:latest' has no version"),
    ],
)
def test_container_that_is_not_as_it_should_be_is_named(
    change: Mapping[str, Any], problem: str
) -> None:
    pod = good_pod()
    pod["containers"][0].update(change)
    assert f"container server: {problem}" in list(pod_problems(pod))


def test_service_without_pods_is_named() -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": "orders"},
        "spec": {"selector": {"app": "orders"}, "ports": []},
    }
    assert list(problems_of([service])) == ["Service orders: it is for 0 workloads"]


def test_keys_of_secrets_are_those_of_the_files_that_are_named() -> None:
    document = yaml.safe_load((BASE / "server.yaml").read_text("utf-8"))
    document["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"] = "orders-ssl-secret"
    assert secrets_needed_by([document]) == {
        "orders-ssl-secret": {"tls.key", "tls.crt"},
        "root-ssl-secret": {"root.crt"},
    }


def test_what_a_container_says_comes_after_config_maps() -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "m"}}],
        "env": [{"name": "A", "value": "2"}],
    }
    assert environment_of_container(container, {"m": {"A": "1", "B": "1"}}) == {"A": "2", "B": "1"}


def test_compose_and_kubernetes_configure_the_same_system() -> None:
    lines = (BASE / "system.env").read_text("utf-8").split()
    compose = read_services()["orders"].env
    for name, value in (line.split("=", 1) for line in lines):
        assert compose[name] == value
    component = BASE.parent / "components" / "postgres-client" / "postgres.env"
    lines = component.read_text("utf-8").splitlines()
    names = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    assert names <= compose.keys()


def test_container_runs_as_the_same_user_everywhere() -> None:
    pod = good_pod()["securityContext"]
    assert read_dockerfile().user == f"{pod['runAsUser']}:{pod['runAsGroup']}"
    assert read_services()["orders"].document["user"] == read_dockerfile().user


def test_image_has_the_version_of_the_project_everywhere() -> None:
    version = loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))
    assert kustomization["images"] == [{"name": "eventsourcing-grpc", "newTag": version}]
    assert read_services()["orders"].image == f"eventsourcing-grpc:{version}"
    shop = (DIRECTORY / "shop.Dockerfile").read_text("utf-8")
    assert f"ARG IMAGE=eventsourcing-grpc:{version}\n" in shop


def test_image_has_only_packages_of_the_versions_that_are_tested() -> None:
    def locked(name: str) -> set[str]:
        text = (PROJECT / "requirements" / name).read_text("utf-8")
        return set(re.findall(r"^[a-z0-9-]+==[^ \n]+", text, re.MULTILINE))

    for name in ("image.lock", "build.lock"):
        assert locked(name)
        assert locked(name) <= locked("development.lock")


def test_image_needs_nothing_that_is_kept_out_of_its_build() -> None:
    dockerfile = (DIRECTORY / "Dockerfile").read_text("utf-8")
    ignored = (DIRECTORY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert "*" in ignored
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
    assert set(" ".join(copied).split()) == let_in
    assert all((PROJECT / path).exists() for path in let_in)
