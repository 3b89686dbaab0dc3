"""Docking messages as canonical records and observations: one per line."""

import re
from typing import Final

from contracts import codes, kde
from contracts.corrections import Declarer, ErrorReport, declaration_id
from contracts.docking import CaptureV1, DeclareErrorsV1, ErrorIn, LotIn, OperatorSyncV1, RecordIn
from contracts.registry import Observation
from contracts.trace import Lot, Party, Record, Step
from contracts.wire import GoodsIn, OperatorIn
from contracts.words import words
from services.adapters import parts, records
from services.adapters.parts import Origin

TAKING_IN: Final = frozenset({Step.RECEIVING, Step.PURCHASE})
"""Steps whose inputs bear the counterparty's batch numbers."""

HANDING_ON: Final = TAKING_IN | {
    Step.SHIPPING,
    Step.TRANSPORT,
    Step.CHECKPOINT,
    Step.STORING,
    Step.SELLING,
    Step.RETURNING,
}
"""Steps that change no batch: goods named on one side only are the same on the other."""

_KDES: Final = {word: name for name in kde.NAMED for word in words(name)}
"""The platform's own names of key data elements, by every word for them."""

_NO_KEY: Final = re.compile(r"[^\w-]+")


def operator(origin: Origin, sync: OperatorSyncV1, line: OperatorIn) -> Observation:
    """An operator, or one site of it."""
    return records.observation(origin, line, link=line.link)


def declaration(origin: Origin, _: DeclareErrorsV1, line: ErrorIn) -> ErrorReport:
    """An error that the source declares about a record of its own."""
    corrections = tuple(dict.fromkeys(line.corrections))
    return ErrorReport(
        id=declaration_id(line.event_id, Declarer.SOURCE, origin.source, line.reason, corrections),
        source=origin.source,
        message_id=origin.envelope.id,
        line=origin.line,
        sent_at=origin.envelope.time,
        event_id=line.event_id,
        reason=line.reason,
        corrections=corrections,
    )


def capture(origin: Origin, message: CaptureV1, line: RecordIn) -> Record:
    """A record of any step; its papers are those of the record and of all its goods."""
    goods = (*line.inputs, *line.outputs) or (GoodsIn(),)
    site = parts.party(origin, line.site, line.site.link)
    papers = tuple(dict.fromkeys(paper for lot in goods for paper in parts.papers(line, lot)))
    counterparty = parts.other(origin, line.counterparty, site, papers)
    giver = counterparty if line.step in TAKING_IN else None
    inputs = tuple(_lot(origin, lot, giver, site) for lot in line.inputs)
    outputs = tuple(_lot(origin, lot, None, site) for lot in line.outputs)
    mirrored = line.step in HANDING_ON
    return records.record(
        origin,
        line,
        line.step,
        site,
        counterparty=counterparty,
        inputs=inputs or (outputs if mirrored else ()),
        outputs=outputs or (inputs if mirrored else ()),
        documents=papers,
        production_line=line.production_line,
        kdes={_KDES.get(name) or _NO_KEY.sub("_", name): words for name, words in line.kdes.items()},
    )


def _lot(origin: Origin, lot: LotIn, giver: Party | None, site: Party) -> Lot:
    issuer = parts.party(origin, lot.issuer) if lot.issuer else giver
    tagged = lot if lot.batch_no else lot.model_copy(update={"batch_no": lot.ear_tag})
    tags = dict.fromkeys(map(codes.compact, filter(None, (lot.ear_tag, *lot.ear_tags))))
    return parts.lot(lot, parts.batch(tagged, issuer, site), tuple(tags))
