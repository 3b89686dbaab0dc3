"""Reporting as its neighbours meet it: real worker and api on a real broker and database, the clock moved by a file."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openpyxl import load_workbook
from pymongo import MongoClient
from pypdf import PdfReader
from shilian.reporting.v1 import reporting_pb2 as pb
from shilian.reporting.v1.reporting_pb2_grpc import ReportingServiceStub

from chassis import clock
from contracts.corrections import DeclaredError, Declarer, ErrorsDeclaredV1
from contracts.findings import Finding, FindingKind, FindingsChangedV1
from contracts.model import Contract
from contracts.registry import Alias, OperatorState, SiteFacts, SitesAliasedV1, SitesChangedV1
from contracts.topology import EVENTS, REPORTING_FACTS
from contracts.trace import Category, EventsRecordedV1, Link, RecordedEvent, Step
from services.reporting import months
from tests.bus import Bus
from tests.processes import Process, eventually, free_port, set_clock
from tests.stack import Database

MONTH = months.month_of(clock.now())
START = months.window(MONTH).start
MEAT, DAIRY = Category.MEAT, Category.DAIRY


class Client:
    """Calls the api as somebody."""

    def __init__(self, port: int, key: Ed25519PrivateKey) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._key = key
        self._stub = ReportingServiceStub(self._channel)

    def call(self, rpc: str, request: Any, role: str = "regulator", division: str | None = "370000") -> Any:
        payload = {"sub": "tester", "aud": "shilian", "exp": time.time() + 600, "role": role, "division": division}
        token = jwt.encode({k: v for k, v in payload.items() if v}, self._key, "EdDSA")
        return getattr(self._stub, rpc)(request, metadata=[("authorization", f"Bearer {token}")], timeout=60)

    def status(self, rpc: str, request: Any, **caller: Any) -> grpc.StatusCode:
        with pytest.raises(grpc.RpcError) as refused:
            self.call(rpc, request, **caller)
        code: grpc.StatusCode = refused.value.code()
        return code

    def measures(self, division: str = "37", month: str = MONTH) -> dict[int, tuple[int, int]]:
        """Numerator and denominator by dimension; none while the division has no sites."""
        try:
            card = self.call("GetScorecard", pb.GetScorecardRequest(division=division, month=month))
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return {}
            raise
        return {each.dimension: (each.numerator, each.denominator) for each in card.line.measures}

    def download(self, format: Any, **which: Any) -> tuple[str, bytes]:
        pieces = list(self.call("DownloadBulletin", pb.DownloadBulletinRequest(month=MONTH, format=format, **which)))
        return pieces[0].file_name, b"".join(piece.data for piece in pieces)

    def close(self) -> None:
        self._channel.close()


class Running:
    """Worker, api and clock of one test."""

    def __init__(self, client: Client, worker: Process, ahead: Path) -> None:
        self.client = client
        self.worker = worker
        self._ahead = ahead

    def move(self, to: datetime) -> None:
        """Moves the clock of both processes; back it never goes."""
        set_clock(self._ahead, (to - clock.now()).total_seconds())


@pytest.fixture
def running(spawn: Callable[..., Process], bus: Bus, mongo: Database, tmp_path: Path) -> Iterator[Running]:
    key = Ed25519PrivateKey.generate()
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    port, ahead = free_port(), tmp_path / "ahead"
    shared = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "clock_file": ahead, "timer_s": 0.1}
    worker = spawn("services.reporting", "worker", late_after_s=0, **shared)
    spawn("services.reporting", "api", grpc_port=port, jwt_public_key_file=public, **shared).wait_ready()
    with closing(Client(port, key)) as client:
        yield Running(client, worker.wait_ready(), ahead)


def site(id: str, division: str = "370102", **more: Any) -> SiteFacts:
    told: dict[str, Any] = {
        "operator": f"o:{id}",
        "name": f"{id}食品店",
        "operator_name": id,
        "state": OperatorState.ACTIVATED,
        "division": division,
        "link": Link.CIRCULATION,
        "version": 1,
        "listed": True,
        "activated_at": START - timedelta(days=40),
        "station": f"station:{division}",
        **more,
    }
    return SiteFacts(site=id, **told)


def event(id: str, at: str, step: Step = Step.SHIPPING, hour: float = 1, **more: Any) -> RecordedEvent:
    time_ = START + timedelta(hours=hour)
    told: dict[str, Any] = {"source": "market", "categories": (MEAT,), "sent_at": time_, **more}
    return RecordedEvent(id=id, site=at, step=step, time=time_, **told)


def tell(bus: Bus, type: str, body: Contract) -> None:
    bus.publish(EVENTS, type, body.model_dump_json(exclude_defaults=True).encode(), ce_id=uuid4().hex, ce_type=type)


DIMENSIONS = (
    pb.DIMENSION_REGISTRATION,
    pb.DIMENSION_ACTIVITY,
    pb.DIMENSION_COVERAGE,
    pb.DIMENSION_UPLOAD,
)
SITES = (
    site("a", obligations=(MEAT, DAIRY)),
    site("b", obligations=(MEAT,)),
    site("c", division="370202"),
    site("d", division="370202", state=OperatorState.LISTED, registered=False, activated_at=None),
    site("e", division="370202", suspended=True, state=OperatorState.SUSPENDED, obligations=(MEAT,)),
    site("f", division="370202", listed=False),
)
RECORDED = (
    event("E1", "a"),
    event("E2", "a", Step.SELLING, categories=(DAIRY,)),
    event("E3", "alias-of-b", Step.RECEIVING),
    event("E4", "c", Step.KITCHEN_USE),
    event("E5", "e", Step.SELLING, external=True),
)
COUNTED = {
    pb.DIMENSION_REGISTRATION: (4, 5),
    pb.DIMENSION_ACTIVATION: (4, 5),
    pb.DIMENSION_ACTIVITY: (3, 4),
    pb.DIMENSION_COVERAGE: (3, 4),
    pb.DIMENSION_UPLOAD: (0, 0),
}


def tell_all(bus: Bus, seed: int) -> None:
    """Everything, some of it twice, in an order of its own."""
    messages: list[tuple[str, Contract]] = [
        *(("registry.sites_changed.v1", SitesChangedV1(sites=(each,))) for each in SITES),
        (
            "registry.sites_changed.v1",
            SitesChangedV1(sites=(SITES[0].model_copy(update={"version": 0, "listed": False}),)),
        ),
        ("registry.sites_aliased.v1", SitesAliasedV1(aliases=(Alias(alias="alias-of-b", site="b", version=1),))),
        *(("trace.events_recorded.v1", EventsRecordedV1(events=(each,))) for each in RECORDED),
    ]
    random = Random(seed)
    for type, body in random.sample([*messages, *messages], 2 * len(messages)):
        tell(bus, type, body)


def found(kind: FindingKind, **more: Any) -> FindingsChangedV1:
    told: dict[str, Any] = {
        "open": True,
        "version": 1,
        "division": "370102",
        "due_at": START + timedelta(hours=2),
        "opened_at": START + timedelta(hours=3),
        **more,
    }
    return FindingsChangedV1(findings=(Finding(id=f"{kind}:1", kind=kind, **told),))


def test_facts_in_any_order_and_after_a_crash_count_once_and_an_open_finding_unlinks_its_event(
    running: Running, bus: Bus
) -> None:
    tell_all(bus, seed=1)
    running.worker.kill()
    tell_all(bus, seed=2)
    running.worker.restart()
    assert eventually(running.client.measures, lambda seen: seen == COUNTED) == COUNTED
    bus.await_empty(REPORTING_FACTS.name)
    assert running.client.measures() == COUNTED
    assert running.client.measures(month="") == COUNTED or clock.now() - START > timedelta(days=30)
    assert running.client.measures("3702")[pb.DIMENSION_REGISTRATION] == (2, 3)

    broken = found(FindingKind.OVERDUE_SHIPMENT, site="z", counterparty="a", event_id="E1")
    tell(bus, "trace.findings_changed.v1", broken)
    unlinked = {**COUNTED, pb.DIMENSION_COVERAGE: (2, 4)}
    assert eventually(running.client.measures, lambda seen: seen == unlinked) == unlinked
    closed = {"open": False, "version": 2, "closed_at": START + timedelta(hours=4)}
    tell(bus, "trace.findings_changed.v1", FindingsChangedV1(findings=(broken.findings[0].model_copy(update=closed),)))
    assert eventually(running.client.measures, lambda seen: seen == COUNTED) == COUNTED


def test_what_is_declared_wrong_no_longer_counts_told_before_its_record_or_after(running: Running, bus: Bus) -> None:
    wrong = (RECORDED[0], RECORDED[2], event("E6", "b", Step.SELLING, categories=()))
    errors = ErrorsDeclaredV1(errors=tuple(map(error, wrong)))
    tell(bus, "trace.errors_declared.v1", errors)
    tell_all(bus, seed=3)
    tell(bus, "trace.events_recorded.v1", EventsRecordedV1(events=(wrong[2],)))
    # `a` sold something beside E1; `b` did nothing but what was wrong, under another name of it.
    less = {**COUNTED, pb.DIMENSION_ACTIVITY: (2, 4), pb.DIMENSION_COVERAGE: (1, 4)}
    assert eventually(running.client.measures, lambda seen: seen == less) == less
    bus.await_empty(REPORTING_FACTS.name)
    assert running.client.measures() == less
    tell(bus, "trace.errors_declared.v1", errors)
    tell(bus, "trace.errors_declared.v1", ErrorsDeclaredV1(errors=(error(RECORDED[1]),)))
    least = {**less, pb.DIMENSION_ACTIVITY: (1, 4)}
    assert eventually(running.client.measures, lambda seen: seen == least) == least


def error(wrong: RecordedEvent) -> DeclaredError:
    told: dict[str, Any] = {"reason": "重复录入", "by": Declarer.SOURCE, "who": wrong.source, "declared_at": START}
    return DeclaredError(id=f"D{wrong.id}", event=wrong, **told)


def test_sites_behind_a_rate_standards_and_declarations_keep_to_their_divisions(running: Running, bus: Bus) -> None:
    tell_all(bus, seed=4)
    eventually(running.client.measures, lambda seen: seen == COUNTED)
    sites_behind_a_rate_are_listed_page_by_page(running.client)
    standards_are_set_by_whom_they_are_for(running.client)
    self_built_systems_are_measured_by_what_they_declare(running.client, bus)


def sites_behind_a_rate_are_listed_page_by_page(client: Client) -> None:
    asked: dict[str, Any] = {"month": MONTH, "dimension": pb.DIMENSION_ACTIVITY, "page_size": 2}
    first = client.call("ListBehind", pb.ListBehindRequest(**asked))
    rest = client.call("ListBehind", pb.ListBehindRequest(**asked, page_token=first.next_page_token))
    assert [each.site_id for each in (*first.sites, *rest.sites)] == ["a", "b", "c"]
    assert not rest.next_page_token
    missing = pb.ListBehindRequest(month=MONTH, dimension=pb.DIMENSION_COVERAGE, missing=True)
    assert [(each.site_id, *each.categories) for each in client.call("ListBehind", missing).sites] == [("a", "dairy")]
    assert client.call("ListBehind", missing, division="370200").sites == []
    assert client.status("ListBehind", pb.ListBehindRequest(month=MONTH)) is grpc.StatusCode.INVALID_ARGUMENT
    elsewhere = pb.GetScorecardRequest(division="370100", month=MONTH)
    assert client.status("GetScorecard", elsewhere, division="370200") is grpc.StatusCode.NOT_FOUND


def standards_are_set_by_whom_they_are_for(client: Client) -> None:
    activity, half = pb.DIMENSION_ACTIVITY, pb.DimensionValue(dimension=pb.DIMENSION_ACTIVITY, value="0.5")
    day: dict[str, Any] = {"from_day": f"{MONTH}-01", "reason": "示范城市"}
    tag = pb.SetStandardRequest(request_id="1", division="370200", thresholds=[half], tag="demonstration", **day)
    assert client.status("SetStandard", tag, division="370200") is grpc.StatusCode.PERMISSION_DENIED
    assert client.call("SetStandard", tag) == client.call("SetStandard", tag)
    card = client.call("GetScorecard", pb.GetScorecardRequest(division="370200", month=MONTH))
    assert clock.now() - card.computed_time.ToDatetime(UTC) < timedelta(minutes=1)
    assert card.line.tag == "demonstration"
    assert next(each.threshold for each in card.line.measures if each.dimension == activity) == "0.5"
    weights = [pb.DimensionValue(dimension=each, value="30") for each in DIMENSIONS]
    wrong = pb.SetStandardRequest(request_id="2", division="370200", weights=weights, **day)
    assert client.status("SetStandard", wrong) is grpc.StatusCode.INVALID_ARGUMENT


def self_built_systems_are_measured_by_what_they_declare(client: Client, bus: Bus) -> None:
    uploaded = [event(f"U{number}", "a", Step.MAKING, source="docking.formula") for number in range(8)]
    tell(bus, "trace.events_recorded.v1", EventsRecordedV1(events=tuple(uploaded)))
    declared = pb.DeclareUploadsRequest(
        request_id="1", system="docking.formula", division="370102", link="production", month=MONTH, records=10
    )
    client.call("DeclareUploads", declared)
    taken: dict[str, Any] = {"request_id": "2", "system": "docking.formula", "month": MONTH}
    elsewhere = pb.DeclareUploadsRequest(**taken, division="370202")
    assert client.status("DeclareUploads", elsewhere, division="370200") is grpc.StatusCode.PERMISSION_DENIED
    for division, link in (("370102", "shops"), ("999999", "")):
        wrong = pb.DeclareUploadsRequest(**taken, division=division, link=link)
        refused = client.status("DeclareUploads", wrong, division=None, role="system")
        assert refused is grpc.StatusCode.INVALID_ARGUMENT
    assert eventually(lambda: client.measures().get(pb.DIMENSION_UPLOAD), lambda seen: seen == (8, 10))


def test_the_bulletin_is_frozen_once_catches_up_and_is_versioned_by_late_records(running: Running, bus: Bus) -> None:
    heard = bus.listen(EVENTS, "reporting.bulletin_published.v1")
    tell_all(bus, seed=7)
    client = running.client
    eventually(client.measures, lambda seen: seen == COUNTED)
    running.worker.kill()
    window = months.window(MONTH)
    following = months.window(months.name(window.after))
    running.move(months.next_freeze(following.end) + timedelta(hours=1))
    running.worker.restart()
    told: list[tuple[str, int]] = []
    while (months.name(window.after), 1) not in told:
        body = bus.await_message(heard).body
        told.append((body["month"], body["version"]))
    # Before the fifth the month before is still to be frozen, and comes first.
    assert told[-2:] == [(MONTH, 1), (months.name(window.after), 1)]

    name, page = client.download(pb.FORMAT_HTML)
    assert name == f"bulletin-37-{MONTH}-v1.html"
    assert "山东省食品安全追溯工作通报" in page.decode()
    pdf = PdfReader(BytesIO(client.download(pb.FORMAT_PDF)[1]))
    assert "食品安全追溯" in pdf.pages[0].extract_text().replace(" ", "")
    assert "排名表" in load_workbook(BytesIO(client.download(pb.FORMAT_XLSX)[1])).sheetnames
    first = json.loads(client.download(pb.FORMAT_JSON)[1])
    counts = next(line["counts"] for line in first["lines"] if line["code"] == "37" and not line["link"])
    assert {tuple(count) for count in counts.values()} == set(COUNTED.values())
    whole = client.call("GetBulletin", pb.GetBulletinRequest(month=MONTH))
    assert json.loads(whole.document) == first
    card = client.call("GetScorecard", pb.GetScorecardRequest(division="37", month=MONTH))
    assert card.computed_time == whole.bulletin.frozen_time
    elsewhere = pb.GetBulletinRequest(month=MONTH, division="370100")
    assert client.status("GetBulletin", elsewhere, division="370200") is grpc.StatusCode.NOT_FOUND

    tell(bus, "trace.events_recorded.v1", EventsRecordedV1(events=(event("L1", "f", categories=()),)))
    late = bus.await_message(heard).body
    assert (late["month"], late["version"]) == (MONTH, 2)
    assert late["reason"] == "冻结后收到迟到记录：活跃场所+1"
    assert json.loads(client.download(pb.FORMAT_JSON, version=1)[1]) == first
    behind = pb.ListBehindRequest(month=MONTH, dimension=pb.DIMENSION_ACTIVITY)
    assert [each.site_id for each in client.call("ListBehind", behind).sites] == ["a", "b", "c", "f"]
    assert client.measures()[pb.DIMENSION_ACTIVITY] == (4, 4)

    tell(bus, "registry.sites_changed.v1", SitesChangedV1(sites=(site("new"),)))
    tell_all(bus, seed=8)
    bus.await_empty(REPORTING_FACTS.name)
    listed = client.call("ListBulletins", pb.ListBulletinsRequest()).bulletins
    assert [(each.month, each.version) for each in listed if each.month == MONTH] == [(MONTH, 2), (MONTH, 1)]
    assert client.measures()[pb.DIMENSION_REGISTRATION] == COUNTED[pb.DIMENSION_REGISTRATION]


def test_what_was_told_before_the_freeze_is_counted_before_it(running: Running, bus: Bus, mongo: Database) -> None:
    with MongoClient[dict[str, Any]](mongo.url) as store:
        rows = store.get_default_database()["timers"]
        eventually(lambda: rows.count_documents({"_id": "bulletin.freeze", "due_at": {"$gt": clock.now()}}))
    running.worker.kill()
    heard = bus.listen(EVENTS, "reporting.bulletin_published.v1")
    tell_all(bus, seed=9)
    running.move(months.next_freeze(months.window(MONTH).end) + timedelta(hours=1))
    running.worker.restart()
    while bus.await_message(heard).body["month"] != MONTH:
        pass
    first = json.loads(running.client.download(pb.FORMAT_JSON, version=1)[1])
    counts = next(line["counts"] for line in first["lines"] if line["code"] == "37" and not line["link"])
    assert {tuple(count) for count in counts.values()} == set(COUNTED.values())
