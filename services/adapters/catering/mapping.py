"""Catering messages as canonical records and observations: one per line."""

from contracts.catering import (
    DishIn,
    KitchenUseV1,
    MealDistributionV1,
    MealIn,
    PurchaseInspectionV1,
    RawIn,
    RetainedSampleV1,
    SampleIn,
    UnitIn,
    UnitSyncV1,
)
from contracts.registry import Observation
from contracts.trace import Link, Lot, Party, Record, Step
from contracts.wire import PartyIn, ReceivedIn
from services.adapters import parts, records
from services.adapters.parts import Origin


def unit(origin: Origin, sync: UnitSyncV1, line: UnitIn) -> Observation:
    """A kitchen, its kind, and who runs it."""
    return records.observation(origin, line, line.operator, link=Link.CATERING, unit_kind=line.unit_kind)


def purchase(origin: Origin, ticket: PurchaseInspectionV1, line: ReceivedIn) -> Record:
    """进货查验: the kitchen receives goods."""
    kdes = {"origin": line.origin or ticket.origin, "inspector": ticket.inspector}
    return records.receipt(origin, ticket, line, _kitchen(origin, ticket.site), ticket.supplier, kdes)


def kitchen_use(origin: Origin, ticket: KitchenUseV1, line: DishIn) -> Record:
    """加工制作: raw batches go into a meal batch."""
    site = _kitchen(origin, ticket.site)
    return records.record(
        origin,
        ticket,
        Step.KITCHEN_USE,
        site,
        inputs=tuple(_raw(origin, site, raw) for raw in line.inputs),
        outputs=(parts.lot(line, parts.batch(line, site)),),
        documents=parts.papers(ticket, line),
        production_line=ticket.production_line,
        kdes={"meal": line.meal},
    )


def retained_sample(origin: Origin, ticket: RetainedSampleV1, line: SampleIn) -> Record:
    """食品留样: a sample of a meal batch is set aside; nothing goes on from it."""
    site = _kitchen(origin, ticket.site)
    kdes = {"meal": line.meal, "kept_until": line.kept_until, "sampled_by": line.sampled_by}
    sample = parts.lot(line, parts.batch(line, site))
    return records.record(origin, ticket, Step.RETAINED_SAMPLE, site, inputs=(sample,), kdes=kdes)


def distribution(origin: Origin, ticket: MealDistributionV1, line: MealIn) -> Record:
    """餐食配送: meals leave for a school or site."""
    kdes = {"meal": line.meal, "diners": line.diners}
    return records.handover(origin, ticket, line, _kitchen(origin, ticket.site), line.consignee, kdes=kdes)


def _kitchen(origin: Origin, site: PartyIn) -> Party:
    return parts.party(origin, site, Link.CATERING)


def _raw(origin: Origin, site: Party, raw: RawIn) -> Lot:
    supplier = parts.other(origin, raw.supplier, site, ())
    return parts.lot(raw, parts.held_batch(raw, site, supplier))
