"""What goes wrong on the first day and is put right in the demo: goods nobody received, a quick test that fails."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

from demo.generator.ledger import Ledger
from demo.generator.papers import Line, Lot, Paper
from demo.generator.world import MARKET, Site

PRODUCE: Final = ("蔬菜", "水果", "水产品")
"""A receipt is missed after a day."""

LATE: Final = timedelta(days=2, hours=3)
"""From the goods' arrival until the receiver, told to, records it."""

ITEM, METHOD = "有机磷和氨基甲酸酯类农药残留", "GB/T 5009.199 酶抑制率法"
GOOD, BAD = ("合格", (3, 38)), ("不合格", (58, 88))
"""Conclusion, and per cent of inhibition: 50 and more is positive."""

SAMPLES: Final = 4
"""To a sheet: a market's test point writes one a day."""


@dataclass(frozen=True)
class Trouble:
    """`receipt` answers `shipment`, too late; in `test` a sample fails of what came in by `entry`."""

    shipment: Paper
    receipt: Paper
    entry: Paper
    test: Paper

    @property
    def numbers(self) -> set[str]:
        """Of its papers, to which nothing else is to happen."""
        return {paper.number for paper in (self.shipment, self.receipt, self.entry, self.test)}


def trouble(ledger: Ledger, rng: Random, spared: frozenset[Lot]) -> Trouble:
    """Takes place on the ledger's first day, with goods that are not spared. Its papers stay in the ledger."""
    ledger.day = min(paper.time for paper in ledger.papers).date()
    shipment, receipt = rng.choice(_unanswered(ledger.papers, spared))
    receipt.delay = LATE
    bought = [paper for paper in _entries(ledger, shipment) if not paper.lots() & spared]
    entry = rng.choice(bought)
    at = entry.time + timedelta(hours=2)
    line = Line(entry.lines[0].own or entry.lines[0].lot, Decimal("0.5"), to=entry.site)
    facts: dict[str, object] = {"results": [_result(rng, BAD)], "tester": "快检室"}
    test = Paper(MARKET, "residue_test", at, _market(ledger, entry.site), ledger.number("KJ"), [line], facts=facts)
    ledger.papers.append(test)
    return Trouble(shipment, receipt, entry, test)


def quick_tests(ledger: Ledger, rng: Random) -> list[Paper]:
    """The day's sheets of the markets' test points: samples of what came in, all of them good."""
    sheets = []
    for market in ledger.world.markets:
        came = [paper for paper in ledger.papers if _came(paper, ledger, market)]
        taken = rng.sample(came, k=min(SAMPLES, len(came)))
        lines = [Line(paper.lines[0].own or paper.lines[0].lot, Decimal("0.5"), to=paper.site) for paper in taken]
        facts: dict[str, object] = {"results": [_result(rng, GOOD) for _ in lines], "tester": "快检室"}
        at = ledger.at(9.0)
        sheets.append(Paper(MARKET, "residue_test", at, market, ledger.number("KJ"), lines, facts=facts))
    return [sheet for sheet in sheets if sheet.lines]


def _unanswered(papers: Sequence[Paper], spared: frozenset[Lot]) -> list[tuple[Paper, Paper]]:
    """Market sales of the first day to a shop that nothing else of the shop's tells of, and their receipts."""
    sold = {paper.number: paper for paper in papers if paper.app == MARKET and paper.kind == "sale_ticket"}
    told = Counter((paper.other, lot) for paper in papers for lot in paper.lots())
    day = min(paper.time for paper in papers).date()
    return [
        (sold[number], paper)
        for paper in papers
        if paper.site.kind == "shop" and paper.time.date() == day and len(paper.lines) == 1
        if (number := str(paper.facts.get("delivery_no"))) in sold
        if _fits(paper.lines[0].lot, spared) and told[paper.site, paper.lines[0].lot] == 1
    ]


def _fits(lot: Lot, spared: frozenset[Lot]) -> bool:
    return lot.product.category in PRODUCE and lot not in spared


def _entries(ledger: Ledger, shipment: Paper) -> list[Paper]:
    """Vegetables that came into the same market that day, at other stalls."""
    return [
        paper
        for paper in ledger.papers
        if paper.kind == "entry_ticket"
        and paper.time.date() == shipment.time.date()
        and paper.site is not shipment.site
        if paper.site.market == shipment.site.market and paper.lines[0].lot.product.category == "蔬菜"
    ]


def _came(paper: Paper, ledger: Ledger, market: Site) -> bool:
    return (
        paper.kind == "entry_ticket"
        and paper.time.date() == ledger.day
        and paper.site.market == market.name
        and paper.lines[0].lot.product.category in PRODUCE[:2]
    )


def _market(ledger: Ledger, stall: Site) -> Site:
    return next(market for market in ledger.world.markets if market.name == stall.market)


def _result(rng: Random, kind: tuple[str, tuple[int, int]]) -> dict[str, str]:
    conclusion, (least, most) = kind
    return {"item": ITEM, "method": METHOD, "qualified": conclusion, "value": f"{rng.randint(least, most)}%"}
