"""Images and docker-compose.yml agree with the table of processes and with the lock."""

import json
import re
from typing import Any

import httpx
import pytest
import yaml

from contracts.topology import CONSUMED, RETRY_LADDER, egress_queue
from deploy.docker.locked import locked
from deploy.local import provision
from deploy.local.home import ROOT
from deploy.local.processes import PROCESSES, Process
from deploy.local.provision import SOURCES
from tests.deployed import DEPLOY, GRPC, HTTP, by_process, deployed

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (DEPLOY / "docker/Dockerfile").read_text()
RUNTIMES = {
    "worker": {"nameko", "eventlet", "pika", "kombu"},
    "api": {"grpcio", "motor"},
    "web": {"starlette", "uvicorn"},
}


# Images


def packages(*extras: str) -> set[str]:
    entries = locked((ROOT / "requirements.lock").read_text(), (ROOT / "pyproject.toml").read_text(), extras)
    return set(re.findall(r"^([\w.-]+)==", entries, re.MULTILINE))


@pytest.mark.parametrize(("kind", "other"), [("worker", "api"), ("api", "worker"), ("web", "worker")])
def test_an_image_carries_its_own_runtime_only(kind: str, other: str) -> None:
    assert RUNTIMES[kind] | {"pymongo", "pydantic", "prometheus-client"} <= packages(kind)
    assert not RUNTIMES[other] & packages(kind)
    assert not {"pytest", "ruff", "mypy", "supervisor"} & packages(kind)


def test_an_image_gets_the_packages_its_packages_need() -> None:
    assert {"greenlet", "amqp", "dnspython", "pydantic-core"} <= packages("worker")
    assert {"cryptography", "protobuf"} <= packages("api")


def test_every_package_keeps_its_hash() -> None:
    entries = locked((ROOT / "requirements.lock").read_text(), (ROOT / "pyproject.toml").read_text(), ["worker"])
    assert entries.count("--hash=sha256:") > entries.count("==") > 0
    assert all("--hash" in entry for entry in re.split(r"^(?=\w)", entries, flags=re.MULTILINE) if entry.strip())


def test_an_image_runs_without_root_and_answers_for_its_health() -> None:
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert "\nUSER shilian\n" in last
    assert f"http://127.0.0.1:{HTTP}/ready" in last
    assert f"SHILIAN_HTTP_PORT={HTTP}" in last
    assert f"SHILIAN_GRPC_PORT={GRPC}" in last


def test_every_folder_that_runs_is_in_the_image() -> None:
    ignored = (DEPLOY / "docker/Dockerfile.dockerignore").read_text().split()
    needed = {
        "contracts",
        "chassis",
        "services",
        "clients",
        "deploy",
        "proto/gen",
        "pyproject.toml",
        "requirements.lock",
    }
    assert needed == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / path).exists() for path in needed)


# Compose


def built() -> dict[str, dict[str, Any]]:
    """Services that run an image of ours."""
    return {name: service for name, service in COMPOSE["services"].items() if "build" in service}


@by_process
def test_compose_runs_every_process(process: Process) -> None:
    service = COMPOSE["services"][deployed(process)]
    assert service["command"] == [process.module, process.kind]
    assert service["build"]["args"] == {"EXTRAS": process.kind}
    assert service["environment"]["SHILIAN_INSTANCE"] == process.name
    database = service["environment"].get("SHILIAN_MONGO_URL", "").partition("?")[0].rpartition("/")[2]
    assert database == (process.database or "")


def test_compose_runs_no_process_that_is_not_in_the_table() -> None:
    assert set(built()) - {"provision", "shilian"} == {deployed(process) for process in PROCESSES}


def test_nothing_keeps_a_process_from_scaling() -> None:
    assert not [name for name, service in COMPOSE["services"].items() if "container_name" in service]
    assert not [name for name, service in built().items() if "ports" in service or "hostname" in service]


def test_host_ports_are_at_the_edge_and_on_loopback_by_default() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert set(published) == {"edge", "rabbitmq", "prometheus", "grafana"}
    assert all(port.startswith("${SHILIAN_BIND:-127.0.0.1}:") for ports in published.values() for port in ports)


def test_every_service_has_a_health_check() -> None:
    tools = {"provision", "shilian"}
    for name, service in COMPOSE["services"].items():
        if name in tools:
            assert service["healthcheck"] == {"disable": True}
        else:
            # Ours have the image's.
            assert "build" in service or service["healthcheck"]["test"], name


@by_process
def test_a_process_waits_for_what_it_needs(process: Process) -> None:
    waits = {name: wait["condition"] for name, wait in COMPOSE["services"][deployed(process)]["depends_on"].items()}
    if process.kind == "web":
        assert waits == {f"{process.service}-api": "service_healthy"}
        return
    assert waits["provision"] == "service_completed_successfully"
    assert waits["mongo"] == "service_healthy"
    assert process.kind == "api" or waits["rabbitmq"] == "service_healthy"


def test_every_volume_is_declared_and_every_mounted_file_exists() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_job_gets_a_password_for_every_user() -> None:
    given = set(COMPOSE["services"]["provision"]["environment"])
    users = {f"AMQP_PASSWORD_{user.replace('.', '_').upper()}" for user in ("shilian", *SOURCES)}
    databases = {f"MONGO_PASSWORD_{p.database.upper()}" for p in PROCESSES if p.database}
    assert {name for name in given if "PASSWORD" in name} == users | databases


def test_the_example_names_every_variable() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    example = (DEPLOY / "docker/example.env").read_text()
    assert used == set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_the_edge_sends_every_api_its_calls() -> None:
    edge = (DEPLOY / "docker/edge.conf").read_text()
    apis = [process for process in PROCESSES if process.kind == "api"]
    for api in apis:
        assert re.search(rf"~\^/shilian\\\.{api.service}\\\.\s+{deployed(api)};", edge)
        assert deployed(api) in COMPOSE["services"]["edge"]["depends_on"]
    assert f"grpc_pass grpc://$api:{GRPC};" in edge


@pytest.mark.parametrize(
    ("version", "policies"), [("3.10.8", []), ("3.13.7", []), ("4.0.1", ["keeping"]), ("4.1.0", ["keeping"])]
)
def test_a_broker_that_limits_deliveries_by_itself_keeps_letters_and_answers(
    version: str, policies: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put: dict[str, Any] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            put[request.url.path] = json.loads(request.content)
        return httpx.Response(200, json={"rabbitmq_version": version})

    def management(url: str) -> httpx.Client:
        return httpx.Client(base_url=f"{url}/api/", transport=httpx.MockTransport(answer))

    monkeypatch.setattr(provision, "_management", management)
    provision.provision_services("http://broker", "secret")
    found = {path.rpartition("/")[2]: body for path, body in put.items() if "/policies/" in path}
    assert [*found] == policies
    for body in found.values():
        assert body["definition"] == {"delivery-limit": -1}
        kept = [queue.dead for queue in CONSUMED] + [egress_queue(source).name for source in provision.SOURCES]
        assert all(re.search(body["pattern"], name) for name in kept)
        assert not any(re.search(body["pattern"], name) for name in (*(q.name for q in CONSUMED), *RETRY_LADDER))
