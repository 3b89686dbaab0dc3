"""A table of the bulletin, the same in every paper. Pure."""

import re
from decimal import Decimal
from typing import Any, NamedTuple

Document = dict[str, Any]
Cell = str | int


class Figure(str):
    """A number as people read it (87.66, +1.20, 90.52%): a text on paper, a number in the workbook."""

    __slots__ = ()

    @property
    def value(self) -> float:
        """What it stands for; 90.52% for 0.9052."""
        return float(Decimal(self.rstrip("%")) / (100 if self.endswith("%") else 1))

    @property
    def pattern(self) -> str:
        """The number format that shows it the same way."""
        plain = re.sub(r"\d+", lambda digits: "0" * len(digits[0]), re.sub(r"^[+-]?\d+", "0", self))
        return f"+{plain};-{plain};{plain}" if self[0] in "+-" else plain


class Table(NamedTuple):
    """A table; `rows` hold texts, figures and whole numbers.

    Lists and leagues are shortened on paper, never in the workbook.
    """

    id: str
    title: str
    head: list[str]
    rows: list[list[Cell]]
    note: str = ""
    league: bool = False
    """Ranked: its end says as much as its beginning."""

    total: int = 0
    """How many there are, where the rows name only some of each county."""
    whole: str = "系统"
    """Where all of them are, if not in the workbook."""

    def shortened(self, most: int) -> "Table":
        """The first rows, of a league the best and the worst; the note says how many they are, and of how many."""
        if len(self.rows) <= most:
            return self._noted(f"{len(self.rows)}行") if self.total > len(self.rows) else self
        if not self.league:
            return self._noted(f"前{most}行")._replace(rows=self.rows[:most])
        gap: list[Cell] = ["…", *[""] * (len(self.head) - 1)]
        kept = [*self.rows[: most // 2], gap, *self.rows[-(most // 2) :]]
        return self._noted(f"前后各{most // 2}行")._replace(rows=kept)

    def _noted(self, listed: str) -> "Table":
        partial = self.total > len(self.rows)
        total, whole = (self.total, self.whole) if partial else (len(self.rows), "工作簿")
        return self._replace(note="　".join(filter(None, [self.note, f"已列{listed}，共{total}条，全部见{whole}。"])))
