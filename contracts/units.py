"""Units of measure: UN/ECE Recommendation 20 codes, what senders write, and exact factors to the balance's own units.

Masses become kilograms and volumes litres, animals heads and single goods pieces, so that a balance adds up. Nothing
converts between these. Packages (件 筐 箱 袋 瓶) hold what the sender knows and nobody else: they are in no row, stay
text, and out of the balance. A Chinese unit has no code of its own.
"""

from decimal import Decimal
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """The code of one of the balance's own units, and how many of it one of the sender's unit is."""

    code: str
    factor: Decimal


class Row(NamedTuple):
    """A unit that senders use: its code where it has one, its names, and `into` how many of which it converts."""

    code: str | None
    zh: str
    en: str
    into: str
    factor: str
    words: str = ""


TABLE: Final = (
    Row("KGM", "千克", "kilogram", "KGM", "1", "KG 公斤"),
    Row("GRM", "克", "gram", "KGM", "0.001", "G"),
    Row("MGM", "毫克", "milligram", "KGM", "0.000001", "MG"),
    Row("TNE", "吨", "tonne", "KGM", "1000", "T 公吨"),
    Row("DTN", "公担", "decitonne", "KGM", "100"),
    Row("LBR", "磅", "pound", "KGM", "0.45359237", "LB"),
    # 市制, as the State Council fixed it in 1959: ten 两 to a 斤 of half a kilogram.
    Row(None, "斤", "jin", "KGM", "0.5", "市斤"),
    Row(None, "两", "liang", "KGM", "0.05", "市两"),
    Row(None, "钱", "qian", "KGM", "0.005", "市钱"),
    Row(None, "担", "dan", "KGM", "50", "市担"),
    Row("LTR", "升", "litre", "LTR", "1", "L 公升"),
    Row("MLT", "毫升", "millilitre", "LTR", "0.001", "ML"),
    Row("HLT", "百升", "hectolitre", "LTR", "100", "HL"),
    Row("MTQ", "立方米", "cubic metre", "LTR", "1000", "M3"),
    Row("HEA", "头", "head", "HEA", "1", "匹 羽 口"),
    Row("H87", "个", "piece", "H87", "1", "枚 只 尾"),
    Row("DZN", "打", "dozen", "H87", "12"),
    Row("PTN", "份", "portion", "PTN", "1"),
)

UNITS: Final = {
    word: Unit(row.into, Decimal(row.factor))
    for row in TABLE
    for word in filter(None, (row.code, row.zh, *row.words.split()))
}
"""By every word for it, in capitals."""

SYMBOLS: Final = {"KGM": "kg", "LTR": "L", "HEA": "头", "H87": "个", "PTN": "份"}
"""How people write the balance's own units."""
