"""Adapter, registry and trace killed with -9 at every step: the next worker carries the same work one step further.

The last one, the plain service, ends it: nothing is lost, nothing happens twice, and what is announced again has the
same id.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from shilian.registry.v1 import registry_pb2 as pb
from shilian.registry.v1.registry_pb2_grpc import RegistryServiceStub

from chassis import clock
from contracts import topology
from contracts.corrections import DeclareErrorsV1
from contracts.registry import SitesChangedV1
from contracts.topology import COMMANDS, EGRESS, EVENTS, INGEST
from contracts.trace import Step
from tests.bus import Bus
from tests.calls import Client
from tests.faults.deaths import Deaths, deaths
from tests.faults.pipeline import LINES, TICKET, ticket
from tests.integration.test_registry_roster_grid_life import OTHER_LICENCE, cell, listing, table
from tests.integration.test_registry_service import LICENCE, USCC, observe, seen
from tests.integration.test_trace_declarations import report
from tests.integration.test_trace_service import FARM, NOON, STALL, capture, facts, record
from tests.processes import eventually
from tests.stack import Database

__all__ = ["deaths"]

Make = Callable[..., Deaths]

SITE = f"licence:{LICENCE}"


def event(days_later: int) -> dict[str, Any]:
    at = (clock.now() + timedelta(days=days_later)).isoformat()
    return {"id": f"E{days_later}", "source": "market", "step": "receiving", "time": at, "sent_at": at, "site": SITE}


def test_an_adapter(deaths: Make, bus: Bus) -> None:
    life = deaths("services.adapters.market")
    bus.publish(INGEST, TICKET, ticket(1), ce_id="m-1", ce_time="2026-10-05T04:00:00+08:00")
    life.at("delivered:market.ingest", "publishing:trace.capture.v1")
    assert not bus.take_all(topology.TRACE_CAPTURE.name)
    life.at("published:trace.capture.v1", "handled:market.ingest")
    life.settle(life.finish(), topology.MARKET_INGEST)
    # Each who published it tells the bundle; trace takes a record of one id once.
    records = [record["id"] for taken in bus.take_all(topology.TRACE_CAPTURE.name) for record in taken.body["records"]]
    assert (len(records), len({*records})) == (3 * LINES, LINES)


def test_the_registry(deaths: Make, bus: Bus, start_api: Callable[..., Client], mongo: Database) -> None:
    life = deaths("services.registry")
    heard, answers = bus.listen(EVENTS, "registry.sites_changed.v1"), bus.listen(EGRESS, "market")
    observe(bus, seen("market", "stall-9", licence=LICENCE, uscc=USCC))
    life.at("delivered:registry.observe", "writing:operators", "committed:operators", "handled:registry.observe")
    life.at("publishing:registry.sites_changed.v1", "published:registry.sites_changed.v1")

    api = start_api("services.registry", RegistryServiceStub, mongo_url=mongo.url)
    api.call("ActivateOperator", pb.ActivateOperatorRequest(request_id="a", operator_id=f"uscc:{USCC}", reason="入网"))
    bus.publish(EVENTS, "trace.events_recorded.v1", {"events": [event(1), event(2)]}, ce_id=uuid4().hex)
    life.at("delivered:registry.activity", "writing:marks", "committed:marks", "handled:registry.activity")

    rows = table(f"张三,{LICENCE},{USCC},370102,肉制品", f"李四,{OTHER_LICENCE},,370102,")
    asked = api.call("ImportRoster", listing(rows)).roster_import.import_id
    life.at("fired:roster", "writing:sheets", "committed:sheets")
    api.call("SetCell", cell("lixia", "370102"))
    life.at("fired:walk", "writing:operators", "committed:operators")
    life.later(40 * 86_400)
    life.at("fired:sweep", "writing:marks", "committed:marks")

    last = life.finish()
    imported = eventually(
        lambda: api.call("GetRosterImport", pb.GetRosterImportRequest(import_id=asked)).roster_import,
        lambda found: found.done,
    )
    assert (imported.rows, imported.taken, imported.changed) == (2, 2, 2)
    eventually(lambda: life.db.timers.count_documents({"kind": {"$in": ["roster", "walk"]}}), lambda left: left == 0)
    life.settle(last, topology.REGISTRY_OBSERVE, topology.REGISTRY_ACTIVITY)
    assert life.counts("operators", "marks", "sheets") == [2, 1, 0]
    assert life.db.changes.count_documents({"kind": "observed"}) == 1
    told = sorted(life.announced_once(heard, "sites"), key=lambda site: site["version"])
    states = dict.fromkeys(site["state"] for site in told if site["site"] == SITE)
    assert [*states] == ["registered", "activated", "active", "inactive"]
    outcomes = [verdict["outcome"] for body in life.announced(answers) for verdict in body["verdicts"]]
    assert outcomes.count("accepted") == 1
    assert {*outcomes} == {"accepted", "duplicate"}


def test_trace(deaths: Make, bus: Bus) -> None:
    life = deaths("services.trace")
    life.ahead((NOON - clock.now()).total_seconds())
    recorded, changed = bus.listen(EVENTS, "trace.events_recorded.v1"), bus.listen(EVENTS, "trace.findings_changed.v1")
    answers, proposed = bus.listen(EGRESS, "market"), bus.listen(EGRESS, "one_network")
    declared = bus.listen(EVENTS, "trace.errors_declared.v1")
    sites = SitesChangedV1(sites=(facts(STALL, sources=("one_network",)), facts(FARM)))
    bus.publish(EVENTS, "registry.sites_changed.v1", sites.model_dump_json().encode(), ce_id=uuid4().hex)
    life.at("delivered:trace.registry", "writing:sites", "committed:sites", "handled:trace.registry")
    capture(bus, record("E1", Step.HARVEST, FARM), record("E2", Step.SHIPPING, FARM, hour=25, counterparty=STALL))
    life.at("delivered:trace.capture", "writing:events", "committed:events", "handled:trace.capture")
    life.at("publishing:trace.events_recorded.v1", "published:trace.events_recorded.v1")
    life.at("delivered:trace.proposals", "writing:activity", "committed:activity", "writing:inbox", "committed:inbox")
    life.at("handled:trace.proposals")
    wrong, waiting = report("E1", "market"), report("E404", "market")
    body = DeclareErrorsV1(declarations=(wrong, waiting)).model_dump_json().encode()
    bus.publish(COMMANDS, topology.TRACE_DECLARATIONS.keys[0], body, ce_id=uuid4().hex)
    life.at("delivered:trace.declarations", "writing:declarations", "committed:declarations")
    life.at("handled:trace.declarations", "publishing:trace.errors_declared.v1", "published:trace.errors_declared.v1")
    # The receipt is overdue, the silence is not yet.
    life.later(100 * 3_600)
    life.at("fired:trace.handoffs", "writing:findings", "committed:findings")
    life.later(20 * 86_400)
    life.at("fired:trace.silence", "writing:findings", "committed:findings")
    queues = topology.TRACE_CAPTURE, topology.TRACE_DECLARATIONS, topology.TRACE_REGISTRY, topology.TRACE_PROPOSALS
    life.settle(life.finish(), *queues)

    assert life.counts("events", "handoffs", "activity", "findings") == [2, 1, 1, 2]
    assert life.counts("declarations", "blocks") == [2, 2]
    assert [event["id"] for event in life.announced_once(recorded, "events")] == ["E1", "E2"]
    assert [error["event"]["id"] for error in life.announced_once(declared, "errors")] == ["E1"]
    found = life.announced_once(changed, "findings")
    assert sorted(each["kind"] for each in found) == ["overdue_shipment", "silent_site"]
    assert [body["event_id"] for body in life.announced(proposed)] == ["E2"]
    outcomes = [verdict["outcome"] for body in life.announced(answers) for verdict in body["verdicts"]]
    assert outcomes.count("accepted") == 4
    assert {*outcomes} == {"accepted", "duplicate"}
