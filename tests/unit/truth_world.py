"""A small world for truth checks: statements and findings in memory, answering an examination as the store would."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from chassis.asking import answered
from contracts import codes
from contracts.fields import day_of
from contracts.findings import Finding, FindingKind
from services.trace.asks import SitesOf
from services.trace.lineage import Event, Place, ends_of
from services.trace.sites import Row
from services.trace.truth import asks
from services.trace.truth import findings as truth_findings
from services.trace.truth.asks import (
    Citing,
    Crowd,
    Doubted,
    LeadingTo,
    Licensed,
    Named,
    OnVehicle,
    Request,
    ToldAgain,
    Touching,
    Watched,
)
from services.trace.truth.judge import Examination
from services.trace.truth.statements import Paper, Statement
from services.trace.truth.subjects import Subject, is_watched
from tests.unit.trace_world import MORNING, event, goods

FARM, SHOP, KITCHEN = "licence:F", "licence:S", "licence:K"


def state(event: Any, *papers: Paper, **more: Any) -> Statement:
    return Statement(event, papers, **more)


@dataclass
class Truth:
    """What is on record, what was found, and what waits for the clock; `now` only moves when a test moves it."""

    statements: dict[str, Statement] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    waiting: dict[Subject, datetime] = field(default_factory=dict)
    licences: dict[str, date] = field(default_factory=dict)
    sites: tuple[Row, ...] = ()
    busy: set[Subject] = field(default_factory=set)
    now: datetime = MORNING + timedelta(days=365)

    def hear(self, *told: Statement | Any) -> None:
        """Events are recorded, and examined."""
        statements = [each if isinstance(each, Statement) else Statement(each) for each in told]
        self.statements |= {each.event.id: each for each in statements}
        self.examine([each.event.id for each in statements])

    def declare(self, id: str) -> None:
        """An error is declared about an event."""
        self.statements[id] = self.statements[id]._replace(declared=True)
        self.examine([id])

    def sweep(self) -> None:
        """What waits is examined, when its time has come."""
        due = {subject for subject, at in self.waiting.items() if at <= self.now}
        for subject in due:
            del self.waiting[subject]
        self.examine((), due)

    def examine(self, ids: Iterable[str], more: Iterable[Subject] = ()) -> None:
        examination = Examination(put_off=() if more else self.busy)
        judged = answered(examination.run(ids, more), self._answer)
        for each in judged:
            if at := each.pending(self.now):
                self.waiting[each.subject] = at
        self.busy |= examination.busy
        self.waiting |= dict.fromkeys(examination.waiting, self.now)
        known = {id: self.findings[id] for each in judged for id in each.findings if id in self.findings}
        for change in truth_findings.changes(judged, known, examination.reading.sites, self.now):
            self.findings[change.after.id] = change.after

    @property
    def open(self) -> dict[FindingKind, list[Finding]]:
        found: dict[FindingKind, list[Finding]] = {}
        for finding in sorted(self.findings.values(), key=lambda each: each.id):
            if finding.open:
                found.setdefault(finding.kind, []).append(finding)
        return found

    def only(self, kind: FindingKind) -> Finding:
        """The one finding that is open."""
        assert [*self.open] == [kind], self.open
        [finding] = self.open[kind]
        return finding

    def _answer(self, request: Request) -> Any:
        match request:
            case SitesOf(sites):
                return [row for row in self.sites if row.site in sites or row.alias_of in sites]
            case Licensed(sites, before, doubted):
                told = {site: self.licences[site] for site in sites if site in self.licences}
                return {site: until for site, until in told.items() if until < before or site in doubted}
            case Watched(numbers):
                cited = [(each, paper) for each in self.statements.values() for paper in each.papers]
                return sorted({paper.key for each, paper in cited if is_watched(each, paper)} & {*numbers})
            case Doubted(batches):
                meat = self.open.get(FindingKind.MEAT_WITHOUT_PAPERS, [])
                return [each.event_id for each in meat if {*each.batches} & {*batches}]
        found = [each for each in self.statements.values() if _asked(each, request)]
        standing = found if isinstance(request, Named) else [each for each in found if not each.declared]
        return Crowd() if isinstance(request, Touching | LeadingTo | Citing) and len(standing) > asks.MOST else standing


def _asked(each: Statement, request: Request) -> bool:
    match request:
        case Named(ids):
            return each.event.id in ids
        case Touching(nodes):
            return bool(({*_ends(each.event)[0]} | {*_ends(each.event)[1]}) & {*nodes})
        case LeadingTo(nodes):
            return bool({*_ends(each.event)[1]} & {*nodes})
        case Citing(numbers):
            return bool({*(paper.key for paper in each.papers), *map(codes.compact, each.tags)} & {*numbers})
        case OnVehicle(days):
            return (each.vehicle, day_of(each.event.time)) in days
        case ToldAgain(origins):
            return each.origin in origins
    raise AssertionError(request)


def _ends(event: Event) -> tuple[list[str], list[str]]:
    """Nodes an event is found by."""
    inputs, outputs = ([lot.batch for lot in side] for side in (event.inputs, event.outputs))
    return ends_of(event.step, event.here.site, event.there.site, inputs, outputs)


def at(site: str, division: str) -> Place:
    return Place(site, division=division)


__all__ = ["FARM", "KITCHEN", "SHOP", "Truth", "at", "event", "goods", "state"]
