"""How each app, and each generation of it, writes a message down: field names, times, numbers, bytes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from contracts.words import words
from demo.generator.world import CATERING, MARKET, ONE_NETWORK, QUARANTINE, Site


class Amount(NamedTuple):
    """A quantity before it is written."""

    number: Decimal
    unit: str


Row = dict[str, Any]


def _hanzi(name: str) -> str:
    return next((word for word in words(name) if not word.isascii()), name)


def _pinyin(name: str) -> str:
    return next((word for word in words(name)[1:] if word.isascii()), name)


def _plain(amount: Amount) -> Row:
    return {"quantity": float(amount.number), "unit": amount.unit}


def _as_text(amount: Amount) -> Row:
    return {"quantity": f"{amount.number.normalize():,f}", "unit": amount.unit}


def _full_width(amount: Amount) -> Row:
    return {"quantity": f"{amount.number.normalize():f}{amount.unit}".translate(_WIDE)}


_WIDE: Final = str.maketrans("0123456789.", "０１２３４５６７８９．")


@dataclass(frozen=True)
class Style:
    """One way to write. `own` are words of this app that differ from the usual ones; times have no zone."""

    name: Callable[[str], str]
    time: Callable[[datetime], object]
    day: str
    amount: Callable[[Amount], Row]
    encoding: str = "utf-8"
    own: Mapping[str, str] = field(default_factory=dict)

    def encode(self, body: Row) -> bytes:
        """The bytes of a body whose fields bear their documented names."""
        return json.dumps(self.write(body), ensure_ascii=False).encode(self.encoding)

    def write(self, value: Any) -> Any:
        """A value, or a part with all that is in it, in this style; fields without a value are left out."""
        match value:
            case dict():
                return {self._word(key): self.write(part) for key, part in _spread(value, self.amount).items()}
            case list() | tuple():
                return [self.write(part) for part in value]
            case datetime():
                return self.time(value)
            case date():
                return value.strftime(self.day)
            case _:
                return value

    def _word(self, name: str) -> str:
        return self.own.get(name) or self.name(name)


def _spread(part: Row, amount: Callable[[Amount], Row]) -> Row:
    row: Row = {}
    for name, value in part.items():
        row |= amount(value) if isinstance(value, Amount) else {name: value} if value not in (None, [], ()) else {}
    return row


_MARKET_WORDS: Final = {"document_no": "票号", "id": "摊位号", "quantity": "重量"}

STYLES: Final[dict[str, tuple[Style, ...]]] = {
    MARKET: (
        # Scales bought since 2023.
        Style(_hanzi, lambda at: f"{at:%Y-%m-%d %H:%M:%S}", "%Y-%m-%d", _as_text, own=_MARKET_WORDS),
        # Older terminals: Windows in Chinese, field names typed by somebody without an input method.
        Style(_pinyin, lambda at: f"{at:%Y/%m/%d} {at.hour}:{at:%M}", "%Y/%m/%d", _full_width, "gb18030"),
    ),
    ONE_NETWORK: (
        Style(str, lambda at: int(at.timestamp() * 1000), "%Y-%m-%d", _plain),
        Style(_pinyin, lambda at: f"{at:%Y-%m-%dT%H:%M:%S}", "%Y%m%d", _as_text),
    ),
    CATERING: (
        Style(_hanzi, lambda at: f"{at:%Y年%m月%d日 %H时%M分}", "%Y年%m月%d日", _full_width),
        Style(_hanzi, lambda at: f"{at:%Y%m%d%H%M%S}", "%Y.%m.%d", _as_text),
        Style(_pinyin, lambda at: f"{at:%Y-%m-%d %H:%M}", "%Y-%m-%d", _plain, "gb18030"),
    ),
    QUARANTINE: (Style(str, lambda at: at.isoformat(), "%Y-%m-%d", _plain),),
}


def style_of(app: str, site: Site) -> Style:
    """Each operator's software is of one generation."""
    choices = STYLES[app]
    return choices[sum(map(ord, site.name)) % len(choices)]
