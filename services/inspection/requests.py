"""What callers ask to be done, as the domain's acts; wrong fields are told apart from broken rules."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from shilian.inspection.v1 import inspection_pb2 as pb

from chassis.api.auth import Caller
from chassis.api.errors import InvalidArgument
from contracts import rules
from services.inspection import penalties
from services.inspection.documents import Document
from services.inspection.domain import Act


def act(
    caller: Caller,
    at: datetime,
    account: pb.Account | None = None,
    *,
    officers: Iterable[str] = (),
    items: Iterable[str] = (),
    note: str = "",
    evidence: Iterable[str] = (),
) -> Act:
    """What the caller does, with what it brings; blank words are none."""
    told = account or pb.Account()
    return Act(
        caller.subject,
        caller.role,
        at,
        _said(officers),
        _said(items),
        (told.note or note).strip(),
        _said((*told.evidence, *evidence)),
        told.location.strip(),
    )


def _said(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


def required(**fields: Any) -> None:
    """Raises InvalidArgument naming the fields that are empty."""
    empty = [rules.error(name, None, "required") for name, value in fields.items() if not value]
    if empty:
        raise InvalidArgument(empty)


def act_facts(given: pb.ActFacts) -> Document:
    """Facts as they are kept. Raises InvalidArgument for a value that is no amount, or a count below 0."""
    facts = {name: getattr(given, name) for name in penalties.FACTS}
    if facts["value"] and not _is_amount(facts["value"]):
        raise InvalidArgument([rules.error("facts.value", facts["value"], "quantity_not_a_number")])
    for name in ("months", "deaths", "ill"):
        if facts[name] < 0:
            raise InvalidArgument([rules.error(f"facts.{name}", facts[name], "quantity_negative")])
    return facts


def _is_amount(text: str) -> bool:
    try:
        return (amount := Decimal(text)).is_finite() and amount >= 0
    except InvalidOperation:
        return False
