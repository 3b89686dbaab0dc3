"""Text in a picture."""

import re
import unicodedata
from html import escape


def safe(text: str) -> str:
    """Text as XML: escaped, and without the characters that XML forbids."""
    return escape(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text))


def measure(text: str, size: float) -> float:
    """Width in pixels, near enough: Chinese characters are square, others a little over half as wide."""
    return sum(size if unicodedata.east_asian_width(letter) in "WF" else size * 0.58 for letter in text)


def fit(text: str, size: float, room: float) -> str:
    """The text, cut in its middle where it is too long: codes differ at both ends."""
    while measure(text, size) > room:
        half = len(text) // 2
        text = text[: half - 1] + "…" + text[half + 1 :]
    return text
