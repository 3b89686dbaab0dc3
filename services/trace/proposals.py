"""Receipts proposed from shipments (一次录入全程使用): whom to, and what they say. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contracts.egress import ProposedLine, ReceiptProposedV1
from contracts.registry import SiteFacts
from services.trace.domain import Facts
from services.trace.lineage import node_key
from services.trace.rows import lots_of, quantity_of
from services.trace.told import Stored


def mark(proposal: ReceiptProposedV1) -> str:
    """What the inbox remembers of a proposal."""
    return f"receipt_proposed/{proposal.event_id}/{proposal.source}"


def nodes_to(shipment: Stored, receiver: SiteFacts) -> list[str]:
    """The nodes a shipment's receipt would bring goods to, under the id it named and today's."""
    batches = [lot["batch"] for lot in lots_of(shipment)[1]]
    return [node_key(batch, site) for batch in batches for site in dict.fromkeys((shipment["there"], receiver.site))]


def propose(shipments: Iterable[Stored], receipts: Sequence[Stored], facts: Facts) -> list[ReceiptProposedV1]:
    """A proposal for each source of each receiver that has not told the receipt itself."""
    told = {(node, receipt["source"]) for receipt in receipts for node in receipt["outputs"]}
    proposals: list[ReceiptProposedV1] = []
    for shipment in shipments:
        if receiver := facts.get(shipment["there"]):
            nodes = nodes_to(shipment, receiver)
            sources = [source for source in receiver.sources if not any((node, source) in told for node in nodes)]
            proposals += [_proposal(source, shipment, receiver, facts) for source in sources]
    return proposals


def _proposal(source: str, shipment: Stored, receiver: SiteFacts, facts: Facts) -> ReceiptProposedV1:
    supplier = facts.get(shipment["site"])
    return ReceiptProposedV1(
        source=source,
        event_id=shipment["_id"],
        document=shipment["document"],
        supplier_site=shipment["site"],
        supplier_name=supplier.name if supplier else shipment["party"].get("name"),
        receiver_site=receiver.site,
        shipped_at=shipment["time"],
        lines=tuple(_line(lot) for lot in lots_of(shipment)[1]),
    )


def _line(lot: Mapping[str, Any]) -> ProposedLine:
    quantity = quantity_of(lot)
    return ProposedLine(
        batch=lot["batch"],
        product=lot.get("product"),
        category=lot["category"],
        quantity=None if quantity is None else f"{quantity:f}",
        unit=lot.get("unit"),
        quantity_text=lot.get("quantity_text") if quantity is None else None,
    )
