"""The Kubernetes manifests agree with the table of processes and with the topology."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from contracts.topology import CONSUMED, SYSTEMS
from deploy.local.processes import PROCESSES, Process
from tests.deployed import DEPLOY, GRPC, HTTP, by_process, deployed


def manifests(folder: Path = DEPLOY / "k8s") -> Iterator[dict[str, Any]]:
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        yield from yaml.safe_load_all((folder / name).read_text())


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in manifests() if found["kind"] == kind}


@by_process
def test_kubernetes_runs_every_process(process: Process) -> None:
    deployment = named("Deployment")[deployed(process)]
    assert deployment["metadata"]["labels"]["shilian/kind"] == process.kind
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels == {"shilian/process": deployed(process), "shilian/kind": process.kind}
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["args"] == [process.module, process.kind]
    secrets = [source["secretRef"]["name"] for source in container.get("envFrom", ())]
    assert [name for name in secrets if name.endswith("-database")] == (
        [f"{process.database}-database"] if process.database else []
    )


def test_kubernetes_runs_no_process_that_is_not_in_the_table() -> None:
    assert set(named("Deployment")) == {deployed(process) for process in PROCESSES}


@by_process
def test_every_process_is_scaled_and_disrupted_one_at_a_time(process: Process) -> None:
    scaler = named("ScaledObject" if process.kind == "worker" else "HorizontalPodAutoscaler")[deployed(process)]
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployed(process)
    assert scaler["spec"].get("minReplicas", scaler["spec"].get("minReplicaCount")) >= 2
    budget = named("PodDisruptionBudget")[deployed(process)]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"] == {"shilian/process": deployed(process)}


def test_a_worker_scales_by_the_depth_of_the_queues_it_consumes() -> None:
    watched = {
        trigger["metadata"]["queueName"]: (name, trigger["metadata"]["protocol"])
        for name, scaler in named("ScaledObject").items()
        for trigger in scaler["spec"]["triggers"]
    }
    assert watched == {queue.name: (consumer(queue.name), "http") for queue in CONSUMED}


def consumer(queue: str) -> str:
    """The worker of a queue, by the queue's first word."""
    owner = queue.partition(".")[0]
    service = f"adapters.{owner}" if owner in (*SYSTEMS, "docking") else owner
    return next(deployed(p) for p in PROCESSES if p.service == service and p.kind == "worker")


def test_every_api_and_web_has_a_service_on_its_port() -> None:
    services = named("Service")
    ports = {deployed(p): "grpc" if p.kind == "api" else "http" for p in PROCESSES if p.kind != "worker"}
    assert set(services) == set(ports)
    for name, service in services.items():
        assert service["spec"]["selector"] == {"shilian/process": name}
        assert [port["targetPort"] for port in service["spec"]["ports"]] == [ports[name]]
        assert ports[name] == "http" or [port["port"] for port in service["spec"]["ports"]] == [GRPC]


def test_every_process_is_probed() -> None:
    common = yaml.safe_load((DEPLOY / "k8s/common/process.yaml").read_text())
    (container,) = common["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["ports"] == [{"name": "http", "containerPort": HTTP}]
