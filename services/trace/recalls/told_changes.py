"""What trace tells of what late records change in a recall: everybody who listens, and the sources concerned. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Any, Final, TypeVar

from chassis.outgoing import Outgoing, outgoing
from contracts import egress
from contracts.egress import GoodsChange, Quantity
from contracts.recalls import SITES_TOLD, CoverageChange, RecallChange, RecallsChangedV1
from services.trace.lineage import split
from services.trace.recalls.changes import Change, CoverageNews, Difference
from services.trace.recalls.simulation import Simulation
from services.trace.recalls.told import SOURCE, Sources, facts
from services.trace.stock.amounts import Amount

T = TypeVar("T")

AT_ONCE: Final = SITES_TOLD


def changes_told(
    recall: Mapping[str, Any], simulation: Simulation, found: Difference, sources: Sources
) -> list[Outgoing]:
    """The recall's version as it differs from the one before. Sites outside the province are nobody's here to tell."""
    changes = [each for each in found.changes if not _is_outside(each.node, simulation)]
    goods = sorted(map(_goods, changes), key=lambda each: (each.site, each.batch))
    coverages = [_coverage(each) for each in found.coverages]
    return [*_to_all(recall, goods, coverages), *_to_sources(recall, goods, found, sources)]


def _is_outside(key: str, simulation: Simulation) -> bool:
    held = simulation.nodes.get(key)
    return held is not None and held.place.external


def _to_all(
    recall: Mapping[str, Any], goods: Sequence[GoodsChange], coverages: Sequence[CoverageChange]
) -> Iterator[Outgoing]:
    for lines, shares in zip_longest(_of_whole_sites(goods), _parts(coverages), fillvalue=()):
        change = RecallChange(**facts(recall), goods=lines, coverages=shares)
        yield outgoing("trace.recalls_changed.v1", RecallsChangedV1(changes=(change,)), source=SOURCE, parent=None)


def _to_sources(
    recall: Mapping[str, Any], goods: Sequence[GoodsChange], found: Difference, sources: Sources
) -> Iterator[Outgoing]:
    lines: dict[str, list[GoodsChange]] = defaultdict(list)
    for each in goods:
        for source in sources.get(each.site, ()):
            lines[source].append(each)
    before, after = (None if share is None else float(share) for share in found.share)
    for source, own in sorted(lines.items()):
        for part in _parts(own):
            body = egress.RecallsChangedV1(
                source=source,
                recall=recall["_id"],
                version=recall["version"],
                batches=tuple(recall["batches"]),
                share_before=before,
                share=after,
                goods=part,
            )
            yield outgoing("egress.recalls_changed.v1", body, source=SOURCE, parent=None, key=source)


def _parts(lines: Sequence[T]) -> Iterator[tuple[T, ...]]:
    return (tuple(lines[first : first + AT_ONCE]) for first in range(0, len(lines), AT_ONCE))


def _of_whole_sites(goods: Sequence[GoodsChange]) -> Iterator[tuple[GoodsChange, ...]]:
    """In parts that name a site once, where that is possible: its people are told of a version once."""
    part: list[GoodsChange] = []
    for _, own in groupby(goods, key=lambda each: each.site):
        lines = [*own]
        if part and len(part) + len(lines) > AT_ONCE:
            yield from _parts(part)
            part = []
        part += lines
    yield from _parts(part)


def _goods(change: Change) -> GoodsChange:
    batch, site = split(change.node)
    return GoodsChange(
        site=site,
        batch=batch,
        product=change.product,
        amount_before=_quantity(change.before.amount),
        amount=_quantity(change.after.amount),
        balance_before=_quantity(change.before.balance),
        balance=_quantity(change.after.balance),
    )


def _coverage(news: CoverageNews) -> CoverageChange:
    before, after = news.before.share, news.after.share
    return CoverageChange(
        batch=news.after.batch,
        produced_before=_quantity(news.before.produced),
        produced=_quantity(news.after.produced),
        located_before=_quantity(news.before.located),
        located=_quantity(news.after.located),
        share_before=None if before is None else float(before),
        share=None if after is None else float(after),
    )


def _quantity(amount: Amount | None) -> Quantity | None:
    return None if amount is None else Quantity(quantity=f"{amount.quantity:f}", unit=amount.unit)
