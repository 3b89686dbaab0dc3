"""Rebuilt facts give the figures that events gave: every service with real processes, each on its own database."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pymongo import MongoClient
from shilian.reporting.v1 import reporting_pb2 as pb
from shilian.reporting.v1.reporting_pb2_grpc import ReportingServiceStub

from chassis import clock
from contracts import inspection
from contracts.corrections import DeclareErrorsV1, ErrorReport
from contracts.fields import SHANGHAI
from contracts.registry import Observation, ObserveV1
from contracts.topology import COMMANDS
from contracts.trace import CaptureV1, Category, Link, Lot, Party, Record, Step
from deploy.local.provision import provision_database
from services.reporting import months, store
from tests.bus import Bus
from tests.processes import Process, eventually, free_port
from tests.stack import Infra

SERVICES = ("registry", "trace", "inspection", "notify", "reporting")
NOW = clock.now()
OLD = (NOW.astimezone(SHANGHAI) - timedelta(days=4)).replace(hour=12)
"""Every time allowed has run out since, and what happens some hours around it is of one day, so of one month."""
MONTH = months.month_of(OLD)
SETTLED = {
    store.MARKS: 2,
    store.UPLOADS: 1,
    store.SITES: 6,
    store.FINDINGS: 4,
    store.TASKS: 5,
    store.CASES: 1,
    store.TESTS: 1,
}
"""Rows of all facts: two sites and what else they are called; three handoffs with one side and meat without papers,
each with its task; one test that failed, with its case and its task."""
SHOP = {"site": "licence:JY23701020000019", "operator": "uscc:91370102MA0000000A"}
FARM = {"site": "licence:SC11637010200015", "operator": "uscc:91370102MA0000000B"}


class World:
    """All five services."""

    def __init__(self, databases: dict[str, Any], key: Ed25519PrivateKey, port: int) -> None:
        self.databases = databases
        self.db = databases["reporting"]
        self._key = key
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._stub = ReportingServiceStub(self._channel)

    def call(self, rpc: str, request: Any) -> Any:
        claims = {"sub": "rebuilder", "aud": "shilian", "exp": time.time() + 600, "role": "system"}
        token = jwt.encode(claims, self._key, "EdDSA")
        return getattr(self._stub, rpc)(request, metadata=[("authorization", f"Bearer {token}")], timeout=60)

    def facts(self) -> dict[str, list[Any]]:
        """What the figures live on, as it is stored."""
        kept = {
            store.MARKS: {"kinds": 1, "linked": 1, "closed": 1, "handoffs": 1, "steps": 1, "withdrawn": 1, "day": 1},
            store.UPLOADS: {"events": 1, "on_time": 1},
            store.SITES: dict.fromkeys(
                ("division", "link", "listed", "registered", "activated_at", "state", "version"), 1
            ),
            store.FINDINGS: {"open": 1, "kind": 1, "event_id": 1, "site": 1, "counterparty": 1, "opened_at": 1},
            store.TASKS: {"state": 1, "division": 1, "opened_at": 1, "closed_at": 1, "version": 1},
            store.CASES: {"state": 1, "division": 1, "opened_at": 1, "missing": 1, "version": 1},
            store.TESTS: {"kind": 1, "qualified": 1, "division": 1, "tested_at": 1},
        }
        return {
            name: [_flat(row) for row in self.db[name].find({}, fields).sort("_id", 1)] for name, fields in kept.items()
        }

    def sites(self) -> dict[str, int]:
        """How many sites each service knows."""
        told = {"version": {"$gt": 0}}
        return {name: self.databases[name].sites.count_documents(told) for name in SERVICES if name != "registry"}

    def scorecard(self) -> Any:
        """The figures, but for when they were counted."""
        card = self.call("GetScorecard", pb.GetScorecardRequest(division="37", month=MONTH, detailed=True))
        card.ClearField("computed_time")
        return card

    def rebuild(self) -> dict[str, int]:
        """Every step; how many of each kind were copied."""
        copied: dict[str, int] = {}
        step = ""
        while True:
            told = self.call("RebuildFacts", pb.RebuildFactsRequest(request_id=uuid4().hex, step=step))
            copied[told.kind] = copied.get(told.kind, 0) + told.copied
            if not (step := told.next_step):
                return copied

    def close(self) -> None:
        self._channel.close()


def _flat(value: Any) -> Any:
    """Rows with their sets in one order."""
    if isinstance(value, dict):
        return {name: _flat(each) for name, each in value.items()}
    return sorted(value) if isinstance(value, list) else value


@pytest.fixture
def world(stack: Infra, spawn: Callable[..., Process], bus: Bus, tmp_path: Path) -> Iterator[World]:
    key = Ed25519PrivateKey.generate()
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    names = {service: f"{service}_{uuid4().hex[:6]}" for service in SERVICES}
    urls = {service: stack.mongod.url(name, "secret", name) for service, name in names.items()}
    for name in names.values():
        provision_database(stack.mongod.root_url, name, name, "secret")
    ports = {service: free_port() for service in SERVICES}
    addresses = {f"grpc_{service}": f"127.0.0.1:{port}" for service, port in ports.items()}
    processes = []
    for service in SERVICES:
        shared = {"amqp_url": bus.vhost.url, "mongo_url": urls[service], "timer_s": 0.2}
        keys = {"jwt_public_key_file": public, "grpc_port": ports[service], **addresses}
        processes += [
            spawn(f"services.{service}", "worker", **shared),
            spawn(f"services.{service}", "api", **shared, **keys),
        ]
    for process in processes:
        process.wait_ready()
    with MongoClient[Any](stack.mongod.root_url, tz_aware=True) as root:
        world = World({service: root[name] for service, name in names.items()}, key, ports["reporting"])
        yield world
        world.close()
        for name in names.values():
            root[name].command("dropAllUsersFromDatabase")
            root.drop_database(name)


def observed(number: int, party: dict[str, str], link: Link) -> Observation:
    told = {"source": "market", "source_id": f"s{number}", "message_id": f"o{number}", "observed_at": NOW}
    return Observation(id=f"o{number}", name=f"第{number}店", division="370102", link=link, **party, **told)


def record(number: int, step: Step, here: dict[str, str], there: dict[str, str] | None, at: datetime) -> Record:
    goods = (Lot(batch=f"SLTEST{number:010}", category=Category.MEAT, quantity=Decimal(5), unit="KGM"),)
    return Record(
        id=f"E{number:032x}",
        source="docking.formula" if number == 4 else "market",
        message_id=f"m{number}",
        step=step,
        time=at,
        sent_at=at + timedelta(hours=1),
        site=Party(**here, division="370102"),
        counterparty=Party(**there) if there else None,
        inputs=goods,
        outputs=goods,
    )


def tell(bus: Bus, key: str, body: Any) -> None:
    bus.publish(COMMANDS, key, body.model_dump_json(exclude_defaults=True).encode(), ce_id=uuid4().hex)


def test_rebuilt_facts_give_the_figures_that_events_gave(world: World, bus: Bus) -> None:
    sites = (observed(1, SHOP, Link.CIRCULATION), observed(2, FARM, Link.PRODUCTION))
    tell(bus, "registry.observe.v1", ObserveV1(observations=sites))
    eventually(world.sites, lambda seen: {*seen.values()} == {2})
    records = (
        record(1, Step.SHIPPING, FARM, SHOP, OLD),
        record(2, Step.SHIPPING, FARM, SHOP, OLD - timedelta(hours=2)),
        record(3, Step.RECEIVING, SHOP, FARM, OLD + timedelta(hours=2)),
        record(4, Step.MAKING, FARM, None, OLD),
    )
    tell(bus, "trace.capture.v1", CaptureV1(records=records))
    wrong = ErrorReport(
        id="D1", source=records[3].source, message_id="d1", event_id=records[3].id, reason="误录", sent_at=NOW
    )
    tell(bus, "trace.declare_errors.v1", DeclareErrorsV1(declarations=(wrong,)))
    failed = inspection.TestResult(
        id="T1",
        source="market",
        message_id="t1",
        kind=inspection.TestKind.RESIDUE_QUICK,
        item="农残",
        site=SHOP["site"],
        division="370102",
        category=Category.VEGETABLE,
        qualified=False,
        tested_at=OLD,
    )
    tell(bus, "inspection.record_tests.v1", inspection.RecordTestsV1(tests=(failed,)))
    eventually(world.facts, lambda seen: {name: len(rows) for name, rows in seen.items()} == SETTLED)
    eventually(lambda: world.db[store.MARKS].count_documents({"withdrawn": wrong.event_id}))
    settled = world.facts()
    card = world.scorecard()

    world.db[store.MARKS].insert_one({"_id": "x@2026-01-01", "site": "x", "day": "2026-01-01", "kinds": []})
    copied = world.rebuild()

    assert copied["sites"] == 2
    assert copied["events"] == 4
    assert copied["tests"] == 1
    assert world.facts() == settled
    assert world.scorecard() == card
