"""What a source is told: a verdict on each of its records, and what the platform proposes or orders."""

from datetime import datetime
from enum import StrEnum

from contracts.model import Contract, Whole


class FieldError(Contract):
    """One thing wrong with one field; `rule` is an id of `contracts.rules`."""

    field: str
    value: str | None = None
    rule: str
    message: str


class Outcome(StrEnum):
    """What became of a record."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Verdict(Contract):
    """The answer to one record.

    `record` is the place inside its message (line number from 1; 0 is the message as a whole). `event_id` and
    `batches` (trace codes of its goods) come with accepted and duplicate records, `errors` with rejected ones;
    An error declaration is answered likewise, `event_id` being its own id.
    `flags` name what was recorded though incomplete or doubtful.
    """

    message_id: str
    record: Whole = 0
    outcome: Outcome
    document: str | None = None
    event_id: str | None = None
    batches: tuple[str, ...] = ()
    flags: tuple[FieldError, ...] = ()
    errors: tuple[FieldError, ...] = ()


class VerdictsV1(Contract):
    """`egress.verdicts.v1`: one message per source and handled batch."""

    source: str
    verdicts: tuple[Verdict, ...]


class ProposedLine(Contract):
    """Goods of a proposed receipt. `quantity` is a decimal as text, in `unit`; `quantity_text` is what the shipper said
    of an amount that cannot be converted.
    """

    batch: str
    product: str | None = None
    category: str | None = None
    quantity: str | None = None
    unit: str | None = None
    quantity_text: str | None = None


class ReceiptProposedV1(Contract):
    """`egress.receipt_proposed.v1`: an upstream shipment, ready to be confirmed as a receipt (一次录入全程使用)."""

    source: str
    event_id: str
    document: str | None = None
    supplier_site: str
    supplier_name: str | None = None
    receiver_site: str
    shipped_at: datetime
    lines: tuple[ProposedLine, ...]


class RecalledGoods(Contract):
    """Goods of a batch at a site of the source's; quantity, a decimal as text, is what should still be there."""

    site: str
    batch: str
    product: str | None = None
    quantity: str | None = None
    unit: str | None = None


class RecallsV1(Contract):
    """`egress.recalls.v1`: a recall, and where it touches the sites that a source reports of; at most 500 lines.

    Who holds the goods stops selling, keeps them apart and reports what it brings back; who sold them on tells its
    buyers. A later `version` names further goods. `recall_class` is 1 to 3 (食品召回管理办法 art. 13), `batches` are
    the recalled ones: a line's own batch may have been made of them.
    """

    source: str
    recall: str
    version: Whole
    batches: tuple[str, ...]
    reason: str
    recall_class: Whole
    issuer: str
    opened_at: datetime
    finish_by: datetime
    goods: tuple[RecalledGoods, ...]


class Quantity(Contract):
    """A decimal as text, with its unit; nothing has none."""

    quantity: str
    unit: str | None = None


class GoodsChange(Contract):
    """What late records change of a batch's goods at a site that a recall named before.

    `amount` is all that was there, handed on or not; `balance` what should be there still; absent where not known.
    """

    site: str
    batch: str
    product: str | None = None
    amount_before: Quantity | None = None
    amount: Quantity | None = None
    balance_before: Quantity | None = None
    balance: Quantity | None = None


class RecallsChangedV1(Contract):
    """`egress.recalls_changed.v1`: what late records change of a recall where a source reports; 500 lines at most.

    Sites and batches were named by an earlier `version`. `share` is how much of the recalled goods is located, 0 to 1.
    """

    source: str
    recall: str
    version: Whole
    batches: tuple[str, ...]
    share_before: float | None = None
    share: float | None = None
    goods: tuple[GoodsChange, ...]


class RecallsClosedV1(Contract):
    """`egress.recalls_closed.v1`: a recall that a source was told of has ended; at most 500 of its sites.

    `version` is one more than the last of the recall.
    """

    source: str
    recall: str
    version: Whole
    batches: tuple[str, ...]
    issuer: str
    closed_at: datetime
    closed_reason: str
    sites: tuple[str, ...]
