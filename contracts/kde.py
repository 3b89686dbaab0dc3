"""Which key data elements a record owes by `contracts.duties`, which it lacks, and how complete that leaves it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from contracts.duties import DUTIES
from contracts.elements import Condition, Kde
from contracts.trace import Category, Link, Lot, Record, Step

WITHOUT_GOODS: Final = frozenset({Step.CLEANING})
"""Steps that need no batch: what is cleaned is a line."""


@dataclass(frozen=True, slots=True, eq=False)
class Owed:
    """An element, the clause that asks for it, and when."""

    element: Kde
    clause: str
    when: Condition | None


NAMED: Final = tuple(
    dict.fromkeys(
        element.field.removeprefix("kdes.")
        for duty in DUTIES
        for element in duty.elements
        if element.field.startswith("kdes.")
    )
)
"""Names of the elements that stand among a record's `kdes`."""


@lru_cache(1024)
def required(step: Step, link: Link | None, category: Category) -> tuple[Owed, ...]:
    """The elements, each with its clause, that a record of this step, link and category owes or may owe."""
    return tuple(
        Owed(element, duty.clause, duty.when)
        for duty in DUTIES
        if step in duty.steps and link in duty.links and category in duty.categories
        for element in duty.elements
    )


_NO_GOODS: Final = (Lot(batch=""),)


def _owed(record: Record) -> Iterator[tuple[Owed, Lot]]:
    for lot in record.outputs or record.inputs or (_NO_GOODS if record.step in WITHOUT_GOODS else ()):
        for row in required(record.step, record.site.link, lot.category):
            if row.when is None or row.when.holds(record, lot):
                yield row, lot


def missing(record: Record) -> list[Owed]:
    """What the record owes and does not give; one row per element and clause, however many lots lack it."""
    return list(dict.fromkeys(row for row, lot in _owed(record) if not row.element.given(record, lot)))


def completeness(record: Record) -> Fraction:
    """The share of the elements it owes that a record gives, each once; one that owes none is complete."""
    owed = {row.element.field for row, _ in _owed(record)}
    lacking = {row.element.field for row in missing(record)}
    return 1 - Fraction(len(lacking), len(owed)) if owed else Fraction(1)
