"""One event that two apps tell differently: proposed to a person, never merged (`domain.decide` records both). Pure."""

from collections.abc import Iterable
from decimal import Decimal

from contracts.fields import day_of
from contracts.findings import FindingKind
from services.trace.lineage import Event
from services.trace.stock.amounts import Amount
from services.trace.truth.statements import Doubt, Statement, shown


def doubles(statements: Iterable[Statement]) -> Doubt | None:
    """Second reports of one event that differ in day or goods: proposed to a person, never merged (`domain.decide`)."""
    standing = sorted((each for each in statements if not each.declared), key=lambda each: each.event.id)
    if len(standing) < 2:
        return None
    first, second = standing[0].event, standing[1].event
    return Doubt(
        FindingKind.POSSIBLE_DUPLICATE,
        first,
        tuple(each.event.id for each in standing),
        _gist(first),
        _gist(second),
        document=first.document,
    )


def _gist(event: Event) -> str:
    return "; ".join((day_of(event.time).isoformat(), *(_goods(*goods[:3]) for goods in event.outputs or event.inputs)))


def _goods(batch: str, quantity: Decimal | None, unit: str | None) -> str:
    return f"{batch} {shown(Amount(quantity, unit))}" if quantity is not None else batch
