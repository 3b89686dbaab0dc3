"""Common sources of several batches: what the walks back from them have in common. Pure.

A suspect's score is that of BfR's FoodChain-Lab: the weight of the cases whose chain back runs through it, divided by
the weight of all cases (Weiser et al., FoodChain-Lab: A Trace-Back and Trace-Forward Tool, PLoS ONE 2016).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from services.trace.lineage import split
from services.trace.walks.chain import Chain, is_unnamed

ALIKE: Final = Fraction(1)
"""Weight of a case of which nothing more is told."""


class Case(NamedTuple):
    """A batch that something is wrong with, its chain back, and what it weighs against the others."""

    batch: str
    chain: Chain
    weight: Fraction = ALIKE


class Suspect(NamedTuple):
    """A node or a site that cases have in common.

    `score` is 1 when it explains every case; `distance` is the sum of its hops to those it explains, so that of
    two suspects with one score the nearer comes first: the farther one explains no more.
    """

    id: str
    score: Fraction
    explains: tuple[str, ...]
    distance: int


def common_nodes(cases: Sequence[Case]) -> list[Suspect]:
    """Nodes that at least two cases have in common, the most likely first."""
    return _suspects(cases, {case.batch: _hops(case.chain) for case in cases})


def common_sites(cases: Sequence[Case]) -> list[Suspect]:
    """The same by site: another batch of the same kitchen is another node, and the same kitchen."""
    return _suspects(cases, {case.batch: _by_site(_hops(case.chain)) for case in cases})


def _suspects(cases: Iterable[Case], hops: Mapping[str, Mapping[str, int]]) -> list[Suspect]:
    weights = {case.batch: case.weight for case in cases}
    explained: dict[str, list[str]] = defaultdict(list)
    for case in weights:
        for id in hops[case]:
            explained[id].append(case)
    found = [_suspect(id, of, weights, hops) for id, of in explained.items() if len(of) > 1]
    return sorted(found, key=lambda suspect: (-suspect.score, suspect.distance, suspect.id))


def _suspect(
    id: str, explains: Sequence[str], weights: Mapping[str, Fraction], hops: Mapping[str, Mapping[str, int]]
) -> Suspect:
    weight = sum((weights[case] for case in explains), Fraction(0))
    return Suspect(id, weight / sum(weights.values()), tuple(explains), sum(hops[case][id] for case in explains))


def _by_site(hops: Mapping[str, int]) -> dict[str, int]:
    nearest: dict[str, int] = {}
    for key, far in hops.items():
        site = split(key)[1]
        nearest[site] = min(far, nearest.get(site, far))
    return nearest


def _hops(chain: Chain) -> dict[str, int]:
    """Hops of every named node from the batch itself, wherever it is."""
    return {key: far for key, far in chain.nodes.items() if not is_unnamed(key)}
