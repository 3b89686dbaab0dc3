"""What came to a node, what left it, what is left: an account of goods. Pure; `books` keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from services.trace.stock.amounts import NOTHING, Amount, beyond, larger, plus


class End(StrEnum):
    """How goods may end at a node."""

    PROCESSED = "processed"
    CONSUMED = "consumed"
    DESTROYED = "destroyed"


class Account:
    """Of one node. An amount is None where one in it is not known, or units differ.

    `made` began there: harvested, made, or renamed. `taken` and `handed` are handoffs as its site tells them, `coming`
    and `fetched` what the other side tells beyond that. What the site took from, or handed to, nobody it names stands
    in `unnamed_in` and `unnamed_out`. `present`: the site itself told of goods that came. Once the books are closed,
    `came` is all that came, `went` all that left or ended there, `left` the rest, at least nothing.
    """

    # Most accounts have few of these: what is not set is nothing.
    made: Amount | None = NOTHING
    taken: Amount | None = NOTHING
    coming: Amount | None = NOTHING
    unnamed_in: Amount | None = NOTHING
    handed: Amount | None = NOTHING
    fetched: Amount | None = NOTHING
    unnamed_out: Amount | None = NOTHING
    ended: Mapping[End, Amount | None] = MappingProxyType({})
    into: dict[str, None] | None = None
    present = False
    since: datetime | None = None
    came: Amount | None = NOTHING
    went: Amount | None = NOTHING
    left: Amount | None = NOTHING

    @property
    def in_transit(self) -> Amount:
        """Of what is left, what was sent there and not received yet."""
        if self.present and self.coming is NOTHING:
            return NOTHING
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

    def end(self, how: End, amount: Amount | None, into: Sequence[str] = ()) -> None:
        """Goods end there, or become those `into` which they are made."""
        self.ended = {**self.ended, how: plus(self.ended.get(how, NOTHING), amount)}
        if into:
            self.into = self.into or {}
            self.into.update(dict.fromkeys(into))

    def begin(self, amount: Amount | None, at: datetime | None) -> None:
        """Goods begin there."""
        self.made = plus(self.made, amount)
        self.come(at)

    def come(self, at: datetime | None) -> None:
        """The site tells that goods came."""
        self.present = True
        if at and (self.since is None or at > self.since):
            self.since = at

    def expect(self, at: datetime | None) -> None:
        """The other side tells that goods are on their way there."""
        if at and not self.present and (self.since is None or at > self.since):
            self.since = at

    def close(self) -> None:
        """Sums up; of ten thousand accounts nearly all have neither ends nor halves."""
        came, went = plus(self.made, self.taken), self.handed
        if not (self.unnamed_in is NOTHING is self.coming):
            came = plus(came, larger(self.unnamed_in, self.coming))
        if not (self.unnamed_out is NOTHING is self.fetched):
            went = plus(went, larger(self.unnamed_out, self.fetched))
        if self.ended:
            for amount in self.ended.values():
                went = plus(went, amount)
        self.came, self.went, self.left = came, went, beyond(came, went)
