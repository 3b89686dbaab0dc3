"""How findings open, change and close. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from contracts.findings import Finding, FindingKind
from services.trace.lineage import Place
from services.trace.watch.broken import Broken, Judgement
from services.trace.watch.handoffs import Handoff

OF_HANDOFFS: Final = (
    FindingKind.OVERDUE_SHIPMENT,
    FindingKind.UNKNOWN_SOURCE,
    FindingKind.QUANTITY_MISMATCH,
    FindingKind.RECEIVED_BEFORE_SHIPPED,
)


class Change(NamedTuple):
    """A finding that becomes another; `before` is None when it is new."""

    before: Finding | None
    after: Finding


def finding_id(kind: FindingKind, about: str) -> str:
    """Deterministic: the same fault is the same finding, whoever finds it and however often."""
    return "F" + sha256(f"{kind}|{about}".encode()).hexdigest()[:32]


def handoff_findings(handoff: Handoff) -> list[str]:
    """Ids of the findings that a handoff may have."""
    return [finding_id(kind, handoff.id) for kind in OF_HANDOFFS]


def of_handoffs(judged: Iterable[Judgement], known: Mapping[str, Finding], now: datetime) -> list[Change]:
    """What becomes of the findings of handoffs; `known` by id are those there already."""
    changes: list[Change] = []
    for handoff, faults in judged:
        due = [_finding(handoff, broken, now) for broken in faults if broken.due_at <= now]
        changes += changed(handoff_findings(handoff), due, known, now)
    return changes


def _finding(handoff: Handoff, broken: Broken, now: datetime) -> Finding:
    discrepancy = broken.discrepancy
    return Finding(
        id=finding_id(discrepancy.kind, handoff.id),
        kind=discrepancy.kind,
        **laid_to(broken.site),
        counterparty=broken.other.site or None,
        event_id=broken.event.id,
        document=broken.event.document,
        batches=(handoff.batch,),
        categories=tuple(sorted(handoff.categories)),
        events=discrepancy.events,
        allowed=discrepancy.allowed,
        told=discrepancy.told,
        tolerance=discrepancy.tolerance,
        due_at=broken.due_at,
        opened_at=now,
        open=True,
        version=1,
    )


def laid_to(place: Place) -> dict[str, str | None]:
    """The fields that say whom a finding is laid to."""
    return {"site": place.site, "operator": place.operator, "division": place.division, "link": place.link}


def changed(
    about: Iterable[str], found: Sequence[Finding], known: Mapping[str, Finding], now: datetime
) -> list[Change]:
    """What becomes of the findings `about` something, by id, when just these are found."""
    standing = {each.id for each in found}
    ended = [_close(known[id], now) for id in about if id in known and id not in standing]
    return [change for change in (*ended, *(_stand(known.get(each.id), each) for each in found)) if change]


def _stand(known: Finding | None, found: Finding) -> Change | None:
    """A fault found now: a new finding, one opened again, one that says more than before, or nothing new."""
    if known is None:
        return Change(None, found)
    since = {"version": known.version, "opened_at": known.opened_at} if known.open else {}
    if known == found.model_copy(update=since):
        return None
    return Change(known, found.model_copy(update=since | {"version": known.version + 1}))


def _close(known: Finding, now: datetime) -> Change | None:
    """A fault that is put right."""
    if not known.open:
        return None
    return Change(known, known.model_copy(update={"open": False, "closed_at": now, "version": known.version + 1}))
