"""What a roster does to the registry: its entries come in as claims that register nobody. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.registry.claims import age
from services.registry.decision import By, Decision, Draft, change, slot
from services.registry.documents import Claim, Operator
from services.registry.standing import NOTHING, World, after, day_of, listing_until
from services.registry.views import areas


def take(
    operators: Iterable[Operator], entries: Sequence[Claim], by: By, now: datetime, world: World = NOTHING
) -> tuple[Decision, int, int]:
    """Takes entries in, a later list's over an earlier one's; also says how many told something new and how many an
    operator had no room for.

    Who is only listed stays 未注册: a roster is the denominator of the registration rate, never a registration.
    """
    draft, new, refused = Draft.of(operators, world), 0, 0
    for entry in entries:
        current = draft.claims.get(slot(entry))
        if current is not None and _weight(current) >= _weight(entry):
            continue
        if not draft.tell(entry):
            refused += 1
            continue
        for id in (entry["operator"], entry["site"], entry["key"] or entry["site"]):
            draft.causes.setdefault(id, by)
        if current is None or _content(current) != _content(entry):
            new += 1
            place = ":".join(["listed", *slot(entry), entry["observed_at"].isoformat()])
            row = change(place, "listed", by, now, operator=entry["operator"], site=entry["site"])
            draft.changes.append(row)
    return draft.settle(by, now), new, refused


def end(
    operators: Iterable[Operator],
    kind: str,
    area: str,
    as_of: datetime,
    by: By,
    now: datetime,
    world: World = NOTHING,
) -> tuple[Decision, int]:
    """Ends the entries of a kind and place that a whole list of `as_of` has not; also says how many."""
    draft, ended = Draft.of(operators, world), 0
    last = after(day_of(as_of), -1)
    for place, claim in draft.claims.items():
        if not _is_left_out(claim, kind, area, as_of, last):
            continue
        ended += 1
        draft.claims[place] = {**claim, "listing": listing_until(claim["listing"], last)}
        row = ":".join(["unlisted", *place, as_of.isoformat()])
        draft.changes.append(change(row, "unlisted", by, now, operator=claim["operator"], site=claim["site"]))
    return draft.settle(by, now), ended


def _weight(claim: Claim) -> tuple[object, ...]:
    """Of two of one moment the content decides, so that any order gives one answer."""
    return *age(claim), str(sorted(claim["listing"].items()))


def _is_left_out(claim: Claim, kind: str, area: str, as_of: datetime, last: str) -> bool:
    if "listing" not in claim or claim["listing"]["kind"] != kind:
        return False
    standing = claim["observed_at"] < as_of and (claim["listing"]["until"] or after(last, 1)) > last
    return standing and area in areas(claim["told"].get("division"))


def _content(claim: Claim) -> tuple[object, ...]:
    return claim["told"], claim["listing"], claim["key"]
