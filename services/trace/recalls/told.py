"""What trace tells of a recall: everybody who listens, and the sources whose sites it touches. Pure."""

from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from typing import Any, Final

from chassis.outgoing import Outgoing, outgoing
from chassis.replicas import ends
from contracts.egress import RecalledGoods, RecallsV1
from contracts.envelope import Envelope
from contracts.recalls import SITES_TOLD, Recall, RecallFacts, RecallsOpenedV1
from services.trace.lineage import split
from services.trace.recalls.changes import Standing, standings
from services.trace.recalls.simulation import Simulation
from services.trace.stock.amounts import Amount
from services.trace.store import EVENTS, SITES
from services.trace.told import Stored

SOURCE: Final = "trace"
LINES: Final = 500

Sources = Mapping[str, Collection[str]]
"""Which sources report of a site."""


def announcements(
    recall: Mapping[str, Any], simulation: Simulation, nodes: Collection[str], sources: Sources, parent: Envelope | None
) -> list[Outgoing]:
    """The recall's version as its further nodes meet it."""
    return [*_opened(recall, simulation, nodes, parent), *_to_sources(recall, simulation, nodes, sources, parent)]


def _opened(
    recall: Mapping[str, Any], simulation: Simulation, nodes: Iterable[str], parent: Envelope | None
) -> Iterator[Outgoing]:
    """Sites outside the province are nobody's here to tell."""
    sites = sorted({split(key)[1] for key in nodes if not simulation.nodes[key].place.external})
    for first in range(0, len(sites), SITES_TOLD):
        told = Recall(
            sites=tuple(sites[first : first + SITES_TOLD]),
            **facts(recall),
        )
        yield outgoing("trace.recalls_opened.v1", RecallsOpenedV1(recalls=(told,)), source=SOURCE, parent=parent)


def facts(recall: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a recall whatever is said of it."""
    kept = {name: recall[name] for name in RecallFacts.model_fields if name not in ("id", "batches")}
    return {"id": recall["_id"], "batches": tuple(recall["batches"]), **kept}


def _to_sources(
    recall: Mapping[str, Any], simulation: Simulation, nodes: Iterable[str], sources: Sources, parent: Envelope | None
) -> Iterator[Outgoing]:
    there = standings(simulation)
    lines: dict[str, list[RecalledGoods]] = defaultdict(list)
    for key in sorted(nodes):
        for source in sorted(sources.get(split(key)[1], ())):
            lines[source].append(_line(key, simulation, there.get(key, Standing()).balance))
    for source, goods in sorted(lines.items()):
        for first in range(0, len(goods), LINES):
            body = _notice(recall, source, goods[first : first + LINES])
            yield outgoing("egress.recalls.v1", body, source=SOURCE, parent=parent, key=source)


def _line(key: str, simulation: Simulation, amount: Amount | None) -> RecalledGoods:
    batch, site = split(key)
    quantity = f"{amount.quantity:f}" if amount else None
    unit = amount.unit if amount else None
    return RecalledGoods(site=site, batch=batch, product=simulation.nodes[key].product, quantity=quantity, unit=unit)


def _notice(recall: Mapping[str, Any], source: str, goods: Iterable[RecalledGoods]) -> RecallsV1:
    return RecallsV1(
        source=source,
        recall=recall["_id"],
        version=recall["version"],
        batches=tuple(recall["batches"]),
        reason=recall["reason"],
        recall_class=recall["recall_class"],
        issuer=recall["issuer"],
        opened_at=recall["opened_at"],
        finish_by=recall["finish_by"],
        goods=tuple(goods),
    )


Find = tuple[str, dict[str, Any], dict[str, Any]]
"""Collection, filter, fields."""


def asked_sources(nodes: Collection[str]) -> Generator[Find, Any, Sources]:
    """Which sources reported of goods of these nodes, or are known to the registry as systems of their sites; by any
    id that a site has had.
    """
    batches, sites = {split(key)[0] for key in nodes}, {split(key)[1] for key in nodes}
    events = yield EVENTS, {"batches": {"$in": sorted(batches)}}, {"site": 1, "source": 1, "also_from": 1}
    known = yield from _named(sites | {row["site"] for row in events})
    today = ends(known.values())
    found: dict[str, set[str]] = defaultdict(set)
    for row in events:
        found[today.get(row["site"], row["site"])].update((row["source"], *row.get("also_from", ())))
    for id, row in known.items():
        found[today[id]].update(row.get("sources", ()))
    return found | {id: found[today[id]] for id in known if today[id] in found}


def _named(ids: set[str]) -> Generator[Find, Any, dict[str, Stored]]:
    """Rows of these ids, and of those that their aliases lead to."""
    found: dict[str, Stored] = {}
    while wanted := ids - found.keys():
        rows = yield SITES, {"_id": {"$in": sorted(wanted)}}, {"alias_of": 1, "sources": 1}
        found |= {id: {"_id": id} for id in wanted} | {row["_id"]: row for row in rows}
        ids = {row["alias_of"] for row in rows if row.get("alias_of")}
    return found
