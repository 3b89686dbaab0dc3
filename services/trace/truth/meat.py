"""Meat without a slaughterhouse or a certificate in its chain's last steps (domain: "Truth checks"). Pure.

A receipt of meat is sound when the receipt itself or its shipment cites a certificate, or when an event of the last
steps that led to it does, or is a slaughter. Live animals are no meat. ⚠ Meat counts as fresh (`contracts.kde`), so an
inspection report, which meat products travel with, is as good as a certificate.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from contracts.fields import day_of
from contracts.findings import FindingKind
from contracts.trace import Category, Step
from services.trace.lineage import TAKEOVERS, edges
from services.trace.truth.statements import Doubt, Statement, ids
from services.trace.watch import terms

LAST_STEPS: Final = 3
"""How far back a receipt's chain is looked at, in steps: the shipment, and what led to it."""

PROOF: Final = frozenset({"quarantine", "meat", "inspection", "import"})
"""Kinds of paper that show where meat comes from (`contracts.papers`)."""


def is_receipt(statement: Statement) -> bool:
    """Whether an event takes over meat."""
    event = statement.event
    return (
        event.step in TAKEOVERS and not statement.live and any(goods.category is Category.MEAT for goods in event.goods)
    )


def proves(statement: Statement) -> bool:
    """Whether an event shows where meat comes from."""
    return statement.event.step is Step.SLAUGHTER or any(paper.kind in PROOF for paper in statement.papers)


def ends_of(receipt: Statement) -> set[str]:
    """Nodes at either end of a receipt, from which its chain is looked at; none when it needs no other's word."""
    return set() if proves(receipt) else {node for edge in edges(receipt.event) for node in edge}


def came_from(statements: Iterable[Statement]) -> set[str]:
    """Nodes that the goods of some events came from."""
    return {tail for each in statements for tail, _ in edges(each.event)}


def went_to(statements: Iterable[Statement]) -> set[str]:
    """Nodes that the goods of some events went to."""
    return {head for each in statements for _, head in edges(each.event)}


def without_papers(receipt: Statement, led_to_it: Iterable[Statement]) -> Doubt | None:
    """Meat that neither its receipt nor the last steps before it explain, once the sender has had its own time to tell.

    `led_to_it` are the events of those steps, the receipt's own shipment among them.
    """
    told = [each for each in led_to_it if not each.declared]
    if proves(receipt) or any(map(proves, told)):
        return None
    event = receipt.event
    meat = [goods.batch for goods in event.goods if goods.category is Category.MEAT]
    before = [goods.batch for each in told for goods in each.event.goods]
    return Doubt(
        FindingKind.MEAT_WITHOUT_PAPERS,
        event,
        ids([event, *(each.event for each in told)]),
        "动物检疫合格证明、肉品品质检验合格证 / slaughter",
        "—",
        document=event.document,
        batches=tuple(dict.fromkeys((*meat, *sorted(before)))),
        until=event.time + _grace(receipt),
    )


def _grace(receipt: Statement) -> timedelta:
    event, there = receipt.event, receipt.event.there
    return terms.allowed(terms.Duty.SHIPMENT, day_of(event.time), Category.MEAT, there.link, there.division)
