"""What has to fit together in Kubernetes files, which no schema knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.deploy.dockerfile import read_dockerfile

Document = dict[str, Any]

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def problems_of(documents: Sequence[Document]) -> Iterator[str]:
    """Yields what doesn't fit together in the documents of one overlay."""
    of_kind: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        of_kind[document["kind"]].append(document)
    workloads = of_kind["Deployment"] + of_kind["StatefulSet"]
    config_maps = {_name(document): document.get("data", {}) for document in of_kind["ConfigMap"]}
    for workload in workloads:
        where = f"{workload['kind']} {_name(workload)}"
        pod = workload["spec"]["template"]["spec"]
        yield from (f"{where}: {problem}" for problem in pod_problems(pod))
        yield from (f"{where}: {problem}" for problem in _reference_problems(pod, config_maps))
        if not _selects(workload["spec"]["selector"]["matchLabels"], workload):
            yield f"{where}: it doesn't select its own pods"
    for service in of_kind["Service"]:
        yield from _service_problems(service, workloads)
    for deployment in of_kind["Deployment"]:
        yield from _deployment_problems(deployment, of_kind, config_maps)


def pod_problems(pod: Mapping[str, Any]) -> Iterator[str]:
    """Yields what the standard "restricted" forbids, and what should be said of every pod.

    See https://kubernetes.io/docs/concepts/security/pod-security-standards/.
    """
    security = pod.get("securityContext", {})
    if not security.get("runAsNonRoot") or not security.get("runAsUser"):
        yield "it may run as root"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "it has no seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield "it gets a token of Kubernetes"
    if pod.get("enableServiceLinks") is not False:
        yield "services set variables of its environment"
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield f"it has {name}"
    for volume in pod.get("volumes", ()):
        if "hostPath" in volume:
            yield f"volume {volume['name']} is a folder of the host"
        if "secret" in volume and volume["secret"].get("defaultMode") != 0o440:
            yield f"volume {volume['name']} can be read by everyone in the pod"
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        yield from (f"container {container['name']}: {p}" for p in _container_problems(container))


def secrets_needed_by(documents: Sequence[Document]) -> dict[str, set[str]]:
    """Returns the keys that each secret must have, as far as the documents name files of it."""
    needed: dict[str, set[str]] = defaultdict(set)
    maps = {_name(d): d.get("data", {}) for d in documents if d["kind"] == "ConfigMap"}
    for document in documents:
        if document["kind"] not in {"Deployment", "StatefulSet"}:
            continue
        pod = document["spec"]["template"]["spec"]
        secrets = {v["name"]: v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v}
        for container in pod["containers"]:
            values = list(environment_of_container(container, maps).values())
            for mount in container["volumeMounts"]:
                folder = f"{mount['mountPath']}/"
                if mount["name"] in secrets:
                    keys = {v.removeprefix(folder) for v in values if v.startswith(folder)}
                    needed[secrets[mount["name"]]] |= keys
    return needed


def environment_of_container(
    container: Mapping[str, Any], config_maps: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Returns the environment of a container: what is said of it comes after config maps."""
    env: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        env.update(config_maps.get(source.get("configMapRef", {}).get("name"), {}))
    env.update({entry["name"]: entry.get("value", "") for entry in container.get("env", ())})
    return env


def _container_problems(container: Mapping[str, Any]) -> Iterator[str]:
    security = container.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False:
        yield "it may get more rights"
    if security.get("capabilities") != {"drop": ["ALL"]}:
        yield "it has capabilities"
    if security.get("readOnlyRootFilesystem") is not True:
        yield "its file system can be written"
    resources = container.get("resources", {})
    for kind in ("requests", "limits"):
        if resources.get(kind, {}).keys() != {"cpu", "memory"}:
            yield f"its resources have no {kind}"
    for probe in PROBES:
        if "exec" not in container.get(probe, {}):
            yield f"it has no {probe} with a command"
    image = container.get("image", "")
    if ":" not in image or image.endswith(":latest"):
        yield f"its image {image!r} has no version"


def _reference_problems(
    pod: Mapping[str, Any], config_maps: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    volumes = {volume["name"] for volume in pod.get("volumes", ())}
    for container in pod["containers"]:
        for mount in container.get("volumeMounts", ()):
            # A claim's template makes the volume "data".
            if mount["name"] not in volumes | {"data"}:
                yield f"there is no volume {mount['name']}"
        for source in container.get("envFrom", ()):
            name = source.get("configMapRef", {}).get("name")
            if name is not None and name not in config_maps:
                yield f"there is no config map {name}"


def _service_problems(service: Document, workloads: Sequence[Document]) -> Iterator[str]:
    where = f"Service {_name(service)}"
    selected = [w for w in workloads if _selects(service["spec"]["selector"], w)]
    if len(selected) != 1:
        yield f"{where}: it is for {len(selected)} workloads"
        return
    containers = selected[0]["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for c in containers for port in c["ports"]}
    for port in service["spec"]["ports"]:
        if ports.get(port["targetPort"]) != port["port"]:
            yield f"{where}: port {port['port']} is not the port {port['targetPort']} of its pods"


def _deployment_problems(
    deployment: Document,
    of_kind: Mapping[str, Sequence[Document]],
    config_maps: Mapping[str, Mapping[str, str]],
) -> Iterator[str]:
    """Yields what doesn't fit the server that a Deployment runs."""
    name = _name(deployment)
    where = f"Deployment {name}"
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    env = environment_of_container(container, config_maps)
    ports = {entry["name"]: entry["containerPort"] for entry in container["ports"]}
    port = ports["grpc"]
    metrics = env.get("GRPC_METRICS_ADDRESS")
    if metrics != (f"0.0.0.0:{ports['metrics']}" if "metrics" in ports else None):
        yield f"{where}: {metrics} is not where its metrics are looked for"
    if env.get(f"{name.upper()}_GRPC_SERVER_ADDRESS") != f"{name}:{port}":
        yield f"{where}: it is not found as {name}:{port}"
    if env.get("GRPC_SERVER_LISTEN_ADDRESS") != f"0.0.0.0:{port}":
        yield f"{where}: it doesn't listen on port {port} of its pod"
    if env.get("APPLICATION_TOPIC", "").rpartition(":")[2].lower() != name:
        yield f"{where}: it serves another application"
    for probe in PROBES:
        if container[probe]["exec"]["command"] != read_dockerfile().healthcheck:
            yield f"{where}: {probe} is not the health check of the image"
    budgets = [
        b for b in of_kind["PodDisruptionBudget"] if _selects(b["spec"]["selector"], deployment)
    ]
    if len(budgets) != 1:
        yield f"{where}: it has {len(budgets)} disruption budgets"
    has_memory = env.get("PERSISTENCE_MODULE") == "eventsourcing.popo"
    strategy = deployment["spec"].get("strategy", {}).get("type")
    if has_memory and (strategy != "Recreate" or deployment["spec"]["replicas"] != 1):
        yield f"{where}: two pods at a time would have two logs"
    if not has_memory and strategy != "RollingUpdate":
        yield f"{where}: nobody serves while it is updated"
    if "PERSISTENCE_MODULE" not in env:
        yield f"{where}: nobody says where it records"


def _selects(selector: Mapping[str, Any], workload: Document) -> bool:
    labels = selector.get("matchLabels", selector)
    found = workload["spec"]["template"]["metadata"]["labels"]
    return bool(labels) and labels.items() <= found.items()


def _name(document: Document) -> str:
    return str(document["metadata"]["name"])
