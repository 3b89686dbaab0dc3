"""Inspection as its neighbours meet it: what tests of its service share."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from shilian.inspection.v1 import inspection_pb2 as pb
from shilian.inspection.v1.inspection_pb2_grpc import InspectionServiceStub

from contracts.topology import COMMANDS, EVENTS
from tests.bus import Bus
from tests.processes import Process, eventually, free_port, set_clock
from tests.stack import Database

SITE, OPERATOR = "licence:JY13701050012345", "uscc:91370105MA3F72T8XQ"
LABORATORY: Final[dict[str, Any]] = {"who": "省检院", "role": "laboratory", "division": None}
OWNER: Final[dict[str, Any]] = {"who": "王秀兰", "role": "operator", "division": None, "operator": OPERATOR}


class Client:
    """Calls the api as somebody; `Refused` tells why not."""

    def __init__(self, port: int, key: Ed25519PrivateKey) -> None:
        self.address = f"127.0.0.1:{port}"
        self._channel = grpc.insecure_channel(self.address)
        self._key = key
        self.stub = InspectionServiceStub(self._channel)

    def metadata(
        self, who: str, role: str = "regulator", division: str | None = "370105", operator: str | None = None
    ) -> tuple[tuple[str, str], ...]:
        payload = {"sub": who, "aud": "shilian", "exp": time.time() + 600, "role": role}
        scope = {"division": division, "operator_id": operator}
        token = jwt.encode(payload | {name: told for name, told in scope.items() if told}, self._key, "EdDSA")
        return (("authorization", f"Bearer {token}"),)

    def call(
        self,
        rpc: str,
        who: str = "王一",
        role: str = "regulator",
        division: str | None = "370105",
        operator: str | None = None,
        **fields: Any,
    ) -> Any:
        method = pb.DESCRIPTOR.services_by_name["InspectionService"].methods_by_name[rpc]
        request: Any = getattr(pb, method.input_type.name)(**fields)
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = uuid4().hex
        return getattr(self.stub, rpc)(request, metadata=self.metadata(who, role, division, operator), timeout=60)

    def refusal(self, rpc: str, **fields: Any) -> tuple[grpc.StatusCode, str, dict[str, str]]:
        """Status, reason and what is told of a call that must fail."""
        with pytest.raises(grpc.RpcError) as refused:
            self.call(rpc, **fields)
        info = ErrorInfo()
        status: Any = rpc_status.from_call(refused.value)  # type: ignore[arg-type]
        assert status.details[0].Unpack(info)
        return refused.value.code(), info.reason, dict(info.metadata)

    def close(self) -> None:
        self._channel.close()


@pytest.fixture
def ahead(tmp_path: Path) -> Path:
    """By how many seconds the service's clock is ahead."""
    path = tmp_path / "clock"
    path.write_text("0")
    return path


@pytest.fixture
def worker(spawn: Callable[..., Process], bus: Bus, mongo: Database, ahead: Path) -> Process:
    settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "clock_file": ahead, "timer_s": 0.1}
    return spawn("services.inspection", "worker", **settings).wait_ready()


@pytest.fixture
def client(spawn: Callable[..., Process], bus: Bus, mongo: Database, tmp_path: Path, ahead: Path) -> Iterator[Client]:
    key = Ed25519PrivateKey.generate()
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    port = free_port()
    settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "grpc_port": port, "clock_file": ahead}
    spawn("services.inspection", "api", jwt_public_key_file=public, **settings).wait_ready()
    with closing(Client(port, key)) as client:
        yield client


def site(id: str = SITE, **told: Any) -> dict[str, Any]:
    """Facts of a site as the registry announces them."""
    place = {"division": "370105", "link": "circulation", "station": "匡山监管所"}
    return {
        "site": id, "operator": OPERATOR, "name": "王记蔬菜批发", "operator_name": "王秀兰", "state": "activated",
        "version": 1, **place, **told,
    }  # fmt: skip


def finding(id: str = "F1", *, open: bool = True, version: int = 1, **told: Any) -> dict[str, Any]:
    """A finding as trace announces it."""
    times = {"due_at": "2026-01-05T00:00:00Z", "opened_at": "2026-01-05T01:00:00Z"}
    return {
        "id": id, "kind": "overdue_shipment", "open": open, "version": version, "site": SITE, "division": "370105",
        "batches": ["B1"], **times, **told,
    }  # fmt: skip


def failed_test(id: str = "Q1", **told: Any) -> dict[str, Any]:
    """A residue test that failed, as the adapter sends it on."""
    return {
        "id": id, "source": "market", "message_id": "m-1", "line": 1, "kind": "residue_quick", "item": "有机磷类",
        "method": "酶抑制率法", "site": SITE, "batch": "B1", "product": "韭菜", "category": "vegetable",
        "qualified": False, "value": "72%", "tested_at": "2026-01-05T00:30:00Z", **told,
    }  # fmt: skip


def tell(bus: Bus, type: str, **body: Any) -> None:
    """Publishes an event or a command of our own."""
    exchange = COMMANDS if type == "inspection.record_tests.v1" else EVENTS
    bus.publish(exchange, type, body, ce_id=uuid4().hex)


def await_count(collection: Any, count: int, **where: Any) -> None:
    """Returns once a collection holds so many."""
    eventually(lambda: collection.count_documents(where), lambda found: found == count)


def known(bus: Bus, db: Any, *sites: dict[str, Any]) -> None:
    """Returns once these sites are known, or the one that everything here is about."""
    tell(bus, "registry.sites_changed.v1", sites=[*(sites or [site()])])
    await_count(db.sites, len(sites) or 1)


def failed(bus: Bus, db: Any, **told: Any) -> str:
    """The case of a failed quick test at a site that is known."""
    known(bus, db)
    tell(bus, "inspection.record_tests.v1", tests=[failed_test(**told)])
    await_count(db.cases, 1)
    return str(db.cases.find_one()["_id"])


def account(note: str = "现场情况", *evidence: str) -> pb.Account:
    """What an officer brings."""
    return pb.Account(note=note, evidence=evidence or ["photo-1"], location="匡山市场 A-17")


def moved(path: Path, to: datetime, now: datetime) -> None:
    """Moves the service's clock."""
    set_clock(path, (to - now).total_seconds())
