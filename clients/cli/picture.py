"""A chain as an SVG picture: goods flow from left to right, a card says who, what, where and when."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from clients.cli.lettering import fit, measure, safe
from clients.cli.printing import local_time
from clients.cli.sketch import HEIGHT, MARGIN, WIDTH, Card, Key, sketch
from clients.cli.strokes import strokes
from clients.cli.words import GAPS, zh
from contracts import divisions

Json = dict[str, Any]

PALETTE: Final = ("#2f6fb0", "#c2691c", "#3b8a4b", "#8a5bb0", "#b0455f", "#1f8f8f", "#8c6d1f", "#5b6b7a")
GREY, RED, INK, SOFT, LINE = "#7a828c", "#c8282d", "#1f2933", "#5b6672", "#98a2ad"
NARROWEST: Final = 720
"""Pixels that the head needs."""

FONTS: Final = "'Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', 'PingFang SC', 'WenQuanYi Zen Hei', sans-serif"
STYLE: Final = f"""<style>
text {{ font-family: {FONTS}; fill: {INK}; }}
.title {{ font-size: 20px; font-weight: bold; }}
.key {{ font-size: 12px; fill: {SOFT}; }}
.name {{ font-size: 14px; font-weight: bold; }}
.what {{ font-size: 12px; }}
.code {{ font-size: 11px; fill: {SOFT}; }}
.step {{ font-size: 11px; fill: {SOFT}; paint-order: stroke; stroke: white; stroke-width: 3px; }}
.edge {{ fill: none; stroke: {LINE}; stroke-width: 1.6; }}
.gap {{ fill: none; stroke: {RED}; stroke-width: 1.8; stroke-dasharray: 6 4; }}
.broken {{ fill: {RED}; font-size: 13px; font-weight: bold; text-anchor: middle; }}
</style>
<defs><marker id="arrow" orient="auto-start-reverse" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"
markerHeight="7"><path d="M0 0L8 4L0 8z" fill="{LINE}"/></marker></defs>"""


def draw(chain: Json) -> str:
    """An SVG document of a chain as `chain.chain_json` gives it. Times are Shanghai's, colours tell cities apart."""
    drawn = sketch(chain)
    colours, asked = _colours(chain["nodes"]), _asked(chain)
    width, height = max(drawn.width, NARROWEST), drawn.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>{safe(_title(chain))}</title>",
        STYLE,
        '<rect width="100%" height="100%" fill="white"/>',
        *_head(chain),
        *_legend(chain, colours),
        *strokes(drawn),
        *(
            _broken(card, drawn.tall) if card.gap else _card(card, drawn.tall, _key(card.node) in asked, colours)
            for card in drawn.cards
        ),
        "</svg>",
    ]
    return "\n".join(parts)


def _title(chain: Json) -> str:
    return f"{'来源追溯' if chain['direction'] == 'backward' else '去向追踪'} · {chain['batch']}"


def _head(chain: Json) -> Iterator[str]:
    yield f'<text class="title" x="{MARGIN}" y="40">{safe(_title(chain))}</text>'
    yield f'<text class="key" x="{MARGIN}" y="62">{safe(_summary(chain))}</text>'


def _summary(chain: Json) -> str:
    sites = len({node["site"] for node in chain["nodes"]})
    times = sorted(edge["time"] for edge in chain["edges"] if edge["time"])
    span = f" · {local_time(times[0])} 至 {local_time(times[-1])}" if times else ""
    whole = "链条完整" if chain["complete"] else f"断点 {len(chain['gaps'])} 处"
    return f"场所 {sites} 个 · 批次节点 {len(chain['nodes'])} 个 · 事件 {len(chain['events'])} 个{span} · {whole}"


def _asked(chain: Json) -> set[Key]:
    """Nodes that were asked about: of the batch; of a paper or an animal, those that no event of the chain leads to."""
    keys = {_key(node) for node in chain["nodes"]}
    if way := chain.get("shortest"):
        return {_key(way[0]), _key(way[-1])}
    if asked := {key for key in keys if key[0] == chain["batch"]}:
        return asked
    far = "from" if chain["direction"] == "backward" else "to"
    return keys - {_key(edge[far]) for edge in chain["edges"]}


def _legend(chain: Json, colours: dict[str, str]) -> Iterator[str]:
    """Of what the picture has."""
    x = float(MARGIN)
    places = [(divisions.name(f"{city}00") or city, colour) for city, colour in colours.items()]
    if not all(map(_city, chain["nodes"])):
        places.append(("省外或未知", GREY))
    for words, colour in places:
        yield f'<rect x="{x:.0f}" y="76" width="12" height="12" rx="3" fill="{colour}"/>'
        yield f'<text class="key" x="{x + 17:.0f}" y="86">{safe(words)}</text>'
        x += 34 + measure(words, 12)
    yield f'<rect x="{x:.0f}" y="76" width="16" height="12" rx="3" fill="none" stroke="{INK}" stroke-width="2.5"/>'
    yield f'<text class="key" x="{x + 22:.0f}" y="86">所查批次</text>'
    if chain["gaps"]:
        yield f'<path class="gap" d="M{x + 90:.0f} 82h26"/><text class="key" x="{x + 122:.0f}" y="86">断链</text>'


def _colours(nodes: Iterable[Json]) -> dict[str, str]:
    """A colour for each city, in the order of their codes; cities beyond the palette share its last."""
    cities = sorted({_city(node) for node in nodes} - {""})
    return {city: PALETTE[min(n, len(PALETTE) - 1)] for n, city in enumerate(cities)}


def _city(node: Json) -> str:
    return "" if node["external"] else divisions.city(node["division"])


def _broken(card: Card, tall: float) -> str:
    return (
        f'<g transform="translate({card.at[0]:.0f} {card.at[1]:.1f})">'
        f'<rect class="gap" width="{WIDTH}" height="{tall}" rx="8"/>'
        f'<text class="broken" x="{WIDTH / 2:.0f}" y="{tall / 2 + 5:.0f}">{safe(zh(GAPS, card.gap))} ？</text></g>'
    )


def _key(ref: Json) -> Key:
    return ref["batch"], ref["site"]


def _card(card: Card, tall: float, asked: bool, colours: dict[str, str]) -> str:
    colour = colours.get(_city(card.node), GREY)
    border = f'stroke="{INK}" stroke-width="2.5"' if asked else f'stroke="{colour}"'
    dash = ' stroke-dasharray="5 3"' if card.node["external"] or not card.node["site"] else ""
    return (
        f'<g transform="translate({card.at[0]:.0f} {card.at[1]:.1f})"><title>{safe(_everything(card.node))}</title>'
        f'<rect width="{WIDTH}" height="{tall}" rx="8" fill="white" {border}{dash}/>'
        f'<rect width="{WIDTH}" height="{tall}" rx="8" fill="{colour}" fill-opacity="0.09"/>'
        f'<rect x="4" y="6" width="5" height="{tall - 12}" rx="2.5" fill="{colour}"/>{_text(card, tall)}</g>'
    )


def _text(card: Card, tall: float) -> str:
    node = card.node
    name = ("name", 14, node["site_name"] or node["site"] or "未登记场所")
    gist = " · ".join(filter(None, (node["product"], _county(node))))
    if tall == HEIGHT:
        rows = [name, ("what", 12, gist), ("code", 11, node["batch"]), ("code", 11, _when(card))]
    else:
        # Of the time, month and day.
        rows = [name, ("code", 11, f"{gist} · {_when(card)[5:10]}")]
    return "".join(
        f'<text class="{kind}" x="16" y="{21 + 17 * n}">{safe(fit(words, size, WIDTH - 24))}</text>'
        for n, (kind, size, words) in enumerate(rows)
    )


def _county(node: Json) -> str:
    return divisions.name(node["division"]) or ("省外" if node["external"] else "")


def _when(card: Card) -> str:
    """When the goods came, else when they left."""
    if card.came:
        return f"{local_time(max(card.came))} 到"
    return f"{local_time(min(card.left))} 出" if card.left else ""


def _everything(node: Json) -> str:
    operator = (node["operator_name"], node["operator"])
    words = (
        node["site_name"],
        node["site"],
        *operator,
        divisions.path(node["division"]),
        node["product"],
        node["batch"],
    )
    return "\n".join(filter(None, words))
