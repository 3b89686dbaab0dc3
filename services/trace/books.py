"""Accounts of goods, kept from events as stored: what came to each node, what left it, what is left. Pure.

Of a handoff both sides may tell, at once or in parts: between two sites the larger account counts, never the sum.
Where one side names nobody, what the other tells beyond its own account answers it; there too the larger counts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from contracts.trace import Category, Step
from services.trace.amounts import NOTHING, Amount, beyond, larger, plus
from services.trace.lineage import HANDOFFS, HANDOVERS, STAYS, node_key
from services.trace.rows import lots_of, quantity_of

Row = Mapping[str, Any]


class End(StrEnum):
    """How goods may end at a node."""

    PROCESSED = "processed"
    CONSUMED = "consumed"
    DESTROYED = "destroyed"


class Account:
    """Of one node. An amount is None where one in it is not known, or units differ.

    `made` began there: harvested, made, or renamed. `taken` and `handed` are handoffs as its site tells them, `coming`
    and `fetched` what the other side tells beyond that. What the site took from, or handed to, nobody it names stands
    in `unnamed_in` and `unnamed_out`. `present`: the site itself told of goods that came.
    """

    __slots__ = ("coming", "ended", "fetched", "handed", "into", "made", "present", "since", "taken", "unnamed_in",
                 "unnamed_out")  # fmt: skip

    def __init__(self) -> None:
        self.made: Amount | None = NOTHING
        self.taken: Amount | None = NOTHING
        self.coming: Amount | None = NOTHING
        self.unnamed_in: Amount | None = NOTHING
        self.handed: Amount | None = NOTHING
        self.fetched: Amount | None = NOTHING
        self.unnamed_out: Amount | None = NOTHING
        self.ended: dict[End, Amount | None] = {}
        self.into: dict[str, None] = {}
        self.present = False
        self.since: datetime | None = None

    @property
    def came(self) -> Amount | None:
        """All that came there."""
        return plus(plus(self.made, self.taken), larger(self.unnamed_in, self.coming))

    @property
    def went(self) -> Amount | None:
        """All that left, or ended there."""
        gone = plus(self.handed, larger(self.unnamed_out, self.fetched))
        for amount in self.ended.values():
            gone = plus(gone, amount)
        return gone

    @property
    def left(self) -> Amount | None:
        """What came and did not leave; at least nothing."""
        return beyond(self.came, self.went)

    @property
    def in_transit(self) -> Amount:
        """Of what is left, what was sent there and not received yet."""
        left, coming = self.left or NOTHING, beyond(self.coming, self.unnamed_in) or NOTHING
        return left if not self.present or coming.quantity > left.quantity else coming

    @property
    def from_nobody(self) -> Amount | None:
        """What came from nobody named, and nobody tells of."""
        return beyond(self.unnamed_in, self.coming)

    @property
    def to_nobody(self) -> Amount | None:
        """What left for nobody named, and nobody tells of."""
        return beyond(self.unnamed_out, self.fetched)

    def end(self, how: End, amount: Amount | None, into: Iterable[str] = ()) -> None:
        """Goods end there, or become those `into` which they are made."""
        self.ended[how] = plus(self.ended.get(how, NOTHING), amount)
        self.into.update(dict.fromkeys(into))

    def begin(self, amount: Amount | None, at: datetime) -> None:
        """Goods begin there."""
        self.made = plus(self.made, amount)
        self.come(at)

    def come(self, at: datetime) -> None:
        """The site tells that goods came."""
        self.present = True
        if self.since is None or at > self.since:
            self.since = at


Edge = tuple[str, str]
"""From node, to node."""

_STAYS: Final = frozenset(map(str, STAYS))
_HANDOFFS: Final = frozenset(map(str, HANDOFFS))
_HANDOVERS: Final = frozenset(map(str, HANDOVERS))
_DESTROYING: Final = str(Step.DESTROYING)
_SELLING: Final = str(Step.SELLING)


class Books:
    """Accounts by node, and by edge what its sender and what its receiver tell. All events of a node have to be given.

    `now` gives the id that a site has today.
    """

    def __init__(self, rows: Iterable[Row], now: Callable[[str], str] = str) -> None:
        self.nodes: dict[str, Account] = {}
        self.sent: dict[Edge, Amount | None] = {}
        self.received: dict[Edge, Amount | None] = {}
        self._said: dict[str, tuple[str | None, str]] = {}
        for row in rows:
            self._enter(row, now)
        self.edges = self.sent.keys() | self.received.keys()
        for edge in self.edges:
            self._settle(edge)

    def account(self, key: str) -> Account:
        """The account of a node."""
        found = self.nodes.get(key)
        if found is None:
            found = self.nodes[key] = Account()
        return found

    def moved(self, edge: Edge) -> Amount | None:
        """What went from one node to another."""
        return larger(self.sent.get(edge, NOTHING), self.received.get(edge, NOTHING))

    def said(self, batch: str) -> tuple[str | None, str]:
        """Product and category of a batch, as the first event that says so has them."""
        return self._said.get(batch, (None, Category.OTHER))

    def _enter(self, row: Row, now: Callable[[str], str]) -> None:
        step = row["step"]
        if step in _STAYS:
            return
        here, at = now(row["site"]), row["time"]
        inputs, outputs = lots_of(row)
        self._hear(inputs)
        if outputs is not inputs:
            self._hear(outputs)
        if step not in _HANDOFFS:
            self._turn(step, here, at, inputs, outputs)
            return
        if outputs is not inputs:
            self._rename(here, at, inputs, outputs)
        if step not in _HANDOVERS:
            self._take(here, now(row["there"]), at, inputs)
        elif step == _SELLING and not row["there"] and not row.get("counterparty"):
            self._sell(here, outputs)
        else:
            self._hand(here, now(row["there"]), at, outputs)

    def _hear(self, lots: Sequence[Row]) -> None:
        for lot in lots:
            if lot["batch"] not in self._said:
                self._said[lot["batch"]] = lot.get("product"), lot.get("category", Category.OTHER)

    def _sell(self, here: str, lots: Sequence[Row]) -> None:
        """To consumers: it names nobody."""
        for lot in lots:
            self.account(node_key(lot["batch"], here)).end(End.CONSUMED, amount_of(lot))

    def _turn(self, step: str, here: str, at: datetime, inputs: Sequence[Row], outputs: Sequence[Row]) -> None:
        if step == _DESTROYING:
            inputs, outputs, how = inputs or outputs, (), End.DESTROYED
        else:
            how = End.PROCESSED if outputs else End.CONSUMED
        into = [lot["batch"] for lot in outputs]
        for lot in inputs:
            self.account(node_key(lot["batch"], here)).end(how, amount_of(lot), into)
        for lot in outputs:
            self.account(node_key(lot["batch"], here)).begin(amount_of(lot), at)

    def _rename(self, here: str, at: datetime, inputs: Sequence[Row], outputs: Sequence[Row]) -> None:
        """Goods go on under a code of their holder's own."""
        old, new = {lot["batch"] for lot in inputs}, {lot["batch"] for lot in outputs}
        renamed = [lot for lot in inputs if lot["batch"] not in new]
        self._turn("", here, at, renamed, [lot for lot in outputs if lot["batch"] not in old])

    def _take(self, here: str, there: str, at: datetime, lots: Sequence[Row]) -> None:
        for lot in lots:
            node = node_key(lot["batch"], here)
            self.account(node).come(at)
            _add(self.received, (node_key(lot["batch"], there), node), amount_of(lot))

    def _hand(self, here: str, there: str, at: datetime, lots: Sequence[Row]) -> None:
        for lot in lots:
            head = node_key(lot["batch"], there)
            account = self.account(head)
            if not account.present and (account.since is None or at > account.since):
                account.since = at
            _add(self.sent, (node_key(lot["batch"], here), head), amount_of(lot))

    def _settle(self, edge: Edge) -> None:
        """Sets both sides' tellings of an edge against each other."""
        if edge[0] == edge[1]:
            return
        sent, received = self.sent.get(edge, NOTHING), self.received.get(edge, NOTHING)
        sender, receiver = self.account(edge[0]), self.account(edge[1])
        if edge[1].endswith("@"):
            sender.unnamed_out = plus(sender.unnamed_out, sent)
        elif edge[0].endswith("@"):
            receiver.unnamed_in = plus(receiver.unnamed_in, received)
        elif sent is not None and received is not None and sent != received:
            sender.handed, sender.fetched = plus(sender.handed, sent), plus(sender.fetched, beyond(received, sent))
            receiver.taken, receiver.coming = (
                plus(receiver.taken, received),
                plus(receiver.coming, beyond(sent, received)),
            )
        else:
            amount = sent if sent == received else larger(sent, received)
            sender.handed, receiver.taken = plus(sender.handed, amount), plus(receiver.taken, amount)


def amount_of(lot: Row) -> Amount | None:
    """How much a lot is; None when that is not known."""
    quantity = quantity_of(lot)
    return None if quantity is None else Amount(quantity, lot.get("unit"))


def _add(accounts: dict[Edge, Amount | None], edge: Edge, amount: Amount | None) -> None:
    accounts[edge] = plus(accounts[edge], amount) if edge in accounts else amount
