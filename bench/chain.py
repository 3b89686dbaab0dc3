"""The blocks of capture in straight lines, beside `plain`: what the other side writes of each batch it stores."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from bson.raw_bson import RawBSONDocument

from services.trace.evidence import blocks
from services.trace.evidence.blocks import Block

Document = dict[str, Any]


class Chain:
    """One lane that nobody shares: no lease, no look at the store, no transaction."""

    def __init__(self) -> None:
        self._lane = uuid4().hex[:8]
        self._head: Block | None = None

    def seal(self, rows: Sequence[Mapping[str, Any]], now: datetime) -> tuple[list[RawBSONDocument], Document]:
        """Events as they are stored, each naming its block, and the document of the block."""
        self._head, documents = blocks.seal(self._lane, self._head, rows, now)
        return documents, {"_id": self._head.id, **self._head._asdict(), "hash": self._head.hash}
