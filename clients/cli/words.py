"""What people read for the platform's words: Chinese first."""

from collections.abc import Mapping
from typing import Final

STEPS: Final = {
    "farming": "种养",
    "harvest": "采收",
    "purchase": "收购",
    "storing": "储存",
    "transport": "运输",
    "making": "生产",
    "packing": "包装",
    "shipping": "发货",
    "receiving": "收货",
    "selling": "销售",
    "kitchen_use": "加工",
    "retained_sample": "留样",
    "returning": "退货",
    "destroying": "销毁",
}

GAPS: Final = {
    "unknown_source": "来源不明",
    "unknown_destination": "去向不明",
    "depth_limit": "层数超限",
    "size_limit": "规模超限",
}

HOLDINGS: Final = {"held": "在手", "sold_on": "已转出", "consumed": "已消耗", "unknown": "不明"}

OUTCOMES: Final = {"accepted": "已接收", "duplicate": "重复", "rejected": "已拒绝"}

STATES: Final = {
    "listed": "未注册",
    "registered": "已注册",
    "activated": "已激活",
    "on_chain": "已上链",
    "active": "活跃",
    "inactive": "不活跃",
    "suspended": "暂停",
    "revoked": "吊销",
    "deregistered": "注销",
}

UNITS: Final = {"KGM": "kg", "LTR": "L", "HEA": "头", "H87": "个", "PTN": "份"}
"""UN/ECE Recommendation 20 codes that quantities come in."""


def zh(table: Mapping[str, str], word: str) -> str:
    """A word in Chinese; as it is when the table does not know it."""
    return table.get(word, word)


def amount(quantity: str, unit: str) -> str:
    """A quantity with its unit, as people write it; empty when there is none."""
    return f"{quantity} {zh(UNITS, unit)}".strip() if quantity else ""
