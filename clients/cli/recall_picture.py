"""A simulated recall as an SVG picture: by division, how much is held, on its way, gone, or not located."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from clients.cli.lettering import fit, measure, safe
from clients.cli.picture import GREY, RED, STYLE
from clients.cli.words import amount
from contracts import divisions

Json = dict[str, Any]

MARGIN, LABEL, BAR, THICK, ROW, TOP, WIDTH = 32, 190, 520, 22, 34, 112, 960
"""Pixels: room beside, of a division's name, of the longest bar, height of bars and rows, of the head, the whole."""

PARTS: Final = (
    ("在手 held", "#2f6fb0", frozenset({"held"})),
    ("在途 in transit", "#c2691c", frozenset({"in_transit"})),
    (
        "已售出、用掉、销毁或出省 sold, used, gone",
        GREY,
        frozenset({"consumed", "processed", "destroyed", "outside"}),
    ),
    ("未定位 unlocated", RED, frozenset({"unlocated"})),
)
"""What a bar is made of: its words, colour, and fates."""

OUTSIDE, UNKNOWN = "省外 outside the province", "区划未知 division unknown"


class Row(NamedTuple):
    """A division's goods in one unit: quantities as `PARTS`, and portions whose quantity is not known."""

    division: str
    unit: str
    quantities: tuple[Decimal, ...]
    unsummed: int

    @property
    def total(self) -> Decimal:
        return sum(self.quantities, Decimal(0))


def draw(answer: Json) -> str:
    """An SVG document of an answer with a `simulation`. Bars of one unit have one scale."""
    found = answer["simulation"]
    drawn = rows(found)
    height = TOP + ROW * max(len(drawn), 1) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}">',
        f"<title>{safe(_title(found))}</title>",
        STYLE,
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text class="title" x="{MARGIN}" y="40">{safe(fit(_title(found), 20, WIDTH - 2 * MARGIN))}</text>',
        f'<text class="key" x="{MARGIN}" y="62">{safe(_summary(found))}</text>',
        *_legend(),
        *_bars(drawn),
        "</svg>",
    ]
    return "\n".join(parts)


def rows(simulation: Json) -> list[Row]:
    """Divisions, those with most goods first, unit by unit; where only unknown quantities are, without a unit."""
    where = {_key(node): _division(node) for node in simulation["nodes"]}
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(PARTS))
    unsummed: dict[str, int] = defaultdict(int)
    for portion in simulation["portions"]:
        division, told = where[_key(portion["node"])], portion.get("amount")
        if not told:
            unsummed[division] += 1
        elif Decimal(told["quantity"]):
            sums[told["unit"], division][_part(portion["fate"])] += Decimal(told["quantity"])
    found = [Row(division, unit, tuple(parts), 0) for (unit, division), parts in sums.items()]
    found.sort(key=lambda row: (row.unit, -row.total, row.division))
    return [*_with_unsummed(found, unsummed)]


def _with_unsummed(found: Iterable[Row], unsummed: dict[str, int]) -> Iterator[Row]:
    """What is not known stands with a division once: beside its first bar, else in a row of its own."""
    for row in found:
        yield row._replace(unsummed=unsummed.pop(row.division, 0))
    for division, count in sorted(unsummed.items()):
        yield Row(division, "", (Decimal(0),) * len(PARTS), count)


def _key(node: Mapping[str, str]) -> tuple[str, str]:
    return node["batch"], node["site_id"]


def _division(node: Json) -> str:
    if node["external"]:
        return OUTSIDE
    return divisions.path(node["division"]) or node["division"] or UNKNOWN


def _part(fate: str) -> int:
    return next(n for n, (_, _, fates) in enumerate(PARTS) if fate in fates)


def _title(found: Json) -> str:
    batches = "、".join(found["batches"][:3]) + ("等" if len(found["batches"]) > 3 else "")
    share = f"{found['share'] * 100:.1f}%" if "share" in found else "不明 unknown"
    return f"召回模拟 {batches} · 已定位 located {share}"


def _summary(found: Json) -> str:
    whole = "链条完整 complete" if found["complete"] else f"断点 {len(found['gaps'])} 处 incomplete"
    hidden = f" · 另有 {found['hidden_sites']} 个场所不可见 beyond your view" if found["hidden_sites"] else ""
    return f"场所 {found['sites']} 个 sites · {whole}{hidden}"


def _legend() -> Iterator[str]:
    x = float(MARGIN)
    for words, colour, _ in PARTS:
        yield f'<rect x="{x:.0f}" y="76" width="12" height="12" rx="3" fill="{colour}"/>'
        yield f'<text class="key" x="{x + 17:.0f}" y="86">{safe(words)}</text>'
        x += 34 + measure(words, 12)


def _bars(drawn: list[Row]) -> Iterator[str]:
    if not drawn:
        yield f'<text class="what" x="{MARGIN}" y="{TOP + 16}">无货物 no goods</text>'
    longest: dict[str, Decimal] = {}
    for row in drawn:
        longest[row.unit] = max(longest.get(row.unit, Decimal(0)), row.total)
    for n, row in enumerate(drawn):
        yield from _bar(row, longest[row.unit], TOP + ROW * n)


def _bar(row: Row, longest: Decimal, y: int) -> Iterator[str]:
    yield f"<g><title>{safe(row.division)}</title>"
    yield f'<text class="what" x="{MARGIN}" y="{y + 16}">{safe(fit(row.division, 12, LABEL - 10))}</text></g>'
    x = float(MARGIN + LABEL)
    for (words, colour, _), quantity in zip(PARTS, row.quantities, strict=True):
        if quantity:
            # However little there is, it is to be seen.
            width = max(BAR * float(quantity / longest), 1.5)
            yield f"<g><title>{safe(words)} {safe(amount(f'{quantity:f}', row.unit))}</title>"
            yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{THICK}" fill="{colour}"/></g>'
            x += width
    yield f'<text class="what" x="{x + 8:.1f}" y="{y + 16}">{safe(_words(row))}</text>'


def _words(row: Row) -> str:
    total = amount(f"{row.total:f}", row.unit) if row.total else ""
    unknown = f"{row.unsummed} 处数量不明 unknown" if row.unsummed else ""
    return "，".join(filter(None, (total, unknown)))
