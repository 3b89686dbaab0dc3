"""Answers: the domain's words as protobuf messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shilian.trace.v1 import trace_pb2 as pb

from chassis.api.times import timestamp
from chassis.caller import Caller
from contracts import rules
from services.trace import privacy
from services.trace.domain import Facts
from services.trace.lineage import Place, split
from services.trace.requests import DIRECTIONS
from services.trace.rows import lots_of, quantity_of
from services.trace.walks.chain import Chain, Gap, Shown
from services.trace.walks.holders import Holder
from services.trace.walks.page import Page

WIRE_DIRECTIONS = {ours: theirs for theirs, ours in DIRECTIONS.items()}


def number(quantity: Decimal | None) -> str:
    """A decimal as text without exponent; empty for None."""
    return "" if quantity is None else f"{quantity:f}"


def event(row: Mapping[str, Any], facts: Facts, more: Sequence[pb.Flag] = ()) -> pb.Event:
    """An event on record, with `more` flags derived now. Of sites the registry knows, its word of today counts."""
    party, other = row["party"], row.get("counterparty", {})
    here, there = facts.get(row["site"]), facts.get(row["there"])
    inputs, outputs = lots_of(row)
    return pb.Event(
        event_id=row["_id"],
        source=row["source"],
        message_id=row["message_id"],
        step=row["step"],
        time=timestamp(row["time"]),
        recorded_time=timestamp(row["recorded_at"]),
        site_id=here.site if here else row["site"],
        site_name=here.name if here else party.get("name", ""),
        operator_id=here.operator if here else row["operator"] or "",
        division=(here.division if here else None) or row["division"] or "",
        counterparty_site_id=there.site if there else other.get("site", ""),
        counterparty_name=there.name if there else other.get("name", ""),
        inputs=map(_lot, inputs),
        outputs=map(_lot, outputs),
        document=row["document"] or "",
        documents=map(_paper, row.get("documents", ())),
        flags=[*map(_flag, row["flags"]), *more],
        also_from=row.get("also_from"),
        sent_time=timestamp(row["sent_at"]),
        declaration_id=row.get("declared", {}).get("id"),
        counterparty_external=bool(other.get("external")),
        production_line=row.get("production_line", ""),
        vehicle=row["vehicle"] or "",
        references=row.get("references"),
    )


def derived_flag(rule: str) -> pb.Flag:
    """A flag that no event carries, for it depends on what others reported."""
    return _flag(rules.error("inputs", None, rule).model_dump())


def _flag(flag: Mapping[str, Any]) -> pb.Flag:
    return pb.Flag(field=flag["field"], value=flag["value"] or "", rule=flag["rule"], message=flag["message"])


def _paper(paper: Mapping[str, Any]) -> pb.Document:
    words = ("kind", "number", "issuer", "form", "issued_on", "valid_until", "unit")
    told = {name: paper[name] for name in words if name in paper}
    return pb.Document(**told, quantity=number(quantity_of(paper)))


def _lot(lot: Mapping[str, Any]) -> pb.Lot:
    return pb.Lot(
        batch=lot["batch"],
        product=lot.get("product", ""),
        category=lot["category"],
        quantity=number(quantity_of(lot)),
        unit=lot.get("unit", ""),
        quantity_text=lot.get("quantity_text", ""),
        ear_tags=lot.get("ear_tags"),
    )


def trace(page: Page, caller: Caller, asked: pb.TraceRequest, as_of: datetime, token: str) -> pb.TraceResponse:
    """A page of a chain as the caller may see it."""
    chain = page.chain
    return pb.TraceResponse(
        batch=asked.batch,
        direction=WIRE_DIRECTIONS[chain.direction],
        event_ids=page.events,
        nodes=[node(key, chain) for key in page.keys],
        edges=[edge(privacy.edge(each, chain, caller)) for each in page.edges],
        gaps=map(gap, page.gaps),
        complete=not chain.gaps,
        next_page_token=token,
        total_nodes=page.total,
        as_of=timestamp(as_of),
    )


def holders(chain: Chain, found: list[Holder]) -> pb.ListHoldersResponse:
    """Holders, and what the forward chain leaves open."""
    return pb.ListHoldersResponse(
        holders=[_holder(holder, chain) for holder in found], gaps=map(gap, chain.gaps), complete=not chain.gaps
    )


def ref(key: str) -> pb.NodeRef:
    """A node by its batch and site."""
    batch, site = split(key)
    return pb.NodeRef(batch=batch, site_id=site)


def node(key: str, chain: Chain) -> pb.Node:
    """A node, as far as its chain was told of."""
    goods = chain.goods(key)
    return goods_at(chain.place(key), goods.batch, goods.product)


def goods_at(place: Place, batch: str, product: str | None) -> pb.Node:
    """A node with what is known of its place."""
    return pb.Node(
        batch=batch,
        site_id=place.site,
        site_name=place.name or "",
        operator_id=place.operator or "",
        operator_name=place.operator_name or "",
        division=place.division or "",
        product=product or "",
        external=place.external,
    )


def edge(shown: Shown) -> pb.Edge:
    """An edge as the caller may see it."""
    return pb.Edge(
        to=ref(shown.head),
        event_id=shown.event.id,
        step=shown.event.step,
        quantity=number(shown.goods.quantity),
        unit=shown.goods.unit or "",
        time=timestamp(shown.event.time),
        # A word of Python's.
        **{"from": ref(shown.tail)},
    )


def gap(met: Gap) -> pb.Gap:
    """Where a chain breaks off."""
    return pb.Gap(node=ref(met.node), kind=met.kind, event_id=met.event_id)


def _holder(holder: Holder, chain: Chain) -> pb.Holder:
    return pb.Holder(
        node=node(holder.node, chain),
        event_id=holder.since.id if holder.since else "",
        since=timestamp(holder.since.time) if holder.since else None,
        quantity=number(holder.quantity),
        unit=holder.unit or "",
        state=holder.state,
        contact=chain.place(holder.node).contact or "",
    )
