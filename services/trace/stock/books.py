"""Accounts of goods, kept from events as stored: what came to each node, what left it, what is left. Pure.

Of a handoff both sides may tell, at once or in parts: between two sites the larger account counts, never the sum. So it
does of what one side sold and shipped, or bought and received: those may be the same goods.
Where one side names nobody, what the other tells beyond its own account answers it; there too the larger counts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from bson import Decimal128

from contracts.trace import Category, Step
from services.trace.lineage import HANDOFFS, HANDOVERS, STAYS, node_key
from services.trace.rows import lots_of
from services.trace.stock.accounts import Account, End
from services.trace.stock.amounts import NOTHING, Amount, beyond, larger, plus

Row = Mapping[str, Any]

Edge = tuple[str, str]
"""From node, to node."""

Accounts = dict[Edge, Amount | None]

_STAYS: Final = frozenset(map(str, STAYS))
_HANDOFFS: Final = frozenset(map(str, HANDOFFS))
_HANDOVERS: Final = frozenset(map(str, HANDOVERS))
_DESTROYING: Final = str(Step.DESTROYING)
_SELLING: Final = str(Step.SELLING)
_PURCHASE: Final = str(Step.PURCHASE)


class Books:
    """Accounts by node, and by edge what its sender and what its receiver tell. All events of a node have to be given.

    `now` gives the id that a site has today. `halves` are the accounts with handoffs that name no other side.
    """

    def __init__(self, rows: Iterable[Row], now: Callable[[str], str] = str) -> None:
        self.nodes: dict[str, Account] = {}
        self.sent: Accounts = {}
        self.received: Accounts = {}
        self.halves: dict[str, Account] = {}
        self._sold: Accounts = {}
        self._bought: Accounts = {}
        self._said: dict[str, tuple[str | None, str]] = {}
        for row in rows:
            self._enter(row, now)
        for told, again in ((self.sent, self._sold), (self.received, self._bought)):
            told.update((edge, larger(told.get(edge, NOTHING), amount)) for edge, amount in again.items())
        self.edges: Mapping[Edge, Amount | None] = {edge: self._settle(edge) for edge in self.sent | self.received}
        for account in self.nodes.values():
            account.close()

    def account(self, key: str) -> Account:
        """The account of a node."""
        found = self.nodes.get(key)
        if found is None:
            found = self.nodes[key] = Account()
        return found

    def said(self, batch: str) -> tuple[str | None, str]:
        """Product and category of a batch, as the first event that says so has them."""
        return self._said.get(batch, (None, Category.OTHER))

    def _enter(self, row: Row, now: Callable[[str], str]) -> None:
        step = row["step"]
        if step in _STAYS:
            return
        here, at = now(row["site"]), row.get("time")
        inputs, outputs = lots_of(row)
        self._hear(inputs)
        if outputs is not inputs:
            self._hear(outputs)
        if step not in _HANDOFFS:
            self._turn(step, here, at, inputs, outputs)
            return
        if outputs is not inputs:
            self._rename(here, at, inputs, outputs)
        there = now(row["there"])
        if step == _SELLING and not there and not row.get("buyer_named"):
            self._sell(here, outputs)
        elif there != here and step in _HANDOVERS:
            self._hand(self._sold if step == _SELLING else self.sent, here, there, at, outputs)
        elif there != here:
            self._take(self._bought if step == _PURCHASE else self.received, here, there, at, inputs)

    def _hear(self, lots: Sequence[Row]) -> None:
        for lot in lots:
            if lot["batch"] not in self._said:
                self._said[lot["batch"]] = lot.get("product"), lot.get("category", Category.OTHER)

    def _sell(self, here: str, lots: Sequence[Row]) -> None:
        """To consumers: it names nobody."""
        for lot in lots:
            self.account(node_key(lot["batch"], here)).end(End.CONSUMED, amount_of(lot))

    def _turn(self, step: str, here: str, at: datetime | None, inputs: Sequence[Row], outputs: Sequence[Row]) -> None:
        if step == _DESTROYING:
            inputs, outputs, how = inputs or outputs, (), End.DESTROYED
        else:
            how = End.PROCESSED if outputs else End.CONSUMED
        into = [lot["batch"] for lot in outputs]
        for lot in inputs:
            self.account(node_key(lot["batch"], here)).end(how, amount_of(lot), into)
        for lot in outputs:
            self.account(node_key(lot["batch"], here)).begin(amount_of(lot), at)

    def _rename(self, here: str, at: datetime | None, inputs: Sequence[Row], outputs: Sequence[Row]) -> None:
        """Goods go on under a code of their holder's own."""
        old, new = {lot["batch"] for lot in inputs}, {lot["batch"] for lot in outputs}
        renamed = [lot for lot in inputs if lot["batch"] not in new]
        self._turn("", here, at, renamed, [lot for lot in outputs if lot["batch"] not in old])

    def _take(self, told: Accounts, here: str, there: str, at: datetime | None, lots: Sequence[Row]) -> None:
        for lot in lots:
            batch, amount = lot["batch"], amount_of(lot)
            edge = f"{batch}@{there}", f"{batch}@{here}"
            self.account(edge[1]).come(at)
            told[edge] = plus(told[edge], amount) if edge in told else amount

    def _hand(self, told: Accounts, here: str, there: str, at: datetime | None, lots: Sequence[Row]) -> None:
        for lot in lots:
            batch, amount = lot["batch"], amount_of(lot)
            edge = f"{batch}@{here}", f"{batch}@{there}"
            self.account(edge[1]).expect(at)
            told[edge] = plus(told[edge], amount) if edge in told else amount

    def _settle(self, edge: Edge) -> Amount | None:
        """Sets both sides' tellings of an edge against each other; what moved along it."""
        sent, received = self.sent.get(edge, NOTHING), self.received.get(edge, NOTHING)
        tail, head = edge
        sender, receiver = self.account(tail), self.account(head)
        if head[-1] == "@":
            sender.unnamed_out = plus(sender.unnamed_out, sent)
            self.halves[tail] = sender
        elif tail[-1] == "@":
            receiver.unnamed_in = plus(receiver.unnamed_in, received)
            self.halves[head] = receiver
        elif sent is received or sent is None or received is None:
            moved = sent if sent is received else larger(sent, received)
            sender.handed, receiver.taken = plus(sender.handed, moved), plus(receiver.taken, moved)
            return moved
        else:
            sender.handed, receiver.taken = plus(sender.handed, sent), plus(receiver.taken, received)
            sender.fetched = plus(sender.fetched, beyond(received, sent))
            receiver.coming = plus(receiver.coming, beyond(sent, received))
        return larger(sent, received)


def amount_of(lot: Row) -> Amount | None:
    """How much a lot is; None when that is not known."""
    quantity = lot.get("quantity")
    return None if quantity is None else _amount(quantity.bid, lot.get("unit"))


@lru_cache(4096)
def _amount(bid: bytes, unit: str | None) -> Amount:
    """Most lots are of few sizes, and both halves of a handoff of one."""
    return Amount(Decimal128.from_bid(bid).to_decimal(), unit)
