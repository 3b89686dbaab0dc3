"""What the charts of a bulletin show. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from contracts import divisions
from services.reporting.bulletin import charts, words
from services.reporting.bulletin.league import SCORED, titled
from services.reporting.bulletin.table import Document

LEAGUE_AT_MOST: Final = 24
HEAT_AT_MOST: Final = 24


class Chart(NamedTuple):
    """A drawing with its caption."""

    id: str
    title: str
    svg: str
    note: str = ""


def drawings(division: str, own: Document, league: Sequence[Document], figures: Document) -> list[Chart]:
    """All charts of a division's bulletin; the league comes ranked."""
    counties = [line for line in figures["lines"] if line["level"] == "county" and not line["link"]]
    found = [Chart("league", "排名", _league(league), "黑线为上月得分；★示范城市　☆创建城市")]
    if len(figures["trend"].get(own["code"], ())) > 1:
        found.append(_trend(own, figures))
    if heated := [line for line in league if line["categories"]][:HEAT_AT_MOST]:
        found.append(Chart("heat", "10＋3覆盖率：品类×地区", _heat(heated), "灰格：没有该品类的追溯义务"))
    if len(counties) > 1:
        found.append(Chart("tiles", "县（市、区）得分图", _tiles(counties), "每格一县，按市排列，不表示地理位置与面积"))
    return found


def _league(league: Sequence[Document]) -> str:
    half = LEAGUE_AT_MOST // 2
    shown = [*league] if len(league) <= LEAGUE_AT_MOST else [*league[:half], *league[-half:]]
    return charts.league([charts.Bar(titled(line), _number(line["score"]), _before(line)) for line in shown])


def _before(line: Document) -> float | None:
    return _number(line["before"]["score"]) if line["before"] else None


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _trend(own: Document, figures: Document) -> Chart:
    points = figures["trend"].get(own["code"], [])
    series = {words.DIMENSIONS[name]: [_hundred(point["rates"][name]) for point in points] for name in SCORED}
    months = [point["month"][2:].replace("-", "年") + "月" for point in points]
    return Chart("trend", "逐月走势", charts.trend(months, series), "断开处为不适用")


def _hundred(rate: str | None) -> float | None:
    return None if rate is None else float(rate) * 100


def _heat(lines: Sequence[Document]) -> str:
    rates = [[_share(line["categories"].get(name)) for name in words.CATEGORIES] for line in lines]
    columns = [name.replace("及其制品", "").replace("配方食品", "配方") for name in words.CATEGORIES.values()]
    return charts.heat([line["name"] for line in lines], columns, rates)


def _share(count: Sequence[int] | None) -> float | None:
    return count[0] / count[1] if count else None


def _tiles(counties: Iterable[Document]) -> str:
    return charts.tiles(
        [
            charts.Tile(divisions.name(line["code"][:4] + "00") or "", line["name"], _number(line["score"]))
            for line in sorted(counties, key=lambda line: str(line["code"]))
        ]
    )
