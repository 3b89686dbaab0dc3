"""How much of the goods of a recall is accounted for, and what stands against knowing more. Pure."""

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from services.trace.lineage import split
from services.trace.recalls.portions import Fate, Portion, Why, by_batch, named, standing_outside
from services.trace.stock.accounts import Account
from services.trace.stock.amounts import NOTHING, Amount, beyond, larger, plus, sum_of
from services.trace.stock.books import Books
from services.trace.walks.chain import Chain, is_unnamed

Sums = dict[str, Amount | None]
"""By batch, or by node."""


class Coverage(NamedTuple):
    """Of one batch: how much there was, and how much of it is located; None where units or accounts fail.

    `unsure` are the nodes that cannot be summed, or do not add up, and why; `began` those at which goods of it began.
    """

    batch: str
    produced: Amount | None
    located: Amount | None
    unsure: tuple[tuple[str, Why], ...] = ()
    began: tuple[str, ...] = ()
    told: Fraction | None = None
    """The share, where the quantities are not for the caller's eyes."""

    @property
    def share(self) -> Fraction | None:
        """Located of produced, at most 1; None when either is not known."""
        return self.told if self.told is not None else share_of(self.located, self.produced)

    def without_quantities(self) -> "Coverage":
        """Only the share of it."""
        return self._replace(produced=None, located=None, told=self.share)


def share_of(located: Amount | None, produced: Amount | None) -> Fraction | None:
    """The one in the other, at most 1; None when either is not known, or their units differ."""
    if not produced or not located or produced.quantity <= 0:
        return None
    if located != NOTHING and located.unit != produced.unit:
        return None
    return min(Fraction(located.quantity) / Fraction(produced.quantity), Fraction(1))


def coverages(chain: Chain, books: Books, found: Iterable[Portion]) -> list[Coverage]:
    """How much of each batch of a chain the portions locate."""
    batches, outside = {key: split(key)[0] for key in named(chain)}, standing_outside(chain)
    ours = [(key, books.nodes[key]) for key in batches if key not in outside and key in books.nodes]
    begun = _begun(ours, _from_elsewhere(chain, books, outside))
    produced: Sums = dict.fromkeys(batches.values(), NOTHING)
    located, accounted = _located(batches, found)
    unsure: dict[str, list[tuple[str, Why]]] = {}
    began: dict[str, list[str]] = {}
    for key, amount in begun.items():
        batch = batches[key]
        produced[batch] = plus(produced[batch], amount)
        began.setdefault(batch, []).append(key)
    for batch, amount in _from_nobody(chain, books).items():
        produced[batch] = plus(produced[batch], amount)
    doubts = [(portion.node, portion.why) for portion in found if portion.why]
    for key, why in [*((key, Why.MORE_OUT_THAN_IN) for key, account in ours if _overdrawn(account)), *doubts]:
        unsure.setdefault(batches[key], []).append((key, why))
    return [
        Coverage(
            batch,
            _at_least(amount, accounted.get(batch, NOTHING)),
            located.get(batch, NOTHING),
            tuple(unsure.get(batch, ())),
            tuple(began.get(batch, ())),
        )
        for batch, amount in produced.items()
    ]


def _located(batches: Mapping[str, str], found: Iterable[Portion]) -> tuple[Sums, Sums]:
    """Of each batch, what is located, and what is accounted for: that, and what is known to be lost."""
    located: dict[str, list[Amount | None]] = {}
    lost: dict[str, list[Amount | None]] = {}
    for portion in found:
        sums = lost if portion.fate is Fate.UNLOCATED else located
        sums.setdefault(batches[portion.node], []).append(portion.amount)
    there = {batch: sum_of(amounts) for batch, amounts in located.items()}
    gone = {batch: sum_of(amounts) for batch, amounts in lost.items()}
    return there, {batch: plus(there.get(batch, NOTHING), gone.get(batch, NOTHING)) for batch in {**there, **gone}}


def _at_least(begun: Amount | None, accounted: Amount | None) -> Amount | None:
    """There was as much as is accounted for, whoever told of less: what is found beyond what began must not stand for
    what nobody can locate.
    """
    return begun if begun is None or accounted is None else larger(begun, accounted)


def _begun(ours: Iterable[tuple[str, Account]], elsewhere: Sums) -> Sums:
    """What began at each node: made there, come from elsewhere or, where nothing came, what left it."""
    found: Sums = {}
    for key, account in ours:
        if account.came == NOTHING:
            found[key] = account.went
        elif account.made is not NOTHING or key in elsewhere:
            found[key] = plus(account.made, elsewhere.get(key, NOTHING))
    return {key: amount for key, amount in found.items() if amount != NOTHING}


def _from_elsewhere(chain: Chain, books: Books, outside: Collection[str]) -> Sums:
    """What came to nodes of the chain from nodes that are not in it, or lie outside the province."""
    found: Sums = {}
    for (tail, head), amount in books.edges.items():
        if (tail not in chain.nodes or tail in outside) and head in chain.nodes and not is_unnamed(tail):
            found[head] = plus(found.get(head, NOTHING), amount)
    return found


def _from_nobody(chain: Chain, books: Books) -> Sums:
    """Of each batch, what sites took from nobody named, and nobody handed to nobody named."""
    taken = by_batch(chain, books, lambda account: account.from_nobody)
    handed = by_batch(chain, books, lambda account: account.to_nobody)
    return {batch: beyond(amount, handed.get(batch, NOTHING)) for batch, amount in taken.items()}


def _overdrawn(account: Account) -> bool:
    """More left than came; a node that nothing came to began with what left it."""
    if account.left is None or account.came == NOTHING or account.went is None or account.came is None:
        return False
    return account.went.quantity > account.came.quantity
