"""How much of the goods of a recall is accounted for, and what stands against knowing more. Pure."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from services.trace.amounts import NOTHING, Amount, beyond, plus
from services.trace.books import Books
from services.trace.chain import Chain, is_unnamed
from services.trace.lineage import split
from services.trace.recall_portions import Fate, Portion, Why, by_batch, named

Sums = dict[str, Amount | None]
"""By batch, or by node."""


class Coverage(NamedTuple):
    """Of one batch: what began in the chain, and how much of it is located; None where units or accounts fail.

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
    begun = _begun(chain, books)
    produced: Sums = {split(key)[0]: NOTHING for key in named(chain)}
    located: Sums = {}
    unsure: dict[str, list[tuple[str, Why]]] = {}
    for key, amount in begun.items():
        _add(produced, key, amount)
    for batch, amount in _from_nobody(chain, books).items():
        produced[batch] = plus(produced[batch], amount)
    for key in _overdrawn(chain, books):
        unsure.setdefault(split(key)[0], []).append((key, Why.MORE_OUT_THAN_IN))
    for portion in found:
        if portion.fate is not Fate.UNLOCATED:
            _add(located, portion.node, portion.amount)
        if portion.why:
            unsure.setdefault(split(portion.node)[0], []).append((portion.node, portion.why))
    began: dict[str, list[str]] = {}
    for key in begun:
        began.setdefault(split(key)[0], []).append(key)
    return [
        Coverage(batch, amount, located.get(batch, NOTHING), tuple(unsure.get(batch, ())), tuple(began.get(batch, ())))
        for batch, amount in produced.items()
    ]


def _add(sums: Sums, key: str, amount: Amount | None) -> None:
    batch = split(key)[0]
    sums[batch] = plus(sums.get(batch, NOTHING), amount)


def _begun(chain: Chain, books: Books) -> Sums:
    """What began at each node: made there, come from elsewhere or, where nothing came, what left it."""
    elsewhere = _from_elsewhere(chain, books)
    found: Sums = {}
    for key in named(chain):
        account = books.nodes.get(key)
        if account and not chain.is_outside(key):
            came = account.came != NOTHING
            found[key] = plus(account.made, elsewhere.get(key, NOTHING)) if came else account.went
    return {key: amount for key, amount in found.items() if amount != NOTHING}


def _from_elsewhere(chain: Chain, books: Books) -> Sums:
    """What came to nodes of the chain from nodes that are not in it, or lie outside the province."""
    found: Sums = {}
    for edge in books.edges:
        tail, head = edge
        if head in chain.nodes and not is_unnamed(tail) and (tail not in chain.nodes or chain.is_outside(tail)):
            found[head] = plus(found.get(head, NOTHING), books.moved(edge))
    return found


def _from_nobody(chain: Chain, books: Books) -> Sums:
    """Of each batch, what sites took from nobody named, and nobody handed to nobody named."""
    taken = by_batch(chain, books, lambda account: account.from_nobody)
    handed = by_batch(chain, books, lambda account: account.to_nobody)
    return {batch: beyond(amount, handed.get(batch, NOTHING)) for batch, amount in taken.items()}


def _overdrawn(chain: Chain, books: Books) -> Iterator[str]:
    """Nodes that more left than came to."""
    for key in named(chain):
        if (account := books.nodes.get(key)) and not chain.is_outside(key):
            more = NOTHING if account.came == NOTHING else beyond(account.went, account.came)
            if more and more.quantity > 0:
                yield key
