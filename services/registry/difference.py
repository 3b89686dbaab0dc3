"""What differs between operators before and after: documents to write, sites and aliases to announce."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from contracts.registry import Alias, OperatorState, SiteFacts, UnitKind
from contracts.trace import Category, Link
from services.registry.documents import Operator, Site

Placed = tuple[Site, Operator]


def touched(before: Mapping[str, Operator], after: Mapping[str, Operator]) -> set[str]:
    """Ids of documents that differ, and of those that share a key with one.

    The neighbours are written too, so that their versions collide with whoever decided on an older sight of them.
    """
    ids = {*before, *after}
    differing = {id for id in ids if _content(before.get(id)) != _content(after.get(id))}
    keys = {key for id in differing for side in (before, after) if id in side for key in side[id]["keys"]}
    return differing | {id for id in ids if not keys.isdisjoint((after.get(id) or before[id])["keys"])}


def _content(operator: Operator | None) -> object:
    if operator is None:
        return None
    sites = [{**site, "version": 0} for site in operator["sites"]]
    passing = ("version", "created_at", "updated_at")
    return {**{name: value for name, value in operator.items() if name not in passing}, "sites": sites}


def sites_by_id(operators: Mapping[str, Operator]) -> dict[str, Placed]:
    """By every id, the site it means and the operator who has it."""
    return {id: (site, operator) for operator in operators.values() for site in operator["sites"] for id in site["ids"]}


def bump(before: Mapping[str, Placed], after: Mapping[str, Placed]) -> list[Placed]:
    """Gives sites their versions, above all that any of their ids was announced with; returns those that changed."""
    changed = []
    for id, (site, operator) in after.items():
        if id != site["site"]:
            continue
        former = [before[name] for name in site["ids"] if name in before]
        site["version"] = max((each["version"] for each, _ in former), default=0)
        if not any(_shown(*each) == _shown(site, operator) for each in former):
            site["version"] += 1
            changed.append((site, operator))
    return changed


def _shown(site: Site, operator: Operator) -> tuple[object, ...]:
    told = (operator["name"], *(operator.get(name) for name in ("contact", "phone", "wechat")))
    return {**site, "version": 0}, operator["_id"], *told


def aliases(before: Mapping[str, Placed], after: Mapping[str, Placed]) -> Iterator[Alias]:
    """Ids that mean another site than before; one that now stands alone again is its own alias."""
    for id in sorted({*before, *after}):
        was = before[id][0]["site"] if id in before else id
        now, version = _meaning(id, before, after)
        if was != now:
            yield Alias(alias=id, site=now, version=version)


def _meaning(id: str, before: Mapping[str, Placed], after: Mapping[str, Placed]) -> tuple[str, int]:
    if id in after:
        return after[id][0]["site"], after[id][0]["version"]
    return id, before[id][0]["version"] + 1


def facts(site: Site, operator: Operator) -> SiteFacts:
    """What other services are told of a site."""
    return SiteFacts(
        site=site["site"],
        operator=operator["_id"],
        name=site["name"],
        operator_name=operator["name"],
        state=OperatorState(site["state"]),
        division=site["division"],
        link=Link(site["link"]) if site["link"] else None,
        unit_kind=UnitKind(site["unit_kind"]) if site["unit_kind"] else None,
        licence=site["licence"],
        licence_valid_until=date.fromisoformat(day) if (day := site["licence_valid_until"]) else None,
        sources=tuple(sorted({each["source"] for each in site["source_ids"]})),
        version=site["version"],
        listed=site["listed"],
        registered=site["registered"],
        activated_at=site["activated_at"],
        suspended=site["state"] == OperatorState.SUSPENDED,
        closed_from=_time(site["closed_from"]),
        closed_until=_time(site["closed_until"]),
        obligations=tuple(map(Category, site["obligations"])),
        cell=site["cell"],
        station=site["station"],
        contact_name=operator.get("contact"),
        contact_phone=operator.get("phone"),
        contact_wechat=operator.get("wechat"),
        helper=site["helper"],
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
