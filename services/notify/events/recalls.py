"""Recalls as people are told of them: proposed to who may decide, then to everybody who holds the goods. No I/O."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from contracts.egress import GoodsChange, Quantity
from contracts.inspection import RecallProposal, RecallState
from contracts.recalls import LEVELS, EndedRecall, Recall, RecallChange, RecallFacts
from contracts.units import SYMBOLS
from services.notify.events.events import Occurrence
from services.notify.events.places import place
from services.notify.hours import shown

MOST_LINES: Final = 5
"""Batches named of a site."""

Sites = Mapping[str, Mapping[str, Any]]


def proposed(proposal: RecallProposal, sites: Sites) -> Iterator[Occurrence]:
    """A proposal that stands; one that was taken back ends with its case, which tells it."""
    if proposal.state is RecallState.PROPOSED:
        name = proposal.site_name or sites.get(proposal.site, {}).get("name") or proposal.site
        told = {
            "product": proposal.product or "—",
            "batch": proposal.batch,
            "item": proposal.item,
            "level": LEVELS[proposal.recall_class],
            "start_by": shown(proposal.start_by),
        }
        yield Occurrence(
            cause=f"recall:{proposal.id}:proposed",
            event="recall_proposed",
            subject=f"recall:{proposal.id}",
            version=proposal.version,
            facts=place(name, proposal.division) | told,
            site=proposal.site,
            operator=proposal.operator,
            division=proposal.division,
            station=proposal.station,
            categories=(proposal.category,),
        )


def opened(recall: Recall, sites: Sites) -> Iterator[Occurrence]:
    """The recall as each of its sites meets it; a site that is named again was told."""
    body = f"批次 {_batches(recall)}，{recall.reason}"
    told = {"headline": _headline(recall), "body": body, "issuer": recall.issuer}
    for id in recall.sites:
        yield _at(recall, id, sites, "recall", f"recall:{recall.id}", told)


def changed(change: RecallChange, sites: Sites) -> Iterator[Occurrence]:
    """What late records change of the goods, as each of their sites meets it, once a version."""
    goods: dict[str, list[GoodsChange]] = {}
    for each in change.goods:
        goods.setdefault(each.site, []).append(each)
    cause = f"recall:{change.id}:{change.version}"
    for id, own in goods.items():
        lines = "；".join(map(_line, own[:MOST_LINES])) + ("等" if len(own) > MOST_LINES else "")
        told = {"headline": _headline(change), "goods": lines, "version": str(change.version)}
        yield _at(change, id, sites, "recall_changed", cause, told, ":goods")


def ended(recall: EndedRecall, sites: Sites) -> Iterator[Occurrence]:
    """The recall's end as each of its sites meets it: the last word on it, even before an opening that came late."""
    told = {
        "headline": _headline(recall),
        "body": f"批次 {_batches(recall)}，{recall.closed_reason}",
        "closed": shown(recall.closed_at),
    }
    for id in recall.sites:
        yield _at(recall, id, sites, "recall_closed", f"recall:{recall.id}:closed", told)


def _at(
    recall: RecallFacts, id: str, sites: Sites, event: str, cause: str, told: dict[str, str], about: str = ""
) -> Occurrence:
    """What is told of a recall at one of its sites."""
    site = sites.get(id, {})
    division = site.get("division") or recall.division
    return Occurrence(
        cause=cause,
        event=event,
        subject=f"recall:{recall.id}:{id}{about}",
        version=recall.version,
        facts=place(site.get("name") or id, division) | told,
        site=id,
        operator=site.get("operator"),
        division=division,
        categories=(recall.category,),
    )


def _batches(recall: RecallFacts) -> str:
    return "、".join(recall.batches[:3]) + ("等" if len(recall.batches) > 3 else "")


def _headline(recall: RecallFacts) -> str:
    return f"{recall.product or '食品'}（{LEVELS[recall.recall_class]}召回）"


def _line(goods: GoodsChange) -> str:
    return f"{goods.batch} {_amount(goods.balance_before)} → {_amount(goods.balance)}"


def _amount(told: Quantity | None) -> str:
    return f"{told.quantity} {SYMBOLS.get(told.unit or '', told.unit or '')}".strip() if told else "不明"
