"""Charts of the bulletin as SVG, drawn by matplotlib with the bulletin's own typeface. Pure: numbers in, text out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from io import StringIO
from typing import Any, Final, NamedTuple

from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from services.reporting.bulletin import font

INK: Final = "#22313a"
FAINT: Final = "#8a979d"
HAIR: Final = "#e3e8ea"
JADE: Final = "#1f6f6b"
CINNABAR: Final = "#b5402f"
NONE: Final = "#eef0f1"
SCALE: Final = LinearSegmentedColormap.from_list("score", ["#b5402f", "#e5a27c", "#f3ead2", "#8fbcae", "#1f6f6b"])
LINES: Final = ("#1f6f6b", "#c98a1b", "#4a6fa5", "#8a5a83")
ACROSS: Final = 9
"""Tiles in a row at most."""

WIDTH: Final = 7.0
"""Inches; the width of the page's text."""


class Bar(NamedTuple):
    """A place in the league; without a score it is n/a."""

    name: str
    score: float | None
    before: float | None = None


class Tile(NamedTuple):
    """A county on the map: the city it lies in, its name and score."""

    city: str
    name: str
    score: float | None


def league(bars: Sequence[Bar]) -> str:
    """Bars in their order, with last month's score as a tick on each."""
    with _figure(0.5 + 0.22 * len(bars)) as (figure, axes):
        for place, bar in enumerate(bars):
            shown = bar.score or 0.0
            axes.barh(place, shown, height=0.62, color=SCALE(shown / 100))
            axes.text(shown + 0.8, place, _points(bar.score), va="center", size=8, color=INK)
            if bar.before is not None:
                axes.plot([bar.before] * 2, [place - 0.38, place + 0.38], color=INK, lw=1.2)
        axes.set_yticks(range(len(bars)), [bar.name for bar in bars])
        axes.set_xlim(0, 108)
        axes.set_ylim(len(bars) - 0.4, -0.6)
        axes.xaxis.grid(True, color=HAIR, lw=0.6)
        axes.set_axisbelow(True)
        return _svg(figure)


def trend(months: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> str:
    """Rates in percent over months; where one is n/a its line is broken."""
    with _figure(1.75) as (figure, axes):
        for color, (name, values) in zip(LINES, series.items(), strict=False):
            points = [float("nan") if value is None else value for value in values]
            axes.plot(range(len(months)), points, color=color, lw=1.8, marker="o", ms=3.6, label=name)
        axes.set_xticks(range(len(months)), months)
        axes.set_xlim(-0.4, max(len(months) - 0.6, 0.6))
        axes.set_ylim(0, 105)
        axes.set_ylabel("%", rotation=0, color=FAINT, labelpad=8)
        axes.yaxis.grid(True, color=HAIR, lw=0.6)
        axes.legend(frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0), fontsize=8)
        return _svg(figure)


def heat(rows: Sequence[str], columns: Sequence[str], rates: Sequence[Sequence[float | None]]) -> str:
    """Rates from 0 to 1 by place and category; grey where nothing is owed."""
    with _figure(0.75 + 0.3 * len(rows)) as (figure, axes):
        for y, line in enumerate(rates):
            for x, rate in enumerate(line):
                _box(axes, x, y, 0.94, 0.9, NONE if rate is None else SCALE(rate))
                axes.text(x, y, _percent(rate), ha="center", va="center", size=7, color=_on(rate))
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.xaxis.tick_top()
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        _key(figure, axes, "%")
        return _svg(figure)


def tiles(counties: Sequence[Tile]) -> str:
    """A map of tiles: a row of counties for each city, a tile for each county, coloured by score."""
    across = min(ACROSS, max(Counter(tile.city for tile in counties).values(), default=1))
    placed = list(_placed(counties, across))
    deep = max((y for _, _, y in placed), default=0) + 1
    with _figure(0.2 + 0.36 * deep) as (figure, axes):
        for tile, x, y in placed:
            rate = None if tile.score is None else tile.score / 100
            _box(axes, x, y, 0.94, 0.9, NONE if rate is None else SCALE(rate))
            axes.text(x, y - 0.14, tile.name[:6], ha="center", va="center", size=6.6, color=_on(rate))
            axes.text(x, y + 0.22, _points(tile.score), ha="center", va="center", size=6.6, color=_on(rate))
        for city, y in _firsts(placed):
            axes.text(-0.65, y, city, ha="right", va="center", size=8, color=INK)
        axes.set_axis_off()
        axes.set_xlim(-0.5, across - 0.5)
        axes.set_ylim(deep - 0.5, -0.5)
        _key(figure, axes, "分")
        return _svg(figure)


def _placed(counties: Sequence[Tile], across: int) -> Iterator[tuple[Tile, int, int]]:
    y, x, city = -1, across, None
    for tile in counties:
        if tile.city != city or x == across:
            y, x, city = y + 1, 0, tile.city
        yield tile, x, y
        x += 1


def _firsts(placed: Sequence[tuple[Tile, int, int]]) -> Iterator[tuple[str, int]]:
    seen: set[str] = set()
    for tile, _, y in placed:
        if tile.city not in seen:
            seen.add(tile.city)
            yield tile.city, y


def _box(axes: Axes, x: float, y: float, width: float, height: float, color: Any) -> None:
    style = "round,pad=0,rounding_size=0.08"
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, fc=color, ec="none"))


def _key(figure: Figure, axes: Axes, unit: str) -> None:
    """What the colours say, from 0 to 100."""
    colors = ScalarMappable(Normalize(0, 100), SCALE)
    bar = figure.colorbar(colors, ax=axes, fraction=0.02, pad=0.015, aspect=9, shrink=0.7, ticks=[0, 50, 100])
    bar.outline.set_visible(False)
    bar.ax.set_title(unit, size=7, color=FAINT)
    bar.ax.tick_params(labelsize=7, labelcolor=FAINT)


def _on(rate: float | None) -> str:
    """The ink that can be read on a colour of the scale."""
    if rate is None:
        return FAINT
    return INK if 0.09 < rate < 0.89 else "white"


def _points(score: float | None) -> str:
    return "不适用" if score is None else f"{score:.2f}"


def _percent(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.0%}"


@cache
def _family() -> str:
    sans, _ = font.paths()
    font_manager.fontManager.addfont(sans)
    name: str = font_manager.FontProperties(fname=sans).get_name()
    return name


@contextmanager
def _figure(height: float) -> Iterator[tuple[Figure, Axes]]:
    style: Any = {
        "font.family": _family(),
        "font.size": 8,
        "axes.edgecolor": HAIR,
        "axes.unicode_minus": False,
        "xtick.color": FAINT,
        "ytick.color": INK,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "svg.fonttype": "path",
        "svg.hashsalt": "shilian",
    }
    with rc_context(style):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
        yield figure, axes


def _svg(figure: Figure) -> str:
    drawn = StringIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return drawn.getvalue()
