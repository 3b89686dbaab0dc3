"""Trace killed with -9 at every step of examining what does not look true: found once, told once."""

from collections.abc import Callable

from chassis import clock
from contracts import topology
from contracts.topology import EVENTS
from contracts.trace import Step
from tests.bus import Bus
from tests.faults.deaths import Deaths, deaths
from tests.integration.test_trace_service import NOON, SCHOOL, STALL, capture, record
from tests.integration.test_trace_truth import PORK, received, shipped

__all__ = ["deaths"]


def test_trace_examining(deaths: Callable[..., Deaths], bus: Bus) -> None:
    life = deaths("services.trace")
    life.ahead((NOON - clock.now()).total_seconds())
    changed = bus.listen(EVENTS, "trace.findings_changed.v1")
    bought = record("E9", Step.RECEIVING, SCHOOL, counterparty=STALL, inputs=PORK, outputs=PORK)
    capture(bus, received(), shipped(quantity="12"), bought)
    life.at("delivered:trace.truth", "writing:findings", "committed:findings", "handled:trace.truth")
    # A receipt's supplier has a day to tell where its meat came from.
    life.later(26 * 3_600)
    life.at("fired:trace.truth")
    life.settle(life.finish(), topology.TRACE_CAPTURE, topology.TRACE_TRUTH)

    found = [each for each in life.announced_once(changed, "findings") if each["kind"] != "unknown_source"]
    assert sorted((each["kind"], each["version"]) for each in found) == [
        ("meat_without_papers", 1),
        ("more_out_than_in", 1),
    ]
    assert life.counts("events") == [3]
