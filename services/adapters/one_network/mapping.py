"""One-network messages as canonical records and observations: one per line."""

from contracts.one_network import DeliveryNoteV1, OperatorSyncV1, ReceiptV1, ReturnNoteV1
from contracts.registry import Observation
from contracts.trace import Record, Step
from contracts.wire import GoodsIn, OperatorIn, ReceivedIn
from services.adapters import canonical
from services.adapters.canonical import Origin


def operator(origin: Origin, sync: OperatorSyncV1, line: OperatorIn) -> Observation:
    """An operator, or one site of it."""
    return canonical.observation(origin, line, link=line.link)


def delivery(origin: Origin, note: DeliveryNoteV1, line: GoodsIn) -> Record:
    """送货单: goods leave for the consignee."""
    site = canonical.party(origin, note.shipper, note.shipper.link)
    return canonical.handover(origin, note, line, site, note.consignee)


def receipt(origin: Origin, note: ReceiptV1, line: ReceivedIn) -> Record:
    """收货单: goods come in, and answer the supplier's delivery note where it is named."""
    site = canonical.party(origin, note.receiver, note.receiver.link)
    kdes = {"origin": line.origin or note.origin, "delivery_no": note.delivery_no}
    return canonical.receipt(origin, note, line, site, note.supplier, kdes)


def returned(origin: Origin, note: ReturnNoteV1, line: ReceivedIn) -> Record:
    """退货单: goods go back to the supplier under the batch they were held under."""
    site = canonical.party(origin, note.site, note.site.link)
    supplier = canonical.other(origin, note.supplier, site, ())
    code = canonical.held_batch(line, site, supplier)
    kdes = {"reason": note.reason}
    return canonical.handover(origin, note, line, site, note.supplier, step=Step.RETURNING, code=code, kdes=kdes)
