"""What is recalled in the end: oil or flour that many hold, of which one handover is told late, by both sides."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from demo.generator.papers import Lot, Paper
from demo.generator.world import Site

KEEPS: Final = timedelta(days=90)
"""Shelf life of goods that are still somewhere at the end of a month."""


@dataclass(frozen=True)
class Recalled:
    """`shipment` and `receipt` of some of the `lot` are told only once its recall is open."""

    lot: Lot
    shipment: Paper
    receipt: Paper

    def put_off(self, until: datetime) -> None:
        """Neither paper is sent before then."""
        for paper in (self.shipment, self.receipt):
            paper.delay = until - paper.time


def choose(papers: Sequence[Paper], spared: frozenset[Lot]) -> Recalled:
    """Of the lots made in the province that keep, the one that came to most sites."""
    sites: dict[Lot, set[Site]] = defaultdict(set)
    for paper in papers:
        for lot in paper.lots():
            sites[lot].add(paper.site)
    late = _handovers(papers, sites)
    keeping = [
        lot for lot in late if lot.issuer.kind == "maker" and lot.product.days >= KEEPS.days and lot not in spared
    ]
    lot = max(keeping, key=lambda lot: (len(sites[lot]), lot.code))
    return Recalled(lot, *late[lot])


def _handovers(papers: Sequence[Paper], sites: dict[Lot, set[Site]]) -> dict[Lot, tuple[Paper, Paper]]:
    """By lot, its last handover of it alone to a shop that has no more of it."""
    sent = {paper.number: paper for paper in papers if paper.kind == "delivery_note" and len(paper.lines) == 1}
    heard: dict[tuple[Site, Lot], int] = defaultdict(int)
    for paper in papers:
        for lot in paper.lots():
            heard[paper.site, lot] += 1
    return {
        paper.lines[0].lot: (sent[number], paper)
        for paper in papers
        if paper.site.kind == "shop" and paper.kind == "receipt" and len(paper.lines) == 1
        if (number := str(paper.facts.get("delivery_no"))) in sent
        if heard[paper.site, paper.lines[0].lot] == 1
    }
