"""Workers down for a day, or a month: what came due meanwhile fires once, though two take it up at once.

It fires with the time it was due, wherever that is told.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from shilian.notify.v1 import notify_pb2 as notify
from shilian.registry.v1 import registry_pb2 as registry
from shilian.registry.v1.registry_pb2_grpc import RegistryServiceStub

from chassis import clock
from contracts import topology
from contracts.topology import EVENTS
from contracts.trace import EventsRecordedV1, Step
from services.reporting import months, store
from tests.bus import Bus
from tests.calls import Client
from tests.faults import test_killed_notify as killed_notify
from tests.faults.deaths import Deaths, deaths
from tests.faults.test_killed_notify import NOON, subscribe, until
from tests.integration.inspection import finding
from tests.integration.inspection import tell as tell_inspection
from tests.integration.test_notify_service import ROBOT, Simulator
from tests.integration.test_notify_service import finding as noticed
from tests.integration.test_registry_roster_grid_life import cell, listing, table
from tests.integration.test_registry_service import LICENCE, USCC, observe, seen
from tests.integration.test_reporting_service import MONTH, event, tell, tell_all
from tests.integration.test_trace_service import FARM, STALL, capture, record
from tests.integration.test_trace_service import NOON as TRACE_NOON
from tests.processes import eventually
from tests.stack import Database

__all__ = ["api", "deaths", "life", "simulator"]

api, life, simulator = killed_notify.api, killed_notify.life, killed_notify.simulator

Make = Callable[..., Deaths]

DAY_S = 86_400
MANY = 20
CHANNELS = ("sms", "wechat", "wecom", "webhook")


def test_tasks_that_ran_out(deaths: Make, bus: Bus) -> None:
    down = deaths("services.inspection")
    tasks = bus.listen(EVENTS, "inspection.tasks_changed.v1")
    for number in range(MANY):
        tell_inspection(bus, "trace.findings_changed.v1", findings=[finding(f"F{number}", event_id=f"E{number}")])
    first = down.finish()
    eventually(lambda: down.counts("tasks", "timers"), lambda counts: counts == [MANY, MANY])
    down.settle(first, topology.INSPECTION_EVENTS)
    due = {row["_id"]: row["due_at"] for row in down.db.tasks.find()}
    down.later(5 * DAY_S)
    last = down.finish(2)
    # The station was told when the day was over, the county's three days are over too.
    eventually(lambda: down.db.tasks.count_documents({"level": "city"}), lambda count: count == MANY)
    down.settle(last, topology.INSPECTION_EVENTS)
    for row in down.db.tasks.find():
        at = [step["at"] for step in row["taken"] if step["step"] == "escalate"]
        assert at == [due[row["_id"]], due[row["_id"]] + timedelta(days=3)]
    assert down.db.ledger.count_documents({"action": "escalate"}) == 2 * MANY
    assert len(down.announced_once(tasks, "tasks")) == 3 * MANY


def test_bulletins_of_two_months_and_a_late_record(deaths: Make, bus: Bus) -> None:
    down = deaths("services.reporting", late_after_s=DAY_S)
    heard = bus.listen(EVENTS, "reporting.bulletin_published.v1")
    tell_all(bus, seed=1)
    first = down.finish()
    bus.await_empty(topology.REPORTING_FACTS.name)
    down.settle(first, topology.REPORTING_FACTS)
    following = months.name(months.window(MONTH).after)
    freezes = [months.next_freeze(months.window(month).end) for month in (MONTH, following)]
    down.later((freezes[1] - clock.now() + timedelta(hours=1)).total_seconds())
    last = down.finish(2)
    eventually(lambda: down.db.bulletins.count_documents({"month": following}))
    looks = [store.month_of_look(row["_id"]) for row in down.db.timers.find({"kind": "bulletin.late"})]
    assert {MONTH, following} <= {*looks}  # What came while a version was computed did not find it frozen.
    tell(bus, "trace.events_recorded.v1", EventsRecordedV1(events=(event("L1", "f", categories=()),)))
    bus.await_empty(topology.REPORTING_FACTS.name)
    down.settle(last, topology.REPORTING_FACTS)
    down.later(2 * DAY_S)
    again = down.finish(2)
    eventually(lambda: down.db.bulletins.count_documents({"month": MONTH}), lambda versions: versions == 2)
    down.later(2 * DAY_S)
    eventually(lambda: down.db.timers.count_documents({"kind": "bulletin.late"}), lambda left: left == 0)
    down.settle(again, topology.REPORTING_FACTS)
    told = [(body["month"], body["version"]) for body in down.announced(heard)]
    assert sorted(each for each in told if each[0] >= MONTH) == [(MONTH, 1), (MONTH, 2), (following, 1)]
    row = down.db.timers.find_one({"_id": "bulletin.freeze"})
    assert row["due_at"] == months.next_freeze(freezes[1])


def test_broken_chains_and_silent_sites(deaths: Make, bus: Bus) -> None:
    down = deaths("services.trace")
    down.ahead((TRACE_NOON - clock.now()).total_seconds())
    changed = bus.listen(EVENTS, "trace.findings_changed.v1")
    for number in range(MANY):
        capture(bus, record(f"S{number}", Step.SHIPPING, FARM, f"B{number}", hour=24, counterparty=STALL))
    capture(bus, record("H", Step.HARVEST, FARM, "B"))
    first = down.finish()
    eventually(lambda: down.counts("events", "handoffs"), lambda counts: counts == [MANY + 1, MANY])
    eventually(lambda: len((down.db.activity.find_one() or {"days": ()})["days"]), lambda days: days == 2)
    down.settle(first, topology.TRACE_CAPTURE, topology.TRACE_PROPOSALS)
    down.later(30 * DAY_S)
    last = down.finish(2)
    eventually(lambda: down.counts("findings"), lambda counts: counts == [MANY + 1])
    down.settle(last, topology.TRACE_CAPTURE, topology.TRACE_PROPOSALS)
    found = down.announced_once(changed, "findings")
    due: dict[str, set[Any]] = {}
    for each in found:
        due.setdefault(each["kind"], set()).add(datetime.fromisoformat(each["due_at"]))
    assert due["overdue_shipment"] == {TRACE_NOON + timedelta(hours=24 + 72)}
    assert (len(found), len(due["silent_site"])) == (MANY + 1, 1)
    assert max(due["silent_site"]) < TRACE_NOON + timedelta(days=10)


def test_rosters_walks_and_sites_that_fell_idle(
    deaths: Make, bus: Bus, start_api: Callable[..., Client], mongo: Database
) -> None:
    down = deaths("services.registry")
    heard = bus.listen(EVENTS, "registry.sites_changed.v1")
    observe(bus, seen("market", "stall-9", licence=LICENCE, uscc=USCC))
    first = down.finish()
    eventually(lambda: down.counts("operators"), lambda counts: counts == [1])
    api = start_api("services.registry", RegistryServiceStub, mongo_url=mongo.url)
    wanted = {"request_id": "a", "operator_id": f"uscc:{USCC}", "reason": "入网"}
    api.call("ActivateOperator", registry.ActivateOperatorRequest(**wanted))
    at = clock.now().isoformat()
    told = {"id": "E", "source": "market", "step": "receiving", "time": at, "sent_at": at, "site": f"licence:{LICENCE}"}
    bus.publish(EVENTS, "trace.events_recorded.v1", {"events": [told]}, ce_id=uuid4().hex)
    eventually(lambda: down.counts("marks"), lambda counts: counts == [1])
    down.settle(first, topology.REGISTRY_OBSERVE, topology.REGISTRY_ACTIVITY)

    rows = [f"第{number}家,JY{number:014},,370102,肉制品" for number in range(1, MANY + 1)]
    api.call("ImportRoster", listing(table(*rows)))
    api.call("SetCell", cell("lixia", "370102"))
    down.later(40 * DAY_S)
    last = down.finish(2)
    pending = {"kind": {"$in": ["roster", "walk"]}, "due_at": {"$lte": clock.now() + timedelta(days=40)}}
    eventually(lambda: down.db.timers.count_documents(pending), lambda left: left == 0)
    eventually(lambda: down.db.operators.find_one({"state": "inactive"}))
    down.settle(last, topology.REGISTRY_OBSERVE, topology.REGISTRY_ACTIVITY)
    imported = down.db.imports.find_one()
    assert (imported["taken"], imported["changed"]) == (MANY, MANY)
    down.announced_once(heard, "sites")
    assert down.db.changes.count_documents({"kind": "state", "detail.to": "inactive"}) == 1
    assert down.db.operators.count_documents({"sites.cell": "lixia"}) == down.counts("operators")[0]


def test_digests_deliveries_receipts_and_notices(life: Deaths, bus: Bus, api: Client, simulator: Simulator) -> None:
    life.ahead(until(NOON))
    heard = bus.listen(EVENTS, "notify.deliveries_changed.v1")
    for channel in CHANNELS:
        subscribe(api, simulator.url, channel, "finding_closed", digest=True)
    for number in range(3):
        bus.publish(EVENTS, "trace.findings_changed.v1", noticed(False, 2, f"F{number}"), ce_id=f"f{number}")
    first = life.finish()
    eventually(lambda: life.db.deliveries.count_documents({"state": "held"}), lambda held: held == 3 * len(CHANNELS))
    life.settle(first, topology.NOTIFY_EVENTS)
    notice = {"request_id": "n", "kind": "recall", "title": "召回", "text": "立即召回", "division": "370102"}
    api.call("SendNotice", notify.SendNoticeRequest(**notice))
    life.later(2 * DAY_S)
    second = life.finish(2)
    sent = {"event": {"$in": ["digest", "recall"]}, "channel": {"$ne": "in_app"}, "state": "sent"}
    eventually(lambda: life.db.deliveries.count_documents(sent), lambda count: count == len(CHANNELS) + 1)
    life.settle(second, topology.NOTIFY_EVENTS)
    receipts = [
        notify.Receipt(channel=notify.CHANNEL_SMS, delivery_id=row["_id"], delivered=True)
        for row in life.db.deliveries.find({"channel": "sms"})
    ]
    api.call("RecordReceipts", notify.RecordReceiptsRequest(request_id="r", receipts=receipts), "system", None)
    life.later(DAY_S)
    third = life.finish(2)
    eventually(lambda: life.db.receipts.count_documents({"applied": False}), lambda left: left == 0)
    life.settle(third, topology.NOTIFY_EVENTS)
    life.announced_once(heard, "deliveries")
    mine = [
        each["provider"] for each in simulator.sent() if each["to"] in ("13900000009", "openid-9", ROBOT, "/hooks/x")
    ]
    assert sorted(mine) == sorted(CHANNELS)
    assert len(simulator.sent("sms")) == 2
    digests = {row["channel"]: row["state"] for row in life.db.deliveries.find({"event": "digest"})}
    assert digests == {**dict.fromkeys(CHANNELS, "sent"), "sms": "delivered"}
