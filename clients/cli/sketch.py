"""What a picture of a chain shows: cards, the lines between them, and where they stand."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from clients.cli.layout import layout

Json = dict[str, Any]
Key = tuple[str, str]
Point = tuple[float, float]

# Pixels: a card, the distance between the columns, and the room above and beside.
WIDTH, HEIGHT, ACROSS, MARGIN, TOP = 204, 80, 360, 32, 112
LOW, CROWDED = 44, 40
"""Height of a card where a column has more cards than the second number: names and the gist."""


class Card(NamedTuple):
    """A node, when goods came there and left; or, with a `gap`, where and why the chain breaks off."""

    at: Point
    node: Json
    came: Sequence[str] = ()
    left: Sequence[str] = ()
    gap: str = ""


class Line(NamedTuple):
    """All events between two cards, numbered as drawn; no `steps` where the chain breaks off.

    `bends` are the corners of the columns it passes. `back` when the goods went from right to left.
    """

    left: int
    right: int
    steps: Sequence[Json]
    bends: Sequence[Point]
    back: bool


class Sketch(NamedTuple):
    """Everything in its place."""

    cards: list[Card]
    lines: list[Line]
    width: float
    height: float
    tall: float
    """Height of a card."""


def sketch(chain: Json) -> Sketch:
    """Places a chain. Events that stay at one node have no line, and a gap has a card of its own."""
    nodes = list(chain["nodes"])
    number = {_key(node): n for n, node in enumerate(nodes)}
    moves = _moves(chain["edges"], number)
    gaps = [gap for gap in chain["gaps"] if _key(gap["node"]) in number]
    ends = [_broken(chain["direction"], gap, number, len(nodes) + n) for n, gap in enumerate(gaps)]
    # Goods sent back belong left of where they were sent back from.
    drawn = [(head, tail) if _returned(steps) else (tail, head) for (tail, head), steps in moves.items()]
    placed = layout(len(nodes) + len(gaps), [*drawn, *ends])
    tall = LOW if max(Counter(placed.levels[: len(nodes)]).values(), default=0) > CROWDED else HEIGHT
    corners = [_corner(level, height, tall) for level, height in zip(placed.levels, placed.heights, strict=True)]

    def line(tail: int, head: int, steps: Sequence[Json] = ()) -> Line:
        ends = (tail, head) if placed.levels[tail] < placed.levels[head] else (head, tail)
        bends = placed.routes[ends] if ends in placed.routes else placed.routes[ends[::-1]][::-1]
        return Line(*ends, steps, [corners[bend] for bend in bends], back=ends[0] == head)

    lines = [line(tail, head, steps) for (tail, head), steps in moves.items()]
    lines += [line(tail, head) for tail, head in ends]
    left, came = _times(moves, 0), _times(moves, 1)
    cards = [Card(corners[n], node, came[n], left[n]) for n, node in enumerate(nodes)]
    cards += [Card(corners[len(nodes) + n], {}, gap=gap["kind"]) for n, gap in enumerate(gaps)]
    right = max((x for x, _ in corners), default=0) + WIDTH + MARGIN
    bottom = max((y for _, y in corners), default=TOP) + tall + MARGIN
    return Sketch(cards, lines, right, bottom, tall)


def _moves(edges: Iterable[Json], number: dict[Key, int]) -> dict[tuple[int, int], list[Json]]:
    """Events by the nodes they lead from and to, oldest first."""
    between: dict[tuple[int, int], list[Json]] = defaultdict(list)
    for edge in sorted(edges, key=lambda edge: str(edge["time"])):
        tail, head = number.get(_key(edge["from"])), number.get(_key(edge["to"]))
        if tail is not None and head is not None and tail != head:
            between[tail, head].append(edge)
    return between


def _broken(direction: str, gap: Json, number: dict[Key, int], unknown: int) -> tuple[int, int]:
    """From a node to the unknown beyond it, or from the unknown to the node."""
    known = number[_key(gap["node"])]
    return (known, unknown) if leads_on(gap["kind"], direction) else (unknown, known)


def leads_on(kind: str, direction: str) -> bool:
    """Whether what a gap hides lies beyond the node, the way goods went; else it lies before it."""
    return kind == "unknown_destination" or (kind != "unknown_source" and direction == "forward")


def _returned(steps: Iterable[Json]) -> bool:
    return all(step["step"] == "returning" for step in steps)


def _times(moves: dict[tuple[int, int], list[Json]], end: int) -> dict[int, list[str]]:
    """When goods left (0) or came to (1) a node."""
    found: dict[int, list[str]] = defaultdict(list)
    for ends, steps in moves.items():
        found[ends[end]] += [step["time"] for step in steps if step["time"]]
    return found


def _corner(level: int, height: float, tall: float) -> Point:
    return MARGIN + level * ACROSS, TOP + height * tall * 1.22


def _key(ref: Json) -> Key:
    return ref["batch"], ref["site"]
