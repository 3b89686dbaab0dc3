"""What the figures are computed from: pipelines asked one after the other, and rows of sites made of the answers.

`site_rows` yields queries and is sent rows, so that worker (pymongo) and api (motor) ask alike. No I/O.
"""

from collections.abc import Generator, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from chassis.replicas import ends
from contracts import divisions
from contracts.findings import FindingKind
from contracts.registry import OperatorState
from services.reporting import store
from services.reporting.domain import SiteRow
from services.reporting.facts import standing
from services.reporting.months import Window
from services.reporting.standards import Dimension, Standard
from services.reporting.store import Document

ENDED: Final = frozenset({OperatorState.REVOKED, OperatorState.DEREGISTERED})
NOT_YET: Final = frozenset({OperatorState.LISTED, OperatorState.REGISTERED, OperatorState.SUSPENDED})
BROKEN: Final = (FindingKind.OVERDUE_SHIPMENT, FindingKind.UNKNOWN_SOURCE)
NAMED_AT_MOST: Final = 20_000
"""Sites that a query names one by one; for more it reads the whole window."""

SITE_FIELDS: Final = dict.fromkeys(
    (
        "name",
        "division",
        "station",
        "link",
        "listed",
        "registered",
        "activated_at",
        "suspended",
        "state",
        "obligations",
        "alias_of",
    ),
    1,
)


class Query(NamedTuple):
    """A pipeline on a collection."""

    collection: str
    pipeline: list[Document]


class Did(NamedTuple):
    """What marks tell of a site in a window: its steps, and the categories with a linkable event."""

    kinds: frozenset[str]
    linked: frozenset[str]


NOTHING: Final = Did(frozenset(), frozenset())


def site_rows(window: Window, division: str = "") -> Generator[Query, list[Document], list[SiteRow]]:
    """Rows of the sites of a division as they stand now, with what they did in a window."""
    aliases = ends((yield Query(store.SITES, _aliases())))
    sites = yield Query(store.SITES, _sites(division))
    did = yield from activity(window, aliases, [row["_id"] for row in sites])
    return [_row(row, did.get(row["_id"], NOTHING), window) for row in sites]


def again(rows: Iterable[SiteRow], window: Window) -> Generator[Query, list[Document], list[SiteRow]]:
    """Frozen rows with what the sites did as marks tell it now: the roster stays as it was."""
    aliases = ends((yield Query(store.SITES, _aliases())))
    rows = list(rows)
    did = yield from activity(window, aliases, [row.site for row in rows])
    return [_acted(row, did.get(row.site, NOTHING)) for row in rows]


def activity(
    window: Window, aliases: Mapping[str, str], sites: list[str]
) -> Generator[Query, list[Document], dict[str, Did]]:
    """What sites did, by the id a site has today."""
    among = _named(sites, aliases) if len(sites) <= NAMED_AT_MOST else None
    did: dict[str, Did] = {}
    for found in (yield Query(store.MARKS, _marked(window, among))):
        kinds, linked = frozenset().union(*found["kinds"]), frozenset().union(*found["linked"])
        _join(did, aliases.get(found["_id"], found["_id"]), Did(kinds, linked))
    broken = yield Query(store.FINDINGS, _broken())
    corrected = yield Query(store.MARKS, _corrected(window, among))
    suspects = {site for row in broken for site in _suspects(row)} | {row["site"] for row in corrected}
    if named := _named({aliases.get(site, site) for site in suspects}, aliases):
        marks = yield Query(store.MARKS, _marks_of(window, named))
        wrong = frozenset(id for row in corrected for id in row["withdrawn"])
        did |= _unbroken(marks, {row["event_id"] for row in broken}, wrong, aliases)
    return did


def _aliases() -> list[Document]:
    return [{"$match": {"alias_of": {"$exists": True}}}, {"$project": {"alias_of": 1}}]


def _named(sites: Iterable[str], aliases: Mapping[str, str]) -> list[str]:
    """Sites and every alias of theirs."""
    wanted = set(sites)
    return sorted(wanted | {alias for alias, site in aliases.items() if site in wanted})


def _sites(division: str) -> list[Document]:
    """Sites the registry told of; one that is merged into another is that other."""
    own = {"$or": [{"alias_of": {"$exists": False}}, {"$expr": {"$eq": ["$alias_of", "$_id"]}}]}
    return [{"$match": {"version": {"$exists": True}, **within(division), **own}}, {"$project": SITE_FIELDS}]


def within(division: str) -> Document:
    """Filter of what lies in a division, given as the start of its codes."""
    return {"division": {"$gte": division, "$lt": division + ":"}} if division else {}


def holding(division: str) -> Document:
    """Filter of standards that say something of a division: its own, of what it lies in, and of what lies in it."""
    above = [division[:length] for length in range(len(division))]
    return {"$or": [{"division": {"$in": above}}, within(division)]}


def days(window: Window) -> Document:
    """Filter of rows by day."""
    return {"day": {"$gte": window.first.isoformat(), "$lt": window.after.isoformat()}}


def _marked(window: Window, among: list[str] | None) -> list[Document]:
    where = _at(window, among)
    # A site's days differ little: sets of arrays are few, and are joined on our side.
    joined = {"kinds": {"$addToSet": "$kinds"}, "linked": {"$addToSet": {"$ifNull": ["$linked", []]}}}
    return [{"$match": where}, {"$group": {"_id": "$site", **joined}}]


def _corrected(window: Window, among: list[str] | None) -> list[Document]:
    """Which events of a window were declared wrong, and at which sites: few."""
    where = {**_at(window, among), "withdrawn": {"$exists": True}}
    return [{"$match": where}, {"$project": {"site": 1, "withdrawn": 1}}]


def _at(window: Window, among: list[str] | None) -> Document:
    return {**days(window), **({} if among is None else {"site": {"$in": among}})}


def _broken() -> list[Document]:
    where = {"open": True, "kind": {"$in": BROKEN}, "event_id": {"$ne": None}}
    return [{"$match": where}, {"$project": {"event_id": 1, "site": 1, "counterparty": 1}}]


def _suspects(finding: Document) -> list[str]:
    """Sites on either side: the event that a finding names is one's or the other's."""
    return [site for site in (finding["site"], finding.get("counterparty")) if site]


def _marks_of(window: Window, sites: list[str]) -> list[Document]:
    return [{"$match": {**days(window), "site": {"$in": sites}}}]


def _unbroken(
    marks: Iterable[Document], broken: set[str], wrong: frozenset[str], aliases: Mapping[str, str]
) -> dict[str, Did]:
    """What sites did without what was declared wrong, when events that open findings name do not link."""
    did: dict[str, Did] = {}
    for mark in marks:
        stands = standing(mark, wrong)
        linked = {category for category, ids in stands.handoffs.items() if not broken.issuperset(ids)} | stands.closed
        _join(did, aliases.get(mark["site"], mark["site"]), Did(stands.kinds, frozenset(linked)))
    return did


def _join(did: dict[str, Did], site: str, more: Did) -> None:
    known = did.get(site)
    did[site] = Did(known.kinds | more.kinds, known.linked | more.linked) if known else more


def _row(site: Document, did: Did, window: Window) -> SiteRow:
    """The row of a site; one that was activated after the window was not yet in it."""
    state, since = site["state"], site.get("activated_at")
    activated = (state not in NOT_YET if since is None else since < window.end) and state not in ENDED
    working = activated and not site["suspended"] and state != OperatorState.SUSPENDED
    owed = site["obligations"]
    return SiteRow(
        site["_id"],
        site["name"],
        _division(site["division"] or ""),
        site["station"] or "",
        site["link"] or "",
        site["listed"],
        site["registered"],
        activated,
        working,
        bool(did.kinds),
        tuple(sorted(did.kinds)),
        tuple(owed),
        tuple(each for each in owed if each in did.linked),
    )


def _division(code: str) -> str:
    """Where a site counts: nowhere when its code is no division, or it would make a province that is ranked."""
    return code if divisions.known(code) else ""


def _acted(row: SiteRow, did: Did) -> SiteRow:
    covered = tuple(each for each in row.owed if each in did.linked)
    return row._replace(active=bool(did.kinds), kinds=tuple(sorted(did.kinds)), covered=covered)


# Standards


def standards(rows: Iterable[Document]) -> list[Standard]:
    """Rows of the collection as standards."""
    return [_standard(row) for row in rows]


def _standard(row: Document) -> Standard:
    return Standard(
        row["division"],
        date.fromisoformat(row["from_day"]),
        row["number"],
        _values(row["thresholds"]),
        _values(row["weights"]),
        row["tag"],
    )


def _values(told: Document) -> dict[Dimension, Decimal]:
    return {Dimension(name): Decimal(value) for name, value in told.items()}
