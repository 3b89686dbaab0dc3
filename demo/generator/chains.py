"""Which chains the demo will trace: a school lunch back to its farms, one farm's batch forward to every holder."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from demo.generator.papers import Lot, Paper

MOST_SOURCES = 12
"""Of a lunch that a picture can still show."""


@dataclass(frozen=True)
class Story:
    """`lots` are those of both chains: nothing bad happens to the papers that name them."""

    lunch: Lot
    tainted: Lot
    lots: frozenset[Lot]

    @property
    def farms(self) -> set[str]:
        """Names of the sites where the lunch begins."""
        return {lot.issuer.name for lot in self.lunch.sources()}


def choose(papers: Sequence[Paper]) -> Story:
    """The lunch with the longest chain, and of the animals in it the batch that went to most sites."""
    lunch = max(_lunches(papers), key=lambda lot: (_depth(lot), len(lot.sources()), lot.code))
    made, sites = _products(papers), _sites(papers)
    animals = [lot for lot in lunch.sources() if lot.issuer.kind == "livestock"] or list(lunch.sources())

    def reach(lot: Lot) -> tuple[int, str]:
        return len({site for part in _descendants(lot, made) for site in sites[part]}), lot.code

    tainted = max(animals, key=reach)
    return Story(lunch, tainted, frozenset(_ancestors(lunch) | _descendants(tainted, made)))


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
