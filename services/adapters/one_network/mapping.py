"""One-network messages as canonical records and observations: one per line."""

from contracts.one_network import DeliveryNoteV1, OperatorSyncV1, ReceiptV1, ReturnNoteV1
from contracts.registry import Observation
from contracts.trace import Record, Step
from contracts.wire import GoodsIn, OperatorIn, ReceivedIn
from services.adapters import parts, records
from services.adapters.parts import Origin


def operator(origin: Origin, sync: OperatorSyncV1, line: OperatorIn) -> Observation:
    """An operator, or one site of it."""
    return records.observation(origin, line, link=line.link)


def delivery(origin: Origin, note: DeliveryNoteV1, line: GoodsIn) -> Record:
    """送货单: goods leave for the consignee."""
    site = parts.party(origin, note.shipper, note.shipper.link)
    return records.handover(origin, note, line, site, note.consignee)


def receipt(origin: Origin, note: ReceiptV1, line: ReceivedIn) -> Record:
    """收货单: goods come in, and answer the supplier's delivery note where it is named."""
    site = parts.party(origin, note.receiver, note.receiver.link)
    kdes = {"origin": line.origin or note.origin, "delivery_no": note.delivery_no}
    return records.receipt(origin, note, line, site, note.supplier, kdes)


def returned(origin: Origin, note: ReturnNoteV1, line: ReceivedIn) -> Record:
    """退货单: goods go back to the supplier under the batch they were held under."""
    site = parts.party(origin, note.site, note.site.link)
    supplier = parts.other(origin, note.supplier, site, ())
    code = parts.held_batch(line, site, supplier)
    kdes = {"reason": note.reason}
    return records.handover(origin, note, line, site, note.supplier, step=Step.RETURNING, code=code, kdes=kdes)
