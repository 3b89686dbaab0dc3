"""Lenient field types of the wire models: what legacy senders write, turned into what the platform means.

Full-width characters, numbers as text, units glued to numbers, local times without zone and Chinese words are
normal; only what has no meaning is an error, and its type is a rule of `contracts.rules`.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from contracts import codes
from contracts.trace import Category
from contracts.units import UNITS

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has had one zone without summer time since 1992; older times do not occur here."""


MAX_TEXT: Final = 1000
MAX_DIGITS: Final = 20
"""Longer numbers are no quantities, and a store's decimal ends at 34 digits."""

_CONTROLS: Final = dict.fromkeys([*range(32), 127], " ")


class Amount(NamedTuple):
    """A number, the unit written beside it, and the sender's own words."""

    number: Decimal
    unit: str | None
    text: str


class Measure(NamedTuple):
    """Quantity in a unit of the balance (`contracts.units`); both None when the sender's unit cannot be converted."""

    quantity: Decimal | None
    unit: str | None
    text: str


_CATEGORY_WORDS: Final[dict[Category, str]] = {
    Category.INFANT_FORMULA: "婴幼儿配方食品 婴幼儿配方乳粉 婴幼儿配方奶粉 婴配乳粉 婴配 婴儿配方",
    Category.HEALTH_FOOD: "保健食品 保健品",
    Category.EDIBLE_OIL: "食用油 食用植物油 植物油 油脂 花生油 大豆油 菜籽油",
    Category.DAIRY: "乳制品 乳品 奶制品 乳粉 奶粉 牛奶 酸奶 鲜奶 生鲜乳",
    Category.LIQUOR: "酒类 白酒 啤酒 葡萄酒 黄酒 酒",
    Category.AQUATIC: "水产品 水产 鲜活水产 海鲜 鱼 虾 蟹 贝",
    Category.MEAT: "肉制品 肉类 鲜肉 畜禽肉 猪肉 牛肉 羊肉 禽肉 鸡肉 肉",
    Category.FRUIT: "水果 鲜果 果品",
    Category.VEGETABLE: "蔬菜 蔬菜类 鲜菜 叶菜 食用菌 菜",
    Category.GRAIN: "粮食及其制品 粮食制品 粮食 米面 大米 面粉 杂粮 谷物 粮",
}
"""Searched in this order: the narrower word first (奶粉 before 粮, 油 before 菜)."""

_WORD_CATEGORY: Final = {word: category for category, words in _CATEGORY_WORDS.items() for word in words.split()}
_CATEGORY_CODES: Final = frozenset(category.value for category in Category)
_NUMBER: Final = re.compile(
    r"([+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?)(?:E([+-]?[0-9]{1,2}))?\s*((?:[^\W\d_].*)?)"
)
_DAY: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_TIME: Final = re.compile(_DAY.pattern + r"[T ]*(\d{1,2})[:时点](\d{1,2})分?(?::?(\d{1,2})(?:\.\d+)?秒?)?", re.ASCII)
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)[T ]?(?:(\d\d)(\d\d)(\d\d)?)?", re.ASCII)
_EPOCH_DIGITS: Final = {10: 1, 13: 1000}


def text(value: Any) -> str:
    """NFKC (full-width to half-width), trimmed, without control characters; numbers become text.

    Raises `required` when nothing is left, `invalid_value` for what is no text or longer than `MAX_TEXT`.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise PydanticCustomError("invalid_value", "text expected")
    words = _normal(str(int(value) if isinstance(value, float) and value.is_integer() else value))
    if not words:
        raise PydanticCustomError("required", "empty")
    if len(words) > MAX_TEXT:
        raise PydanticCustomError("invalid_value", "text too long")
    return words


def optional_text(value: Any) -> str | None:
    """As `text`, but nothing and white space are None."""
    return None if value is None or (isinstance(value, str) and not _normal(value)) else text(value)


def _normal(value: str) -> str:
    return (value if value.isascii() else unicodedata.normalize("NFKC", value)).translate(_CONTROLS).strip()


def split_quantity(value: Any) -> Amount:
    """ "１，２００.5 公斤" is 1200.5 and "公斤". Raises `quantity_not_a_number` or `quantity_negative`."""
    words = text(value)
    match = _NUMBER.fullmatch(words.upper())
    if match is None:
        raise PydanticCustomError("quantity_not_a_number", "no number")
    digits, exponent, unit = match.groups()
    number = _decimal(digits.replace(",", ""), exponent or "0")
    if number < 0:
        raise PydanticCustomError("quantity_negative", "negative quantity")
    return Amount(number, unit or None, words)


def certified(value: Any) -> Amount | None:
    """What a paper certifies, where it can be read: a paper's doubtful figure refuses no record."""
    try:
        return split_quantity(value)
    except PydanticCustomError:
        return None


def _decimal(digits: str, exponent: str) -> Decimal:
    try:
        number = Decimal(digits).scaleb(int(exponent))
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite() and len(number.as_tuple().digits) <= MAX_DIGITS and number.adjusted() <= MAX_DIGITS:
        return number
    raise PydanticCustomError("quantity_not_a_number", "no number")


def measure(amount: Amount, unit: str | None = None) -> Measure:
    """The amount in a convertible unit: the one glued to the number, else the one in a field of its own."""
    word = amount.unit or (_normal(unit).upper() if unit else None)
    words = amount.text if amount.unit or not word else f"{amount.text}{word}"
    known = UNITS.get(word or "")
    return Measure(amount.number * known.factor, known.code, words) if known else Measure(None, None, words)


def local_time(value: Any) -> datetime:
    """An aware UTC time from ISO, Chinese or compact text, epoch seconds or milliseconds; no zone means Shanghai.

    Raises `time_unreadable`.
    """
    try:
        time = value if isinstance(value, datetime) else _read_time(text(value))
        aware = time if time.tzinfo else time.replace(tzinfo=SHANGHAI)
        return aware.astimezone(SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("time_unreadable", "no time") from None


def _read_time(words: str) -> datetime:
    if words.isdigit() and (scale := _EPOCH_DIGITS.get(len(words))):
        return datetime.fromtimestamp(int(words) / scale, UTC)
    match = _TIME.fullmatch(words) or _COMPACT.fullmatch(words) or _DAY.fullmatch(words)
    if match:
        year, month, day, hour, minute, second = ([int(part or 0) for part in match.groups()] + [0, 0, 0])[:6]
        return datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
    return datetime.fromisoformat(words)


def day_of(at: datetime) -> date:
    """The day in Shanghai."""
    return at.astimezone(SHANGHAI).date()


def is_day_only(at: datetime) -> bool:
    """Many papers carry a day and no hour, which reads as its midnight; nothing is told within that day then."""
    return at.astimezone(SHANGHAI).time() == time.min


def day(value: Any) -> str | None:
    """A day as YYYY-MM-DD when it can be read, else the sender's words: a production date is kept either way."""
    words = optional_text(value)
    try:
        return words and day_of(local_time(words)).isoformat()
    except PydanticCustomError:
        return words


def valid_until(value: Any) -> date | None:
    """The last day of a paper's validity; 长期 (no end), as a word or as a day in 9999, and the unreadable are None."""
    words = day(value)
    try:
        found = date.fromisoformat(words) if words else None
    except ValueError:
        return None
    return found if found and found.year < date.max.year else None


@lru_cache(4096)
def _category(word: str) -> Category:
    if word.lower() in _CATEGORY_CODES:
        return Category(word.lower())
    return next((found for known, found in _WORD_CATEGORY.items() if known in word), Category.OTHER)


def category(value: Any) -> Category:
    """One of the ten by the platform's own word or by a Chinese word in it; OTHER when none fits."""
    return _category(optional_text(value) or "")


_UNQUALIFIED: Final = ("不合格", "阳性", "超标", "不符合")
_QUALIFIED: Final = ("合格", "阴性", "未检出", "符合")


def qualified(value: Any) -> bool:
    """What a tester concludes: 合格, 阴性, 未检出 or 不合格, 阳性, 超标. Raises `invalid_value` for anything else."""
    if isinstance(value, bool):
        return value
    words = text(value)
    for meaning, known in ((False, _UNQUALIFIED), (True, _QUALIFIED)):
        if any(word in words for word in known):
            return meaning
    raise PydanticCustomError("invalid_value", "no conclusion")


Text = Annotated[str, BeforeValidator(text)]
Plate = Annotated[str, BeforeValidator(lambda value: codes.plate(text(value))), WithJsonSchema({"type": "string"})]
Conclusion = Annotated[
    bool, BeforeValidator(qualified), WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string"}]})
]
Number = Annotated[
    Amount,
    PlainValidator(split_quantity),
    PlainSerializer(lambda amount: amount.text, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
Certified = Annotated[
    Amount | None,
    PlainValidator(certified),
    PlainSerializer(lambda amount: amount and amount.text, return_type=str | None),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
LocalTime = Annotated[
    datetime, BeforeValidator(local_time), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})
]
DateText = Annotated[str | None, BeforeValidator(day), WithJsonSchema({"type": "string"})]
ValidUntil = Annotated[date | None, BeforeValidator(valid_until), WithJsonSchema({"type": "string"})]
CategoryText = Annotated[Category, BeforeValidator(category), WithJsonSchema({"type": "string"})]
