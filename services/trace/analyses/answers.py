"""Answers of analyses: what was found as protobuf messages, as the caller may see it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from shilian.trace.v1 import analysis_pb2 as pb
from shilian.trace.v1 import trace_pb2

from chassis.api.times import timestamp
from chassis.caller import Caller
from services.trace import privacy
from services.trace.analyses.contamination import Stretch, Use, touched
from services.trace.analyses.dishes import Dish
from services.trace.analyses.paths import Path
from services.trace.analyses.queries import product_of
from services.trace.analyses.suspects import Case, Suspect
from services.trace.lineage import Place, node_key, split
from services.trace.told import Stored
from services.trace.translate import edge, gap, node, number, ref
from services.trace.walks.chain import Chain, Gap


def path(found: Path, whole: Chain, caller: Caller) -> pb.FindPathResponse:
    """The ways that were found in a chain."""
    way = found.chain
    return pb.FindPathResponse(
        found=True,
        shortest=map(ref, found.shortest),
        nodes=[node(key, way) for key in way.nodes],
        edges=[edge(privacy.edge(each, way, caller)) for each in way.edges],
        event_ids=sorted(way.events, key=lambda id: (way.told[id].time, id)),
        gaps=map(gap, way.gaps),
        complete=not whole.gaps,
    )


def no_path(chain: Chain) -> pb.FindPathResponse:
    """No way was found in a chain, and where it breaks off."""
    return pb.FindPathResponse(gaps=map(gap, chain.gaps), complete=not chain.gaps)


def suspects(
    cases: Sequence[Case], nodes: Sequence[Suspect], sites: Sequence[Suspect], most: int
) -> pb.CommonSourcesResponse:
    """The first of the suspects, of whose nodes and sites was told."""
    chains = {case.batch: case.chain for case in cases}
    gaps = _gaps(chains.values())
    return pb.CommonSourcesResponse(
        nodes=[_suspect(each, node(each.id, chains[each.explains[0]])) for each in nodes[:most]],
        sites=[_suspect(each, _site_node(each.id, chains[each.explains[0]].places)) for each in sites[:most]],
        total_nodes=len(nodes),
        total_sites=len(sites),
        gaps=map(gap, gaps),
        complete=not gaps,
    )


def _suspect(suspect: Suspect, node: trace_pb2.Node) -> pb.Suspect:
    return pb.Suspect(node=node, score=float(suspect.score), explains=suspect.explains, distance=suspect.distance)


def _site_node(site: str, places: Mapping[str, Place]) -> trace_pb2.Node:
    """A site without a batch."""
    place = places.get(site) or Place(site)
    return trace_pb2.Node(
        site_id=place.site,
        site_name=place.name or "",
        operator_id=place.operator or "",
        operator_name=place.operator_name or "",
        division=place.division or "",
        external=place.external,
    )


def line_use(stretch: Stretch, place: Place, rows: Mapping[str, Stored]) -> pb.LineUse:
    """A stretch of a line's use."""
    cleaned = stretch.cleaned
    return pb.LineUse(
        site_id=place.site,
        site_name=place.name or "",
        production_line=stretch.line,
        from_time=timestamp(stretch.begins),
        cleaned_time=timestamp(cleaned.time) if cleaned else None,
        cleaned_event_id=cleaned.id if cleaned else "",
        event_ids=[use.id for use in stretch.uses],
        contaminated=[
            pb.Contaminated(
                node=ref(node_key(batch, place.site)),
                event_id=other.id,
                step=other.step,
                time=timestamp(other.time),
                product=product_of(rows[other.id], batch),
            )
            for other in stretch.others
            for batch in touched(other)
        ],
    )


def not_judged(use: Use, place: Place, reason: str) -> pb.NotJudged:
    """A step that says too little, or whose line is not for the caller's eyes."""
    return pb.NotJudged(
        event_id=use.id,
        site_id=place.site,
        site_name=place.name or "",
        step=use.step,
        time=timestamp(use.time),
        batches=dict.fromkeys((*use.inputs, *use.outputs)),
        reason=reason,
    )


def contamination(
    lines: Sequence[pb.LineUse], unjudged: Sequence[pb.NotJudged], chains: Sequence[Chain], caller: Caller
) -> pb.CrossContaminationResponse:
    """What was judged, and where the contaminated batches went, whose chains are told whole."""
    gaps = _gaps(chains)
    nodes = {key: chain for chain in chains for key in chain.nodes}
    edges = {each: chain for chain in chains for each in chain.edges}
    times = {id: chain.told[id].time for chain in chains for id in chain.events}
    return pb.CrossContaminationResponse(
        lines=sorted(lines, key=lambda line: (line.from_time.ToNanoseconds(), line.site_id, line.production_line)),
        not_judged=unjudged,
        nodes=[node(key, chain) for key, chain in nodes.items()],
        edges=[edge(privacy.edge(each, chain, caller)) for each, chain in edges.items()],
        event_ids=sorted(times, key=lambda id: (times[id], id)),
        gaps=map(gap, gaps),
        complete=not gaps and not unjudged,
    )


def _dish(found: Dish, chain: Chain, caller: Caller) -> pb.Dish:
    """A dish; how much of it only where it is the caller's."""
    event, goods = chain.told[found.event_id], found.goods
    own = privacy.owns(caller, chain.place(found.node))
    shown = goods if own else privacy.without_quantity(goods)
    told = node(found.node, chain)
    told.product = goods.product or ""
    return pb.Dish(
        node=told,
        event_id=event.id,
        time=timestamp(event.time),
        quantity=number(shown.quantity),
        unit=shown.unit or "",
        ingredients=[split(key)[0] for key in found.ingredients],
    )


def dishes(day: date, found: Iterable[Dish], chain: Chain, caller: Caller) -> pb.ListDishesResponse:
    """The dishes of a day that hold goods of a forward chain."""
    return pb.ListDishesResponse(
        day=day.isoformat(),
        dishes=[_dish(each, chain, caller) for each in found],
        gaps=map(gap, chain.gaps),
        complete=not chain.gaps,
    )


def _gaps(chains: Iterable[Chain]) -> list[Gap]:
    return sorted({each for chain in chains for each in chain.gaps})
