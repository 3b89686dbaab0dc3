"""What a source told last of a site and its operator: the facts that everything else is made from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from chassis import clock
from contracts import codes, divisions, identity, rules
from contracts.egress import FieldError
from contracts.registry import Observation
from services.registry.documents import Claim, Flag, Listing

ROSTER: Final = "roster"
"""Source of what the lists of licences, filings, vendors, stalls and farms tell."""

SELF: Final = "registry"
"""Source of what people tell the registry itself; it has no ids of its own for sites."""

MOST_IDS: Final = 500
"""Ids of its own that a source has for one site under one operator; of more the latest stand, the others are forgotten.

A source that makes up a new number with every message would else fill the operator's document, 16 MB in MongoDB.
"""

MOST_CLAIMS: Final = 5_000
"""Claims under one operator id; a new one beyond is refused. 5,000 sites told of by one source make 9 MB."""

_TOLD: Final = (
    "name",
    "site_name",
    "uscc",
    "licence",
    "licence_valid_until",
    "address",
    "contact",
    "phone",
    "wechat",
    "division",
    "link",
    "unit_kind",
)
"""Fields of an observation that are kept. An ID number is not: the operator's id has its hash."""


def claimed(observation: Observation) -> Claim:
    """The claim an observation makes, with the flags its adapter gave it and those of the registry's own checks."""
    told = {name: str(value) for name in _TOLD if (value := getattr(observation, name))}
    if observation.categories:
        told["categories"] = " ".join(sorted(observation.categories))
    told |= {code: codes.compact(told[code]) for code in ("uscc", "licence") if code in told}
    found = [*observation.flags, *doubts(told, observation.id_number)]
    own = identity.site_id(source=observation.source, source_id=observation.source_id)
    return {
        "source": observation.source,
        "source_id": observation.source_id,
        "key": own if observation.source != SELF else None,
        "site": observation.site,
        "operator": observation.operator,
        # MongoDB keeps milliseconds: what is compared must be what is stored.
        "observed_at": clock.in_milliseconds(observation.observed_at),
        "told": told,
        "flags": _stored(found),
    }


def listed(observation: Observation, key: str | None, listing: Listing) -> Claim:
    """The claim a roster's row makes; `key` is the id by which a system knows the site, such as a market's stall."""
    return {**claimed(observation), "key": key, "listing": listing}


def kept(claims: Iterable[Claim]) -> list[Claim]:
    """Without what is forgotten (`MOST_IDS`): the same, whatever the order they came in."""
    by_site: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        by_site[claim["source"], claim["site"], claim["operator"]].append(claim)
    return [claim for told in by_site.values() for claim in _latest(told)]


def _latest(claims: list[Claim]) -> list[Claim]:
    if len(claims) <= MOST_IDS:
        return claims
    return sorted(claims, key=lambda claim: (age(claim), claim["source_id"]))[-MOST_IDS:]


def dealt_in(claim: Claim) -> list[str]:
    """Categories of the 10+3 that a claim says the site deals in."""
    return claim["told"].get("categories", "").split()


def age(claim: Claim) -> tuple[datetime, list[tuple[str, str]]]:
    """Sort key, oldest first; content decides between claims of one moment, so that any order gives one answer."""
    return claim["observed_at"], sorted(claim["told"].items())


def doubts(told: dict[str, str], id_number: str | None) -> Iterator[FieldError]:
    """Codes that look wrong: accepted, flagged, queued for a person, never dropped."""
    if uscc := told.get("uscc"):
        yield from _doubt("uscc", uscc, codes.uscc_problem(uscc))
    if licence := told.get("licence"):
        yield from _doubt("licence", licence, codes.licence_problem(licence))
    if id_number:
        yield from _doubt("id_number", id_number, codes.id_number_problem(id_number))
    division = told.get("division")
    if division and not divisions.known(division):
        yield from _doubt("division", division, "unknown_division")


def _doubt(field: str, value: str, rule: str | None) -> Iterator[FieldError]:
    if rule:
        yield rules.error(field, value, rule)


def _stored(flags: Iterable[FieldError]) -> list[Flag]:
    """One flag per rule and value; an ID number is never kept in the clear."""
    kept: dict[tuple[str, str | None], Flag] = {}
    for flag in flags:
        secret = flag.field.endswith("id_number")
        row = {**flag.model_dump(), "value": None if secret else flag.value}
        kept.setdefault((flag.rule, row["value"]), row)
    return [kept[place] for place in sorted(kept, key=str)]
