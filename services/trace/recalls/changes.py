"""What late records change of a recall: by node how much was and should still be there, by batch how much is located.

Pure. Two simulations of one recall are compared, the frozen one and today's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from services.trace.lineage import node_key, split
from services.trace.recalls.coverage import Coverage
from services.trace.recalls.portions import THERE, Fate, Portion, Why
from services.trace.recalls.simulation import Simulation
from services.trace.stock.amounts import NOTHING, Amount, plus


class Standing(NamedTuple):
    """Goods at a node: all that was there, handed on or not, and what should be there still; None: not known."""

    amount: Amount | None = NOTHING
    balance: Amount | None = NOTHING


class Change(NamedTuple):
    """Goods at a node that the recall named before, then and now."""

    node: str
    product: str | None
    before: Standing
    after: Standing


class CoverageNews(NamedTuple):
    """How much of a batch is accounted for, then and now."""

    before: Coverage
    after: Coverage


class Difference(NamedTuple):
    """Everything that late records change of what a recall said before; where they lead further is told apart."""

    changes: tuple[Change, ...] = ()
    coverages: tuple[CoverageNews, ...] = ()
    share: tuple[Fraction | None, Fraction | None] = (None, None)

    @property
    def nodes(self) -> list[str]:
        """Where goods changed."""
        return [each.node for each in self.changes]

    def __bool__(self) -> bool:
        return bool(self.changes or self.coverages)


NONE: Final = Difference()


def standings(simulation: Simulation, today: Callable[[str], str] = str) -> dict[str, Standing]:
    """By node, of which `today` gives today's key; a node without portions and handovers is not there."""
    there = _sums((today(each.node), _still_there(each)) for each in simulation.portions)
    ended = _sums((today(each.node), each.amount) for each in simulation.portions)
    onward = (each for each in simulation.handovers if today(each.tail) != today(each.head))
    handed = _sums((today(each.tail), each.amount) for each in onward)
    return {
        node: Standing(plus(ended.get(node, NOTHING), handed.get(node, NOTHING)), there.get(node, NOTHING))
        for node in {**ended, **handed}
    }


def difference(
    known: Iterable[str], before: Simulation, after: Simulation, today: Callable[[str], str] = str
) -> Difference:
    """What differs at the nodes that the recall named before, and of all its batches.

    `today` gives the id that a site has today: goods of sites found to be one since are compared as one site's.
    """

    def key_today(node: str) -> str:
        batch, site = split(node)
        return node_key(batch, today(site))

    then, now = standings(before, key_today), standings(after)
    changes = (
        Change(node, _product(node, after, before), then.get(node, Standing()), now.get(node, Standing()))
        for node in dict.fromkeys(map(key_today, known))
    )
    return Difference(
        tuple(each for each in changes if not _same_standing(each.before, each.after)),
        tuple(_coverages(before.coverages, after.coverages)),
        (before.share, after.share),
    )


def _sums(told: Iterable[tuple[str, Amount | None]]) -> dict[str, Amount | None]:
    found: dict[str, Amount | None] = defaultdict(lambda: NOTHING)
    for node, amount in told:
        found[node] = plus(found[node], amount)
    return dict(found)


def _still_there(portion: Portion) -> Amount | None:
    """Goods whose books cannot be summed may be there or not."""
    if portion.fate is Fate.UNLOCATED and portion.why is Why.NOT_RECORDED:
        return None
    return portion.amount if portion.fate in THERE else NOTHING


def _product(node: str, *simulations: Simulation) -> str | None:
    return next((found.product for told in simulations if (found := told.nodes.get(node)) and found.product), None)


def _coverages(before: Iterable[Coverage], after: Iterable[Coverage]) -> Iterable[CoverageNews]:
    then: Mapping[str, Coverage] = {each.batch: each for each in before}
    now: Mapping[str, Coverage] = {each.batch: each for each in after}
    for batch in {**then, **now}:
        nothing = Coverage(batch, NOTHING, NOTHING)
        one, other = then.get(batch, nothing), now.get(batch, nothing)
        if not (_same(one.produced, other.produced) and _same(one.located, other.located)):
            yield CoverageNews(one, other)


def _same_standing(one: Standing, other: Standing) -> bool:
    return _same(one.amount, other.amount) and _same(one.balance, other.balance)


def _same(one: Amount | None, other: Amount | None) -> bool:
    """Nothing is the same in any unit."""
    if one is None or other is None:
        return one is other
    return one.quantity == other.quantity and (one.unit == other.unit or not one.quantity)
