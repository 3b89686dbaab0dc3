"""What a recall would have to bring back: where each part of the goods is, and how much that covers. Pure.

A portion stands at a node of the forward chain. Goods turned into another batch are that batch's affair: it is in the
chain too. What nobody can locate stands, as such, with its last holder (domain: "Answers about stock and recall").
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from services.trace.amounts import NOTHING, Amount, beyond, plus
from services.trace.books import Account, Books, End
from services.trace.chain import Chain, is_unnamed
from services.trace.lineage import split


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
    return [portion for key in named(chain) for portion in _at(key, books.nodes.get(key) or Account(), chain, met)]


def by_batch(chain: Chain, books: Books, of: Callable[[Account], Amount | None]) -> dict[str, Amount | None]:
    """A sum over the named nodes of each batch."""
    found: dict[str, Amount | None] = {}
    for key in named(chain):
        if (account := books.nodes.get(key)) and (amount := of(account)) is not NOTHING:
            batch = split(key)[0]
            found[batch] = plus(found.get(batch, NOTHING), amount)
    return found


def _at(key: str, account: Account, chain: Chain, met: dict[str, Amount | None]) -> Iterator[Portion]:
    came = account.came
    if chain.is_outside(key):
        yield Portion(key, Fate.OUTSIDE, beyond(came, account.went))
        return
    if key not in chain.expanded:
        yield Portion(key, Fate.UNLOCATED, came, why=Why.NOT_FOLLOWED)
        return
    for end, amount in account.ended.items():
        into = tuple(account.into) if end is End.PROCESSED else ()
        yield Portion(key, _FATES[end], amount, into, None if amount else Why.NOT_RECORDED)
    yield from _lost(key, account.to_nobody, met)
    yield from _standing(key, account, came)


def _lost(key: str, amount: Amount | None, met: dict[str, Amount | None]) -> Iterator[Portion]:
    """What was handed to nobody known, but for what others took from nobody known."""
    if amount is NOTHING:
        return
    batch = split(key)[0]
    others = met.get(batch, NOTHING)
    lost = beyond(amount, others)
    met[batch] = beyond(others, amount)
    if lost is None or lost.quantity > 0:
        yield Portion(key, Fate.UNLOCATED, lost, why=Why.TO_NOBODY_KNOWN)


def _standing(key: str, account: Account, came: Amount | None) -> Iterator[Portion]:
    """What is left, first of it what is on its way. A node that nothing came to began with what left it."""
    if came == NOTHING:
        return
    left, coming = account.left, account.in_transit
    if left is None:
        yield Portion(key, Fate.UNLOCATED, None, why=Why.NOT_RECORDED)
        return
    for fate, amount in ((Fate.HELD, beyond(left, coming)), (Fate.IN_TRANSIT, coming)):
        if amount and amount.quantity > 0:
            yield Portion(key, fate, amount)
