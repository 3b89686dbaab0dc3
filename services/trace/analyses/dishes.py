"""Which dishes of a kitchen hold a batch: what a forward walk comes to in kitchen uses of one day. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from services.trace.lineage import Goods, goods_on, node_key
from services.trace.walks.chain import Chain


class Dish(NamedTuple):
    """What a kitchen made of the goods in one event, and the nodes of the chain that went into it.

    A kitchen that wrote down no dish is told by what it used: then the node is that of the ingredient.
    """

    node: str
    event_id: str
    goods: Goods
    ingredients: tuple[str, ...]


def dishes(forward: Chain, cooked: Iterable[str]) -> list[Dish]:
    """The dishes of these kitchen uses in a chain, whose events were told, in the order of time."""
    ids = sorted(set(cooked), key=lambda id: (forward.told[id].time, id))
    made: dict[str, dict[str, list[str]]] = {id: defaultdict(list) for id in ids}
    for tail, head, id in forward.edges:
        if id in made:
            made[id][head].append(tail)
    return [
        Dish(key, id, goods_on(forward.told[id], key), tuple(sorted(tails)))
        for id in ids
        for key, tails in sorted((made[id] or _used(forward, id)).items())
    ]


def _used(forward: Chain, id: str) -> dict[str, list[str]]:
    """Nodes of the chain that a kitchen used without a word on what became of them."""
    event = forward.told[id]
    keys = (node_key(goods.batch, event.here.site) for goods in event.inputs)
    return {key: [key] for key in keys if key in forward.nodes}
