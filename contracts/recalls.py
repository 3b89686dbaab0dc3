"""Recalls that are opened: goods that come back from everybody who holds them."""

from datetime import datetime

from contracts.model import Contract, Whole
from contracts.trace import Category


class Recall(Contract):
    """A recall (食品召回), and some of the sites that hold its goods or sold them on.

    A recall of many sites is told in parts, and once more when late records name further sites: whoever is told of one
    again has been told. `recall_class` is 1 to 3 (食品召回管理办法 art. 13); `version` grows with what is told.
    """

    id: str
    version: Whole
    batches: tuple[str, ...]
    product: str | None = None
    category: Category = Category.OTHER
    reason: str
    recall_class: Whole
    issuer: str
    division: str | None = None
    opened_at: datetime
    sites: tuple[str, ...]


class RecallsOpenedV1(Contract):
    """`trace.recalls_opened.v1`: at most 500 sites in a message."""

    recalls: tuple[Recall, ...]
