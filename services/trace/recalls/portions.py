"""What a recall would have to bring back: where each part of the goods is, and how much that covers. Pure.

A portion stands at a node of the forward chain. Goods turned into another batch are that batch's affair: it is in the
chain too. What nobody can locate stands, as such, with its last holder (domain: "Answers about stock and recall").
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from services.trace.lineage import split
from services.trace.stock.accounts import Account, End
from services.trace.stock.amounts import NOTHING, Amount, beyond, plus
from services.trace.stock.books import Books
from services.trace.walks.chain import Chain, is_unnamed


class Fate(StrEnum):
    """What became of a portion."""

    HELD = "held"
    IN_TRANSIT = "in_transit"
    PROCESSED = "processed"
    CONSUMED = "consumed"
    DESTROYED = "destroyed"
    OUTSIDE = "outside"
    UNLOCATED = "unlocated"


TO_BRING_BACK: Final = frozenset({Fate.HELD, Fate.IN_TRANSIT, Fate.OUTSIDE, Fate.UNLOCATED})
"""What a recall is still in time for."""

THERE: Final = frozenset({Fate.HELD, Fate.IN_TRANSIT})
"""What stands at a node by its books, or is on its way there."""

_FATES: Final = {end: Fate(end.value) for end in End}


class Why(StrEnum):
    """Why an amount, or where goods are, is not known."""

    NOT_RECORDED = "not_recorded"
    """A quantity is missing or in a unit that cannot be converted, or units differ."""
    MORE_OUT_THAN_IN = "more_out_than_in"
    TO_NOBODY_KNOWN = "to_nobody_known"
    NOT_FOLLOWED = "not_followed"
    """The walk's bounds ended there."""


class Portion(NamedTuple):
    """Goods of one fate at a node (`batch@site`); the amount is None where no account gives it in one unit.

    `into` are the batches that processed goods became, `why` what stands against knowing more.
    """

    node: str
    fate: Fate
    amount: Amount | None
    into: tuple[str, ...] = ()
    why: Why | None = None


def named(chain: Chain) -> list[str]:
    """The nodes of a chain that stand at somebody's."""
    return [key for key in chain.nodes if not is_unnamed(key)]


def portions(chain: Chain, books: Books) -> list[Portion]:
    """Every portion at the named nodes of a forward chain; the books hold all events of those nodes."""
    met = by_batch(chain, books, lambda account: account.from_nobody)
    outside = standing_outside(chain)
    found: list[Portion] = []
    for key in named(chain):
        account = books.nodes.get(key) or Account()
        if key in outside:
            found.append(Portion(key, Fate.OUTSIDE, account.left))
        elif key not in chain.expanded:
            found.append(Portion(key, Fate.UNLOCATED, account.came, why=Why.NOT_FOLLOWED))
        else:
            found += _ended(key, account, met)
            found += _rest(key, account)
    return found


def standing_outside(chain: Chain) -> set[str]:
    """The nodes of a chain that stand outside the province."""
    return {key for key in chain.nodes if chain.is_outside(key)} if chain.outside else set()


def by_batch(chain: Chain, books: Books, of: Callable[[Account], Amount | None]) -> dict[str, Amount | None]:
    """A sum over the halves at the nodes of each batch."""
    found: dict[str, Amount | None] = {}
    for key, account in books.halves.items():
        if key in chain.nodes:
            batch = split(key)[0]
            found[batch] = plus(found.get(batch, NOTHING), of(account))
    return found


def _ended(key: str, account: Account, met: dict[str, Amount | None]) -> list[Portion]:
    """What became of goods at the node, or of goods handed to nobody; of most nodes there is nothing to tell."""
    if account.unnamed_out is NOTHING and not account.ended:
        return []
    into = tuple(account.into or ())
    ended = [
        Portion(key, _FATES[end], amount, into if end is End.PROCESSED else (), None if amount else Why.NOT_RECORDED)
        for end, amount in account.ended.items()
    ]
    return ended if account.unnamed_out is NOTHING else [*ended, *_lost(key, account.to_nobody, met)]


def _rest(key: str, account: Account) -> list[Portion]:
    if account.left is None:
        unknown = account.came is None or account.came.quantity > 0
        return [Portion(key, Fate.UNLOCATED, None, why=Why.NOT_RECORDED)] if unknown else []
    return _standing(key, account, account.left) if account.left.quantity > 0 else []


def _lost(key: str, amount: Amount | None, met: dict[str, Amount | None]) -> Iterator[Portion]:
    """What was handed to nobody known, but for what others took from nobody known."""
    batch = split(key)[0]
    others = met.get(batch, NOTHING)
    lost = beyond(amount, others)
    met[batch] = beyond(others, amount)
    if lost is None or lost.quantity > 0:
        yield Portion(key, Fate.UNLOCATED, lost, why=Why.TO_NOBODY_KNOWN)


def _standing(key: str, account: Account, left: Amount) -> list[Portion]:
    """What is left, apart what of it is on its way."""
    coming = account.in_transit
    if coming is NOTHING:
        return [Portion(key, Fate.HELD, left)]
    there = ((Fate.HELD, beyond(left, coming)), (Fate.IN_TRANSIT, coming))
    return [Portion(key, fate, amount) for fate, amount in there if amount and amount.quantity > 0]
