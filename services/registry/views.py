"""Operator documents as a pure function of what the sources claim and what people set and merge.

A document holds an operator with its sites as they are read, and the facts they were made from.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar

from contracts import divisions
from services.registry.claims import age, dealt_in
from services.registry.documents import Claim, Edit, Flag, Merge, Operator, Site, SourceId
from services.registry.identities import Groups, answerable, resolve_operators, resolve_sites
from services.registry.standing import UNKNOWN

NOWHERE: Final = "unknown"
"""Area of what has no division: its province looks after it."""

_LEVELS: Final = (2, 4, 6, 9, 12)
_OF_SITES: Final = frozenset({"licence", "division", "address", "site_name"})
"""Fields whose flags belong to the site; all others belong to the operator."""

T = TypeVar("T")


class Facts(NamedTuple):
    """All that operators are made from."""

    claims: Sequence[Claim]
    merges: Sequence[Merge] = ()
    edits: Sequence[Edit] = ()


def build(facts: Facts) -> dict[str, Operator]:
    """The operators that the facts amount to, by id; states, versions and times are not among the facts."""
    sites = resolve_sites(facts.claims, facts.merges)
    owner = answerable(facts.claims, sites)
    operators = resolve_operators(facts.claims, sites)
    owned: dict[str, list[Site]] = defaultdict(list)
    for view in _sites(facts, sites):
        owned[operators.find(owner[view["site"]])].append(view)

    def of_operator(edit: Edit) -> str:
        site = sites.find(edit["target"])
        return operators.find(edit["target"] if edit["of"] == "operator" else owner[site])

    merges = _by(facts.merges, lambda merge: operators.find(owner[sites.find(merge["keep"])]))
    edits = _by(facts.edits, of_operator)
    return {
        id: _operator(id, owned[id], Facts(told, merges[id], edits[id]))
        for id, told in _by(facts.claims, lambda claim: operators.find(claim["operator"])).items()
    }


def _operator(id: str, sites: list[Site], facts: Facts) -> Operator:
    now = _now(facts.claims, [edit for edit in facts.edits if edit["of"] == "operator"])
    flags = [flag for flag in _flags(facts.claims) if _field(flag) not in _OF_SITES]
    ids = {claim["operator"] for claim in facts.claims} | {id}
    site_ids = sorted({name for site in sites for name in site["ids"]})
    doubts = [flag["rule"] for found in (flags, *(site["flags"] for site in sites)) for flag in found]
    operator: Operator = {
        "_id": id,
        "ids": sorted(ids),
        "keys": sorted(_touched(facts)),
        "name": now.get("name", ""),
        "uscc": now.get("uscc"),
        "contact": now.get("contact"),
        "phone": now.get("phone"),
        "wechat": now.get("wechat"),
        "areas": sorted({area for site in sites for area in site["areas"]}) or [NOWHERE],
        "flags": flags,
        "flag_rules": sorted({str(rule) for rule in doubts}),
        "sites": sites,
        "claims": sorted(facts.claims, key=_place),
        "merges": sorted(facts.merges, key=lambda merge: (merge["at"], merge["keep"], merge["merge"])),
        "edits": sorted(facts.edits, key=lambda edit: (edit["of"], edit["target"], edit["field"])),
    }
    if site_ids:
        operator["site_ids"] = site_ids
    return operator


def _place(claim: Claim) -> tuple[str, ...]:
    return claim["key"] or "", claim["site"], claim["operator"], claim["source"], claim["source_id"]


def _touched(facts: Facts) -> set[str]:
    named = {id for claim in facts.claims for id in (claim["site"], claim["operator"], claim["key"]) if id}
    return named | {id for merge in facts.merges for id in (merge["keep"], merge["merge"])}


def _sites(facts: Facts, sites: Groups) -> list[Site]:
    names = _by(_touched(facts), sites.find)
    edits = _by((edit for edit in facts.edits if edit["of"] == "site"), lambda edit: sites.find(edit["target"]))
    meanings: dict[str, set[str]] = defaultdict(set)
    for claim in facts.claims:
        if claim["key"]:
            meanings[claim["key"]].add(sites.find(claim["site"]))
    told = _by(facts.claims, lambda claim: sites.find(claim["site"]))
    return [_site(site, names[site], told[site], edits[site], meanings) for site in sorted(told)]


def _site(site: str, ids: list[str], claims: list[Claim], edits: list[Edit], meanings: dict[str, set[str]]) -> Site:
    now = _now(claims, edits)
    named = _now(filter(_tells_apart, claims), edits)
    name = named.get("site_name") or now.get("site_name") or now.get("name", "")
    doubtful = {f"source_id:{claim['key']}" for claim in claims if len(meanings[claim["key"] or ""]) > 1}
    return {
        "site": site,
        "ids": sorted(ids),
        "name": name,
        "licence": now.get("licence"),
        "licence_valid_until": now.get("licence_valid_until"),
        "address": now.get("address"),
        "division": now.get("division"),
        "link": now.get("link"),
        "unit_kind": now.get("unit_kind"),
        "source_ids": _source_ids(claims),
        "areas": areas(now.get("division")),
        "flags": [flag for flag in _flags(claims) if _field(flag) in _OF_SITES],
        "candidates": sorted(doubtful | _look(name, now.get("address"))),
        "categories": sorted({category for claim in claims for category in dealt_in(claim)}),
        "listings": sorted((claim["listing"] for claim in claims if "listing" in claim), key=str),
        # The roster knows it; somebody else must have told of it as well.
        "registered": any("listing" not in claim for claim in claims),
        "closed_from": now.get("closed_from") or None,
        "closed_until": now.get("closed_until") or None,
        "placed": now.get("cell") or None,
        "helper": now.get("helper") or None,
        "version": 0,
        **UNKNOWN,
    }


def _now(claims: Iterable[Claim], edits: Iterable[Edit]) -> dict[str, str]:
    """Field by field what was told last, and over it what people set."""
    now: dict[str, str] = {}
    for claim in sorted(claims, key=age):
        now |= claim["told"]
    for edit in sorted(edits, key=lambda edit: edit["at"]):
        now[edit["field"]] = edit["value"]
    return now


def _tells_apart(claim: Claim) -> bool:
    """Whether it names the site beside its operator: a list of operators that knows one name renames no stall."""
    return claim["told"].get("site_name", "") not in ("", claim["told"].get("name"))


def _flags(claims: Iterable[Claim]) -> list[Flag]:
    found = {(flag["rule"], flag["value"]): flag for claim in sorted(claims, key=age) for flag in claim["flags"]}
    return [found[key] for key in sorted(found, key=str)]


def _field(flag: Flag) -> str:
    return str(flag["field"]).rpartition(".")[2]


def _source_ids(claims: Iterable[Claim]) -> list[SourceId]:
    pairs = {(claim["source"], claim["source_id"]) for claim in claims if claim["key"] and "listing" not in claim}
    return [{"source": source, "id": id} for source, id in sorted(pairs)]


def areas(division: str | None) -> list[str]:
    """Prefixes of all divisions a code lies in, under its old number and today's; `NOWHERE` without a code."""
    if not division or not division.isdecimal():
        return [NOWHERE]
    codes = {division, divisions.current(division) or division}
    prefixes = {divisions.scope_prefix(code)[:level] for code in codes for level in _LEVELS}
    return sorted(prefixes if divisions.known(division) else {*prefixes, NOWHERE})


def _look(name: str, address: str | None) -> set[str]:
    """What sites of the same name at the same address share, however it is written."""
    plain = [_plain(name), _plain(address or "")]
    return {"name_address:" + sha256("\n".join(plain).encode()).hexdigest()[:16]} if all(plain) else set()


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _by(items: Iterable[T], group: Callable[[T], str]) -> defaultdict[str, list[T]]:
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for item in items:
        groups[group(item)].append(item)
    return groups
