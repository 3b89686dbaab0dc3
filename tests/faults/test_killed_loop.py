"""Inspection and reporting killed with -9 at every step: the next worker carries the same work one step further.

The last one, the plain service, ends it: nothing is lost, nothing happens twice, and what is announced again has the
same id.
"""

from collections.abc import Callable
from datetime import timedelta

from chassis import clock
from contracts import topology
from contracts.topology import EGRESS, EVENTS
from contracts.trace import EventsRecordedV1
from services.reporting import months
from tests.bus import Bus
from tests.faults.deaths import Deaths, deaths
from tests.integration.inspection import failed_test, finding
from tests.integration.inspection import tell as tell_inspection
from tests.integration.test_reporting_service import MONTH, RECORDED, SITES, START, event, tell, tell_all
from tests.processes import eventually

__all__ = ["deaths"]

Make = Callable[..., Deaths]


def test_inspection(deaths: Make, bus: Bus) -> None:
    life = deaths("services.inspection")
    tasks, cases = (bus.listen(EVENTS, f"inspection.{what}_changed.v1") for what in ("tasks", "cases"))
    tests, answers = bus.listen(EVENTS, "inspection.tests_recorded.v1"), bus.listen(EGRESS, "market")
    tell_inspection(bus, "trace.findings_changed.v1", findings=[finding()])
    life.at("delivered:inspection.events", "writing:tasks", "committed:tasks", "handled:inspection.events")
    life.at("publishing:inspection.tasks_changed.v1", "published:inspection.tasks_changed.v1")
    tell_inspection(bus, "inspection.record_tests.v1", tests=[failed_test()])
    life.at("delivered:inspection.tests", "writing:cases", "committed:cases", "handled:inspection.tests")
    tell_inspection(bus, "trace.events_recorded.v1", events=[RECORDED[0].model_dump(mode="json")])
    life.at("delivered:inspection.facts", "writing:marks", "committed:marks", "handled:inspection.facts")
    life.later(3 * 86_400)
    life.at("fired:task", "writing:ledger", "committed:ledger")
    last = life.finish()
    eventually(lambda: life.db.tasks.count_documents({"escalations": 1}), lambda escalated: escalated == 2)
    life.settle(last, topology.INSPECTION_EVENTS, topology.INSPECTION_TESTS, topology.INSPECTION_FACTS)

    assert life.counts("tasks", "cases", "tests", "findings", "marks") == [2, 1, 1, 1, 1]
    assert life.db.ledger.count_documents({"action": "escalate"}) == 2
    assert len(life.db.ledger.distinct("subject", {"action": "escalate"})) == 2
    told = [(task["state"], task["version"]) for task in life.announced_once(tasks, "tasks")]
    assert sorted(told) == [("open", 1), ("open", 1), ("open", 2), ("open", 2)]
    assert (len(life.announced_once(cases, "cases")), len(life.announced_once(tests, "tests"))) == (1, 1)
    outcomes = [verdict["outcome"] for body in life.announced(answers) for verdict in body["verdicts"]]
    assert (outcomes.count("accepted"), {*outcomes}) == (1, {"accepted", "duplicate"})


def test_reporting(deaths: Make, bus: Bus) -> None:
    life = deaths("services.reporting", late_after_s=900)
    # Behind the month's fifth: before, the month before would be frozen first.
    life.ahead(max(0.0, (months.next_freeze(START) - clock.now() + timedelta(hours=1)).total_seconds()))
    heard = bus.listen(EVENTS, "reporting.bulletin_published.v1")
    tell_all(bus, seed=1)
    life.at("delivered:reporting.facts", "writing:marks", "committed:marks", "handled:reporting.facts")
    freeze = months.next_freeze(months.window(MONTH).end)
    life.ahead((freeze - clock.now() + timedelta(hours=1)).total_seconds())
    life.at("fired:bulletin.freeze", "writing:bulletins", "committed:bulletins")
    life.at("publishing:reporting.bulletin_published.v1", "published:reporting.bulletin_published.v1")
    tell(bus, "trace.events_recorded.v1", EventsRecordedV1(events=(event("L1", "f", categories=()),)))
    life.at("writing:timers", "committed:timers", "handled:reporting.facts")
    life.later(1800)
    life.at("fired:bulletin.late", "writing:inputs", "committed:inputs")
    last = life.finish()
    # The late record came again with each death, and each version is looked at once more: all is counted.
    life.later(1800)
    eventually(lambda: life.db.timers.count_documents({"kind": "bulletin.late"}), lambda left: left == 0)
    life.settle(last, topology.REPORTING_FACTS)

    assert life.db.sites.count_documents({"site": {"$exists": True}}) == len(SITES)
    assert {row["site"] for row in life.db.marks.find()} == {"f", *(each.site for each in RECORDED)}
    told = [(body["month"], body["version"]) for body in life.announced(heard)]
    assert sorted(told) == [(MONTH, 1), (MONTH, 2)]
    assert life.db.bulletins.count_documents({"month": MONTH}) == 2
