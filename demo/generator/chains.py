"""Which chains the demo will trace: a school lunch back to its farms, one farm's batch forward to every holder."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from demo.generator.papers import Lot, Paper

FARMS, MOST_SOURCES = 4, 12
"""Sources of a lunch: so many are a story, and more than that no picture."""


@dataclass(frozen=True)
class Story:
    """`lots` are those of both chains: nothing bad happens to the papers that name them.

    Some of the tainted lot is in `lunch` and in `other`, a meal of another kitchen that shares little else.
    """

    lunch: Lot
    tainted: Lot
    other: Lot
    lots: frozenset[Lot]

    @property
    def farms(self) -> set[str]:
        """Names of the sites where the lunch begins."""
        return {lot.issuer.name for lot in self.lunch.sources()}


def choose(papers: Sequence[Paper]) -> Story:
    """Of the lunches with the longest chain, one with meat whose animals went to most sites; and that batch."""
    made, sites = _products(papers), _sites(papers)

    @lru_cache(None)
    def reach(lot: Lot) -> tuple[int, str]:
        return len({site for part in _descendants(lot, made) for site in sites[part]}), lot.code

    def worst(lunch: Lot) -> Lot:
        return max(_animals(lunch) or lunch.sources(), key=reach)

    def worth_telling(lunch: Lot) -> tuple[object, ...]:
        return _depth(lunch), bool(_animals(lunch)), len(lunch.sources()) >= FARMS, reach(worst(lunch)), lunch.code

    lunch = max(_lunches(papers), key=worth_telling)
    tainted = worst(lunch)
    reached = _descendants(tainted, made)
    meals = (lot for lot in reached if lot.product.category == lunch.product.category)
    served = [lot for lot in meals if lot.issuer is not lunch.issuer]
    other = min(served, key=lambda lot: (len(_ancestors(lot) & _ancestors(lunch)), lot.code), default=lunch)
    return Story(lunch, tainted, other, frozenset(_ancestors(lunch) | reached))


def _animals(lunch: Lot) -> list[Lot]:
    return [lot for lot in lunch.sources() if lot.tags]


def _lunches(papers: Iterable[Paper]) -> list[Lot]:
    cooked = [paper for paper in papers if paper.kind == "kitchen_use" and paper.site.kind == "canteen"]
    meals = [line.lot for paper in cooked for line in paper.lines]
    return [lot for lot in meals if len(lot.sources()) <= MOST_SOURCES]


def _depth(lot: Lot) -> int:
    return 1 + max(map(_depth, lot.parents), default=0)


def _ancestors(lot: Lot) -> set[Lot]:
    return {lot}.union(*map(_ancestors, lot.parents))


def _sites(papers: Iterable[Paper]) -> dict[Lot, set[str]]:
    sites: dict[Lot, set[str]] = defaultdict(set)
    for paper in papers:
        for lot in paper.lots():
            sites[lot].add(paper.site.name)
    return sites


def _products(papers: Iterable[Paper]) -> dict[Lot, set[Lot]]:
    """What was made of each lot."""
    made: dict[Lot, set[Lot]] = defaultdict(set)
    for paper in papers:
        for lot in paper.lots():
            for parent in lot.parents:
                made[parent].add(lot)
    return made


def _descendants(lot: Lot, made: Mapping[Lot, set[Lot]]) -> set[Lot]:
    return {lot}.union(*(_descendants(child, made) for child in made.get(lot, ())))
