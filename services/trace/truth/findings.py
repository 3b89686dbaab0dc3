"""What becomes of the findings of subjects that were judged. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from contracts.findings import Finding
from services.trace.lineage import Event
from services.trace.sites import Sites
from services.trace.truth.statements import Doubt
from services.trace.truth.subjects import KINDS, Subject
from services.trace.watch.findings import Change, changed, finding_id, laid_to


class Judged(NamedTuple):
    """A subject, every name it has had, and what is wrong with it, now or from a time on."""

    subject: Subject
    names: tuple[str, ...]
    doubts: tuple[Doubt, ...]

    @property
    def findings(self) -> list[str]:
        """Ids of the findings it may have."""
        return [finding_id(kind, name) for kind in KINDS[self.subject.topic] for name in self.names]

    def pending(self, now: datetime) -> datetime | None:
        """When it has to be judged again by the clock."""
        return min((doubt.due_at for doubt in self.doubts if not doubt.counts(now)), default=None)


def changes(judged: Iterable[Judged], known: Mapping[str, Finding], sites: Sites, now: datetime) -> list[Change]:
    """What becomes of the findings of subjects; `known` by id are those there already."""
    found: list[Change] = []
    for each in judged:
        wrong = {
            finding.id: finding
            for doubt in each.doubts
            if doubt.counts(now)
            for finding in [_finding(doubt, each.names[0], sites, now)]
        }
        found += changed(each.findings, list(wrong.values()), known, now)
    return found


def _finding(doubt: Doubt, about: str, sites: Sites, now: datetime) -> Finding:
    event, site = doubt.event, doubt.site or doubt.event.here.site
    goods = event.outputs or event.inputs
    return Finding(
        id=finding_id(doubt.kind, about),
        kind=doubt.kind,
        open=True,
        version=1,
        **laid_to(sites.place(site)),
        counterparty=_other(event, site),
        event_id=event.id,
        document=doubt.document,
        batches=doubt.batches if doubt.batches is not None else tuple(dict.fromkeys(lot.batch for lot in goods)),
        categories=tuple(sorted({lot.category for lot in goods})),
        events=doubt.events,
        allowed=doubt.allowed,
        told=doubt.told,
        tolerance=doubt.tolerance,
        due_at=doubt.due_at,
        opened_at=now,
    )


def _other(event: Event, site: str) -> str | None:
    other = event.there.site if site == event.here.site else event.here.site
    return other or None
