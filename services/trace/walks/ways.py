"""Raw events as ways from the nodes of a round. Pure, and the part of a walk whose time counts: plain tuples."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from contracts import codes
from services.trace.asks import Raw
from services.trace.lineage import PASSING, edges_in, node_key
from services.trace.walks.chain import Direction, is_unnamed

Named = list[tuple[str, str]]
Way = tuple[str, str, str, int]
"""Near node, far node, event id, when. `far` is empty where the event leads nowhere. `when` grows as walked: it is the
day walking forward, less the day walking backward, and 0 where time does not matter.
"""


def ways(
    rows: Iterable[Raw], direction: Direction, sign: int, active: Collection[str], today: Mapping[str, str]
) -> tuple[list[Way], list[Way]]:
    """The ways that leave active nodes, and those that leave a meeting place which is not active.

    `today` maps keys to those of today's sites, where they differ; `sign` makes `when` of the day.
    """
    forward = direction is Direction.FORWARD
    near_side, far_side = ("inputs", "outputs") if forward else ("outputs", "inputs")
    found: list[Way] = []
    loose: list[Way] = []
    for row in rows:
        nears, fars, id, when = row[near_side], row[far_side], row["_id"], sign * row["day"]
        if today:
            nears, fars = [today.get(key, key) for key in nears], [today.get(key, key) for key in fars]
        leads = False
        # Nearly all events move one batch.
        single = len(nears) == 1 and len(fars) == 1
        for near, far in ((nears[0], fars[0]),) if single else _joined(nears, fars, row, forward):
            if near in active and near != far:
                leads = True
                found.append((near, far, id, when))
            elif is_unnamed(near):
                loose.append((near, far, id, when))
        if not leads:
            found += [(near, "", id, when) for near in nears if near in active]
    return found, loose


def _joined(nears: list[str], fars: list[str], row: Raw, forward: bool) -> Iterable[tuple[str, str]]:
    """Edges as walked, once each."""
    told = edges_in(nears, fars, row.get("pairs")) if forward else edges_in(fars, nears, row.get("pairs"))
    return dict.fromkeys(told if forward else ((head, tail) for tail, head in told))


def named(row: Raw, batches: Collection[str]) -> Iterator[str]:
    """Keys of the nodes of these batches that an event with `site` and `batches` names."""
    yield from (node_key(batch, row["site"]) for batch in row["batches"] if batch in batches)
    yield from (key for side in ("inputs", "outputs") for key in row[side] if key.rpartition("@")[0] in batches)


def begun(rows: Iterable[Raw], batches_in: Callable[[Raw], Collection[str]]) -> tuple[Named, Named]:
    """Nodes that events with a `step` name, and those at which goods were only seen passing, with the events' ids.

    Where nothing else is known of any of the batches, who saw them is all there is to begin at.
    """
    held: Named = []
    seen: Named = []
    for row in rows:
        into = seen if row["step"] in PASSING else held
        into += [(key, row["_id"]) for key in named(row, batches_in(row))]
    return (held, seen) if held else (seen, [])


def cited(row: Raw, reference: str) -> set[str]:
    """Batches of the event that an ear tag names: those of the lots that carry it. A document names all.

    The reference is as codes are compared (`codes.compact`).
    """
    lots: list[dict[str, Any]] = [lot for side in row["lots"].values() for lot in side]
    tagged = {lot["batch"] for lot in lots if reference in map(codes.compact, lot.get("ear_tags", ()))}
    return tagged or set(row["batches"])
