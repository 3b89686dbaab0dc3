"""Recalls and simulations as protobuf messages."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from shilian.trace.v1 import recall_pb2 as pb
from shilian.trace.v1 import trace_pb2

from chassis.api.times import timestamp
from services.trace.lineage import split
from services.trace.recalls.coverage import Coverage
from services.trace.recalls.duties import amounts, divisions, sums_of
from services.trace.recalls.portions import Portion
from services.trace.recalls.simulation import Held
from services.trace.recalls.view import View
from services.trace.stock.amounts import Amount
from services.trace.translate import goods_at, number, ref


def amount(told: Amount | None) -> pb.Amount | None:
    """An amount; None where it is not known."""
    return None if told is None else pb.Amount(quantity=number(told.quantity), unit=told.unit or "")


def node(key: str, held: Held) -> trace_pb2.Node:
    """A node with what is known of its place and goods."""
    return goods_at(held.place, split(key)[0], held.product)


def simulation(seen: View) -> pb.Simulation:
    """What a caller may see of a simulation."""
    told, share = seen.simulation, seen.share
    products = {split(key)[0]: held.product for key, held in told.nodes.items() if held.product}
    return pb.Simulation(
        batches=told.batches,
        at_time=timestamp(told.at),
        nodes=[node(key, held) for key, held in told.nodes.items()],
        portions=map(_portion, told.portions),
        handovers=[
            pb.Handover(to=ref(each.head), amount=amount(each.amount), **{"from": ref(each.tail)})
            for each in told.handovers
        ],
        totals=_totals(seen),
        coverages=[_coverage(each, products.get(each.batch, ""), told.batches) for each in told.coverages],
        share=None if share is None else float(share),
        divisions=divisions(told),
        gaps=[trace_pb2.Gap(node=ref(gap.node), kind=gap.kind, event_id=gap.event_id) for gap in told.gaps],
        complete=seen.complete,
        hidden_sites=seen.hidden_sites,
        hidden_operators=seen.hidden_operators,
        sites=seen.sites,
    )


def _portion(portion: Portion) -> pb.Portion:
    return pb.Portion(
        node=ref(portion.node),
        fate=portion.fate,
        amount=amount(portion.amount),
        into=portion.into,
        why=portion.why or "",
    )


def _totals(seen: View) -> list[pb.FateTotal]:
    sums = {fate: sums_of(each for each in seen.simulation.portions if each.fate == fate) for fate in seen.counts}
    return [
        pb.FateTotal(
            fate=fate,
            sites=sites,
            amounts=amounts(sums[fate].amounts),
            unsummed=seen.portions[fate] - sums[fate].summed,
        )
        for fate, sites in sorted(seen.counts.items())
    ]


def _coverage(coverage: Coverage, product: str, recalled: Collection[str]) -> pb.Coverage:
    share = coverage.share
    return pb.Coverage(
        batch=coverage.batch,
        product=product,
        recalled=coverage.batch in recalled,
        produced=amount(coverage.produced),
        located=amount(coverage.located),
        share=None if share is None else float(share),
        doubts=[pb.Doubt(node=ref(key), why=why) for key, why in coverage.unsure],
    )


def recall(row: Mapping[str, Any], now: datetime, seen: View | None = None) -> pb.Recall:
    """A recall as it stands; its versions where the caller's view is given, with the sites that one names."""
    ended = row["closed_at"] or now
    return pb.Recall(
        recall_id=row["_id"],
        state=row["state"],
        version=row["version"],
        batches=row["batches"],
        product=row["product"] or "",
        category=row["category"],
        reason=row["reason"],
        recall_class=row["recall_class"],
        issuer=row["issuer"],
        operator_id=row["operator"] or "",
        division=row["division"] or "",
        opened_time=timestamp(row["opened_at"]),
        known_time=timestamp(row["known_at"]),
        start_by=timestamp(row["start_by"]),
        finish_by=timestamp(row["finish_by"]),
        provisional=row["provisional"],
        closed_time=timestamp(row["closed_at"]),
        closed_reason=row["closed_reason"] or "",
        sites=row["count"],
        versions=[_version(each, seen) for each in row["versions"]] if seen else [],
        started_late=row["opened_at"] > row["start_by"],
        overdue=ended > row["finish_by"],
    )


def _version(version: Mapping[str, Any], seen: View) -> pb.RecallVersion:
    known = {held.place.site for held in seen.simulation.nodes.values()}
    return pb.RecallVersion(
        version=version["version"],
        at_time=timestamp(version["at"]),
        site_ids=[site for site in version["added"] if site in known],
        sites_added=len(version["added"]),
        sites=version["sites"],
        share=version["share"],
        sites_changed=version.get("changed", 0),
    )
