"""The lines of a picture: where they meet the cards, how they run, what they say."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from clients.cli import handovers
from clients.cli.lettering import safe
from clients.cli.printing import local_time
from clients.cli.sketch import HEIGHT, WIDTH, Json, Line, Point, Sketch
from clients.cli.words import STEPS, amount, zh

ROOMY: Final = 4
"""Lines on one side of a card that still have room for words each."""


class Port(NamedTuple):
    """Where a line meets a card, and whether there is room for words."""

    at: Point
    roomy: bool


def strokes(drawn: Sketch) -> Iterator[str]:
    """SVG of all lines; a tooltip tells every event of a line."""
    starts = _ports(drawn, [(line.left, line.right) for line in drawn.lines], WIDTH)
    ends = _ports(drawn, [(line.right, line.left) for line in drawn.lines], 0)
    for line, start, end in zip(drawn.lines, starts, ends, strict=True):
        arrow = f'class="edge" marker-{"start" if line.back else "end"}="url(#arrow)"'
        kind = arrow if line.steps else 'class="gap"'
        title = safe("\n".join(map(_told, line.steps)))
        middles = [(x, y + drawn.tall / 2) for x, y in line.bends]
        yield f'<path {kind} d="{_curve(start.at, middles, end.at)}"><title>{title}</title></path>'
        yield from _words(line, start, end)


def _ports(drawn: Sketch, ends: Sequence[tuple[int, int]], side: float) -> list[Port]:
    """For each line, by its card here and its card over there: spread over the side, in the order of the others."""
    at_card: dict[int, list[int]] = defaultdict(list)
    for n, (here, _) in enumerate(ends):
        at_card[here].append(n)
    ports: dict[int, Port] = {}
    for here, numbers in at_card.items():
        x, y = drawn.cards[here].at
        numbers.sort(key=lambda n: drawn.cards[ends[n][1]].at[1])
        roomy = len(numbers) <= ROOMY * drawn.tall / HEIGHT
        for place, n in enumerate(numbers, 1):
            ports[n] = Port((x + side, y + place * drawn.tall / (len(numbers) + 1)), roomy)
    return [ports[n] for n in range(len(ends))]


def _curve(start: Point, bends: Sequence[Point], end: Point) -> str:
    """Level where it meets a card or passes a column, and smooth between."""
    path = f"M{start[0]:.0f} {start[1]:.1f}"
    here = start
    for x, y in bends:
        path += f"{_swing(here, (x, y))}h{WIDTH}"
        here = (x + WIDTH, y)
    return path + _swing(here, end)


def _swing(here: Point, there: Point) -> str:
    pull = (there[0] - here[0]) * 0.6
    return f"C{here[0] + pull:.0f} {here[1]:.1f} {there[0] - pull:.0f} {there[1]:.1f} {there[0]:.0f} {there[1]:.1f}"


def _words(line: Line, start: Port, end: Port) -> Iterator[str]:
    """Step and quantity where there is room: on the right, else on the left; the tooltip has them anyway."""
    if not line.steps or not (start.roomy or end.roomy):
        return
    (x, y), anchor, aside = (end.at, "end", -10) if end.roomy else (start.at, "start", 6)
    words = f"{handovers.steps(line.steps)} {handovers.goods(line.steps)}".strip()
    place = f'x="{x + aside:.0f}" y="{y - 4:.1f}" text-anchor="{anchor}"'
    yield f'<text class="step" {place}>{safe(words)}</text>'


def _told(step: Json) -> str:
    goods = amount(step["quantity"], step["unit"])
    return " ".join(filter(None, (local_time(step["time"]), zh(STEPS, step["step"]), goods, step["event_id"])))
