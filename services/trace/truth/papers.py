"""Papers that travel with goods: used for more than they certify, or when expired; suppliers' licences. Pure.

A paper is used by the handoffs and the processing under it whose goods did not come to the sender under the same
paper: cited again by whoever resells the goods it counts once, and split over many deliveries it counts as their sum,
which is legal up to what it certifies.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from contracts.fields import day_of
from contracts.findings import FindingKind
from contracts.trace import Category, Step
from services.trace.lineage import TAKEOVERS, Event, Flow, Goods, edges, flows, split
from services.trace.stock.amounts import Amount, beyond, moved, sum_of
from services.trace.truth.returns import sent_back, way_of
from services.trace.truth.statements import QUARANTINE, Doubt, Paper, Statement, ids, last, once, percent, shown, slack

FORMS: Final[Mapping[str, int]] = {"animal_a": 5, "product_a": 7, "animal_b": 0, "product_b": 0}
"""Days after its issue that a quarantine certificate is valid at most: A crosses provinces, B is of the same day
(动物检疫管理办法; domain: "Animal chain"). The day of issue is not counted ⚠."""

UNDER_WAY: Final = frozenset(
    {
        Step.SHIPPING,
        Step.RECEIVING,
        Step.PURCHASE,
        Step.RETURNING,
        Step.TRANSPORT,
        Step.CHECKPOINT,
        Step.SLAUGHTER,
    }
)
"""Steps for which goods' papers must be valid on the day; what lies in store may outlive its papers."""


def last_day(paper: Paper) -> date | None:
    """The last day a paper is valid on: the one it names, and not beyond what its form allows."""
    days = FORMS.get(paper.form or "")
    by_form = paper.issued_on + timedelta(days=days) if days is not None and paper.issued_on else None
    return min((day for day in (paper.valid_until, by_form) if day), default=None)


def expired(statement: Statement) -> Doubt | None:
    """Goods on their way under a paper whose last day had passed; of several, the one that ended first."""
    event = statement.event
    day = day_of(event.time)
    ended = [(end, paper) for paper in statement.papers if (end := last_day(paper)) and end < day]
    if event.step not in UNDER_WAY or not ended:
        return None
    end, paper = min(ended, key=lambda told: (told[0], told[1].key))
    return Doubt(
        FindingKind.CERTIFICATE_EXPIRED,
        event,
        (event.id,),
        f"≤ {end.isoformat()}",
        day.isoformat(),
        paper.form,
        paper.number,
    )


def unlicensed(statement: Statement, valid_until: date | None) -> Doubt | None:
    """Goods bought of a supplier without a valid licence on the day (食品安全法第50、53条).

    `valid_until` is the registry's word, which goes before the paper's; a licence revoked is told by the registry when
    the record comes. One from outside the province is licensed there.
    """
    event = statement.event
    if event.step not in TAKEOVERS or not event.there.site or event.there.external:
        return None
    end, day = valid_until or statement.licensed_until, day_of(event.time)
    if not statement.barred and (end is None or end >= day):
        return None
    allowed = "licence in force" if statement.barred else f"≤ {end}"
    return Doubt(
        FindingKind.SUPPLIER_UNLICENSED,
        event,
        (event.id,),
        allowed,
        day.isoformat(),
        document=event.document,
    )


class Use(NamedTuple):
    """Goods that left a node under a paper first, and the events that say so."""

    node: str
    amount: Amount | None
    events: tuple[Event, ...]


def overused(key: str, statements: Iterable[Statement]) -> Doubt | None:
    """A paper whose uses add up to more than the quantity it certifies; every event that cites it, or touches the same
    nodes, has to be given. The largest quantity told of it is what it certifies.
    """
    standing = once(statements)
    citing = cited(key, standing)
    certified = certifies(key, citing)
    used = uses(key, standing)
    total = sum_of([use.amount for use in used])
    if not certified or not total or total.unit != certified.unit:
        return None
    allowed = certified.quantity * (1 + slack(certified.unit))
    if total.quantity <= allowed:
        return None
    events = [event for use in used for event in use.events]
    return Doubt(
        FindingKind.CERTIFICATE_OVERUSED,
        last(events),
        ids(events),
        shown(Amount(allowed, certified.unit)),
        shown(total),
        percent(certified.unit),
        number_of(key, citing),
        split(used[0].node)[1] or None,
        tuple(sorted({split(use.node)[0] for use in used})),
    )


def cited(key: str, statements: Iterable[Statement]) -> list[Statement]:
    """The statements that cite a paper. Who names another issuer than most do means another paper."""
    citing = [(each, paper) for each in statements for paper in each.papers if paper.key == key]
    issuers = Counter(paper.issuer for _, paper in citing if paper.issuer)
    if not issuers:
        return [each for each, _ in citing]
    usual = min(issuers, key=lambda issuer: (-issuers[issuer], issuer))
    return [each for each, paper in citing if paper.issuer in (None, usual)]


def certifies(key: str, citing: Iterable[Statement]) -> Amount | None:
    """What a paper certifies; None where nobody tells, or in several units."""
    told = [paper for each in citing for paper in each.papers if paper.key == key]
    amounts = [Amount(paper.quantity, paper.unit) for paper in told if paper.quantity is not None]
    same = len({amount.unit for amount in amounts}) == 1
    return max(amounts, key=lambda amount: amount.quantity) if same else None


def number_of(key: str, citing: Iterable[Statement]) -> str:
    """A paper's number as its sender wrote it."""
    return min((paper.number for each in citing for paper in each.papers if paper.key == key), default=key)


def uses(key: str, statements: Sequence[Statement]) -> list[Use]:
    """What first left nodes under a paper, less what was sent back."""
    citing = cited(key, statements)
    told = [flow for each in citing for flow in flows(each.event) if not flow.inward and _covers(key, each, flow.goods)]
    under, returns = brought(citing, statements), sent_back(each.event for each in statements)
    by_node: dict[str, list[Flow]] = {}
    for flow in told:
        by_node.setdefault(flow.node, []).append(flow)
    back: dict[str, list[Flow]] = {node: [] for node in by_node}
    for flow in (flow for each in statements for flow in flows(each.event)):
        if flow.inward and flow.node in back and flow.handoff and way_of(flow) in returns:
            back[flow.node].append(flow)
    return [
        Use(node, beyond(moved(left), moved(back[node])), tuple({flow.event.id: flow.event for flow in left}.values()))
        for node, left in sorted(by_node.items())
        if node not in under
    ]


def brought(citing: Iterable[Statement], statements: Iterable[Statement]) -> set[str]:
    """Nodes that goods came to under the paper: by what cites it, and by what was done with them from there on."""
    statements = list(statements)
    returns = sent_back(each.event for each in statements)
    known = {edge[1] for each in citing for edge in edges(each.event) if edge not in returns}
    ways = [edge for each in statements for edge in edges(each.event) if edge not in returns]
    while further := {head for tail, head in ways if tail in known} - known:
        known |= further
    return known


def _covers(key: str, statement: Statement, goods: Goods) -> bool:
    """Whether a paper may be about goods that are told with it: no vegetables are quarantined as animals are."""
    kinds = {paper.kind for paper in statement.papers if paper.key == key}
    return QUARANTINE not in kinds or goods.category is Category.MEAT or statement.live
