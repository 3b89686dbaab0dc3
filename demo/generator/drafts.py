"""A message while it can still be changed: what a fault spoils, and what goes on the wire in the end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from demo.generator.bodies import body
from demo.generator.papers import Paper
from demo.generator.styles import Row, style_of

ROLES: Final = ("stall", "shipper", "receiver", "site")
OTHERS: Final = ("supplier", "buyer", "consignee")
SYNC, MONTH, LAST_DAY, TEST, LATE, UNTOLD = "sync", "month", "last_day", "test", "late", "untold"
"""Stages, each published at once. The last three are told while people work: a failed test, a late receipt, a handover
of goods that are being recalled."""


@dataclass(frozen=True)
class Message:
    """What a publisher sends at `goes`; the envelope says `sent`. `records` counts its records, `duplicates` those
    that are told again on purpose. `rule` of `contracts.rules` is what it is meant to break: the generator's own
    bookkeeping.
    """

    app: str
    type: str
    id: str
    sent: datetime
    goes: datetime
    data: bytes
    records: int
    stage: str = MONTH
    duplicates: int = 0
    rule: str | None = None


@dataclass
class Draft:
    """A paper's body in documented field names. `raw`, where it is set, is sent in its place; `again` is how long
    after the first time it is resent."""

    paper: Paper
    app: str
    type: str
    id: str
    sent: datetime
    body: Row
    raw: bytes | None = None
    duplicates: int = 0
    rule: str | None = None
    again: timedelta = timedelta(0)
    stage: str = MONTH

    @classmethod
    def of(cls, paper: Paper, id: str) -> "Draft":
        """As its app would send it."""
        return cls(paper, paper.app, paper.type, id, paper.sent, body(paper))

    @property
    def own(self) -> Row:
        """The site that sends it."""
        part: Row = next(self.body[role] for role in ROLES if role in self.body)
        return part

    @property
    def other(self) -> Row:
        """The counterparty; empty when it names none."""
        places = (self.body, self.line)
        return next((part[word] for part in places for word in OTHERS if part.get(word)), {})

    @property
    def line(self) -> Row:
        """The last line: the others are to come through unharmed."""
        part: Row = self.body["lines"][-1]
        return part

    def role(self) -> str:
        """The word for the sending site."""
        return next(role for role in ROLES if role in self.body)

    def encoded(self) -> bytes:
        """The bytes in the style of its operator's software."""
        return self.raw if self.raw is not None else style_of(self.app, self.paper.site).encode(self.body)

    def message(self) -> Message:
        """What goes to the publisher."""
        return Message(
            app=self.app,
            type=self.type,
            id=self.id,
            sent=self.sent,
            goes=self.sent + self.again,
            data=self.encoded(),
            records=self.paper.records,
            stage=self.stage,
            duplicates=self.duplicates,
            rule=self.rule,
        )
